"""Where each of Istio's charts is found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..topology.limits import is_there
from ..topology.problems import Problem
from .versions import CHART_SOURCE

CHARTS = ("base", "istiod", "gateway")
"""The charts a mesh with sidecars needs, by their published names; also the keys of `values`."""

_RELEASE_ARCHIVE = {"istiod": "istio-control/istio-discovery"}
"""Folders that are called otherwise in the `manifests/charts` of Istio's release archive."""

_REGISTRY, _REPOSITORY = "oci://", ("https://", "http://")
_HOST = re.compile(r"[a-z0-9][-a-z0-9]*(\.[a-z0-9][-a-z0-9]*)*\.[a-z]{2,}(:\d+)?/.+")


@dataclass(frozen=True)
class ChartReference:
    """What a Helm client needs to find one chart."""

    chart: str
    version: str | None = None
    repository: str | None = None


def chart_reference(source: str | None, chart: str, version: str) -> ChartReference:
    """Return where the chart is: in a repository, under an `oci://` prefix, or in a folder.

    A folder holds `<chart>-<version>.tgz`, or `<chart>/`, or is the `manifests/charts` of an Istio release archive.
    Raises `FileNotFoundError` when the folder has none of them.
    """
    source = source or CHART_SOURCE
    if source.startswith(_REGISTRY):
        return ChartReference(f"{source.rstrip('/')}/{chart}", version)
    if source.startswith(_REPOSITORY):
        return ChartReference(chart, version, source)
    for candidate in _candidates(Path(source), chart, version):
        if is_there(candidate):
            return ChartReference(str(candidate.parent if candidate.name == "Chart.yaml" else candidate))
    raise FileNotFoundError(f"{source} holds neither {chart}/ nor {chart}-{version}.tgz")


def misread(source: str) -> Problem | None:
    """Return what is wrong with a source that would be taken for a folder, and is none."""
    scheme, separator, _ = source.partition("://")
    if separator and not source.startswith((_REGISTRY, *_REPOSITORY)):
        what, fix = f"charts can't be had by {scheme}://", "chart_source: oci://registry.example/charts"
    elif _HOST.fullmatch(source) and not is_there(source):
        what, fix = f"there is no folder {source}", f"chart_source: {_REGISTRY}{source}"
    else:
        return None
    why = "it is the URL of a chart repository, the prefix oci:// of a registry's charts, or a folder"
    return Problem(where="chart_source", what=what, why=why, fix=fix, slug="chart-source")


def chart_source_problems(source: str | None, version: str) -> Iterator[Problem]:
    """Refuse a folder that lacks one of the charts."""
    for chart in CHARTS:
        try:
            chart_reference(source, chart, version)
        except FileNotFoundError as error:
            yield Problem(
                where="chart_source",
                what=str(error),
                why=f"every cluster installs the charts {', '.join(CHARTS)} at one version",
                fix=f"helm pull {chart} --repo {CHART_SOURCE} --version {version} --destination <chart_source>",
                slug="chart-source",
            )


def _candidates(folder: Path, chart: str, version: str) -> Iterator[Path]:
    # First what says its version, so that one folder can hold those of an upgrade and of what it came from.
    yield folder / f"{chart}-{version}.tgz"
    yield folder / chart / "Chart.yaml"
    yield folder / _RELEASE_ARCHIVE.get(chart, chart) / "Chart.yaml"
