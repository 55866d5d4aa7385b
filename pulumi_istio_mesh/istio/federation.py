"""Bodies of the objects by which meshes share Services: the exporter's ways in, the importer's ways out.

Values may be Pulumi Outputs where they come of another mesh's offer: they pass through untouched.
Istio has no page for this; the parts are explained in docs/federation.md with what was seen of each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..topology.dialled import FederationGateway
from ..topology.federation import Fallback, Import, import_host, service_host
from ..topology.models import Topology
from ..topology.offer import VERSION, Offer, identity
from . import manifests, names
from .certificate_facts import pem_blocks

_PRIORITY = "istio-mesh/answers-as"
"""Label of an import's endpoints: the exporter's come first, whatever their locality."""
_CONNECT_TIMEOUT = "3s"
"""Envoy's default of 10 s is long for a gateway that is gone; another continent answers in 0.3 s."""
_HTTP_CONNECTION = "15s"
"""How long a proxy uses one connection for HTTP calls. A gateway that leaves waits for the calls that run and not for a
proxy to let go: cut under a call, a connection loses it, for it may have been served and is not tried again. Less than
the 30 seconds that a leaving gateway may stay; see values.federation_gateway."""

_HTTP = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB")
_DETECTION = {
    "splitExternalLocalOriginErrors": True,
    "consecutiveLocalOriginFailures": 2,
    "consecutive5xxErrors": 0,
    "interval": "5s",
    "baseEjectionTime": "5s",
    "maxEjectionPercent": 100,
}
"""When a gateway is left: after failed connections only, for errors that the Service itself answers are not the
gateway's; and not for long, since there may be no other. Proxies try an HTTP call three times: after two failures the
third is made elsewhere, and nobody notices."""


def trusted_roots(topology: Topology, offers: Mapping[str, Offer]) -> dict[str, str]:
    """Return the data of the mesh config that istiod merges over its own while it runs: the roots of the peers.

    Each root by itself: istiod looks at the first certificate of a PEM only, and Envoy takes all. Workloads take
    identities of the trust domains that are named here, and of no others.
    Source: istio/istio pilot/pkg/trustbundle/trustbundle.go verifyTrustAnchor, networking/plugin/authn/util.go.
    """
    authorities = [
        {"pem": pem, "trustDomains": list(topology.peers[peer].identity_domains(peer))}
        for peer, offer in sorted(offers.items())
        for pem in pem_blocks(offer.roots)
    ]
    return {"mesh": json.dumps({"caCertificates": authorities} if authorities else {})}


def offer_to(topology: Topology, peer: str, roots: str, addresses: Mapping[str, str]) -> dict[str, Any]:
    """Return what a mesh tells a peer, as plain JSON values; `addresses` are those of its federation gateways."""
    gateways: dict[str, Any] = {}
    for cluster, address in sorted(addresses.items()):
        locality = topology.clusters[cluster].federation_gateway.locality
        gateways[cluster] = {
            "address": address,
            "port": names.MTLS_PORT,
            **({"locality": locality} if locality else {}),
        }
    services: dict[str, Any] = {}
    for name, export in sorted(topology.exports.items()):
        if export.callers.get(peer):
            services[name] = {
                "ports": dict(export.ports),
                "identities": [
                    identity(domain, name, account)
                    for domain in topology.identity_domains
                    for account in export.accounts
                ],
                "callers": list(export.callers[peer]),
            }
    return {
        "version": VERSION,
        "mesh_id": topology.mesh_id,
        "trust_domain": topology.identity_domain,
        "roots": roots,
        "networks": topology.networks,
        "gateways": gateways if services else {},
        "services": services,
    }


