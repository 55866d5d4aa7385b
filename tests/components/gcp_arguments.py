"""Whether what a program hands to pulumi_gcp is what that package's own argument classes take.

The mock engine takes anything; Google's provider would refuse an argument that it doesn't know only in a real run.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, Union, get_args, get_origin

import pulumi
import pulumi_gcp as gcp
from pulumi import _types

from .recorder import Registered

_MODULES: dict[str, ModuleType] = {
    "compute": gcp.compute,
    "container": gcp.container,
    "projects": gcp.projects,
    "serviceaccount": gcp.serviceaccount,
}


def wrong_arguments(row: Registered) -> list[str]:
    """Return what is wrong with the inputs of a registered resource of Google's: names, what is required, types."""
    _, module, kind = row.type.split(":")
    arguments = getattr(_MODULES[module.partition("/")[0]], f"{kind}Args")
    return list(_of_class(row.short, arguments, row.inputs))


def _of_class(where: str, arguments: type, given: Mapping[str, Any]) -> Iterator[str]:
    python = {wire: name for name, wire in _types.input_type_py_to_pulumi_names(arguments).items()}
    types = _types.input_type_types(arguments)
    for name, value in given.items():
        if name not in python:
            yield f"{where}: {arguments.__name__} has no {name}"
        elif value is not None:
            yield from _of_type(f"{where}.{name}", types[name], value)
    parameters = inspect.signature(arguments.__init__).parameters.values()  # type: ignore[misc]
    required = {found.name for found in parameters if found.default is inspect.Parameter.empty} - {"self", "__self__"}
    for name in required - {python.get(wire) for wire, value in given.items() if value is not None}:
        yield f"{where}: {name} is required"


def _of_type(where: str, expected: Any, value: Any) -> Iterator[str]:
    expected = _types.unwrap_type(expected)
    if get_origin(expected) is Union:
        options = [list(_of_type(where, option, value)) for option in get_args(expected)]
        if all(options):
            yield from min(options, key=len)
    elif _types.is_input_type(expected):
        if isinstance(value, Mapping):
            yield from _of_class(where, expected, value)
        else:
            yield f"{where}: {expected.__name__} is expected"
    elif get_origin(expected) in (list, Sequence):
        if not isinstance(value, list):
            yield f"{where}: a list is expected"
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from _of_type(f"{where}.{index}", get_args(expected)[0], item)
    elif expected in (str, int, float, bool):
        number = expected in (int, float) and isinstance(value, (int, float)) and not isinstance(value, bool)
        if not isinstance(value, (expected, pulumi.Output)) and not number:
            yield f"{where}: {expected.__name__} is expected, and it is {type(value).__name__}"
