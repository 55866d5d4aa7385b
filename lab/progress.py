"""Telling the person who waits what is being done and how long it usually takes."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Progress:
    """A line per step: a spinner while it runs on a terminal, plain lines in a log."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr, highlight=False)

    def say(self, text: str) -> None:
        """Prints a line."""
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str, usually: str = "") -> Iterator[None]:
        """Shows `text` while the block runs and the time it took once it has ended well."""
        announced = f"{text} (usually {usually})" if usually else text
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(announced):
                yield
        else:
            self.say(f"{announced} ...")
            yield
        self.say(f"{text}: done in {time.monotonic() - began:.1f} s")
