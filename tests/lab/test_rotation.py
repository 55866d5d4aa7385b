"""What a mesh trusts and is read by, made anew while calls go on: intermediates, root, tokens, trust domain.

One mesh serves the whole file, and its tests run in order. Workload certificates are valid for minutes, so that what
happens in days otherwise happens here while it is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from lab import Cluster, LabError, Shape, sample
from lab.stack import Stack
from pulumi_istio_mesh.istio.certificate_facts import pem_blocks

from .breakages import root_key
from .conftest import AStack, declare, taken_down
from .forgery import dialled, minted
from .observe import calling, certificate_chain, eventually, names, objects
from .test_repair import killed_up

later = pytest.mark.extended("the same steps as those of the root, with another name in them")
LAB = Shape(2)
PAIR = ("c1", "c2")
URL = f"http://hello.sample:{sample.PORT}/cgi-bin/hello"
MINUTES = 1
RENEWED = 120
"""Seconds in which every proxy has another certificate: half of those, and what a busy machine takes."""
SHORT = {"istiod": {"meshConfig": {"defaultConfig": {"proxyMetadata": {"SECRET_TTL": f"{MINUTES}m0s"}}}}}
"""Source: istio/istio pilot/cmd/pilot-agent/options/options.go."""

DOMAINS = ["horizon.internal", "corp.internal"]
OLD = {"issued": "2026-11-01", "generation": "a", "trust_domains": DOMAINS[:1]}
NEW = {"issued": "2026-11-02", "generation": "b", "trust_domains": DOMAINS}
CLIENT = f"spiffe://{DOMAINS[0]}/ns/sample/sa/client"


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("rotation", PAIR)
    with taken_down(lab, stack):
        becomes(stack)
        stack.up()
        # In c2 only, so that each call of c1 crosses.
        sample.deploy((lab[name] for name in PAIR), ["c2"])
        eventually(lambda: sample.call(lab["c1"]).cluster, lambda found: found == "c2")
        yield stack


def becomes(
    stack: Stack,
    roots: tuple[dict[str, Any], ...] = (OLD,),
    signer: str = "a",
    cluster: dict[str, Any] | None = None,
    intermediates: str = "2026-11-03",
    **changed: Any,
) -> None:
    trust = {"roots": list(roots), "signer": signer, "intermediates": {"issued": intermediates}}
    clusters = {"c1": {}, "c2": cluster or {}}
    declare(stack, clusters, trust=trust, values=SHORT, verify={"timeout_seconds": 30}, **changed)


def up_under_traffic(mesh: Stack, lab: dict[str, Cluster], seconds_after: float = 5) -> None:
    with calling(lab["c1"], URL) as calls:
        mesh.up()
        time.sleep(seconds_after)
    calls.all_answered(more_than=20)


def chain(cluster: Cluster) -> list[str]:
    """The common names of the authorities above the sample client's certificate."""
    found = x509.load_pem_x509_certificates(certificate_chain(cluster).encode())[1:]
    return [str(one.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value) for one in found]


def refused(mesh: Stack, text: str) -> None:
    with pytest.raises(LabError) as failed:
        mesh.up()
    assert text in str(failed.value)
    assert "docs/checks.md#root-step" in str(failed.value)


def test_new_intermediates_are_taken_while_calls_go_on(mesh: Stack, lab: dict[str, Cluster]) -> None:
    assert chain(lab["c1"])[0] == "horizon intermediate 2026-11-03"
    becomes(mesh, intermediates="2026-11-04")
    up_under_traffic(mesh, lab)
    with calling(lab["c1"], URL) as calls:
        for name in PAIR:
            eventually(
                lambda name=name: chain(lab[name])[0],
                lambda found: found == "horizon intermediate 2026-11-04",
                seconds=RENEWED,
            )
    calls.all_answered()


def test_a_new_token_goes_round_before_the_old_one_ends(mesh: Stack, lab: dict[str, Cluster]) -> None:
    before = objects(lab["c1"], "secrets", "-n=istio-system", "--field-selector=metadata.name=istio-remote-secret-c2")
    becomes(mesh, intermediates="2026-11-04", cluster={"reader_token": "b"})
    up_under_traffic(mesh, lab)
    assert {"istio-reader-token", "istio-reader-token-b"} & names(lab["c2"], "secrets", "-n=istio-system") == {
        "istio-reader-token-b"
    }
    after = objects(lab["c1"], "secrets", "-n=istio-system", "--field-selector=metadata.name=istio-remote-secret-c2")
    assert before[0]["data"] != after[0]["data"]
    # istiod still hears of what happens there.
    lab["c2"].kubectl("-n", "sample", "scale", "deployment/hello", "--replicas=0")
    eventually(lambda: sample.call(lab["c1"]).status, lambda status: status == 503)
    lab["c2"].kubectl("-n", "sample", "scale", "deployment/hello", "--replicas=1")
    eventually(lambda: sample.call(lab["c1"]).status, lambda status: status == 200)


