"""Whole-file snapshots, one readable file each: `pytest --snapshot-update` rewrites them."""

from __future__ import annotations

from typing import Any

from syrupy.extensions.json import JSONSnapshotExtension
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class Json(JSONSnapshotExtension):
    """A value as JSON."""


class Text(SingleFileSnapshotExtension):
    """Text as it is."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT

    def serialize(self, data: Any, **_: Any) -> str:
        """Return the text."""
        return str(data)
