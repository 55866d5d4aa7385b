"""How much text is taken from files: far more than a mesh needs, and little enough for any machine.

A mesh of 500 clusters, each with a page of Helm values, is 2 MB of text and 100,000 values; Istio's CRDs are the most
deeply nested YAML around a mesh, with less than 50 levels.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

MOST_BYTES = 4 * 1024 * 1024
"""Of one text."""
MOST_VALUES = 250_000
"""Keys, values, lists and mappings of one text, each as often as aliases and merge keys repeat it."""
MOST_LEVELS = 100
"""Of lists and mappings within each other."""


class UnreadableText(ValueError):
    """Text that is not taken; the message says why, and never quotes it, for it may be a credential."""


class TooMuch(UnreadableText):
    """A text that takes more than a mesh needs; the message says what of, with the limit."""


def read_text(path: str | Path) -> str:
    """Return the text of a file, which may also be a pipe or a device that never ends.

    Raises `TooMuch` where it is larger than is taken, `OSError` and `UnicodeDecodeError` where it can't be read.
    """
    try:
        with Path(path).open("rb") as file:
            # Not read whole and measured then: /dev/zero has no size.
            found = file.read(MOST_BYTES + 1)
    except ValueError:
        # Of a name with a NUL in it, or with what is no character.
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from None
    check_size(len(found))
    return found.decode("utf-8")


def is_there(path: str | Path) -> bool:
    """Return whether there is such a file or folder; there is none by a name that no file can have."""
    # Not by Path.exists, which fails for a name that is too long.
    return os.path.exists(path)  # noqa: PTH110


def check_size(size: int) -> None:
    """Refuse a text of so many bytes, or characters, before anything is made of it."""
    if size > MOST_BYTES:
        raise TooMuch(f"it holds more than {MOST_BYTES:,} bytes")


def check_values(found: int) -> None:
    """Refuse a text with so many values."""
    if found > MOST_VALUES:
        raise TooMuch(f"it holds {found:,} values, aliases unfolded; at most {MOST_VALUES:,} are read")


def check_levels(found: int) -> None:
    """Refuse a text whose lists and mappings are within each other so often."""
    if found > MOST_LEVELS:
        raise TooMuch(f"it is {found:,} levels deep; at most {MOST_LEVELS} are read")
