"""A table at the end of a run: for each file of lab tests, where its seconds went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

SPENT = "spent"
"""The property of a test's last report: seconds by what was waited for."""
REST = "in the tests"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = by_file(report for reports in terminalreporter.stats.values() for report in reports)
    if rows:
        terminalreporter.section("where the seconds went")
        terminalreporter.write_line(as_table(rows))


def by_file(reports: Iterable[Any]) -> dict[str, dict[str, float]]:
    """Seconds by file and by what was waited for, of the files that say what it was; what they don't say is `REST`."""
    rows: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for report in reports:
        if not isinstance(report, pytest.TestReport):
            continue
        row = rows[report.nodeid.partition("::")[0]]
        row[REST] += report.duration
        for name, value in report.user_properties:
            if name == SPENT and isinstance(value, dict):
                row["of tests"] += 1
                for what, seconds in value.items():
                    row[what] += seconds
                    row[REST] -= seconds
    return {file: dict(row) for file, row in rows.items() if row.pop("of tests", 0)}


def as_table(rows: dict[str, dict[str, float]]) -> str:
    """A line for each file, the longest first, and one for all; no column for what took no second."""
    total: dict[str, float] = defaultdict(float)
    for row in rows.values():
        for what, seconds in row.items():
            total[what] += seconds
    columns = sorted((what for what, seconds in total.items() if seconds >= 1), key=lambda what: -total[what])
    ordered = sorted(rows.items(), key=lambda named: -sum(named[1].values()))
    lines = [["file", "all", *columns]]
    for file, row in [*ordered, ("all", dict(total))]:
        lines.append([file, *(f"{seconds:.0f}" for seconds in (sum(row.values()), *(row.get(c, 0) for c in columns)))])
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    first, *others = widths
    return "\n".join(
        "  ".join([line[0].ljust(first), *(cell.rjust(width) for cell, width in zip(line[1:], others, strict=True))])
        for line in lines
    )
