"""What is kept of each version beside its states, so that the next is held to it."""

from __future__ import annotations

import json

from packaging.version import Version

from lab import recorded_states
from lab.recorded_states import FOLDER

from .interface import Interface, present

FILE = "interface.json"


def released() -> list[str]:
    """Return the versions whose interface is kept, the oldest first."""
    kept = (version for version in recorded_states.versions() if (FOLDER / version / FILE).exists())
    return sorted(kept, key=Version)


def interface_of(version: str) -> Interface:
    """Return the interface of a version as it was kept."""
    found: Interface = json.loads((FOLDER / version / FILE).read_text(encoding="utf-8"))
    return found


def as_text(interface: Interface) -> str:
    """Return an interface as it is kept, so that a difference can be read."""
    return json.dumps(interface, indent=1, sort_keys=True) + "\n"


def record(version: str) -> None:
    """Keep the present interface as that of a version."""
    (FOLDER / version / FILE).write_text(as_text(present()), encoding="utf-8")
