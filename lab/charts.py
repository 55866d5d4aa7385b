"""Istio's charts, as a release would publish them, from the module the programs are built from."""

import re
import shutil
import tarfile
import tempfile
from pathlib import Path

from lab.build import module_folder
from lab.paths import cache
from lab.programs import ISTIO, ISTIOD_BUILD, NEXT_ISTIO
from lab.progress import Progress, Step

_SOURCES = {"base": "base", "istiod": "istio-control/istio-discovery", "gateway": "gateway"}
_HUB = "docker.io/istio"
_COPY = Step("copy Istio's charts", usually=2)


def charts_folder() -> Path:
    """Holds one chart a folder: base, istiod, gateway; and archives of them as `NEXT_ISTIO`."""
    return cache() / "charts" / ISTIO


def ahead() -> list[Step]:
    """The step of `build_charts`, if there is anything to do."""
    return [] if all(_archive(name).exists() for name in _SOURCES) else [_COPY]


def build_charts(progress: Progress) -> None:
    """Copies the charts with the version, hub and tag that Istio's own release tool writes into them."""
    if not ahead():
        return
    with progress.step(*_COPY):
        charts = module_folder(ISTIOD_BUILD, "istio.io/istio") / "manifests" / "charts"
        shutil.rmtree(charts_folder(), ignore_errors=True)
        for name, source in _SOURCES.items():
            with tempfile.TemporaryDirectory() as folder:
                _copy(charts / source, Path(folder) / name, NEXT_ISTIO)
                _copy(charts / source, charts_folder() / name, ISTIO)
                with tarfile.open(_archive(name), "w:gz") as archive:
                    archive.add(Path(folder) / name, name)


def _archive(name: str) -> Path:
    return charts_folder() / f"{name}-{NEXT_ISTIO}.tgz"


def _copy(source: Path, target: Path, version: str) -> None:
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for path in [target, *target.rglob("*")]:
        # The module cache is read-only, and copytree gives folders the mode they had there.
        path.chmod(0o755 if path.is_dir() else 0o644)
    _replace(target / "Chart.yaml", r"^(version|appVersion): .*$", rf"\g<1>: {version}")
    _replace(target / "values.yaml", r"^(\s*hub): gcr\.io/istio-testing$", rf"\g<1>: {_HUB}")
    _replace(target / "values.yaml", r"^(\s*tag): latest$", rf"\g<1>: {version}")


def _replace(file: Path, pattern: str, by: str) -> None:
    file.write_text(re.sub(pattern, by, file.read_text(), flags=re.MULTILINE))
