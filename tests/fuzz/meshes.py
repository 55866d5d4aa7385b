"""Strategies for meshes that can be built, of every kind that there is, as trees that a user would type."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Tree = dict[str, Any]

NAMES = ("east", "west", "plant", "lab", "on", "1", "a-b")
VERSIONS = ("1.30.3", "1.31.0", "1.31.1")
IMAGE = "registry.example/istio"
REGION = "europe-west1"


@st.composite
def clusters(draw: st.DrawFn) -> Tree:
    """Clusters that are primaries or remotes, on networks of their own or on shared ones."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    networks = draw(st.sampled_from(((), ("vpc",), ("vpc", "dc"))))
    found: Tree = {}
    for number, name in enumerate(names):
        facts: Tree = {}
        if networks and draw(st.integers(0, 2)):
            facts["network"] = draw(st.sampled_from(networks))
        if draw(st.booleans()):
            facts["pod_cidr"] = f"10.{8 + 4 * number}.0.0/14"
        if draw(st.booleans()):
            facts["service_cidr"] = f"172.20.{16 * number}.0/20"
        found[name] = {**facts, **draw(options(number))}
    primaries = [names[0], *(name for name in names[1:] if draw(st.booleans()))]
    for name in names:
        if name not in primaries:
            found[name]["primary"] = draw(st.sampled_from(primaries))
        elif draw(st.integers(0, 4)) == 0:
            found[name]["discovers"] = draw(st.lists(st.sampled_from(names), unique=True).map(_without(name)))
    return found


def _without(name: str) -> Any:
    return lambda found: [one for one in found if one != name]


@st.composite
def options(draw: st.DrawFn, number: int) -> Tree:
    """Facts of a cluster that follow from nothing else."""
    service = {
        "address": f"192.0.2.{10 + number}",
        "type": "LoadBalancer",
        "annotations": {"example.com/kind": "internal"},
        "source_ranges": ["192.0.2.0/24"],
        "load_balancer_class": "example.com/internal",
    }
    offered: Tree = {
        "api_server": f"https://192.0.2.{100 + number}:6443",
        "api_server_tls_name": "kubernetes",
        "reader_token": "b",
        "east_west_gateway": draw(_some({**service, "ports": [{"name": "web", "port": 8443}], "locality": "r/z"}, 2)),
        "federation_gateway": draw(_some({**service, "locality": "r/z"}, 2)),
        "istiod_service": draw(_some(service, 2)),
        "crds": "external",
        "protect": True,
        "retain_on_delete": True,
        "verify": False,
        "values": {"istiod": {"pilot": {"autoscaleMin": 2}}, "gateway": {"labels": {"team": "mesh"}}},
    }
    return draw(_some(offered, 2))


def _some(offered: Tree, most: int) -> st.SearchStrategy[Tree]:
    """Some of the facts, in their order."""
    chosen = st.lists(st.sampled_from(sorted(offered)), max_size=most, unique=True)
    return chosen.map(lambda keys: {key: offered[key] for key in offered if key in keys})


@st.composite
def trusts(draw: st.DrawFn, domain: str) -> Tree:
    """Trust of each kind, with one root or in the middle of a rotation."""
    kind = draw(st.sampled_from(("generated", "generated", "given", "external")))
    if kind != "generated":
        return {"kind": kind}
    roots: list[Tree] = [{"issued": "2026-11-01", "days": draw(st.sampled_from((400, 3650)))}]
    trust: Tree = {"roots": roots}
    if draw(st.booleans()):
        roots.append({"issued": "2026-11-20", "generation": "two", "key": "ECDSA-P384"})
        trust["signer"] = draw(st.sampled_from(("2026-11-01", "two")))
    if draw(st.booleans()):
        trust["intermediates"] = draw(_some({"issued": "2026-11-21", "days": 90, "key": "RSA-2048"}, 3))
    if draw(st.integers(0, 3)) == 0:
        for root in roots:
            root["trust_domains"] = [domain]
    return trust


@st.composite
def sharing(draw: st.DrawFn) -> Tree:
    """Peers, with what is exported to them and imported from them."""
    imports = {
        "pay.bank": {"ports": {"http": 8080}, "namespaces": ["web"]},
        "search.shop": {
            "ports": {"http": 80, "grpc": 90},
            "namespaces": ["*"],
            "host": "search.example",
            "rewrite_host": True,
        },
        "log.ops": {
            "ports": {"http": 80},
            "namespaces": ["web", "ops"],
            "fallback": {"service": "log.ops", "accounts": ["default"]},
        },
    }
    exports = {
        "hello.sample": {"ports": {"http": 80}, "accounts": ["default"], "callers": {"shop": ["web/cart"]}},
        "price.sample": {"ports": {"http": 80}, "accounts": ["a", "b"], "callers": {"shop": ["*"]}},
    }
    peers: Tree = {"shop": {"imports": draw(_some(imports, 2))}}
    if draw(st.booleans()):
        peers["bank"] = draw(_some({"trust_domain": "corp.example", "accept": ["same-root-names"]}, 2))
    found: Tree = {"peers": peers}
    if given := draw(_some(exports, 2)):
        found["exports"] = given
    return found


