"""Text as YAML, so that nothing else is read from it."""

from __future__ import annotations

import json

import yaml

from .names import is_dns_label


def scalar(text: str) -> str:
    """Return a text so that YAML reads nothing but this text from it."""
    # Quoted also where YAML takes a name for something else, as it does on, 1 and 2026-11-23.
    plain = is_dns_label(text) and isinstance(yaml.safe_load(text), str)
    return text if plain else json.dumps(text)
