"""Calls between this mesh and others."""

from __future__ import annotations

from collections.abc import Iterator

from ..istio import names
from ..istio.federation import callers, imported_name
from ..topology.federation import Import, import_host
from .change import Change, Kind, Side, Sides, listed


def sharing(sides: Sides) -> Iterator[Change]:
    """Yield what other meshes may call, and what of theirs can be called, that was not so before."""
    yield from _lets_in(sides)
    yield from _exports(sides)
    yield from _entrances(sides)
    yield from _imports(sides)


def _lets_in(sides: Sides) -> Iterator[Change]:
    was, will = _callers(sides.before), _callers(sides.after)
    for key in sorted(was.keys() | will.keys()):
        peer, service = key
        new, gone = will.get(key, set()) - was.get(key, set()), was.get(key, set()) - will.get(key, set())
        policies = policies_of(sides, peer)
        if new:
            yield Change(Kind.TRAFFIC, f"{_who(new)} of mesh {peer} may call {service}", policies)
        if gone:
            yield Change(Kind.TRAFFIC, f"{_who(gone)} of mesh {peer} may no longer call {service}", policies)


def policies_of(sides: Sides, peer: str) -> tuple[str, ...]:
    """Return the policies that say what another mesh may call."""
    return sides.behind("AuthorizationPolicy", sides.primaries, names.callers_of(peer))


def borders(sides: Sides) -> tuple[str, ...]:
    """Return those policies that stay and change: each also says who is of this mesh, and who of other peers."""
    before, after = sides.before.topology, sides.after.topology
    both = sorted(before.peers.keys() & after.peers.keys())
    changed = (peer for peer in both if callers(before, peer) != callers(after, peer))
    return tuple(one for peer in changed for one in policies_of(sides, peer))


def _callers(side: Side) -> dict[tuple[str, str], set[str]]:
    return {(peer.name, let.service): set(let.callers) for peer in side.plan.peers for let in peer.lets_in}


def _who(callers: set[str]) -> str:
    return "everybody" if "*" in callers else listed(sorted(callers))


def _exports(sides: Sides) -> Iterator[Change]:
    was, will = sides.before.topology.exports, sides.after.topology.exports
    gateways = (*sides.behind("Gateway", sides.primaries, "exports"), *sides.turned("MeshExport", sides.primaries))
    for service in sorted(will.keys() - was.keys()):
        yield Change(Kind.TRAFFIC, f"{service} is exported: {_ports(will[service].ports)}", gateways)
    for service in sorted(was.keys() - will.keys()):
        yield Change(Kind.TRAFFIC, f"{service} is no longer exported", gateways)
    for service in sorted(was.keys() & will.keys()):
        if was[service].ports != will[service].ports:
            told = f"{service} is exported with {_ports(will[service].ports)} instead of {_ports(was[service].ports)}"
            let = (one for peer in will[service].callers for one in policies_of(sides, peer))
            yield Change(Kind.TRAFFIC, told, (*gateways, *let))
        if set(was[service].accounts) != set(will[service].accounts):
            told = f"{service} answers other meshes as {listed(sorted(will[service].accounts))}"
            yield Change(Kind.TRAFFIC, f"{told} instead of {listed(sorted(was[service].accounts))}: the offer says so")


def _ports(ports: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in ports.items())


def _entrances(sides: Sides) -> Iterator[Change]:
    for name in sides.stay:
        was, will = sides.before.clusters[name].federation_gateway, sides.after.clusters[name].federation_gateway
        if was != will:
            told = f"other meshes {'enter' if will else 'no longer enter'} at {name}"
            yield Change(Kind.TRAFFIC, told, sides.turned("FederationGateway", [name]))
    for name in sides.stay:
        old, new = (side.topology.clusters[name].federation_gateway.locality for side in (sides.before, sides.after))
        if old != new and sides.after.clusters[name].federation_gateway:
            yield Change(Kind.TRAFFIC, f"callers take the federation gateway of {name} for one in {new or 'no place'}")


def _imports(sides: Sides) -> Iterator[Change]:
    was, will = _imported(sides.before), _imported(sides.after)
    for key in sorted(was.keys() | will.keys()):
        peer, service = key
        old, new = was.get(key), will.get(key)
        entries = imported(sides, peer, service)
        if new is not None and old is None:
            who, host = listed(sorted(new.namespaces)), import_host(peer, service, new)
            told = f"{who} can call {service} of mesh {peer} as {host}"
            yield Change(Kind.TRAFFIC, told, (*entries, *sides.turned("MeshImport", sides.primaries)))
        elif old is not None and new is None:
            yield Change(
                Kind.TRAFFIC,
                f"{service} of mesh {peer} can no longer be called",
                (*entries, *sides.turned("MeshImport", sides.primaries)),
            )
        elif old is not None and new is not None and old != new:
            told = f"{service} of mesh {peer} is called otherwise: {', '.join(_differing(peer, service, old, new))}"
            yield Change(Kind.TRAFFIC, told, entries)


def imported(sides: Sides, peer: str, service: str) -> tuple[str, ...]:
    """Return the resources by which a Service of another mesh is called."""
    kinds = ("ServiceEntry", "DestinationRule", "VirtualService")
    return tuple(one for kind in kinds for one in sides.behind(kind, sides.primaries, imported_name(peer, service)))


def _imported(side: Side) -> dict[tuple[str, str], Import]:
    peers = side.topology.peers.items()
    return {(name, service): found for name, peer in peers for service, found in peer.imports.items()}


def _differing(peer: str, service: str, old: Import, new: Import) -> Iterator[str]:
    hosts = import_host(peer, service, old), import_host(peer, service, new)
    if hosts[0] != hosts[1]:
        yield f"as {hosts[1]} instead of {hosts[0]}"
    if set(old.namespaces) != set(new.namespaces):
        yield f"seen in {listed(sorted(new.namespaces))} instead of {listed(sorted(old.namespaces))}"
    if old.ports != new.ports:
        yield f"{_ports(new.ports)} instead of {_ports(old.ports)}"
    if old.fallback != new.fallback:
        yield f"while it fails, {new.fallback.service if new.fallback else 'nobody'} answers"
    if old.address != new.address:
        yield f"its name stands for {new.address or 'an address of the choice of proxies'}"
    if old.rewrite_host != new.rewrite_host:
        yield f"requests carry {'its own name' if new.rewrite_host else 'the name used here'} as their host"
