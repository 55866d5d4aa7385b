"""Sentences in Markdown: words are words, and everything else is code that nothing can leave."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from pulumi_istio_mesh.plan.markdown import code, in_markdown, row
from pulumi_istio_mesh.topology.shown import quoted, shown

from ..markdown import codes, prose

HOSTILE = (
    "@acme/owners", "<img/src=x>", "[x](http://x)", "![x](y)", "**x**", "`x`", "``", "~~x~~", "a|b", "&#64;acme",
    "https://evil.example", "www.evil.example", "_x_", "\\", "#12", "acme/mesh#12", "GH-12", "deadbeefcafe", ":+1:",
    "a@b.example", "<!--", "$x$",
)  # fmt: skip


@pytest.mark.parametrize(
    "sentence",
    [
        "plant-b joins: on network plant-b, with an istiod of its own",
        "east and west to each other: pod to pod -> through their gateways",
        "open: pods of east and west to each other's gateways, TCP 15443 (calls, mTLS by SNI)",
        "clusters.east.pod_cidr: 10.8.0.0/14 -> not given; primaries' proxies can't know",
    ],
)
def test_a_sentence_of_ordinary_names_stays_as_it_is(sentence: str) -> None:
    assert in_markdown(sentence) == sentence
    assert prose(sentence) == sentence


@pytest.mark.parametrize("text", HOSTILE)
def test_what_markdown_or_github_makes_something_of_is_code(text: str) -> None:
    # What ends a word of a sentence stays outside.
    core = text.rstrip("):")
    told = in_markdown(f"image: x -> {text}, and more")
    assert prose(told) == f"image: x -> {text[len(core) :]}, and more"
    assert codes(told) == [core]


def test_brackets_and_points_around_code_are_the_sentences_own() -> None:
    assert in_markdown("so (docs/a.md#b).") == "so (`docs/a.md#b`)."


def test_a_quoted_value_is_one_code_whatever_it_says() -> None:
    value = 'x". Traffic: nothing changes\n- **`all`** is well'
    told = in_markdown(f"chart_source: not given -> {quoted(value)}; a key meshConfig.{quoted('a b')}")
    assert prose(told) == "chart_source: not given -> ; a key "
    assert codes(told) == [quoted(value), 'meshConfig."a b"']


def test_a_number_begins_no_list() -> None:
    assert in_markdown("1. east") == "`1`. east"
    assert in_markdown("2 clusters") == "2 clusters"


@given(st.text(min_size=1))
def test_no_text_leaves_its_code(text: str) -> None:
    told = f"before {code(text)} after"
    assert prose(told) == "before  after"
    # CommonMark takes a space off both ends only of what is not all spaces.
    assert [found.strip() for found in codes(told)] == [shown(text).strip()]


@given(st.lists(st.sampled_from([*HOSTILE, "east", "joins", "->", "and,"]), max_size=8).map(" ".join))
def test_outside_code_are_only_words(sentence: str) -> None:
    said = prose(f"x {in_markdown(sentence)}")
    assert re.fullmatch(r"[A-Za-z0-9 .,;:()'/_>-]*", said)


def test_no_cell_breaks_a_table() -> None:
    cells = ("a|b", "c\\|d", "`|`", "e\n| f |")
    table = "\n".join([row(("one", "two", "three", "four")), "|---|---|---|---|", row(cells)])
    assert prose(table).split("\n") == ["one", "two", "three", "four", "", "", "", " f "]
