"""What a mesh tells the program around it."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from pulumi_istio_mesh.components import messages
from pulumi_istio_mesh.components.arguments import RefusedTopology
from pulumi_istio_mesh.pictures.mermaid import mermaid
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.plan.words import words
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree
from .meshes import FLAT, a_program, outputs
from .recorder import GATEWAY_ADDRESS, record, revealed


def ingress(**address: str) -> dict[str, Any]:
    """How the mock cloud answers for each load balancer."""
    return {"status": {"loadBalancer": {"ingress": [address]}}}


def test_a_mesh_tells_its_id_its_trust_domain_and_who_reads_whom() -> None:
    found = outputs()
    assert (found["mesh_id"], found["trust_domain"]) == ("prod", "prod.internal")
    assert found["remote_secrets"] == ["east reads west", "west reads east"]


@pytest.mark.parametrize(
    ("options", "address"),
    [
        (ingress(ip="198.51.100.9"), "198.51.100.9"),
        (ingress(hostname="lb.example"), "lb.example"),
    ],
    ids=["an address", "a host name"],
)
def test_a_gateway_is_what_its_load_balancer_got(options: dict[str, Any], address: str) -> None:
    assert outputs(options)["gateways"] == {"east": address, "west": address}


@pytest.mark.parametrize("status", [{}, {"loadBalancer": {}}, {"loadBalancer": {"ingress": []}}])
def test_a_gateway_that_is_its_nodes_has_no_address_of_its_own(status: dict[str, Any]) -> None:
    clusters = {
        "east": {"east_west_gateway": {"type": "NodePort"}},
        "west": {"east_west_gateway": {"type": "NodePort"}},
    }
    assert outputs({"status": status}, clusters=clusters)["gateways"] == {}


def test_a_given_address_is_told_and_is_where_istiods_read_it() -> None:
    clusters = {"east": {"east_west_gateway": {"type": "NodePort", "address": "203.0.113.7"}}, "west": {}}
    assert outputs(clusters=clusters)["gateways"] == {"east": "203.0.113.7", "west": GATEWAY_ADDRESS}
    spec = record(a_program(clusters=clusters))["Service prod-east-east-west"].inputs["spec"]
    assert (spec["type"], spec["externalIPs"]) == ("NodePort", ["203.0.113.7"])


def test_clusters_on_one_network_have_no_gateway_to_tell_of() -> None:
    assert outputs(clusters=FLAT)["gateways"] == {}


def test_one_switch_makes_every_cluster_refuse_plaintext() -> None:
    for mtls, mode in (("strict", "STRICT"), ("permissive", "PERMISSIVE")):
        recording = record(a_program(mtls=mtls), preview=True)
        for cluster in ("east", "west"):
            assert recording[f"PeerAuthentication prod-{cluster}-mtls"].inputs["spec"] == {"mtls": {"mode": mode}}


@pytest.mark.parametrize(
    ("source", "chart"),
    [
        (
            None,
            {
                "chart": "istiod",
                "version": "1.31.1",
                "repositoryOpts": {"repo": "https://blob.istio.io/istio-release/charts"},
            },
        ),
        ("oci://registry.example/charts", {"chart": "oci://registry.example/charts/istiod", "version": "1.31.1"}),
    ],
    ids=["istio's own", "a registry"],
)
def test_charts_come_from_where_the_mesh_says(source: str | None, chart: dict[str, Any]) -> None:
    inputs = record(a_program(chart_source=source), preview=True)["Chart prod-east-istiod"].inputs
    assert {key: inputs[key] for key in ("chart", "version", "repositoryOpts") if key in inputs} == chart
    assert (inputs["name"], inputs["namespace"]) == ("istiod", "istio-system")


def test_a_chart_gets_the_values_of_its_cluster() -> None:
    recording = record(a_program(values={"istiod": {"autoscaleMin": 2}}), preview=True)
    for cluster in ("east", "west"):
        values = revealed(recording[f"Chart prod-{cluster}-istiod"].inputs["values"])
        assert values["autoscaleMin"] == 2
        assert values["global"]["multiCluster"] == {"clusterName": cluster}


def test_a_preview_sums_up_the_plan_in_one_note_and_a_run_says_nothing() -> None:
    (note,) = record(a_program(), preview=True).notes
    assert note.startswith("2 clusters on 2 networks, 2 east-west gateways, 2 remote secrets, Istio 1.31.1; about ")
    assert record(a_program()).notes == []


def test_the_plan_is_an_output_in_words_and_as_a_picture() -> None:
    found = outputs()
    plan = plan_mesh(parse_topology(mesh_tree()))
    assert found["picture"] == mermaid(plan)
    assert all(line in found["summary"] for line in words(plan))


EVIL = "x\n::set-output name=x::y\r\x1b[31m\x00\u2028\u202e##[group]a | `b` @acme"
IMAGE = EVIL.replace("@", "")
"""What stands before an @ in the name of an image is taken for a user's password, and refused."""


def test_no_text_of_a_mesh_speaks_in_what_a_program_tells() -> None:
    clusters = {
        "east": {"east_west_gateway": {"load_balancer_class": EVIL}, "api_server": "https://192.0.2.1:6443"},
        "west": {"values": {"istiod": {EVIL: EVIL}}},
    }
    for preview in (True, False):
        recording = record(a_program(clusters=clusters, verify={"image": IMAGE}), preview=preview)
        assert recording.error is None
        for text in [*recording.log, *recording.notes]:
            assert_seen(text)
    found = outputs(clusters=clusters, verify={"image": IMAGE})
    assert_seen(found["summary"])
    assert_seen(found["picture"])


def test_a_refusal_of_a_program_says_nothing_of_its_own() -> None:
    with pytest.raises(RefusedTopology) as refused:
        record(a_program(clusters={"east": {EVIL: 1}, EVIL: {}}, mtls=EVIL, **{EVIL: EVIL}))
    assert_seen(str(refused.value))


def assert_seen(text: str) -> None:
    """Nothing is hidden in it, and no line is a command to a log."""
    assert [one for one in text if not one.isprintable() and one != "\n"] == []
    assert "##[" not in text
    assert not [line for line in text.split("\n") if line.lstrip().startswith("::")]


@pytest.mark.parametrize("tell", [messages.info, messages.warn, messages.error])
def test_what_a_program_logs_is_seen(tell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    for kind in ("info", "warn", "error"):
        monkeypatch.setattr(pulumi.log, kind, lambda text, about: told.append(text))
    tell(f"cluster {EVIL}\n  of ours")
    (text,) = told
    assert_seen(text)
    assert text.endswith("\n  of ours")
