"""What is drawn of a mesh, whatever it is drawn with: boxes, nodes and arrows, each with an identifier that stays."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from ..istio import names
from ..plan.mesh_plan import ClusterPlan, IstiodRoute, LetIn, MeshPlan
from ..plan.words import words
from ..topology.shown import shown

_MANY = 8
"""More arrows than this between networks can't be followed: where all call all, they become one node."""


class Mark(enum.Enum):
    """What happened to an element between two drawings; the value is the sign in front of its text."""

    SAME = ""
    ADDED = "+"
    CHANGED = "~"
    REMOVED = "-"


class Shape(enum.Enum):
    """What a node stands for; the value is its line of the legend."""

    CLUSTER = "cluster, and who serves it"
    GATEWAY = "gateway or load balancer, with its ports"
    ROOT = "root that the mesh trusts"
    FIREWALL = "what the VPC lets in"
    MESH = "another mesh"
    HUB = "all calls between networks"


class Line(enum.Enum):
    """What an arrow stands for; the value is its line of the legend."""

    PART = "stands in the cluster"
    CONFIG = "takes configuration and certificates from"
    READS = "istiod reads the API server of"
    DIRECT = "calls pod to pod"
    NO_CALLS = "no calls either way"
    THROUGH = "calls through a gateway, mTLS"
    ACROSS = "calls between meshes, mTLS"


@dataclass(frozen=True)
class Box:
    """A border around nodes: a network, or a mesh around its networks."""

    id: str
    title: str
    inside: str | None = None
    mark: Mark = Mark.SAME

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", shown(self.title))


@dataclass(frozen=True)
class Node:
    """Something with a text."""

    id: str
    shape: Shape
    lines: tuple[str, ...]
    inside: str | None
    mark: Mark = Mark.SAME

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(map(shown, self.lines)))


@dataclass(frozen=True)
class Arrow:
    """A relation of two nodes, or of boxes as wholes."""

    source: str
    target: str
    line: Line
    text: tuple[str, ...] = ()
    inside: str | None = None
    mark: Mark = Mark.SAME

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", tuple(map(shown, self.text)))

    @property
    def id(self) -> str:
        """What stays the same as long as the relation does; not its text."""
        return f"{self.line.name.lower()}.{self.source}.{self.target}"


@dataclass(frozen=True)
class Facts:
    """What there is to know of one cluster."""

    words: tuple[str, ...]
    elements: frozenset[str]
    """Identifiers of what its calls and its control plane go through, itself among them."""


@dataclass(frozen=True)
class Drawing:
    """Everything that is drawn, in a fixed order."""

    title: str
    boxes: tuple[Box, ...]
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    plans: tuple[MeshPlan, ...] = field(compare=False)
    """What it was drawn of."""

    @cached_property
    def clusters(self) -> Mapping[str, Facts]:
        """What there is to know of each cluster, by the identifier of its node; only a page tells it."""
        return {
            identifier("cluster", cluster.name): facts for plan in self.plans for cluster, facts in _facts(plan, self)
        }


def drawn(*plans: MeshPlan) -> Drawing:
    """Return the drawing of meshes: networks with their clusters, who serves whom, who calls whom and how.

    A mesh that knows others has its border drawn; those that are none of the plans are one node each. Cluster and
    network names must be unique among the plans.
    """
    boxes: list[Box] = []
    nodes: list[Node] = []
    arrows: list[Arrow] = []
    whole = {plan.mesh_id for plan in plans}
    for plan in plans:
        border = identifier("mesh", plan.mesh_id) if plan.peers or len(plans) > 1 else None
        if border:
            boxes.append(Box(border, f"mesh {plan.mesh_id}"))
        networks = _networks(plan)
        boxes += [Box(identifier("network", name), f"network {name}", border) for name in networks]
        nodes += [node for members in networks.values() for cluster in members for node in _nodes(cluster)]
        nodes += [node for name in networks for node in _firewall(plan, name)]
        nodes += list(_roots(plan, border))
        for arrow in (*_parts(plan), *_control(plan), *_reads(plan), *_direct(plan, networks)):
            arrows.append(replace(arrow, inside=border))
        hub, through = _through(plan, networks, border)
        nodes += hub
        arrows += [replace(arrow, inside=border) for arrow in through]
    for plan in plans:
        nodes += [
            Node(identifier("mesh", peer.name), Shape.MESH, (f"mesh {peer.name}",), None)
            for peer in plan.peers
            if peer.name not in whole
        ]
        arrows += list(_borders(plan, whole))
    title = " and ".join(f"mesh {plan.mesh_id}" for plan in plans)
    return Drawing(title, tuple(boxes), tuple(nodes), tuple(arrows), plans)


def identifier(kind: str, name: str) -> str:
    """Return an identifier that no language of pictures has as a word; names hold no underscore, so it stays unique."""
    return f"{kind}_{name.replace('-', '_')}"


