"""The flagship example on real clusters: what the mesh does, what it refuses, and that it comes and goes cleanly.

One mesh serves the whole file, and its tests run in order. Real cloud load balancers and node failures can't be shown.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Cluster, conformance, sample
from lab.images import load_echo
from lab.istio_suite import SLICE, Member
from lab.progress import Progress
from lab.stack import Stack, by_operation
from lab.suite_results import FAILED

from .conftest import AStack, declare, taken_down
from .observe import certificate_chain, endpoints, eventually, names, objects, restarts, synced
from .options import assert_options_reach_everything

later = pytest.mark.extended("what the mesh becomes later: other files of the core change theirs")
MESH = ("c1", "c2", "c3")
SERVING = ("c2", "c3")
CLIENT, HELLO = (f"spiffe://horizon.internal/ns/sample/sa/{account}" for account in ("client", "hello"))


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("horizon", MESH)
    with taken_down(lab, stack):
        stack.up()
        sample.deploy((lab[name] for name in MESH), SERVING)
        eventually(lambda: sample.call(lab["c1"]).status, lambda status: status == 200)
        yield stack


def test_calls_are_answered_by_both_other_clusters(mesh: Stack, lab: dict[str, Cluster]) -> None:
    answers = Counter(sample.call(lab["c1"]).cluster for _ in range(12))
    assert set(answers) == set(SERVING), answers


def test_caller_and_service_know_each_other_by_their_identities(mesh: Stack, lab: dict[str, Cluster]) -> None:
    certificate = sample.call(lab["c1"]).certificate
    assert f"By={HELLO};" in certificate
    assert certificate.endswith(f"URI={CLIENT}")


def test_other_networks_are_seen_as_their_gateways(mesh: Stack, lab: dict[str, Cluster]) -> None:
    gateways = mesh.outputs()["gateways"]
    assert endpoints(lab["c1"], "hello.sample.svc.cluster.local") == {f"{gateways[name]}:15443" for name in SERVING}


def test_a_service_resolves_in_a_cluster_that_holds_no_copy_of_it(mesh: Stack, lab: dict[str, Cluster]) -> None:
    lab["c1"].kubectl("-n", "sample", "delete", "service", "hello")
    eventually(lambda: sample.call(lab["c1"]).status, lambda status: status == 200)


def test_plaintext_at_a_gateway_is_refused(mesh: Stack, lab: dict[str, Cluster]) -> None:
    answer = sample.call(lab["c1"], f"http://{mesh.outputs()['gateways']['c2']}:15443/", client="plain")
    assert answer.status == 0, answer


def test_pods_of_other_networks_are_out_of_reach(mesh: Stack, lab: dict[str, Cluster]) -> None:
    answer = sample.call(lab["c1"], f"http://{sample.pod_address(lab['c2'])}:{sample.PORT}/", client="plain")
    assert answer.status == 0, answer


def test_plaintext_inside_a_cluster_is_refused(mesh: Stack, lab: dict[str, Cluster]) -> None:
    answer = sample.call(lab["c2"], f"http://{sample.pod_address(lab['c2'])}:{sample.PORT}/", client="plain")
    assert answer.status == 0, answer


@pytest.mark.parametrize("reader", MESH)
def test_every_istiod_reads_exactly_the_other_clusters(mesh: Stack, lab: dict[str, Cluster], reader: str) -> None:
    assert synced(lab[reader]) == [set(MESH) - {reader}]


def test_a_workload_certificate_verifies_against_the_exported_root(
    mesh: Stack, lab: dict[str, Cluster], tmp_path: Path
) -> None:
    """By openssl, not by the library that made the authorities; the leaf is istiod's own work."""
    end = "-----END CERTIFICATE-----\n"
    leaf, authorities = certificate_chain(lab["c1"]).split(end, 1)
    root = mesh.outputs()["root_cert_pem"]
    for name, text in (("leaf", leaf + end), ("authorities", authorities), ("root", root)):
        (tmp_path / f"{name}.pem").write_text(text)
    done = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "authorities.pem", "leaf.pem"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "leaf.pem: OK\n", done.stderr


def test_istios_own_tests_of_calls_between_clusters_pass(mesh: Stack, lab: dict[str, Cluster], tmp_path: Path) -> None:
    load_echo(MESH)
    members = [Member(lab[name], network=name) for name in MESH]
    results = conformance.ask(members, [SLICE], tmp_path, Progress())
    assert conformance.all_passed(results), {test: result for test, result in results.items() if result == FAILED}


