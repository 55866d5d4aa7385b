"""Starting programs that outlive `up`, remembering them, and ending exactly those.

A process is known by its pid *and* its start time, so that a pid which the kernel has given to somebody
else since is never signalled. The record is written by the process itself before it becomes the program:
an `up` that is killed at any moment leaves no process without one.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

# /proc/PID/stat carries pid and start time, neither of which changes at exec. This is shell because the
# only other way to run code between fork and exec is preexec_fn, which can deadlock in a threaded parent.
_RECORD_THEN_BECOME = 'read -r line < "/proc/$$/stat" && echo "$line" > "$0" && exec "$@"'
_LOG_LINES_SHOWN = 12


@dataclass(frozen=True)
class Recorded:
    """A process as it was recorded: alive only while pid and start time both match."""

    pid: int
    started: int

    @classmethod
    def from_stat(cls, stat: str) -> "Recorded":
        """From the text of /proc/PID/stat."""
        # The second field is the program's name in parentheses and may itself hold spaces and parentheses.
        pid, _, rest = stat.partition(" ")
        return cls(int(pid), int(rest[rest.rindex(")") + 2 :].split()[19]))

    @classmethod
    def running(cls, pid: int) -> "Recorded | None":
        """The process that has this pid now, if any."""
        try:
            return cls.from_stat(Path(f"/proc/{pid}/stat").read_text())
        except (OSError, ValueError):
            return None

    @classmethod
    def from_file(cls, file: Path) -> "Recorded | None":
        """From a record; None if there is none, or the process never got to write it."""
        try:
            return cls.from_stat(file.read_text())
        except (OSError, ValueError):
            return None

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return False
        return Recorded.from_stat(stat) == self and stat[stat.rindex(")") + 2] != "Z"

    def signal(self, number: int) -> None:
        """Sends a signal, or does nothing if the process has ended."""
        if self.alive:
            # It may end by itself in between, which is what was wanted.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


@dataclass(frozen=True)
class Program:
    """A program of the lab that was started by this very process, so that its exit code can be had."""

    name: str
    handle: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """Raises if the program has ended, with its exit code and last words."""
        code = self.handle.poll()
        if code is not None:
            raise LabError(f"{self.name} ended with exit code {code}; its last lines:\n{last_lines(self.log)}")


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    records: Path,
    logs: Path,
    environment: Mapping[str, str] | None = None,
) -> Program:
    """Starts a program in a session of its own, recorded as `records`/`name`, logging to `logs`/`name`.log."""
    records.mkdir(parents=True, exist_ok=True)
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name}.log"
    with log.open("wb") as output:
        handle = subprocess.Popen(
            ["/bin/sh", "-c", _RECORD_THEN_BECOME, records / name, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env={**os.environ, **(environment or {})},
        )
    return Program(name, handle, log)


def wait_until(
    ready: Callable[[], bool],
    what: str,
    *,
    programs: Sequence[Program] = (),
    timeout_seconds: float,
    interval_seconds: float = 0.1,
) -> None:
    """Returns once `ready()` holds.

    Raises LabError as soon as one of `programs` ends, or when the time is up, with the last log lines.
    """
    deadline = time.monotonic() + timeout_seconds
    while not ready():
        for program in programs:
            program.check()
        if time.monotonic() > deadline:
            logs = "".join(f"\nlast lines of {p.name}:\n{last_lines(p.log)}" for p in programs)
            raise LabError(f"{what}: not within {timeout_seconds:.0f} s{logs}")
        time.sleep(interval_seconds)


def end(processes: Sequence[Recorded], *, grace_seconds: float) -> None:
    """Asks the processes to end, waits, then makes them."""
    for process in processes:
        process.signal(signal.SIGTERM)
    _wait_for_end(processes, grace_seconds)
    for process in processes:
        process.signal(signal.SIGKILL)
    _wait_for_end(processes, 5)


def _wait_for_end(processes: Sequence[Recorded], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(p.alive for p in processes) and time.monotonic() < deadline:
        time.sleep(0.05)


def last_lines(log: Path, count: int = _LOG_LINES_SHOWN) -> str:
    """The end of a log, indented, for an error message."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return "    (no log)"
    return "\n".join(f"    {line}" for line in lines[-count:]) or "    (nothing was logged)"


def run(command: Sequence[str | Path], *, stdin: str | None = None, timeout_seconds: float = 30) -> str:
    """The standard output of a short command; raises LabError with its standard error."""
    try:
        done = subprocess.run(
            list(command), input=stdin, capture_output=True, text=True, timeout=timeout_seconds, check=False
        )
    except FileNotFoundError as error:
        raise LabError(f"{command[0]} is not installed: run `python -m lab build`") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{_shown(command)}: no end after {timeout_seconds:.0f} s") from error
    if done.returncode != 0:
        raise LabError(f"{_shown(command)}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def _shown(command: Sequence[str | Path]) -> str:
    return " ".join(str(part) for part in command)
