"""What clouds are asked for, and so what costs money and has an address."""

from __future__ import annotations

from collections.abc import Iterator

from ..topology.dialled import DialledService
from ..topology.shown import quoted
from .change import Change, Kind, Sides, listed
from .dialled import Dialled, dialled
from .differing import differing


def load_balancers(sides: Sides) -> Iterator[Change]:
    """Yield load balancers that come, go, or are asked for in another way."""
    found = list(dialled(sides))
    for said in dict.fromkeys(one.said for one in found):
        own = [one for one in found if one.said == said]
        yield from _told("new", [one for one in own if _balanced(one.after) and not _balanced(one.before)])
        gone = [one for one in own if _balanced(one.before) and not _balanced(one.after)]
        evicted = sides.after.topology.evicted
        yield from _told("gone", [one for one in gone if one.cluster not in evicted])
        yield from _told("left to the cloud, at its price", [one for one in gone if one.cluster in evicted])
    for one in found:
        was, will = one.before, one.after
        if was is not None and will is not None and was.type == will.type and _asked(was) != _asked(will):
            told = f"the {one.said} of {one.cluster} is asked for in another way: {_differing(was, will)}"
            yield Change(Kind.LOAD_BALANCERS, told, (f"~ {one.resource}",))


def _told(word: str, found: list[Dialled]) -> Iterator[Change]:
    if found:
        whose = "the " + found[0].said if len(found) == 1 else f"the {found[0].said}s"
        clusters = listed([one.cluster for one in found])
        resources = tuple(f"{_sign(one)} {one.resource}" for one in found)
        yield Change(Kind.LOAD_BALANCERS, f"{word}, for {whose} of {clusters}", resources)


def _sign(one: Dialled) -> str:
    return "+" if one.before is None else "-" if one.after is None else "~"


def _balanced(service: DialledService | None) -> bool:
    return service is not None and service.type == "LoadBalancer"


def _asked(service: DialledService) -> tuple[object, ...]:
    return (dict(service.annotations), service.load_balancer_class)


def _differing(before: DialledService, after: DialledService) -> str:
    """Name what differs; values of annotations stay unsaid, for some are credentials."""
    if before.load_balancer_class != after.load_balancer_class:
        old, new = (one.load_balancer_class for one in (before, after))
        return f"class {quoted(old) if old else 'of the cloud'} -> {quoted(new) if new else 'of the cloud'}"
    keys = (key for key, _, _ in differing(before.annotations, after.annotations))
    return f"annotations {', '.join(keys)}"
