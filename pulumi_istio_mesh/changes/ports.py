"""What networks must let through, or no longer need to."""

from __future__ import annotations

from collections.abc import Iterator

from ..plan.connections import connections, together
from ..plan.gke_flows import Flow
from .change import MOST, Change, Kind, Sides
from .dialled import dialled


def ports(sides: Sides) -> Iterator[Change]:
    """Yield connections that are new or no longer needed, and what the mesh's own firewalls do about it."""
    was, will = (connections(side.topology, side.plan) for side in (sides.before, sides.after))
    there, needed = set(was), set(will)
    for found in together(one for one in will if one not in there):
        yield Change(Kind.PORTS, f"open: {' to '.join(found.ends(MOST))}, {found.ports} ({found.why})")
    for found in together(one for one in was if one not in needed):
        yield Change(Kind.PORTS, f"no longer needed: {' to '.join(found.ends(MOST))}, {found.ports}")
    for name in sides.stay:
        old, new = sides.before.topology.clusters[name].pod_cidr, sides.after.topology.clusters[name].pod_cidr
        if old != new:
            was_in, will_in = (", ".join(map(str, found)) or "a range that is not said" for found in (old, new))
            yield Change(
                Kind.PORTS, f"pods of {name} are in {will_in} instead of {was_in}: so are sources in firewalls"
            )
    yield from _firewall(sides)
    yield from _let_in(sides)


def _firewall(sides: Sides) -> Iterator[Change]:
    """The rules of VPCs that the program makes."""
    was, will = (
        {(flow.cluster, flow.name): flow for flow in side.plan.firewall} for side in (sides.before, sides.after)
    )
    for key in sorted(was.keys() | will.keys()):
        old, new = was.get(key), will.get(key)
        resource = f"Firewall {sides.of(*key)}"
        if new is None and old is not None:
            told = f"the VPC no longer lets in to {old.cluster} {old.name} from {', '.join(old.sources)}"
            yield Change(Kind.PORTS, told, (f"- {resource}",))
        elif new is not None and old is None:
            yield Change(Kind.PORTS, f"the VPC lets in to {new.cluster} {_flow(new)}: {new.why}", (f"+ {resource}",))
        elif new is not None and old is not None and (old.sources, old.ports) != (new.sources, new.ports):
            told = f"the VPC lets in to {new.cluster} {_flow(new)}, instead of {_flow(old)}"
            yield Change(Kind.PORTS, told, (f"~ {resource}",))
        elif new is not None and new != old:
            yield Change(
                Kind.OTHER, f"the rule of the VPC for {key[1]} of {key[0]} says: {new.why}", (f"~ {resource}",)
            )


def _flow(flow: Flow) -> str:
    return f"{flow.name} from {', '.join(flow.sources)}, {flow.ports_told}"


def _let_in(sides: Sides) -> Iterator[Change]:
    """Load balancers that let in others than before."""
    for found in dialled(sides):
        was, will = found.before, found.after
        if was is not None and will is not None and was.source_ranges != will.source_ranges:
            let = ", ".join(map(str, will.source_ranges)) or "everybody"
            told = f"the load balancer of the {found.said} of {found.cluster} lets in {let}"
            yield Change(Kind.PORTS, told, (f"~ {found.resource}",))
