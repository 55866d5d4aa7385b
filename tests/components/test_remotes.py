"""Clusters that another cluster's istiod serves: what is made for them, where, and in which order.

That istiod takes it is shown by the lab.
"""

from __future__ import annotations

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh import TopologyError
from pulumi_istio_mesh.components.membership import changes, taken_text

from .meshes import SERVED, SERVED_APART, a_program, on_made_clusters, outputs, served, served_apart
from .recorder import GATEWAY_ADDRESS, Recording, failure, record, revealed

both = pytest.mark.parametrize("mesh", [served, served_apart], ids=["one network", "two networks"])


def test_a_remote_on_its_primarys_network_is_exactly_these_resources(golden_text: SnapshotAssertion) -> None:
    assert served().text() == golden_text


def test_a_remote_on_another_network_is_exactly_these_resources(golden_text: SnapshotAssertion) -> None:
    assert served_apart().text() == golden_text


@pytest.mark.parametrize("clusters", [SERVED, SERVED_APART], ids=["one network", "two networks"])
def test_a_preview_shows_what_up_will_make(clusters: dict[str, dict[str, str]]) -> None:
    program = a_program(clusters=clusters)
    assert record(program, preview=True).text() == record(program).text()


def test_a_preview_shows_the_remotes_of_a_primary_that_is_not_there_yet() -> None:
    made = on_made_clusters(clusters=SERVED)
    assert record(made, preview=True).text() == record(made).text()


@both
def test_a_remote_has_no_authority_no_policy_and_reads_nobody(mesh: Any) -> None:
    kinds = {row.short.split()[0] for row in mesh() if row.name.startswith("prod-west")}
    assert not kinds & {"PrivateKey", "IntermediateAuthority", "ConfigMap", "RemoteSecrets"}
    assert not kinds & {"PeerAuthentication", "Gateway", "VirtualService", "DestinationRule"}


@both
def test_a_remotes_namespace_says_who_may_write_there_before_its_secret_attaches_it(mesh: Any) -> None:
    rows: Recording = mesh()
    annotations = rows["Namespace prod-west-namespace"].inputs["metadata"]["annotations"]
    assert annotations["topology.istio.io/controlPlaneClusters"] == "east"
    assert "Namespace prod-west-namespace" in rows.waits_for("Secret prod-east-remote-west")


@both
def test_a_remote_is_attached_only_when_its_chart_is_there(mesh: Any) -> None:
    """istiod reads the mesh config's trust domain, and uses its rights, when it attaches the cluster."""
    waited = mesh().waits_for("Secret prod-east-remote-west")
    assert "Chart prod-west-istiod" in waited


@both
def test_a_remotes_gate_waits_for_its_secret_and_for_the_way_to_istiod(mesh: Any) -> None:
    rows: Recording = mesh()
    gate = rows["MutatingWebhookConfigurationPatch prod-west-injector"]
    assert {"Chart prod-west-istiod", "EndpointSlice prod-west-istiod"} <= set(gate.after)
    assert "Secret prod-east-remote-west" in gate.after
    # What answers at the other end, and not only its address.
    waited = rows.waits_for("EndpointSlice prod-west-istiod")
    assert "PeerAuthentication prod-east-mtls" in waited


def test_through_a_gateway_the_way_is_there_when_the_gateway_leads_to_istiod() -> None:
    waited = served_apart().waits_for("EndpointSlice prod-west-istiod")
    assert {
        "Service prod-east-east-west",
        "Chart prod-east-east-west",
        "Gateway prod-east-istiod-gateway",
        "VirtualService prod-east-istiod-routes",
    } <= waited


def test_a_remotes_gateway_waits_for_its_gate_and_for_the_rule_of_its_primary() -> None:
    gate = "MutatingWebhookConfigurationPatch prod-west-injector"
    assert served_apart()["Chart prod-west-east-west"].after == ("Gateway prod-east-exposure", gate)


@both
def test_a_remotes_proof_waits_for_the_secret_its_primary_has_for_it_and_for_its_own_injection(mesh: Any) -> None:
    rows: Recording = mesh()
    for cluster in ("east", "west"):
        assert {
            "Secret prod-east-remote-west",
            "MutatingWebhookConfigurationPatch prod-west-injector",
            "Deployment prod-west-probe",
            "Deployment prod-east-probe",
        } <= set(rows[f"Job prod-{cluster}-mesh"].after)
    # It has no istiod that would read other clusters' API servers.
    assert "Job prod-west-api-servers" not in rows


def test_a_remotes_load_balancer_is_asked_for_as_soon_as_there_is_a_namespace() -> None:
    assert served_apart()["Service prod-west-east-west"].after == ("Namespace prod-west-namespace",)


def test_on_a_flat_network_there_is_no_gateway_at_all() -> None:
    assert not {row.short.split()[0] for row in served()} & {"EastWestGateway", "Exposure", "Gateway", "VirtualService"}


def test_on_a_flat_network_istiod_is_dialled_at_a_service_of_its_own() -> None:
    spec = served()["Service prod-east-istiod-remotes"].inputs["spec"]
    assert spec["selector"] == {"app": "istiod", "istio": "pilot"}
    assert [port["port"] for port in spec["ports"]] == [15012, 15017]
    assert "EndpointSlice prod-west-istiod" in served()


@both
def test_a_remotes_endpoint_is_the_address_of_its_primary(mesh: Any) -> None:
    inputs = revealed(mesh()["EndpointSlice prod-west-istiod"].inputs)
    assert inputs["endpoints"][0]["addresses"] == [GATEWAY_ADDRESS]
    assert inputs["addressType"] == "IPv4"


