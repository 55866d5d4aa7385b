"""What follows from a list of clusters, for every list: who reads whom, who needs a gateway, what expires when.

That the components build what is planned is in `components/`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from pulumi_istio_mesh.istio import names
from pulumi_istio_mesh.plan.mesh_plan import ClusterPlan, IstiodRoute, MeshPlan, Path, plan_mesh
from pulumi_istio_mesh.rules import problems_in
from pulumi_istio_mesh.topology.load import parse_topology
from pulumi_istio_mesh.topology.models import Topology

from ..builders import TODAY, a_mesh, mesh_tree

NAMES = [f"c{number}" for number in range(6)]


PROVED = {"probe": True, "gate": True, "federation_gateway": False, "shares": False}


@st.composite
def shapes(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Clusters of any roles on any networks, some with a list of whom they discover; always one that can be built."""
    clusters = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    primaries = draw(st.lists(st.sampled_from(clusters), min_size=1, unique=True))
    found: dict[str, dict[str, Any]] = {}
    for name in clusters:
        facts: dict[str, Any] = {}
        if network := draw(st.sampled_from([None, "vpc", "lab"])):
            facts["network"] = network
        if name not in primaries:
            facts["primary"] = draw(st.sampled_from(primaries))
        elif draw(st.booleans()):
            facts["discovers"] = draw(
                st.lists(st.sampled_from(clusters), unique=True).map(lambda c, n=name: [x for x in c if x != n])
            )
        found[name] = facts
    return found


LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?", fullmatch=True).filter(lambda name: name != "kubernetes")
CLUSTERS = st.dictionaries(
    LABEL, st.fixed_dictionaries({}, optional={"network": st.sampled_from(["vpc", "lab"])}), min_size=1, max_size=6
)

settings.register_profile("fast", max_examples=60, deadline=None)
settings.load_profile("fast")


def planned(**clusters: dict[str, str]) -> MeshPlan:
    """The plan of a mesh of these clusters."""
    return plan_mesh(a_mesh(**clusters))


def row(plan: MeshPlan, name: str) -> ClusterPlan:
    """What is planned for one cluster."""
    return next(cluster for cluster in plan.clusters if cluster.name == name)


@given(CLUSTERS)
def test_every_ordered_pair_gets_exactly_one_remote_secret(clusters: dict[str, dict[str, str]]) -> None:
    assert Counter(planned(**clusters).remote_secrets) == Counter(permutations(clusters, 2))


@given(shapes())
def test_every_shape_can_be_built(clusters: dict[str, dict[str, Any]]) -> None:
    assert problems_in(a_mesh(**clusters), TODAY) == []


@given(shapes())
def test_remotes_read_nobody_and_each_primary_reads_its_own_remotes(clusters: dict[str, dict[str, Any]]) -> None:
    for cluster in planned(**clusters).clusters:
        assert set(cluster.remotes) <= set(cluster.discovers)
        if cluster.remote:
            assert cluster.discovers == cluster.remotes == ()
            assert cluster.primary in cluster.discovered_by


@given(shapes())
def test_a_cluster_calls_what_its_istiod_knows_and_that_is_its_primary_and_what_that_reads(
    clusters: dict[str, dict[str, Any]],
) -> None:
    plan = planned(**clusters)
    for cluster in plan.clusters:
        known = {cluster.primary, *row(plan, cluster.primary).discovers} - {cluster.name}
        assert {path.target for path in plan.paths if path.source == cluster.name} == known


@given(shapes())
def test_a_cluster_has_a_gateway_exactly_if_it_is_called_through_it(clusters: dict[str, dict[str, Any]]) -> None:
    plan = planned(**clusters)
    through = {path.target for path in plan.paths if not path.direct}
    assert {cluster.name for cluster in plan.clusters if cluster.gateway} == through


@given(shapes())
def test_what_gateways_let_in_is_said_exactly_where_an_istiod_that_serves_one_reads_it(
    clusters: dict[str, dict[str, Any]],
) -> None:
    plan = planned(**clusters)
    assert {cluster.name for cluster in plan.clusters if cluster.exposure} == {
        cluster.primary for cluster in plan.clusters if cluster.gateway
    }


@given(shapes())
def test_remotes_reach_istiod_through_the_gateway_exactly_if_there_is_one(clusters: dict[str, dict[str, Any]]) -> None:
    for cluster in planned(**clusters).clusters:
        route = IstiodRoute.GATEWAY if cluster.gateway else IstiodRoute.SERVICE
        assert cluster.istiod_route is (route if cluster.remotes else None)


@given(shapes())
def test_a_remote_on_another_network_than_its_primary_never_needs_a_load_balancer_more(
    clusters: dict[str, dict[str, Any]],
) -> None:
    plan = planned(**clusters)
    for cluster in plan.clusters:
        if cluster.remote and row(plan, cluster.primary).network != cluster.network:
            assert row(plan, cluster.primary).istiod_route is IstiodRoute.GATEWAY


