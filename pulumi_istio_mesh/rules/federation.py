"""Rules about what a mesh shares with others: names mean one thing, callers are named, roots are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..istio import names
from ..topology.federation import CLUSTER_DOMAIN, Import, Peer, import_host
from ..topology.models import Topology
from ..topology.names import (
    default_trust_domain,
    is_account,
    is_caller,
    is_dns_label,
    is_host_name,
    is_ip_address,
    is_mesh_id,
    is_service_name,
)
from ..topology.problems import Problem, near

PROTOCOLS = ("http", "http2", "https", "grpc", "grpc-web", "tcp", "tls", "mongo", "mysql", "redis")
"""What the name of a port may begin with. Source: istio.io, ops/configuration/traffic-management/protocol-selection."""


def peers_are_other_meshes(topology: Topology) -> Iterator[Problem]:
    """Refuse a peer that is this mesh, can't be a mesh ID, or has a trust domain that is taken."""
    # An alias of this mesh that is a peer's is told at the alias (rules/trust.py).
    own = (domain for domain in topology.own_domains if domain not in topology.trust_domain_aliases)
    taken = dict.fromkeys(own, f"this mesh, {topology.mesh_id}")
    for name, peer in topology.peers.items():
        where = f"peers.{name}"
        if name == topology.mesh_id or not is_mesh_id(name):
            yield Problem(
                where=where,
                what=f"{name} is this mesh itself" if name == topology.mesh_id else f"{name!r} can't be a mesh ID",
                why="a peer is another mesh, under the ID that it gives itself",
                fix="use the peer's own mesh_id: lower-case letters, digits and inner hyphens, at most 40 characters",
                slug="peer-name",
            )
            continue
        yield from _domain_problems(where, name, peer, taken)
        taken = {**dict.fromkeys(peer.identity_domains(name), f"peer {name}"), **taken}


def _domain_problems(where: str, name: str, peer: Peer, taken: Mapping[str, str]) -> Iterator[Problem]:
    """Refuse a trust domain that is none, and one that somebody else has."""
    for index, domain in enumerate(peer.identity_domains(name)):
        key = f"trust_domain_aliases.{index - 1}" if index else "trust_domain"
        if not is_host_name(domain):
            yield Problem(
                where=f"{where}.{key}",
                what=f"{domain!r} is not a lower-case host name",
                why="it is the host of every identity of that mesh",
                fix=f"{where}.{key}: {default_trust_domain(name)}",
                slug="peer-trust-domain",
            )
        elif domain in taken:
            yield Problem(
                where=f"{where}.{key}",
                what=f"{domain} is the trust domain of {taken[domain]} too",
                why="an identity must say which mesh it is of: policies let callers in by it",
                fix="give one of the meshes another trust_domain, and its workloads new certificates",
                slug="peer-trust-domain",
            )


def own_roots_are_known(topology: Topology) -> Iterator[Problem]:
    """Refuse peers where this mesh's own roots are somebody else's business: they stand in what it offers."""
    if topology.peers and topology.trust.kind == "external":
        yield Problem(
            where="peers",
            what="there are peers, and trust.kind is external",
            why="peers must trust the roots of this mesh, and so must be told them",
            fix="trust: {kind: given}, with the certificates of each cluster, or generated",
            slug="peer-trust",
        )


def exports_name_services(topology: Topology) -> Iterator[Problem]:
    """Refuse an export that is no Service of the mesh, or lacks what callers must know of it."""
    imported = {host: peer for peer, _, _, host in _imports(topology)}
    for service, export in topology.exports.items():
        where = f"exports.{service}"
        if service in imported:
            yield Problem(
                where=where,
                what=f"{service} is imported from {imported[service]}",
                why="a mesh vouches for its own Services only; passed on, callers could not tell who answers them",
                fix=f"have {imported[service]} export it to the mesh that wants to call it",
                slug="export-transit",
            )
            continue
        yield from _service_problems(where, service, "export-service")
        yield from _port_problems(where, export.ports, "export-service")
        yield from _account_problems(where, service, export.accounts, "export-service")


def callers_are_named(topology: Topology) -> Iterator[Problem]:
    """Refuse callers of a mesh that is no peer, and callers that are neither an account, a namespace nor all."""
    for service, export in topology.exports.items():
        for mesh, callers in export.callers.items():
            where = f"exports.{service}.callers.{mesh}"
            if mesh not in topology.peers:
                yield Problem(
                    where=where,
                    what=f"{mesh!r} is not one of the peers ({_listed(topology.peers)}){near(mesh, topology.peers)}",
                    why="a caller of a mesh whose roots are not trusted can't be let in",
                    fix=f"peers: {{{mesh}: {{}}}}, or name one of the peers",
                    slug="export-callers",
                )
            yield from _caller_problems(where, callers)
            known = topology.peers.get(mesh)
            if known and _CLUSTER_LOCAL in known.identity_domains(mesh):
                yield from _local_caller_problems(where, callers)


_CLUSTER_LOCAL = "cluster.local"


