"""A mesh.yaml as the commands take it: judged whole, and the program ended in words where it can't be used."""

from __future__ import annotations

import sys

import click

from ..rules import problems_in, today
from ..rules.meshes import meshes_problems
from ..topology.load import read_mesh_file
from ..topology.models import Topology
from ..topology.problems import TopologyError


def planned(path: str, mesh: str | None) -> list[tuple[str, Topology]]:
    """Return the meshes of the file that can all be built; end the program with what is wrong otherwise."""
    try:
        meshes = judged(path)
    except TopologyError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
    chosen = [(name, topology) for name, topology in meshes if mesh in (None, name)]
    if not chosen:
        raise click.UsageError(f"{path} holds {listed(meshes)}, no {mesh}")
    return chosen


def listed(meshes: list[tuple[str, Topology]]) -> str:
    """Return the names of meshes, as they are told."""
    return ", ".join(name for name, _ in meshes)


def unreadable(path: str, error: Exception) -> click.UsageError:
    """Return the end of the program for a file that can't be read."""
    return click.UsageError(f"{path} can't be read: {type(error).__name__}")


def judged(path: str) -> list[tuple[str, Topology]]:
    """Return each mesh of the file by its mesh ID; raise `TopologyError` with the problems of all of them."""
    file = read_mesh_file(path)
    found, problems = file.topologies()
    for under, topology in found.items():
        problems += [file.placed(problem, under) for problem in problems_in(topology, today())]
    meshes = [(topology.mesh_id, topology) for topology in found.values()]
    problems += meshes_problems(dict(meshes))
    if problems:
        raise TopologyError(problems, file.source, file.positions)
    return meshes
