"""Files that a command is told to read or write: what can't be is bad use, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .printing import BadUse


class FilePath(click.Path):
    """A path on the command line; one that no file can have is bad use."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        try:
            return super().convert(value, param, ctx)
        except ValueError:
            self.fail("no file can be called that", param, ctx)


def unreadable(place: str, error: Exception) -> BadUse:
    """Return the bad use of a place that can't be read."""
    return BadUse(f"{place} can't be read: {_why(error)}")


def write_file(path: Path, text: str, *, folders: bool = False) -> None:
    """Write a file, with the folders it is in where they are to be made; end the program where that can't be done."""
    try:
        if folders:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadUse(f"{path} can't be written to: {_why(error)}") from None


def _why(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
