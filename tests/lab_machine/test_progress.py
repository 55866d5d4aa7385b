"""How much is left of a whole, by what its steps take usually and on this machine."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lab import progress
from lab.progress import Progress, Step

STEPS = (Step("build one", usually=100), Step("build two", usually=200), Step("start it", usually=10))


class Clock:
    """A machine's time, which passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def told(clock: Clock, taken: dict[str, float], ahead: tuple[Step, ...] = STEPS) -> list[str]:
    """The lines of a log in which steps take so long."""
    log = io.StringIO()
    whole = Progress(Console(file=log), ahead)
    for step in STEPS:
        if step.text in taken:
            with whole.step(*step):
                clock.now += taken[step.text]
    return log.getvalue().splitlines()


def test_what_is_left_is_what_the_other_steps_usually_take(clock: Clock):
    assert told(clock, {"build one": 100})[-1] == "build one: done in 100.0 s; about 4 min left"


def test_on_a_slower_machine_more_is_left(clock: Clock):
    assert told(clock, {"build one": 300})[-1] == "build one: done in 300.0 s; about 5 min left"


def test_nothing_is_left_after_the_last_step(clock: Clock):
    assert told(clock, {"build one": 100, "build two": 200, "start it": 10})[-1] == "start it: done in 10.0 s"


def test_a_step_by_itself_has_no_whole(clock: Clock):
    assert told(clock, {"build one": 100}, ahead=()) == ["build one (usually 100 s) ...", "build one: done in 100.0 s"]
