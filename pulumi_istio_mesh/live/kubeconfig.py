"""A kubeconfig as the connecting library takes it: nothing left to look up, to decode or to run.

As client-go has it: paths are relative to the kubeconfig's own folder, data goes before a file, a token's file before
the token. What is found wrong is told without any value of the file. Source: client-go, tools/clientcmd.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from ..topology.kubeconfig import KubeconfigError, entries_in
from .plugin import credential_of

_INSECURE = "insecure-skip-tls-verify"
_PAIR = ("client-certificate", "client-key")

Headers = tuple[tuple[str, str], ...]


def resolved(
    tree: Any, context: str | None, *, folder: Path, files: Path, seconds: float
) -> tuple[dict[str, Any], Headers]:
    """Return a kubeconfig of one cluster and one user, and the headers by which that user acts as somebody else.

    Paths are relative to `folder`; what is not in a file yet is written to the folder `files`. Runs the user's plugin,
    for so many seconds at most. Raises `KubeconfigError`.
    """
    given, user = entries_in(tree, context)
    cluster: dict[str, Any] = {"server": _address(given, "server", "https", "http")}
    if given.get(_INSECURE) is True:
        cluster[_INSECURE] = True
    elif authority := _file(given, "certificate-authority", folder, files):
        cluster["certificate-authority"] = authority
    if given.get("proxy-url"):
        cluster["proxy-url"] = _address(given, "proxy-url", "https", "http")
    if name := _text(given, "tls-server-name"):
        cluster["tls-server-name"] = name
    own = _user(user, given, folder, files, seconds)
    everybodys = ssl.get_default_verify_paths().cafile
    if "client-key" in own and everybodys and not cluster.keys() & {"certificate-authority", _INSECURE}:
        # Beside a client's certificate the library trusts nobody that it is not told of.
        cluster["certificate-authority"] = everybodys
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": own}],
    }
    return config, tuple(_acting_as(user))


def _user(
    user: Mapping[str, Any], cluster: Mapping[str, Any], folder: Path, files: Path, seconds: float
) -> dict[str, Any]:
    if user.get("username") or user.get("password"):
        raise KubeconfigError("it has a name and a password, which no API server takes since Kubernetes 1.19")
    found = {key: path for key in _PAIR if (path := _file(user, key, folder, files))}
    token = _token(user, folder)
    if user.get("auth-provider"):
        token = token or _token_of_provider(user["auth-provider"])
    if user.get("exec") and not token:
        said = credential_of(user["exec"], cluster, folder, seconds)
        token = said.get("token", "")
        found |= {key: path for key in _PAIR if (path := _file(said, key, folder, files))}
    if len(found) == 1:
        raise KubeconfigError("of a client's certificate and its key it has only one")
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise KubeconfigError("its token has characters that no header takes, such as a line break")
    return {**found, "token": token} if token else found


def _text(entry: Mapping[str, Any], key: str) -> str:
    found = entry.get(key) or ""
    if not isinstance(found, str):
        raise KubeconfigError(f"its {key} is not text")
    return found


def _address(entry: Mapping[str, Any], key: str, *schemes: str) -> str:
    found = _text(entry, key)
    try:
        url = urlsplit(found)
        usable = url.scheme in schemes and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable or not found.isprintable() or " " in found:
        raise KubeconfigError(f"its {key} is not the URL of a host, by {' or '.join(schemes)}")
    return found


def _file(entry: Mapping[str, Any], key: str, folder: Path, files: Path) -> str:
    """Return the absolute path of what an entry holds as data, or names as a file; empty where it does neither."""
    if encoded := _text(entry, f"{key}-data"):
        try:
            data = encoded.encode() if "-----" in encoded else base64.b64decode("".join(encoded.split()), validate=True)
        except ValueError:
            raise KubeconfigError(f"its {key}-data is not base64") from None
        path = files / key
        path.write_bytes(data)
        return str(path)
    named = _text(entry, key)
    return str(_there(folder / named, key)) if named else ""


def _there(path: Path, key: str) -> Path:
    # Not by is_file, which lets some errors pass.
    if not os.path.isfile(path):  # noqa: PTH113
        raise KubeconfigError(f"its {key} names a file that is not there; paths are relative to the kubeconfig")
    return path.absolute()


def _token(user: Mapping[str, Any], folder: Path) -> str:
    named = _text(user, "tokenFile")
    if not named:
        return _text(user, "token")
    try:
        token = _there(folder / named, "tokenFile").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise KubeconfigError("the file that its tokenFile names can't be read") from None
    if not token:
        raise KubeconfigError("the file that its tokenFile names is empty")
    return token


def _token_of_provider(provider: Any) -> str:
    settings = provider.get("config") if isinstance(provider, Mapping) and provider.get("name") == "oidc" else None
    token = _text(settings, "id-token") if isinstance(settings, Mapping) else ""
    if not token:
        raise KubeconfigError("its auth-provider gives no token; what Kubernetes has instead is exec, a plugin")
    return token


def _acting_as(user: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the headers of impersonation: what is read must be what that somebody may read."""
    for key, header in (("as", "Impersonate-User"), ("as-uid", "Impersonate-Uid")):
        if name := _text(user, key):
            yield header, name
    groups, extra = user.get("as-groups") or [], user.get("as-user-extra") or {}
    if not isinstance(groups, list) or not isinstance(extra, Mapping):
        raise KubeconfigError("its as-groups is no list, or its as-user-extra no mapping")
    for group in groups:
        yield "Impersonate-Group", str(group)
    for key, values in extra.items():
        for value in values if isinstance(values, list) else [values]:
            yield f"Impersonate-Extra-{quote(str(key), safe='')}", str(value)
