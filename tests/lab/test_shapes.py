"""Meshes of every shape with real traffic: who answers whom, over which path, and who serves whom.

Pods are routed between c1, c2 and c3, and between no others. Each shape comes from nothing in one `up` and goes in one
`destroy`; a service runs in every cluster, and each cluster's client calls it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from lab import Cluster, sample
from lab.istioctl import istioctl
from lab.stack import Stack
from pulumi_istio_mesh.istio.certificates import NAMES_SINCE
from pulumi_istio_mesh.plan.mesh_plan import IstiodRoute, MeshPlan, plan_mesh
from pulumi_istio_mesh.plan.resources import number_of_resources
from pulumi_istio_mesh.topology.load import parse_topology, read_mesh_file

from .conftest import EXAMPLES, MIXED, AStack, in_core, taken_down
from .observe import endpoints, eventually, names, signer, synced

LAB = replace(MIXED, clusters=5)
"""With one more that is alone."""
HELLO = "hello.sample.svc.cluster.local"
FLAT = {"network": "datacentre"}

SHAPES: dict[str, dict[str, dict[str, Any]]] = {
    "two primaries, flat, and a remote apart": {"c1": FLAT, "c2": FLAT, "c4": {"primary": "c1"}},
    "one primary, remotes apart": {"c1": {}, "c4": {"primary": "c1"}, "c5": {"primary": "c1"}},
    "partial discovery": {"c1": {}, "c4": {"discovers": ["c1"]}, "c5": {}},
}


def existing(example: str, places: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The clusters of an example, those that it would make at Google replaced by clusters that are there."""
    (tree,) = read_mesh_file(EXAMPLES / example / "mesh.yaml").meshes.values()
    found: dict[str, dict[str, Any]] = {}
    for name, facts in tree["clusters"].items():
        kept = {key: value for key, value in facts.items() if key not in ("gke", "primary")}
        found[places[name]] = {**kept, **({"primary": places[facts["primary"]]} if "primary" in facts else {})}
    return found


SHAPES["gke with onprem"] = existing("gke-with-onprem", {"west": "c1", "north": "c2", "plant": "c4"})
FILES = {"one primary, remotes flat": "flat-onprem", "mixed": "mixed"}
"""Shapes that are examples, run as they are."""


class Mesh:
    """A mesh that is up, with what was planned for it."""

    def __init__(self, stack: Stack, lab: dict[str, Cluster]) -> None:
        (tree,) = read_mesh_file(stack.program / "mesh.yaml").meshes.values()
        self.topology = parse_topology(tree)
        self.plan: MeshPlan = plan_mesh(self.topology)
        self.stack = stack
        self.clusters = {cluster.name: lab[cluster.name] for cluster in self.plan.clusters}

    def called_from(self, name: str) -> set[str]:
        """Clusters whose copy of a service answers callers of this one."""
        return {path.target for path in self.plan.paths if path.source == name} | {name}

    def endpoints_in(self, name: str) -> set[str]:
        """The addresses that a proxy of this cluster should know for the service."""
        gateways = self.stack.outputs()["gateways"]
        through = {path.target for path in self.plan.paths if path.source == name and not path.direct}
        return {
            f"{gateways[target]}:15443" if target in through else f"{sample.pod_address(self.clusters[target])}:5000"
            for target in self.called_from(name)
        }


def a_connection_for_each_call(clusters: Iterable[Cluster]) -> None:
    """A gateway chooses a pod once a connection, so that kept connections would never show some of its pods."""
    rule = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "hello", "namespace": sample.NAMESPACE},
        "spec": {"host": HELLO, "trafficPolicy": {"connectionPool": {"http": {"maxRequestsPerConnection": 1}}}},
    }
    for cluster in clusters:
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(rule))


