"""A mesh that is written to files: no cluster is asked for or asked, and what only one knows is left out or given."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest

from pulumi_istio_mesh import Mesh
from pulumi_istio_mesh.components.arguments import RefusedTopology
from pulumi_istio_mesh.components.rendering import ambient_cluster

from ..builders import CA, TOKEN, a_kubeconfig, mesh_tree
from .recorder import Recording, record, revealed

SAID = {name: {"api_server": f"https://{name}.example:6443"} for name in ("east", "west")}


def rendered(east: dict[str, Any] | None = None, west: dict[str, Any] | None = None, **facts: Any) -> Recording:
    clusters = {"east": {**SAID["east"], **(east or {})}, "west": {**SAID["west"], **(west or {})}}
    arguments: Any = mesh_tree(render_to="out", clusters=clusters, **facts)
    return record(lambda: Mesh("prod", arguments))


def token(**other: Any) -> dict[str, Any]:
    return {"reader_credential": pulumi.Output.secret(TOKEN), "api_server_ca": CA, **other}


@cache
def without_tokens() -> Recording:
    return rendered()


def test_no_provider_has_a_kubeconfig_and_each_has_a_folder_of_its_own() -> None:
    providers = [revealed(row.inputs) for row in without_tokens() if row.type == "pulumi:providers:kubernetes"]
    assert not [inputs for inputs in providers if "kubeconfig" in inputs]
    assert {inputs["renderYamlToDirectory"] for inputs in providers} == {
        "out/crds-1.31.1",
        *(f"out/{name}/{folder}" for name in SAID for folder in ("1-base", "secrets", "2-control-plane", "3-mesh")),
    }


def test_nothing_waits_and_nothing_is_proved() -> None:
    kinds = {row.short.split()[0] for row in without_tokens()}
    assert not kinds & {"Job", "MeshGate", "ApiServerGate", "Release"}
    assert not [kind for kind in kinds if kind.endswith("Patch")]
    assert "Deployment prod-east-probe" in without_tokens()


def test_without_its_token_a_cluster_is_read_by_nobody_and_says_how_to_get_one() -> None:
    assert not [row.short for row in without_tokens() if "-remote-" in row.name]
    assert "Secret prod-east-reader-token" in without_tokens()
    one = rendered(west=token())
    assert [row.short for row in one if "-remote-" in row.name] == ["Secret prod-east-remote-west"]


def test_a_remote_secret_holds_the_given_token_and_address_and_ca() -> None:
    secret = revealed(rendered(west=token())["Secret prod-east-remote-west"].inputs)
    kubeconfig = json.loads(secret["stringData"]["west"])
    (dialled,) = (entry["cluster"] for entry in kubeconfig["clusters"])
    assert dialled["server"] == "https://west.example:6443"
    assert dialled["certificate-authority-data"] == base64.b64encode(CA.encode()).decode()
    assert kubeconfig["users"][0]["user"] == {"token": TOKEN}


def test_istiod_waits_for_its_authority() -> None:
    values = revealed(without_tokens()["Chart prod-east-istiod"].inputs)["values"]
    assert {"secret": {"name": "cacerts", "items": [{"key": "root-cert.pem", "path": "root-cert.pem"}]}} in values[
        "volumes"
    ][0]["projected"]["sources"]


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"kubeconfig": a_kubeconfig()}, "clusters.west.kubeconfig"),
        ({"reader_credential": TOKEN}, "clusters.west.api_server_ca"),
    ],
)
def test_a_credential_that_does_not_fit_files_is_refused_and_not_shown(facts: dict[str, Any], where: str) -> None:
    with pytest.raises(RefusedTopology) as refused:
        rendered(west=facts)
    assert [(problem.slug, problem.where) for problem in refused.value.problems] == [("render-to", where)]
    assert TOKEN not in str(refused.value)


def test_a_cluster_that_the_provider_would_find_by_itself_is_found(tmp_path: Path) -> None:
    nothing, config = tmp_path / "nothing", tmp_path / ".kube" / "config"
    assert ambient_cluster({}, tmp_path, nothing) is None
    config.parent.mkdir()
    config.write_text("apiVersion: v1")
    assert ambient_cluster({}, tmp_path, nothing) == str(config)
    assert ambient_cluster({"KUBECONFIG": "/nowhere"}, tmp_path, nothing) is None
    assert ambient_cluster({"KUBECONFIG": f"/nowhere:{config}"}, tmp_path, nothing) == str(config)
    in_a_pod = {"KUBECONFIG": "/nowhere", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert ambient_cluster(in_a_pod, tmp_path, config) is not None
    assert ambient_cluster(in_a_pod, tmp_path, nothing) is None


def test_a_token_is_not_taken_where_the_program_makes_it() -> None:
    arguments: Any = mesh_tree(
        clusters={name: {"kubeconfig": a_kubeconfig(), "reader_credential": TOKEN} for name in SAID}
    )
    with pytest.raises(RefusedTopology) as refused:
        record(lambda: Mesh("prod", arguments))
    assert {problem.where for problem in refused.value.problems} == {f"clusters.{n}.reader_credential" for n in SAID}
