"""The pages of parts that are declared alone: each program there runs, in Python and as YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from pulumi_istio_mesh.host import COMPONENTS
from pulumi_istio_mesh.istio.names import token

from .builders import a_kubeconfig
from .components.recorder import record
from .components.test_schema import schema

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted((DOCS / "parts").glob("*.md"))
OTHER_LANGUAGES = DOCS / "how-to" / "other-languages.md"


def blocks(language: str) -> list[Any]:
    return [
        pytest.param(text, id=f"{page.stem}-{number}")
        for page in (*PAGES, OTHER_LANGUAGES)
        for number, text in enumerate(
            re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        )
    ]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, programs_on_a_day: None) -> None:
    values = {"east": a_kubeconfig(), "west": a_kubeconfig(), "istiod": "198.51.100.9", "gateway": "198.51.100.9"}
    given = {**values, "roots": ""}
    monkeypatch.setattr(pulumi.Config, "require", lambda self, key: given[key])
    monkeypatch.setattr(pulumi.Config, "require_secret", lambda self, key: pulumi.Output.secret(given[key]))

    def nothing_yet(self: Any, key: str) -> pulumi.Output[Any]:
        return pulumi.Output.from_input(None)

    monkeypatch.setattr(pulumi.StackReference, "get_output", nothing_yet)


@pytest.mark.parametrize("text", blocks("python"))
def test_every_program_of_a_page_runs(text: str, configured: None) -> None:
    rows = record(lambda: exec(compile(text, "page", "exec"), {}))
    assert any(row.type.startswith("istio-mesh:index:") for row in rows)


def test_every_component_but_whole_meshes_has_a_page() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    named = set(re.findall(r"^::: pulumi_istio_mesh\.parts\.\w+\.(\w+)$", text, re.MULTILINE))
    assert named == set(PARTS)


def arguments_of(kind: str) -> str:
    """The table of a part's arguments, required ones first."""
    described = schema()["resources"][token(kind)]
    required = set(described.get("requiredInputs", ()))
    rows = ["| argument | is | |", "|---|---|---|"]
    for key, found in sorted(described["inputProperties"].items(), key=lambda row: (row[0] not in required, row[0])):
        name = re.sub("([A-Z])", lambda letter: "_" + letter[0].lower(), key)
        notes = ["required"] if key in required else []
        notes += [] if found.get("plain") or found.get("type") in ("array", "object") else ["may be late"]
        rows.append(f"| `{name}` | {', '.join([called(found), *notes])} | {' '.join(found['description'].split())} |")
    return "\n".join(rows) + "\n"


def called(found: Mapping[str, Any]) -> str:
    """What a type of the schema is called in a table."""
    if "$ref" in found:
        name: str = found["$ref"].rpartition(":")[2].rpartition("/")[2]
        return f"`{name}`" if name.endswith("Args") else "anything"
    inner = found.get("items") or found.get("additionalProperties")
    words = {
        "string": "text",
        "integer": "whole number",
        "boolean": "true or false",
        "array": "list",
        "object": "mapping",
    }
    return words[found["type"]] + (f" of {called(inner)}" if inner else "")


PARTS = {kind.__name__ for kind in COMPONENTS} - {"Mesh", "Meshes"}


@pytest.mark.parametrize("kind", sorted(PARTS))
def test_every_argument_is_on_the_page_of_its_part(kind: str) -> None:
    (page,) = (page for page in PAGES if f"## Arguments of {kind}\n" in page.read_text("utf-8"))
    shown = page.read_text("utf-8").split(f"## Arguments of {kind}\n\n")[1].split("\n\n")[0]
    assert shown.strip() + "\n" == arguments_of(kind)


def unknown(value: Any, place: Mapping[str, Any], path: str) -> Iterator[str]:
    """Places of a YAML program that the schema does not know."""
    reference = str(place.get("$ref", "")).removeprefix("#/types/")
    if reference == "pulumi.json#/Any":
        return
    if reference:
        described = schema()["types"][reference]
        missing = set(described.get("required", ())) - set(value)
        yield from (f"{path}.{key} is missing" for key in missing)
        for key, found in value.items():
            if key in described["properties"]:
                yield from unknown(found, described["properties"][key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(value, list):
        for found in value:
            yield from unknown(found, place.get("items", {}), path)
    elif isinstance(value, dict):
        for key, found in value.items():
            yield from unknown(found, place.get("additionalProperties", {}), f"{path}.{key}")


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_yaml_program_of_a_page_fits_the_schema(text: str) -> None:
    program = yaml.safe_load(text)
    resources = {name: one for name, one in program["resources"].items() if not one["type"].startswith("pulumi:")}
    for name, resource in resources.items():
        described = schema()["resources"][resource["type"].replace("istio-mesh:", "istio-mesh:index:")]
        given, known = resource["properties"], described["inputProperties"]
        assert set(described.get("requiredInputs", ())) <= set(given) <= set(known), name
        assert [found for key in given for found in unknown(given[key], known[key], key)] == [], name
    for name, output in re.findall(r"\$\{([\w-]+)(?:\.(\w+))?\}", text):
        if output:
            kind = resources[name]["type"].replace("istio-mesh:", "istio-mesh:index:")
            assert output in schema()["resources"][kind]["properties"], f"{name}.{output}"
        else:
            assert name in program["config"], name
