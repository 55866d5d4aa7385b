"""A mesh that works has no findings; each way to break it for real is told first, with what follows from it.

By what `istio-mesh verify` does; what the gates of `up` say is in test_gates.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab import Cluster
from pulumi_istio_mesh.checks.findings import Cause
from pulumi_istio_mesh.checks.outcome import Outcome, judged
from pulumi_istio_mesh.live.verify import Access, connected, look
from pulumi_istio_mesh.topology.load import parse_topology, read_mesh_file

from . import breakages as broken
from .conftest import MIXED, AStack, declare, in_core, taken_down
from .observe import eventually

LAB = MIXED
FLAT = {"network": "datacentre"}
MEMBERS: dict[str, dict[str, Any]] = {
    "c1": {**FLAT, "pod_cidr": "10.11.0.0/16"},
    "c2": {**FLAT, "pod_cidr": "10.12.0.0/16"},
    "c4": {},
}


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster], tmp_path_factory: pytest.TempPathFactory) -> Iterator[broken.Mesh]:
    stack = a_stack("breakages", MEMBERS)
    declare(stack, MEMBERS, trust_domain="breakages.internal", verify={"timeout_seconds": 10})
    with taken_down(lab, stack):
        stack.up()
        yield broken.Mesh(stack, lab, tmp_path_factory.mktemp("breakages"))


def looked(mesh: broken.Mesh) -> Outcome:
    """What `istio-mesh verify` finds, without the seconds that pulumi's export of the stack takes each time."""
    (tree,) = read_mesh_file(mesh.stack.program / "mesh.yaml").meshes.values()
    access = {name: Access(mesh[name].kubeconfig) for name in MEMBERS}
    servers = {name: mesh[name].api_server for name in MEMBERS}
    return judged(asyncio.run(look(parse_topology(tree), connected(access), servers=servers)))


def where(cause: Cause) -> str:
    found = cause.finding
    return f"{found.slug} {found.cluster}" + (f" to {found.peer}" if found.peer else "")


def healthy(mesh: broken.Mesh) -> None:
    eventually(lambda: list(map(where, looked(mesh).causes)), lambda found: found == [], seconds=120)


BREAKAGES: dict[str, tuple[broken.Break, list[str], set[str]]] = {
    "gateway without an address": (broken.gateway_without_address, ["gateway-no-address c4"], {"raw-pod-address"}),
    "gateway Service selects nothing": (broken.gateway_service_selects_nothing, ["gateway-no-pods c4"], set()),
    "gateway without pods": (broken.gateway_without_pods, ["gateway-no-pods c4"], {"gateway-unreachable"}),
    "gateway rule selects nothing": (
        broken.gateway_rule_selects_nothing, ["gateway-not-listening c4"], set(),
    ),
    "revoked token": (broken.revoked_token, ["reader-token-refused c1 to c4"], set()),
    "wrong API address": (
        broken.wrong_api_address, ["api-server-differs c1 to c4"], {"api-server-unreachable"},
    ),
    "wrong CA in a secret": (broken.wrong_authority_in_a_secret, ["api-server-untrusted c1 to c4"], set()),
    "secret missing in one direction": (
        broken.secret_missing_in_one_direction, ["remote-secret-missing c1 to c4"],
        {"istiod-not-synced", "service-unknown"},
    ),
    "another root in one cluster": (broken.another_root, ["roots-differ c4"], {"certificate-refused"}),
    "expired intermediate": (broken.expired_intermediate, ["certificate-expired c4"], set()),
    "intermediate of another root": (
        broken.intermediate_of_another_root, ["istiod-authority c4"], {"istiod-down", "webhook-unreachable"},
    ),
    "wrong network label": (broken.wrong_network_label, ["network-differs c4"], set()),
    "wrong network in istiod": (broken.wrong_network_in_istiod, ["network-differs c4"], set()),
    "replica that does not see a remote": (
        broken.replica_that_sees_nothing, ["istiod-not-synced c1 to c4"], set(),
    ),
    "flat network without a route": (
        broken.route_removed, ["pods-unreachable c1 to c2", "pods-unreachable c2 to c1"], set(),
    ),
    "15443 filtered": (
        broken.gateway_port_filtered, ["gateway-unreachable c1 to c4", "gateway-unreachable c2 to c4"], set(),
    ),
    "15017 filtered": (broken.webhook_port_filtered, ["webhook-unreachable c4"], set()),
    "TLS ended before the gateway": (
        broken.tls_ended_before_the_gateway, ["gateway-tls-ended c1 to c4"], set(),
    ),
    "PeerAuthentication DISABLE": (broken.mtls_disabled_on_the_target, ["mtls-disabled c4"], {"no-endpoints"}),
    "DestinationRule tls DISABLE": (
        broken.destination_rule_without_tls, ["destination-rule-tls c1"], {"no-endpoints"},
    ),
    "target without a sidecar": (broken.target_without_a_sidecar, ["sidecar-missing c4"], {"no-endpoints"}),
    "same Service, other ports": (broken.same_service_with_other_ports, ["service-differs c4"], set()),
    "headless across networks": (broken.headless_across_networks, ["service-headless c4"], set()),
    "API server down": (broken.api_server_down, ["cluster-unreachable c4"], {"api-server-unreachable"}),
    "istiod scaled to zero": (broken.istiod_scaled_to_zero, ["istiod-down c4"], {"webhook-unreachable"}),
}  # fmt: skip


