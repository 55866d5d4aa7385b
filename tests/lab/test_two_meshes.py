"""Two meshes as two stacks, as examples/two-meshes has them: what is exported may be called, and nothing else.

mesh-a on c1, mesh-b on c2 and c3, no route between them, no secret of one in the other. Tests run in order. What
another organisation would do, taking an identity or going round its own program, is done here by hand.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import Cluster, LabError, Shape, sample
from lab.stack import Stack, by_operation
from pulumi_istio_mesh.istio.certificates import NAMES_SINCE

from .breakages import Mesh as Broken, applied, authority, new_authority, patched, root_key
from .conftest import EXAMPLES, AStack, taken_down
from .forgery import SNI, dialled, minted, wide_root
from .observe import calling, endpoints, eventually, names, objects, restarts

later = pytest.mark.extended("the border holds in the core; what goes and comes beside it takes as long again")
LAB = Shape(3)
A, B = ("c1",), ("c2", "c3")
GATEWAY = "istio-federationgateway"
IMPORTED = f"http://hello.sample.mesh-a.internal:{sample.PORT}/cgi-bin/hello"
OF_B = f"http://hello.sample.mesh-b.internal:{sample.PORT}/cgi-bin/hello"
OWN = f"http://hello.sample:{sample.PORT}/cgi-bin/hello"
CLIENT, HELLO = "spiffe://mesh-b.internal/ns/sample/sa/client", "spiffe://mesh-a.internal/ns/sample/sa/hello"
BEFORE = "before.internal"
"""A trust domain that mesh-a had before: its identities still count as its own."""
NEXT_OF_B = {"issued": NAMES_SINCE.isoformat(), "generation": "next"}
ROOT_OF_A = {"issued": "2026-11-23", "trust_domains": ["mesh-a.internal", BEFORE]}
FAST = 5.0
"""Seconds within which a call that can't arrive is to fail: a connection is given up after three."""


@dataclass
class Meshes:
    a: Stack
    b: Stack
    first: str
    """What the first run said, before the other mesh was there."""

    def declare(self, stack: Stack, **changes: Any) -> None:
        """Write a stack's mesh.yaml: the example's, with facts changed; `...` leaves one out."""
        tree = yaml.safe_load((EXAMPLES / "two-meshes" / f"{stack.program.name}" / "mesh.yaml").read_text())
        if stack is self.a:
            tree |= {"trust": {"roots": [ROOT_OF_A]}, "trust_domain_aliases": [BEFORE]}
        facts = {key: value for key, value in {**tree, **changes}.items() if value is not ...}
        if "mesh-a" in (peers := facts.get("peers", {})):
            peers["mesh-a"]["trust_domain_aliases"] = [BEFORE]
        (stack.program / "mesh.yaml").write_text(yaml.safe_dump(facts))


@pytest.fixture(scope="module")
def meshes(a_stack: AStack, lab: dict[str, Cluster], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meshes]:
    folder = EXAMPLES / "two-meshes"
    stacks = {"mesh-a": a_stack("fed", A, folder / "mesh-a"), "mesh-b": a_stack("fed", B, folder / "mesh-b")}
    for name, peer in (("mesh-a", "mesh-b"), ("mesh-b", "mesh-a")):
        named = stacks[name].program.parent / name
        stacks[name].program.rename(named)
        stacks[name].program = named
        stacks[name].run("config", "set", "peerStack", f"organization/{peer}/fed")
    with taken_down(lab, *stacks.values()):
        found = Meshes(stacks["mesh-a"], stacks["mesh-b"], first="")
        found.declare(found.a)
        found.declare(found.b)
        found.first = found.a.up()
        found.b.up()
        found.a.up()
        sample.deploy((lab[name] for name in (*A, *B)), ("c1", "c2"))
        for name in B:
            eventually(lambda name=name: sample.call(lab[name], IMPORTED).status, lambda status: status == 200)
        yield found


def minted_by_b(meshes: Meshes, folder: Path, uri: str) -> list[str]:
    """Sign a leaf for an identity by the root of mesh-b."""
    return minted(root_key(meshes.b), meshes.b.outputs()["offers"]["mesh-a"]["roots"], folder, uri)


def shown(gateway: str, sni: str) -> str:
    """Ask a gateway for a Service as a proxy would, and return what openssl says of who is behind it."""
    asked = f"timeout 10 openssl s_client -connect {gateway}:15443 -servername {sni} -alpn istio </dev/null 2>&1"
    command = f"{asked} | tee /dev/stderr | openssl x509 -noout -ext subjectAltName"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


