"""Who installs the wheel has its types, with either checker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """\
import pulumi

from pulumi_istio_mesh import Mesh

mesh = Mesh(
    "prod",
    {
        "istio_version": "1.31.1",
        "trust": {"roots": [{"issued": "2026-11-23"}]},
        "clusters": {"east": {%s: "10.8.0.0/14", "kubeconfig": pulumi.Config().require_secret("east")}},
    },
)
gateways: pulumi.Output[%s] = mesh.gateways
"""
RIGHT = PROGRAM % ('"pod_cidr"', "dict[str, str]")
WRONG_KEY, WRONG_OUTPUT = PROGRAM % ('"pod_cdir"', "dict[str, str]"), PROGRAM % ('"pod_cidr"', "int")
LINES = {RIGHT: set(), WRONG_KEY: {10}, WRONG_OUTPUT: {13}}
"""Where each is wrong."""


def wrong_lines(python: Path, checker: str, program: str, folder: Path) -> set[int]:
    """The lines that a checker finds wrong, as it sees what is installed."""
    file = folder / "program.py"
    file.write_text(program, encoding="utf-8")
    if checker == "mypy":
        command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python), str(file)]
    else:
        (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
        command = [sys.executable, "-m", "pyright", "--pythonpath", str(python), "--project", str(folder)]
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    found = {int(line) for line in re.findall(r"program\.py:(\d+)(?::\d+)?(?:: error| - error)", done.stdout)}
    assert bool(found) == bool(done.returncode), done.stdout
    return found


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_wrong_program_is_told_and_a_right_one_is_not(python: Path, checker: str, tmp_path: Path) -> None:
    found = {program: wrong_lines(python, checker, program, tmp_path) for program in LINES}
    assert found == LINES