SHOWN = ("revoked token", "another root in one cluster", "flat network without a route", "15443 filtered")


def test_a_healthy_mesh_has_no_findings_and_says_so_each_time(mesh: broken.Mesh) -> None:
    for _ in range(20):
        outcome = looked(mesh)
        assert (outcome.fatal, outcome.causes) == (False, ())
        assert [row for row in outcome.rows if row.status != "passed"] == []


def test_the_command_says_so_of_a_stack_too(mesh: broken.Mesh) -> None:
    """With what differs from the stack: nothing; and it changes none of it when an object is edited by hand."""

    def verified() -> tuple[int, dict[str, Any]]:
        done = mesh.stack.command("istio-mesh", "verify", f"--stack={mesh.stack.name}", "--json")
        assert done.stderr == ""
        return done.returncode, json.loads(done.stdout)

    code, outcome = verified()
    assert (code, outcome["works"], outcome["causes"]) == (0, True, [])
    assert {check["status"] for check in outcome["checks"]} == {"passed"}
    assert "object-differs" in {check["slug"] for check in outcome["checks"]}
    edited = {"metadata": {"labels": {"app": "edited"}}}
    back = {"metadata": {"labels": {"app": "istio-eastwestgateway"}}}
    with broken.patched(mesh["c4"], broken.SYSTEM, "service", "istio-eastwestgateway", edited, back):
        code, outcome = verified()
        (cause,) = outcome["causes"]
        assert (code, cause["slug"], cause["cluster"]) == (0, "object-differs", "c4")
        assert cause["what"].startswith("the east-west gateway: Service istio-system/istio-eastwestgateway: metadata.")


@pytest.mark.parametrize("breakage", in_core(BREAKAGES, *SHOWN))
def test_what_is_broken_is_told_first_and_what_follows_under_it(mesh: broken.Mesh, breakage: str) -> None:
    make, expected, consequences = BREAKAGES[breakage]
    with make(mesh):

        def right(outcome: Outcome) -> bool:
            told = list(map(where, outcome.causes))
            following = {each.slug for cause in outcome.causes for each in cause.consequences}
            return told[: len(expected)] == expected and consequences <= following

        outcome = eventually(lambda: looked(mesh), right, seconds=90)
        # Nothing else that breaks the mesh is told as if it were a cause of its own.
        assert [where(cause) for cause in outcome.causes[len(expected) :] if cause.fatal] == []
    healthy(mesh)
