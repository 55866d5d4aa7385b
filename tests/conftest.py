"""What every test may ask for."""

from __future__ import annotations

import pytest
from pulumi.runtime.sync_await import _ensure_event_loop
from syrupy.assertion import SnapshotAssertion

from .snapshots import Json, Text


@pytest.fixture(autouse=True)
def a_loop_for_outputs() -> None:
    """`asyncio.run` leaves its thread without an event loop; the next test's Outputs are made in one."""
    _ensure_event_loop()


@pytest.fixture
def golden_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Equal to a value that is kept as JSON in `__snapshots__` beside the test."""
    return snapshot.use_extension(Json)


@pytest.fixture
def golden_text(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Equal to a text that is kept in `__snapshots__` beside the test."""
    return snapshot.use_extension(Text)
