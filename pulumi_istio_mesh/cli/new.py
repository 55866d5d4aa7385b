"""`istio-mesh new`: a project that works, from four answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..topology.limits import is_there
from ..topology.shown import shown
from .files import FilePath, write_file
from .printing import say

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROGRAM = '''\
"""The mesh of mesh.yaml; `istio-mesh plan mesh.yaml` says what it becomes."""

import pulumi

from pulumi_istio_mesh import Mesh, load_mesh

# A cluster's kubeconfig is the secret of its name: pulumi config set --secret {first} < {first}.kubeconfig
mesh = Mesh("{mesh}", load_mesh("mesh.yaml", pulumi.Config().require_secret))

pulumi.export("gateways", mesh.gateways)
pulumi.export("certificate_expiry", mesh.certificate_expiry)
pulumi.export("summary", mesh.summary)
pulumi.export("topology", mesh.topology)
'''
_PROJECT = """\
name: {mesh}
description: One Istio mesh over {clusters}
runtime:
  name: python
  options:
    virtualenv: .venv
"""
_IGNORED = ".venv/\n__pycache__/\n*.kubeconfig\n"
_README = """\
# Mesh {mesh}

```sh
istio-mesh check mesh.yaml             # every problem at once; no cluster needed
istio-mesh plan mesh.yaml              # who serves whom, who calls whom, which ports must be open
istio-mesh picture mesh.yaml
pulumi install
pulumi stack init dev
{secrets}
pulumi preview
pulumi up
```

After a change: `istio-mesh diff git:HEAD:mesh.yaml mesh.yaml` says what it changes in the mesh.
"""


@click.command()
@click.argument("folder", default=".", type=FilePath(file_okay=False))
@click.option("--mesh-id", help="Name of the mesh; asked for when left out.")
@click.option("--clusters", help="Names of the clusters, separated by commas; asked for when left out.")
@click.option("--flat/--apart", default=None, help="Whether pods of all clusters can dial each other's addresses.")
@click.option("--istiod", help="The cluster whose istiod serves all of them; `each` for one in each cluster.")
def new(folder: str, mesh_id: str | None, clusters: str | None, flat: bool | None, istiod: str | None) -> None:
    """Write a project with a mesh.yaml and its program into FOLDER, from four answers.

    Asks for what no option says, and overwrites nothing. Exit code 0; 1 when a mesh of these answers can't be built, or
    a file is there already; 2 on bad use.

    \b
    Examples:
      istio-mesh new mesh
      istio-mesh new mesh --mesh-id prod --clusters east,west --apart --istiod each
    """
    from ..topology.load import read_mesh_text
    from ..topology.problems import TopologyError
    from .mesh_file import judged_file, refuse

    mesh = mesh_id if mesh_id is not None else click.prompt("Name of the mesh", default="prod")
    asked = clusters if clusters is not None else click.prompt("Clusters, separated by commas", default="east, west")
    names = [name.strip() for name in asked.split(",") if name.strip()]
    if flat is None:
        flat = click.confirm("Can pods of all clusters dial each other's addresses (one flat network)?", default=False)
    if istiod is None:
        question = f"Which cluster's istiod serves all of them ({', '.join(names)}; each: one in each cluster)?"
        istiod = click.prompt(shown(question), default="each")
    text = _mesh_file(mesh, names, flat=flat, primary=None if istiod == "each" else istiod)
    try:
        judged_file(read_mesh_text(text, "mesh.yaml"))
    except TopologyError as error:
        # Without lines: nobody has written that file.
        refuse(TopologyError(error.problems, "a mesh of these answers can't be built"))
    _write(Path(folder), _files(mesh, names, text))
    say(shown(f"written to {folder}: next, istio-mesh plan {Path(folder, 'mesh.yaml')}"))


def _mesh_file(mesh: str, names: Sequence[str], *, flat: bool, primary: str | None) -> str:
    from ..istio.versions import NEWEST
    from ..rules import today
    from ..topology.scalar import scalar

    lines = ["# yaml-language-server: $schema=mesh.schema.json"]
    lines += [f"mesh_id: {scalar(mesh)}", f'istio_version: "{NEWEST}"']
    # A plain day, so that running again changes nothing.
    lines += ["trust:", f'  roots: [{{issued: "{today()}"}}]', "clusters:"]
    for name in names:
        facts = [
            *(["network: flat"] if flat else []),
            *([f"primary: {scalar(primary)}"] if primary is not None and primary != name else []),
        ]
        lines.append(f"  {scalar(name)}: {{{', '.join(facts)}}}")
    return "\n".join(lines) + "\n"


def _files(mesh: str, names: Sequence[str], mesh_file: str) -> dict[str, str]:
    from .. import __version__
    from ..topology.scalar import scalar
    from ..topology.schema import schema_text

    secrets = "\n".join(f"pulumi config set --secret {name} < {name}.kubeconfig" for name in names)
    return {
        "mesh.yaml": mesh_file,
        "mesh.schema.json": schema_text(),
        "__main__.py": _PROGRAM.format(mesh=mesh, first=names[0]),
        "Pulumi.yaml": _PROJECT.format(mesh=scalar(mesh), clusters=", ".join(names)),
        "requirements.txt": f"pulumi-istio-mesh=={__version__}\n",
        ".gitignore": _IGNORED,
        "README.md": _README.format(mesh=mesh, secrets=secrets),
    }


def _write(folder: Path, files: dict[str, str]) -> None:
    there = [str(folder / name) for name in files if is_there(folder / name)]
    if there:
        told = f"{', '.join(there)}: there already; choose a folder without, such as: istio-mesh new mesh"
        say(shown(told), err=True)
        raise SystemExit(1)
    for name, text in files.items():
        write_file(folder / name, text, folders=True)
