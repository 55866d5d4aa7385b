"""A short, fixed part of what `make fuzz` does for an hour."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from . import pipeline
from .inputs import KINDS
from .pipeline import Counts, as_text

pytestmark = pytest.mark.usefixtures("in_a_folder_on_a_day")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_fails_but_in_words(kind: str) -> None:
    inputs, taken, share = KINDS[kind]
    counts = Counts()

    @settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=25 * share,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def rounds(found: Any) -> None:
        taken(found, counts)

    rounds()
    assert sum(counts.valid.values()) > counts.examples[kind] / 10, "too little of it is right"
    assert counts.slugs


def test_a_bug_would_be_seen() -> None:
    with pytest.raises(AttributeError):
        pipeline.show([("prod", None)])  # type: ignore[list-item]


def test_what_holds_a_secret_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        pipeline.judge(as_text({pipeline.SECRET: 1}), Counts())
