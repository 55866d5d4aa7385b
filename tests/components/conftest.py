"""Programs of this folder run on one day, whatever the machine's clock says."""

from __future__ import annotations

import datetime as dt

import pytest

from pulumi_istio_mesh.components import arguments, offers

from ..builders import TODAY


@pytest.fixture(autouse=True)
def on_a_fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "today", lambda: TODAY)
    monkeypatch.setattr(offers, "now", lambda: dt.datetime.combine(TODAY, dt.time(12), dt.timezone.utc))
