"""Mesh files as text, for the tests of the loader and of the command."""

from __future__ import annotations

from pathlib import Path

GOOD = """\
version: 1
mesh_id: prod
istio_version: "1.31.1"
trust:
  roots: [{issued: "2026-11-23"}]
clusters:
  east: {network: vpc, pod_cidr: 10.8.0.0/14}
  west: {network: vpc, pod_cidr: 10.12.0.0/14}
  plant: {pod_cidr: 10.8.0.0/14}
"""


def a_file(folder: Path, text: str = GOOD) -> Path:
    """A mesh.yaml that holds this text."""
    path = folder / "mesh.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def after(line: str, more: str) -> str:
    """The good file with more lines after one of its own."""
    assert f"{line}\n" in GOOD
    return GOOD.replace(f"{line}\n", f"{line}\n{more}\n")


def instead(old: str, new: str) -> str:
    """The good file with some text replaced."""
    assert old in GOOD
    return GOOD.replace(old, new)
