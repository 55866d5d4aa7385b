"""JSON, read within limits."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from .limits import MOST_LEVELS, TooMuch, UnreadableText, check_levels, check_size, check_values


def read_json(text: str | bytes) -> Any:
    """Return what the text holds; raise `UnreadableText` for what is no JSON, and for what takes too much."""
    check_size(len(text))
    try:
        tree = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except UnreadableText:
        raise
    except RecursionError:
        raise TooMuch(f"it is more than {MOST_LEVELS} levels deep") from None
    except ValueError:
        raise UnreadableText("it is not JSON") from None
    _measure(tree)
    return tree


def _measure(tree: Any) -> None:
    """Refuse what holds too much, without recursion."""
    level, values, levels = [tree], 1, 0
    while within := [value for value in level if isinstance(value, (dict, list))]:
        level = [item for one in within for item in (one.values() if isinstance(one, dict) else one)]
        values += len(level)
        levels += 1
    check_values(values)
    check_levels(levels)


def _no_number(name: str) -> NoReturn:
    raise UnreadableText(f"it is not JSON, which has no {name}")


def _finite(text: str) -> float:
    found = float(text)
    if math.isinf(found):
        raise UnreadableText("it holds a number that is too large for any program")
    return found