def _local_caller_problems(where: str, callers: Iterable[str]) -> Iterator[Problem]:
    """Refuse single accounts of a peer whose trust domain is Istio's default: in policies it stands for the own one.

    Source: istio/istio pilot/pkg/security/trustdomain/bundle.go, for principals of the form <domain>/ns/<>/sa/<>.
    """
    for index, caller in enumerate(callers):
        namespace, _, account = caller.partition("/")
        if account not in ("", "*"):
            yield Problem(
                where=f"{where}.{index}",
                what=f"{caller} of a mesh with the trust domain {_CLUSTER_LOCAL} would never be let in",
                why="Istio reads that domain in front of a single account as this mesh's own",
                fix=f'callers: ["{namespace}/*"], or another trust_domain in that mesh',
                slug="export-callers",
            )


def _caller_problems(where: str, callers: Iterable[str]) -> Iterator[Problem]:
    """Refuse callers that are neither `<namespace>/<service account>`, `<namespace>/*` nor `*`."""
    for index, caller in enumerate(callers):
        if is_caller(caller):
            continue
        yield Problem(
            where=f"{where}.{index}",
            what=f"{caller!r} names no caller",
            why="who may call is a service account, all of a namespace, or everybody in the mesh",
            fix='callers: ["web/checkout"], ["web/*"] or ["*"]',
            slug="export-callers",
        )


def exporting_meshes_are_strict(topology: Topology) -> Iterator[Problem]:
    """Refuse exports of a mesh whose workloads answer plaintext: nobody would be kept out."""
    if topology.exports and topology.mtls != "strict":
        yield Problem(
            where="mtls",
            what=f"{_listed(topology.exports)} is exported, and mtls is {topology.mtls}",
            why="a caller without a certificate has no identity by which it could be kept out",
            fix="mtls: strict",
            slug="export-mtls",
        )


def federation_gateways_stand_somewhere(topology: Topology) -> Iterator[Problem]:
    """Refuse gateways in clusters that are none, no gateway where something is exported, and one without an address."""
    chosen = topology.federation_gateways
    for index, name in enumerate(chosen or ()):
        what = (
            f"{name!r} is not a cluster of this mesh ({', '.join(topology.clusters)}){near(name, topology.clusters)}"
            if name not in topology.clusters
            else f"{name} is given twice"
        )
        if name not in topology.clusters or name in (chosen or ())[:index]:
            yield _gateway_problem(f"federation_gateways.{index}", what, "name each cluster once")
    if chosen == () and topology.exports:
        what = f"{_listed(topology.exports)} is exported, and there is no gateway"
        yield _gateway_problem("federation_gateways", what, "name a cluster, or leave it out for a gateway in each")
    if chosen and not topology.exports:
        yield _gateway_problem("federation_gateways", "nothing is exported", "remove it, or export a Service")
    for name, cluster in topology.clusters.items():
        gateway, where = cluster.federation_gateway, f"clusters.{name}.federation_gateway"
        if gateway.type != "LoadBalancer" and gateway.address is None and topology.has_federation_gateway(name):
            yield Problem(
                where=f"{where}.address",
                what=f"no address is given, and the status of a {gateway.type} Service has none to read",
                why="the gateway's address stands in what this mesh offers to others",
                fix=f"set {where}.address to the IP address other meshes dial, or {where}.type: LoadBalancer",
                slug="gateway-address",
            )


def imports_are_whole(topology: Topology) -> Iterator[Problem]:
    """Refuse an import that names no Service or port, that nobody would see, or that nobody could resolve."""
    for peer, service, declared, _ in _imports(topology):
        where = f"peers.{peer}.imports.{service}"
        yield from _service_problems(where, service, "import-service")
        yield from _port_problems(where, declared.ports, "import-service")
        if not declared.namespaces or not all(is_dns_label(name) for name in declared.namespaces):
            yield Problem(
                where=f"{where}.namespaces",
                what="nobody would see it"
                if not declared.namespaces
                else f"{_listed(declared.namespaces)}: no namespaces",
                why="what is imported is known in the namespaces that ask for it, and nowhere else",
                fix="namespaces: [web]",
                slug="import-service",
            )
        if declared.rewrite_host and not any(_is_http(name) for name in declared.ports):
            yield Problem(
                where=f"{where}.rewrite_host",
                what="none of its ports speaks HTTP",
                why="only an HTTP request has a host to rewrite",
                fix="remove rewrite_host, or name the port http-...",
                slug="import-service",
            )


def imports_have_names_of_their_own(topology: Topology) -> Iterator[Problem]:
    """Refuse a name that is none, that belongs to the cluster's own domain, or that stands for two Services."""
    taken: dict[str, str] = {}
    for peer, service, _, host in _imports(topology):
        where = f"peers.{peer}.imports.{service}.host"
        if not is_host_name(host) or "." not in host:
            finding = f"{host!r} is not a lower-case host name with a domain"
        elif host.endswith((".local", ".svc")):
            finding = f"{host} is inside the clusters' own domain"
        elif host in taken:
            finding = f"{host} is the name of {taken[host]} too"
        else:
            taken[host] = f"{service} of {peer}"
            continue
        yield Problem(
            where=where,
            what=finding,
            why="one name means one Service; and below .local east-west gateways would pass it on to other clusters",
            fix=f"host: {service}.{peer}.internal",
            slug="import-host",
        )


