"""`up` ends well only where the mesh works, and says which pair does not, at which step, and why.

The mesh of test_breakages: c1 and c2 on one network, c4 alone. Gates run again when asked for by name, as after any
change of what they prove.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab import Cluster, LabError
from lab.stack import Stack, by_operation

from . import breakages as broken
from .conftest import MIXED, AStack, declare, in_core, taken_down
from .observe import eventually, objects
from .test_breakages import MEMBERS

later = pytest.mark.extended("an address that changes is in the plan of gates, which needs no cluster")
LAB = MIXED
SECONDS = 10


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster], tmp_path_factory: pytest.TempPathFactory) -> Iterator[broken.Mesh]:
    stack = a_stack("gates", MEMBERS)
    declared(stack)
    with taken_down(lab, stack):
        stack.up()
        yield broken.Mesh(stack, lab, tmp_path_factory.mktemp("gates"))


def declared(stack: Stack, **changed: dict[str, Any]) -> None:
    members = {name: {**facts, **changed.get(name, {})} for name, facts in MEMBERS.items()}
    declare(stack, members, trust_domain="breakages.internal", verify={"timeout_seconds": SECONDS})


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


@pytest.mark.parametrize("failure", in_core(FAILURES, "15443 filtered", "another root in one cluster"))
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
