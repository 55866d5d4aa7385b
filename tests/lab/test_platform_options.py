"""What a platform asks of every workload, on real pods: what the charts make of the values, and what the mesh adds.

One mesh with every option of docs/how-to/platform-options.md that can hold in the lab, proved by its gates; others are
read from a preview.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab import Cluster, Shape
from lab.stack import Stack
from pulumi_istio_mesh.istio.values import merged

from ..test_platform_options import BLOCKS, at
from .conftest import AStack, declare, taken_down
from .observe import objects

pytestmark = pytest.mark.extended("what values ask of pods: a preview of the charts shows nearly all of it")
LAB = Shape(2)
PAIR = ("c1", "c2")
UNREAL = ("istio-cni 0", "DNS, and a way out through a proxy 0")
"""There is no chart of istio-cni in the lab, and no such proxy."""
SCALED = "Replicas and disruption budgets 0"
"""Against a fixed number, the next block; and there is no metrics server."""
ASKED: dict[str, Any] = merged(*(block for name, block in BLOCKS.items() if name not in (*UNREAL, SCALED)))
SMALL = {"values": {"istiod": {"resources": {"requests": {"cpu": "20m", "memory": "128Mi"}}}}}
"""Several replicas on a machine that has few cores."""
REGISTRY = {"image_pull_secrets": ["registry"]}

TEAM, OWNER = {"example.com/team": "mesh"}, {"example.com/owner": "mesh"}
LINUX = {"kubernetes.io/os": "linux"}
TAINT = {"key": "example.com/mesh", "operator": "Exists"}
PRIORITY = "system-cluster-critical"


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("options", PAIR)
    with taken_down(lab, stack):
        asked = merged(ASKED, SMALL, REGISTRY, {"verify": {"timeout_seconds": 20}})
        with_credentials(stack)
        declare(stack, {name: {} for name in PAIR}, **{key: asked[key] for key in asked if key != "clusters"})
        stack.up()
        yield stack


def with_credentials(stack: Stack) -> None:
    """Have the program make the Secret by which images are pulled."""
    program = stack.program / "__main__.py"
    config = json.dumps({"auths": {"registry.example": {"username": "mesh", "password": "not-a-real-password"}}})
    line = f'args["registry_credentials"] = {{"registry": pulumi.Output.secret({config!r})}}\nmesh = Mesh('
    program.write_text(program.read_text().replace("mesh = Mesh(", line))


def only(cluster: Cluster, kind: str, namespace: str, name: str) -> Any:
    (found,) = (one for one in objects(cluster, kind, f"--namespace={namespace}") if one["metadata"]["name"] == name)
    return found


WORKLOADS = [
    ("istio-system", "deployments", "istiod"),
    ("istio-system", "deployments", "istio-eastwestgateway"),
    ("istio-mesh-verify", "deployments", "probe"),
    ("istio-mesh-verify", "jobs", "mesh"),
    ("istio-mesh-verify", "jobs", "api-servers"),
]


@pytest.mark.parametrize(("namespace", "kind", "name"), WORKLOADS)
def test_a_workload_is_as_the_platform_asks(
    mesh: Stack, lab: dict[str, Cluster], namespace: str, kind: str, name: str
) -> None:
    found = only(lab["c1"], kind, namespace, name)
    template = found["spec"]["template"]
    assert template["spec"]["priorityClassName"] == PRIORITY
    assert template["spec"]["nodeSelector"].items() >= LINUX.items()
    assert TAINT in template["spec"]["tolerations"]
    assert template["metadata"]["labels"].items() >= TEAM.items()
    assert template["metadata"]["annotations"].items() >= OWNER.items()
    assert found["metadata"]["labels"].items() >= TEAM.items()
    assert found["metadata"]["annotations"].items() >= OWNER.items()


@pytest.mark.parametrize("name", ["istiod", "istio-eastwestgateway"])
def test_istiod_and_gateway_have_two_ready_replicas_a_budget_and_are_spread(
    mesh: Stack, lab: dict[str, Cluster], name: str
) -> None:
    found = only(lab["c1"], "deployments", "istio-system", name)
    assert found["status"]["readyReplicas"] == 2
    spec = found["spec"]["template"]["spec"]
    assert spec["topologySpreadConstraints"][0]["topologyKey"] == "topology.kubernetes.io/zone"
    assert spec["affinity"]["podAntiAffinity"]
    if name == "istiod":
        assert only(lab["c1"], "poddisruptionbudgets", "istio-system", name)["spec"]["minAvailable"] == 1
    assert objects(lab["c1"], "horizontalpodautoscalers", "--namespace=istio-system") == []


def test_resources_are_those_that_are_asked_for(mesh: Stack, lab: dict[str, Cluster]) -> None:
    def resources(namespace: str, app: str) -> dict[str, Any]:
        pod = objects(lab["c1"], "pods", f"--namespace={namespace}", f"--selector=app={app}")[0]
        spec = pod["spec"]
        return {one["name"]: one["resources"] for one in (*spec["containers"], *spec.get("initContainers", []))}

    assert resources("istio-system", "istio-eastwestgateway")["istio-proxy"] == {
        "requests": {"cpu": "200m", "memory": "128Mi"},
        "limits": {"cpu": "1", "memory": "512Mi"},
    }
    probe = resources("istio-mesh-verify", "probe")
    assert probe["probe"] == {
        "requests": {"cpu": "20m", "memory": "64Mi"},
        "limits": {"cpu": "500m", "memory": "128Mi"},
    }
    assert probe["istio-proxy"]["limits"] == {"cpu": "1", "memory": "512Mi"}


def test_every_pod_pulls_by_the_secret_that_the_program_made(mesh: Stack, lab: dict[str, Cluster]) -> None:
    for namespace in ("istio-system", "istio-mesh-verify"):
        made = only(lab["c1"], "secrets", namespace, "registry")
        assert made["type"] == "kubernetes.io/dockerconfigjson"
        pods = objects(lab["c1"], "pods", f"--namespace={namespace}")
        assert pods
        for pod in pods:
            assert {"name": "registry"} in pod["spec"]["imagePullSecrets"], pod["metadata"]["name"]


def test_istiod_has_the_policy_that_is_asked_for(mesh: Stack, lab: dict[str, Cluster]) -> None:
    assert only(lab["c1"], "networkpolicies", "istio-system", "istiod")["spec"]["podSelector"]["matchLabels"]


def test_a_second_run_changes_nothing(mesh: Stack) -> None:
    mesh.up("--expect-no-changes")


def test_what_can_not_hold_here_is_in_a_preview(mesh: Stack) -> None:
    """Of istio-cni, digests, autoscaling and proxies on the way: rendered by the real charts."""
    digest = f"registry.example/istio/pilot@sha256:{'0' * 64}"
    unreal = [BLOCKS[name] for name in (*UNREAL, SCALED)]
    moving = {"istiod": {"image": digest, "autoscaleEnabled": True}, "gateway": {"autoscaling": {"enabled": True}}}
    asked = merged(ASKED, *unreal, {"values": moving}, REGISTRY, {"image_hub": "registry.example/istio"})
    facts = {**yaml.safe_load((mesh.program / "mesh.yaml").read_text()), **asked}
    facts["clusters"] = {name: {} for name in PAIR}
    (mesh.program / "mesh.yaml").write_text(yaml.safe_dump(facts))
    rendered = json.loads(mesh.run("preview", "--json", "--non-interactive", stdout_only=True))["steps"]
    new = {
        # A chart's Deployment, its autoscaler and its account have one name.
        (inputs["kind"], step["urn"].split("::")[-1].removeprefix("horizon-c1-")): inputs
        for step in rendered
        if "kind" in (inputs := (step.get("newState") or {}).get("inputs") or {})
    }
    istiod = new["Deployment", "istiod:istio-system/istiod"]["spec"]["template"]["spec"]["containers"][0]
    assert istiod["image"] == digest
    assert {"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"} in istiod["env"]
    gateway = new["Deployment", "east-west:istio-system/istio-eastwestgateway"]["spec"]["template"]["spec"]
    assert (gateway["dnsPolicy"], at(gateway, "dnsConfig.options.0.name")) == ("ClusterFirst", "ndots")
    for name in ("istiod:istio-system/istiod", "east-west:istio-system/istio-eastwestgateway"):
        scaled = new["HorizontalPodAutoscaler", name]["spec"]
        assert (scaled["minReplicas"], scaled["maxReplicas"]) == (2, 4), name
    assert new["Namespace", "verify"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
