"""Bodies of the objects that the mesh makes itself.

That Kubernetes and istiod take them is shown by the lab.
"""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from pulumi_istio_mesh.istio import manifests
from pulumi_istio_mesh.topology.dialled import DialledService, EastWestGateway

SELECTOR = {"istio": "eastwestgateway", "app": "istio-eastwestgateway"}
OWN_PORTS = [
    {"name": "status-port", "port": 15021, "targetPort": 15021},
    {"name": "tls", "port": 15443, "targetPort": 15443},
]
CREDENTIAL: dict[str, Any] = {
    "served_by": "east",
    "server": "https://192.0.2.1",
    "certificate_authority": "Y2E=",
    "token": "t",
    "tls_name": None,
}
OURS = {"pulumi.com/patchFieldManager": "istio-mesh-prod-east"}
WAIT = {"pulumi.com/timeoutSeconds": "600", **OURS}


def service(address: Any = None, **facts: Any) -> dict[str, Any]:
    """The Service of a gateway with these facts."""
    return manifests.east_west_service(EastWestGateway(address=address, **facts), address, carries_istiod=False)


def annotations(**facts: Any) -> dict[str, Any]:
    """The annotations of that Service."""
    gateway = EastWestGateway(**facts)
    found = manifests.east_west_metadata("prod-east", gateway, "vpc", gateway.annotations)["annotations"]
    assert isinstance(found, dict)
    return found


def credential(**changes: Any) -> dict[str, Any]:
    """A remote kubeconfig, read back."""
    facts = {**CREDENTIAL, **changes}
    found = json.loads(manifests.remote_kubeconfig("east", **facts))
    assert isinstance(found, dict)
    return found


# The namespace, and what holds in it


def test_the_namespace_names_the_network_of_everything_that_says_nothing_else() -> None:
    assert manifests.namespace("p/s/prod/east", "vpc", None) == {
        "name": "istio-system",
        "labels": {"topology.istio.io/network": "vpc"},
        "annotations": {"istio-mesh/member": "p/s/prod/east"},
    }


def test_a_remotes_namespace_names_the_cluster_whose_istiod_may_write_there() -> None:
    annotations = manifests.namespace("p/s/prod/west", "vpc", "east")["annotations"]
    assert annotations == {"istio-mesh/member": "p/s/prod/west", "topology.istio.io/controlPlaneClusters": "east"}


@pytest.mark.parametrize(("mtls", "mode"), [("strict", "STRICT"), ("permissive", "PERMISSIVE")])
def test_plaintext_is_refused_or_not_by_one_switch(mtls: str, mode: str) -> None:
    assert manifests.peer_authentication(mtls) == {"mtls": {"mode": mode}}


# The gateway


def test_other_networks_enter_by_the_sni_of_their_own_mtls() -> None:
    assert manifests.cross_network_gateway() == {
        "selector": {"istio": "eastwestgateway"},
        "servers": [
            {
                "port": {"number": 15443, "name": "tls", "protocol": "TLS"},
                "tls": {"mode": "AUTO_PASSTHROUGH"},
                "hosts": ["*.local"],
            }
        ],
    }


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort", "ClusterIP"])
def test_the_service_opens_two_ports_whatever_its_type(kind: str) -> None:
    assert service(type=kind) == {"type": kind, "selector": SELECTOR, "ports": OWN_PORTS}


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort", "ClusterIP"])
def test_a_given_address_is_an_external_ip_where_istiod_reads_it(kind: str) -> None:
    assert service("203.0.113.7", type=kind)["externalIPs"] == ["203.0.113.7"]


def test_a_late_address_passes_through_untouched() -> None:
    late = pulumi.Output.from_input("203.0.113.7")
    assert manifests.east_west_service(EastWestGateway(), late, carries_istiod=False)["externalIPs"] == [late]


def test_extra_ports_reach_the_pods_on_the_same_number_unless_another_is_given() -> None:
    ports = [{"name": "more", "port": 15444}, {"name": "web", "port": 443, "target_port": 8443}]
    assert service(ports=ports)["ports"] == [
        *OWN_PORTS,
        {"name": "more", "port": 15444, "targetPort": 15444},
        {"name": "web", "port": 443, "targetPort": 8443},
    ]


def test_a_load_balancer_class_is_passed_on() -> None:
    assert service(load_balancer_class="internal")["loadBalancerClass"] == "internal"


def test_istiods_find_the_gateway_by_its_network_label() -> None:
    metadata = manifests.east_west_metadata("prod-east", EastWestGateway(), "vpc", {})
    assert metadata == {
        "name": "istio-eastwestgateway",
        "namespace": "istio-system",
        "labels": {"topology.istio.io/network": "vpc", **SELECTOR},
        "annotations": WAIT,
    }


def test_a_users_annotations_stand_beside_the_time_to_wait() -> None:
    found = annotations(annotations={"a": "b"}, timeout_seconds=30)
    assert found == {"a": "b", "pulumi.com/timeoutSeconds": "30", **OURS}


@pytest.mark.parametrize(
    ("kind", "address", "asked"),
    [
        ("NodePort", None, True),
        ("NodePort", "203.0.113.7", False),
        ("LoadBalancer", None, False),
        ("ClusterIP", "203.0.113.7", False),
    ],
)
def test_the_nodes_own_addresses_are_asked_for_only_where_nothing_else_is_dialled(
    kind: str, address: str | None, asked: bool
) -> None:
    expected = {**WAIT, "traffic.istio.io/nodeSelector": "{}"} if asked else WAIT
    assert annotations(type=kind, address=address) == expected


# How remote clusters reach istiod


