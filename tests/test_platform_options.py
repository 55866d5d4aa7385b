"""Every option of docs/how-to/platform-options.md arrives: in what a chart is rendered with, in probes and in gates.

What the charts make of it is in lab/test_platform_options.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pulumi_istio_mesh.gates import manifests
from pulumi_istio_mesh.istio import values
from pulumi_istio_mesh.topology.load import parse_topology
from pulumi_istio_mesh.topology.models import Topology, Verify

from .builders import mesh_tree
from .test_docs import fences, sections

PAGE = (Path(__file__).parents[1] / "docs" / "how-to" / "platform-options.md").read_text(encoding="utf-8")
BLOCKS = {
    f"{heading} {number}": yaml.safe_load(block)
    for heading, section in sections(PAGE, "##").items()
    for number, block in enumerate(fences(section))
}
OF_CHARTS = [
    (name, chart, path, value)
    for name, block in BLOCKS.items()
    for chart, given in block.get("values", {}).items()
    for path, value in values._leaves(given)
]
OF_PROOF = [(name, key) for name, block in BLOCKS.items() for key in block.get("verify", {})]
IN_PODS = {
    "requests": "spec.containers.0.resources.requests",
    "limits": "spec.containers.0.resources.limits",
    "priority_class": "spec.priorityClassName",
    "node_selector": "spec.nodeSelector",
    "tolerations": "spec.tolerations",
    "labels": "metadata.labels",
    "annotations": "metadata.annotations",
}


def mesh(**facts: Any) -> Topology:
    return parse_topology(mesh_tree(**facts))


def at(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree[int(key)] if isinstance(tree, list) else tree[key]
    return tree


def workloads(topology: Topology) -> Iterator[dict[str, Any]]:
    """A probe, and gates with a proxy and without."""
    yield manifests.probe(topology, "prod-east", "east")
    for injected_by in ("default", None):
        yield manifests.gate(topology, "prod-east", "mesh", {"CLUSTER": "east"}, injected_by=injected_by, proves="hash")


@pytest.mark.parametrize(("name", "chart", "path", "value"), OF_CHARTS)
@pytest.mark.parametrize("where", ["mesh", "cluster"])
def test_a_value_reaches_its_chart(where: str, name: str, chart: str, path: tuple[str, ...], value: Any) -> None:
    given = {"values": BLOCKS[name]["values"]}
    topology = mesh(**given) if where == "mesh" else mesh(clusters={"east": given, "west": {}})
    rendered_with = [values.chart_values(topology, "east", chart)]
    if chart == "gateway":
        rendered_with.append(values.chart_values(topology, "east", chart, values.federation_gateway(topology, "east")))
    for found in rendered_with:
        assert values._at(found, *path) == value


@pytest.mark.parametrize(("name", "key"), OF_PROOF)
def test_an_option_of_verify_reaches_probe_and_gates(name: str, key: str) -> None:
    given = BLOCKS[name]["verify"][key]
    for workload in workloads(mesh(verify={key: given})):
        found = at(workload["spec"]["template"], IN_PODS[key])
        assert found.items() >= given.items() if isinstance(given, Mapping) else found == given
        if key in ("labels", "annotations"):
            assert workload["metadata"][key].items() >= given.items()


def test_every_option_of_verify_that_a_pod_has_is_on_the_page() -> None:
    about_the_proof = {"level", "preflight", "image", "timeout_seconds"}
    assert {key for _, key in OF_PROOF} == set(IN_PODS) == set(Verify.model_fields) - about_the_proof


def test_labels_of_the_user_come_beneath_those_that_decide() -> None:
    """Rules refuse such labels; this is what holds if one of them is ever missing."""
    labels = {"app": "mine", "sidecar.istio.io/inject": "false", "pod-security.kubernetes.io/enforce": "baseline"}
    topology = mesh(verify={"labels": labels})
    probe = manifests.probe(topology, "prod-east", "east")["spec"]
    assert probe["template"]["metadata"]["labels"].items() >= probe["selector"]["matchLabels"].items()
    assert probe["template"]["metadata"]["labels"]["sidecar.istio.io/inject"] == "true"
    assert (
        manifests.namespace(topology, "prod-east", "east")["labels"]["pod-security.kubernetes.io/enforce"] != "baseline"
    )


def test_without_options_pods_are_as_they_were() -> None:
    for workload in workloads(mesh()):
        pod = workload["spec"]["template"]["spec"]
        assert not pod.keys() & {"priorityClassName", "nodeSelector", "tolerations", "imagePullSecrets"}
        assert pod["containers"][0]["resources"] == {"requests": {"cpu": "10m", "memory": "64Mi"}}
        assert "labels" not in workload["metadata"]
