"""Comparisons as text for a terminal, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from ..pictures.drawing import compared, drawn
from ..pictures.mermaid import mermaid_of
from ..plan.markdown import code, in_markdown
from ..plan.words import listed
from .change import Change, Kind
from .comparison import Comparison

MARKER = "<!-- istio-mesh diff -->"
"""First line of the Markdown, by which a pipeline finds the comment that it keeps up to date."""
_DANGEROUS = "Dangerous"
_LONGEST = 65_000
"""GitHub takes comments of 65 536 characters."""


def as_text(comparisons: Sequence[Comparison], *, resources: bool) -> str:
    """Return the sentences under their headings, with the resources behind each where they are asked for."""
    return "\n".join(line for comparison in comparisons for line in _lines(comparison, resources))


def _lines(comparison: Comparison, resources: bool) -> Iterator[str]:
    yield f"mesh {comparison.mesh}: {summary(comparison)}"
    for heading, changes in _sections(comparison):
        yield f"  {heading}"
        for change in changes:
            yield f"    {change.sentence}"
            if change.safe_way:
                yield f"      safe way: {change.safe_way}"
            if resources:
                yield from (f"      {resource}" for resource in change.resources)
    if comparison.unaffected:
        yield f"  Not affected: {'; '.join(comparison.unaffected)}"


def summary(comparison: Comparison) -> str:
    """Return the whole in a line: whether it is dangerous, and what it is about."""
    if not comparison.changes:
        return "nothing changes"
    if comparison.before is None or comparison.after is None:
        return "new" if comparison.before is None else "gone"
    dangerous = sum(change.dangerous for change in comparison.changes)
    kinds = [heading.lower() for heading, _ in _sections(comparison) if heading != _DANGEROUS]
    warning = f"{dangerous} dangerous {'change' if dangerous == 1 else 'changes'}" if dangerous else ""
    return "; ".join(part for part in (warning, f"changes in {listed(kinds)}" if kinds else "") if part)


def _sections(comparison: Comparison) -> list[tuple[str, list[Change]]]:
    dangerous = [change for change in comparison.changes if change.dangerous]
    found = [(_DANGEROUS, dangerous)] if dangerous else []
    for kind in Kind:
        if changes := [change for change in comparison.changes if change.kind is kind and not change.dangerous]:
            found.append((kind.value, changes))
    return found


def as_markdown(comparisons: Sequence[Comparison]) -> str:
    """Return a comment for a pull request: sentences, and folded the resources behind them and the pictures.

    Where that is longer than GitHub takes, pictures are left out first, then resources; the comment says so.
    """
    pictures, resources = True, True
    for pictures, resources in ((True, True), (False, True), (False, False)):
        text = "\n".join([MARKER, *(line for found in comparisons for line in _markdown(found, resources, pictures))])
        if len(text) <= _LONGEST:
            break
    left_out = [what for what, there in (("pictures", pictures), ("resources", resources)) if not there]
    if left_out:
        text += f"\n\n_Too long for a comment with its {' and '.join(left_out)}: run `istio-mesh diff` for those._"
    return _cut(text)


def refusal_as_markdown(problems: str) -> str:
    """Return the comment for a mesh that can't be built, or whose earlier state can't be."""
    lines = ["## The mesh can't be built", "", *(f"    {line}" for line in problems.split("\n"))]
    return _cut("\n".join([MARKER, *lines]))


def _cut(text: str) -> str:
    """Return as many whole lines as GitHub takes: half of one would end in code that nothing closes."""
    whole = text if len(text) <= _LONGEST else text[:_LONGEST].rpartition("\n")[0]
    return f"{whole}\n"


def _markdown(comparison: Comparison, resources: bool, pictures: bool) -> Iterator[str]:
    yield f"## Mesh {in_markdown(f'{comparison.mesh}: {summary(comparison)}')}"
    for heading, changes in _sections(comparison):
        yield ""
        if heading == _DANGEROUS:
            yield "> [!CAUTION]"
            for change in changes:
                yield f"> - **{in_markdown(change.sentence)}**"
                yield f">   Safe way: {in_markdown(change.safe_way or '')}"
            continue
        yield f"### {heading}"
        yield from (f"- {in_markdown(change.sentence)}" for change in changes)
    if comparison.unaffected:
        yield ""
        yield f"Not affected: {in_markdown('; '.join(comparison.unaffected))}."
    if resources and any(change.resources for change in comparison.changes):
        yield from _folded("The resources behind it", _behind(comparison))
    if pictures and comparison.changes:
        yield from _pictures(comparison)


def _behind(comparison: Comparison) -> Iterator[str]:
    for change in comparison.changes:
        if change.resources:
            yield f"- {in_markdown(change.sentence)}"
            yield from (f"  - {code(resource)}" for resource in change.resources)


def _pictures(comparison: Comparison) -> Iterator[str]:
    before, after = (drawn(side.plan) if side else None for side in (comparison.before, comparison.after))
    if before is not None and after is not None:
        if before == after:
            yield from _folded("Picture: the same before and after", _mermaid(mermaid_of(after)))
            return
        before, after = compared(before, after)
    if after is not None:
        yield from _folded("Picture after", _mermaid(mermaid_of(after)))
    if before is not None:
        yield from _folded("Picture before", _mermaid(mermaid_of(before)))


def _mermaid(text: str) -> list[str]:
    return ["```mermaid", *text.rstrip("\n").split("\n"), "```"]


def _folded(title: str, lines: Iterator[str] | list[str]) -> Iterator[str]:
    yield from ("", f"<details><summary>{title}</summary>", "", *lines, "", "</details>")


def as_json(comparisons: Sequence[Comparison]) -> str:
    """Return a list of meshes, each with its changes; keys as in `Change`."""
    found = [
        {
            "mesh": comparison.mesh,
            "summary": summary(comparison),
            "dangerous": comparison.dangerous,
            "changes": [_plain(change) for change in comparison.changes],
            "unaffected": list(comparison.unaffected),
        }
        for comparison in comparisons
    ]
    return json.dumps(found, indent=2)


def _plain(change: Change) -> dict[str, object]:
    paths = [{**asdict(path), "before": path.before.value, "after": path.after.value} for path in change.paths]
    return {
        "kind": change.kind.name.lower().replace("_", "-"),
        "sentence": change.sentence,
        "dangerous": change.dangerous,
        "safe_way": change.safe_way,
        "resources": list(change.resources),
        "paths": paths,
    }
