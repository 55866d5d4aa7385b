"""The plugin that the tests of this folder ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .engine import ROOT, Plugin, running


@pytest.fixture(scope="session")
def plugin() -> Iterator[Plugin]:
    """The package's own plugin, one process for all tests."""
    with running(ROOT) as found:
        yield found
