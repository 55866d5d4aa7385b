"""A wheel and an sdist of this repository, and an environment that holds the wheel and what it needs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.paths import REPOSITORY
from release import artifacts


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Sdist and wheel, in this order."""
    if subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True).returncode != 0:
        pytest.skip("this is no checkout of git, and a release is of a commit")
    return sorted(artifacts.build(tmp_path_factory.mktemp("dist")), key=lambda file: file.suffix)


@pytest.fixture(scope="session")
def python(built: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment into which nothing but the wheel was installed."""
    return artifacts.install(built[1], tmp_path_factory.mktemp("installed") / "venv")