def gateway_metadata(cluster: str, gateway: FederationGateway, annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a federation gateway's Service; it names no network, so istiod takes it for none's."""
    return manifests.dialled_metadata(
        names.FEDERATION_GATEWAY, cluster, gateway, annotations, labels=names.FEDERATION_SELECTOR
    )


def gateway_service(gateway: FederationGateway, address: Any) -> dict[str, Any]:
    """Return the spec of that Service."""
    return manifests.dialled_spec(gateway, address, names.FEDERATION_SELECTOR, names.GATEWAY_PORTS)


def exports(topology: Topology) -> dict[str, Any]:
    """Return the spec that lets other meshes reach the exported Services through federation gateways, and no others.

    The gateway passes TLS through and so can't tell callers apart; `callers` does, at the Service itself.
    """
    port = {"number": names.MTLS_PORT, "name": "tls", "protocol": "TLS"}
    hosts = [service_host(service) for service in sorted(topology.exports)]
    server = {"port": port, "tls": {"mode": "AUTO_PASSTHROUGH"}, "hosts": hosts}
    return {"selector": {"istio": names.FEDERATION_SELECTOR["istio"]}, "servers": [server]}


def callers(topology: Topology, peer: str) -> dict[str, Any]:
    """Return the spec of the policy that says what workloads of a peer may call, wherever they enter.

    It refuses only, and by what is not ours: every identity but this mesh's, those of other peers, who have a policy
    each, and the callers that are named. Calls inside the mesh, and the rules that its owners have for them, stay as
    they are. The SNI says which Service was dialled: gateways route by it.
    """
    open_to_some = {name: export for name, export in sorted(topology.exports.items()) if export.callers.get(peer)}
    snis = {
        name: [names.passthrough_sni(service_host(name), port) for port in export.ports.values()]
        for name, export in open_to_some.items()
    }
    judged_elsewhere = [
        f"{domain}/*"
        for domains in (
            topology.own_domains,
            *(known.identity_domains(name) for name, known in topology.peers.items() if name != peer),
        )
        for domain in domains
    ]

    def strangers(*let_in: str) -> list[dict[str, Any]]:
        # Not who has no identity: plaintext is for PeerAuthentications to refuse, port by port.
        return [{"source": {"principals": ["*"], "notPrincipals": [*judged_elsewhere, *let_in]}}]

    elsewhere: dict[str, Any] = {"from": strangers()}
    if snis:
        exported = [sni for found in snis.values() for sni in found]
        elsewhere["when"] = [{"key": "connection.sni", "notValues": exported}]
    others = [
        {
            "from": strangers(
                *(
                    _principal(domain, caller)
                    for caller in export.callers[peer]
                    for domain in topology.peers[peer].identity_domains(peer)
                )
            ),
            "when": [{"key": "connection.sni", "values": snis[name]}],
        }
        for name, export in open_to_some.items()
    ]
    return {"action": "DENY", "rules": [elsewhere, *others, _NOBODY]}


_NOBODY: Mapping[str, Any] = {
    "from": [{"source": {"notPrincipals": ["*"]}}],
    "to": [{"operation": {"notPorts": [str(names.MTLS_PORT)]}}],
    "when": [{"key": "connection.sni", "values": [f"{names.PROXY_SNI}*"]}],
}
"""Whoever dials as proxies do, under a certificate without an identity: name constraints of URIs leave those alone.

Plaintext has no such SNI; gateways, which see the SNI and no certificate, listen on that port."""


def identities_only() -> dict[str, Any]:
    """Return the spec by which proxies refuse a certificate with a DNS name, from whomever dials as a proxy.

    Envoy compares identities, in policies and by istiod's trust domains, with every name of a certificate, and name
    constraints of URIs leave DNS names alone: under any root that is trusted `DNS:spiffe://<own domain>/...` would be
    of this mesh. Certificates of workloads have no DNS names. Istio has no field for it, and its policies can't tell
    names apart.
    Source: Envoy source/extensions/filters/common/rbac/matchers.cc, source/common/tls/cert_validator/
    default_validator.cc; istio/istio security/pkg/pki/util/san.go.
    """
    policy = {"permissions": [{"any": True}], "principals": [{"any": True}]}
    refusals = {
        "SIDECAR_INBOUND": _HAS_DNS_NAME,
        # Clients from outside of any mesh may have DNS names; they dial by names of their own.
        "GATEWAY": {"callExpr": {"function": "_&&_", "args": [_AS_A_PROXY, _HAS_DNS_NAME]}},
    }
    return {
        "configPatches": [
            {
                "applyTo": "NETWORK_FILTER",
                "match": {"context": context},
                "patch": {
                    "operation": "INSERT_FIRST",
                    "value": {
                        "name": "istio-mesh.identities-only",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC",
                            "stat_prefix": "identities_only.",
                            "rules": {"action": "DENY", "policies": {"dns-name": {**policy, "condition": condition}}},
                        },
                    },
                },
            }
            for context, condition in refusals.items()
        ]
    }


def _connection(attribute: str) -> dict[str, Any]:
    return {"selectExpr": {"operand": {"identExpr": {"name": "connection"}}, "field": attribute}}


_DNS_NAME = _connection("dns_san_peer_certificate")
_HAS_DNS_NAME = {"callExpr": {"function": "_==_", "args": [_DNS_NAME, _DNS_NAME]}}
"""Equal to itself where there is one, even an empty one; where there is none the condition fails, and does not hold."""
_AS_A_PROXY = {
    "callExpr": {
        "target": _connection("requested_server_name"),
        "function": "startsWith",
        "args": [{"constExpr": {"stringValue": names.PROXY_SNI}}],
    }
}


def _principal(domain: str, caller: str) -> str:
    if caller == "*":
        return f"{domain}/*"
    namespace, _, account = caller.partition("/")
    return f"{domain}/ns/{namespace}/*" if account == "*" else f"{domain}/ns/{namespace}/sa/{account}"


def imported_name(peer: str, service: str) -> str:
    """Return the name of the objects of an import."""
    return f"{service}.{peer}"


def imported_metadata(cluster: str, peer: str, service: str) -> dict[str, Any]:
    """Return the metadata of the objects of an import in the cluster called `<mesh>-<cluster>`."""
    return {**manifests.metadata(imported_name(peer, service), cluster), "namespace": names.IMPORTS_NAMESPACE}


def imported_service(
    peer: str, service: str, declared: Import, *, endpoints: Any, resolution: Any, identities: Any
) -> dict[str, Any]:
    """Return the spec by which the proxies of some namespaces know a Service of a peer, at the peer's gateways.

    `endpoints`, `resolution` and `identities` are those of `reached_at`, plain or late.
    """
    spec: dict[str, Any] = {
        "hosts": [import_host(peer, service, declared)],
        # Only what is inside the mesh is called by mTLS with the caller's own certificate.
        "location": "MESH_INTERNAL",
        "exportTo": sorted(declared.namespaces),
        "ports": [
            {"number": number, "name": name, "protocol": _protocol(name)} for name, number in declared.ports.items()
        ],
        "resolution": resolution,
        "endpoints": endpoints,
        "subjectAltNames": identities,
    }
    return spec if declared.address is None else {**spec, "addresses": [declared.address]}


def reached_at(topology: Topology, peer: str, service: str, offer: Offer | None) -> dict[str, Any]:
    """Return endpoints, resolution and identities of an import; nobody answers while there is no offer."""
    declared = topology.peers[peer].imports[service]
    found = [
        _endpoint(declared, gateway.address, "exporter", port=gateway.port, locality=gateway.locality)
        for _, gateway in sorted((offer.gateways if offer else {}).items())
    ]
    if declared.fallback is not None:
        # By name: its address in each cluster is that cluster's own.
        found.append(_endpoint(declared, service_host(declared.fallback.service), "fallback"))
    by_name = declared.fallback is not None or (offer is not None and not offer.addresses_are_ips)
    nobody = [f"spiffe://{topology.peers[peer].identity_domain(peer)}/not-offered"]
    return {
        "endpoints": found,
        "resolution": "DNS" if by_name else "STATIC",
        "identities": [
            *(offer.services[service].identities if offer else nobody),
            *_fallback_identities(topology, declared.fallback),
        ],
    }


def _endpoint(
    declared: Import, address: str, answers_as: str, *, port: int | None = None, locality: str | None = None
) -> dict[str, Any]:
    endpoint: dict[str, Any] = {
        "address": address,
        "ports": {name: port or number for name, number in declared.ports.items()},
        # Without the label the proxy would dial it in plaintext.
        "labels": {"security.istio.io/tlsMode": "istio", _PRIORITY: answers_as},
    }
    return endpoint if locality is None else {**endpoint, "locality": locality}


def _fallback_identities(topology: Topology, fallback: Fallback | None) -> Sequence[str]:
    if fallback is None:
        return ()
    return [
        identity(domain, fallback.service, account)
        for domain in topology.identity_domains
        for account in fallback.accounts
    ]


def imported_rule(peer: str, service: str, declared: Import, identities: Any) -> dict[str, Any]:
    """Return the spec by which an import is called: mTLS, the peer's own SNI, and nobody accepted but `identities`.

    Without them a proxy accepts any identity of any root that it trusts. Gateways that fail are left, and near ones
    preferred.
    """
    traffic: dict[str, Any] = {
        "outlierDetection": _DETECTION,
        "loadBalancer": {
            "localityLbSetting": {
                "enabled": True,
                "failoverPriority": [
                    f"{_PRIORITY}=exporter",
                    "topology.kubernetes.io/region",
                    "topology.kubernetes.io/zone",
                ],
            }
        },
    }
    ports = [
        {
            # Settings of a port stand instead of those of the whole, and the SNI holds the port's number.
            "port": {"number": number},
            "connectionPool": {"tcp": _connections(port)},
            **traffic,
            "tls": {
                "mode": "ISTIO_MUTUAL",
                "sni": names.passthrough_sni(service_host(service), number),
                "subjectAltNames": identities,
            },
        }
        for port, number in declared.ports.items()
    ]
    return {
        "host": import_host(peer, service, declared),
        "exportTo": sorted(declared.namespaces),
        "trafficPolicy": {"portLevelSettings": ports},
    }


def rewritten_host(peer: str, service: str, declared: Import) -> dict[str, Any]:
    """Return the spec by which HTTP requests carry the name that the Service has in its own mesh."""
    host = import_host(peer, service, declared)
    return {
        "hosts": [host],
        "exportTo": sorted(declared.namespaces),
        "http": [{"route": [{"destination": {"host": host}}], "rewrite": {"authority": service_host(service)}}],
    }


def _connections(port: str) -> dict[str, str]:
    # Only HTTP can end a connection between two calls; a stream of bytes would be cut amid its own.
    ends = {"maxConnectionDuration": _HTTP_CONNECTION} if _protocol(port) in _HTTP else {}
    return {"connectTimeout": _CONNECT_TIMEOUT, **ends}


def _protocol(port: str) -> str:
    # The one protocol with a hyphen of its own.
    return "GRPC-WEB" if port.startswith("grpc-web") else port.partition("-")[0].upper()
