"""Problems of mesh files as other programs read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .. import __version__
from ..topology.problems import SLUGS, Position, Problem, TopologyError, counted, position_of
from .mesh_file import GIT


def _placed(errors: Sequence[TopologyError]) -> Iterator[tuple[str, Position, Problem]]:
    """Yield each problem with its file and where the fact stands in it; the file's beginning where that isn't known."""
    for error in errors:
        # Of git:REVISION:PATH the path: the lines are looked at in the change itself.
        file = error.source.split(":", 2)[2] if error.source.startswith(GIT) else error.source
        for problem in counted(error.problems):
            yield file, position_of(problem.where, error.positions) or Position(1, 1), problem


def as_json(errors: Sequence[TopologyError]) -> str:
    """Return a list of problems: file, line, column, where, what, why, fix, slug; empty without any."""
    found = [
        {
            "file": file,
            "line": position.line,
            "column": position.column,
            "where": problem.where,
            "what": problem.what,
            "why": problem.why,
            "fix": problem.fix,
            "slug": problem.slug,
        }
        for file, position, problem in _placed(errors)
    ]
    return json.dumps(found, indent=2) + "\n"


def as_github(errors: Sequence[TopologyError]) -> str:
    """Return workflow commands that mark the lines of a pull request.

    Source: GitHub, "Workflow commands for GitHub Actions".
    """
    return "".join(
        f"::error file={_property(file)},line={position.line},col={position.column},title={_property(problem.slug)}"
        f"::{_data(f'{problem.where}: {problem.what}; why: {problem.why}; fix: {problem.fix}')}\n"
        for file, position, problem in _placed(errors)
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(errors: Sequence[TopologyError]) -> str:
    """Return a log of SARIF 2.1.0, as code scanning takes it: one rule a slug."""
    placed = list(_placed(errors))
    used = sorted({problem.slug for _, _, problem in placed})
    driver = {
        "name": "istio-mesh",
        "version": __version__,
        "rules": [{"id": slug, "shortDescription": {"text": SLUGS[slug]}} for slug in used],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_result(*found) for found in placed]}],
    }
    return json.dumps(log, indent=2) + "\n"


def _result(file: str, position: Position, problem: Problem) -> dict[str, Any]:
    region = {"startLine": position.line, "startColumn": position.column}
    return {
        "ruleId": problem.slug,
        "level": "error",
        "message": {"text": f"{problem.where}: {problem.what}. Why: {problem.why}. Fix: {problem.fix}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": file}, "region": region}}],
    }


REPORTS: Mapping[str, Callable[[Sequence[TopologyError]], str]] = {
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}
