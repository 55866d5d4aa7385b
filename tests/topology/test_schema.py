"""The schema of mesh.yaml: it knows every key, takes every good file, and refuses what it can see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from jsonschema import Draft7Validator
from pydantic import BaseModel

from pulumi_istio_mesh import cli
from pulumi_istio_mesh.topology import dialled, federation, gke, models
from pulumi_istio_mesh.topology.schema import mesh_schema

from ..builders import mesh_tree
from ..plan.test_mesh_plan import shapes

ROOT = Path(__file__).parents[2]
FILES = [*sorted(ROOT.glob("examples/**/mesh.yaml")), *sorted(ROOT.glob("tests/plan/shapes/*.yaml"))]
MODELS = [
    found
    for module in (models, dialled, federation, gke)
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, BaseModel) and found.__module__ == module.__name__
]


class _Loader(yaml.SafeLoader):
    """YAML as editors read it, where a day is text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@cache
def validator() -> Draft7Validator:
    schema = mesh_schema()
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def errors(tree: Any) -> list[str]:
    """Paths of what is wrong with a file, where the schema sees it."""
    return sorted({".".join(str(part) for part in error.absolute_path) for error in _leaves(tree)})


def _leaves(tree: Any) -> Iterator[Any]:
    for error in validator().iter_errors(tree):
        yield from error.context or [error]


def test_the_committed_schema_is_the_one_that_the_command_prints() -> None:
    printed = CliRunner().invoke(cli.main, ["schema"]).stdout
    assert (ROOT / "docs" / "mesh.schema.json").read_text(encoding="utf-8") == printed
    assert json.loads(printed) == mesh_schema()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_example_is_taken(file: Path) -> None:
    assert errors(yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)) == []


@given(shapes())
def test_every_mesh_that_can_be_built_is_taken(clusters: dict[str, dict[str, Any]]) -> None:
    assert errors(mesh_tree(clusters=clusters)) == []
    assert errors({"meshes": {"prod": mesh_tree(clusters=clusters, mesh_id=...)}}) == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_in_the_schema_with_its_words(model: type[BaseModel]) -> None:
    definitions = mesh_schema()["definitions"]
    name = {"Topology": "Mesh"}.get(model.__name__, model.__name__)
    if not model.model_fields or model.__name__ == "DialledService":
        return
    properties = definitions[name]["properties"]
    assert set(model.model_fields) <= set(properties)
    for key, field in model.model_fields.items():
        if field.description:
            assert properties[key]["description"] == field.description


def over(**facts: Any) -> dict[str, Any]:
    """The usual mesh with facts laid over it."""
    return mesh_tree(**facts)


def of(**facts: Any) -> dict[str, Any]:
    """The usual mesh, with facts of its cluster east."""
    return mesh_tree(clusters={"east": facts, "west": {}})


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": (over(mesh="x"), ""),
    "an unknown key of a cluster": (of(networks="vpc"), "clusters.east"),
    "no mesh ID": (over(mesh_id=...), ""),
    "no version of Istio": (over(istio_version=...), ""),
    "no clusters": (over(clusters=...), ""),
    "an empty list of clusters": (over(clusters={}), "clusters"),
    "clusters as a list": (over(clusters=["east"]), "clusters"),
    "a cluster with capitals": (over(clusters={"East": {}}), "clusters"),
    "a cluster that is text": (over(clusters={"east": "vpc"}), "clusters.east"),
    "a cluster that is nothing": (over(clusters={"east": None}), "clusters.east"),
    "a mesh ID with an underscore": (over(mesh_id="prod_eu"), "mesh_id"),
    "a mesh ID that is too long": (over(mesh_id="p" * 41), "mesh_id"),
    "a version that is a number": (over(istio_version=1.31), "istio_version"),
    "a network with capitals": (of(network="VPC"), "clusters.east.network"),
    "a primary that is no name": (of(primary="the other"), "clusters.east.primary"),
    "a pod range without its length": (of(pod_cidr="10.0.0.0"), "clusters.east.pod_cidr"),
    "a pod range that is a list": (of(pod_cidr=["10.0.0.0/8"]), "clusters.east.pod_cidr"),
    "a credential": (of(kubeconfig="apiVersion: v1"), "clusters.east"),
    "a key of the private authority": (of(cacerts={}), "clusters.east"),
    "discovers that is a name": (of(discovers="west"), "clusters.east.discovers"),
    "protect that is text": (of(protect="please"), "clusters.east.protect"),
    "CRDs of a third kind": (of(crds="mine"), "clusters.east.crds"),
    "another type of Service": (
        of(east_west_gateway={"type": "ExternalName"}),
        "clusters.east.east_west_gateway.type",
    ),
    "a port out of range": (
        of(east_west_gateway={"ports": [{"name": "x", "port": 70000}]}),
        "clusters.east.east_west_gateway.ports.0.port",
    ),
    "a port without a name": (
        of(east_west_gateway={"ports": [{"port": 9000}]}),
        "clusters.east.east_west_gateway.ports.0",
    ),
    "plaintext by another word": (over(mtls="off"), "mtls"),
    "a level of proof that there is not": (over(verify={"level": "some"}), "verify.level"),
    "gates that wait a second": (over(verify={"timeout_seconds": 1}), "verify.timeout_seconds"),
    "a root without its day": (over(trust={"roots": [{}]}), "trust.roots.0"),
    "a root with another key": (over(trust={"roots": [{"issued": "2026-11-23", "key": "DSA"}]}), "trust.roots.0.key"),
    "trust of another kind": (over(trust={"kind": "vault"}), "trust.kind"),
    "an export without ports": (over(exports={"a.b": {"accounts": ["x"]}}), "exports.a.b"),
    "a GKE cluster without a region": (of(gke={}), "clusters.east.gke"),
    "meshes beside clusters": ({"meshes": {"a": over()}, "clusters": {}}, ""),
    "no mesh of several": ({"meshes": {}}, "meshes"),
    "a link without a Service": (
        {"meshes": {"a": over(mesh_id=...)}, "links": [{"exporter": "a", "importer": "b"}]},
        "links.0",
    ),
    "a later version": (over(version=2), "version"),
    "a list": ([], ""),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_a_schema_can_see_is_refused_where_it_stands(wrong: str) -> None:
    tree, where = WRONG[wrong]
    assert where in errors(tree)


def test_what_yaml_makes_of_a_bare_off_is_taken() -> None:
    assert errors(over(verify={"level": False})) == []