def imports_have_addresses(topology: Topology) -> Iterator[Problem]:
    """Refuse an address that is none or is taken, and an import without one where proxies answer no DNS."""
    taken: dict[str, str] = {}
    for peer, service, declared, host in _imports(topology):
        where, address = f"peers.{peer}.imports.{service}.address", declared.address
        if address is None and topology.dns_capture:
            continue
        if address is None:
            finding = f"none is given, and dns_capture is off, so nobody could resolve {host}"
        elif not is_ip_address(address):
            finding = f"{address!r} is not an IP address"
        elif address in taken:
            finding = f"{address} stands for {taken[address]} too"
        else:
            taken[address] = host
            continue
        yield Problem(
            where=where,
            what=finding,
            why="proxies know where a call goes by its address, and applications get that from DNS",
            fix=f"address: 240.0.0.1, with a record in your DNS that leads {host} to it; or dns_capture: true",
            slug="import-address",
        )


def fallbacks_are_local(topology: Topology) -> Iterator[Problem]:
    """Refuse a fallback that is no Service of this mesh."""
    for peer, service, declared, _ in _imports(topology):
        if declared.fallback is None:
            continue
        where, fallback = f"peers.{peer}.imports.{service}.fallback", declared.fallback
        yield from _service_problems(f"{where}.service", fallback.service, "import-fallback")
        yield from _account_problems(where, fallback.service, fallback.accounts, "import-fallback")


def _imports(topology: Topology) -> Iterator[tuple[str, str, Import, str]]:
    for peer, declared in topology.peers.items():
        for service, found in declared.imports.items():
            yield peer, service, found, import_host(peer, service, found)


def _service_problems(where: str, service: str, slug: str) -> Iterator[Problem]:
    if not is_service_name(service):
        short = service.removesuffix(f".{CLUSTER_DOMAIN}")
        yield Problem(
            where=where,
            what=f"{service!r} is not <service>.<namespace>",
            why="both meshes know the Service by its name and namespace; its domain is the exporter's own",
            fix=short if short.count(".") == 1 and short != service else "hello.sample",
            slug=slug,
        )
    elif (namespace := service.partition(".")[2]) in (names.NAMESPACE, names.VERIFY_NAMESPACE):
        yield Problem(
            where=where,
            what=f"{namespace} holds the mesh itself",
            why="through it another mesh could reach istiod, and with it every certificate of this one",
            fix="share Services of applications only",
            slug=slug,
        )


def _port_problems(where: str, ports: dict[str, int], slug: str) -> Iterator[Problem]:
    if not ports:
        yield Problem(
            where=f"{where}.ports",
            what="no port is named",
            why="each port has an SNI and a destination rule of its own",
            fix="ports: {http: 8080}",
            slug=slug,
        )
    seen: dict[int, str] = {}
    for name, number in ports.items():
        if not is_dns_label(name) or not any(name == known or name.startswith(f"{known}-") for known in PROTOCOLS):
            finding = f"the name {name!r} does not begin with a protocol"
        elif number in seen:
            finding = f"{seen[number]} has the number {number} too"
        else:
            seen[number] = name
            continue
        yield Problem(
            where=f"{where}.ports.{name}",
            what=finding,
            why=f"a proxy treats a port as its name says: {', '.join(PROTOCOLS)}, alone or followed by -<more>",
            fix=f"ports: {{http: {number}}} or {{tcp: {number}}}",
            slug=slug,
        )


def _account_problems(where: str, service: str, accounts: tuple[str, ...], slug: str) -> Iterator[Problem]:
    wrong = [account for account in accounts if not is_account(account)]
    if wrong or not accounts:
        yield Problem(
            where=f"{where}.accounts",
            what=f"{_listed(wrong)}: no service accounts" if wrong else "no service account is named",
            why="callers accept these identities and nobody else; without any they would accept everybody",
            fix=f"accounts: [{service.partition('.')[0] or 'default'}], as in the pods' serviceAccountName",
            slug=slug,
        )


def _gateway_problem(where: str, what: str, fix: str) -> Problem:
    why = "other meshes enter at federation gateways, and at nothing else"
    return Problem(where=where, what=what, why=why, fix=fix, slug="federation-gateways")


def _is_http(port: str) -> bool:
    return port.partition("-")[0] in ("http", "http2", "grpc")


def _listed(found: Iterable[str]) -> str:
    return ", ".join(found) or "there are none"


RULES = (
    peers_are_other_meshes,
    own_roots_are_known,
    exports_name_services,
    callers_are_named,
    exporting_meshes_are_strict,
    federation_gateways_stand_somewhere,
    imports_are_whole,
    imports_have_names_of_their_own,
    imports_have_addresses,
    fallbacks_are_local,
)
