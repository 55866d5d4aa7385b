"""What is read before a change, from invented clusters behind real HTTP."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from lab.trust_files import key
from pulumi_istio_mesh.checks.findings import Finding
from pulumi_istio_mesh.istio.certificates import RootCertificate, root_pem
from pulumi_istio_mesh.live.preflight import look_before
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree
from .servers import Server, serving

TOPOLOGY = parse_topology(mesh_tree())
ROOT = TOPOLOGY.signing_root.name
CLUSTERS = tuple(TOPOLOGY.clusters)
MEMBERS = {name: f"project/stack/{TOPOLOGY.mesh_id}/{name}" for name in CLUSTERS}
DEPLOYMENTS = "/apis/apps/v1/deployments"
SECRETS = "/api/v1/namespaces/istio-system/secrets"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def servers() -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(Server())) for name in CLUSTERS}


def found(servers: dict[str, Server]) -> tuple[list[Finding], dict[str, str]]:
    kubeconfigs = {name: server.kubeconfig for name, server in servers.items()}
    return asyncio.run(look_before(TOPOLOGY, plan_mesh(TOPOLOGY), kubeconfigs, MEMBERS))


def slugs(servers: dict[str, Server]) -> list[str]:
    return [finding.slug for finding in found(servers)[0]]


def items(*metadata: dict[str, object]) -> dict[str, object]:
    return {"items": [{"metadata": found} for found in metadata]}


def test_nothing_stands_against_empty_clusters(servers: dict[str, Server]) -> None:
    assert found(servers) == ([], {})


def test_secrets_are_asked_for_their_metadata_only_and_nothing_is_written(servers: dict[str, Server]) -> None:
    found(servers)
    for server in servers.values():
        asked = [(path, accept) for _, path, accept in server.asked if "/secrets" in path]
        assert asked
        assert all("as=PartialObjectMetadataList" in accept for _, accept in asked)
        assert {method for method, _, _ in server.asked} == {"GET"}


def test_a_clock_that_is_minutes_off_is_named(servers: dict[str, Server]) -> None:
    first = CLUSTERS[0]
    servers[first].ahead_seconds = 300
    with ExitStack() as stack:
        more = Server()
        servers["third"] = stack.enter_context(serving(more))
        three = parse_topology(mesh_tree(clusters={name: {"network": name} for name in (*CLUSTERS, "third")}))
        kubeconfigs = {name: server.kubeconfig for name, server in servers.items()}
        members = {name: name for name in servers}
        (finding,) = asyncio.run(look_before(three, plan_mesh(three), kubeconfigs, members))[0]
    assert (finding.slug, finding.cluster) == ("clock-skew", first)
    assert "300 s ahead" in finding.what or "299 s ahead" in finding.what or "301 s ahead" in finding.what


@pytest.mark.parametrize("version", ["v1.31.4", "v1.37.0-rc.1"])
def test_a_kubernetes_outside_of_istios_range_is_refused(servers: dict[str, Server], version: str) -> None:
    servers[CLUSTERS[0]].answers["/version"] = {"gitVersion": version}
    assert slugs(servers) == ["kubernetes-version"]


@pytest.mark.parametrize(
    ("labels", "installer"),
    [
        ({"install.operator.istio.io/owning-resource": "x"}, "istioctl or its operator"),
        ({"managed-by": "sail-operator"}, "the Sail operator"),
        ({}, "somebody else"),
    ],
)
def test_somebody_elses_istiod_is_named_with_its_installer_and_version(
    servers: dict[str, Server], labels: dict[str, str], installer: str
) -> None:
    containers = {"template": {"spec": {"containers": [{"image": "docker.io/istio/pilot:1.28.1"}]}}}
    metadata = {"name": "istiod-blue", "namespace": "istio-other", "labels": labels}
    servers[CLUSTERS[0]].answers[DEPLOYMENTS] = {"items": [{"metadata": metadata, "spec": containers}]}
    (finding,) = found(servers)[0]
    assert (finding.slug, finding.what) == (
        "istio-foreign", f"{installer} runs istiod 1.28.1 as istio-other/istiod-blue",
    )  # fmt: skip


def test_our_own_istiod_and_authority_are_no_strangers(servers: dict[str, Server]) -> None:
    own = servers[CLUSTERS[0]]
    annotations = {"istio-mesh/member": MEMBERS[CLUSTERS[0]]}
    own.answers["/api/v1/namespaces"] = items({"name": "istio-system", "annotations": annotations})
    own.answers[SECRETS] = items({"name": "cacerts", "namespace": "istio-system"})
    containers = {"template": {"spec": {"containers": [{"image": "docker.io/istio/pilot:1.31.1"}]}}}
    metadata = {"name": "istiod", "namespace": "istio-system"}
    own.answers[DEPLOYMENTS] = {"items": [{"metadata": metadata, "spec": containers}]}
    assert found(servers) == ([], {})


def installed(server: Server, cluster: str, *, helm: bool) -> None:
    """Let our own istiod be there, as Helm's release or not."""
    member = {"istio-mesh/member": MEMBERS[cluster]}
    server.answers["/api/v1/namespaces"] = items({"name": "istio-system", "annotations": member})
    annotations = {"meta.helm.sh/release-name": "istiod"} if helm else {}
    containers = {"template": {"spec": {"containers": [{"image": "docker.io/istio/pilot:1.31.1"}]}}}
    metadata = {"name": "istiod", "namespace": "istio-system", "annotations": annotations}
    server.answers[DEPLOYMENTS] = {"items": [{"metadata": metadata, "spec": containers}]}


