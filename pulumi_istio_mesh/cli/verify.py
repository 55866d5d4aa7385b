"""`istio-mesh verify`: looks at a live mesh, and says whether it works, what is wrong, and why."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..topology.shown import shown
from .files import FilePath, write_file
from .printing import BadUse, hand_over, say

if TYPE_CHECKING:
    from ..checks.outcome import Outcome
    from ..checks.seen import View
    from ..live.stack import StackMesh


@click.command()
@click.argument("file", required=False, type=FilePath(exists=True, dir_okay=False))
@click.option("--mesh", help="Which mesh of the file or stack; needed where there are several.")
@click.option(
    "--kubeconfig", "kubeconfigs", multiple=True, metavar="CLUSTER=PATH[:CONTEXT]", help="The way into each cluster."
)
@click.option("--stack", "stack", is_flag=False, flag_value="", help="Take mesh and clusters from a Pulumi stack.")
@click.option("--deadline", default=10.0, show_default=True, help="Seconds that each reading may take.")
@click.option("--watch", type=float, help="Look again and again for so many seconds; say what changes.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("--junit", "form", flag_value="junit", help="Print JUnit XML.")
@click.option("--markdown", "form", flag_value="markdown", help="Print Markdown.")
@click.option("--bundle", type=FilePath(dir_okay=False), help="Also write all that a helper needs, without a secret.")
@click.option("--all", "everything", is_flag=True, help="List the checks that passed, too.")
def verify(
    file: str | None,
    mesh: str | None,
    kubeconfigs: tuple[str, ...],
    stack: str | None,
    deadline: float,
    watch: float | None,
    form: str | None,
    bundle: str | None,
    everything: bool,
) -> None:
    """Look at a live mesh, and say whether it works, what is wrong, and the likely cause.

    Of a FILE, with a kubeconfig for each cluster; or of a stack: --stack NAME, or --stack= for the selected one.
    Only reads: lists, metrics, dry runs, and calls between the mesh's own probes. A kubeconfig's plugin (exec) is run.

    \b
    Examples:
      istio-mesh verify mesh.yaml --kubeconfig east=east.yaml --kubeconfig west=~/.kube/config:west
      istio-mesh verify --stack prod

    Exit code 0 when the mesh works (warnings included), 1 when it doesn't, 2 on bad use, 3 when a cluster could not
    be looked at and nothing worse was found.
    """
    from ..checks import rendering

    source = _source(file, mesh, kubeconfigs, stack)
    outcome, view = _looked(source, deadline, quiet=form is not None)
    if form == "json":
        hand_over(f"{rendering.as_json(outcome)}\n")
    elif form == "junit":
        hand_over(rendering.as_junit(outcome))
    elif form == "markdown":
        hand_over(rendering.as_markdown(outcome))
    else:
        _print(outcome, everything)
    until = time.monotonic() + (watch or 0)
    while time.monotonic() < until:
        time.sleep(2)
        before, (outcome, view) = outcome, _looked(source, deadline, quiet=True)
        _print_changes(before, outcome)
    if bundle:
        write_file(Path(bundle), rendering.as_bundle(outcome, view))
        say(f"written to {shown(bundle)}", err=True)
    sys.exit(_exit_code(outcome))


def _source(file: str | None, mesh: str | None, kubeconfigs: tuple[str, ...], stack: str | None) -> StackMesh:
    """Return the mesh to look at, and the way into its clusters; end the program on bad use."""

    if (file is None) == (stack is None):
        raise BadUse("give a mesh.yaml with --kubeconfig for each cluster, or --stack")
    if stack is not None:
        return _of_stack(stack or None, mesh)
    assert file is not None
    return _of_file(file, mesh, kubeconfigs)


def _of_stack(stack: str | None, mesh: str | None) -> StackMesh:
    from ..live.stack import StackError, meshes_of_stack
    from ..topology.problems import TopologyError

    try:
        found = meshes_of_stack(stack)
    except (StackError, TopologyError) as error:
        raise BadUse(*str(error).split("\n")) from None
    chosen = [one for one in found if mesh in (None, one.topology.mesh_id)]
    if len(chosen) != 1:
        held = ", ".join(one.topology.mesh_id for one in found)
        raise BadUse(f"the stack holds {held}; choose one with --mesh")
    return chosen[0]


def _of_file(file: str, mesh: str | None, kubeconfigs: tuple[str, ...]) -> StackMesh:
    from ..live.stack import StackMesh
    from .kubeconfigs import access_to
    from .mesh_file import planned

    found = planned(file, mesh)
    if len(found) != 1:
        raise BadUse(f"{file} holds {len(found)} meshes; choose one with --mesh")
    topology = found[0][1]
    return StackMesh(topology, access_to(topology.clusters, kubeconfigs), {}, ())


def _looked(source: StackMesh, deadline: float, *, quiet: bool) -> tuple[Outcome, View]:
    """Look once, with progress on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ..checks.outcome import judged
    from ..live.drift import drift_of
    from ..live.verify import connected, look

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        # Each cluster is read, then calls are made from it.
        task = progress.add_task("clusters", total=2 * len(source.topology.clusters))

        def done(cluster: str) -> None:
            progress.update(task, advance=1, description=cluster)

        async def both() -> tuple[View, Any]:
            apis = connected(source.access, deadline)
            view = await look(source.topology, apis, servers=source.servers, done=done)
            return view, await drift_of(view, apis, source)

        view, differs = asyncio.run(both())
    return judged(view, differs), view


def _print(outcome: Outcome, everything: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..checks.findings import told

    console = Console(highlight=False, markup=False, emoji=False)
    rows = [row for row in outcome.rows if everything or row.status != "passed"]
    styles = {"passed": "green", "failed": "red", "warned": "yellow", "skipped": "dim"}
    if rows:
        table = Table()
        for column in ("check", "what should hold", "status", "where"):
            table.add_column(column)
        for row in rows:
            where = sorted({found.where for found in row.findings}) or row.reasons
            table.add_row(row.slug, row.rule, Text(row.status, styles[row.status]), Text(", ".join(where)))
        console.print(table)
    if outcome.causes:
        say(told(list(outcome.causes)))
    counted = Counter(row.status for row in outcome.rows)
    state = "does not work" if outcome.fatal else "works"
    counts = ", ".join(f"{counted[status]} {status}" for status in styles if counted[status])
    say(f"mesh {outcome.mesh} {state}: {counts}")


def _print_changes(before: Outcome, after: Outcome) -> None:
    """Say what came and what went."""

    stamp = time.strftime("%H:%M:%S")
    was, now = _told(before), _told(after)
    for line in sorted(now - was):
        say(f"{stamp} new: {line}")
    for line in sorted(was - now):
        say(f"{stamp} gone: {line}")


def _told(outcome: Outcome) -> set[str]:
    found = [one for cause in outcome.causes for one in (cause.finding, *cause.consequences)]
    return {f"{one.where}: {one.what} ({one.slug})" for one in found}


def _exit_code(outcome: Outcome) -> int:
    if outcome.fatal:
        return 1
    return 3 if any(row.could_not_be_looked_at for row in outcome.rows) else 0
