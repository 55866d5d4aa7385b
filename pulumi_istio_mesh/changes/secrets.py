"""Credentials by which istiods read other clusters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..plan.connections import Pair, grouped
from .change import Change, Kind, Side, Sides, listed


def secrets(sides: Sides) -> Iterator[Change]:
    """Yield which remote secrets appear, change and go."""
    was, will = set(sides.before.plan.remote_secrets), set(sides.after.plan.remote_secrets)
    both = was & will
    changed = {
        (reader, read) for reader, read in both if _credential(sides.before, read) != _credential(sides.after, read)
    }
    for name in sides.stay:
        old, new = (side.topology.clusters[name].reader_token for side in (sides.before, sides.after))
        if old != new and sides.behind("Reader", [name]):
            told = f"{name} gets a new token for those that read it; the old one ends {_when(sides.after)}"
            behind = (*sides.turned("Secret", [name], _role(old)), *sides.turned("Secret", [name], _role(new)))
            rendered = sides.after.topology.render_to is not None
            yield Change(Kind.SECRETS, told, behind, safe_way=_BY_HAND if rendered else None)
    evicted = sides.after.topology.evicted
    kept = {pair for pair in was - will if pair[0] in evicted}
    forgotten = {pair for pair in was - will - kept if pair[1] in evicted}
    back = {pair for pair in will - was if pair[1] in sides.before.topology.evicted}
    yield from _told(sides, will - was - back, "+", ("appears", "appear"), ("reads", "read"))
    yield from _told(sides, back, "~", ("is filled again", "are filled again"), ("reads", "read"))
    yield from _told(sides, changed, "~", ("changes", "change"), ("connects anew to", "connect anew to"))
    yield from _told(sides, forgotten, "~", ("is emptied", "are emptied"), ("forgets", "forget"))
    yield from _told(sides, was - will - forgotten - kept, "-", ("goes", "go"), ("no longer reads", "no longer read"))
    wrong_hands = "; replace those tokens (reader_token) if it may be in wrong hands"
    yield from _told(sides, kept, "-", ("stays there", "stay there"), ("goes on reading", "go on reading"), wrong_hands)


def _told(
    sides: Sides, pairs: Iterable[Pair], sign: str, happens: tuple[str, str], does: tuple[str, str], more: str = ""
) -> Iterator[Change]:
    """Yield a sentence for each group of readers and read; verbs are given for one and for many."""
    for readers, read in grouped(pairs):
        found = [(reader, other) for reader in readers for other in read if reader != other]
        number = f"1 remote secret {happens[0]}" if len(found) == 1 else f"{len(found)} remote secrets {happens[1]}"
        whom = "each other" if readers == read else listed(read)
        names = tuple(f"{sign} Secret {sides.of(reader, 'remote', other)}" for reader, other in found)
        turned = (*sides.turned("Reader", read), *sides.turned("RemoteSecrets", readers))
        told = f"{number}: {listed(readers)} {does[len(readers) > 1]} {whom}{more}"
        yield Change(Kind.SECRETS, told, (*names, *turned))


_BY_HAND = (
    "apply the new token's Secret without pruning, give it as reader_credential, render and apply again, then prune "
    "(docs/how-to/gitops.md#another-token)"
)


def _when(side: Side) -> str:
    if side.topology.render_to is not None:
        return "when its Secret is pruned"
    proved = side.topology.verify.level != "off"
    return "when the gates have passed" if proved else "when the others have it, which nothing proves"


def _credential(side: Side, name: str) -> tuple[object, ...]:
    """Return what the topology says of the credential for a cluster; the token in it changes by itself only."""
    declared = side.topology.clusters[name]
    by_dns = declared.gke is not None and declared.gke.control_plane.endpoint
    token = declared.reader_token
    return (token, side.clusters[name].primary, str(declared.api_server), declared.api_server_tls_name, by_dns)


def _role(generation: str | None) -> str:
    return "-".join(filter(None, ["reader-token", generation]))
