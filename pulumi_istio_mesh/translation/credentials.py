"""What looks like a credential in an installer's input, so that it is neither written nor printed.

More than what a mesh.yaml is refused for (topology/credentials.py): what is left out by mistake is told, and written by
hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..topology.credentials import credential_in

_KEY = re.compile(
    r"(^|[a-z_.-])(secret|(token|password|passwd|passphrase|(secret|api|access|private|signing)[-_]?key)s?)$",
    re.IGNORECASE,
)
"""Names of Secrets, such as imagePullSecrets, are none."""

_VALUE = re.compile(
    r"-----BEGIN "
    r"|\bBearer\s+\S{8,}|\bBasic\s+[A-Za-z0-9+/=]{8,}"
    r"|\b(gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|AKIA|AIza|hvs\.|sk-)[A-Za-z0-9_-]{12,}"
)
_ENCODED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/_-]{40,}={0,2}")


def is_credential(key: str, value: object) -> bool:
    """Return whether a value, or anything in a list or mapping, looks like a credential, by its key or by itself."""
    if isinstance(value, Mapping):
        return _is_named_credential(value) or any(is_credential(str(name), item) for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return any(is_credential(key, item) for item in value)
    if isinstance(value, bytes):
        return True
    if not isinstance(value, str) or not value:
        return False
    # All of a file in one line has line breaks where it was wrapped.
    joined = "".join(value.split())
    return bool(_KEY.search(key) or credential_in(key, value) or _VALUE.search(value) or _ENCODED.fullmatch(joined))


def _is_named_credential(item: Mapping[Any, Any]) -> bool:
    """Return whether this is an environment variable with a credential's name."""
    return bool(item.get("value")) and isinstance(item.get("name"), str) and bool(_KEY.search(item["name"]))
