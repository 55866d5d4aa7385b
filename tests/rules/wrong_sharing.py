"""Wrong exports, peers and imports, each with what it is told and with its nearest allowed neighbour."""

from __future__ import annotations

from typing import Any

from ..builders import mesh_tree
from .wrong_row import Wrong

EXPORT: dict[str, Any] = {"ports": {"http": 8080}, "accounts": ["ledger"], "callers": {"shop": ["web/checkout"]}}
IMPORT: dict[str, Any] = {"ports": {"http": 8080}, "namespaces": ["web"]}


def exporting(service: str = "ledger.money", mesh: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    """A mesh that exports one Service to its peer shop, with facts of the export changed."""
    export = {key: value for key, value in {**EXPORT, **facts}.items() if value is not ...}
    return mesh_tree(**{"peers": {"shop": {}}, "exports": {service: export}, **(mesh or {})})


def importing(service: str = "cart.web", mesh: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    """A mesh that imports one Service of its peer shop, with facts of the import changed."""
    found = {key: value for key, value in {**IMPORT, **facts}.items() if value is not ...}
    return mesh_tree(**{"peers": {"shop": {"imports": {service: found}}}, **(mesh or {})})


def gateway(**facts: Any) -> dict[str, Any]:
    """A mesh that exports, with facts of one federation gateway."""
    return exporting(mesh={"clusters": {"east": {"federation_gateway": facts}, "west": {}}})


SHAPE = "see docs/topology.md for the shape"
OWN_ID = "lower-case letters, digits and inner hyphens, at most 40 characters"
HERE, THERE = "exports.ledger.money", "peers.shop.imports.cart.web"

SHARING = {
    "a peer that is the mesh itself": Wrong(
        mesh_tree(peers={"prod": {}}), "peer-name", "peers.prod", OWN_ID, mesh_tree(peers={"shop": {}})
    ),
    "a peer that can't be a mesh ID": Wrong(
        mesh_tree(peers={"Shop": {}}), "peer-name", "peers.Shop", OWN_ID, mesh_tree(peers={"shop-1": {}})
    ),
    "a peer with this mesh's trust domain": Wrong(
        mesh_tree(peers={"shop": {"trust_domain": "prod.internal"}}),
        "peer-trust-domain",
        "peers.shop.trust_domain",
        "its workloads new certificates",
        mesh_tree(peers={"shop": {"trust_domain": "prod.shop.internal"}}),
    ),
    "two peers with one trust domain": Wrong(
        mesh_tree(peers={"shop": {}, "bank": {"trust_domain": "shop.internal"}}),
        "peer-trust-domain",
        "peers.bank.trust_domain",
        "its workloads new certificates",
        mesh_tree(peers={"shop": {}, "bank": {"trust_domain": "bank.example"}}),
    ),
    "a peer with a trust domain that is no host name": Wrong(
        mesh_tree(peers={"shop": {"trust_domain": "Shop"}}),
        "peer-trust-domain",
        "peers.shop.trust_domain",
        "peers.shop.trust_domain: shop.internal",
        mesh_tree(peers={"shop": {"trust_domain": "shop"}}),
    ),
    "a peer with a trust domain that this mesh's root vouches for": Wrong(
        mesh_tree(
            trust={"roots": [{"issued": "2026-11-23", "trust_domains": ["prod.internal", "shop.internal"]}]},
            peers={"shop": {}},
        ),
        "peer-trust-domain",
        "peers.shop.trust_domain",
        "its workloads new certificates",
        mesh_tree(
            trust={"roots": [{"issued": "2026-11-23", "trust_domains": ["prod.internal", "corp.example"]}]},
            peers={"shop": {}},
        ),
    ),
    "a peer that had this mesh's trust domain": Wrong(
        mesh_tree(peers={"shop": {"trust_domain_aliases": ["prod.internal"]}}),
        "peer-trust-domain",
        "peers.shop.trust_domain_aliases.0",
        "its workloads new certificates",
        mesh_tree(peers={"shop": {"trust_domain_aliases": ["shop.example"]}}),
    ),
    "a peer that had another peer's trust domain": Wrong(
        mesh_tree(peers={"bank": {}, "shop": {"trust_domain_aliases": ["bank.internal"]}}),
        "peer-trust-domain",
        "peers.shop.trust_domain_aliases.0",
        "its workloads new certificates",
        mesh_tree(peers={"bank": {}, "shop": {"trust_domain_aliases": ["bank.example"]}}),
    ),
    "a single account of a peer with Istio's default trust domain": Wrong(
        exporting(mesh={"peers": {"shop": {"trust_domain": "cluster.local"}}}),
        "export-callers",
        "exports.ledger.money.callers.shop.0",
        'callers: ["web/*"], or another trust_domain in that mesh',
        exporting(callers={"shop": ["web/*", "*"]}, mesh={"peers": {"shop": {"trust_domain": "cluster.local"}}}),
    ),
    "peers of a mesh that doesn't know its own roots": Wrong(
        mesh_tree(trust={"kind": "external"}, peers={"shop": {}}),
        "peer-trust",
        "peers",
        "or generated",
        mesh_tree(trust={"kind": "external"}),
    ),
    "an export that is no Service": Wrong(
        exporting("ledger"), "export-service", "exports.ledger", "hello.sample", exporting("ledger.default")
    ),
    "an export by its name inside a cluster": Wrong(
        exporting("ledger.money.svc.cluster.local"),
        "export-service",
        "exports.ledger.money.svc.cluster.local",
        "ledger.money",
        exporting(),
    ),
    "an export of the mesh's own parts": Wrong(
        exporting("istiod.istio-system"),
        "export-service",
        "exports.istiod.istio-system",
        "Services of applications only",
        exporting("istiod.istio"),
    ),
    "an export without a port": Wrong(
        exporting(ports={}), "export-service", f"{HERE}.ports", "ports: {http: 8080}", exporting(ports={"tcp": 9000})
    ),
    "a port whose name says no protocol": Wrong(
        exporting(ports={"api": 8080}),
        "export-service",
        f"{HERE}.ports.api",
        "ports: {http: 8080} or {tcp: 8080}",
        exporting(ports={"http-api": 8080}),
    ),
    "two ports of one number": Wrong(
        exporting(ports={"http": 8080, "tcp": 8080}),
        "export-service",
        f"{HERE}.ports.tcp",
        "or {tcp: 8080}",
        exporting(ports={"http": 8080, "tcp": 8081}),
    ),
    "a port that is none": Wrong(
        exporting(ports={"http": 0}), "topology-shape", f"{HERE}.ports.http", SHAPE, exporting()
    ),
    "an export that nobody answers for": Wrong(
        exporting(accounts=[]),
        "export-service",
        f"{HERE}.accounts",
        "as in the pods' serviceAccountName",
        exporting(accounts=["default"]),
    ),
    "an export without its accounts": Wrong(
        exporting(accounts=...), "missing-key", f"{HERE}.accounts", "add accounts", exporting()
    ),
    "callers of a mesh that is no peer": Wrong(
        exporting(callers={"shopp": ["web/checkout"]}),
        "export-callers",
        f"{HERE}.callers.shopp",
        "peers: {shopp: {}}, or name one of the peers",
        exporting(callers={"shop": ["web/checkout"]}),
    ),
    "a caller without its namespace": Wrong(
        exporting(callers={"shop": ["checkout"]}),
        "export-callers",
        f"{HERE}.callers.shop.0",
        '["web/*"] or ["*"]',
        exporting(callers={"shop": ["web/*", "*"]}),
    ),
    "a caller by half of its name": Wrong(
        exporting(callers={"shop": ["web/check*"]}),
        "export-callers",
        f"{HERE}.callers.shop.0",
        '["web/*"] or ["*"]',
        exporting(callers={"shop": []}),
    ),
    "exports of a mesh that answers plaintext": Wrong(
        exporting(mesh={"mtls": "permissive"}), "export-mtls", "mtls", "mtls: strict", mesh_tree(mtls="permissive")
    ),
    "an export of what is imported": Wrong(
        mesh_tree(
            peers={"shop": {"imports": {"cart.web": IMPORT}}},
            exports={"cart.web.shop.internal": {**EXPORT, "callers": {}}},
        ),
        "export-transit",
        "exports.cart.web.shop.internal",
        "have shop export it to the mesh that wants to call it",
        mesh_tree(peers={"shop": {"imports": {"cart.web": IMPORT}}}, exports={"cart.web": {**EXPORT, "callers": {}}}),
    ),
    "a federation gateway in a cluster of another mesh": Wrong(
        exporting(mesh={"federation_gateways": ["est"]}),
        "federation-gateways",
        "federation_gateways.0",
        "name each cluster once",
        exporting(mesh={"federation_gateways": ["east"]}),
    ),
    "a federation gateway twice in one cluster": Wrong(
        exporting(mesh={"federation_gateways": ["east", "east"]}),
        "federation-gateways",
        "federation_gateways.1",
        "name each cluster once",
        exporting(mesh={"federation_gateways": ["east", "west"]}),
    ),
    "exports without a gateway": Wrong(
        exporting(mesh={"federation_gateways": []}),
        "federation-gateways",
        "federation_gateways",
        "or leave it out for a gateway in each",
        mesh_tree(federation_gateways=[]),
    ),
    "a federation gateway for nothing": Wrong(
        mesh_tree(federation_gateways=["east"]),
        "federation-gateways",
        "federation_gateways",
        "remove it, or export a Service",
        exporting(mesh={"federation_gateways": ["east"]}),
    ),
    "a federation gateway that ends TLS": Wrong(
        gateway(annotations={"service.beta.kubernetes.io/aws-load-balancer-ssl-cert": "arn"}),
        "gateway-tls-termination",
        "clusters.east.federation_gateway.annotations.service.beta.kubernetes.io/aws-load-balancer-ssl-cert",
        "port 15443 must pass through as TCP",
        gateway(annotations={"service.beta.kubernetes.io/aws-load-balancer-type": "nlb"}),
    ),
    "a federation gateway without an address": Wrong(
        gateway(type="NodePort"),
        "gateway-address",
        "clusters.east.federation_gateway.address",
        "clusters.east.federation_gateway.type: LoadBalancer",
        gateway(type="NodePort", address="192.0.2.7"),
    ),
    "a federation gateway at a loopback address": Wrong(
        gateway(address="127.0.0.1"),
        "gateway-address",
        "clusters.east.federation_gateway.address",
        "Istio reads it from the Service",
        gateway(address="192.0.2.7"),
    ),
    "a federation gateway in no locality": Wrong(
        gateway(locality="europe west"),
        "topology-shape",
        "clusters.east.federation_gateway.locality",
        SHAPE,
        gateway(locality="europe-west1/europe-west1-b"),
    ),
    "an import that is no Service": Wrong(
        importing("cart"), "import-service", "peers.shop.imports.cart", "hello.sample", importing("cart.default")
    ),
    "an import without a port": Wrong(
        importing(ports={}), "import-service", f"{THERE}.ports", "ports: {http: 8080}", importing()
    ),
    "an import that nobody sees": Wrong(
        importing(namespaces=[]), "import-service", f"{THERE}.namespaces", "namespaces: [web]", importing()
    ),
    "an import for every namespace": Wrong(
        importing(namespaces=["*"]), "import-service", f"{THERE}.namespaces", "namespaces: [web]", importing()
    ),
    "an import inside the clusters' domain": Wrong(
        importing(host="cart.web.svc.cluster.local"),
        "import-host",
        f"{THERE}.host",
        "host: cart.web.shop.internal",
        importing(host="cart.web.svc.cluster.example"),
    ),
    "an import without a domain": Wrong(
        importing(host="cart"), "import-host", f"{THERE}.host", "cart.web.shop.internal", importing(host="cart.shop")
    ),
    "two imports of one name": Wrong(
        mesh_tree(
            peers={
                "shop": {"imports": {"cart.web": {**IMPORT, "host": "cart.example"}}},
                "bank": {"imports": {"cart.web": {**IMPORT, "host": "cart.example"}}},
            }
        ),
        "import-host",
        "peers.bank.imports.cart.web.host",
        "host: cart.web.bank.internal",
        mesh_tree(peers={"shop": {"imports": {"cart.web": IMPORT}}, "bank": {"imports": {"cart.web": IMPORT}}}),
    ),
    "an import that nobody can resolve": Wrong(
        importing(mesh={"dns_capture": False}),
        "import-address",
        f"{THERE}.address",
        "or dns_capture: true",
        importing(mesh={"dns_capture": False}, address="240.0.0.1"),
    ),
    "an import at an address that is none": Wrong(
        importing(address="cart"),
        "import-address",
        f"{THERE}.address",
        "or dns_capture: true",
        importing(address="fd00::1"),
    ),
    "two imports at one address": Wrong(
        mesh_tree(
            peers={
                "shop": {
                    "imports": {name: {**IMPORT, "address": "240.0.0.1"} for name in ("cart.web", "stock.web")},
                }
            }
        ),
        "import-address",
        "peers.shop.imports.stock.web.address",
        "or dns_capture: true",
        mesh_tree(
            peers={
                "shop": {
                    "imports": {
                        name: {**IMPORT, "address": f"240.0.0.{number}"}
                        for number, name in enumerate(("cart.web", "stock.web"))
                    },
                }
            }
        ),
    ),
    "a host to rewrite where there is none": Wrong(
        importing(rewrite_host=True, ports={"tcp": 9000}),
        "import-service",
        f"{THERE}.rewrite_host",
        "or name the port http-...",
        importing(rewrite_host=True),
    ),
    "a fallback that is no Service": Wrong(
        importing(fallback={"service": "cart.web.shop.internal", "accounts": ["cart"]}),
        "import-fallback",
        f"{THERE}.fallback.service",
        "hello.sample",
        importing(fallback={"service": "cart.web", "accounts": ["cart"]}),
    ),
    "a fallback that nobody answers for": Wrong(
        importing(fallback={"service": "cart.web", "accounts": []}),
        "import-fallback",
        f"{THERE}.fallback.accounts",
        "as in the pods' serviceAccountName",
        importing(fallback={"service": "cart.web", "accounts": ["cart"]}),
    ),
    "something to accept that nobody knows": Wrong(
        mesh_tree(peers={"shop": {"accept": ["everything"]}}),
        "topology-shape",
        "peers.shop.accept.0",
        SHAPE,
        mesh_tree(peers={"shop": {"accept": ["unconstrained-roots"]}}),
    ),
}
