"""Where each chart is found: in a repository, in a registry, in a folder, in a release archive.

Whether a repository has a chart is seen by the provider, in the preview.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pulumi_istio_mesh.istio.charts import CHARTS, ChartReference, chart_reference, chart_source_problems

from ..builders import mesh_tree, problems_of


def a_chart(folder: Path) -> Path:
    """A chart's folder."""
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\n")
    return folder


def archives(folder: Path, version: str) -> Path:
    """A folder with every chart as an archive of this version."""
    for chart in CHARTS:
        (folder / f"{chart}-{version}.tgz").touch()
    return folder


def test_left_out_it_is_istios_own_repository() -> None:
    assert chart_reference(None, "istiod", "1.31.1") == ChartReference(
        "istiod", "1.31.1", "https://blob.istio.io/istio-release/charts"
    )


@pytest.mark.parametrize("url", ["https://charts.example/istio", "http://charts.example"])
def test_a_repository_is_named_beside_the_chart(url: str) -> None:
    assert chart_reference(url, "base", "1.31.1") == ChartReference("base", "1.31.1", url)


@pytest.mark.parametrize("prefix", ["oci://registry.example/charts", "oci://registry.example/charts/"])
def test_a_registry_is_part_of_the_charts_name(prefix: str) -> None:
    assert chart_reference(prefix, "base", "1.31.1") == ChartReference("oci://registry.example/charts/base", "1.31.1")


def test_a_folder_may_hold_unpacked_charts(tmp_path: Path) -> None:
    folder = a_chart(tmp_path / "istiod")
    assert chart_reference(str(tmp_path), "istiod", "1.31.1") == ChartReference(str(folder))


def test_a_folder_may_hold_archives_of_the_version(tmp_path: Path) -> None:
    archives(tmp_path, "1.31.1")
    assert chart_reference(str(tmp_path), "istiod", "1.31.1") == ChartReference(str(tmp_path / "istiod-1.31.1.tgz"))


def test_a_release_archive_calls_istiod_otherwise(tmp_path: Path) -> None:
    base, istiod = a_chart(tmp_path / "base"), a_chart(tmp_path / "istio-control" / "istio-discovery")
    assert chart_reference(str(tmp_path), "base", "1.31.1") == ChartReference(str(base))
    assert chart_reference(str(tmp_path), "istiod", "1.31.1") == ChartReference(str(istiod))


def test_a_folder_without_a_chart_in_it_is_no_chart(tmp_path: Path) -> None:
    (tmp_path / "istiod").mkdir()
    with pytest.raises(FileNotFoundError, match=r"holds neither istiod/ nor istiod-1.31.1.tgz$"):
        chart_reference(str(tmp_path), "istiod", "1.31.1")


def test_a_folder_with_every_chart_is_allowed(tmp_path: Path) -> None:
    assert list(chart_source_problems(str(archives(tmp_path, "1.31.1")), "1.31.1")) == []
    assert problems_of(mesh_tree(chart_source=str(tmp_path))) == []


def test_a_folder_with_another_version_is_refused_chart_by_chart(tmp_path: Path) -> None:
    archives(tmp_path, "1.31.0")
    problems = problems_of(mesh_tree(chart_source=str(tmp_path)))
    assert [(problem.slug, problem.where) for problem in problems] == [("chart-source", "chart_source")] * 3
    assert problems[0].what == f"{tmp_path} holds neither base/ nor base-1.31.1.tgz"
    assert problems[0].fix.endswith("--version 1.31.1 --destination <chart_source>")


def test_only_the_missing_chart_is_named(tmp_path: Path) -> None:
    (archives(tmp_path, "1.31.1") / "gateway-1.31.1.tgz").unlink()
    (problem,) = chart_source_problems(str(tmp_path), "1.31.1")
    assert problem.what == f"{tmp_path} holds neither gateway/ nor gateway-1.31.1.tgz"
