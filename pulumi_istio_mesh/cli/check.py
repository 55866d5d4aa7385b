"""`istio-mesh check`: everything that is wrong with mesh files, for people, pipelines and code scanning."""

from __future__ import annotations

import sys

import click

from ..topology.shown import shown
from .printing import hand_over, say


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="github: annotations in the log of a GitHub Actions job; sarif: a file for code scanning.",
)
def check(files: tuple[str, ...], form: str) -> None:
    """Say everything that is wrong with each mesh.yaml, or what the mesh will be.

    FILES may also be git:REVISION:PATH. Exit code 0 when every mesh can be built, 1 with problems, 2 on bad use.

    \b
    Examples:
      istio-mesh check mesh.yaml
      istio-mesh check --format sarif mesh.yaml > mesh.sarif
    """
    from ..plan.expiry import expiring
    from ..plan.mesh_plan import plan_mesh
    from ..plan.report import headline
    from ..plan.words import validity_words
    from ..rules import today
    from ..topology.problems import TopologyError
    from .mesh_file import judged
    from .problem_reports import REPORTS

    errors: list[TopologyError] = []
    for path in files:
        try:
            meshes = judged(path)
        except TopologyError as error:
            errors.append(error)
            if form == "text":
                say(str(error), err=True)
            continue
        for name, topology in meshes if form == "text" else ():
            plan = plan_mesh(topology)
            place = shown(path)
            say(f"{place}: mesh {name}: ok. {headline(topology, plan)}")
            for line in (*validity_words(plan), *(f"warning: {found}" for found in expiring(topology, plan, today()))):
                say(f"{place}:   {line}")
    if form != "text":
        hand_over(REPORTS[form](errors))
    sys.exit(1 if errors else 0)
