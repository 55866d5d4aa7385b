"""`istio-mesh translate`: what other installers of Istio are told, as a mesh.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..topology.limits import is_there
from ..topology.shown import shown
from .files import FilePath, unreadable, write_file
from .printing import BadUse, hand_over, say

if TYPE_CHECKING:
    from ..topology.problems import Problem
    from ..translation.documents import Input
    from ..translation.mesh import Translation


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--mesh-id", help="Mesh ID, where no file says it or another one is wanted.")
@click.option("--istio-version", help="Version of the mesh, where no file says it or another one is wanted.")
@click.option(
    "--primary",
    "primaries",
    multiple=True,
    metavar="REMOTE=PRIMARY",
    help="Cluster whose istiod serves a remote, where no file says it; can be repeated.",
)
@click.option("--output", type=FilePath(dir_okay=False), help="Where to write; standard output when left out.")
@click.option("--force", is_flag=True, help="Overwrite the file of --output.")
def translate(
    files: tuple[str, ...],
    mesh_id: str | None,
    istio_version: str | None,
    primaries: tuple[str, ...],
    output: str | None,
    force: bool,
) -> None:
    """Write the mesh.yaml of a mesh that another installer made, from what that one is told.

    FILES are YAML: Istio and RemoteIstio of Banzai Cloud's istio-operator, its IstioControlPlane, Istio and IstioCNI of
    the Sail operator, istioctl's IstioOperator, or Helm values of chart istiod. NAME=FILE says of which cluster a file
    is; several files of one cluster are laid over each other. What is not taken over is told on standard error, each
    fact with the reason. Credentials are neither written nor told.

    \b
    Examples:
      istio-mesh translate east=east.yaml west=west.yaml > mesh.yaml
      istio-mesh translate banzai.yaml --istio-version 1.31.1 --output mesh.yaml

    Exit code 0; 1 when the files contradict each other, no mesh of them can be built, or the file of --output is there
    already; 2 on bad use.
    """
    from ..topology.problems import TopologyError
    from ..translation.mesh import Choices, translate
    from ..translation.written import mesh_text
    from .mesh_file import refuse

    if force and output is None:
        raise BadUse("--force is about the file of --output, which is not given")
    inputs = [_input(argument) for argument in files]
    chosen = dict(_pair(primary) for primary in primaries)
    if output is not None and is_there(output) and not force:
        say(shown(f"{output}: there already; choose another, or --force"), err=True)
        raise SystemExit(1)
    found = translate(inputs, Choices(mesh_id, istio_version, chosen))
    if not found.sources and not found.problems:
        raise BadUse(f"nothing in {', '.join(given.name for given in inputs)} is what an installer is told")
    problems = [*found.problems, *_judged(found)]
    if problems:
        refuse(TopologyError(problems, "translation"))
    text = mesh_text(found)
    if output is not None:
        write_file(Path(output), text)
    else:
        hand_over(text)
    for line in _report(found):
        say(line, err=True)
    if output is not None:
        say(shown(f"written to {output}: next, istio-mesh plan {output}"), err=True)


def _input(argument: str) -> Input:
    from ..topology.limits import TooMuch, read_text
    from ..translation.documents import Input

    name, equals, path = argument.partition("=")
    # A file may have the sign in its name, too.
    cluster, path = (name, path) if equals and not is_there(argument) else (None, argument)
    if not path or cluster == "":
        raise BadUse(f"{argument}: write FILE or NAME=FILE, such as east=east.yaml")
    try:
        return Input(path, read_text(path), cluster)
    except TooMuch as error:
        raise BadUse(f"{path}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None


def _pair(primary: str) -> tuple[str, str]:
    remote, equals, name = primary.partition("=")
    if not (remote and equals and name):
        raise BadUse(f"--primary {primary}: write REMOTE=PRIMARY, such as west=east")
    return remote, name


def _judged(found: Translation) -> list[Problem]:
    """Return what `istio-mesh check` says of the mesh, where the input says it."""
    from ..topology.load import read_mesh_text
    from ..topology.problems import TopologyError
    from ..translation.written import mesh_text
    from .mesh_file import judged_file

    if found.problems and not found.tree["clusters"]:
        # Nothing is there to judge, and why is said.
        return []
    told = {problem.slug for problem in found.problems} & {"primary-unknown"}
    try:
        # What is missing is told already, and hides nothing else.
        judged_file(read_mesh_text(mesh_text(found.completed()), "mesh.yaml"))
    except TopologyError as error:
        return [found.typed(problem) for problem in error.problems if problem.slug not in told]
    return []


def _report(found: Translation) -> list[str]:
    if not found.left:
        return ["everything in the input is in mesh.yaml"]
    count = len(found.left)
    facts = "1 fact of the input is" if count == 1 else f"{count} facts of the input are"
    return [f"{facts} not in mesh.yaml:", *(f"  {shown(str(line))}" for line in found.left)]
