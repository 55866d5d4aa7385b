"""A plan as tables: what each cluster gets, and what networks must let through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..topology.models import Topology
from ..topology.shown import quoted, shown
from .connections import Connections, address, connections, together
from .markdown import in_markdown, row
from .mesh_plan import ClusterPlan, MeshPlan
from .resources import number_of_resources
from .scale import SERVICES, istiod_mib, load_balancers_of, warnings
from .words import counted, listed, words


@dataclass(frozen=True)
class Table:
    """Rows of text under a title."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(tuple(map(shown, cells)) for cells in self.rows))


def headline(topology: Topology, plan: MeshPlan) -> str:
    """Return the mesh in a line: `3 clusters on 3 networks, 3 east-west gateways, ...`."""
    networks = len({cluster.network for cluster in plan.clusters})
    gateways = sum(cluster.gateway for cluster in plan.clusters)
    remotes = sum(cluster.remote for cluster in plan.clusters)
    served = f" ({remotes} remote)" if remotes else ""
    return (
        f"{counted(len(plan.clusters), 'cluster')}{served} on {counted(networks, 'network')}, "
        f"{counted(gateways, 'east-west gateway')}, {counted(len(plan.remote_secrets), 'remote secret')}, "
        f"Istio {_versions(topology)}"
    )


def _versions(topology: Topology) -> str:
    """Return the version of all clusters, or each with those that have it."""
    found: dict[str, list[str]] = {}
    for cluster in topology.clusters:
        found.setdefault(" and ".join(dict.fromkeys(topology.versions_of(cluster).values())), []).append(cluster)
    if len(found) < 2:
        return next(iter(found), topology.istio_version)
    return ", ".join(f"{version} in {listed(clusters)}" for version, clusters in sorted(found.items()))


def tables(topology: Topology, plan: MeshPlan, services: int = SERVICES) -> list[Table]:
    """Return the clusters, and the connections that must be possible; memory is estimated for so many Services each."""
    columns = ("cluster", "network", "served by", "secrets", "API servers watched", "load balancers", "istiod, about")
    clusters = tuple(_row(topology, cluster, services) for cluster in plan.clusters)
    flows = tuple(_connection(topology, found) for found in together(connections(topology, plan)))
    return [
        Table("Clusters", columns, clusters),
        Table("Ports to open", ("from", "at", "to", "at", "port", "why"), flows),
    ]


def _row(topology: Topology, cluster: ClusterPlan, services: int) -> tuple[str, ...]:
    each, istiods = f"{istiod_mib(cluster, services)} MiB", len(topology.revision_names)
    memory = "" if cluster.remote else (each if istiods == 1 else f"{istiods} x {each}")
    watched = str(len(cluster.discovers))
    balancers = str(load_balancers_of(topology, cluster))
    return (cluster.name, cluster.network, cluster.primary, watched, watched, balancers, memory)


def _connection(topology: Topology, found: Connections) -> tuple[str, ...]:
    sources, targets = (
        tuple(dict.fromkeys(address(topology, what, of) for of in clusters))
        for what, clusters in ((found.source, found.sources), (found.target, found.targets))
    )
    source, target = found.ends()
    return (source, "; ".join(sources), target, "; ".join(targets), found.ports, found.why)


def notes(topology: Topology, plan: MeshPlan, services: int = SERVICES) -> Iterator[str]:
    """Yield the size of the stack, and warnings."""
    yield f"about {number_of_resources(topology, plan)} resources in the stack"
    if topology.render_to is not None:
        yield f"rendered to {quoted(topology.render_to)}: nothing is installed, and nothing proved"
    if topology.evicted:
        yield f"evicted, and neither called nor read: {', '.join(topology.evicted)}"
    yield from (f"warning: {warning}" for warning in warnings(topology, plan, services))


def markdown(topology: Topology, plan: MeshPlan, services: int = SERVICES) -> str:
    """Return the plan in words and tables, as Markdown."""
    title = in_markdown(f"Mesh {plan.mesh_id}: {headline(topology, plan)}")
    lines = [f"**{title}**", "", *(f"- {in_markdown(line)}" for line in words(plan)), ""]
    for table in tables(topology, plan, services):
        lines += [f"{table.title}:", "", row(table.columns), f"| {' | '.join('---' for _ in table.columns)} |"]
        lines += [*map(row, table.rows), ""]
    lines += [f"- {in_markdown(note)}" for note in notes(topology, plan, services)]
    return "\n".join(lines) + "\n"
