"""`istio-mesh adopt`: what is there of a control plane, written down for a program; from invented clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from pulumi_istio_mesh import cli

from .builders import mesh_tree
from .live.servers import Server, serving

ADOPTED = {"trust": {"kind": "external"}, "clusters": {"east": {"control_plane": "adopted"}, "west": {}}}


def run(folder: Path, answers: dict[str, Any], **facts: Any) -> tuple[Result, Server]:
    """Adopt the cluster east, which answers so."""
    (folder / "mesh.yaml").write_text(yaml.safe_dump(mesh_tree(**{**ADOPTED, **facts})), encoding="utf-8")
    with serving(Server(answers)) as server:
        (folder / "east").write_text(server.kubeconfig, encoding="utf-8")
        arguments = ["adopt", str(folder / "mesh.yaml"), f"--kubeconfig=east={folder / 'east'}", f"--output={folder}"]
        return CliRunner().invoke(cli.main, arguments), server


def item(name: str, part: str, **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "istio-system", "uid": "1", "resourceVersion": "5"}
    return {"metadata": {**metadata, "labels": {"app.kubernetes.io/name": part, **labels}}}


DEPLOYMENTS = "/apis/apps/v1/deployments"
SECRETS = "/api/v1/namespaces/istio-system/secrets"


def test_what_charts_hold_is_written_and_what_stays_is_told(tmp_path: Path) -> None:
    secrets = {"items": [{"metadata": {"name": "cacerts"}, "data": {"ca-key.pem": "cGxhbnRlZA=="}}]}
    done, server = run(tmp_path, {DEPLOYMENTS: {"items": [item("istiod", "istiod")]}, SECRETS: secrets})
    assert done.exit_code == 0, done.output
    text = (tmp_path / "adopted" / "east.yaml").read_text(encoding="utf-8")
    (found,) = yaml.safe_load_all(text)
    assert (found["apiVersion"], found["kind"], found["metadata"]["name"]) == ("apps/v1", "Deployment", "istiod")
    assert "uid" not in found["metadata"]
    assert "1 Secret" in done.stderr
    assert "cGxhbnRlZA" not in text + done.output
    assert {method for method, _, _ in server.asked} == {"GET"}
    secret_reads = [accept for _, path, accept in server.asked if path.startswith(SECRETS)]
    assert secret_reads and all("PartialObjectMetadataList" in accept for accept in secret_reads)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({}, "east: there is nothing of charts base and istiod"),
        ({DEPLOYMENTS: (403, {})}, "east: /apis/apps/v1/deployments: 403"),
        (
            {DEPLOYMENTS: {"items": [item("istiod", "istiod", **{"managed-by": "sail-operator"})]}},
            "east: the Sail operator would put its objects back",
        ),
    ],
    ids=["nothing there", "no right to read", "an operator's"],
)
def test_what_can_not_be_adopted_is_told_and_nothing_is_written(
    tmp_path: Path, answers: dict[str, Any], told: str
) -> None:
    done, _ = run(tmp_path, answers)
    assert done.exit_code == 1
    assert told in done.stderr
    assert not (tmp_path / "adopted").exists()


def test_a_mesh_that_adopts_nothing_is_bad_use(tmp_path: Path) -> None:
    done, _ = run(tmp_path, {}, clusters={"east": {"control_plane": "existing"}, "west": {}})
    assert done.exit_code == 2
    assert "no cluster of" in done.stderr
