"""Telling the person who waits what is being done, how long it usually takes, and how much is left of the whole."""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console

_TRUSTED = 300.0
"""Seconds for which the usual times are believed before those of this machine outweigh them."""


class Step(NamedTuple):
    """Something that a person waits for."""

    text: str
    usually: float = 0
    """Seconds on two idle cores; 0 where nobody has counted."""


class Progress:
    """A line per step: a spinner while it runs on a terminal, plain lines in a log.

    Told what is `ahead`, it says after each step about how much time is left of all of them.
    """

    def __init__(self, console: Console | None = None, ahead: Iterable[Step] = ()) -> None:
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._ahead = list(ahead)
        self._foresees = bool(self._ahead)
        self._usual = self._taken = _TRUSTED

    def say(self, text: str) -> None:
        """Prints a line."""
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str, usually: float = 0, *, speaks: bool = False) -> Iterator[None]:
        """Shows `text` while the block runs and the time it took once it has ended well.

        A block that `speaks` prints lines of its own, between which nothing else is shown.
        """
        announced = f"{text} (usually {in_words(usually)})" if usually else text
        self._ahead = [step for step in self._ahead if step.text != text]
        began = time.monotonic()

        def so_far() -> str:
            passed = time.monotonic() - began
            return f"{announced}: {in_words(passed)}{self._left(usually - passed / self._pace)}"

        if speaks:
            self.say(f"{announced} ...")
            yield
        elif self._console.is_terminal:
            with self._console.status(announced) as status, _every(1, lambda: status.update(so_far())):
                yield
        else:
            self.say(f"{announced} ...")
            with _every(60, lambda: self.say(so_far())):
                yield
        took = time.monotonic() - began
        if usually:
            self._usual += usually
            self._taken += took
        self.say(f"{text}: done in {took:.1f} s{self._left()}")

    @property
    def _pace(self) -> float:
        """How much longer steps take here than usually."""
        return self._taken / self._usual

    def _left(self, of_this: float = 0) -> str:
        usual = max(of_this, 0) + sum(step.usually for step in self._ahead)
        return f"; about {in_words(usual * self._pace)} left" if usual and self._foresees else ""


def in_words(seconds: float) -> str:
    """Returns `40 s`, or `3 min` from two minutes on."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


@contextmanager
def _every(seconds: float, tell: Callable[[], None]) -> Iterator[None]:
    """Calls `tell` again and again while the block runs."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(seconds):
            tell()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
