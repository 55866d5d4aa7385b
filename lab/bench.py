"""`make bench`: the same mesh by istioctl's documented procedure and by Pulumi, on the same clusters, as ratios.

Each way starts from clusters without a trace of Istio but its CRDs' absence, and ends with the last remote secret
written and istiod and gateways ready. Runs alternate, so that a machine that slows down slows all of them.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab import command_bench, istioctl, plugin_bench, scale
from lab.cluster import Cluster
from lab.cpu import Cost, measured
from lab.demo import EXAMPLE
from lab.lifecycle import down, up
from lab.progress import Progress
from lab.shape import Shape
from lab.stack import Stack, copied

Costs = dict[str, list[Cost]]

BY_HAND, IN_PARALLEL = "istioctl, cluster by cluster", "istioctl, hand-parallelised"
UNPROVED, PULUMI = "pulumi up, verify off", "pulumi up"
UNINSTALL, DESTROY = "istioctl uninstall, cluster by cluster", "pulumi destroy"
CREATE, NOTHING, REFRESH = "pulumi preview, from nothing", "pulumi preview, nothing to do", "pulumi preview --refresh"


@dataclass(frozen=True)
class Mesh:
    """One mesh that all ways make."""

    title: str
    shape: Shape
    program: Path
    by_istioctl: Callable[..., None]


MESHES = (
    Mesh("Three clusters, one split-horizon mesh", Shape(3), EXAMPLE, istioctl.install),
    Mesh(
        "Three clusters on a flat network, one of them serving all",
        Shape(3, networks={"datacentre": ("c1", "c2", "c3")}),
        EXAMPLE.parent / "flat-onprem",
        istioctl.install_with_remotes,
    ),
)


def main() -> None:
    """Print the tables; several minutes a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each way (default 3)")
    parser.add_argument("--no-scale", action="store_true", help="leave out 3, 10 and 20 clusters")
    parser.add_argument(
        "--command", action="store_true", help="only the command and the plugin, which need no lab (40 s)"
    )
    arguments = parser.parse_args()
    # A shell starts what it sends to the background with SIGINT ignored, programs inherit that, and the engine ends its
    # plugins by SIGINT: each run of it would wait five seconds longer.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    progress, console = Progress(), Console(width=120)
    console.print(command_bench.table(2 * arguments.runs - 1, progress))
    console.print(plugin_bench.table(2 * arguments.runs - 1, progress))
    if arguments.command:
        return
    for mesh in MESHES:
        up(mesh.shape, progress)
        try:
            costs = compare(mesh, arguments.runs, progress)
        finally:
            down(progress)
        console.print(comparison(mesh, costs))
        console.print(processes(costs))
    if not arguments.no_scale:
        console.print(scale.table(progress))


def compare(mesh: Mesh, runs: int, progress: Progress) -> Costs:
    """Return what each way took, run by run."""
    clusters = [Cluster(name) for name in mesh.shape.names]
    stack = Stack(mesh.program, "bench")
    stack.configure(clusters)
    unproved = Stack(_without_checks(mesh.program), "bench-off")
    unproved.configure(clusters)
    costs: Costs = {}

    def take(what: str, work: Callable[[], object]) -> None:
        with progress.step(what):
            costs.setdefault(what, []).append(measured(work))

    def by_hand(*, parallel: bool) -> None:
        take(IN_PARALLEL if parallel else BY_HAND, lambda: mesh.by_istioctl(clusters, parallel=parallel))
        if parallel:
            istioctl.uninstall(clusters)
        else:
            take(UNINSTALL, lambda: istioctl.uninstall(clusters))

    def by_pulumi() -> None:
        take(CREATE, stack.preview)
        take(PULUMI, stack.up)
        take(NOTHING, stack.preview)
        take(REFRESH, stack.refresh_changes_nothing)
        take(DESTROY, stack.destroy)

    def by_pulumi_alone() -> None:
        take(UNPROVED, unproved.up)
        unproved.destroy()

    ways: list[Callable[[], None]] = [
        lambda: by_hand(parallel=False), lambda: by_hand(parallel=True), by_pulumi, by_pulumi_alone,
    ]  # fmt: skip
    for run in range(runs):
        # Another way comes first in each run.
        for way in ways[run % len(ways) :] + ways[: run % len(ways)]:
            clean(clusters)
            way()
    clean(clusters)
    stack.remove()
    unproved.remove()
    return costs


def _without_checks(program: Path) -> Path:
    """Return a copy of a program whose mesh proves nothing."""
    return copied(program, Path(tempfile.mkdtemp()) / program.name, verify={"level": "off", "preflight": False})


def clean(clusters: Sequence[Cluster]) -> None:
    """Take away what each way leaves: CRDs and Istio's ConfigMaps in foreign namespaces."""

    def one(cluster: Cluster) -> None:
        names = cluster.kubectl("get", "crds", "-o", "name").split()
        if crds := [name for name in names if name.endswith("istio.io")]:
            cluster.kubectl("delete", *crds, timeout_seconds=180)
        for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
            for name in cluster.kubectl("get", kind, "-o", "name").split():
                cluster.kubectl("delete", name)

    with ThreadPoolExecutor() as pool:
        list(pool.map(one, clusters))


def comparison(mesh: Mesh, costs: Costs) -> Table:
    """Return wall and processor time of each way, with the budgets that the design sets."""
    budgets = {
        UNPROVED: [(BY_HAND, 0.40), (IN_PARALLEL, 0.95)],
        PULUMI: [(BY_HAND, 0.55), (IN_PARALLEL, 1.30), (UNPROVED, 1.35)],
        DESTROY: [(UNINSTALL, 0.60)],
    }
    table = Table(title=f"{mesh.title}: median of the runs (smallest to largest)")
    for column in ("what", "wall s", "CPU s", "ratio of wall", "budget"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for what, runs in costs.items():
        walls = [cost.wall_seconds for cost in runs]
        cpu = statistics.median(cost.cpu for cost in runs)
        rows = [(peer, budget, statistics.median(walls) / _wall(costs[peer])) for peer, budget in budgets.get(what, [])]
        table.add_row(
            what,
            f"{statistics.median(walls):.1f} ({min(walls):.1f}-{max(walls):.1f})",
            f"{cpu:.1f}",
            "\n".join(f"{ratio:.2f} x {peer}" for peer, _, ratio in rows),
            "\n".join(f"<= {budget:.2f} {'kept' if ratio <= budget else 'MISSED'}" for _, budget, ratio in rows)
            or (f"CPU <= 4.0 {'kept' if cpu <= 4 else 'MISSED'}" if what == NOTHING else ""),
        )
    return table


def processes(costs: Costs) -> Table:
    """Return the processor time of each program, a column a way."""
    ways = [way for way in (BY_HAND, IN_PARALLEL, UNPROVED, PULUMI, CREATE, NOTHING, REFRESH, DESTROY) if way in costs]
    programs = sorted({name for way in ways for cost in costs[way] for name in cost.cpu_seconds})
    table = Table(title="Processor seconds by program: median of the runs")
    table.add_column("program")
    for way in ways:
        table.add_column(way, justify="right")
    for program in programs:
        spent = [statistics.median(cost.cpu_seconds.get(program, 0.0) for cost in costs[way]) for way in ways]
        if max(spent) >= 0.1:
            table.add_row(program, *(f"{seconds:.1f}" if seconds >= 0.05 else "" for seconds in spent))
    return table


def _wall(runs: list[Cost]) -> float:
    return statistics.median(cost.wall_seconds for cost in runs)


if __name__ == "__main__":
    main()
