"""What mypy says of programs that use this package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]


def checked(programs: Iterable[Path]) -> subprocess.CompletedProcess[str]:
    """Check programs strictly, with what `make check` has kept of Pulumi's SDKs: from nothing it takes a minute."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *map(str, sorted(programs))]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
