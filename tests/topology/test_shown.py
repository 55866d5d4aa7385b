"""Text of somebody else's in what is printed: whatever it holds, it is seen, and stays in its line."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, strategies as st

from pulumi_istio_mesh.topology.shown import quoted, shown, shown_lines

STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of Unicode: control characters, marks of direction and joiners, surrogates, separators of lines."""


def test_every_character_that_steers_is_written_as_its_escape() -> None:
    every = (chr(number) for number in range(sys.maxunicode + 1))
    steering = [one for one in every if unicodedata.category(one) in STEERING]
    assert len(steering) > 2000
    assert all(shown(one).isascii() and shown(one).startswith("\\") for one in steering)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\n::set-output name=x::y", r"a\n::set-output name=x::y"),
        ("\x1b[31mred\x00", r"\x1b[31mred\x00"),
        ("a\x85b\u2028c\u2029d\re\x0bf\x0cg\x1c", r"a\x85b\u2028c\u2029d\re\x0bf\x0cg\x1c"),
        ("\u202etxt.exe\u2066\u200f", r"\u202etxt.exe\u2066\u200f"),
        ("\ud800", r"\ud800"),
        ("##[group]x", r"\x23#[group]x"),
        ("a ###vso[task.setvariable]b", r"a #\x23#vso[task.setvariable]b"),
    ],
)
def test_what_is_hidden_is_seen(text: str, told: str) -> None:
    assert shown(text) == told


@pytest.mark.parametrize(
    "text", ["", "prod", "Grüße, 東京 🌍", r"C:\new", "## Heading", "a # [b]", "docs/a.md#b", "fd00::1", "{a: b}"]
)
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert shown(text) == text
    assert shown_lines(text) == text


@given(st.text())
def test_what_is_shown_is_one_line_and_shown_once(text: str) -> None:
    once = shown(text)
    assert once.isprintable()
    assert shown(once) == once


def test_lines_of_our_own_stay_lines_and_none_is_a_command() -> None:
    assert (
        shown_lines("one\n  ::stop-commands::x\n::1/128\ttwo\n") == "one\n  \\x3a:stop-commands::x\n\\x3a:1/128\\ttwo\n"
    )
    assert shown_lines("sources: ::/0") == "sources: ::/0"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("registry.example/a:1", "registry.example/a:1"),
        ("https://charts.example", "https://charts.example"),
        ("two words", '"two words"'),
        ("", '""'),
        ('x"; nothing changes', r'"x\"; nothing changes"'),
        ("a\nb", r'"a\nb"'),
        ("a\\nb c", r'"a\\nb c"'),
    ],
)
def test_a_value_is_quoted_where_it_could_pass_for_words_of_ours(text: str, told: str) -> None:
    assert quoted(text) == told
