"""What programs, files and scripts hold on to, and what of it a later version breaks (docs/versioning.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import click
from pulumi.provider.experimental.schema import generate_schema

import pulumi_istio_mesh
from pulumi_istio_mesh import cli
from pulumi_istio_mesh.host import COMPONENTS, DescribingAnalyzer
from pulumi_istio_mesh.istio.names import PACKAGE
from pulumi_istio_mesh.topology.problems import SLUGS

Interface = Mapping[str, Any]
"""`resources` and `types` of Pulumi's schema, and `names`: of Python, of the command, and slugs."""


@dataclass(frozen=True)
class Break:
    """Something that worked with the older version and doesn't with the newer one."""

    where: str
    """As CHANGELOG must name it: `Mesh.gateways`, `istio-mesh diff --format`."""
    what: str

    def __str__(self) -> str:
        """Return it as a line."""
        return f"{self.where}: {self.what}"


@cache
def schema() -> dict[str, Any]:
    """Return the schema that the plugin derives from the annotations, which has neither its version nor its host's."""
    found = DescribingAnalyzer(PACKAGE).analyze(COMPONENTS)
    dependencies = list(found["dependencies"])
    result: dict[str, Any] = generate_schema(
        PACKAGE, "0.0.0", None, found["component_definitions"], found["type_definitions"], dependencies
    ).to_json()
    return result


@cache
def present() -> Interface:
    """Return the interface of the package as it is here."""
    found = schema()
    names = [*(f"pulumi_istio_mesh.{name}" for name in pulumi_istio_mesh.__all__), *(f"[{slug}]" for slug in SLUGS)]
    for name, command in cli.main.commands.items():
        names.append(f"istio-mesh {name}")
        options = (option for option in command.params if isinstance(option, click.Option))
        names += [f"istio-mesh {name} {spelling}" for option in options for spelling in option.opts]
    return {"resources": found["resources"], "types": found["types"], "names": sorted(names)}


def breaks(old: Interface, new: Interface) -> Iterator[Break]:
    """Yield what the newer interface breaks for users of the older one. What is added breaks nobody."""
    for name in old["names"]:
        if name not in new["names"]:
            yield Break(name, "is gone")
    for token, before in old["resources"].items():
        where = _short(token)
        if (now := new["resources"].get(token)) is None:
            yield Break(where, "is gone")
            continue
        yield from _of_arguments(where, before, now, "inputProperties", "requiredInputs")
        yield from _of_outputs(where, before, now)
    for token, before in old["types"].items():
        if (now := new["types"].get(token)) is None:
            yield Break(_short(token), "is gone")
        else:
            yield from _of_arguments(_short(token), before, now, "properties", "required")


def _of_arguments(where: str, before: Any, now: Any, properties: str, required: str) -> Iterator[Break]:
    yield from _of_properties(where, before.get(properties, {}), now.get(properties, {}))
    for key in now.get(required, []):
        if key not in before.get(required, []):
            yield Break(f"{where}.{key}", "must be given")


def _of_outputs(where: str, before: Any, now: Any) -> Iterator[Break]:
    yield from _of_properties(where, before.get("properties", {}), now.get("properties", {}))
    for key in before.get("required", []):
        if key in now.get("properties", {}) and key not in now.get("required", []):
            yield Break(f"{where}.{key}", "may be missing")


def _of_properties(where: str, before: Any, now: Any) -> Iterator[Break]:
    for key, old in before.items():
        if (new := now.get(key)) is None:
            yield Break(f"{where}.{key}", "is gone")
        elif _kind(old) != _kind(new):
            yield Break(f"{where}.{key}", f"was {_kind(old)} and is {_kind(new)}")
        elif any(after and not earlier for earlier, after in zip(_plain(old), _plain(new), strict=True)):
            yield Break(f"{where}.{key}", "can't be an output of a resource any more")


def _kind(described: Mapping[str, Any]) -> str:
    if "$ref" in described:
        return str(described["$ref"]).rpartition("/")[2]
    if (inner := _inner(described)) is not None:
        return f"{described['type']} of {_kind(inner)}"
    return str(described.get("type"))


def _plain(described: Mapping[str, Any]) -> list[bool]:
    inner = _inner(described)
    return [bool(described.get("plain")), *(_plain(inner) if inner is not None else [])]


def _inner(described: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return described.get("items") or described.get("additionalProperties")


def _short(token: str) -> str:
    return token.rpartition(":")[2]
