"""Links between meshes that are declared together: one line each, export on one side and import on the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .federation import Link
from .names import default_trust_domain
from .problems import Problem, near


@dataclass(frozen=True)
class Linked:
    """Meshes as their links make them."""

    meshes: dict[str, dict[str, Any]]
    """The facts of each mesh, with the peers, callers and imports of its links, by the name that links use."""
    problems: tuple[Problem, ...]
    """What is wrong with the links themselves."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """The path of each fact that a link stands for, such as `meshes.a.peers.b.imports.hello.sample`: `links.0`."""

    def typed(self, problem: Problem) -> Problem:
        """Return the problem at the place that the user typed, where that is a link."""
        for made in sorted(self.origins, key=len, reverse=True):
            if problem.where == made or problem.where.startswith(f"{made}."):
                return problem.at(self.origins[made] + problem.where[len(made) :])
        return problem


def linked(meshes: Mapping[str, Mapping[str, Any]], links: Sequence[Link]) -> Linked:
    """Return the facts of each mesh with what its links add; links with problems add nothing.

    `meshes` holds trees as a user types them, by the names that links use. A link of a mesh whose exports or peers
    don't have their shape adds nothing either: that is a problem of the mesh, which whoever reads it tells.
    """
    trees = {name: _copied(facts) for name, facts in meshes.items()}
    ids = {name: str(facts.get("mesh_id") or name) for name, facts in trees.items()}
    problems: list[Problem] = []
    origins: dict[str, str] = {}
    for index, link in enumerate(links):
        where = f"links.{index}"
        if not all(_has_shape(trees.get(name, {})) for name in (link.exporter, link.importer)):
            continue
        found = list(_problems(where, link, trees, ids))
        problems += found
        if found:
            continue
        exporter, importer = trees[link.exporter], trees[link.importer]
        seller, buyer = ids[link.exporter], ids[link.importer]
        export = exporter["exports"][link.service]
        export.setdefault("callers", {}).setdefault(buyer, [])
        export["callers"][buyer] = [*export["callers"][buyer], *link.callers]
        _peer(exporter, buyer, importer)
        imports = _peer(importer, seller, exporter).setdefault("imports", {})
        imports[link.service] = {"ports": dict(export.get("ports") or {}), **_import(link)}
        origins[f"meshes.{link.importer}.peers.{seller}.imports.{link.service}"] = where
        origins[f"meshes.{link.exporter}.exports.{link.service}.callers.{buyer}"] = f"{where}.callers"
    return Linked(trees, tuple(problems), origins)


def _has_shape(mesh: Mapping[str, Any]) -> bool:
    """Return whether links can add to what the mesh exports, and to its peers."""
    exports, peers = mesh.get("exports", {}), mesh.get("peers", {})
    if not (_holds(exports, Mapping) and _holds(peers, Mapping)):
        return False
    shared = all(
        isinstance(found.get("ports", {}), Mapping) and _holds(found.get("callers", {}), (list, tuple))
        for found in exports.values()
    )
    return shared and all(_holds(found.get("imports", {}), Mapping) for found in peers.values())


def _holds(tree: Any, kind: type[Any] | tuple[type[Any], ...]) -> bool:
    return isinstance(tree, Mapping) and all(isinstance(value, kind) for value in tree.values())


def _copied(tree: Any) -> Any:
    """Return a tree of plain facts that can be added to; what is no plain fact is not copied."""
    if isinstance(tree, Mapping):
        return {key: _copied(value) for key, value in tree.items()}
    return [_copied(value) for value in tree] if isinstance(tree, list) else tree


def _peer(mesh: dict[str, Any], other: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    peers: dict[str, Any] = mesh.setdefault("peers", {})
    peer: dict[str, Any] = peers.setdefault(other, {})
    if facts.get("trust_domain"):
        peer.setdefault("trust_domain", facts["trust_domain"])
    own = facts.get("trust_domain") or default_trust_domain(other)
    if besides := [domain for domain in _vouched_for(facts) if domain != own]:
        peer.setdefault("trust_domain_aliases", besides)
    return peer


def _vouched_for(facts: Mapping[str, Any]) -> list[str]:
    """Return the trust domains that a mesh had before, and that its roots vouch for; none of what has another shape."""
    trust = facts.get("trust")
    roots = trust.get("roots") if isinstance(trust, Mapping) else None
    lists = [root.get("trust_domains") for root in _listed(roots) if isinstance(root, Mapping)]
    found = (domain for held in (facts.get("trust_domain_aliases"), *lists) for domain in _listed(held))
    return list(dict.fromkeys(domain for domain in found if isinstance(domain, str)))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


def _import(link: Link) -> dict[str, Any]:
    callers = [caller.partition("/")[0] for caller in link.callers]
    namespaces = link.namespaces if link.namespaces is not None else tuple(dict.fromkeys(callers))
    facts = link.model_dump(exclude={"exporter", "importer", "service", "callers", "namespaces"}, exclude_defaults=True)
    return {"namespaces": list(namespaces), **facts}


def _problems(where: str, link: Link, trees: Mapping[str, Any], ids: Mapping[str, str]) -> Iterator[Problem]:
    for key, name in (("exporter", link.exporter), ("importer", link.importer)):
        if name not in trees:
            yield Problem(
                where=f"{where}.{key}",
                what=f"{name!r} is not one of the meshes ({', '.join(trees)}){near(name, trees)}",
                why="a link leads from one mesh of the list to another",
                fix=f"{key}: {next(iter(trees), 'prod')}",
                slug="link-meshes",
            )
    if link.exporter not in trees or link.importer not in trees:
        return
    if link.exporter == link.importer:
        yield Problem(
            where=where,
            what=f"it leads from {link.exporter} to itself",
            why="inside a mesh every Service can be called anyway",
            fix="remove it",
            slug="link-meshes",
        )
        return
    exports = trees[link.exporter].get("exports") or {}
    known = (trees[link.importer].get("peers") or {}).get(ids[link.exporter]) or {}
    if link.service in (known.get("imports") or {}):
        yield Problem(
            where=where,
            what=f"{link.importer} imports {link.service} of {link.exporter} already",
            why="one name means one Service, with one list of who may call it",
            fix="put all callers into one link",
            slug="link-meshes",
        )
    elif link.service not in exports:
        owner = _owner(trees, ids, link)
        yield Problem(
            where=f"{where}.service",
            what=f"{link.exporter} imports {link.service} from {owner}, and has none of its own"
            if owner
            else f"{link.exporter} does not export {link.service}, but {', '.join(exports) or 'nothing'}"
            + near(link.service, exports),
            why="a mesh vouches for its own Services only; passed on, callers could not tell who answers them"
            if owner
            else "the exporter says which ports a Service has, and as whom it answers",
            fix=f"exporter: {owner}"
            if owner
            else f"in {link.exporter}: exports: {{{link.service}: {{ports: {{http: 8080}}, accounts: [default]}}}}",
            slug="export-transit" if owner else "not-offered",
        )
    if link.namespaces is None and "*" in link.callers:
        yield Problem(
            where=f"{where}.namespaces",
            what="everybody may call, and who sees the name is not said",
            why="what is imported is known in the namespaces that ask for it, and nowhere else",
            fix="namespaces: [web]",
            slug="import-service",
        )


def _owner(trees: Mapping[str, Any], ids: Mapping[str, str], link: Link) -> str | None:
    """Return the mesh of the list from which the link's exporter has the Service itself; None where it has it not."""
    peers = trees[link.exporter].get("peers") or {}
    importing = {mesh for mesh, facts in peers.items() if link.service in ((facts or {}).get("imports") or {})}
    return next((name for name, mesh in ids.items() if mesh in importing), None)