def _networks(plan: MeshPlan) -> dict[str, list[ClusterPlan]]:
    networks: dict[str, list[ClusterPlan]] = {}
    for cluster in plan.clusters:
        networks.setdefault(cluster.network, []).append(cluster)
    return networks


def _nodes(cluster: ClusterPlan) -> Iterator[Node]:
    network = identifier("network", cluster.network)
    role = f"served by {cluster.primary}" if cluster.remote else _istiod(cluster)
    yield Node(identifier("cluster", cluster.name), Shape.CLUSTER, (cluster.name, role), network)
    istiod = f"{names.XDS_PORT}, {names.WEBHOOK_PORT}"
    if cluster.gateway:
        more = f", {istiod}" if cluster.istiod_route is IstiodRoute.GATEWAY else ""
        lines = (f"gateway {cluster.name}", f"{names.MTLS_PORT}{more}")
        yield Node(identifier("gateway", cluster.name), Shape.GATEWAY, lines, network)
    if cluster.federation_gateway:
        lines = (f"federation gateway {cluster.name}", str(names.MTLS_PORT))
        yield Node(identifier("federation", cluster.name), Shape.GATEWAY, lines, network)
    if cluster.istiod_route is IstiodRoute.SERVICE:
        yield Node(identifier("istiod", cluster.name), Shape.GATEWAY, (f"istiod {cluster.name}", istiod), network)


def _istiod(cluster: ClusterPlan) -> str:
    if cluster.adopted:
        return "istiod, adopted"
    return "istiod of another installer" if cluster.joins else "istiod"


def _firewall(plan: MeshPlan, network: str) -> Iterator[Node]:
    """What the VPC lets in, as a table; health checks, which every load balancer brings, left out."""
    members = {cluster.name for cluster in plan.clusters if cluster.network == network}
    rows = tuple(
        f"{flow.cluster}: {flow.name} {', '.join(flow.ports) or 'all ports'} from {', '.join(flow.sources)}"
        for flow in plan.firewall
        if flow.cluster in members and flow.name != "health-checks"
    )
    if rows:
        lines = ("firewall, TCP", *rows)
        yield Node(identifier("firewall", network), Shape.FIREWALL, lines, identifier("network", network))


def _roots(plan: MeshPlan, border: str | None) -> Iterator[Node]:
    for root in plan.roots:
        lines = (f"root {root.name}", f"until {root.expires}")
        yield Node(identifier(f"root_{plan.mesh_id}".replace("-", "_"), root.name), Shape.ROOT, lines, border)


def _parts(plan: MeshPlan) -> Iterator[Arrow]:
    for cluster in plan.clusters:
        for node in _nodes(cluster):
            if node.shape is Shape.GATEWAY:
                yield Arrow(node.id, identifier("cluster", cluster.name), Line.PART)


def _control(plan: MeshPlan) -> Iterator[Arrow]:
    routes = {cluster.name: cluster.istiod_route for cluster in plan.clusters}
    for cluster in plan.clusters:
        if cluster.remote:
            way = "gateway" if routes[cluster.primary] is IstiodRoute.GATEWAY else "istiod"
            target = identifier(way, cluster.primary)
            yield Arrow(identifier("cluster", cluster.name), target, Line.CONFIG, ("config, certificates",))


def _reads(plan: MeshPlan) -> Iterator[Arrow]:
    """Say nothing where every istiod reads every other cluster, nor of an istiod and its own remotes."""
    every = {cluster.name for cluster in plan.clusters}
    if all(cluster.remote or {*cluster.discovers, cluster.name} == every for cluster in plan.clusters):
        return
    for cluster in plan.clusters:
        for read in cluster.discovers:
            if read not in cluster.remotes:
                source, target = identifier("cluster", cluster.name), identifier("cluster", read)
                yield Arrow(source, target, Line.READS, ("reads",))


def _direct(plan: MeshPlan, networks: dict[str, list[ClusterPlan]]) -> Iterator[Arrow]:
    """Say nothing where all clusters of a network call each other: standing in one box says it."""
    calls = {(path.source, path.target) for path in plan.paths if path.direct}
    for members in networks.values():
        within = [(one.name, other.name) for one in members for other in members if one is not other]
        if not calls.issuperset(within):
            for pair in within:
                source, target = (identifier("cluster", name) for name in pair)
                if pair in calls:
                    yield Arrow(source, target, Line.DIRECT, ("pod to pod",))
                elif pair[0] < pair[1] and pair[::-1] not in calls:
                    yield Arrow(source, target, Line.NO_CALLS, ("no calls",))


