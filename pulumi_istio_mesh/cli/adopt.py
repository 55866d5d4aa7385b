"""`istio-mesh adopt`: writes down what is there of a control plane, for the program to import it."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from ..topology.shown import shown
from .files import FilePath, write_file
from .printing import BadUse, say


@click.command()
@click.argument("file", type=FilePath(exists=True, dir_okay=False))
@click.option("--mesh", help="Which mesh of the file; needed where there are several.")
@click.option(
    "--kubeconfig", "kubeconfigs", multiple=True, metavar="CLUSTER=PATH[:CONTEXT]", help="The way into each of them."
)
@click.option("--output", default=".", show_default=True, type=FilePath(file_okay=False), help="The program's folder.")
@click.option("--deadline", default=10.0, show_default=True, help="Seconds that each reading may take.")
def adopt(file: str, mesh: str | None, kubeconfigs: tuple[str, ...], output: str, deadline: float) -> None:
    """Write adopted/CLUSTER.yaml for each cluster of FILE whose control plane is adopted.

    Only reads the clusters. The next pulumi preview imports what is written, and changes nothing of it.

    Exit code 0, or 1 where a cluster could not be read or holds nothing to adopt, 2 on bad use.

    \b
    Example:
      istio-mesh adopt mesh.yaml --kubeconfig east=~/.kube/config:east
    """
    import asyncio

    from ..istio.adopted import place_of, written
    from ..live.adoption import ControlPlaneFound, read_control_plane
    from ..live.api import CannotRead
    from .kubeconfigs import access_to
    from .mesh_file import planned

    found = planned(file, mesh)
    if len(found) != 1:
        raise BadUse(f"{file} holds {len(found)} meshes; choose one with --mesh")
    topology = found[0][1]
    clusters = [name for name in topology.joining if topology.clusters[name].control_plane == "adopted"]
    if not clusters:
        raise BadUse(f"no cluster of {file} says control_plane: adopted")
    access = access_to(clusters, kubeconfigs)

    async def read_all() -> list[ControlPlaneFound | BaseException]:
        apis = (access[name].api(deadline) for name in clusters)
        return await asyncio.gather(*map(read_control_plane, apis), return_exceptions=True)

    failed = False
    for name, there in zip(clusters, asyncio.run(read_all()), strict=True):
        if isinstance(there, CannotRead):
            say(f"{name}: {shown(str(there))}", err=True)
        elif isinstance(there, BaseException):
            raise there
        elif there.operator:
            say(f"{name}: {there.operator} would put its objects back: join it as existing", err=True)
        elif not there.objects:
            say(f"{name}: there is nothing of charts base and istiod", err=True)
        else:
            place = Path(output) / place_of(name)
            write_file(place, written(there.objects), folders=True)
            say(f"{name}: {len(there.objects)} objects in {shown(str(place))}")
            kinds = Counter(one.partition(" ")[0] for one in there.left)
            counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
            say(f"{name}: stay with whoever made them: {counts or 'nothing'}", err=True)
            continue
        failed = True
    sys.exit(1 if failed else 0)
