"""The whole graph of two small meshes, and what holds for every row of it.

Charts are one row each: what they hold is registered by the provider and is seen in the lab only.
"""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from .meshes import APART, FLAT, a_program, apart, flat, on_made_clusters
from .recorder import Recording, is_unknown, record

both = pytest.mark.parametrize("mesh", [apart, flat], ids=["two networks", "one network"])


def test_two_clusters_on_two_networks_are_exactly_these_resources(golden_text: SnapshotAssertion) -> None:
    assert apart().text() == golden_text


def test_two_clusters_on_one_network_are_exactly_these_resources(golden_text: SnapshotAssertion) -> None:
    assert flat().text() == golden_text


@pytest.mark.parametrize("clusters", [APART, FLAT], ids=["two networks", "one network"])
def test_a_preview_shows_what_up_will_make(clusters: dict[str, dict[str, str]]) -> None:
    program = a_program(clusters=clusters)
    assert record(program, preview=True).text() == record(program).text()


def test_a_preview_shows_everything_of_a_cluster_that_is_not_there_yet() -> None:
    preview, up = record(on_made_clusters(), preview=True), record(on_made_clusters())
    assert is_unknown(preview["kubernetes prod-east"].inputs["kubeconfig"])
    assert preview.text() == up.text()
    assert {row.short for row in preview} == {row.short for row in apart()} | {"Cluster made"}


def test_a_preview_without_a_kubeconfig_says_that_nothing_will_be_deleted() -> None:
    (warning,) = record(on_made_clusters(), preview=True).log
    assert warning.startswith("cluster east: its kubeconfig is not known yet")
    assert warning.endswith("they are shown as deleted here; nothing of them will be.")


def test_a_run_and_a_preview_that_knows_its_clusters_say_nothing() -> None:
    assert record(on_made_clusters()).log == []
    assert record(a_program(), preview=True).log == []


def test_clusters_on_one_network_have_no_gateway() -> None:
    gateways = {"EastWestGateway", "Exposure", "Gateway"}
    assert {row.short for row in apart()} - {row.short for row in flat()} == {
        *(f"{kind} prod-{cluster}" for kind in ("EastWestGateway", "Exposure") for cluster in APART),
        *(f"{kind} prod-{cluster}-east-west" for kind in ("Service", "Chart") for cluster in APART),
        *(f"Gateway prod-{cluster}-exposure" for cluster in APART),
    }
    assert not {row.short.split()[0] for row in flat()} & gateways


def test_a_mesh_of_one_cluster_reads_nobody_and_is_read_by_nobody() -> None:
    rows = record(a_program(clusters={"east": {}}))
    assert not {row.short.split()[0] for row in rows} & {
        "Reader",
        "RemoteSecrets",
        "EastWestGateway",
        "Gateway",
        "ApiServerGate",
    }
    assert [row.name for row in rows if row.short.startswith("Secret ")] == ["prod-east-cacerts"]


@both
def test_every_kubernetes_object_goes_through_the_provider_of_its_own_cluster(mesh: Recording) -> None:
    rows = mesh()  # type: ignore[operator]
    of_kubernetes = [row for row in rows if row.of_kubernetes]
    assert len(of_kubernetes) >= 2 * 8
    for row in of_kubernetes:
        cluster = row.name.split("-")[1]
        assert row.provider == f"kubernetes prod-{cluster}", row.short


@both
def test_there_is_one_provider_a_cluster(mesh: Recording) -> None:
    providers = [row.short for row in mesh() if row.type == "pulumi:providers:kubernetes"]  # type: ignore[operator]
    assert sorted(providers) == ["kubernetes prod-east", "kubernetes prod-west"]


@both
def test_every_resource_is_inside_the_component_of_its_own_cluster(mesh: Recording) -> None:
    rows = mesh()  # type: ignore[operator]
    for row in rows:
        if row.name.startswith(("prod-east", "prod-west")) and not row.short.startswith("MeshCluster "):
            cluster = "-".join(row.name.split("-")[:2])
            assert f"MeshCluster {cluster}" in rows.ancestors(row.short), row.short


@both
def test_a_logical_name_is_mesh_cluster_role(mesh: Recording) -> None:
    roles = {
        "namespace", "cacerts", "shared-mesh-config", "crds", "base", "istiod", "injector", "mtls", "reader-token",
        "intermediate", "east-west", "exposure", "remote-east", "remote-west", "verify", "probe", "istiod-replicas",
        "api-servers", "mesh",
    }  # fmt: skip
    for row in mesh():  # type: ignore[operator]
        mesh_name, _, rest = row.name.partition("-")
        cluster, _, role = rest.partition("-")
        assert mesh_name == "prod"
        assert cluster in ("east", "west", "root", ""), row.short
        assert cluster == "root" or role in {*roles, ""}, row.short


@both
def test_nothing_waits_for_a_whole_component(mesh: Recording) -> None:
    """Pulumi would fan that out to every child: 49 s where a gate takes 1 s."""
    rows = mesh()  # type: ignore[operator]
    components = {row.short for row in rows if row.type.startswith("istio-mesh:")}
    assert not {other for row in rows for other in row.after} & components


@both
def test_every_component_type_is_of_the_package(mesh: Recording) -> None:
    ours = {row.type for row in mesh() if not row.of_kubernetes}  # type: ignore[operator]
    ours -= {"pulumi:providers:kubernetes", "tls:index/privateKey:PrivateKey"}
    assert all(kind.startswith("istio-mesh:index:") for kind in ours)


def test_a_provider_is_set_up_so_that_previews_and_updates_are_gentle() -> None:
    inputs = dict(apart()["kubernetes prod-east"].inputs)
    del inputs["kubeconfig"]
    assert inputs == {"clusterIdentifier": "east", "enableConfigMapMutable": "true", "enableSecretMutable": "true"}
