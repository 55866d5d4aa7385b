"""Programs from npm that tests look with: installed once, into the user's cache folder."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pulumi-istio-mesh" / "npm"
_SECONDS = 300


def installed(package: str, version: str) -> Path:
    """The package's folder; a test that needs one that can't be installed fails."""
    place = CACHE / f"{package}-{version}"
    if not place.exists():
        _install(f"{package}@{version}", place)
    return place / "node_modules" / package


def _install(package: str, place: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    # Beside its place, and moved there whole: tests run in several processes, and an installation may be cut off.
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", f"{folder}/new", package]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
        except FileNotFoundError:
            pytest.fail(f"npm is not there, which brings {package}: make browser, or apt-get install nodejs npm")
        assert done.returncode == 0, f"npm can't install {package}: {done.stderr}"
        # Another process may have been faster.
        with contextlib.suppress(OSError):
            Path(folder, "new").rename(place)
    assert place.exists(), f"{place} can't be written to"
