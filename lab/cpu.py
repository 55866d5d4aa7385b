"""Wall time and processor time of something that starts many processes, by program."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

_INTERVAL_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    wall_seconds: float
    cpu_seconds: dict[str, float]
    """By program; a process that ends between two looks is counted up to the first of them."""

    @property
    def cpu(self) -> float:
        """Return the processor time of all programs."""
        return sum(self.cpu_seconds.values())


def measured(work: Callable[[], object]) -> Cost:
    """Run the work and return what it and every process it started took."""
    own = psutil.Process()
    seen: dict[tuple[int, float], tuple[str, float]] = {}
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for process in own.children(recursive=True):
                try:
                    times = process.cpu_times()
                    seen[(process.pid, process.create_time())] = (process.name(), times.user + times.system)
                except psutil.Error:
                    continue
            done.wait(_INTERVAL_SECONDS)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    began = time.monotonic()
    try:
        work()
    finally:
        wall = time.monotonic() - began
        done.set()
        watcher.join()
    spent: dict[str, float] = {}
    for name, seconds in seen.values():
        spent[name] = spent.get(name, 0.0) + seconds
    return Cost(wall, spent)
