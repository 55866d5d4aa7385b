"""Options of a component, held to what the real engine makes of them for everything inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab.stack import Stack

_DECLARED = """
import functools, pathlib, pulumi, pulumi_istio_mesh as components

anchor = pulumi.ComponentResource("test:index:Anchor", "anchor")

def seen(args):
    with pathlib.Path({seen!r}).open("a") as file:
        print(args.name, file=file)

options = {options}

def declared(kind, name, args, opts=None):
    return kind(name, args, pulumi.ResourceOptions.merge(opts, options))

for name in {kinds!r}:
    setattr(components, name, functools.partial(declared, getattr(components, name)))
"""
_ALL = "pulumi.ResourceOptions(protect=True, retain_on_delete=True, deleted_with=anchor, transforms=[seen])"
_MOVED = "pulumi.ResourceOptions(parent=anchor, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])"


def assert_options_reach_everything(stack: Stack, kinds: list[str], scratch: Path, at_least: int) -> None:
    """Preview the program with options on these components: each resource inside has them, those of charts too."""
    names = scratch / "names"
    steps = {step["urn"]: step.get("newState") or {} for step in _previewed(stack, kinds, _ALL, names)}
    resources = stack.state()["deployment"]["resources"]
    expected = [found["urn"] for found in resources if "istio-mesh:index:" in found["urn"].split("::")[2]]
    assert len(expected) >= at_least
    for urn in expected:
        assert steps[urn].get("protect"), urn
        assert steps[urn].get("retainOnDelete"), urn
        assert str(steps[urn].get("deletedWith")).endswith("::anchor"), urn
    assert {urn.rsplit("::", 1)[1] for urn in expected} <= set(names.read_text().split())


def assert_alias_keeps_everything(stack: Stack, kinds: list[str], scratch: Path) -> None:
    """Preview the program with these components inside another one, and an alias that says where they were."""
    steps = _previewed(stack, kinds, _MOVED, scratch / "names")
    changed = {step["urn"].rsplit("::", 1)[1]: step["op"] for step in steps if step["op"] != "same"}
    assert changed == {"anchor": "create"}


def _previewed(stack: Stack, kinds: list[str], options: str, names: Path) -> list[dict[str, Any]]:
    """The steps of a preview, those that change nothing among them."""
    program = stack.program / "__main__.py"
    text = program.read_text()
    program.write_text(_DECLARED.format(seen=str(names), options=options, kinds=kinds) + text)
    try:
        digest = json.loads(stack.run("preview", "--json", "--non-interactive", stdout_only=True))
    finally:
        program.write_text(text)
    steps: list[dict[str, Any]] = digest["steps"]
    return steps