@later
def test_without_their_gateways_other_clusters_answer_503_and_come_back(mesh: Stack, lab: dict[str, Cluster]) -> None:
    def scale(replicas: int) -> None:
        for name in SERVING:
            lab[name].kubectl(
                "-n", "istio-system", "scale", "deployment/istio-eastwestgateway", f"--replicas={replicas}"
            )

    scale(0)
    # A gateway that ends waits for its callers, whose proxies use a connection for a minute.
    eventually(lambda: sample.call(lab["c1"]).status, lambda status: status == 503, seconds=120)
    scale(1)
    eventually(lambda: [sample.call(lab["c1"]).status for _ in range(6)], lambda seen: seen == [200] * 6)


@later
def test_running_again_changes_nothing(mesh: Stack) -> None:
    mesh.up("--expect-no-changes")


def test_the_clusters_are_as_the_program_left_them(mesh: Stack) -> None:
    mesh.refresh_changes_nothing()


@later
def test_options_of_a_mesh_reach_everything_in_it(mesh: Stack, tmp_path: Path) -> None:
    assert_options_reach_everything(mesh, ["Mesh"], tmp_path, at_least=100)


@later
def test_new_intermediates_take_over_without_a_restart(mesh: Stack, lab: dict[str, Cluster]) -> None:
    before = {name: restarts(lab[name]) for name in MESH}
    declare(
        mesh, {name: {} for name in MESH}, trust={"roots": [{"issued": "2026-11-23"}], "intermediates": {"days": 700}}
    )
    changed = by_operation(mesh.preview())
    assert changed == {"update": {f"horizon-{name}-cacerts" for name in MESH}}
    mesh.up()
    assert {name: restarts(lab[name]) for name in MESH} == before
    assert [sample.call(lab["c1"]).status for _ in range(6)] == [200] * 6
    declare(mesh, {name: {} for name in MESH})
    mesh.up()


@later
def test_a_fourth_cluster_changes_only_what_concerns_it(mesh: Stack, lab: dict[str, Cluster]) -> None:
    mesh.configure([lab["c4"]])
    declare(mesh, {name: {} for name in (*MESH, "c4")})
    steps = mesh.preview()
    touched = {(step.operation, step.name) for step in steps if not step.name.startswith("horizon-c4")}
    assert touched == {
        # The stack's own row is there because its outputs name the new cluster.
        *(("create", f"horizon-{name}-remote-c4") for name in MESH),
    }, touched
    mesh.up()
    for name in MESH:
        eventually(lambda name=name: synced(lab[name]), lambda seen, name=name: seen == [{*MESH, "c4"} - {name}])


@later
def test_a_removed_cluster_leaves_no_secret_behind(mesh: Stack, lab: dict[str, Cluster]) -> None:
    declare(mesh, {name: {} for name in MESH})
    steps = mesh.preview()
    assert {step.operation for step in steps} == {"delete"}
    mesh.up()
    for name in MESH:
        assert names(lab[name], "secrets", "--namespace=istio-system", "--selector=istio/multiCluster=true") == {
            f"istio-remote-secret-{peer}" for peer in MESH if peer != name
        }
        eventually(lambda name=name: synced(lab[name]), lambda seen, name=name: seen == [set(MESH) - {name}])
    assert "istio-system" not in names(lab["c4"], "namespaces")


@later
def test_what_destroy_leaves_is_taken_back_by_the_next_up(mesh: Stack, lab: dict[str, Cluster]) -> None:
    mesh.destroy()
    for name in MESH:
        assert "istio-system" not in names(lab[name], "namespaces")
        left = [
            f"{kind}/{found}"
            for kind in (
                "mutatingwebhookconfigurations",
                "validatingwebhookconfigurations",
                "clusterroles",
                "clusterrolebindings",
            )
            for found in names(lab[name], kind)
            if "istio" in found
        ]
        assert left == []
        # Helm keeps them (resource-policy: keep), so that nobody's Istio objects are lost with them.
        assert len([found for found in names(lab[name], "crds") if found.endswith("istio.io")]) == 15
        maps = {
            item["metadata"]["name"] for item in objects(lab[name], "configmaps") if "istio" in item["metadata"]["name"]
        }
        assert maps <= {"istio-ca-root-cert", "istio-ca-crl"}
    mesh.up()
    sample.remove(lab.values())
    sample.deploy((lab[name] for name in MESH), SERVING)
    eventually(lambda: sample.call(lab["c1"]).status, lambda status: status == 200)
