"""What every test may ask for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from pulumi.runtime.sync_await import _ensure_event_loop
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh.cli import mesh_file
from pulumi_istio_mesh.components import arguments, offers

from .builders import TODAY
from .snapshots import Json, Text

pytest_plugins = ("tests.spending",)


@pytest.fixture(autouse=True)
def a_loop_for_outputs() -> None:
    """`asyncio.run` leaves its thread without an event loop; the next test's Outputs are made in one."""
    _ensure_event_loop()


@pytest.fixture
def in_a_folder_on_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in an empty folder, on the tests' day."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mesh_file, "today", lambda: TODAY)


@pytest.fixture
def programs_on_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs run on the tests' day, whatever the machine's clock says."""
    monkeypatch.setattr(arguments, "today", lambda: TODAY)
    monkeypatch.setattr(offers, "now", lambda: dt.datetime.combine(TODAY, dt.time(12), dt.timezone.utc))


@pytest.fixture
def golden_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Equal to a value that is kept as JSON in `__snapshots__` beside the test."""
    return snapshot.use_extension(Json)


@pytest.fixture
def golden_text(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Equal to a text that is kept in `__snapshots__` beside the test."""
    return snapshot.use_extension(Text)
