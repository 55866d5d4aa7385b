"""What is made of a tree that was right: facts that go, come twice, are of another kind, or stand elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from ..changes.table import CHANGES
from ..rules.wrong import WRONG

Tree = dict[str, Any]
Place = tuple[Any, Any]
"""A mapping or a list, and a key or an index in it."""

SECRET = "not-a-real-password-hunter2"
"""It stands under keys of credentials only, and may be in nothing that is told."""
CREDENTIALS = (
    "kubeconfig",
    "cacerts",
    "reader_credential",
    "registry_credentials",
    "password",
    "token",
    "clientSecret",
)
OF_INSTALLERS = ("kubeconfig", "cacerts", "password", "token", "clientSecret", "imageApiKey")

TREES: tuple[Tree, ...] = (
    *(tree for wrong in WRONG.values() for tree in (wrong.tree, wrong.allowed)),
    *(dict(tree) for sides in CHANGES.values() for tree in sides),
)
"""What the tests of rules and of changes know: each rule is one fact away from one of them."""

HOSTILE = (
    "",
    " ",
    "\n",
    "a\nb: c",
    "::error::x",
    "\x1b[31m",
    "\x85",
    "\u2028",
    "\u202e",
    "é",
    "💥",
    "a" * 300,
    "../../x",
    "-x",
    "$(id)",
    "`x`",
    "|",
    "a.b.c",
    "[key]",
    "function-x[y]",
    "<b>",
    "*",
    "~",
    "null",
    "true",
    "0074",
    "1:30",
    "__proto__",
    "10.0.0.0/8",
    "10.8.0.0/14,fd00::/48",
    "fd00::/48",
    "192.0.2.1",
    "::1",
    "https://x",
    "https://a:b@x/?c",
    "spiffe://x",
    "default",
    "east",
    "west",
    "plant",
    "vpc",
    "prod",
    "shop",
    "hello.sample",
    "pay.bank",
    "1.30",
    "1.29.0",
    "1.31.1",
    "2026-11-23",
    "9999-12-31",
    "0000-00-00",
    "strict",
    "off",
    "{{ x }}",
    "%s",
    "{}",
)
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    65536,
    2**63,
    1.5,
    1e308,
    [],
    {},
    [[]],
    [{}],
    {"": {}},
    {"a": None},
    [None],
    ["a", "a"],
)

odd = st.one_of(st.sampled_from(HOSTILE), st.sampled_from(ODD), st.text(max_size=8))


def places(tree: Any) -> Iterator[Place]:
    """Everything that stands in a tree, by where it stands."""
    if isinstance(tree, (dict, list)):
        for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
            yield tree, key
            yield from places(value)


def _values_by_key() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for tree in TREES:
        for within, key in places(tree):
            if isinstance(key, str):
                found.setdefault(key, []).append(within[key])
    return found


KNOWN = _values_by_key()
"""What stands under each key, right and wrong, in the trees that the tests know."""


@st.composite
def changed(draw: st.DrawFn, tree: Tree, least: int = 0) -> Tree:
    """The tree with some changes; a change of a change may be no change."""
    found: Tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(least, 4))):
        there = list(places(found))
        if not there:
            break
        within, key = there[draw(st.integers(0, len(there) - 1))]
        change = draw(st.sampled_from((_drop, _twice, _odd, _known, _known, _added, _added, _moved, _renamed)))
        change(draw, found, within, key)
    return found


def _drop(draw: st.DrawFn, tree: Tree, within: Any, key: Any) -> None:
    del within[key]


def _twice(draw: st.DrawFn, tree: Tree, within: Any, key: Any) -> None:
    again = copy.deepcopy(within[key])
    if isinstance(within, list):
        within.append(again)
    else:
        within[f"{key}2"] = again


def _odd(draw: st.DrawFn, tree: Tree, within: Any, key: Any) -> None:
    within[key] = copy.deepcopy(draw(odd))


def _known(draw: st.DrawFn, tree: Tree, within: Any, key: Any) -> None:
    if key in KNOWN:
        within[key] = copy.deepcopy(draw(st.sampled_from(KNOWN[key])))


def _added(draw: st.DrawFn, tree: Tree, within: Any, key: Any) -> None:
    """A fact that another tree has, beside those that are there."""
    new = draw(st.sampled_from(sorted(KNOWN)))
    where = draw(st.sampled_from((within, tree, *(facts for facts in _clusters(tree) if isinstance(facts, dict)))))
    if isinstance(where, dict):
        where[new] = copy.deepcopy(draw(st.sampled_from(KNOWN[new])))


def _moved(draw: st.DrawFn, tree: Tree, within: Any, key: Any) -> None:
    """What stands at one place and at another, the other way round."""
    there = list(places(tree))
    other, name = there[draw(st.integers(0, len(there) - 1))]
    value = copy.deepcopy(other[name])
    other[name], within[key] = copy.deepcopy(within[key]), value


@st.composite
def with_secret(draw: st.DrawFn, tree: Tree, credentials: tuple[str, ...] = CREDENTIALS) -> Tree:
    """The tree, now and then with a credential where somebody may have put it."""
    if draw(st.integers(0, 3)):
        return tree
    found: Tree = copy.deepcopy(tree)
    where = draw(st.sampled_from([found, *(within[key] for within, key in places(found) if _takes_facts(within, key))]))
    where[draw(st.sampled_from(credentials))] = draw(
        st.sampled_from((SECRET, [SECRET], {"key": SECRET}, {"x": [{"y": SECRET}]}, f"https://me:{SECRET}@x")),
    )
    return found


def _takes_facts(within: Any, key: Any) -> bool:
    """Whether it is a mapping of facts, or of Helm values, and none by names: a cluster may be called `token`."""
    return isinstance(within[key], dict) and key not in _BY_NAME


_BY_NAME = (
    "authorized",
    "callers",
    "clusters",
    "exports",
    "gke_networks",
    "imports",
    "meshes",
    "peers",
    "ports",
    "revisions",
    "revision_tags",
    "annotations",
    "labels",
    "node_selector",
    "requests",
    "limits",
    "node_pools",
    "services",
    "gateways",
)


def _renamed(draw: st.DrawFn, tree: Tree, within: Any, key: Any) -> None:
    if isinstance(within, dict):
        within[draw(st.sampled_from(HOSTILE))] = within.pop(key)


def _clusters(tree: Tree) -> list[Any]:
    meshes = tree["meshes"].values() if isinstance(tree.get("meshes"), dict) else (tree,)
    found = (mesh.get("clusters") for mesh in meshes if isinstance(mesh, dict))
    return [facts for listed in found if isinstance(listed, dict) for facts in listed.values()]


@st.composite
def spoiled(draw: st.DrawFn, text: str) -> str:
    """The text with some of its characters gone, doubled or replaced."""
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        more = draw(
            st.one_of(
                st.sampled_from(HOSTILE),
                st.sampled_from(
                    (
                        "&a ",
                        "*a",
                        "<<: *a",
                        "!!int ",
                        "!x ",
                        "? ",
                        ": ",
                        "- ",
                        "{",
                        "[",
                        "]",
                        "}",
                        '"',
                        "'",
                        "\t",
                        "|\n",
                        "---\n",
                        "%YAML 1.2\n",
                        "\0",
                        "\ufeff",
                        "#",
                        ".nan",
                    )
                ),
                st.text(max_size=4),
                st.just(text[at : at + 40]),
            )
        )
        text = text[:at] + more + text[at + length :]
    return text
