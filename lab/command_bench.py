"""How long the command takes, as ratios to a Python that does nothing: help, plan and diff of 50 clusters."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.table import Table

from lab.progress import Progress

_CLUSTERS = 50
_HEAD = 'mesh_id: prod\nistio_version: "1.31.1"\ntrust: {roots: [{issued: "2026-11-23"}]}\nclusters:\n'
_BUDGETS = {"istio-mesh --help": 0.4, "istio-mesh plan, 50 clusters": 2.0, "istio-mesh diff, 50 clusters each": 3.0}
"""Seconds, each."""


def table(runs: int, progress: Progress) -> Table:
    """Return seconds and ratios; every cluster of a mesh is a network of its own and reads all others."""
    with tempfile.TemporaryDirectory() as folder, progress.step("the command istio-mesh", usually=30):
        old, new = (str(Path(folder, name)) for name in ("old.yaml", "new.yaml"))
        for path, clusters in ((old, _CLUSTERS), (new, _CLUSTERS + 1)):
            names = "".join(f"  site-{number}: {{}}\n" for number in range(clusters))
            Path(path).write_text(_HEAD + names, encoding="utf-8")
        command = [sys.executable, "-m", "pulumi_istio_mesh"]
        ways = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "istio-mesh --help": [*command, "--help"],
            "istio-mesh plan, 50 clusters": [*command, "plan", old],
            "istio-mesh diff, 50 clusters each": [*command, "diff", old, new],
        }
        seconds = {name: [_timed(arguments) for _ in range(runs)] for name, arguments in ways.items()}
    found = Table(title="The command istio-mesh, medians")
    for column in ("what", "wall s", "x python -c pass", "budget s"):
        found.add_column(column)
    nothing = statistics.median(seconds["python -c pass"])
    for name, taken in seconds.items():
        median = statistics.median(taken)
        found.add_row(
            name, f"{median:.2f}", f"{median / nothing:.0f}x", f"{_BUDGETS[name]:.1f}" if name in _BUDGETS else ""
        )
    return found


def _timed(arguments: list[str]) -> float:
    start = time.monotonic()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start
