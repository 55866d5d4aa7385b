"""Code run in a process with a network and mounts of its own, as a lab beside others is."""

from __future__ import annotations

import subprocess
import sys

ENTERED = """
import os, subprocess, sys
from pathlib import Path
from lab import apart, cgroups, network
from lab.errors import LabError
from lab.shape import Shape
apart.enter(sys.argv[1])
"""


def run(code: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENTERED + code, "a-test", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
