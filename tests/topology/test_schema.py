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
from hypothesis import given, settings, strategies as st
from jsonschema import Draft7Validator
from pydantic import BaseModel

from pulumi_istio_mesh import cli
from pulumi_istio_mesh.topology import dialled, federation, gke, models
from pulumi_istio_mesh.topology.schema import mesh_schema

from ..builders import mesh_tree, problems_of
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
    "a cluster called kubernetes": (over(clusters={"kubernetes": {}}), "clusters"),
    "no trust": (over(trust=...), ""),
    "generated trust without a root": (over(trust={}), "trust"),
    "roots that nobody will use": (
        over(trust={"kind": "external", "roots": [{"issued": "2026-11-23"}]}),
        "trust.roots",
    ),
    "a root on no day": (over(trust={"roots": [{"issued": "tomorrow"}]}), "trust.roots.0.issued"),
    "a version that is none": (over(istio_version="latest"), "istio_version"),
    "values of a chart that is none": (over(values={"istio": {}}), "values"),
    "an address beyond the last one": (of(pod_cidr="999.1.1.0/24"), "clusters.east.pod_cidr"),
    "a mesh whose key is no ID": ({"meshes": {"Blue": over(mesh_id=...)}}, "meshes.Blue"),
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


@pytest.mark.parametrize(
    "tree",
    [
        of(protect="yes"),
        of(protect="On"),
        of(protect=0),
        over(failover="off"),
        over(verify={"timeout_seconds": "60"}),
        over(verify={"timeout_seconds": 60.0}),
        of(east_west_gateway={"ports": [{"name": "x", "port": "9000"}]}),
        over(trust={"roots": [{"issued": "2026-11-23T00:00:00Z"}]}),
        of(pod_cidr="10.8.0.0/14 , fd00::/48"),
        of(network=None, primary=None, discovers=None, gke=None),
        {"meshes": {"Blue": over()}},
    ],
    ids=str,
)
def test_what_the_loader_takes_is_taken(tree: dict[str, Any]) -> None:
    """Editors read YAML 1.2, where `yes` is text."""
    assert errors(tree) == []
    for facts in tree.get("meshes", {"": tree}).values():
        assert problems_of(facts) == []


RANDOM = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 70000), st.floats(0, 100).map(round).map(float),
    st.sampled_from([
        "yes", "no", "ON", "off", "true", "n", "1", "0", "60", " 60 ", "+60.0", "1_000", "2026-11-23",
        "2026-11-23 00:00:00Z",
        "10.8.0.0/14", "fd00::/48", "10.8.0.0/14,::/0", "external", "traffic", "NodePort", "http", "vpc", "", "*",
    ]),
    st.lists(st.sampled_from(["east", "west", "a/b"]), max_size=2),
    st.dictionaries(st.sampled_from(["a", "http"]), st.text()),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_value_that_the_loader_takes_is_refused(data: st.DataObject) -> None:
    """Any value at any key of the models that the user types."""
    holder, at = data.draw(st.sampled_from(sorted(PLACES)))
    key = data.draw(st.sampled_from(sorted(PLACES[holder, at].model_fields)))
    value = data.draw(RANDOM)
    tree = json.loads(json.dumps(BASE))
    place = tree
    for part in at:
        place = place[part]
    number = isinstance(value, bool) and PLACES[holder, at].model_fields[key].annotation in (int, int | None)
    day = isinstance(value, (int, float)) and key == "issued"
    if number or day:
        # A number that is written as true or false, and a day as seconds: underlined, though the loader takes it.
        return
    place[key] = value
    if problems_of(tree) == []:
        assert errors(tree) == [], (at, key, value)


BASE = mesh_tree(
    clusters={"east": {"east_west_gateway": {"ports": [{"name": "x", "port": 9000}]}}, "west": {}},
    verify={},
    trust={"roots": [{"issued": "2026-11-23"}], "intermediates": {}},
    peers={"shop": {"imports": {"a.b": {"ports": {"http": 1}, "namespaces": ["x"]}}}},
    exports={"c.d": {"ports": {"http": 1}, "accounts": ["x"]}},
)
PLACES: dict[tuple[str, tuple[Any, ...]], type[BaseModel]] = {
    ("mesh", ()): models.Topology,
    ("cluster", ("clusters", "east")): models.Cluster,
    ("gateway", ("clusters", "east", "east_west_gateway")): dialled.EastWestGateway,
    ("port", ("clusters", "east", "east_west_gateway", "ports", 0)): dialled.GatewayPort,
    ("verify", ("verify",)): models.Verify,
    ("trust", ("trust",)): models.Trust,
    ("root", ("trust", "roots", 0)): models.Root,
    ("intermediates", ("trust", "intermediates")): models.Intermediates,
    ("peer", ("peers", "shop")): federation.Peer,
    ("import", ("peers", "shop", "imports", "a.b")): federation.Import,
    ("export", ("exports", "c.d")): federation.Export,
}
