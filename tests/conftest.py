"""What every test may ask for."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from .snapshots import Json, Text


@pytest.fixture
def golden_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Equal to a value that is kept as JSON in `__snapshots__` beside the test."""
    return snapshot.use_extension(Json)


@pytest.fixture
def golden_text(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Equal to a text that is kept in `__snapshots__` beside the test."""
    return snapshot.use_extension(Text)
