"""A mesh that works has no findings; each way to break it for real is told first, with what follows from it.

By what `istio-mesh verify` does; and `up` ends well only where the mesh works, and says which pair does not, at which
step, and why. One mesh serves the whole file: c1 and c2 on one network, c4 alone. Gates run again when asked for by
name, as after any change of what they prove.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab import Cluster, LabError
from lab.stack import Stack, by_operation
from pulumi_istio_mesh.checks.findings import Cause
from pulumi_istio_mesh.checks.outcome import Outcome, judged
from pulumi_istio_mesh.live.verify import Access, connected, look
from pulumi_istio_mesh.topology.load import parse_topology, read_mesh_file

from . import breakages as broken
from .conftest import MIXED, AStack, declare, in_core, taken_down
from .observe import eventually, objects

later = pytest.mark.extended("an address that changes is in the plan of gates, which needs no cluster")
LAB = MIXED
SECONDS = 10
"""How long a gate waits for what it expects."""
FLAT = {"network": "datacentre"}
MEMBERS: dict[str, dict[str, Any]] = {
    "c1": {**FLAT, "pod_cidr": "10.11.0.0/16"},
    "c2": {**FLAT, "pod_cidr": "10.12.0.0/16"},
    "c4": {},
}


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster], tmp_path_factory: pytest.TempPathFactory) -> Iterator[broken.Mesh]:
    stack = a_stack("breakages", MEMBERS)
    declared(stack)
    with taken_down(lab, stack):
        stack.up()
        yield broken.Mesh(stack, lab, tmp_path_factory.mktemp("breakages"))


def declared(stack: Stack, **changed: dict[str, Any]) -> None:
    members = {name: {**facts, **changed.get(name, {})} for name, facts in MEMBERS.items()}
    declare(stack, members, trust_domain="breakages.internal", verify={"timeout_seconds": SECONDS})


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


@pytest.mark.parametrize(
    "times", [3, pytest.param(20, marks=pytest.mark.extended("what the core shows of the first times"))]
)
def test_a_healthy_mesh_has_no_findings_and_says_so_each_time(mesh: broken.Mesh, times: int) -> None:
    for _ in range(times):
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


def again(*clusters: str) -> list[str]:
    """Flags that run the gates of these clusters again."""
    return [flag for name in clusters for flag in ("--replace", f"**::horizon-{name}-mesh")]


def said(stack: Stack, *flags: str) -> str:
    """What an `up` that must fail prints."""
    with pytest.raises(LabError) as failed:
        stack.up(*flags)
    return str(failed.value)


def jobs(lab: dict[str, Cluster]) -> dict[str, str]:
    """When each gate ran."""
    return {
        f"{name} {job['metadata']['name']}": job["metadata"]["uid"]
        for name in MEMBERS
        for job in objects(lab[name], "jobs", "--namespace=istio-mesh-verify")
    }


def test_running_again_runs_no_gate(mesh: broken.Mesh, lab: dict[str, Cluster]) -> None:
    before = jobs(lab)
    assert set(before) == {f"{name} {job}" for name in MEMBERS for job in ("api-servers", "mesh")}
    mesh.stack.up("--expect-no-changes")
    assert jobs(lab) == before


@later
def test_another_gateway_address_runs_the_gates_of_those_that_dial_it(
    mesh: broken.Mesh, lab: dict[str, Cluster]
) -> None:
    before = jobs(lab)
    # The node's own address leads to the Service too.
    declared(mesh.stack, c4={"east_west_gateway": {"address": lab["c4"].node_address, "type": "NodePort"}})
    replaced = {name for operation, found in by_operation(mesh.stack.preview()).items() for name in found
                if operation == "replace"}  # fmt: skip
    assert replaced == {"horizon-c1-mesh", "horizon-c2-mesh"}
    mesh.stack.up()
    changed = {name for name, uid in jobs(lab).items() if before[name] != uid}
    assert changed == {"c1 mesh", "c2 mesh"}
    declared(mesh.stack)
    mesh.stack.up()


FAILURES: dict[str, tuple[broken.Break, str, str]] = {
    "15443 filtered": (broken.gateway_port_filtered, "c1 to c4: the connection", "gateway-unreachable"),
    "flat network without a route": (broken.route_removed, "c1 to c2: the connection", "pods-unreachable"),
    "PeerAuthentication DISABLE": (
        broken.mtls_disabled_on_the_target, "c4 to c1: the caller's endpoints", "no-endpoints",
    ),
    "another root in one cluster": (broken.another_root, "c1 to c4: TLS", "certificate-refused"),
    "secret missing in one direction": (
        broken.secret_missing_in_one_direction, "c1 to c4: istiod's view", "istiod-not-synced",
    ),
    "TLS ended before the gateway": (broken.tls_ended_before_the_gateway, "c1 to c4: TLS", "gateway-tls-ended"),
}  # fmt: skip


@pytest.mark.parametrize("failure", in_core(FAILURES, "15443 filtered"))
def test_a_gate_names_pair_step_and_cause_within_its_time(mesh: broken.Mesh, failure: str) -> None:
    make, sentence, slug = FAILURES[failure]
    with make(mesh):
        started = time.monotonic()
        caller = sentence.split()[0]
        text = said(mesh.stack, *again(caller))
        took = time.monotonic() - started
        first = text[text.index(f"error: {caller} to ") :]
        assert first.startswith(f"error: {sentence}: expected "), first[:400]
        assert f"see: docs/checks.md#{slug}" in first[: first.index("see:") + 80]
        # Scheduling, the proxy's start and Pulumi's own start come on top; nothing waits for a longer deadline.
        assert took < SECONDS + 60
    # The rest of the mesh stays, and the next run tries again.
    eventually(lambda: ended_well(mesh.stack), bool, seconds=120)


def ended_well(stack: Stack) -> bool:
    try:
        stack.up()
    except LabError:
        return False
    return True


@later
@pytest.mark.parametrize(
    ("facts", "slug"),
    [
        ({"api_server": "https://172.31.0.250:6443"}, "api-server-unreachable"),
        ({"api_server_tls_name": "somebody.else"}, "api-server-untrusted"),
    ],
)
def test_no_istiod_is_told_of_an_api_server_that_its_pods_cannot_reach(
    mesh: broken.Mesh, lab: dict[str, Cluster], facts: dict[str, str], slug: str
) -> None:
    def secret() -> str:
        at = "jsonpath={.metadata.resourceVersion}"
        return lab["c1"].kubectl("-n", "istio-system", "get", "secret", "istio-remote-secret-c4", "-o", at)

    before = secret()
    declared(mesh.stack, c4=facts)
    text = said(mesh.stack)
    assert f"docs/checks.md#{slug}" in text
    assert "c1 to c4: " in text
    assert secret() == before
    declared(mesh.stack)
    mesh.stack.up()
