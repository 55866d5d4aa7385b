"""Programs of this folder run on one day."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def on_a_fixed_day(programs_on_a_day: None) -> None:
    """Whatever the machine's clock says."""