TOKEN = {"intermediates": "2026-11-04", "cluster": {"reader_token": "b"}}


def test_a_root_that_is_replaced_in_one_step_is_refused(mesh: Stack) -> None:
    becomes(mesh, roots=(NEW,), signer="b", **TOKEN)
    refused(mesh, "root b is to sign, and c1 trusts a only")


def test_a_root_that_signs_before_all_clusters_trust_it_is_refused(mesh: Stack, lab: dict[str, Cluster]) -> None:
    """The run that adds it is killed when one cluster has it: the next step is refused until it is completed."""

    def trusted(cluster: str) -> str:
        query = "jsonpath={.metadata.annotations['istio-mesh/roots']}"
        return lab[cluster].kubectl("-n", "istio-system", "get", "secret", "cacerts", "-o", query)

    becomes(mesh, roots=(OLD, NEW), **TOKEN)
    with calling(lab["c1"], URL) as calls:
        killed_up(mesh, lambda: "a,b" in {trusted(name) for name in PAIR})
        if {trusted(name) for name in PAIR} != {"a,b"}:
            becomes(mesh, roots=(OLD, NEW), signer="b", **TOKEN)
            refused(mesh, "root b is to sign")
            becomes(mesh, roots=(OLD, NEW), **TOKEN)
        mesh.up()
        time.sleep(5)
    calls.all_answered()
    assert [trusted(name) for name in PAIR] == ["a,b", "a,b"]


def test_the_new_root_signs_and_the_old_one_is_kept_while_its_certificates_live(
    mesh: Stack, lab: dict[str, Cluster], tmp_path: Path
) -> None:
    becomes(mesh, roots=(OLD, NEW), signer="b", **TOKEN)
    up_under_traffic(mesh, lab)
    becomes(mesh, roots=(NEW,), signer="b", **TOKEN)
    refused(mesh, "root a is dropped, and for")
    assert "HTTP/1.1 200 OK" in dialled(mesh.outputs()["gateways"]["c2"], old_leaf(mesh, tmp_path))
    with calling(lab["c1"], URL) as calls:
        for name in PAIR:
            eventually(
                lambda name=name: chain(lab[name])[-1],
                lambda found: found == "horizon root b",
                seconds=RENEWED,
            )
    calls.all_answered()


def old_leaf(mesh: Stack, folder: Path) -> list[str]:
    """A certificate of the old root, as a workload that was not renewed has it."""
    (old, *_) = pem_blocks(mesh.outputs()["root_cert_pem"])
    return minted(root_key(mesh, "a"), old, folder, CLIENT)


def test_the_old_root_is_dropped_and_its_certificates_are_refused(
    mesh: Stack, lab: dict[str, Cluster], tmp_path: Path
) -> None:
    gateway, certificate = mesh.outputs()["gateways"]["c2"], old_leaf(mesh, tmp_path)
    time.sleep(MINUTES * 60)
    becomes(mesh, roots=(NEW,), signer="b", **TOKEN)
    up_under_traffic(mesh, lab)
    eventually(lambda: dialled(gateway, certificate), lambda seen: "alert" in seen and "HTTP/1.1" not in seen)
    mesh.up("--expect-no-changes")


@later
def test_another_trust_domain_comes_with_the_next_certificates_and_knows_the_old_one(
    mesh: Stack, lab: dict[str, Cluster]
) -> None:
    becomes(mesh, roots=(NEW,), signer="b", trust_domain=DOMAINS[1], trust_domain_aliases=DOMAINS[:1], **TOKEN)
    up_under_traffic(mesh, lab)

    def identity(cluster: Cluster) -> str:
        leaf = x509.load_pem_x509_certificates(certificate_chain(cluster).encode())[0]
        return str(leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)

    with calling(lab["c1"], URL) as calls:
        for name in PAIR:
            eventually(lambda name=name: identity(lab[name]), lambda found: DOMAINS[1] in found, seconds=RENEWED)
    calls.all_answered()
