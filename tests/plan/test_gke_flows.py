"""The VPC's firewall: every flow that the mesh needs, and no other; asked address by address for any mesh."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import given, strategies as st

from pulumi_istio_mesh.pictures.mermaid import mermaid
from pulumi_istio_mesh.plan.gke_flows import Flow, firewall_flows
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.plan.words import words
from pulumi_istio_mesh.topology.load import parse_topology
from pulumi_istio_mesh.topology.models import Topology

from ..builders import mesh_tree, problems_of

NAMES = ("a", "b", "c", "d", "plant")
PORTS = (80, 8080, 8443, 15012, 15017, 15443, 65000)


@st.composite
def meshes(draw: st.DrawFn) -> Topology:
    """GKE clusters on one or two VPCs, one cluster elsewhere; any of them a remote of any primary."""
    networks = {
        name: {
            "project": "acme-prod",
            "supernet": f"10.{n * 64}.0.0/10",
            "nat": True,
            "ports": draw(st.sampled_from([[], ["8080", "8000-8099"]])),
        }
        for n, name in enumerate(("vpc", "annex"))
    }
    clusters: dict[str, dict[str, Any]] = {"plant": {"pod_cidr": "172.16.0.0/16", "service_cidr": "172.17.0.0/16"}}
    for n, name in enumerate(NAMES[: draw(st.integers(1, 4))]):
        plane = {"endpoint": "dns"}
        made = {"region": "europe-west1", "block": n, "control_plane": plane}
        clusters[name] = {"network": draw(st.sampled_from(["vpc", "annex"])), "gke": made}
    primaries = draw(st.sets(st.sampled_from(sorted(clusters)), min_size=1))
    for name, facts in clusters.items():
        if name not in primaries:
            facts["primary"] = draw(st.sampled_from(sorted(primaries)))
        elif draw(st.booleans()):
            others = sorted(clusters.keys() - {name})
            facts["discovers"] = draw(st.lists(st.sampled_from(others), unique=True)) if others else []
    used = {facts["network"] for facts in clusters.values() if "network" in facts}
    tree = mesh_tree(clusters=clusters, gke_networks={name: networks[name] for name in sorted(used)})
    assert problems_of(tree) == []
    return parse_topology(tree)


def allowed(flows: tuple[Flow, ...], source: str, cluster: str, port: int) -> bool:
    def holds(flow: Flow) -> bool:
        spans = [tuple(map(int, (found + "-" + found).split("-")[:2])) for found in flow.ports]
        near = any(ipaddress.ip_address(source) in ipaddress.ip_network(found) for found in flow.sources)
        return near and (not spans or any(first <= port <= last for first, last in spans))

    return any(flow.cluster == cluster and holds(flow) for flow in flows)


def pod(topology: Topology, cluster: str) -> str:
    return str(topology.clusters[cluster].pod_cidr[0][9])


def plane(topology: Topology, cluster: str) -> str | None:
    ranges = topology.gke_ranges(cluster)
    return None if ranges is None else str(ranges.control_plane[2])


def by_load_balancer(topology: Topology, cluster: str) -> set[int]:
    """Ports that are open to everybody: those that other networks dial, whose addresses nobody knows."""
    if not topology.has_gateway(cluster):
        return set()
    return {15443, 15012, 15017} if topology.remotes_of(cluster) else {15443}


@given(meshes())
def test_pods_call_pods_of_their_network_whom_they_know_and_nobody_else(topology: Topology) -> None:
    flows = firewall_flows(topology)
    for target in (name for name in topology.clusters if topology.clusters[name].gke):
        ports = topology.gke_networks[topology.network_of(target)].ports
        for source in topology.clusters.keys() - {target}:
            near = topology.network_of(source) == topology.network_of(target)
            calls = near and target in topology.called_from(source)
            # Istiod's own ports where no gateway carries them; see the test below.
            served = near and topology.primary_of(source) == target
            for port in PORTS:
                open_to_it = not ports or port in (8080, *range(8000, 8100))
                needed = (calls and open_to_it) or port in by_load_balancer(topology, target)
                needed = needed or (served and port == 15012)
                assert allowed(flows, pod(topology, source), target, port) == needed, (source, target, port)


@given(meshes())
def test_api_servers_ask_the_istiod_that_injects_for_them_and_no_other(topology: Topology) -> None:
    flows = firewall_flows(topology)
    made = [name for name in topology.clusters if topology.clusters[name].gke]
    for target in made:
        for source in made:
            address = plane(topology, source)
            assert address is not None
            for port in PORTS:
                own = port == 15017 and topology.primary_of(source) == target
                needed = own or port in by_load_balancer(topology, target)
                assert allowed(flows, address, target, port) == needed, (source, target, port)


@given(meshes())
def test_strangers_reach_gateways_and_nothing_else(topology: Topology) -> None:
    flows = firewall_flows(topology)
    for target in (name for name in topology.clusters if topology.clusters[name].gke):
        for port in PORTS:
            assert allowed(flows, "198.51.100.7", target, port) == (port in by_load_balancer(topology, target))


def test_health_checkers_reach_nodes_with_load_balancers_only() -> None:
    gke = {"region": "europe-west1", "control_plane": {"endpoint": "dns"}}
    tree = mesh_tree(
        clusters={"a": {"network": "vpc", "gke": {**gke, "block": 0}},
                  "b": {"network": "vpc", "primary": "a", "gke": {**gke, "block": 1}}},
        gke_networks={"vpc": {"project": "acme-prod", "supernet": "10.0.0.0/8", "nat": True}},
    )  # fmt: skip
    topology = parse_topology(tree)
    flows = firewall_flows(topology)
    assert [allowed(flows, "35.191.0.7", name, 10256) for name in ("a", "b")] == [True, False]


def test_each_rule_is_a_sentence_and_stands_in_the_picture() -> None:
    """Health checks, which every load balancer brings, are left out of the picture."""
    gke = {"region": "europe-west1", "block": 0, "control_plane": {"endpoint": "dns"}}
    network = {"project": "acme-prod", "supernet": "10.0.0.0/8", "nat": True}
    tree = mesh_tree(clusters={"a": {"network": "vpc", "gke": gke}, "plant": {}}, gke_networks={"vpc": network})
    plan = plan_mesh(parse_topology(tree))
    told = "the VPC lets 10.0.255.240/28 in to a, TCP 15017: its API server asks istiod to inject"
    assert told in list(words(plan))
    assert "a: webhook 15017 from 10.0.255.240/28<br/>a: gateway 15443 from 0.0.0.0/0" in mermaid(plan)
    assert "10256" not in mermaid(plan)


def test_sources_of_gateways_can_be_narrowed() -> None:
    gke = {"region": "europe-west1", "block": 0, "control_plane": {"endpoint": "dns"}}
    network = {"project": "acme-prod", "supernet": "10.0.0.0/8", "nat": True, "gateway_sources": "203.0.113.0/28"}
    tree = mesh_tree(clusters={"a": {"network": "vpc", "gke": gke}, "plant": {}}, gke_networks={"vpc": network})
    topology = parse_topology(tree)
    flows = firewall_flows(topology)
    assert allowed(flows, "203.0.113.9", "a", 15443)
    assert not allowed(flows, "198.51.100.7", "a", 15443)
