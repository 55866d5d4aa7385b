"""What a wrong topology is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Wrong:
    """One topology that no mesh can be built from."""

    tree: dict[str, Any]
    slug: str
    where: str
    fix: str
    """How the fix ends."""
    allowed: dict[str, Any]
    """The nearest topology that is not refused."""
    consequences: int = 0
    """Further problems that the same mistake causes."""
