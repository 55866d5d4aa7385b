from __future__ import annotations

from typing import Any


def given_problems(where: str, **k: Any) -> list[Any]:
    return []


def bundle_problems(b: Any) -> list[Any]:
    return []
