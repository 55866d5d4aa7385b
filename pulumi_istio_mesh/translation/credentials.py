"""What looks like a credential in an installer's input, so that it is neither written nor printed.

More than what a mesh.yaml is refused for (topology/credentials.py): what is left out by mistake is told, and written by
hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..topology.credentials import GIVEN, credential_in

_KEY = re.compile(
    r"(^|[a-z_.-])(secret|(token|password|passwd|passphrase|(secret|api|access|private|signing)[-_]?key)s?)$",
    re.IGNORECASE,
)
"""Names of Secrets, such as imagePullSecrets, are none."""
_GIVEN = re.compile(f"({'|'.join(name.replace('_', '[-_]?') for name in GIVEN)})s?$", re.IGNORECASE)
"""What programs are given and no mesh.yaml may hold, also as others write it."""

_ANYWHERE = ("secretKeyRef",)
_REFERENCES = {
    "secret": ("defaultMode", "items", "name", "optional", "secretName"),
    "token": ("aud",),
}
"""Below keys of credentials, those that say where one is, or for whom: of volumes, and of the tokens of proxies."""

_VALUE = re.compile(
    r"-----BEGIN "
    r"|\bBearer\s+\S{8,}|\bBasic\s+[A-Za-z0-9+/=]{8,}"
    r"|\b(gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|AKIA|AIza|hvs\.|sk-)[A-Za-z0-9_-]{12,}"
)
_ENCODED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/_-]{40,}={0,2}")


def is_credential(key: str, value: object) -> bool:
    """Return whether a value, or anything in a list or mapping, looks like a credential, by its keys or by itself."""
    if isinstance(value, Mapping):
        return _is_named_credential(value) or any(
            holds_credential(str(name)) or is_credential(key_below(key, str(name)), item)
            for name, item in value.items()
        )
    if isinstance(value, (list, tuple)):
        return any(is_credential(key, item) for item in value)
    if isinstance(value, bytes):
        return True
    if value is None or isinstance(value, bool) or value == "":
        return False
    # A password may be a number, too, or a day to YAML.
    return _names_credential(key) or (isinstance(value, str) and holds_credential(value, key))


def key_below(key: str, name: str) -> str:
    """Return the key by which what stands below another key is judged: the name of a credential is that of all in it.

    But not of what only refers to a Secret.
    """
    refers = name in (*_ANYWHERE, *_REFERENCES.get(key.lower(), ()))
    return key if _names_credential(key) and not refers and not _names_credential(name) else name


def holds_credential(text: str, key: str = "") -> bool:
    """Return whether a text looks like a credential by itself."""
    # All of a file in one line has line breaks where it was wrapped.
    joined = "".join(text.split())
    return bool(credential_in(key, text) or _VALUE.search(text) or _ENCODED.fullmatch(joined))


def _names_credential(key: str) -> bool:
    return bool(_KEY.search(key) or _GIVEN.search(key))


def _is_named_credential(item: Mapping[Any, Any]) -> bool:
    """Return whether this is an environment variable with a credential's name."""
    return bool(item.get("value")) and isinstance(item.get("name"), str) and _names_credential(item["name"])
