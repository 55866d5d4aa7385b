"""Wheel and sdist of a commit, and what is said of them: checksums, contents, provenance."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lab.paths import REPOSITORY


def git(*arguments: str) -> str:
    """Return what git says of this repository."""
    done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def build(folder: Path) -> list[Path]:
    """Build sdist and wheel into a folder: the same bytes for the same commit, whatever the clock and the place."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": git("log", "-1", "--format=%ct")}
    # The backend is that of requirements.lock, so that it too is the same.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(REPOSITORY)]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.glob("pulumi_istio_mesh-*"))


def install(wheel: Path, venv: Path) -> Path:
    """Install a wheel and what it needs into an environment that holds nothing else; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    quietly = ("--quiet", "--disable-pip-version-check", "--no-compile")
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", *quietly, str(wheel)], check=True)
    return python


def bill_of_materials(python: Path, file: Path) -> None:
    """Write what an environment holds as CycloneDX."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", str(python), "--output-reproducible"]
    about = ("--pyproject", str(REPOSITORY / "pyproject.toml"), "--mc-type", "library")
    subprocess.run([*command, *about, "--output-file", str(file)], check=True)


def write_bill_of_materials(wheel: Path, file: Path) -> None:
    """Write what comes with a wheel today: the newest of everything that it allows."""
    with tempfile.TemporaryDirectory() as scratch:
        bill_of_materials(install(wheel, Path(scratch) / "venv"), file)


def digest(file: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def checksums(files: Iterable[Path]) -> str:
    """Return lines for `sha256sum --check`."""
    return "".join(f"{digest(file)}  {file.name}\n" for file in files)


def provenance(files: Iterable[Path], commit: str, lock: str) -> dict[str, Any]:
    """Return the statement of where files come from: in-toto, SLSA 1.0; nobody has signed it.

    `lock` is the digest of requirements.lock, which has everything that the build ran.
    """
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": file.name, "digest": {"sha256": digest(file)}} for file in files],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "tag:pulumi-istio-mesh,2026:python-m-build",
                "externalParameters": {"commit": commit},
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": commit}},
                    {"name": "requirements.lock", "digest": {"sha256": lock}},
                ],
            },
            "runDetails": {"builder": {"id": "tag:pulumi-istio-mesh,2026:make-release"}},
        },
    }


def write_statements(files: Iterable[Path], folder: Path) -> None:
    """Write checksums and provenance of files beside them."""
    files = list(files)
    statement = provenance(files, git("rev-parse", "HEAD"), digest(REPOSITORY / "requirements.lock"))
    (folder / "provenance.json").write_text(json.dumps(statement, indent=2) + "\n", encoding="utf-8")
    (folder / "SHA256SUMS").write_text(checksums(files), encoding="utf-8")