@pytest.mark.parametrize("helm", [True, False])
@pytest.mark.parametrize("install", ["chart", "release"])
def test_what_is_installed_another_way_is_refused(servers: dict[str, Server], install: str, helm: bool) -> None:
    own = CLUSTERS[0]
    installed(servers[own], own, helm=helm)
    kubeconfigs = {name: server.kubeconfig for name, server in servers.items()}
    topology = parse_topology(mesh_tree(install=install))
    told = asyncio.run(look_before(topology, plan_mesh(topology), kubeconfigs, MEMBERS))[0]
    same = helm == (install == "release")
    assert [(one.slug, one.cluster) for one in told] == ([] if same else [("install-differs", own)])


def test_what_was_adopted_of_a_release_and_is_managed_now_is_no_release(servers: dict[str, Server]) -> None:
    """Helm's annotations and its note stay."""
    own = CLUSTERS[0]
    installed(servers[own], own, helm=True)
    (deployment,) = servers[own].answers[DEPLOYMENTS]["items"]
    deployment["metadata"]["annotations"]["pulumi.com/patchFieldManager"] = "istio-mesh-prod-east"
    note = {"owner": "helm", "name": "istiod", "status": "deployed"}
    servers[own].answers[SECRETS] = items({"name": "sh.helm.release.v1.istiod.v1", "labels": note})
    assert slugs(servers) == []


def test_a_remote_that_is_a_release_is_known_by_helms_note(servers: dict[str, Server]) -> None:
    own = CLUSTERS[0]
    installed(servers[own], own, helm=False)
    servers[own].answers[DEPLOYMENTS] = {"items": []}
    assert slugs(servers) == []
    note = {"owner": "helm", "name": "istiod", "status": "deployed"}
    servers[own].answers[SECRETS] = items({"name": "sh.helm.release.v1.istiod.v1", "labels": note})
    assert slugs(servers) == ["install-differs"]


@pytest.mark.parametrize(
    "release", ["istio-base", "istio-base-objects", "istiod", "istio-eastwestgateway", "istio-federationgateway"]
)
def test_any_release_of_the_mesh_that_is_stuck_is_told(servers: dict[str, Server], release: str) -> None:
    name = f"sh.helm.release.v1.{release}.v2"
    note = {"owner": "helm", "name": release, "status": "pending-upgrade"}
    servers[CLUSTERS[0]].answers[SECRETS] = items({"name": name, "labels": note})
    (finding,) = found(servers)[0]
    assert (finding.slug, finding.name) == ("helm-pending", name)


