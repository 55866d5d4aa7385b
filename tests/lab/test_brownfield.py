"""Clusters where Istio runs already: refused while they don't fit, joined untouched, adopted without a change, managed.

Of c1 Istio is istioctl's, with a gateway of its own; of c2 plain Helm's, without one; c3 is the mesh's own. One root.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from lab import Cluster, LabError, Shape, down, helm, istioctl, sample, shell_environment, trust_files
from lab.stack import Stack, Step, by_operation
from pulumi_istio_mesh.istio.adopted import hand_over

from .conftest import AStack, declare
from .observe import Calls, calling, eventually

LAB = Shape(3)
TRIO = ("c1", "c2", "c3")
OURS = {"control_plane": "existing", "east_west_gateway": {"existing": True}}
JOINED: dict[str, dict[str, Any]] = {"c1": OURS, "c2": {"control_plane": "existing"}, "c3": {}}
MESH: dict[str, Any] = {"trust": {"kind": "external"}, "trust_domain": "cluster.local"}
URL = f"http://hello.sample:{sample.PORT}/cgi-bin/hello"

KINDS = (
    "namespaces,serviceaccounts,configmaps,secrets,services,deployments,poddisruptionbudgets,roles,rolebindings,"
    "clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingwebhookconfigurations,"
    "customresourcedefinitions,gateways.networking.istio.io,telemetries.telemetry.istio.io,horizontalpodautoscalers"
)
_OF_LEADERS = "control-plane.alpha.kubernetes.io/leader"
"""Annotation of the ConfigMaps that istiod's replicas write all the time, to say which of them leads. What else istiod
writes, its webhooks' bundles and `istio-ca-root-cert`, it writes when it starts or its root changes."""
_WRITTEN_ALL_THE_TIME = {"HorizontalPodAutoscaler"}
"""Kinds whose status controllers write."""


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("authorities")
    trust_files.write(folder, TRIO)
    facts = {"mesh_id": "horizon"}
    with ThreadPoolExecutor() as pool:
        made = [
            pool.submit(istioctl.install_alone, lab["c1"], folder / "c1", network="c1", **facts),
            pool.submit(helm.install, lab["c2"], folder / "c2", network="c2", **facts),
            pool.submit(istioctl.prepare, lab["c3"], folder / "c3", "c3"),
        ]
        for one in made:
            one.result()
    sample.deploy([lab["c1"], lab["c2"]], ["c1", "c2"])
    stack = a_stack("brownfield", TRIO)
    join(stack)
    try:
        yield stack
    finally:
        # What was there before outlives the stack.
        down()


def join(stack: Stack, **clusters: dict[str, Any]) -> None:
    declare(stack, {name: clusters.get(name, JOINED[name]) for name in TRIO}, **MESH, verify={"timeout_seconds": 60})


def changes(stack: Stack) -> list[Step]:
    """The steps of a preview that would change anything: the gateway that is there is read by each run."""
    return [step for step in stack.preview() if step.operation != "read"]


def versions(cluster: Cluster) -> dict[str, str]:
    """The version of every object of Istio and of the sample: any write shows."""
    items = json.loads(cluster.kubectl("get", KINDS, "--all-namespaces", "-o", "json"))["items"]
    found = {}
    for item in items:
        metadata = item["metadata"]
        ours = metadata.get("namespace", "istio-system") in ("istio-system", "sample")
        if ours and _OF_LEADERS not in metadata.get("annotations", {}):
            name = f"{item['kind']} {metadata.get('namespace', '')}/{metadata['name']}"
            written = "generation" if item["kind"] in _WRITTEN_ALL_THE_TIME else "resourceVersion"
            found[name] = str(metadata.get(written))
    return found


@contextmanager
def untouched(lab: dict[str, Cluster], *names: str) -> Iterator[None]:
    """Nothing is written that was there before, and no pod started anew; new objects may come."""
    before = {name: versions(lab[name]) for name in names}
    pods = {name: _pods(lab[name]) for name in names}
    yield
    for name in names:
        after = versions(lab[name])
        assert {key: after.get(key) for key in before[name]} == before[name]
        assert _pods(lab[name]) >= pods[name]


def _pods(cluster: Cluster) -> set[str]:
    return set(cluster.kubectl("get", "pods", "-A", "-o", "name", "--selector=app in (istiod,hello,client)").split())


@contextmanager
def called(lab: dict[str, Cluster], *names: str) -> Iterator[None]:
    """Calls from these clusters' clients all the time, of which none is lost."""
    with ExitStack() as stack:
        found: list[Calls] = [stack.enter_context(calling(lab[name], URL)) for name in names]
        yield
    for calls in found:
        calls.all_answered(more_than=20)


