"""Making a machine ready for the lab: looking at it, then installing, building and caching what a purpose needs."""

from __future__ import annotations

from collections.abc import Sequence

from lab import build, charts, debian, images, machine, npm, plugins
from lab.programs import NODE_HOST_BUILD, GoBuild
from lab.progress import Progress, Step


def ahead(builds: Sequence[GoBuild]) -> list[Step]:
    """Return the steps of `provision` that anybody waits for; looks at what is there, and at nothing else."""
    return [
        _look(builds),
        *debian.ahead(),
        *build.ahead(builds),
        *charts.ahead(),
        *(npm.ahead() if NODE_HOST_BUILD in builds else []),
        *images.ahead(),
    ]


def provision(builds: Sequence[GoBuild], clusters: int, progress: Progress) -> None:
    """Make what is missing: minutes from nothing, an instant when everything is there.

    Raises:
        LabError: the machine can't run that many clusters, or something could not be installed or built.
    """
    with progress.step(*_look(builds)):
        machine.probe(clusters, builds)
    debian.install_packages(progress)
    build.build_programs(builds, progress)
    charts.build_charts(progress)
    plugins.build_plugins()
    if NODE_HOST_BUILD in builds:
        npm.fetch_packages(progress)
    images.build_images(progress)


def _look(builds: Sequence[GoBuild]) -> Step:
    # Whether modules can be had is seen by fetching the first of each program.
    return Step("look at this machine", usually=20 if build.unbuilt(builds) else 1)
