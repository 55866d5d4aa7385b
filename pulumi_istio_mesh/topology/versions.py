"""How versions are compared."""

from __future__ import annotations


def numbers(version: str) -> tuple[int, ...]:
    """Return `1.31.1` as (1, 31, 1), by which versions sort; what comes after a hyphen counts for nothing."""
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())
