"""Names that are identity. A change here replaces objects of a live mesh: it is breaking, and carries an alias."""

from __future__ import annotations

import pytest

from pulumi_istio_mesh.istio import names
from pulumi_istio_mesh.topology.names import is_dns_label, is_host_name


def test_what_a_revision_makes_ends_with_its_name_but_that_of_the_first() -> None:
    assert [names.of_revision("istiod", revision) for revision in ("default", "next")] == ["istiod", "istiod-next"]
    assert names.istiod_host("default") == "istiod.istio-system.svc"
    assert names.istiod_host("next") == "istiod-next.istio-system.svc"
    assert names.tag_webhook("stable") == "istio-revision-tag-stable"


def test_names_that_istio_fixes_are_istios() -> None:
    assert {key: value for key, value in vars(names).items() if key.isupper()} == {
        "NAMESPACE": "istio-system",
        "ISTIOD": "istiod",
        "ISTIOD_SELECTOR": {"app": "istiod"},
        "REVISION_LABEL": "istio.io/rev",
        "TAG_LABEL": "istio.io/tag",
        "DEFAULT_REVISION": "default",
        "NO_REVISIONS": ("remotes", "replicas"),
        "ISTIOD_FOR_REMOTES": "istiod-remotes",
        "BASE_RELEASE": "istio-base",
        "BASE_OBJECTS_RELEASE": "istio-base-objects",
        "HELM_RELEASE": "meta.helm.sh/release-name",
        "HELM_NAMESPACE": "meta.helm.sh/release-namespace",
        "INJECTOR_WEBHOOK": "istio-sidecar-injector",
        "INJECTOR_CONFIG": "istio-sidecar-injector",
        "MESH_CONFIG": "istio",
        "CACERTS": "cacerts",
        "SHARED_MESH_CONFIG": "istio-shared-mesh-config",
        "READER_ACCOUNT": "istio-reader-service-account",
        "READER_TOKEN": "istio-reader-token",
        "EAST_WEST_GATEWAY": "istio-eastwestgateway",
        "EAST_WEST_SELECTOR": {"istio": "eastwestgateway", "app": "istio-eastwestgateway"},
        "CROSS_NETWORK_GATEWAY": "cross-network-gateway",
        "FEDERATION_GATEWAY": "istio-federationgateway",
        "FEDERATION_SELECTOR": {"istio": "federationgateway", "app": "istio-federationgateway"},
        "GATEWAYS": ("istio-eastwestgateway", "istio-federationgateway"),
        "IDENTITIES_ONLY": "identities-only",
        "FEDERATION_EXPORTS": "federation-exports",
        "IMPORTS_NAMESPACE": "istio-mesh-imports",
        "ISTIOD_GATEWAY": "istiod-gateway",
        "FAILOVER": "failover",
        "VERIFY_NAMESPACE": "istio-mesh-verify",
        "PROVED": "proved",
        "MEMBERSHIP": "istio-mesh-member",
        "PART_LABEL": "app.kubernetes.io/name",
        "PART_OF": "app.kubernetes.io/part-of=istio",
        "PROBE": "probe",
        "ISTIOD_REPLICAS": "istiod-replicas",
        "METRICS_PORT": 15014,
        "PRIMARY_ANNOTATION": "topology.istio.io/controlPlaneClusters",
        "MEMBER_ANNOTATION": "istio-mesh/member",
        "SIGNER_ANNOTATION": "istio-mesh/signer",
        "ROOTS_ANNOTATION": "istio-mesh/roots",
        "FIELD_MANAGER_ANNOTATION": "pulumi.com/patchFieldManager",
        "NETWORK_LABEL": "topology.istio.io/network",
        "REMOTE_SECRET_LABEL": "istio/multiCluster",
        "REMOTE_SECRET_CLUSTER": "networking.istio.io/cluster",
        "STATUS_PORT": 15021,
        "PROXY_SNI": "outbound_",
        "MTLS_PORT": 15443,
        "XDS_PORT": 15012,
        "WEBHOOK_PORT": 15017,
        "ISTIOD_PORTS": {"tls-istiod": 15012, "tls-webhook": 15017},
        "GATEWAY_PORTS": {"status-port": 15021, "tls": 15443},
        "PACKAGE": "istio-mesh",
    }


def test_a_remote_secret_is_called_as_istioctl_calls_it() -> None:
    assert names.remote_secret("east") == "istio-remote-secret-east"


def test_the_longest_cluster_name_still_names_a_secret() -> None:
    """Secrets take DNS subdomains of 253 characters; their label values, which the cluster's name is, take 63."""
    assert is_host_name(names.remote_secret("e" * 40))
    assert len(names.remote_secret("e" * 63)) <= 253


def test_a_token_is_that_of_the_package() -> None:
    assert names.token("Mesh") == "istio-mesh:index:Mesh"


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("prod", "east", "istiod"), "prod-east-istiod"),
        (("prod", "east", "remote", "west"), "prod-east-remote-west"),
        (("prod", None, "root", "2026-11-23"), "prod-root-2026-11-23"),
        (("prod", "east"), "prod-east"),
    ],
)
def test_a_logical_name_is_mesh_cluster_role(parts: tuple[str, ...], name: str) -> None:
    assert names.logical_name(*parts) == name


def test_a_logical_name_is_never_cut() -> None:
    assert names.logical_name("m" * 40, "c" * 63, "remote", "d" * 63) == f"{'m' * 40}-{'c' * 63}-remote-{'d' * 63}"


@pytest.mark.parametrize("name", ["a", "a-1", "1", "a" * 63])
def test_a_label_is_lower_case_letters_digits_and_inner_hyphens(name: str) -> None:
    assert is_dns_label(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a.b", "a_b", "a" * 64, "a\n", "ä"])
def test_anything_else_is_no_label(name: str) -> None:
    assert not is_dns_label(name)


@pytest.mark.parametrize(
    ("name", "good"), [("a.b", True), ("a", True), ("a..b", False), ("a.b.", False), ("::1", False)]
)
def test_a_host_name_is_labels_and_dots_and_no_address(name: str, good: bool) -> None:
    assert is_host_name(name) is good
