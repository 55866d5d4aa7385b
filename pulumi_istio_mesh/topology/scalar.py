"""Text as YAML, so that nothing else is read from it."""

from __future__ import annotations

import json

import yaml

from .names import is_dns_label


def scalar(text: str) -> str:
    """Return a text so that YAML reads nothing but this text from it."""
    # Quoted also where YAML takes a name for something else, as it does on, 1, 2026-11-23 and a day that never was.
    return text if is_dns_label(text) and _is_text(text) else json.dumps(text)


def _is_text(plain: str) -> bool:
    node = yaml.compose(plain, Loader=yaml.CSafeLoader)
    return node is not None and node.tag == "tag:yaml.org,2002:str"
