"""Every wrong topology is refused with its slug, its path and something to type; its nearest neighbour is not.

All of it is decided from plain facts. Files are in `topology/test_load.py`, what needs a program's late values in
`components/`, certificates that a user brings in `istio/test_given_certificates.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_istio_mesh.checks.registry import CHECKS
from pulumi_istio_mesh.topology.problems import SLUGS, TopologyError

from ..builders import mesh_tree, problems_of
from .wrong import WRONG
from .wrong_row import Wrong

DECIDED_ELSEWHERE = {
    "yaml-syntax",  # topology/test_load.py
    "file-limits",  # topology/test_yaml_text.py
    "file-version",
    "duplicate-key",
    "late-value",  # components/test_arguments.py
    "kubeconfig-missing",
    "kubeconfig-invalid",
    "trust-mixed",
    "trust-given",
    "not-offered",  # rules/test_offers.py
    "offer-shape",
    "offer-mesh",
    "offer-networks",
    "offer-gateways",
    "foreign-roots",
    "foreign-roots-unconstrained",
    "foreign-roots-same-name",
    "link-meshes",  # topology/test_links.py
    "gke-provider",  # components/test_gke.py
    "registry-credentials",  # components/test_registries.py
    "inputs-differ",  # test_translate.py
    "adopted-objects",  # components/test_joined.py
}

rows = pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)


@rows
def test_a_wrong_topology_is_refused(wrong: Wrong) -> None:
    problems = problems_of(wrong.tree)
    found = [(problem.slug, problem.where) for problem in problems]
    assert found.count((wrong.slug, wrong.where)) >= 1, found
    assert len(found) == 1 + wrong.consequences, found
    problem = problems[found.index((wrong.slug, wrong.where))]
    assert problem.fix.endswith(wrong.fix), problem.fix
    assert problem.what and problem.why


@rows
def test_its_nearest_neighbour_is_allowed(wrong: Wrong) -> None:
    assert problems_of(wrong.allowed) == []


def test_a_password_in_a_hub_is_in_no_message() -> None:
    (problem,) = problems_of(mesh_tree(image_hub="https://robot:not-a-real-password@registry.example/istio"))
    assert "not-a-real-password" not in str(problem)


def test_the_table_holds_every_rule_that_plain_facts_decide() -> None:
    assert len(WRONG) >= 45
    assert {wrong.slug for wrong in WRONG.values()} == SLUGS.keys() - DECIDED_ELSEWHERE - CHECKS.keys()


def test_all_problems_are_found_at_once() -> None:
    tree = mesh_tree(
        istio_version="1.29.0",
        mtls="strict",
        trust={"roots": []},
        clusters={
            "East": {"network": "vpc", "pod_cidr": "10.8.0.0/14"},
            "west": {"network": "vpc", "pod_cidr": "10.8.0.0/16", "api_server": "http://west"},
            "plant": {"primary": "nowhere", "east_west_gateway": {"type": "ClusterIP"}},
        },
    )
    assert [(problem.slug, problem.where) for problem in problems_of(tree)] == [
        ("cluster-name", "clusters.East"),
        ("primary-unknown", "clusters.plant.primary"),
        ("api-server", "clusters.west.api_server"),
        ("pod-cidr-overlap", "clusters.west.pod_cidr"),
        ("gateway-address", "clusters.plant.east_west_gateway.address"),
        ("istio-version", "istio_version"),
        ("trust-roots", "trust.roots"),
    ]


def test_all_misshapen_facts_are_found_at_once() -> None:
    tree = mesh_tree(istio_version=1.31, mtls="off", clusters={"east": {"netwrk": "vpc", "pod_cidr": "10.8.0.1/14"}})
    assert [(problem.slug, problem.where) for problem in problems_of(tree)] == [
        ("topology-shape", "istio_version"),
        ("topology-shape", "clusters.east.pod_cidr"),
        ("unknown-key", "clusters.east.netwrk"),
        ("topology-shape", "mtls"),
    ]


def test_an_overlap_names_both_clusters_and_both_ranges() -> None:
    (problem,) = problems_of(WRONG["a pod range inside another one of its network"].tree)
    assert problem.what == "10.11.0.0/16 overlaps clusters.east.pod_cidr 10.8.0.0/14"


MANY = [f"cluster-{number}" for number in range(1_000)]
TOO_MANY = {
    "keys": mesh_tree(**{f"key-{number}": 1 for number in range(10_000)}),
    "primaries": mesh_tree(clusters={name: {"primary": f"{name}-x"} for name in MANY}),
}


@pytest.mark.parametrize("tree", TOO_MANY.values(), ids=TOO_MANY)
def test_of_thousands_of_one_kind_some_are_told_and_the_rest_is_counted(tree: dict[str, Any]) -> None:
    problems = problems_of(tree)
    assert len(problems) >= 1_000
    told = str(TopologyError(problems))
    assert "more of" in told and told.count("fix:") == 21


def test_every_pair_that_overlaps_is_named() -> None:
    same = {"network": "vpc", "pod_cidr": "10.8.0.0/14"}
    problems = problems_of(mesh_tree(clusters={"a": same, "b": same, "c": same}))
    assert [problem.what for problem in problems] == [
        "10.8.0.0/14 overlaps clusters.a.pod_cidr 10.8.0.0/14",
        "10.8.0.0/14 overlaps clusters.a.pod_cidr 10.8.0.0/14",
        "10.8.0.0/14 overlaps clusters.b.pod_cidr 10.8.0.0/14",
    ]


def test_an_unsupported_version_is_told_which_kubernetes_each_supported_one_takes() -> None:
    (problem,) = problems_of(mesh_tree(istio_version="1.29.0"))
    assert problem.what.endswith("supported are 1.30 (Kubernetes 1.32-1.36), 1.31 (Kubernetes 1.32-1.36)")


def test_a_value_for_every_cluster_is_refused_once_and_not_once_a_cluster() -> None:
    values = {"istiod": {"revision": "canary"}}
    problems = problems_of(mesh_tree(values=values, clusters={name: {} for name in "abcde"}))
    assert [problem.where for problem in problems] == ["values.istiod.revision"]