@given(shapes())
def test_only_clusters_with_an_istiod_sign_certificates(clusters: dict[str, dict[str, Any]]) -> None:
    plan = planned(**clusters)
    assert {own.name for own in plan.intermediates} == {c.name for c in plan.clusters if not c.remote}


@given(st.integers(min_value=1, max_value=30))
def test_a_remote_adds_one_secret_however_many_there_are(remotes: int) -> None:
    flat = {"network": "vpc"}
    plan = planned(east=flat, **{f"r{n}": {**flat, "primary": "east"} for n in range(remotes)})
    assert len(plan.remote_secrets) == remotes


@given(shapes())
def test_who_discovers_and_who_is_discovered_are_two_sides_of_one_thing(clusters: dict[str, dict[str, Any]]) -> None:
    plan = planned(**clusters)
    discovers = {(cluster.name, peer) for cluster in plan.clusters for peer in cluster.discovers}
    assert discovers == {(peer, cluster.name) for cluster in plan.clusters for peer in cluster.discovered_by}


@given(CLUSTERS)
def test_a_cluster_has_a_gateway_exactly_if_another_network_is_in_the_mesh(clusters: dict[str, dict[str, str]]) -> None:
    topology = a_mesh(**clusters)
    other = len({topology.network_of(name) for name in clusters}) > 1
    assert {cluster.gateway for cluster in plan_mesh(topology).clusters} == {other}


@given(CLUSTERS)
def test_by_default_every_cluster_calls_every_other_one(clusters: dict[str, dict[str, str]]) -> None:
    paths = planned(**clusters).paths
    assert Counter((path.source, path.target) for path in paths) == Counter(permutations(clusters, 2))


@given(shapes())
def test_calls_go_directly_exactly_within_a_network(clusters: dict[str, dict[str, Any]]) -> None:
    topology = a_mesh(**clusters)
    paths = plan_mesh(topology).paths
    for path in paths:
        assert path.direct == (topology.network_of(path.source) == topology.network_of(path.target))


@given(CLUSTERS, st.randoms(use_true_random=False))
def test_the_order_of_the_list_changes_nothing_but_the_order_of_the_plan(
    clusters: dict[str, dict[str, str]], random: Random
) -> None:
    shuffled = random.sample(list(clusters.items()), len(clusters))
    one, other = planned(**clusters), planned(**dict(shuffled))
    assert {cluster.name: cluster for cluster in one.clusters} == {cluster.name: cluster for cluster in other.clusters}
    assert set(one.paths) == set(other.paths)
    assert set(one.intermediates) == set(other.intermediates)
    assert [cluster.name for cluster in other.clusters] == [name for name, _ in shuffled]


@given(CLUSTERS, LABEL, st.sampled_from([None, "vpc", "lab"]))
def test_one_more_cluster_adds_itself_to_each_peer_and_changes_nothing_else(
    clusters: dict[str, dict[str, str]], name: str, network: str | None
) -> None:
    clusters = {known: facts for known, facts in clusters.items() if known != name} or {"only": {}}
    if name in clusters:
        return
    facts = {"network": network} if network else {}
    before, after = planned(**clusters), planned(**clusters, **{name: facts})
    for cluster in before.clusters:
        grown = row(after, cluster.name)
        assert grown.network == cluster.network
        assert set(grown.discovers) - set(cluster.discovers) == {name}
        assert set(cluster.discovers) <= set(grown.discovers)
        assert set(grown.discovered_by) == {*cluster.discovered_by, name}
        assert grown.gateway >= cluster.gateway
    assert set(before.paths) <= set(after.paths)
    assert set(before.intermediates) <= set(after.intermediates)
    assert before.roots == after.roots


@given(CLUSTERS)
def test_no_two_remote_secrets_share_a_logical_name(clusters: dict[str, dict[str, str]]) -> None:
    topology = a_mesh(**clusters)
    if problems_in(topology, TODAY):
        return
    logical = [names.logical_name("m", reader, "remote", read) for reader, read in plan_mesh(topology).remote_secrets]
    assert len(set(logical)) == len(logical)


PARTS = st.lists(st.sampled_from(["a", "remote", "b"]), min_size=1, max_size=5).map("-".join)


@given(st.lists(PARTS, min_size=1, max_size=4, unique=True))
@example(["a", "b-remote-a", "a-remote-b"])
# If a cluster read itself, two secrets would share a name here; none does.
@example(["a-remote-b", "a", "b-remote-a-remote-b"])
def test_names_that_could_collide_are_refused_exactly_if_they_do(clusters: list[str]) -> None:
    pairs = list(permutations(clusters, 2))
    collide = len({names.logical_name("m", reader, "remote", read) for reader, read in pairs}) < len(pairs)
    problems = problems_in(a_mesh(**{name: {} for name in clusters}), TODAY)
    assert ({problem.slug for problem in problems} == {"ambiguous-names"}) == collide


