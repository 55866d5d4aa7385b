"""What runs of Istio's own suite said, test by test, and where two meshes differ."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

PASSED, FAILED, SKIPPED, UNFINISHED = "passed", "failed", "skipped", "unfinished"
RESULTS = (PASSED, FAILED, SKIPPED, UNFINISHED)
"""Unfinished is what the group's time limit cut off."""
_ACTIONS = {"run": UNFINISHED, "pass": PASSED, "fail": FAILED, "skip": SKIPPED}
_WITH_GROUPS = "TestTraffic"
"""A test that is a suite of its own: its parts are counted apart."""

_NUMBERS = re.compile(r"(?<=[a-z])-[0-9]+-[0-9]+(?=[./]|$)")
"""Source: istio/istio pkg/test/framework/components/namespace/kube.go, newKube."""

Results = Mapping[str, str]
"""Result by test, each by its full name: `TestTraffic/gateway/404/from_c1`."""


@dataclass(frozen=True)
class Event:
    """A line of `test2json`: a test begins, ends or says something."""

    test: str
    result: str
    """Empty where it says something."""
    output: str = ""


@dataclass(frozen=True)
class Difference:
    """A test that came out otherwise on this package's mesh than on the control."""

    test: str
    ours: str
    control: str
    reason: str
    """Why it may be so; empty where nobody knows."""

    @property
    def is_worse(self) -> bool:
        """Whether the control does what ours doesn't, and nothing explains it."""
        return self.control == PASSED and not self.reason


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Each line of `test2json` that is about a test or has output, in order."""
    for line in lines:
        tree = json.loads(line)
        if tree.get("Test") or tree.get("Output"):
            yield Event(tree.get("Test", ""), _ACTIONS.get(tree["Action"], ""), tree.get("Output", ""))


def in_words(counts: Mapping[str, int]) -> str:
    """Such as `18 passed, 6 failed`."""
    return ", ".join(f"{counts[result]} {result}" for result in RESULTS if counts.get(result))


def unnumbered(results: Results) -> dict[str, str]:
    """The results by names without the numbers of the namespaces that a run made, which are others in each run."""
    return {_NUMBERS.sub("", test): result for test, result in results.items()}


def of_leaves(results: Results) -> dict[str, str]:
    """The results of tests without tests in them, and of those that failed by themselves though all in them passed."""
    parents = {name.rsplit("/", depth)[0] for name in results for depth in range(1, name.count("/") + 1)}
    blamed = {name for name in results if results[name] in (FAILED, UNFINISHED)}
    explained = {name.rsplit("/", depth)[0] for name in blamed for depth in range(1, name.count("/") + 1)}
    return {
        name: result
        for name, result in results.items()
        if name not in parents or (name in blamed and name not in explained)
    }


def group_of(test: str) -> str:
    """The row that a test is counted in: its top-level test, or the part of it where that is a suite of its own."""
    top, _, rest = test.partition("/")
    return f"{top}/{rest.partition('/')[0]}" if top == _WITH_GROUPS and rest else top


def counted(results: Results) -> dict[str, Counter[str]]:
    """How many tests of each row had each result, rows in the order in which they ran."""
    rows: dict[str, Counter[str]] = {}
    for test, result in of_leaves(results).items():
        rows.setdefault(group_of(test), Counter())[result] += 1
    return rows


def differences(ours: Results, control: Results, explained: Sequence[tuple[str, str]]) -> list[Difference]:
    """The tests that came out differently, those that nothing explains first.

    Args:
        ours: Results on this package's mesh.
        control: Results on the mesh that istioctl made.
        explained: Pattern of tests' names, and why these may differ.
    """
    mine, theirs = of_leaves(ours), of_leaves(control)
    found = []
    for test in dict.fromkeys([*mine, *theirs]):
        one, other = mine.get(test, _of_missing(test, ours)), theirs.get(test, _of_missing(test, control))
        if one != other:
            reason = next((why for pattern, why in explained if re.fullmatch(pattern, test)), "")
            found.append(Difference(test, one, other, reason))
    return sorted(found, key=lambda difference: not difference.is_worse)


def _of_missing(test: str, results: Results) -> str:
    """The result of a test that never began, or of one that others came into being below."""
    return results.get(test, UNFINISHED)
