"""CHANGELOG.md as a release needs it: the newest version with its date, and what it says is breaking."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .interface import Break

UNRELEASED = "unreleased"


@dataclass(frozen=True)
class Entry:
    """The newest version's part of the file."""

    version: str
    date: str
    """Of the release; `unreleased` before."""
    breaking: str
    """The text under Breaking."""


def newest(text: str) -> Entry:
    """Return the first version's part."""
    _, heading, body, *_ = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    version, _, date = heading.partition(" - ")
    _, _, breaking = body.partition("\n### Breaking\n")
    return Entry(version, date, breaking.partition("\n### ")[0].strip())


def untold(found: Iterable[Break], entry: Entry) -> list[Break]:
    """Return the breaks that the entry doesn't name under Breaking."""
    return [one for one in found if f"`{one.where}`" not in entry.breaking]
