"""What every fact that a user declares is made of.

Models hold plain facts only. A value that is known late (a Pulumi Output) stands in them as `LATE`, and a credential
never stands in them at all, so a model can be printed, compared and stored.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, final

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema, WrapValidator

from .credentials import typed_text

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@final
class Late:
    """The type of `LATE`. No enum: pydantic takes a member of one for text, where nothing may be late."""

    def __repr__(self) -> str:
        return "LATE"


LATE = Late()
"""Stands for a value that is given but known only while the program runs."""


class Declared(BaseModel):
    """Base of everything a user declares: frozen, strict about keys, and silent about values."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)


def _ranges(value: object) -> object:
    """Read Kubernetes' own notation for several ranges, `10.8.0.0/14,fd00::/48`."""
    if not isinstance(value, str):
        raise ValueError("a range is text, such as 10.8.0.0/14")
    return tuple(_range(part.strip()) for part in value.split(","))


def _range(text: str) -> IPNetwork:
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{typed_text(text)} is not an address range such as 10.8.0.0/14") from None
    if str(found) != text:
        told, meant = typed_text(text, quoted=False), typed_text(str(found), quoted=False)
        raise ValueError(f"{told} does not start at the range's first address; did you mean {meant}?")
    return found


def _as_typed(value: tuple[IPNetwork, ...]) -> str:
    return ",".join(map(str, value))


_OCTET = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"{_OCTET}(\.{_OCTET}){{3}}/(3[0-2]|[12]?\d)"
_IPV6 = r"[0-9a-f]*:[0-9a-f:]*(%[^,/\s]+)?/(12[0-8]|1[01]\d|[1-9]?\d)"
_RANGE = rf"({_IPV4}|{_IPV6})"
Ranges = Annotated[
    tuple[IPNetwork, ...],
    PlainValidator(_ranges),
    PlainSerializer(_as_typed, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*{_RANGE}\s*(,\s*{_RANGE}\s*)*$",
            "patternErrorMessage": "One or more ranges, separated by commas, such as 10.8.0.0/14.",
        }
    ),
]
"""One or more address ranges, written as Kubernetes writes them: separated by commas."""


Day = Annotated[dt.date, Field(ge=dt.date(2000, 1, 1), le=dt.date(2999, 12, 31))]
"""A day on which a certificate may be issued; so early that the longest validity still ends on a day there is."""


def _text_or_late(value: object, handler: Callable[[object], str]) -> str | Late:
    return value if isinstance(value, Late) else handler(value)


if TYPE_CHECKING:
    Text = str | Late
else:
    # Not a union for pydantic: its errors would then name every member, and a user typed none of them.
    Text = Annotated[str, WrapValidator(_text_or_late)]