def forged_import(host: str, sni: str, address: str, identity: str, port: int = 15443) -> list[dict[str, Any]]:
    """What a mesh can write for itself, whatever its program refuses."""
    metadata = {"name": "forged", "namespace": "sample"}
    entry = {
        "hosts": [host],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [{"number": sample.PORT, "name": "http", "protocol": "HTTP"}],
        "endpoints": [{"address": address, "ports": {"http": port}, "labels": {"security.istio.io/tlsMode": "istio"}}],
    }
    tls = {"mode": "ISTIO_MUTUAL", "sni": sni, "subjectAltNames": [identity]}
    rule = {"host": host, "trafficPolicy": {"portLevelSettings": [{"port": {"number": sample.PORT}, "tls": tls}]}}
    api = "networking.istio.io/v1"
    return [
        {"apiVersion": api, "kind": "ServiceEntry", "metadata": metadata, "spec": entry},
        {"apiVersion": api, "kind": "DestinationRule", "metadata": metadata, "spec": rule},
    ]


def test_the_first_run_goes_on_without_the_other_mesh_and_says_so(meshes: Meshes) -> None:
    assert "peer mesh-b: its offer is not there" in meshes.first


def test_an_exported_service_answers_in_each_cluster_of_the_other_mesh(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    for name in B:
        answer = sample.call(lab[name], IMPORTED)
        assert (answer.status, answer.cluster) == (200, "c1")
        assert f"By={HELLO};" in answer.certificate
        assert answer.certificate.endswith(f"URI={CLIENT}")


def test_the_other_mesh_knows_the_gateway_and_no_pod(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    address = meshes.a.outputs()["offers"]["mesh-b"]["gateways"]["c1"]["address"]
    for name in B:
        assert endpoints(lab[name], "hello.sample.mesh-a.internal") == {f"{address}:15443"}


def test_no_secret_of_one_mesh_is_in_the_other(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    label = "--selector=istio/multiCluster=true"
    assert names(lab["c1"], "secrets", "--all-namespaces", label) == set()
    assert names(lab["c2"], "secrets", "--all-namespaces", label) == {"istio-remote-secret-c3"}
    for stack in (meshes.a, meshes.b):
        assert "PRIVATE KEY" not in json.dumps(stack.outputs())


def test_an_account_that_is_not_named_is_refused_by_the_service(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    sample.add_client(lab["c2"], "other")
    answer = eventually(lambda: sample.call(lab["c2"], IMPORTED, client="other"), lambda seen: seen.status != 0)
    assert (answer.status, answer.error) == (403, "RBAC: access denied")


def test_a_namespace_that_is_not_named_does_not_know_the_service(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    sample.add_client(lab["c2"], "client", "elsewhere")
    try:
        answer = sample.call(lab["c2"], IMPORTED, namespace="elsewhere")
        assert answer.status == 0
        assert "Could not resolve host" in answer.error
    finally:
        lab["c2"].kubectl("delete", "namespace", "elsewhere")


def test_a_service_that_is_not_exported_is_not_passed_on(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    lab["c1"].kubectl("-n", "sample", "expose", "deployment/hello", "--name=hidden", f"--port={sample.PORT}")
    address = meshes.a.outputs()["offers"]["mesh-b"]["gateways"]["c1"]["address"]
    sni, host = SNI.replace("hello", "hidden"), "hidden.sample.mesh-a.internal"
    with applied(lab["c2"], *forged_import(host, sni, address, HELLO)):
        url = f"http://{host}:{sample.PORT}/cgi-bin/hello"
        eventually(lambda: sample.call(lab["c2"], url).status, lambda status: status == 503)
    assert "CN = mesh-a intermediate" in shown(address, SNI)
    assert "no peer certificate available" in shown(address, sni)


def test_a_service_with_another_identity_is_not_called(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    stranger, hello = ({"spec": {"template": {"spec": {"serviceAccountName": name}}}} for name in ("client", "hello"))
    with patched(lab["c1"], "sample", "deployment", "hello", stranger, hello):
        sample.rolled_out(lab["c1"], "hello")
        # Envoy keeps to itself why it refused; what it met is seen from outside.
        address = meshes.a.outputs()["offers"]["mesh-b"]["gateways"]["c1"]["address"]
        eventually(lambda: shown(address, SNI), lambda seen: "URI:spiffe://mesh-a.internal/ns/sample/sa/client" in seen)
        eventually(lambda: [sample.call(lab["c2"], IMPORTED).status for _ in range(5)], lambda seen: seen == [503] * 5)
    sample.rolled_out(lab["c1"], "hello")
    eventually(lambda: sample.call(lab["c2"], IMPORTED).status, lambda status: status == 200)


def test_plaintext_is_refused(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    address = meshes.a.outputs()["offers"]["mesh-b"]["gateways"]["c1"]["address"]
    assert sample.call(lab["c2"], f"http://{address}:15443/", client="plain").status == 0
    pod = sample.pod_address(lab["c1"])
    assert sample.call(lab["c1"], f"http://{pod}:{sample.PORT}/cgi-bin/hello", client="plain").status == 0


def test_an_identity_of_this_mesh_minted_by_the_other_ones_root_is_refused(meshes: Meshes, tmp_path: Path) -> None:
    """The same root, the same way: it may vouch for its own trust domain, and for no other."""
    address = meshes.a.outputs()["offers"]["mesh-b"]["gateways"]["c1"]["address"]
    honest = dialled(address, minted_by_b(meshes, tmp_path, CLIENT))
    assert "HTTP/1.1 200 OK" in honest, honest
    certificate = minted_by_b(meshes, tmp_path, "spiffe://mesh-a.internal/ns/sample/sa/client")
    # Several: a connection that is closed right after its alert may end before the alert has come through the gateway.
    forged = [dialled(address, certificate) for _ in range(5)]
    assert not any("HTTP/1.1" in seen for seen in forged)
    assert any("alert" in seen for seen in forged), forged


def test_an_identity_of_this_mesh_as_a_dns_name_is_refused(meshes: Meshes, tmp_path: Path) -> None:
    """Name constraints of URIs leave DNS names alone, and Envoy compares both with the names of identities."""
    address = meshes.a.outputs()["offers"]["mesh-b"]["gateways"]["c1"]["address"]
    found = {}
    for name in ("mesh-a.internal/ns/sample/sa/client", "mesh-b.internal/ns/sample/sa/client"):
        for kind in ("DNS", "email"):
            certificate = minted_by_b(meshes, tmp_path, f"{kind}:spiffe://{name}")
            found[f"{kind} {name}"] = _answer(dialled(address, certificate))
    assert set(found.values()) <= {"refused", "403"}, found


WIDE = ("mesh-b.internal", "evil.internal", BEFORE)
"""What a root of mesh-b may vouch for that wants to be anybody."""


def test_a_root_for_more_than_its_own_mesh_is_refused_when_it_is_offered(meshes: Meshes) -> None:
    """At once, while the clusters are still looked at: such a program once never ended."""
    program = meshes.a.program / "__main__.py"
    honest = program.read_text()
    offer = {**meshes.b.outputs()["offers"]["mesh-a"], "roots": wide_root("mesh-b", *WIDE)[1]}
    try:
        program.write_text(honest.replace('peer.get_output("offers")', repr(offer)))
        with pytest.raises(LabError) as refused:
            meshes.a.preview()
    finally:
        program.write_text(honest)
    assert f"may vouch for {BEFORE}" in str(refused.value)
    assert "docs/checks.md#foreign-roots-unconstrained" in str(refused.value)


@contextmanager
def forced(cluster: Cluster, root: str, *domains: str) -> Iterator[None]:
    """A root that is trusted for some trust domains, written past the program."""
    (found,) = (one for one in objects(cluster, "configmaps") if one["metadata"]["name"] == "istio-shared-mesh-config")
    was, trusted = found["data"]["mesh"], json.loads(found["data"]["mesh"])
    trusted["caCertificates"].append({"pem": root, "trustDomains": list(domains)})
    kept = {key: found["metadata"].get(key) or {} for key in ("labels", "annotations")}
    # In the name of the program: what somebody else had written, its next run would refuse to write over.
    manager = kept["annotations"]["pulumi.com/patchFieldManager"]

    def write(mesh: str) -> None:
        metadata = {"name": "istio-shared-mesh-config", "namespace": "istio-system", **kept}
        item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mesh": mesh}}
        flags = ("--server-side", "--force-conflicts", f"--field-manager={manager}")
        cluster.kubectl("apply", *flags, "-f", "-", stdin=json.dumps(item))

    write(json.dumps(trusted))
    try:
        yield
    finally:
        write(was)


def test_a_third_identity_and_none_at_all_are_refused_even_if_the_root_is_trusted(
    meshes: Meshes, lab: dict[str, Cluster], tmp_path: Path
) -> None:
    """By TLS while its trust domain is not named, by the policy where it is; a root for our own names needs neither.

    That is why an offer with one is refused: nothing in a proxy could tell whom it signed.
    """
    old, new = wide_root("mesh-b", *WIDE), wide_root("mesh-b", *WIDE, issued=NAMES_SINCE)
    (_, root), (_, new_root) = old, new
    address = meshes.a.outputs()["offers"]["mesh-b"]["gateways"]["c1"]["address"]
    nobody = f"email:{CLIENT}"
    people = {
        "who may call": (old, CLIENT),
        "a third domain": (old, "spiffe://evil.internal/ns/sample/sa/client"),
        "nobody": (old, nobody),
        "an alias of mesh-a": (old, f"spiffe://{BEFORE}/ns/sample/sa/client"),
        "who may call, by a root that says which names it signs": (new, CLIENT),
        "nobody, by such a root": (new, nobody),
    }
    folders = {name: tmp_path / str(index) for index, name in enumerate(people)}

    def answers() -> dict[str, str]:
        return {name: _answer(dialled(address, certificate)) for name, certificate in leaves.items()}

    for folder in folders.values():
        folder.mkdir()
    leaves = {name: minted(*authority, folders[name], identity) for name, (authority, identity) in people.items()}
    assert set(answers().values()) == {"refused"}
    with forced(lab["c1"], root, "mesh-b.internal"), forced(lab["c1"], new_root, "mesh-b.internal"):
        expected = dict(zip(people, ("200", "refused", "403", "200", "200", "refused"), strict=True))
        # istiod sends roots and trust domains apart; an answer that is late on a busy machine is no refusal.
        eventually(answers, lambda seen: seen == expected)
    with forced(lab["c1"], root, "mesh-b.internal", "evil.internal"):
        expected |= {"a third domain": "403", "who may call, by a root that says which names it signs": "refused"}
        eventually(answers, lambda seen: seen == expected)
    eventually(answers, lambda seen: set(seen.values()) == {"refused"})


def _answer(seen: str) -> str:
    """What a caller without a proxy got: a status, or that it was refused before it could ask."""
    return seen.partition("HTTP/1.1 ")[2][:3] or "refused"


def test_running_again_changes_nothing_and_nothing_drifts(meshes: Meshes) -> None:
    for stack in (meshes.a, meshes.b):
        stack.refresh_changes_nothing()


@later
def test_a_second_run_changes_nothing(meshes: Meshes) -> None:
    for stack in (meshes.a, meshes.b):
        stack.up("--expect-no-changes")


FALLBACK = {"service": "hello.sample", "accounts": ["hello"]}


@later
def test_a_link_in_the_other_direction_changes_objects_and_restarts_nothing(
    meshes: Meshes, lab: dict[str, Cluster]
) -> None:
    before = {name: restarts(lab[name]) for name in A}
    port = {"ports": {"http": sample.PORT}}
    meshes.declare(
        meshes.b,
        peers={"mesh-a": {"imports": {"hello.sample": {**port, "namespaces": ["sample"], "fallback": FALLBACK}}}},
        exports={"hello.sample": {**port, "accounts": ["hello"], "callers": {"mesh-a": ["sample/*"]}}},
    )
    meshes.b.up()
    meshes.declare(
        meshes.a,
        peers={"mesh-b": {"imports": {"hello.sample": {**port, "namespaces": ["sample"], "rewrite_host": True}}}},
    )
    meshes.a.up()
    answer = eventually(lambda: sample.call(lab["c1"], OF_B), lambda seen: seen.status == 200)
    assert answer.certificate.endswith("URI=spiffe://mesh-a.internal/ns/sample/sa/client")
    # c3 has no pod of it: its gateway leads to c2's.
    addresses = {f"{found['address']}:15443" for found in meshes.b.outputs()["offers"]["mesh-a"]["gateways"].values()}
    assert len(addresses) == 2
    eventually(lambda: endpoints(lab["c1"], "hello.sample.mesh-b.internal"), lambda seen: seen == addresses)
    assert {name: restarts(lab[name]) for name in A} == before


@later
def test_through_the_cross_network_gateway_another_mesh_calls_nothing_that_is_not_exported(
    meshes: Meshes, lab: dict[str, Cluster]
) -> None:
    """The roots are trusted mesh-wide, and that gateway passes everything on: the policy keeps strangers out."""
    lab["c2"].kubectl("-n", "sample", "expose", "deployment/hello", "--name=hidden", f"--port={sample.PORT}")
    address = meshes.b.outputs()["gateways"]["c2"]
    sni, host = SNI.replace("hello", "hidden"), "hidden.sample.mesh-b.internal"
    with applied(lab["c1"], *forged_import(host, sni, address, HELLO.replace("mesh-a", "mesh-b"))):
        url = f"http://{host}:{sample.PORT}/cgi-bin/hello"
        answer = eventually(lambda: sample.call(lab["c1"], url), lambda seen: seen.status not in (0, 503))
        assert (answer.status, answer.error) == (403, "RBAC: access denied")


def scaled(cluster: Cluster, workload: str, replicas: int) -> None:
    cluster.kubectl("-n", "istio-system", "scale", f"deployment/{workload}", f"--replicas={replicas}")
    left = ("pods", "--namespace=istio-system", f"--selector=app={workload}")
    if replicas:
        sample.rolled_out(cluster, workload, "istio-system")
    else:
        eventually(lambda: objects(cluster, *left), lambda seen: seen == [])


@later
def test_a_second_gateway_takes_over_and_no_call_is_lost(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    with calling(lab["c1"], OF_B) as calls:
        time.sleep(2)
        scaled(lab["c3"], GATEWAY, 0)
        time.sleep(5)
        scaled(lab["c3"], GATEWAY, 1)
        time.sleep(2)
    calls.all_answered()


@later
def test_a_local_service_answers_while_no_gateway_of_the_exporter_does(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    def answering() -> set[str]:
        return {(answer := sample.call(lab["c2"], IMPORTED)).cluster or answer.error for _ in range(5)}

    eventually(answering, lambda seen: seen == {"c1"})
    with calling(lab["c2"], IMPORTED) as calls:
        scaled(lab["c1"], GATEWAY, 0)
        eventually(answering, lambda seen: seen == {"c2"})
        scaled(lab["c1"], GATEWAY, 1)
        eventually(answering, lambda seen: seen == {"c1"})
    calls.all_answered()


@later
def test_without_a_fallback_calls_fail_at_once_and_come_back(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    meshes.declare(meshes.b)
    meshes.b.up()
    meshes.declare(meshes.a)
    meshes.a.up()
    with calling(lab["c3"], OWN) as own:
        scaled(lab["c1"], GATEWAY, 0)
        eventually(lambda: sample.call(lab["c3"], IMPORTED).status, lambda status: status == 503)
        with calling(lab["c3"], IMPORTED) as across:
            time.sleep(8)
        assert set(across.statuses) == {"503"}, across.statuses
        assert across.slowest < FAST
        scaled(lab["c1"], GATEWAY, 1)
        eventually(lambda: sample.call(lab["c3"], IMPORTED).status, lambda status: status == 200)
    own.all_answered()


@later
def test_without_istiod_or_api_server_of_the_exporter_calls_go_on(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    with calling(lab["c3"], OWN) as own, calling(lab["c2"], IMPORTED) as across:
        scaled(lab["c1"], "istiod", 0)
        time.sleep(5)
        with lab["c1"].without_api_server():
            time.sleep(8)
        eventually(lambda: _answers(lab["c1"]), bool)
        scaled(lab["c1"], "istiod", 1)
    own.all_answered()
    across.all_answered()


def _answers(cluster: Cluster) -> bool:
    try:
        return cluster.kubectl("get", "--raw", "/readyz") == "ok"
    except LabError:
        return False


@later
def test_another_root_of_the_exporter_is_refused_and_nobody_else_notices(
    meshes: Meshes, lab: dict[str, Cluster], tmp_path: Path
) -> None:
    broken = Broken(meshes.a, lab, tmp_path)
    files, _ = new_authority("c1", "mesh-a.internal")

    def again() -> None:
        lab["c1"].kubectl("-n", "sample", "rollout", "restart", "deployment/hello")
        sample.rolled_out(lab["c1"], "hello")

    with calling(lab["c3"], OWN) as own:
        with authority(broken, "c1", files, "istiod", GATEWAY, at_the_end=("istiod", GATEWAY)):
            again()
            address = meshes.a.outputs()["offers"]["mesh-b"]["gateways"]["c1"]["address"]
            eventually(lambda: shown(address, SNI), lambda seen: "CN = other root 1" in seen)
            eventually(
                lambda: [sample.call(lab["c2"], IMPORTED).status for _ in range(5)], lambda seen: seen == [503] * 5
            )
        again()
        eventually(lambda: sample.call(lab["c2"], IMPORTED).status, lambda status: status == 200)
    own.all_answered()


@later
def test_a_root_is_rotated_and_the_other_mesh_restarts_nothing(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    before = {name: restarts(lab[name]) for name in A}
    old, new = {"issued": "2026-11-23"}, NEXT_OF_B
    for trust, looks in (
        ({"roots": [old, new], "signer": "2026-11-23"}, True),
        ({"roots": [old, new], "signer": "next"}, True),
        # Refused for a day, in which workloads may hold certificates of the old root: they are restarted here.
        ({"roots": [new]}, False),
    ):
        meshes.declare(meshes.b, trust=trust, verify={"preflight": looks})
        meshes.b.up()
        assert set(by_operation(meshes.a.preview())) <= {"read", "update"}
        meshes.a.up()
        for name in B:
            # Certificates are renewed within a day; a restarted pod gets its own at once.
            lab[name].kubectl("-n", "sample", "rollout", "restart", "deployment/client")
            sample.rolled_out(lab[name], "client")
            eventually(
                lambda name=name: [sample.call(lab[name], IMPORTED).status for _ in range(3)],
                lambda seen: seen == [200] * 3,
            )
    assert {name: restarts(lab[name]) for name in A} == before


@later
def test_one_mesh_is_destroyed_and_the_other_says_so_and_stays(meshes: Meshes, lab: dict[str, Cluster]) -> None:
    with calling(lab["c3"], OWN) as own:
        meshes.a.destroy()
        said = meshes.b.run("preview", "--non-interactive")
        assert "peer mesh-a: its offer is not there: its stack is not up yet, or is destroyed." in said
        meshes.b.up()
        answer = eventually(lambda: sample.call(lab["c3"], IMPORTED), lambda seen: seen.status == 503)
        assert "no healthy upstream" in answer.error
    own.all_answered()
    assert "istio-system" not in names(lab["c1"], "namespaces")
    # Made again it has another root, and both learn of it.
    meshes.a.up()
    meshes.b.up()
    for workload in ("hello", "client"):
        lab["c1"].kubectl("-n", "sample", "rollout", "restart", f"deployment/{workload}")
        sample.rolled_out(lab["c1"], workload)
    eventually(lambda: sample.call(lab["c3"], IMPORTED).status, lambda status: status == 200)


@later
def test_a_link_that_is_removed_leaves_no_trust_behind(meshes: Meshes, lab: dict[str, Cluster], tmp_path: Path) -> None:
    address = meshes.a.outputs()["offers"]["mesh-b"]["gateways"]["c1"]["address"]
    meshes.declare(meshes.b, trust={"roots": [NEXT_OF_B]})
    certificate = minted_by_b(meshes, tmp_path, CLIENT)
    assert "HTTP/1.1 200 OK" in dialled(address, certificate)
    # By the handshake, which under an older root comes about.
    assert "alert" in dialled(address, minted_by_b(meshes, tmp_path, f"DNS:{CLIENT}"))
    certificate = minted_by_b(meshes, tmp_path, CLIENT)
    # Still exported, to nobody: the gateway stays, and what is refused is the identity.
    export = {"ports": {"http": sample.PORT}, "accounts": ["hello"]}
    meshes.declare(meshes.a, peers=..., exports={"hello.sample": export})
    meshes.a.up()
    eventually(lambda: dialled(address, certificate), lambda seen: "alert" in seen and "HTTP/1.1" not in seen)
    meshes.declare(meshes.b, peers=..., trust={"roots": [NEXT_OF_B]})
    meshes.b.up()
    for name in (*A, *B):
        assert "istio-mesh-imports" not in names(lab[name], "namespaces")
        assert names(lab[name], "authorizationpolicies.security.istio.io") == set()
        (config,) = (
            found
            for found in objects(lab[name], "configmaps")
            if found["metadata"]["name"] == "istio-shared-mesh-config"
        )
        assert config["data"] == {"mesh": "{}"}
    assert Counter(sample.call(lab["c3"]).status for _ in range(5)) == {200: 5}
