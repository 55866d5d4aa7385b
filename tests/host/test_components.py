"""The package as programs in other languages see it: its schema, and each component with what goes over the wire.

Decided here: that a component registers what it does in a Python program, what is secret and unknown on the way, and
what a refusal says. Not decided: what another language's SDK sends and shows (tests/lab).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from pulumi_istio_mesh import __version__
from pulumi_istio_mesh.host import COMPONENTS

from ..components.recorder import Recording, is_secret, is_unknown, record, revealed
from ..components.test_secrets import leaves
from .engine import ROOT, Constructed, Plugin
from .programs import MARKS, PROGRAMS, arguments_of, in_python, on_the_wire

NAMES = [component.__name__ for component in COMPONENTS]
every_component = pytest.mark.parametrize("component", NAMES)
every_program = pytest.mark.parametrize("program", [*dict.fromkeys([*NAMES, *PROGRAMS])])
both = pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])


def token(program: str) -> str:
    """The type of the component that a program declares."""
    return f"istio-mesh:index:{program.split(',')[0]}"


@cache
def schema(plugin: Plugin) -> dict[str, Any]:
    return plugin.schema()


def inputs_of(plugin: Plugin, program: str, arguments: Mapping[str, Any], *, known: bool = True) -> Any:
    """Arguments as they go over the wire."""
    found = schema(plugin)
    return on_the_wire(arguments, found["resources"][token(program)], found, known=known)


def asked(plugin: Plugin, program: str, arguments: Mapping[str, Any], *, known: bool = True, **options: Any) -> Any:
    """What the plugin answers to a program with these arguments."""
    inputs = inputs_of(plugin, program, arguments, known=known)
    return plugin.construct(token(program), "prod", inputs, **options)


@cache
def over_the_wire(plugin: Plugin, program: str, *, preview: bool = False) -> Constructed:
    """The component of a program; its late arguments are unknown in a preview."""
    found = asked(plugin, program, arguments_of(program), known=not preview, preview=preview)
    assert isinstance(found, Constructed), found
    return found


@cache
def in_a_python_program(program: str, *, preview: bool = False) -> Recording:
    """The same component, declared by a program in Python."""
    component: Any = next(found for found in COMPONENTS if found.__name__ == program.split(",")[0])
    arguments = arguments_of(program)
    return record(lambda: component("prod", in_python(arguments, known=not preview)), preview=preview)


# What the plugin says of itself


def test_the_schema_is_the_golden_one(plugin: Plugin) -> None:
    golden = ROOT / "tests/components/__snapshots__/test_schema/test_the_interface_is_exactly_this.json"
    found = schema(plugin)
    assert {key: found[key] for key in ("resources", "types")} == json.loads(golden.read_text(encoding="utf-8"))


def test_the_plugin_has_the_name_and_the_version_of_the_package(plugin: Plugin) -> None:
    found = schema(plugin)
    assert (found["name"], found["version"], plugin.version()) == ("istio-mesh", __version__, __version__)


def test_every_component_can_be_declared(plugin: Plugin) -> None:
    assert sorted(schema(plugin)["resources"]) == sorted(map(token, NAMES))


# What a component registers


@both
@every_program
def test_a_component_registers_over_the_wire_what_it_does_in_python(
    plugin: Plugin, program: str, preview: bool
) -> None:
    """In a preview with every late argument unknown."""
    wire = over_the_wire(plugin, program, preview=preview).recording
    assert wire.rows == in_a_python_program(program, preview=preview).rows


@both
@every_program
def test_no_credential_is_anywhere_but_in_secrets(plugin: Plugin, program: str, preview: bool) -> None:
    found = over_the_wire(plugin, program, preview=preview)
    inputs = {row.short: row.inputs for row in found.recording}
    for where, tree in {**inputs, **found.kept, "the outputs": found.outputs}.items():
        for text in leaves(tree):
            assert not [mark for mark in MARKS if mark in text], where
    assert not [mark for mark in MARKS if mark in str(found.recording.log)]


WITHOUT_CREDENTIALS = {"GkeFlatCluster", "GkeFlatNetwork"}
"""Whose kubeconfigs hold no token."""


@every_program
def test_the_credentials_of_a_component_are_on_their_way(plugin: Plugin, program: str) -> None:
    """So that the test above can fail."""
    found = over_the_wire(plugin, program)
    text = str([revealed(tree) for tree in ([row.inputs for row in found.recording], found.outputs)])
    assert any(mark in text for mark in MARKS) == (program not in WITHOUT_CREDENTIALS)


SECRET_OUTPUTS = {
    "IstioTrust": {"cacerts"},
    "IstioReader": {"kubeconfig"},
    "GkeFlatNetwork": {"kubeconfigs"},
    "GkeFlatCluster": {"kubeconfig"},
}


@every_program
def test_the_outputs_that_hold_credentials_are_secret_and_no_others(plugin: Plugin, program: str) -> None:
    found = over_the_wire(plugin, program).outputs
    assert {name for name, value in found.items() if hidden(value)} == SECRET_OUTPUTS.get(program, set())


def hidden(output: Any) -> bool:
    """Whether an output is secret, as output values say it or as secrets do."""
    return is_secret(output) or (isinstance(output, dict) and output.get("secret") is True)


@every_program
def test_every_output_of_the_schema_arrives(plugin: Plugin, program: str) -> None:
    expected = schema(plugin)["resources"][token(program)].get("properties", {})
    assert set(over_the_wire(plugin, program).outputs) == set(expected)


def test_a_late_argument_that_is_unknown_is_so_where_it_goes(plugin: Plugin) -> None:
    rows = over_the_wire(plugin, "Mesh", preview=True).recording
    assert is_unknown(rows["kubernetes prod-east"].inputs["kubeconfig"])
    assert is_unknown(rows["Service prod-east-east-west"].inputs["metadata"]["annotations"]["cloud.example/subnet"])


def test_whole_numbers_arrive_as_such(plugin: Plugin) -> None:
    """The wire has floats only: 30 arrives as 30.0."""
    service = over_the_wire(plugin, "Mesh").recording["Service prod-east-east-west"].inputs
    assert service["metadata"]["annotations"]["pulumi.com/timeoutSeconds"] == "30"


def test_names_inside_of_mappings_are_left_alone(plugin: Plugin) -> None:
    """Helm's values have keys of their own, in either spelling."""
    values = over_the_wire(plugin, "Mesh").recording["Chart prod-east-istiod"].inputs["values"]
    assert (values["autoscaleMin"], values["podLabels"]) == (2, {"some_label": "a"})


def test_the_keys_of_a_mesh_yaml_are_taken_as_they_are(plugin: Plugin) -> None:
    """So a program in another language may read the file that the command reads, and add the kubeconfigs."""
    as_typed = on_the_wire(arguments_of("Mesh"), {}, {"types": {}})
    found = plugin.construct(token("Mesh"), "prod", as_typed)
    assert isinstance(found, Constructed), found
    assert found.recording.rows == over_the_wire(plugin, "Mesh").recording.rows
