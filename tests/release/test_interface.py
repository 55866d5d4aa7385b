"""What breaks users of an earlier version is found by rule, and released only if the changelog says so."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release.changelog import Entry, newest, untold
from release.interface import Break, breaks, present
from release.recorded import interface_of, released

ROOT = Path(__file__).parents[2]
Schema = dict[str, Any]

MESH, CLUSTER = "istio-mesh:index:Mesh", "istio-mesh:index:ClusterArgs"


def mesh(schema: Schema) -> Any:
    return schema["resources"][MESH]


def cluster(schema: Schema) -> Any:
    return schema["types"][CLUSTER]


BREAKING: dict[str, tuple[Callable[[Schema], Any], Break]] = {
    "a component is removed": (lambda new: new["resources"].pop(MESH), Break("Mesh", "is gone")),
    "a type is removed": (lambda new: new["types"].pop(CLUSTER), Break("ClusterArgs", "is gone")),
    "a component's argument is removed": (
        lambda new: mesh(new)["inputProperties"].pop("trust"),
        Break("Mesh.trust", "is gone"),
    ),
    "an output is removed": (lambda new: mesh(new)["properties"].pop("gateways"), Break("Mesh.gateways", "is gone")),
    "a key is removed": (
        lambda new: cluster(new)["properties"].pop("network"),
        Break("ClusterArgs.network", "is gone"),
    ),
    "an argument must be given": (
        lambda new: mesh(new)["requiredInputs"].append("waves"),
        Break("Mesh.waves", "must be given"),
    ),
    "a new key must be given": (
        lambda new: (
            cluster(new)["properties"].update(region={"type": "string"}),
            cluster(new).setdefault("required", []).append("region"),
        ),
        Break("ClusterArgs.region", "must be given"),
    ),
    "an output may be missing": (
        lambda new: mesh(new)["required"].remove("gateways"),
        Break("Mesh.gateways", "may be missing"),
    ),
    "a key is of another type": (
        lambda new: cluster(new)["properties"]["network"].update(type="integer"),
        Break("ClusterArgs.network", "was string and is integer"),
    ),
    "what is in a list is of another type": (
        lambda new: mesh(new)["properties"]["gateways"]["additionalProperties"].update(type="number"),
        Break("Mesh.gateways", "was object of string and is object of number"),
    ),
    "what may be late may not any more": (
        lambda new: cluster(new)["properties"]["kubeconfig"].update(plain=True),
        Break("ClusterArgs.kubeconfig", "can't be an output of a resource any more"),
    ),
    "a name of Python is removed": (
        lambda new: new["names"].remove("pulumi_istio_mesh.plan_mesh"),
        Break("pulumi_istio_mesh.plan_mesh", "is gone"),
    ),
    "a slug is removed": (lambda new: new["names"].remove("[trust-date]"), Break("[trust-date]", "is gone")),
    "an option of the command is removed": (
        lambda new: new["names"].remove("istio-mesh diff --format"),
        Break("istio-mesh diff --format", "is gone"),
    ),
}


def changed(change: Callable[[Schema], Any]) -> Schema:
    new: Schema = copy.deepcopy(dict(present()))
    change(new)
    return new


@pytest.mark.parametrize(("change", "found"), BREAKING.values(), ids=BREAKING)
def test_what_breaks_users_is_found(change: Callable[[Schema], Any], found: Break) -> None:
    assert list(breaks(present(), changed(change))) == [found]


ALLOWED: dict[str, Callable[[Schema], Any]] = {
    "nothing": lambda new: None,
    "a component is added": lambda new: new["resources"].update({"istio-mesh:index:Other": mesh(new)}),
    "a key that may be left out is added": lambda new: cluster(new)["properties"].update(region={"type": "string"}),
    "what had to be known may be late": lambda new: cluster(new)["properties"]["network"].pop("plain"),
    "what had to be given may be left out": lambda new: mesh(new).update(requiredInputs=[]),
    "other words": lambda new: cluster(new)["properties"]["network"].update(description="another"),
    "another slug": lambda new: new["names"].append("[another]"),
}


@pytest.mark.parametrize("change", ALLOWED.values(), ids=ALLOWED)
def test_what_breaks_nobody_is_not_told(change: Callable[[Schema], Any]) -> None:
    assert list(breaks(present(), changed(change))) == []


CHANGELOG = """\
# Changelog

## 0.2.0 - unreleased

### Breaking
- `Mesh.gateways` is called `gatewayAddresses`.

### Added
- `Mesh.waves` may be a list.

## 0.1.0 - 2026-12-01
"""


def test_a_break_is_told_by_its_name_under_breaking_and_nowhere_else() -> None:
    entry = newest(CHANGELOG)
    assert entry == Entry("0.2.0", "unreleased", "- `Mesh.gateways` is called `gatewayAddresses`.")
    told, added = Break("Mesh.gateways", "is gone"), Break("Mesh.waves", "must be given")
    assert untold([told, added], entry) == [added]


@pytest.mark.parametrize("version", released()[-1:])
def test_what_breaks_users_of_the_last_release_is_in_the_changelog(version: str) -> None:
    found = breaks(interface_of(version), present())
    told = newest((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert [str(one) for one in untold(found, told)] == []
