"""Where a run's time goes: seconds by what was waited for."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

seconds: defaultdict[str, float] = defaultdict(float)
"""By what this process waited for; clear it to begin anew."""

_inside: list[str] = []


@contextmanager
def spent_on(what: str) -> Iterator[None]:
    """Count the block's time; not within another such block, nor beside the main thread, whose time is the run's."""
    if _inside or threading.current_thread() is not threading.main_thread():
        yield
        return
    began = time.monotonic()
    _inside.append(what)
    try:
        yield
    finally:
        _inside.pop()
        seconds[what] += time.monotonic() - began