@st.composite
def meshes(draw: st.DrawFn, mesh_id: str = "prod") -> Tree:
    """A mesh; most of these can be built, and the others are near."""
    listed = draw(clusters())
    domain = draw(st.sampled_from((f"{mesh_id}.internal", "corp.example"))) if draw(st.booleans()) else None
    tree: Tree = {"mesh_id": mesh_id, "istio_version": draw(st.sampled_from(VERSIONS))}
    tree["trust"] = draw(trusts(domain or f"{mesh_id}.internal"))
    if domain:
        tree["trust_domain"] = domain
    tree["clusters"] = listed
    if draw(st.integers(0, 2)) == 0:
        tree |= draw(sharing())
    if draw(st.integers(0, 2)) == 0:
        tree |= draw(revisions(listed))
    if draw(st.integers(0, 3)) == 0:
        primaries = [name for name, facts in listed.items() if "primary" not in facts]
        tree["waves"] = [[primaries[0]], primaries[1:]] if primaries[1:] else [primaries]
    if draw(st.integers(0, 4)) == 0:
        served = {facts.get("primary") for facts in listed.values()}
        leaving = draw(st.lists(st.sampled_from(sorted(listed)), max_size=2, unique=True))
        tree["evicted"] = draw(st.sampled_from(([name for name in listed if name not in served][1:2], leaving)))
    if draw(st.integers(0, 5)) == 0:
        tree = draw(gke(tree))
    return {**tree, **draw(platform())}


@st.composite
def revisions(draw: st.DrawFn, listed: Tree) -> Tree:
    """Istiods beside each other, and tags."""
    tree: Tree = {"revisions": {"default": {}, "b": {"istio_version": "1.31.1"}}}
    if draw(st.booleans()):
        tree["revision_tags"] = {draw(st.sampled_from(("default", "stable"))): draw(st.sampled_from(("default", "b")))}
    if draw(st.booleans()):
        name = next(name for name, facts in listed.items() if "primary" not in facts)
        listed[name]["revision_tags"] = {"stable": "b"}
        tree.setdefault("revision_tags", {"stable": "default"})
    return tree


@st.composite
def gke(draw: st.DrawFn, tree: Tree) -> Tree:
    """The mesh with a cluster that the program makes at Google."""
    authorized = dict.fromkeys(tree["clusters"], "192.0.2.0/24")
    more = {"zone": f"{REGION}-b", "max_pods_per_node": 32, "node_pools": {"default": {"min_nodes": 1, "max_nodes": 3}}}
    made = {"region": REGION, "block": 0, "control_plane": {"authorized": authorized}, **draw(_some(more, 2))}
    network = {"project": "acme-prod", "supernet": "10.64.0.0/12", "nat": True}
    clusters = {**tree["clusters"], "google": {"network": "gcp", "gke": made}}
    return {**tree, "clusters": clusters, "gke_networks": {"gcp": network}}


def platform() -> st.SearchStrategy[Tree]:
    """Facts of a mesh that follow from nothing else."""
    return _some(
        {
            "mtls": "permissive",
            "dns_capture": False,
            "failover": True,
            "cluster_local": ["*.kube-system.svc.cluster.local"],
            "install": "release",
            "render_to": "rendered",
            "chart_source": "oci://registry.example/charts",
            "image_hub": IMAGE,
            "image_pull_secrets": ["registry"],
            "trust_domain_aliases": ["old.example"],
            "values": {
                "istiod": {"meshConfig": {"accessLogFile": "/dev/stdout"}},
                "base": {},
                "gateway": {"a": [1, {"b": None}]},
            },
            "verify": {
                "level": "discovery",
                "timeout_seconds": 30,
                "image": f"{IMAGE}/proxyv2:1.31.1",
                "labels": {"a": "b"},
                "node_selector": {"kubernetes.io/os": "linux"},
                "tolerations": [{"operator": "Exists"}],
            },
        },
        3,
    )


@st.composite
def files(draw: st.DrawFn) -> Tree:
    """A file with one mesh, or with several that share Services by links."""
    if draw(st.integers(0, 4)):
        tree = draw(meshes())
        return {"version": 1, **tree} if draw(st.booleans()) else tree
    found = {}
    for name in ("blue", "green", "red")[: draw(st.integers(1, 3))]:
        tree = draw(meshes(name))
        tree = {key: value for key, value in tree.items() if key not in ("mesh_id", "peers", "exports")}
        tree["clusters"] = {f"{name}-{cluster}": _renamed(facts, name) for cluster, facts in tree["clusters"].items()}
        for fact in ("waves", "evicted", "gke_networks"):
            tree.pop(fact, None)
        found[name] = tree
    if "green" not in found or not draw(st.booleans()):
        return {"meshes": found}
    found["green"]["exports"] = {"hello.sample": {"ports": {"http": 80}, "accounts": ["default"]}}
    more = {"callers": ["web/*"], "namespaces": ["web"], "rewrite_host": True, "host": "hello.example"}
    names = st.sampled_from((*found, "nowhere"))
    link = st.fixed_dictionaries(
        {"exporter": st.just("green") | names, "importer": st.just("blue") | names, "service": st.just("hello.sample")}
    )
    linked = draw(st.lists(st.tuples(link, _some(more, 3)), min_size=1, max_size=2))
    return {"meshes": found, "links": [{**one, **others} for one, others in linked]}


def _renamed(facts: Tree, mesh: str) -> Tree:
    renamed = dict(facts)
    for fact in ("primary", "network"):
        if fact in facts:
            renamed[fact] = f"{mesh}-{facts[fact]}"
    if "discovers" in facts:
        renamed["discovers"] = [f"{mesh}-{name}" for name in facts["discovers"]]
    return renamed
