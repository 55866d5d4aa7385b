"""`istio-mesh diff`: what a change of a mesh.yaml changes in the mesh."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ..topology.shown import shown
from .printing import BadUse, hand_over, say

if TYPE_CHECKING:
    from ..changes.comparison import Comparison
    from ..topology.load import MeshFile
    from ..topology.models import Topology


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--mesh", help="Which mesh of the files; all of them when left out.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="markdown: a comment for a pull request, with pictures before and after.",
)
@click.option("--resources", is_flag=True, help="In text, also list the resources behind each sentence.")
@click.option(
    "--fail-on",
    type=click.Choice(["dangerous", "any"]),
    help="End with exit code 3 where a change is dangerous, or where there is any.",
)
def diff(old: str, new: str, mesh: str | None, form: str, resources: bool, fail_on: str | None) -> None:
    """Say what changes in the mesh from OLD to NEW: traffic first, then trust, restarts, ports, secrets.

    Both are files, or git:REVISION:PATH. Where the revision has no such file, every mesh is new. Dangerous changes come
    with the safe way. Names of resources are those of a program that calls the mesh by its mesh ID.

    \b
    Examples:
      istio-mesh diff git:main:mesh.yaml mesh.yaml
      istio-mesh diff --format markdown git:origin/main:mesh.yaml mesh.yaml > comment.md

    Exit code 0; 1 when a mesh of either side can't be built; 2 on bad use; 3 as --fail-on says.
    """
    from ..changes import rendering
    from ..topology.problems import TopologyError
    from .mesh_file import read_place, refuse

    try:
        before, after = (_meshes(place, read_place(place), is_old) for place, is_old in ((old, True), (new, False)))
    except TopologyError as error:
        if form == "markdown":
            hand_over(rendering.refusal_as_markdown(str(error)))
        refuse(error)
    found = _compared(before, after, mesh)
    if not found:
        raise BadUse(f"neither {old} nor {new} holds {mesh or 'a mesh'}")
    if form == "markdown":
        hand_over(rendering.as_markdown(found))
    elif form == "json":
        hand_over(f"{rendering.as_json(found)}\n")
    else:
        say(rendering.as_text(found, resources=resources))
    failed = {"dangerous": any(one.dangerous for one in found), "any": any(one.changes for one in found)}
    sys.exit(3 if fail_on and failed[fail_on] else 0)


def _meshes(place: str, file: MeshFile | None, is_old: bool) -> list[tuple[str, Topology]]:
    from .mesh_file import judged_file

    if file is None:
        say(f"{shown(place)}: no such file in that revision, so nothing is there yet", err=True)
        return []
    # Certificates of the old side may have expired since: that is what the new side may be about.
    return judged_file(file, ignoring={"trust-date"} if is_old else ())


def _compared(
    before: list[tuple[str, Topology]], after: list[tuple[str, Topology]], mesh: str | None
) -> list[Comparison]:
    """Pair meshes by their mesh IDs; the only one of each side are a pair whatever they are called."""
    from ..changes.comparison import compare

    was, will = dict(before), dict(after)
    if len(was) == len(will) == 1:
        ((old, before_facts),), ((name, after_facts),) = was.items(), will.items()
        return [compare(name, before_facts, after_facts)] if mesh in (None, old, name) else []
    names = dict.fromkeys([*will, *was])
    return [compare(name, was.get(name), will.get(name)) for name in names if mesh in (None, name)]