def test_a_control_plane_that_does_not_fit_is_refused_before_anything_changes(
    mesh: Stack, lab: dict[str, Cluster]
) -> None:
    cluster = lab["c2"]
    cluster.kubectl("-n", "istio-system", "scale", "deployment/istiod", "--replicas=0")
    cluster.kubectl("-n", "istio-system", "wait", "--for=delete", "pod", "--selector=app=istiod", "--timeout=60s")
    another = json.dumps({"data": {"root-cert.pem": trust_files.another_root()}})
    cluster.kubectl("-n", "istio-system", "patch", "configmap", "istio-ca-root-cert", "--type=merge", "-p", another)
    there = cluster.kubectl("-n", "istio-system", "get", "deployment", "istiod", "-o", "json")
    container = json.loads(there)["spec"]["template"]["spec"]["containers"][0]
    (place,) = (index for index, entry in enumerate(container["env"]) if entry["name"] == "CLUSTER_ID")
    path = f"/spec/template/spec/containers/0/env/{place}/value"

    def named(name: str) -> None:
        patch = json.dumps([{"op": "replace", "path": path, "value": name}])
        cluster.kubectl("-n", "istio-system", "patch", "deployment", "istiod", "--type=json", "-p", patch)

    named("Kubernetes")
    declare(mesh, {**JOINED, "c1": {"control_plane": "existing", "network": "elsewhere"}}, **MESH)
    with pytest.raises(LabError) as refused:
        mesh.preview()
    said = str(refused.value)
    for told in (
        "CLUSTER_ID of istiod is Kubernetes, and the cluster's name is c2",
        "no replica of istio-system/istiod is ready",
        "global.network of the injector is c1, and its network is elsewhere",
        "label topology.istio.io/network of istio-system is c1, and its network is elsewhere",
        "Service istio-system/istio-eastwestgateway of somebody else is there",
        "its proxies trust no root that c1 trusts",
    ):
        assert told in said
    named("c2")
    cluster.kubectl("-n", "istio-system", "scale", "deployment/istiod", "--replicas=1")
    sample.rolled_out(cluster, "istiod", "istio-system")
    join(mesh)


def test_clusters_with_istio_are_joined_without_a_write_to_what_was_there(mesh: Stack, lab: dict[str, Cluster]) -> None:
    with untouched(lab, "c1", "c2"), called(lab, "c1", "c2"):
        mesh.up()
    sample.deploy([lab["c3"]], ["c3"])
    for caller in TRIO:
        answers = eventually(
            lambda caller=caller: [sample.call(lab[caller]) for _ in range(12)],  # type: ignore[misc]
            lambda found: {one.cluster for one in found} == set(TRIO),
        )
        for one in answers:
            assert one.certificate.count("spiffe://cluster.local/ns/sample/sa/") == 2
    mesh.up("--expect-no-changes")


def test_they_are_adopted_without_a_change(mesh: Stack, lab: dict[str, Cluster]) -> None:
    adopted = {name: {**JOINED[name], "control_plane": "adopted"} for name in ("c1", "c2")}
    join(mesh, **adopted)
    ways = [f"--kubeconfig={name}={lab[name].kubeconfig_path}" for name in ("c1", "c2")]
    done = mesh.command("istio-mesh", "adopt", "mesh.yaml", *ways)
    assert done.returncode == 0, done.stderr
    steps = by_operation(changes(mesh))
    assert "horizon-c1-istiod:istio-system/istiod" in steps["import"]
    assert "horizon-c2-istiod:istio-system/istiod" in steps["import"]
    # Its own note of whose the cluster is, and the parents of what is imported.
    assert steps.get("update", set()) <= {"horizon-c1-member", "horizon-c2-member", "horizon", "brownfield"}
    assert set(steps) <= {"import", "update", "create"}
    assert steps["create"] == {f"horizon-{name}-{chart}" for name in ("c1", "c2") for chart in ("base", "istiod")}
    own = {"ConfigMap istio-system/istio-mesh-member"}
    before = {name: {k: v for k, v in versions(lab[name]).items() if k not in own} for name in ("c1", "c2")}
    with called(lab, "c1", "c2"):
        mesh.up()
        after = {name: versions(lab[name]) for name in before}
    assert {name: {key: after[name].get(key) for key in before[name]} for name in before} == before
    assert changes(mesh) == []


def test_what_was_adopted_becomes_managed_in_place(mesh: Stack, lab: dict[str, Cluster]) -> None:
    cluster = lab["c2"]
    join(mesh, c1={**OURS, "control_plane": "adopted"}, c2={"crds": "external"})
    with pytest.raises(LabError, match="#adopted-fields"):
        mesh.preview()
    environment = {**os.environ, **shell_environment(), "KUBECONFIG": str(cluster.kubeconfig_path)}
    command = ["bash", "-o", "pipefail", "-c", hand_over("istio-mesh-horizon-c2")]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    steps = by_operation(changes(mesh))
    # The mark of membership goes, and gates run again.
    assert steps["delete"] == {"horizon-c2-member"}
    assert steps["replace"] <= {f"horizon-{name}-mesh" for name in TRIO}
    assert set(steps) == {"create", "update", "delete", "replace"}
    assert "horizon-c2-istiod:istio-system/istiod" in steps["update"]
    uid = _uid(cluster)
    with called(lab, "c1", "c2"):
        mesh.up()
    assert _uid(cluster) == uid
    assert changes(mesh) == []


def _uid(cluster: Cluster) -> str:
    return cluster.kubectl("-n", "istio-system", "get", "deployment", "istiod", "-o", "jsonpath={.metadata.uid}")
