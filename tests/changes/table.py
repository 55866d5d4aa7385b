"""Changes of a mesh, one a row: what is typed before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..builders import mesh_tree

Tree = Mapping[str, Any]

THREE: dict[str, dict[str, Any]] = {
    "east": {"network": "vpc", "pod_cidr": "10.8.0.0/14"},
    "west": {"network": "vpc", "pod_cidr": "10.12.0.0/14", "primary": "east"},
    "plant": {},
}
"""A primary with a remote on one network, and a primary on a network of its own."""

EXPORT = {"ports": {"http": 80}, "accounts": ["default"], "callers": {"shop": ["web/cart"]}}
IMPORT = {"ports": {"http": 80}, "namespaces": ["web"]}
SHARING = {"exports": {"hello.sample": EXPORT}, "peers": {"shop": {"imports": {"pay.bank": IMPORT}}}}
"""What the mesh shares with the mesh shop."""

BOTH_DOMAINS = {"issued": "2026-11-23", "trust_domains": ["prod.internal", "a.example"]}
ROOT, NEXT = {"issued": "2026-11-23"}, {"issued": "2026-11-01"}

GKE = {
    "clusters": {
        "east": {
            "network": "vpc",
            "gke": {"region": "europe-west1", "block": 0, "control_plane": {"authorized": {"plant": "192.0.2.0/24"}}},
        },
        "plant": {},
    },
    "gke_networks": {"vpc": {"project": "acme-prod", "supernet": "10.0.0.0/12", "nat": True}},
}


def tree(clusters: Mapping[str, Any] | None = None, **facts: Any) -> Tree:
    """The mesh of three, with facts of it changed, and facts of its clusters laid over those; None takes one out."""
    return overlaid(mesh_tree(clusters=THREE), {**facts, "clusters": clusters or {}})


def overlaid(below: Any, above: Any) -> Any:
    """A tree with another one laid over it."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    merged = {**below, **{key: overlaid(below.get(key), value) for key, value in above.items()}}
    return {key: value for key, value in merged.items() if value is not None}


def row(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Tree, Tree]:
    """A change from one overlay of the mesh of three to another one."""
    return tree(**before), tree(**after)


def of(cluster: str, **facts: Any) -> dict[str, Any]:
    """An overlay of one cluster."""
    return {"clusters": {cluster: facts}}


def google(**facts: Any) -> Tree:
    """The mesh with a GKE cluster, with facts of that changed."""
    return overlaid(mesh_tree(**GKE), {"clusters": {"east": {"gke": facts}}})


NEW: dict[str, Any] = {"b": {"istio_version": "1.31.1"}}
OLD_AND_NEW: dict[str, Any] = {"default": {}, **NEW}


def revisions(istiods: Mapping[str, Any], **tags: str) -> dict[str, Any]:
    """An overlay of revisions, and what is behind tags."""
    return {"revisions": istiods, "revision_tags": tags}


NOTHING: dict[str, Any] = {}
JOINS: dict[str, Any] = {"trust": {"roots": None, "kind": "external"}}
"""Under an authority of somebody else, as a mesh is with a control plane that was there before."""

SAID: dict[str, Any] = {
    "clusters": {
        "east": {"api_server": "https://east.example:6443", "east_west_gateway": {"address": "192.0.2.10"}},
        "west": {"api_server": "https://west.example:6443"},
        "plant": {"api_server": "https://plant.example:6443"},
    }
}
"""What a rendered mesh must be told."""

SAID_WITH_TOKEN = overlaid(SAID, of("west", reader_token="b"))

