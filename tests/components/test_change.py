"""What changes when the list of clusters changes: only what concerns the clusters that came, went or were marked."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pulumi_tls as tls
import pytest

from pulumi_istio_mesh import Mesh, Meshes

from ..builders import a_kubeconfig, program_args
from .meshes import a_program
from .recorder import Recording, record, revealed

THREE: dict[str, dict[str, Any]] = {"east": {}, "west": {}, "plant": {"network": "plant"}}


def rows(**clusters: dict[str, Any]) -> Recording:
    """A mesh of these clusters. Kubeconfigs are given by name, so that they don't depend on the order."""
    return record(
        a_program(clusters={name: {"kubeconfig": kubeconfig(name), **facts} for name, facts in clusters.items()})
    )


def kubeconfig(name: str) -> str:
    """A kubeconfig that depends on the cluster's name only."""
    return a_kubeconfig(f"https://{name}.example:6443")


def with_inputs(recording: Recording) -> dict[str, Any]:
    """Every row with what it was registered with."""
    return {row.short: (row.row(), revealed(row.inputs)) for row in recording}


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The rows that were there and are not as they were."""
    return {name for name in before if after.get(name) != before[name]}


def gates(*clusters: str) -> set[str]:
    """The only rows that a change elsewhere may change: what they prove is there, too."""
    return {f"Job prod-{cluster}-{gate}" for cluster in clusters for gate in ("api-servers", "mesh")}


@pytest.mark.parametrize("network", ["plant", "east"], ids=["on a network of its own", "on a network that is there"])
def test_a_third_cluster_changes_no_row_of_the_others_but_the_gates_that_prove_it(network: str) -> None:
    before = with_inputs(rows(east={}, west={}))
    after = with_inputs(rows(east={}, west={}, plant={"network": network}))
    assert changed(before, after) == gates("east", "west")


def test_a_cluster_that_nobody_discovers_changes_no_row_at_all() -> None:
    pair: dict[str, dict[str, Any]] = {"east": {"discovers": ["west"]}, "west": {"discovers": ["east"]}}
    assert changed(with_inputs(rows(**pair)), with_inputs(rows(**pair, plant={}))) == set()


def test_a_third_cluster_adds_itself_and_its_secret_to_each_of_the_others() -> None:
    added = rows(**THREE).rows.keys() - rows(east={}, west={}).rows.keys()
    beside = {name for name in added if not name.split()[1].startswith("prod-plant")}
    assert beside == {"Secret prod-east-remote-plant", "Secret prod-west-remote-plant"}
    assert {name for name in added - beside if "remote" in name} == {
        "Secret prod-plant-remote-east",
        "Secret prod-plant-remote-west",
    }
    assert "MeshCluster prod-plant" in added


def test_a_second_network_gives_the_first_one_its_gateways_and_changes_nothing_else() -> None:
    vpc = {"network": "vpc"}
    before, after = with_inputs(rows(east=vpc, west=vpc)), with_inputs(rows(east=vpc, west=vpc, plant={}))
    assert changed(before, after) == gates("east", "west")
    added = {name for name in after.keys() - before.keys() if "plant" not in name}
    assert {name.split()[0] for name in added} == {"EastWestGateway", "Exposure", "Service", "Chart", "Gateway"}


def test_the_order_of_the_list_changes_no_row() -> None:
    assert with_inputs(rows(**THREE)) == with_inputs(rows(**dict(reversed(THREE.items()))))


def test_a_second_cluster_gives_the_first_one_a_reader() -> None:
    before, after = (
        with_inputs(rows(east={"network": "vpc"})),
        with_inputs(rows(east={"network": "vpc"}, west={"network": "vpc"})),
    )
    assert changed(before, after) == {"Job prod-east-mesh"}
    assert {name for name in after.keys() - before.keys() if "west" not in name} == {
        "ApiServerGate prod-east",
        "Job prod-east-api-servers",
        "Reader prod-east",
        "RemoteSecrets prod-east",
        "Secret prod-east-reader-token",
    }


@pytest.mark.parametrize("option", ["protect", "retain_on_delete"])
def test_an_option_of_one_cluster_reaches_exactly_its_resources(option: str) -> None:
    recording = rows(east={option: True}, west={})
    reached = recording.reaching(option)
    within = {row.short for row in recording if "MeshCluster prod-east" in recording.ancestors(row.short)}
    # The release of CRDs is kept anyway, by Helm.
    crds = {"Release prod-east-crds", "Release prod-west-crds"} if option == "retain_on_delete" else set()
    assert reached - crds == (within | {"MeshCluster prod-east"}) - crds
    assert reached >= crds
    assert len(within) >= 15
    assert all(name.split()[1].startswith("prod-east") for name in reached - crds)


@pytest.mark.parametrize("kind", ["Mesh", "Meshes"])
def test_providers_of_a_mesh_make_its_keys_and_never_reach_a_cluster(kind: str) -> None:
    """Each cluster has a provider of its own; who makes keys may be chosen."""

    def program() -> None:
        own = [tls.Provider("keys"), k8s.Provider("elsewhere", kubeconfig=a_kubeconfig())]
        args = program_args()
        whole = args if kind == "Mesh" else {"meshes": {"prod": args}}
        options = pulumi.ResourceOptions(providers=own)
        Mesh("prod", whole, options) if kind == "Mesh" else Meshes("all", whole, options)

    recording = record(program)
    keys = {row.provider for row in recording if row.type.startswith("tls:")}
    objects = {row.provider for row in recording if row.of_kubernetes}
    assert keys == {"tls keys"}
    assert objects == {"kubernetes prod-east", "kubernetes prod-west"}


def test_a_root_key_outlives_a_protected_cluster_and_belongs_to_none() -> None:
    recording = rows(east={"protect": True}, west={"protect": True})
    assert "PrivateKey prod-root-2026-11-23" not in recording.reaching("protect")


def test_another_root_changes_no_key_that_is_there() -> None:
    old, new = {"issued": "2026-01-01"}, {"issued": "2026-11-23"}
    before = record(a_program(trust={"roots": [old]}))
    after = record(a_program(trust={"roots": [old, new], "signer": "2026-01-01"}))
    assert after.rows.keys() - before.rows.keys() == {"PrivateKey prod-root-2026-11-23"}
    key = "PrivateKey prod-root-2026-01-01"
    assert (after[key].row(), after[key].inputs) == (before[key].row(), before[key].inputs)