@pytest.fixture(scope="module", params=in_core([*SHAPES, *FILES], "mixed"))
def mesh(request: pytest.FixtureRequest, a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Mesh]:
    name: str = request.param
    if name in FILES:
        clusters = list(next(iter(read_mesh_file(EXAMPLES / FILES[name] / "mesh.yaml").meshes.values()))["clusters"])
        stack = a_stack(FILES[name], clusters, EXAMPLES / FILES[name])
    else:
        # With its gates, as the examples: an up that ends well has proved every pair of the plan.
        # And under a root that says which names of other kinds it may sign, as the examples' don't yet.
        root = {"issued": NAMES_SINCE.isoformat()}
        more = {"verify": {"timeout_seconds": 60}, "trust": {"roots": [root]}}
        stack = a_stack(name.replace(", ", "-").replace(" ", "-"), SHAPES[name], **more)
    with taken_down(lab, stack, destroy=True):
        stack.up()
        found = Mesh(stack, lab)
        sample.deploy(found.clusters.values(), found.clusters)
        a_connection_for_each_call(found.clusters.values())
        yield found
    left = {cluster: names(lab[cluster], "namespaces") & {"istio-system", "sample"} for cluster in found.clusters}
    assert not any(left.values()), left


def test_proxies_know_exactly_the_endpoints_of_the_plan(mesh: Mesh) -> None:
    for name, cluster in mesh.clusters.items():
        expected = mesh.endpoints_in(name)
        eventually(lambda cluster=cluster: endpoints(cluster, HELLO), lambda seen, right=expected: seen == right)


def test_calls_are_answered_by_exactly_the_clusters_of_the_plan(mesh: Mesh) -> None:
    for name, cluster in mesh.clusters.items():
        expected, seen = mesh.called_from(name), set[str]()
        for _ in range(60):
            answer = sample.call(cluster)
            seen.add(answer.cluster or answer.error)
            if seen == expected:
                break
        assert seen == expected, name


def test_callers_are_known_by_their_identity_in_every_cluster(mesh: Mesh) -> None:
    for cluster in mesh.clusters.values():
        assert sample.call(cluster).certificate.endswith(".internal/ns/sample/sa/client")


def test_plaintext_is_refused_in_every_cluster(mesh: Mesh) -> None:
    """By a policy that stands in primaries only."""
    for name, cluster in mesh.clusters.items():
        answer = sample.call(cluster, f"http://{sample.pod_address(cluster)}:{sample.PORT}/", client="plain")
        assert answer.status == 0, name


def test_there_is_no_gateway_and_no_load_balancer_that_nothing_needs(mesh: Mesh) -> None:
    for planned in mesh.plan.clusters:
        services = names(mesh.clusters[planned.name], "services", "--namespace=istio-system")
        services -= {"istiod", "istiod-replicas"}
        gateway = {"istio-eastwestgateway"} if planned.gateway else set()
        istiod = {"istiod-remotes"} if planned.istiod_route is IstiodRoute.SERVICE else set()
        assert services == gateway | istiod, planned.name


def test_the_stack_has_as_many_resources_as_the_plan_says(mesh: Mesh) -> None:
    urns = [resource["urn"] for resource in mesh.stack.state()["deployment"]["resources"]]
    own = [urn for urn in urns if "pulumi:pulumi:Stack::" not in urn and "::default" not in urn]
    assert len(own) == number_of_resources(mesh.topology, mesh.plan)


def test_every_istiod_reads_exactly_the_clusters_of_the_plan(mesh: Mesh) -> None:
    for planned in mesh.plan.clusters:
        expected = [] if planned.remote else [set(planned.discovers)]
        assert synced(mesh.clusters[planned.name]) == expected, planned.name


def test_every_proxy_is_served_by_the_istiod_of_its_primary_and_by_no_other(mesh: Mesh) -> None:
    for planned in mesh.plan.clusters:
        if planned.remote:
            continue
        connected = {row.split()[1] for row in istioctl(mesh.clusters[planned.name], "proxy-status").splitlines()[1:]}
        assert connected == {planned.name, *planned.remotes}


def test_every_certificate_is_signed_in_its_primary(mesh: Mesh) -> None:
    for planned in mesh.plan.clusters:
        assert signer(mesh.clusters[planned.name]) == planned.primary


def test_pods_carry_the_network_of_the_plan(mesh: Mesh) -> None:
    for planned in mesh.plan.clusters:
        format_ = "{.items[0].metadata.labels['topology\\.istio\\.io/network']}"
        label = mesh.clusters[planned.name].kubectl(
            "-n", "sample", "get", "pods", "-l", "app=client", "-o", f"jsonpath={format_}"
        )
        assert label == planned.network


def test_a_second_run_changes_nothing(mesh: Mesh) -> None:
    mesh.stack.up("--expect-no-changes", "--diff")


def test_the_clusters_are_as_the_program_left_them(mesh: Mesh) -> None:
    mesh.stack.refresh_changes_nothing()
