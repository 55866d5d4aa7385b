"""`istio-mesh picture`: meshes as something to look at."""

from __future__ import annotations

from collections import Counter

import click

from .printing import BadUse, hand_over


@click.command()
@click.argument("file")
@click.option("--mesh", help="Which mesh of the file; all of them when left out.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "dot", "svg", "html"]),
    default="mermaid",
    show_default=True,
    help="svg and html need Graphviz: pip install 'pulumi-istio-mesh[pictures]'.",
)
def picture(file: str, mesh: str | None, form: str) -> None:
    """Draw what a mesh.yaml will become.

    Mermaid is drawn by GitHub, GitLab and most wikis; HTML is one file, in which a cluster shows its paths when it is
    pointed at. Exit code 0, or 1 with the problems that stand in the way, 2 on bad use.

    \b
    Examples:
      istio-mesh picture mesh.yaml
      istio-mesh picture mesh.yaml --format html > mesh.html
    """
    from ..pictures.drawing import drawn
    from ..pictures.formats import FORMATS
    from ..plan.mesh_plan import plan_mesh
    from .mesh_file import planned

    plans = [plan_mesh(topology) for _, topology in planned(file, mesh)]
    named = Counter(
        name
        for plan in plans
        for name in {part for cluster in plan.clusters for part in (cluster.name, cluster.network)}
    )
    twice = sorted(name for name, count in named.items() if count > 1)
    if twice:
        raise BadUse(f"{file} has {', '.join(twice)} in several meshes: choose one, --mesh {plans[0].mesh_id}")
    hand_over(FORMATS[form](drawn(*plans)))
