"""A mesh.yaml as the commands take it: judged whole, and the program ended in words where it can't be used."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

from ..rules import problems_in, today
from ..rules.meshes import meshes_problems
from ..topology.limits import TooMuch, check_size
from ..topology.load import MeshFile, read_mesh_file, read_mesh_text
from ..topology.models import Topology
from ..topology.problems import TopologyError
from ..topology.yaml_text import too_much
from .files import unreadable
from .printing import BadUse, say

GIT = "git:"
_GIT_SECONDS = 30


def planned(place: str, mesh: str | None) -> list[tuple[str, Topology]]:
    """Return the meshes of a place that can all be built; end the program with what is wrong otherwise."""
    try:
        meshes = judged(place)
    except TopologyError as error:
        refuse(error)
    chosen = [(name, topology) for name, topology in meshes if mesh in (None, name)]
    if not chosen:
        raise BadUse(f"{place} holds {listed(meshes)}, no {mesh}")
    return chosen


def judged(place: str) -> list[tuple[str, Topology]]:
    """Return each mesh of a place by its mesh ID; raise `TopologyError` with the problems of all of them."""
    file = read_place(place)
    if file is None:
        raise BadUse(f"{place}: that revision has no such file")
    return judged_file(file)


def refuse(error: TopologyError) -> NoReturn:
    """End the program with what is wrong."""
    say(str(error), err=True)
    sys.exit(1)


def listed(meshes: list[tuple[str, Topology]]) -> str:
    """Return the names of meshes, as they are told."""
    return ", ".join(name for name, _ in meshes)


def judged_file(file: MeshFile, *, ignoring: Collection[str] = ()) -> list[tuple[str, Topology]]:
    """Return each mesh of what is read; problems of the slugs to ignore are none."""
    found, problems = file.topologies()
    for under, topology in found.items():
        problems += [file.placed(problem, under) for problem in problems_in(topology, today())]
    meshes = [(topology.mesh_id, topology) for topology in found.values()]
    problems += meshes_problems(dict(meshes))
    problems = [problem for problem in problems if problem.slug not in ignoring]
    if problems:
        raise TopologyError(problems, file.source, file.positions)
    return [(name, topology.present) for name, topology in meshes]


def read_place(place: str) -> MeshFile | None:
    """Return what a file, or `git:REV:path` in the repository here, holds; None where that revision has no such file.

    Raises `BadUse` for what can't be read, `TopologyError` for what is no mesh.yaml.
    """
    if not place.startswith(GIT):
        try:
            return read_mesh_file(place)
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable(place, error) from None
    revision, colon, path = place.removeprefix(GIT).partition(":")
    if not (revision and colon and path):
        raise BadUse(f"{place}: write git:REVISION:PATH, such as git:main:mesh.yaml")
    try:
        commit = _git("rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        if commit.returncode:
            raise BadUse(f"{place}: no revision {revision} here; in a shallow clone, fetch it first")
        # Relative to the folder that the command runs in, as every other path.
        blob = f"{commit.stdout.decode().strip()}:{path if Path(path).is_absolute() else f'./{path}'}"
        size = _git("cat-file", "-s", blob)
        if size.returncode:
            return None
        check_size(int(size.stdout))
        # Not show: it takes [ and * for a pattern, and lists a folder.
        held = _git("cat-file", "blob", blob)
        return read_mesh_text(held.stdout.decode("utf-8"), place) if held.returncode == 0 else None
    except TooMuch as error:
        raise TopologyError([too_much(place, str(error))], place) from None
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        raise unreadable(place, error) from None


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, timeout=_GIT_SECONDS, check=False)
    except ValueError:
        # Of a name with a NUL in it, which no program can be given.
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from None
