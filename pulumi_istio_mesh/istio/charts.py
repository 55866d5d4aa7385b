"""Where each of Istio's charts is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..topology.problems import Problem
from .versions import CHART_SOURCE

CHARTS = ("base", "istiod", "gateway")
"""The charts a mesh with sidecars needs, by their published names; also the keys of `values`."""

_RELEASE_ARCHIVE = {"istiod": "istio-control/istio-discovery"}
"""Folders that are called otherwise in the `manifests/charts` of Istio's release archive."""


@dataclass(frozen=True)
class ChartReference:
    """What a Helm client needs to find one chart."""

    chart: str
    version: str | None = None
    repository: str | None = None


def chart_reference(source: str | None, chart: str, version: str) -> ChartReference:
    """Return where the chart is: in a repository, under an `oci://` prefix, or in a folder.

    A folder holds `<chart>/`, or `<chart>-<version>.tgz`, or is the `manifests/charts` of an Istio release archive.
    Raises `FileNotFoundError` when the folder has none of them.
    """
    source = source or CHART_SOURCE
    if source.startswith("oci://"):
        return ChartReference(f"{source.rstrip('/')}/{chart}", version)
    if source.startswith(("https://", "http://")):
        return ChartReference(chart, version, source)
    for candidate in _candidates(Path(source), chart, version):
        if candidate.exists():
            return ChartReference(str(candidate.parent if candidate.name == "Chart.yaml" else candidate))
    raise FileNotFoundError(f"{source} holds neither {chart}/ nor {chart}-{version}.tgz")


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
    yield folder / chart / "Chart.yaml"
    yield folder / f"{chart}-{version}.tgz"
    yield folder / _RELEASE_ARCHIVE.get(chart, chart) / "Chart.yaml"
