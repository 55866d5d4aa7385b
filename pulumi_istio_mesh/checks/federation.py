"""Whether what a mesh shares with others is as it says, and whether it trusts them."""

from __future__ import annotations

from collections.abc import Iterator

from .findings import Finding
from .seen import View
from .services import selected


def exports(view: View) -> Iterator[Finding]:
    """What is exported is a Service of the mesh, with the exported ports, and its pods run as the accounts named."""
    answered = view.clusters()
    # A cluster that was not read may hold it.
    missed = len(answered) < len(view.plan.clusters) or any("services" in seen.unread for _, seen in answered)
    for service, declared in sorted(view.topology.exports.items()):
        name, _, namespace = service.partition(".")
        where = f"{namespace}/{name}"
        there = False
        for planned, seen in answered:
            found = seen.service(namespace, name)
            if found is None:
                continue
            there = True
            numbers = {port["port"] for port in found["spec"].get("ports") or []}
            missing = sorted(set(declared.ports.values()) - numbers)
            if missing:
                what = f"Service {where} has no port {', '.join(map(str, missing))}, which is exported"
                yield Finding("export-differs", planned.name, what, name=where)
            pods = selected(seen, found) if found["spec"].get("selector") else []
            others = {pod["spec"].get("serviceAccountName", "default") for pod in pods} - set(declared.accounts)
            if others:
                what = (
                    f"pods behind {where} run as {', '.join(sorted(others))}, and exports name "
                    f"{', '.join(declared.accounts)}"
                )
                yield Finding("export-differs", planned.name, what, name=where)
        if not there and not missed:
            first = view.plan.clusters[0].name
            yield Finding("export-differs", first, f"Service {where} is exported, and in no cluster", name=where)


def trust(view: View) -> Iterator[Finding]:
    """Every istiod is told the roots of every peer."""
    for planned, seen in view.clusters():
        if not planned.shares or "peer_domains" in seen.unread:
            continue
        for peer, declared in view.topology.peers.items():
            for domain in declared.identity_domains(peer):
                if domain not in seen.peer_domains:
                    yield Finding("peer-not-trusted", planned.name, f"no root for {domain} is trusted", peer)


JUDGES = (exports, trust)
