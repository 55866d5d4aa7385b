"""What may be a credential: the arguments of programs that hold one, and what looks like one in a plain fact.

One place for all doors: files, programs, parts, what other installers were told, and addresses that are printed.
"""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .problems import Problem, nearest

OF_A_CLUSTER = ("kubeconfig", "cacerts", "api_server_ca", "reader_credential")
"""Arguments of a cluster that never enter a topology: they are credentials, or belong to them."""

OF_A_MESH = "registry_credentials"
"""Argument of a mesh that never enters a topology, for the same reason."""

CACERTS = ("ca_cert", "ca_key", "cert_chain", "root_cert")
"""Parts of `cacerts`."""


def _later(place: str, value: str) -> str:
    return f"args = load_mesh(path), then args{place} = {value}"


_CACERTS_ARE_GIVEN = _later('["clusters"]["east"]["cacerts"]', "{...}")

GIVEN: Mapping[str, str] = {
    "kubeconfig": "load_mesh(path, kubeconfigs={...})",
    "cacerts": _CACERTS_ARE_GIVEN,
    **dict.fromkeys(CACERTS, _CACERTS_ARE_GIVEN),
    "api_server_ca": _later('["clusters"]["east"]["api_server_ca"]', 'config.require("east-ca")'),
    "reader_credential": _later('["clusters"]["east"]["reader_credential"]', 'config.require_secret("east-token")'),
    OF_A_MESH: _later('["registry_credentials"]', '{"registry": config.require_secret("registry")}'),
    "reader_kubeconfig": 'IstioRemoteSecret("west", {"reads": "east", "reader_kubeconfig": reader.kubeconfig})',
}
"""How a program is given what may stand in no file, by the name of the argument."""


def argument_meant(key: str, known: list[str]) -> str:
    """Return the argument of a program that a key names or nearly names; empty where a known fact is nearer."""
    return found if (found := key if key in GIVEN else nearest(key, [*known, *GIVEN])) in GIVEN else ""


def credential_in(key: str, text: str) -> str:
    """Return what kind of credential a text holds, in words such as "a private key"; empty where it holds none.

    `key` is that of the fact: in the names of images and the places of charts and API servers more is taken for one.
    Elsewhere nothing is taken for one by its entropy alone, for names and digests look the same.
    """
    if _PRIVATE_KEY.search(text) or any(map(_PRIVATE_KEY.search, map(_decoded, _ENCODED_PEM.findall(text)))):
        return "a private key"
    if _PASSWORD.search(text) or _USER.search(text) or _has_bare_user(key, text):
        return "a user's name or password"
    if _TOKEN.search(text) or _QUERY.search(text):
        return "a token"
    if key == "chart_source" and "://" in text and ("?" in text or "#" in text):
        return "a query, which may be a token"
    if key == "api_server" and any(map(_is_opaque, text.split("/")[3:])):
        return "what may be a token in its path"
    return ""


def credential_problems(tree: Any, under: str = "") -> Iterator[Problem]:
    """Refuse each text in a tree of plain facts that holds a credential; none of them is repeated."""
    # No recursion: how deep a tree may be is not decided here.
    rest: deque[tuple[str, str, Any]] = deque([(under, "", tree)])
    while rest:
        where, key, value = rest.popleft()
        if isinstance(value, Mapping):
            for name, item in value.items():
                # The path of what stands under it would repeat it.
                if kind := credential_in("", str(name)):
                    yield _refused(where or "topology", "", f"one of its keys holds {kind}")
                else:
                    rest.append((f"{where}.{name}" if where else str(name), str(name), item))
        elif isinstance(value, (list, tuple)):
            rest += [(f"{where}.{index}", key, item) for index, item in enumerate(value)]
        elif isinstance(value, str) and (kind := credential_in(key, value)):
            yield _refused(where, key, f"it holds {kind}")


def besides(credentials: Iterable[Problem], others: Iterable[Problem]) -> list[Problem]:
    """Return what else is wrong, without the places that hold a credential: what is told of those may repeat it."""
    places = {problem.where for problem in credentials}
    return [problem for problem in others if problem.where not in places and not credential_in("", problem.where)]


def typed_text(text: str, *, quoted: bool = True) -> str:
    """Return a text as a message may repeat it; `it` where it is long, can't be printed, or holds a credential.

    For what no rule has looked at yet: anything may have been put there.
    """
    if len(text) > _LONGEST_REPEATED or not text.isprintable() or credential_in("", text):
        return "it"
    return repr(text) if quoted else text


def readable_path(where: str) -> str:
    """Return the path of a fact without those of its ends that would repeat a credential."""
    while where and credential_in("", where):
        where = where.rpartition(".")[0]
    return where


