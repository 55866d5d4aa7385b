"""A plugin on Pulumi's Python host as it is: one component, which says what it was given.

No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

import enum
from typing import Any, Optional

import pulumi
from pulumi.provider.experimental import component_provider_host
from typing_extensions import NotRequired, TypedDict


class Colour(enum.Enum):
    RED = "red"


class Inner(TypedDict):
    some_text: NotRequired[str]


class Coloured(TypedDict):
    colour: Colour


class PlainArgs(TypedDict):
    number: NotRequired[int]
    late_number: NotRequired[pulumi.Input[int]]
    colours: NotRequired[list[Colour]]
    late_colour: NotRequired[pulumi.Input[Colour]]
    inner: NotRequired[pulumi.Input[Inner]]
    inners: NotRequired[list[pulumi.Input[Inner]]]
    lists: NotRequired[dict[str, list[Inner]]]
    refuse: NotRequired[str]


class Plain(pulumi.ComponentResource):
    seen: pulumi.Output[str]
    some_list: pulumi.Output[list[Inner]]
    coloured: pulumi.Output[Coloured]

    def __init__(self, name: str, args: PlainArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        if args.get("refuse") == "by property":
            raise pulumi.InputPropertiesError("what is wrong", [{"property_path": "refuse", "reason": "it is given"}])
        super().__init__("plain:index:Plain", name, None, opts)
        self.seen = pulumi.Output.from_input(repr(args))
        some: Any = [{"some_text": "a"}]
        self.some_list = pulumi.Output.from_input(some)
        coloured: Any = {"colour": Colour.RED}
        self.coloured = pulumi.Output.from_input(coloured)
        self.register_outputs({})


if __name__ == "__main__":
    component_provider_host([Plain], "plain", version="1.0.0")