@both
def test_all_istiods_of_a_mesh_are_told(mesh: Any) -> None:
    clusters = SERVED if mesh is served else SERVED_APART
    assert outputs(clusters=clusters)["istiods"] == {"east": GATEWAY_ADDRESS}


def test_an_address_of_the_sixth_version_makes_endpoints_of_it() -> None:
    clusters = {**SERVED, "east": {**SERVED["east"], "istiod_service": {"type": "NodePort", "address": "2001:db8::7"}}}
    inputs = revealed(record(a_program(clusters=clusters))["EndpointSlice prod-west-istiod"].inputs)
    assert (inputs["endpoints"][0]["addresses"], inputs["addressType"]) == (["2001:db8::7"], "IPv6")


@pytest.mark.parametrize(
    ("clusters", "argument"), [(SERVED, "istiod_service"), (SERVED_APART, "east_west_gateway")], ids=["flat", "apart"]
)
def test_a_load_balancer_that_has_a_name_only_is_refused_when_it_is_known(clusters: Any, argument: str) -> None:
    status = {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}
    recording = failure(a_program(clusters=clusters), status=status)
    assert isinstance(recording.error, TopologyError)
    (problem,) = recording.error.problems
    assert (problem.slug, problem.where) == ("istiod-address", f"clusters.east.{argument}.address")
    assert "west can reach the istiod of east at lb.example only" in problem.what
    assert "MutatingWebhookConfigurationPatch prod-west-injector" not in recording


@pytest.mark.parametrize("remotes", [1, 5, 20])
def test_each_remote_adds_as_many_resources_as_the_first(remotes: int) -> None:
    def size(number: int) -> int:
        flat = {"network": "vpc"}
        served_by = {**flat, "primary": "east"}
        return len(record(a_program(clusters={"east": flat, **{f"r{n}": served_by for n in range(number)}})).rows)

    assert size(remotes + 1) - size(remotes) == 20


def test_turning_a_remote_into_a_primary_keeps_what_both_have_under_one_urn() -> None:
    before, after = served(), record(a_program(clusters={"east": SERVED["east"], "west": SERVED["east"]}))
    for shared in (
        "Namespace prod-west-namespace",
        "Release prod-west-crds",
        "Chart prod-west-base",
        "Chart prod-west-istiod",
    ):
        assert before.ancestors(shared) == after.ancestors(shared)
    webhook = "MutatingWebhookConfigurationPatch prod-west-injector"
    assert before.ancestors(webhook) == after.ancestors(webhook)


def test_a_failing_endpoint_is_left_by_a_rule_of_each_primary_if_that_is_asked_for() -> None:
    rows = record(a_program(clusters=SERVED_APART, failover=True))
    assert [row.name for row in rows if row.short.startswith("DestinationRule")] == ["prod-east-failover"]
    assert "DestinationRule prod-east-failover" not in served_apart()


# Words for a cluster's place in the mesh


def test_a_conflict_over_the_place_of_a_cluster_is_explained() -> None:
    error = 'Apply failed with 1 conflict: conflict with "pulumi-kubernetes-1": .metadata.annotations.istio-mesh/member'
    text = taken_text("west", "p/s/prod/west", error)
    assert text
    assert text.startswith("cluster west: it is a member of a mesh already, under another name than p/s/prod/west.\n")
    assert "docs/operations.md#rename-a-cluster" in text


def test_a_conflict_over_anything_else_is_told_how_to_end_it() -> None:
    text = taken_text(
        "west", "p/s/prod/west", "Apply failed with 1 conflict: .metadata.labels.topology.istio.io/network"
    )
    assert text
    assert "kubectl patch namespace istio-system --type=json" in text


def test_another_error_is_left_alone() -> None:
    assert taken_text("west", "p/s/prod/west", "connection refused") is None


@both
def test_every_object_but_the_namespace_is_written_under_one_name_in_every_run(mesh: Any) -> None:
    for row in mesh():
        if not row.of_kubernetes or "metadata" not in row.inputs:
            continue
        annotations = revealed(row.inputs["metadata"]).get("annotations", {})
        manager = annotations.get("pulumi.com/patchFieldManager")
        cluster = row.name.split("-")[1]
        # The namespace is guarded by its conflicts, and a patch is another writer of an object that is there.
        own = row.name.endswith("-namespace") or "Patch " in row.short
        assert manager == (None if own else f"istio-mesh-prod-{cluster}"), row.short


def place(network: str, primary: str | None = None) -> dict[str, Any]:
    """The inputs of a cluster's namespace."""
    annotations = {"topology.istio.io/controlPlaneClusters": primary} if primary else {}
    return {"metadata": {"labels": {"topology.istio.io/network": network}, "annotations": annotations}}


def test_a_move_to_another_network_is_said_with_what_it_means_for_pods_that_run() -> None:
    (text,) = changes("west", place("vpc"), place("lab"))
    assert text.startswith("cluster west moves from network vpc to network lab.")
    assert "restart every workload" in text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("east", None, "by an istiod of its own instead of east"),
        (None, "east", "by east instead of its own istiod"),
        ("east", "plant", "by plant instead of east"),
    ],
)
def test_a_change_of_who_serves_a_cluster_is_said(old: str | None, new: str | None, said: str) -> None:
    (text,) = changes("west", place("vpc", old), place("vpc", new))
    assert text.startswith(f"cluster west will be served {said}.")


def test_nothing_is_said_of_a_cluster_that_stays_where_it_is() -> None:
    assert changes("west", place("vpc", "east"), place("vpc", "east")) == []