CHANGES: dict[str, tuple[Tree, Tree]] = {
    "charts become releases": row(NOTHING, {"install": "release"}),
    "what is installed is rendered": row(SAID, {**SAID, "render_to": "rendered"}),
    "what is rendered is installed": row({**SAID, "render_to": "rendered"}, SAID),
    "files go elsewhere": row({**SAID, "render_to": "rendered"}, {**SAID, "render_to": "out"}),
    "nothing": row(NOTHING, NOTHING),
    "a network by its own name": row(NOTHING, of("plant", network="plant")),
    "a cluster joins on a network of its own": row(NOTHING, of("lab")),
    "a cluster joins a network": row(NOTHING, of("north", network="vpc", pod_cidr="10.16.0.0/14")),
    "a remote joins": row(NOTHING, of("north", network="vpc", primary="east", pod_cidr="10.16.0.0/14")),
    "a cluster leaves": row(NOTHING, {"clusters": {"plant": None}}),
    "a protected cluster leaves": row(of("plant", protect=True), {"clusters": {"plant": None}}),
    "a cluster that keeps its objects leaves": row(of("plant", retain_on_delete=True), {"clusters": {"plant": None}}),
    "a cluster is evicted": row(NOTHING, {"evicted": ["plant"]}),
    "a protected cluster is evicted": row(of("plant", protect=True), {"evicted": ["plant"]}),
    "a remote is evicted": row(NOTHING, {"evicted": ["west"]}),
    "a primary is evicted, and its remote gets another one": row(
        NOTHING, {"evicted": ["east"], **of("west", primary="plant")}
    ),
    "a primary with revisions becomes the remote of one that joins": row(
        {**revisions(OLD_AND_NEW), "clusters": {"west": None, "plant": None}},
        {**revisions(OLD_AND_NEW), "clusters": {"west": {"primary": None}, "plant": None, "east": {"primary": "west"}}},
    ),
    "an evicted cluster comes back": row({"evicted": ["plant"]}, {"evicted": []}),
    "an evicted cluster leaves the list": row({"evicted": ["plant"]}, {"evicted": [], "clusters": {"plant": None}}),
    "a cluster is listed and evicted": row(NOTHING, {"evicted": ["works"], "clusters": {"works": {}}}),
    "a cluster is renamed": row(NOTHING, {"clusters": {"plant": None, "works": {}}}),
    "a cluster moves to another network": row(NOTHING, of("west", network="west")),
    "a cluster moves onto a network": row(NOTHING, of("plant", network="vpc", pod_cidr="10.16.0.0/14")),
    "a remote gets an istiod": row(NOTHING, {"clusters": {"west": {"primary": None}}}),
    "a primary becomes a remote": row(NOTHING, of("plant", primary="east")),
    "a remote gets another primary": row(NOTHING, of("west", primary="plant")),
    "discovery ends one way": row(NOTHING, of("east", discovers=["west"])),
    "discovery begins": row(of("plant", discovers=[]), NOTHING),
    "the last caller of a gateway goes": row(
        NOTHING, {"clusters": {"east": {"discovers": []}, "plant": {"discovers": []}}}
    ),
    "another trust domain": row(NOTHING, {"trust_domain": "acme.example"}),
    "another mesh ID": row(NOTHING, {"mesh_id": "prod2"}),
    "a mesh ID that leaves the trust domain": row(
        {"trust_domain": "a.example"}, {"trust_domain": "a.example", "mesh_id": "x"}
    ),
    "a root is added": row(NOTHING, {"trust": {"roots": [ROOT, NEXT], "signer": "2026-11-23"}}),
    "a root is dropped before the other one signs": row(
        {"trust": {"roots": [ROOT, NEXT], "signer": "2026-11-23"}}, {"trust": {"roots": [NEXT]}}
    ),
    "another root signs": row(
        {"trust": {"roots": [ROOT, NEXT], "signer": "2026-11-23"}},
        {"trust": {"roots": [ROOT, NEXT], "signer": "2026-11-01"}},
    ),
    "a root is dropped": row({"trust": {"roots": [ROOT, NEXT], "signer": "2026-11-01"}}, {"trust": {"roots": [NEXT]}}),
    "a root is replaced": row(NOTHING, {"trust": {"roots": [NEXT]}}),
    "a root signs that nobody trusts yet": row(NOTHING, {"trust": {"roots": [ROOT, NEXT], "signer": "2026-11-01"}}),
    "a root becomes another certificate": row(NOTHING, {"trust": {"roots": [{**ROOT, "days": 4000}]}}),
    "the trust domain changes, and the old one is an alias": row(
        {"trust": {"roots": [BOTH_DOMAINS]}},
        {"trust": {"roots": [BOTH_DOMAINS]}, "trust_domain": "a.example", "trust_domain_aliases": ["prod.internal"]},
    ),
    "an alias of the trust domain goes": row(
        {"trust": {"roots": [BOTH_DOMAINS]}, "trust_domain": "a.example", "trust_domain_aliases": ["prod.internal"]},
        {"trust": {"roots": [BOTH_DOMAINS]}, "trust_domain": "a.example"},
    ),
    "a token is replaced": row(NOTHING, of("west", reader_token="b")),
    "a token is replaced in files": row({**SAID, "render_to": "out"}, {**SAID_WITH_TOKEN, "render_to": "out"}),
    "a token is replaced, and nothing is proved": row(
        {"verify": {"level": "off"}}, {"verify": {"level": "off"}, **of("west", reader_token="b")}
    ),
    "trust is given": row(NOTHING, {"trust": {"roots": None, "kind": "external"}}),
    "intermediates are renewed": row(NOTHING, {"trust": {"intermediates": {"days": 700}}}),
    "intermediates get another key": row(NOTHING, {"trust": {"intermediates": {"key": "RSA-2048"}}}),
    "a newer Istio": row({"istio_version": "1.30.2"}, NOTHING),
    "a newer Istio in one cluster": row({"istio_version": "1.30.5"}, of("plant", istio_version="1.31.1")),
    "a revision beside the first": row(NOTHING, revisions(OLD_AND_NEW)),
    "a revision of a newer Istio beside the first": row(
        {"istio_version": "1.30.5"}, {"istio_version": "1.30.5", **revisions({"default": {}, **NEW})}
    ),
    "what names no revision is served by another one": row(revisions(OLD_AND_NEW), revisions(OLD_AND_NEW, default="b")),
    "one cluster is served by another revision": row(
        revisions(OLD_AND_NEW), {**revisions(OLD_AND_NEW), **of("plant", revision_tags={"default": "b"})}
    ),
    "a revision goes": row(revisions(OLD_AND_NEW, default="b"), revisions(NEW)),
    "the revision goes that serves": row(revisions(OLD_AND_NEW), revisions(NEW)),
    "a revision of a newer Istio goes": row(
        {"istio_version": "1.30.5", **revisions(OLD_AND_NEW)}, {"istio_version": "1.30.5"}
    ),
    "a revision of a newer Istio": row(
        revisions({"a": {"istio_version": "1.30.5"}}), revisions({"a": {"istio_version": "1.31.1"}})
    ),
    "one revision of another": row(revisions({"a": {}}), revisions({"b": {}})),
    "a tag comes": row(revisions(OLD_AND_NEW), revisions(OLD_AND_NEW, prod="default")),
    "a tag moves": row(revisions(OLD_AND_NEW, prod="default"), revisions(OLD_AND_NEW, prod="b")),
    "a tag goes": row(revisions(OLD_AND_NEW, prod="b"), revisions(OLD_AND_NEW)),
    "clusters are changed in waves": row(NOTHING, {"waves": [["plant"], ["east"]]}),
    "clusters are changed in other waves": row({"waves": [["plant"], ["east"]]}, {"waves": [["east", "plant"]]}),
    "an older Istio": row(NOTHING, {"istio_version": "1.30.2"}),
    "plaintext is taken": row(NOTHING, {"mtls": "permissive"}),
    "plaintext is refused": row({"mtls": "permissive"}, NOTHING),
    "calls prefer what is near": row(NOTHING, {"failover": True}),
    "calls prefer nothing": row({"failover": True}, NOTHING),
    "a host is local to clusters": row(NOTHING, {"cluster_local": ["db.data.svc.cluster.local"]}),
    "proxies leave DNS alone": row(NOTHING, {"dns_capture": False}),
    "a gateway on node ports": row(NOTHING, of("plant", east_west_gateway={"type": "NodePort"})),
    "a gateway at an address": row(NOTHING, of("plant", east_west_gateway={"address": "192.0.2.7"})),
    "a gateway asked for otherwise": row(
        NOTHING, of("plant", east_west_gateway={"annotations": {"cloud/internal": "true"}})
    ),
    "a gateway for some callers": row(NOTHING, of("plant", east_west_gateway={"source_ranges": "10.0.0.0/8"})),
    "a gateway with one more port": row(
        NOTHING, of("plant", east_west_gateway={"ports": [{"name": "mine", "port": 9000}]})
    ),
    "an API server at another address": row(NOTHING, of("plant", api_server="https://192.0.2.9:6443")),
    "an API server by another name": row(NOTHING, of("plant", api_server_tls_name="plant.example")),
    "another pod range": row(NOTHING, of("west", pod_cidr="10.20.0.0/14")),
    "another service range": row(NOTHING, of("west", service_cidr="10.96.0.0/16")),
    "a cluster is protected": row(NOTHING, of("plant", protect=True)),
    "a cluster joins with its Istio": row(JOINS, {**JOINS, **of("works", control_plane="existing")}),
    "a control plane is adopted": row(
        {**JOINS, **of("plant", control_plane="existing")}, {**JOINS, **of("plant", control_plane="adopted")}
    ),
    "a cluster leaves with its Istio": row(
        {**JOINS, **of("works", control_plane="existing")}, {**JOINS, "clusters": {"works": None}}
    ),
    "an adopted control plane is upgraded": row(
        {**JOINS, **of("plant", control_plane="adopted", istio_version="1.31.0")},
        {**JOINS, **of("plant", control_plane="adopted")},
    ),
    "an installer upgraded its Istio": row(
        {**JOINS, **of("plant", control_plane="existing", istio_version="1.31.0")},
        {**JOINS, **of("plant", control_plane="existing")},
    ),
    "what was adopted is managed": row({**JOINS, **of("plant", control_plane="adopted")}, JOINS),
    "what was adopted is forgotten": row(
        {**JOINS, **of("plant", control_plane="adopted")}, {**JOINS, **of("plant", control_plane="existing")}
    ),
    "a control plane is given away": row(JOINS, {**JOINS, **of("plant", control_plane="existing")}),
    "a control plane is made over another": row({**JOINS, **of("plant", control_plane="existing")}, JOINS),
    "CRDs of somebody else": row(NOTHING, of("plant", crds="external")),
    "istiod gets more memory": row(
        NOTHING, of("plant", values={"istiod": {"resources": {"requests": {"memory": "4Gi"}}}})
    ),
    "a mesh config of all": row(NOTHING, {"values": {"istiod": {"meshConfig": {"accessLogFile": "/dev/stdout"}}}}),
    "gateways get another kind of node": row(NOTHING, {"values": {"gateway": {"nodeSelector": {"pool": "edge"}}}}),
    "images by a credential": row(NOTHING, {"image_pull_secrets": ["registry"]}),
    "images from elsewhere": row(NOTHING, {"image_hub": "registry.example/istio"}),
    "charts from elsewhere": row(NOTHING, {"chart_source": "oci://registry.example/charts"}),
    "no calls are proved": row(NOTHING, {"verify": {"level": "discovery"}}),
    "nothing is proved": row(NOTHING, {"verify": {"level": "off"}}),
    "one cluster is not proved": row(NOTHING, of("plant", verify=False)),
    "clusters are not looked at": row(NOTHING, {"verify": {"preflight": False}}),
    "gates of a class of their own": row(NOTHING, {"verify": {"priority_class": "high", "labels": {"team": "mesh"}}}),
    "gates wait longer": row(NOTHING, {"verify": {"timeout_seconds": 90}}),
    "the mesh shares with another one": row(NOTHING, SHARING),
    "the mesh no longer shares": row(SHARING, NOTHING),
    "one more caller": row(
        SHARING, overlaid(SHARING, {"exports": {"hello.sample": {"callers": {"shop": ["web/cart", "web/till"]}}}})
    ),
    "nobody may call": row(SHARING, overlaid(SHARING, {"exports": {"hello.sample": {"callers": None}}})),
    "an export has another port": row(
        SHARING, overlaid(SHARING, {"exports": {"hello.sample": {"ports": {"http": 8080}}}})
    ),
    "an export answers as somebody else": row(
        SHARING, overlaid(SHARING, {"exports": {"hello.sample": {"accounts": ["hello"]}}})
    ),
    "an import is called otherwise": row(
        SHARING,
        overlaid(
            SHARING,
            {"peers": {"shop": {"imports": {"pay.bank": {"host": "pay.example", "namespaces": ["web", "app"]}}}}},
        ),
    ),
    "other meshes enter at one cluster": row(SHARING, {**SHARING, "federation_gateways": ["east"]}),
    "a peer has another trust domain": row(
        SHARING, overlaid(SHARING, {"peers": {"shop": {"trust_domain": "shop.example"}}})
    ),
    "a peer is about to have another trust domain": row(
        SHARING, overlaid(SHARING, {"peers": {"shop": {"trust_domain_aliases": ["shop.example"]}}})
    ),
    "a peer had another trust domain": row(
        overlaid(SHARING, {"peers": {"shop": {"trust_domain_aliases": ["shop.example"]}}}), SHARING
    ),
    "one more peer": row(SHARING, overlaid(SHARING, {"peers": {"bank": {}}})),
    "another trust domain of a mesh that shares": row(
        {**SHARING, "trust": {"roots": [BOTH_DOMAINS]}},
        {
            **SHARING,
            "trust": {"roots": [BOTH_DOMAINS]},
            "trust_domain": "a.example",
            "trust_domain_aliases": ["prod.internal"],
        },
    ),
    "a root for one more trust domain, of a mesh that shares": row(
        {**SHARING, "trust": {"roots": [ROOT]}},
        {**SHARING, "trust": {"roots": [ROOT, {**BOTH_DOMAINS, "generation": "next"}], "signer": "2026-11-23"}},
    ),
    "a GKE cluster in another region": (google(), google(region="europe-west4")),
    "a GKE cluster with another block": (google(), google(block=1)),
    "more nodes": (google(node_pools={"small": {}}), google(node_pools={"small": {"max_nodes": 9}})),
    "one more GKE cluster": (
        google(),
        overlaid(
            google(),
            {"clusters": {"west": overlaid(GKE["clusters"]["east"], {"gke": {"region": "europe-west4", "block": 1}})}},
        ),
    ),
}