def _refused(where: str, key: str, what: str) -> Problem:
    return Problem(
        where=where,
        what=what,
        why="whoever sees the file, the state or a comment of a pull request sees the facts of a mesh; what they see "
        "is no secret any more",
        fix=_instead(where, key),
        slug="credential-in-fact",
    )


def _instead(where: str, key: str) -> str:
    """Return where such a credential belongs."""
    if key == "chart_source":
        return (
            "log in where pulumi runs, helm registry login registry.example, and chart_source: "
            "oci://registry.example/charts; or helm pull the charts into a folder, and chart_source: charts"
        )
    if key in _IMAGES:
        return (
            "name it without one, and image_pull_secrets: [registry]; the program may make that Secret: "
            + GIVEN[OF_A_MESH]
        )
    if key == "api_server":
        return f"{where}: an https:// URL without one; credentials are in kubeconfigs: {GIVEN['kubeconfig']}"
    if ".annotations." in where:
        return "remove it from the file; a program may give annotations of a gateway's Service as secret Outputs"
    if re.search(r"(^|\.)values\.", where):
        return "keep it in a Secret of istio-system, and let istiod read it: values.istiod.envVarFrom"
    return f"remove it; credentials are arguments of the program: {GIVEN['kubeconfig']}"


def _has_bare_user(key: str, text: str) -> bool:
    """Return whether a name and a password stand before a registry without a scheme."""
    if key in _IMAGES:
        return "@" in _DIGEST.sub("", text)
    return key == "chart_source" and _BARE_USER.match(text) is not None


def _is_opaque(part: str) -> bool:
    """Return whether a part of a path looks as if it were drawn by chance, and not chosen as a name."""
    return any(
        (len(piece) >= 32 and re.search("[0-9]", piece) and re.search("[A-Za-z]", piece))
        or (len(piece) >= 20 and all(re.search(kind, piece) for kind in ("[0-9]", "[a-z]", "[A-Z]")))
        for piece in re.split(r"[^A-Za-z0-9]", part)
    ) or bool(_BOOTSTRAP.search(part))


def _decoded(encoded: str) -> str:
    return base64.b64decode(encoded[: len(encoded) // 4 * 4]).decode("latin-1")


_LONGEST_REPEATED = 60

_IMAGES = ("image", "image_hub", "hub", "repository")
"""Keys of images and of what they lie under, here and in Helm values."""

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_ENCODED_PEM = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{10,}")
"""The whole of it: a key may stand behind its certificate."""
_USER = re.compile(r"\b(https?|oci|nats)://[^/\s?#@]*@", re.IGNORECASE)
_PASSWORD = re.compile(r"://(?!\[)[^/\s:@?#]*:(?!\d*(/|$))[^\s@]{0,500}@")
"""Of any scheme, and also with a password in which a slash stands. Bounded, as all here: a text may be long."""
_BARE_USER = re.compile(r"[^/\\\s:@]+:[^/\\\s@]*@")
_DIGEST = re.compile(r"@[A-Za-z0-9+._-]+:[0-9a-fA-F]{32,}$")
_TOKEN = re.compile(
    r"\beyJ[A-Za-z0-9_-]{8,1000}\."  # A JSON web token.
    r"|\b(gh[pousr]_|github_pat_|glpat-|npm_|dckr_[po]at_)[A-Za-z0-9_-]{16,}|\bxox[abeprs]-[A-Za-z0-9-]{12,}"
    r"|\bA[KS]IA[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{35}|\bhvs\.[A-Za-z0-9_-]{40,}|\bpul-[0-9a-f]{40}\b"
    r"|\b(Account|SharedAccess)Key=[A-Za-z0-9+/]{16,}"
    # A header; with a digit or a padding, for words that follow such a word in a sentence have none.
    r"|\b([Bb]earer|[Bb]asic|[Aa]pi-[Tt]oken) +(?=[^\s]{0,500}[0-9=])[A-Za-z0-9._~+/=-]{16,}"
)
_QUERY = re.compile(
    r"[?&;#](?!var-)([\w.-]*(token|signature|password|passwd|secret|credential|api[_-]?key)s?|sig|sas|pwd|auth"
    r"|authorization)=(?!(true|false|yes|no|on|off|none|enabled|disabled|required|optional)\b)[^\s&$%{<(]",
    re.IGNORECASE,
)
"""A parameter of a URL whose value is no placeholder and no switch, and none of a dashboard's variables."""
_BOOTSTRAP = re.compile(r"(^|[^a-z0-9])[a-z0-9]{6}\.[a-z0-9]{16}($|[^a-z0-9])")
"""A token of kubeadm."""