def test_a_root_is_trusted_before_it_signs_and_kept_while_its_certificates_live(servers: dict[str, Server]) -> None:
    written = {"manager": "m", "fieldsV1": {"f:data": {}}}

    def told(signer: str, roots: str, ago: dt.timedelta) -> list[str]:
        time = (dt.datetime.now(dt.timezone.utc) - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
        annotations = {"istio-mesh/signer": signer, "istio-mesh/roots": roots}
        cacerts: dict[str, object] = {"name": "cacerts", "namespace": "istio-system", "annotations": annotations}
        cacerts |= {"managedFields": [{**written, "time": time}], "creationTimestamp": "2026-11-01T00:00:00Z"}
        servers[CLUSTERS[0]].answers[SECRETS] = items(cacerts)
        member = {"istio-mesh/member": MEMBERS[CLUSTERS[0]]}
        servers[CLUSTERS[0]].answers["/api/v1/namespaces"] = items({"name": "istio-system", "annotations": member})
        return [finding.what for finding in found(servers)[0] if finding.slug == "root-step"]

    now, (own, *_) = ROOT, CLUSTERS
    assert told(now, now, dt.timedelta()) == []
    assert told("old", "old", dt.timedelta(days=9)) == [f"root {now} is to sign, and {own} trusts old only"]
    assert told("old", f"{now},old", dt.timedelta(days=9)) == [f"root old is dropped, and signs in {own}"]
    assert told(now, f"{now},old", dt.timedelta(hours=25)) == []
    assert told(now, f"{now},old", dt.timedelta(hours=1)) == [
        f"root old is dropped, and for 23 hours workloads of {own} may still hold certificates of it"
    ]


def test_a_root_that_has_expired_is_replaced_in_one_step(servers: dict[str, Server]) -> None:
    annotations = {"istio-mesh/signer": "old", "istio-mesh/roots": "old"}
    cacerts: dict[str, object] = {"name": "cacerts", "namespace": "istio-system", "annotations": annotations}
    own, mesh = servers[CLUSTERS[0]], TOPOLOGY.mesh_id
    own.answers[SECRETS] = items({**cacerts, "creationTimestamp": "2026-11-01T00:00:00Z"})
    own.answers["/api/v1/namespaces"] = items(
        {"name": "istio-system", "annotations": {"istio-mesh/member": MEMBERS[CLUSTERS[0]]}}
    )

    def told(generation: str, issued: str) -> list[str]:
        root = RootCertificate(mesh, generation, ("prod.internal",), dt.date.fromisoformat(issued), days=30)
        trusted = {"metadata": {"name": "istio-ca-root-cert"}, "data": {"root-cert.pem": root_pem(root, key())}}
        own.answers["/api/v1/namespaces/istio-system/configmaps"] = {"items": [trusted]}
        return [finding.slug for finding in found(servers)[0]]

    today = dt.datetime.now(dt.timezone.utc).date().isoformat()
    assert told("old", today) == ["root-step"]
    assert told("other", "2020-01-01") == ["root-step"]
    assert told("old", "2020-01-01") == []


SERVICES, PODS, NAMESPACES = "/api/v1/services", "/api/v1/pods", "/api/v1/namespaces"


def with_a_revision_that_goes(server: Server, name: str, *, without: str = "", **namespace: str) -> None:
    """A cluster of ours in which an istiod runs that is not among the mesh's any more, beside the one that is."""
    ours = {"pulumi.com/patchFieldManager": "istio-mesh-prod-east"}
    member = {"name": "istio-system", "annotations": {"istio-mesh/member": MEMBERS[CLUSTERS[0]]}}
    server.answers[NAMESPACES] = items(member, {"name": "shop", "labels": namespace})
    made = {"namespace": "istio-system", "annotations": ours, "creationTimestamp": "2026-11-01T00:00:00Z"}
    services = [{"metadata": {**made, "name": one}, "spec": {}} for one in ("istiod", name) if one not in without]
    server.answers[SERVICES] = {"items": services}


def pod(name: str, revision: str) -> dict[str, object]:
    return {"name": name, "namespace": "shop", "annotations": {"istio.io/rev": revision}}


def test_a_revision_goes_only_when_no_pod_has_its_proxy_of_it_and_no_namespace_asks_for_it(
    servers: dict[str, Server],
) -> None:
    own = servers[CLUSTERS[0]]
    with_a_revision_that_goes(own, "istiod-old")
    assert found(servers) == ([], {})
    own.answers[PODS] = items(pod("a", "old"), pod("b", "old"), pod("c", "default"))
    (finding,) = found(servers)[0]
    assert (finding.slug, finding.cluster) == ("revision-in-use", CLUSTERS[0])
    assert finding.what == "revision old goes, and 2 pods of namespace shop have proxies of it"
    own.answers[PODS] = items()
    with_a_revision_that_goes(own, "istiod-old", **{"istio.io/rev": "old"})
    (finding,) = found(servers)[0]
    assert finding.what == "revision old goes, and namespace shop asks for it"


def test_a_revision_runs_before_it_serves(servers: dict[str, Server]) -> None:
    with_a_revision_that_goes(servers[CLUSTERS[0]], "istiod-old", without="istiod")
    (finding,) = found(servers)[0]
    assert (finding.slug, finding.what) == (
        "revision-step", f"revision default is to serve what names none, and {CLUSTERS[0]} has old only",
    )  # fmt: skip


def test_pods_are_listed_only_where_a_revision_goes(servers: dict[str, Server]) -> None:
    with_a_revision_that_goes(servers[CLUSTERS[0]], "istiod")
    found(servers)
    assert not [path for _, path, _ in servers[CLUSTERS[0]].asked if path.startswith(PODS)]


@pytest.mark.parametrize("name", ["istiod-replicas", "istiod-remotes"])
def test_services_beside_istiods_are_no_revisions(servers: dict[str, Server], name: str) -> None:
    with_a_revision_that_goes(servers[CLUSTERS[0]], name)
    servers[CLUSTERS[0]].answers[PODS] = items(pod("a", name.removeprefix("istiod-")))
    assert found(servers) == ([], {})


def test_a_namespace_that_asks_for_no_revision_that_is_there_is_named(servers: dict[str, Server]) -> None:
    servers[CLUSTERS[0]].answers[NAMESPACES] = items(
        {"name": "shop", "labels": {"istio.io/rev": "canary"}}, {"name": "bank", "labels": {"istio.io/rev": "default"}}
    )
    (finding,) = found(servers)[0]
    assert (finding.slug, finding.what) == (
        "revision-unknown", "namespace shop asks for revision canary, which is none of default",
    )  # fmt: skip


def test_another_meshs_member_is_refused_with_both_names(servers: dict[str, Server]) -> None:
    annotations = {"istio-mesh/member": "a/b/other/east"}
    servers[CLUSTERS[0]].answers["/api/v1/namespaces"] = items({"name": "istio-system", "annotations": annotations})
    (finding,) = found(servers)[0]
    assert finding.slug == "cluster-taken"
    assert "a/b/other/east" in finding.what and MEMBERS[CLUSTERS[0]] in finding.what


def test_crds_of_another_release_are_counted_by_owner(servers: dict[str, Server]) -> None:
    helm = {"meta.helm.sh/release-name": "istio", "meta.helm.sh/release-namespace": "old"}
    ours = {"meta.helm.sh/release-name": "istio-base", "meta.helm.sh/release-namespace": "istio-system"}
    servers[CLUSTERS[0]].answers[CRDS] = items(
        {"name": "gateways.networking.istio.io", "annotations": helm},
        {"name": "sidecars.networking.istio.io"},
        {"name": "telemetries.telemetry.istio.io", "annotations": ours},
        {"name": "gateways.gateway.networking.k8s.io"},
    )
    assert [finding.what for finding in found(servers)[0]] == [
        "1 of Istio's CRDs belong to Helm release old/istio",
        "1 of Istio's CRDs belong to no Helm release",
    ]


def test_a_cluster_that_does_not_answer_costs_its_deadline_once_and_the_others_are_read(
    servers: dict[str, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulumi_istio_mesh.live.preflight.DEADLINE_SECONDS", 1)
    servers[CLUSTERS[0]].delay.clear()
    servers[CLUSTERS[1]].answers["/version"] = {"gitVersion": "v1.20.0"}
    started = time.monotonic()
    findings, unread = found(servers)
    assert time.monotonic() - started < 3
    assert set(unread) == {CLUSTERS[0]}
    assert [finding.slug for finding in findings] == ["kubernetes-version"]


def test_no_reason_quotes_a_credential(servers: dict[str, Server]) -> None:
    servers[CLUSTERS[0]].answers["/version"] = (401, {"message": "planted-token is not known"})
    _, unread = found(servers)
    assert unread == {CLUSTERS[0]: "it does not accept the credential (401)"}
