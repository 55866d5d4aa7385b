"""Where two trees of plain facts differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..topology.shown import quoted

MISSING = object()
"""Stands for what one of the trees does not have."""


def differing(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the path of each difference with both values, the highest where one side has nothing."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys(), key=str):
            here = f"{path}.{quoted(str(key))}" if path else quoted(str(key))
            yield from differing(before.get(key, MISSING), after.get(key, MISSING), here)
    elif before != after:
        yield path, before, after
