"""Wall time and processor time of something that starts many processes, in all and by program."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

_INTERVAL_SECONDS = 0.5
"""Looking costs processor time itself, for the whole process table is read."""


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    wall_seconds: float
    cpu: float
    """Processor seconds of every process that the work started and that was waited for."""
    cpu_seconds: dict[str, float]
    """The same by program, as it was seen last: short-lived processes and last moments are missing."""


def measured(work: Callable[[], object]) -> Cost:
    """Run the work and return what the processes it started took; nothing else may be started meanwhile."""
    own = psutil.Process()
    before_it = {process.pid for process in own.children(recursive=True)}
    seen: dict[tuple[int, float], tuple[str, float]] = {}
    done = threading.Event()

    def look() -> None:
        while not done.wait(_INTERVAL_SECONDS):
            for process in own.children(recursive=True):
                if process.pid in before_it:
                    continue
                try:
                    times = process.cpu_times()
                    seen[(process.pid, process.create_time())] = (process.name(), times.user + times.system)
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=look, daemon=True)
    before, began = _children_seconds(), time.monotonic()
    watcher.start()
    try:
        work()
    finally:
        wall = time.monotonic() - began
        done.set()
        watcher.join()
    spent: dict[str, float] = {}
    for name, seconds in seen.values():
        spent[name] = spent.get(name, 0.0) + seconds
    return Cost(wall, _children_seconds() - before, spent)


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