def test_a_gateway_that_carries_istiod_opens_two_ports_more() -> None:
    spec = manifests.east_west_service(EastWestGateway(), None, carries_istiod=True)
    assert spec["ports"] == [
        *OWN_PORTS,
        {"name": "tls-istiod", "port": 15012, "targetPort": 15012},
        {"name": "tls-webhook", "port": 15017, "targetPort": 15017},
    ]


def test_the_gateway_passes_istiods_own_tls_through_and_nothing_else() -> None:
    servers = manifests.istiod_gateway(["default"])["servers"]
    assert [(server["port"]["number"], server["tls"]["mode"], server["hosts"]) for server in servers] == [
        (15012, "PASSTHROUGH", ["istiod.istio-system.svc"]),
        (15017, "PASSTHROUGH", ["istiod.istio-system.svc"]),
    ]


def test_each_port_leads_to_its_own_of_istiod() -> None:
    routes = manifests.istiod_routes(["default"])["tls"]
    led = {route["match"][0]["port"]: route["route"][0]["destination"]["port"]["number"] for route in routes}
    assert led == {15012: 15012, 15017: 443}
    hosts = {route["route"][0]["destination"]["host"] for route in routes}
    assert hosts == {"istiod.istio-system.svc.cluster.local"}


def test_a_remotes_istiod_has_no_pods_and_the_ports_that_its_webhook_and_its_proxies_dial() -> None:
    spec = manifests.remote_istiod_service()
    assert "selector" not in spec
    assert [(port["name"], port["port"], port["targetPort"]) for port in spec["ports"]] == [
        ("tcp-istiod", 15012, 15012),
        ("tcp-webhook", 443, 15017),
    ]


def test_the_endpoints_of_a_remotes_istiod_belong_to_its_service() -> None:
    found = manifests.remote_istiod_slice("prod-east", "default")
    assert found["metadata"]["labels"]["kubernetes.io/service-name"] == "istiod"
    service_ports = {port["name"]: port["targetPort"] for port in manifests.remote_istiod_service()["ports"]}
    assert {port["name"]: port["port"] for port in found["ports"]} == service_ports


def test_istiod_itself_is_dialled_at_its_two_ports_with_tls_only() -> None:
    spec = manifests.dialled_spec(DialledService(), None, {"app": "istiod"}, {"tls-istiod": 15012})
    assert spec == {
        "type": "LoadBalancer",
        "selector": {"app": "istiod"},
        "ports": [{"name": "tls-istiod", "port": 15012, "targetPort": 15012}],
    }


# Calls that prefer what is near


def test_failing_endpoints_are_left_even_if_they_are_all_of_a_cluster() -> None:
    rule = manifests.failover()
    assert rule["host"] == "*.svc.cluster.local"
    assert rule["trafficPolicy"]["outlierDetection"]["maxEjectionPercent"] == 100
    assert "tls" not in rule["trafficPolicy"], "mTLS is decided by the endpoints, never by this rule"


# Remote secrets


def test_an_istiod_takes_a_remote_secret_by_its_label_and_names_the_cluster_by_its_key() -> None:
    assert manifests.remote_secret_metadata("prod-east", "west") == {
        "name": "istio-remote-secret-west",
        "namespace": "istio-system",
        "labels": {"istio/multiCluster": "true"},
        "annotations": {"networking.istio.io/cluster": "west", **OURS},
    }


def test_a_remote_kubeconfig_is_what_istioctl_writes() -> None:
    assert credential() == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "east", "cluster": {"server": "https://192.0.2.1", "certificate-authority-data": "Y2E="}}
        ],
        "users": [{"name": "east", "user": {"token": "t"}}],
        "contexts": [{"name": "east-served-by-east", "context": {"cluster": "east", "user": "east"}}],
        "current-context": "east-served-by-east",
    }


def test_a_remote_kubeconfig_changes_when_another_istiod_is_to_serve_the_cluster() -> None:
    """istiod decides whether it serves a cluster when it attaches it, and attaches it anew when the bytes change."""
    assert manifests.remote_kubeconfig("east", **CREDENTIAL) != manifests.remote_kubeconfig(
        "east", **{**CREDENTIAL, "served_by": "west"}
    )


def test_a_remote_kubeconfig_changes_when_the_cluster_gets_another_revision() -> None:
    kubeconfigs = {
        manifests.remote_kubeconfig("east", **CREDENTIAL, revisions=found)
        for found in ((), ("default",), ("default", "next"), ("default", "next", "third"), ("third",))
    }
    # Without a name it is the one that was there before.
    assert len(kubeconfigs) == 4


def test_a_remote_kubeconfig_authenticates_by_an_inline_token_only() -> None:
    """istiod refuses exec plugins and paths: istio/istio pkg/kube/util.go sanitizeKubeConfig."""
    assert [user["user"] for user in credential()["users"]] == [{"token": "t"}]


def test_a_name_to_expect_in_the_certificate_is_written_only_where_it_is_given() -> None:
    (cluster,) = credential(tls_name="api.example")["clusters"]
    assert cluster["cluster"]["tls-server-name"] == "api.example"


def test_without_an_authority_the_systems_own_is_used() -> None:
    (cluster,) = credential(certificate_authority="")["clusters"]
    assert cluster["cluster"] == {"server": "https://192.0.2.1"}


def test_a_remote_kubeconfig_has_the_same_bytes_every_time() -> None:
    """istiod skips identical bytes; other bytes would make it connect anew."""
    one, other = (manifests.remote_kubeconfig("east", **CREDENTIAL) for _ in range(2))
    assert one == other
    assert list(json.loads(one)) == ["apiVersion", "kind", "clusters", "users", "contexts", "current-context"]
