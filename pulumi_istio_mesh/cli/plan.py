"""`istio-mesh plan`: what a mesh.yaml will become, in words and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .printing import hand_over, say

if TYPE_CHECKING:
    from ..plan.mesh_plan import MeshPlan
    from ..topology.models import Topology


@click.command()
@click.argument("file")
@click.option("--mesh", help="Which mesh of the file; all of them when left out.")
@click.option(
    "--services",
    type=click.IntRange(min=0),
    default=500,
    show_default=True,
    help="Services of each cluster, for the estimate of istiod's memory.",
)
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
def plan(file: str, mesh: str | None, services: int, form: str) -> None:
    """Say what a mesh.yaml will become: who serves whom, who calls whom and how, and which ports must be open.

    Exit code 0, or 1 with the problems that stand in the way, 2 on bad use.

    \b
    Examples:
      istio-mesh plan mesh.yaml
      istio-mesh plan mesh.yaml --format markdown > plan.md
    """
    from ..plan import report
    from ..plan.mesh_plan import plan_mesh
    from .mesh_file import planned

    found = [(name, topology, plan_mesh(topology)) for name, topology in planned(file, mesh)]
    if form == "json":
        hand_over(f"{_json(found, services)}\n")
    for name, topology, planned_mesh in found if form != "json" else ():
        if form == "markdown":
            hand_over(f"{report.markdown(topology, planned_mesh, services)}\n")
        else:
            _print(name, topology, planned_mesh, services)


def _print(name: str, topology: Topology, plan: MeshPlan, services: int) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from ..plan.expiry import expiring
    from ..plan.report import headline, notes, tables
    from ..plan.words import validity_words, words
    from ..rules import today

    say(f"mesh {name}: ok. {headline(topology, plan)}")
    for line in (*validity_words(plan), *words(plan)):
        say(f"  {line}")
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        # Nothing is cut in a pipe, however narrow it says it is.
        console = Console(highlight=False, markup=False, emoji=False, width=240)
    for found in tables(topology, plan, services):
        table = Table(title=found.title, title_justify="left", box=box.SIMPLE)
        for column in found.columns:
            table.add_column(column, overflow="fold")
        for row in found.rows:
            table.add_row(*row)
        with console.capture() as text:
            console.print(table)
        for line in text.get().rstrip("\n").split("\n"):
            # On a terminal it has styles, and its cells are shown already.
            if console.is_terminal:
                hand_over(f"{line.rstrip()}\n")
            else:
                say(line.rstrip())
    for line in (
        *notes(topology, plan, services),
        *(f"warning: {found}" for found in expiring(topology, plan, today())),
    ):
        say(line)


def _json(found: list[tuple[str, Topology, MeshPlan]], services: int) -> str:
    import json

    from ..plan.report import notes, tables
    from ..plan.words import words

    meshes = [
        {
            "mesh": name,
            "words": list(words(plan)),
            "paths": [{"source": p.source, "target": p.target, "direct": p.direct} for p in plan.paths],
            "tables": {
                table.title: [dict(_cells(table.columns, row)) for row in table.rows]
                for table in tables(topology, plan, services)
            },
            "notes": list(notes(topology, plan, services)),
        }
        for name, topology, plan in found
    ]
    return json.dumps(meshes, indent=2)


def _cells(columns: tuple[str, ...], row: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pair cells with their columns; a second column of one name is the target's."""
    return [
        (f"to {column}" if column in columns[:index] else column, row[index]) for index, column in enumerate(columns)
    ]