def _through(
    plan: MeshPlan, networks: dict[str, list[ClusterPlan]], border: str | None
) -> tuple[list[Node], list[Arrow]]:
    """Return one arrow from a whole network where all of it calls a cluster, else one from each cluster that does.

    Where all clusters call all others, and there are many, a node in the middle stands for that.
    """
    calls = {(path.source, path.target) for path in plan.paths if not path.direct}
    arrows: list[Arrow] = []
    for target in plan.clusters:
        for network, members in networks.items():
            callers = [cluster.name for cluster in members if (cluster.name, target.name) in calls]
            whole = len(callers) == len(members)
            sources = [identifier("network", network)] if whole else [identifier("cluster", name) for name in callers]
            gateway = identifier("gateway", target.name)
            arrows += [Arrow(source, gateway, Line.THROUGH, ("mTLS",)) for source in sources]
    place = {cluster.name: cluster.network for cluster in plan.clusters}
    every = {(one, other) for one in place for other in place if place[one] != place[other]}
    if len(arrows) <= _MANY or calls != every:
        return [], arrows
    hub = Node(identifier("hub", plan.mesh_id), Shape.HUB, ("all clusters call all others", "mTLS"), border)
    return [hub], [Arrow(identifier("gateway", name), hub.id, Line.THROUGH) for name in place]


def _borders(plan: MeshPlan, whole: set[str]) -> Iterator[Arrow]:
    """What other meshes may call here, and what is called of those that are not drawn."""
    here = identifier("mesh", plan.mesh_id)
    for peer in plan.peers:
        there = identifier("mesh", peer.name)
        if peer.name not in whole and peer.calls:
            yield Arrow(here, there, Line.ACROSS, tuple(called.service for called in peer.calls))
        for cluster in plan.clusters:
            if cluster.federation_gateway and peer.lets_in:
                text = tuple(line for let in peer.lets_in for line in _let_in(let))
                yield Arrow(there, identifier("federation", cluster.name), Line.ACROSS, text)


def _let_in(let: LetIn) -> tuple[str, str]:
    return let.service, f"for {', '.join('everybody' if who == '*' else who for who in let.callers)}"


def _facts(plan: MeshPlan, drawing: Drawing) -> Iterator[tuple[ClusterPlan, Facts]]:
    lines = list(words(plan))
    # Without borders, which are around others, too, and without gateways that there are none of.
    there = {node.id for node in drawing.nodes} | {arrow.id for arrow in drawing.arrows}
    for cluster in plan.clusters:
        own = (f"{cluster.name}:", f"{cluster.name} calls", f"{cluster.name} can't")
        told = tuple(line for line in lines if line.startswith(own))
        yield cluster, Facts(told, frozenset(_gone_through(plan, cluster, drawing.arrows) & there))


def _gone_through(plan: MeshPlan, cluster: ClusterPlan, arrows: Iterable[Arrow]) -> set[str]:
    name = cluster.name
    called = {path.target for path in plan.paths if path.source == name}
    callers = {path.source for path in plan.paths if path.target == name}
    own = {identifier(kind, name) for kind in ("cluster", "gateway", "federation", "istiod")}
    near = {identifier("cluster", other) for other in called | callers | {cluster.primary, *cluster.remotes}}
    gates = {identifier("gateway", path.target) for path in plan.paths if path.source == name and not path.direct}
    ways = {identifier(kind, cluster.primary) for kind in ("gateway", "istiod")} if cluster.remote else set()
    served = {identifier("cluster", remote) for remote in cluster.remotes}
    networks = {found.name: identifier("network", found.network) for found in plan.clusters}
    # A whole network's arrow is one of this cluster, and one to this cluster of those that call it.
    from_here = {*own, networks[name]}
    to_here = {*(networks[other] for other in callers), *(identifier("cluster", other) for other in callers), *served}
    hub = identifier("hub", plan.mesh_id)
    found: set[str] = own | near | gates | ways
    for arrow in arrows:
        ends = (arrow.source, arrow.target)
        leaves = arrow.source in from_here and arrow.target in near | gates | ways | {hub}
        arrives = arrow.source in to_here and arrow.target in own
        part = arrow.line is Line.PART and arrow.source in own | gates
        across = arrow.line is Line.ACROSS and arrow.target in own
        by_hub = arrow.target == hub and arrow.source in gates
        if leaves or arrives or part or across or by_hub:
            found |= {arrow.id, *ends}
    return found


_Element = TypeVar("_Element", Box, Node, Arrow)


def compared(before: Drawing, after: Drawing) -> tuple[Drawing, Drawing]:
    """Return both with marks: on the earlier one what goes or changes, on the later one what comes or changes."""
    return _marked(before, after, Mark.REMOVED), _marked(after, before, Mark.ADDED)


def _marked(drawing: Drawing, other: Drawing, alone: Mark) -> Drawing:
    def marked(own: tuple[_Element, ...], others: tuple[_Element, ...]) -> tuple[_Element, ...]:
        there = {element.id: element for element in others}
        return tuple(
            element
            if element == there.get(element.id)
            else replace(element, mark=Mark.CHANGED if element.id in there else alone)
            for element in own
        )

    return replace(
        drawing,
        boxes=marked(drawing.boxes, other.boxes),
        nodes=marked(drawing.nodes, other.nodes),
        arrows=marked(drawing.arrows, other.arrows),
    )
