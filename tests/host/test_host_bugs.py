"""What Pulumi's Python host does to arguments and outputs, where it differs from what it says.

Each test is a bug that the product knows its way around. It fails once Pulumi mends it, and says what may go then.
Seen with 3.259 and 3.272 of the SDK.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .engine import Constructed, Plugin, Refused, running
from .programs import Late, on_the_wire


@pytest.fixture(scope="module")
def host() -> Iterator[Plugin]:
    """Pulumi's host as it is, with a component that says what it was given."""
    with running(Path(__file__).parent / "plain_plugin") as found:
        yield found


def answer(host: Plugin, **inputs: Any) -> Constructed | Refused:
    return host.construct("plain:index:Plain", "a", on_the_wire(inputs, {}, {"types": {}}))


def made(host: Plugin, **inputs: Any) -> dict[str, Any]:
    """The outputs of the component."""
    found = answer(host, **inputs)
    assert isinstance(found, Constructed), found.said
    return found.outputs


def seen(host: Plugin, **inputs: Any) -> str:
    """The arguments that the component got."""
    return str(made(host, **inputs)["seen"])


def said(host: Plugin, **inputs: Any) -> str:
    """What the host says of arguments that it can't take; nothing where it takes them."""
    found = answer(host, **inputs)
    return f"{found.said} {dict(found.details).get('grpc-status-details-bin')}" if isinstance(found, Refused) else ""


def test_1_whole_numbers_arrive_as_floats(host: Plugin) -> None:
    assert seen(host, number=5) == "{'number': 5.0}", "host.LenientProvider needs no numbers in _value any more"


def test_2_a_late_whole_number_is_an_error(host: Plugin) -> None:
    assert "int() argument must be" in said(host, lateNumber=Late(5)), (
        "arguments may be Input[int]: test_schema.test_only_text_may_be_late may allow numbers"
    )


def test_3_enums_in_lists_and_in_outputs_become_empty(host: Plugin) -> None:
    outputs = made(host, colours=["red"])
    assert (outputs["seen"], outputs["coloured"]) == ("{'colours': [{}]}", {"colour": {}}), (
        "arguments may be enums: test_schema.test_no_enum_and_no_union_is_on_the_wire may allow them"
    )


def test_4_a_late_enum_is_an_error(host: Plugin) -> None:
    assert r"for enum \'Colour\'" in said(host, lateColour=Late("red")), (
        "arguments may be Input[Enum], where lists of enums are mended too"
    )


def test_5_a_whole_mapping_that_is_late_is_lost_in_silence(host: Plugin) -> None:
    inner = Late({"someText": "a"})
    assert seen(host, inner=inner) == "{'inner': {}}", "arguments may be Input[TypedDict]"
    assert seen(host, inners=[inner]) == "{'inners': [{}]}", "lists may hold Input[TypedDict]"


def test_6_names_in_lists_in_mappings_and_in_lists_of_outputs_are_not_translated(host: Plugin) -> None:
    outputs = made(host, lists={"a": [{"someText": "b"}]})
    assert outputs["seen"] == "{'lists': {'a': [{'someText': 'b'}]}}", (
        "host.LenientProvider._value needs no lists in mappings any more"
    )
    assert outputs["someList"] == [{"some_text": "a"}], "outputs may be lists of TypedDicts with names of two words"


def test_7_custom_timeouts_are_dropped(host: Plugin) -> None:
    timeouts = {"create": "10m", "update": "10m", "delete": "10m"}
    found = host.construct("plain:index:Plain", "a", {}, customTimeouts=timeouts)
    assert isinstance(found, Constructed)
    assert not found.own.customTimeouts.create, "docs/reference: the option customTimeouts reaches components"


def test_8_a_refusal_by_property_in_a_constructor_arrives_as_a_traceback(host: Plugin) -> None:
    found = said(host, refuse="by property")
    assert "what is wrong:\n  File " in found, "host.PlainServicer may leave it to Pulumi to tell refusals"


# Not in the list of those known before


def test_9_arguments_that_are_not_known_are_dropped_in_silence(host: Plugin) -> None:
    assert seen(host, nmuber=5) == "{}", "host.LenientProvider may leave names that are unknown to Pulumi"
