"""Whom the mesh trusts, and who signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..istio import names
from .change import Change, Kind, Sides, listed
from .sharing import borders, imported, policies_of


def authorities(sides: Sides) -> Iterator[Change]:
    """Yield what changes of roots, intermediates and other meshes that are trusted."""
    yield from _roots(sides)
    yield from _intermediates(sides)
    before, after = sides.before.topology, sides.after.topology
    new = [domain for domain in after.trust_domain_aliases if domain not in before.trust_domain_aliases]
    if sides.stay and new:
        own = (*sides.behind("ControlPlane", sides.stay), *borders(sides))
        told = f"identities of {listed(new)} count as those of {after.identity_domain}"
        if before.identity_domain in new:
            told += f", which is the mesh's trust domain from now on instead of {before.identity_domain}"
        yield Change(Kind.TRUST, told, own)
    turned = (("MeshExport", ()), ("EnvoyFilter", (names.IDENTITIES_ONLY,)))
    exports = [one for kind, role in turned for one in sides.turned(kind, sides.primaries, *role)]
    exports += borders(sides)
    for name in sorted(before.peers.keys() | after.peers.keys()):
        was, will = before.peers.get(name), after.peers.get(name)
        policies = policies_of(sides, name)
        if was is None and will is not None:
            told = f"mesh {name} is known: its roots are trusted for {will.identity_domain(name)} and for nobody else"
            yield Change(Kind.TRUST, told, (*policies, *exports))
        elif will is None:
            told = f"mesh {name} is no longer known: its roots are not trusted"
            yield Change(Kind.TRUST, told, (*policies, *exports))
        elif was is not None:
            if was.identity_domain(name) != will.identity_domain(name):
                told = (
                    f"mesh {name} is trusted for {will.identity_domain(name)} instead of {was.identity_domain(name)}: "
                    "until its offer says so, too, it is refused"
                )
                imports = (one for service in will.imports for one in imported(sides, name, service))
                yield Change(Kind.TRUST, told, (*borders(sides), *imports))
            yield from _besides(sides, name, was.trust_domain_aliases, will.trust_domain_aliases)
            for accepted in sorted(set(will.accept) - set(was.accept)):
                yield Change(Kind.TRUST, f"{accepted} of mesh {name} are accepted, although they endanger this mesh")
            for accepted in sorted(set(was.accept) - set(will.accept)):
                yield Change(Kind.TRUST, f"{accepted} of mesh {name} are no longer accepted")


def _besides(sides: Sides, peer: str, was: Sequence[str], will: Sequence[str]) -> Iterator[Change]:
    """Further trust domains of a peer."""
    if new := [domain for domain in will if domain not in was]:
        told = f"identities of {listed(new)} count as those of mesh {peer}, too: its roots may vouch for them"
        yield Change(Kind.TRUST, told, borders(sides))
    if gone := [domain for domain in was if domain not in will]:
        told = f"identities of {listed(gone)} no longer count as those of mesh {peer}: a root of it for them is refused"
        yield Change(Kind.TRUST, told, borders(sides))


def _roots(sides: Sides) -> Iterator[Change]:
    before, after = sides.before.topology, sides.after.topology
    was = {root.name for root in before.trust.roots}
    will = {root.name for root in after.trust.roots}
    key = names.logical_name(sides.after.name, "root")
    cacerts = sides.behind("Secret", sides.primaries, "cacerts")
    for name in sorted(will - was):
        yield Change(
            Kind.TRUST,
            f"root {name} is trusted, too" if was else f"root {name} is the mesh's root",
            (f"+ PrivateKey {key}-{name}", *cacerts, *borders(sides)),
        )
    if was and will and before.signing_root.name != after.signing_root.name:
        told = f"root {after.signing_root.name} signs the intermediates instead of {before.signing_root.name}"
        yield Change(Kind.TRUST, told, cacerts)
    for name in sorted(was - will):
        told = f"root {name} is no longer trusted: no workload may hold a certificate of it any more"
        yield Change(Kind.TRUST, told, (f"- PrivateKey {key}-{name}", *cacerts, *borders(sides)))


def _intermediates(sides: Sides) -> Iterator[Change]:
    """New ones under the same root, and those of clusters that get or lose an istiod."""
    kinds = {side.topology.trust.kind for side in (sides.before, sides.after) if side.clusters}
    if kinds != {"generated"}:
        return
    was = {own.name: own for own in sides.before.plan.intermediates}
    will = {own.name: own for own in sides.after.plan.intermediates}
    new, gone = sorted(will.keys() - was.keys()), sorted(was.keys() - will.keys())
    if new:
        one = "an intermediate of its own" if len(new) == 1 else "an intermediate each"
        yield Change(
            Kind.TRUST,
            f"{listed(new)} sign with {one}" if len(new) > 1 else f"{new[0]} signs with {one}",
            sides.turned("IntermediateAuthority", new),
        )
    evicted = [name for name in gone if name in sides.after.topology.evicted]
    for name in evicted:
        told = f"the intermediate of {name} stays in it, and is trusted until {was[name].expires}"
        yield Change(Kind.TRUST, told, sides.turned("IntermediateAuthority", [name]))
    if gone := [name for name in gone if name not in evicted]:
        verb = "signs" if len(gone) == 1 else "sign"
        yield Change(
            Kind.TRUST, f"{listed(gone)} no longer {verb} certificates", sides.turned("IntermediateAuthority", gone)
        )
    renewed = sorted(name for name in was.keys() & will.keys() if was[name] != will[name])
    key = sides.before.topology.trust.intermediates.key != sides.after.topology.trust.intermediates.key
    if renewed or (key and was.keys() & will.keys()):
        both = renewed or sorted(was.keys() & will.keys())
        found = will[both[0]]
        told = (
            f"new intermediates for {listed(both)}, valid from {found.issued} to {found.expires}: istiods take them "
            "while they run, proxies at their next renewal"
        )
        keys = sides.behind("PrivateKey", both, "intermediate") if key else ()
        yield Change(Kind.TRUST, told, (*keys, *sides.behind("Secret", both, "cacerts")))