def test_a_cluster_that_two_networks_share_a_mesh_with_is_planned_whole() -> None:
    plan = planned(east={"network": "vpc"}, west={"network": "vpc"}, plant={})
    assert plan.clusters == (
        ClusterPlan("east", "vpc", "east", (), None, ("plant", "west"), ("plant", "west"), True, True, **PROVED),
        ClusterPlan("west", "vpc", "west", (), None, ("east", "plant"), ("east", "plant"), True, True, **PROVED),
        ClusterPlan("plant", "plant", "plant", (), None, ("east", "west"), ("east", "west"), True, True, **PROVED),
    )
    assert [path for path in plan.paths if path.direct] == [Path("east", "west", True), Path("west", "east", True)]


def test_a_mesh_of_one_cluster_needs_no_gateway_and_no_secret() -> None:
    plan = planned(east={})
    assert plan.clusters == (ClusterPlan("east", "east", "east", (), None, (), (), False, False, **PROVED),)
    assert plan.remote_secrets == plan.paths == ()


def test_fifty_clusters_are_planned() -> None:
    plan = planned(**{f"c{number}": {} for number in range(50)})
    assert len(plan.remote_secrets) == len(set(plan.remote_secrets)) == 50 * 49
    assert all(cluster.gateway for cluster in plan.clusters)


# Expiry


def expiring(**trust: object) -> MeshPlan:
    """The plan of the usual mesh with this trust."""
    topology: Topology = parse_topology(mesh_tree(trust=trust))
    assert problems_in(topology, TODAY) == []
    return plan_mesh(topology)


def test_every_certificate_has_its_days() -> None:
    plan = expiring(roots=[{"issued": "2026-11-23"}])
    assert [(v.name, v.issued, v.expires) for v in (*plan.roots, *plan.intermediates)] == [
        ("2026-11-23", dt.date(2026, 11, 23), dt.date(2036, 11, 20)),
        ("east", dt.date(2026, 11, 23), dt.date(2028, 11, 22)),
        ("west", dt.date(2026, 11, 23), dt.date(2028, 11, 22)),
    ]


def test_intermediates_have_a_date_of_their_own() -> None:
    plan = expiring(roots=[{"issued": "2026-01-01"}], intermediates={"issued": "2026-11-01", "days": 30})
    assert {(v.issued, v.expires) for v in plan.intermediates} == {(dt.date(2026, 11, 1), dt.date(2026, 12, 1))}


def test_no_intermediate_outlives_the_root_that_signs_it() -> None:
    plan = expiring(roots=[{"issued": "2026-11-01", "days": 60}])
    assert {v.expires for v in plan.intermediates} == {plan.roots[0].expires} == {dt.date(2026, 12, 31)}


def test_intermediates_follow_the_root_that_signs() -> None:
    roots = [{"issued": "2026-01-01", "days": 400}, {"issued": "2026-11-01", "generation": "b"}]
    first, second = expiring(roots=roots, signer="2026-01-01"), expiring(roots=roots, signer="b")
    assert first.roots == second.roots
    assert {v.expires for v in first.intermediates} == {dt.date(2027, 2, 5)}
    assert {v.issued for v in second.intermediates} == {dt.date(2026, 11, 1)}


def test_certificates_that_are_made_elsewhere_are_not_planned() -> None:
    plan = expiring(kind="external")
    assert plan.roots == plan.intermediates == ()


# What proves it


def proved(plan: MeshPlan) -> dict[str, tuple[bool, bool, bool]]:
    """By cluster: whether it has a probe, a gate, and a gate that dials API servers."""
    return {cluster.name: (cluster.probe, cluster.gate, cluster.dials) for cluster in plan.clusters}


SERVED = {"east": {"network": "vpc"}, "west": {"network": "vpc", "primary": "east"}}


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("traffic", {"east": (True, True, True), "west": (True, True, False)}),
        ("discovery", {"east": (False, True, True), "west": (False, False, False)}),
        ("off", {"east": (False, False, False), "west": (False, False, False)}),
    ],
)
def test_a_level_says_where_probes_and_gates_run(level: str, expected: dict[str, tuple[bool, bool, bool]]) -> None:
    assert proved(plan_mesh(parse_topology(mesh_tree(clusters=SERVED, verify={"level": level})))) == expected


def test_a_cluster_may_run_neither_probe_nor_gate() -> None:
    clusters = {**SERVED, "east": {"network": "vpc", "verify": False}}
    found = proved(plan_mesh(parse_topology(mesh_tree(clusters=clusters))))
    assert found == {"east": (False, False, False), "west": (True, True, False)}
