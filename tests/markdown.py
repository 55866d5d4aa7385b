"""Markdown as a reader sees it: what is said, and what is only shown as code."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token


def prose(text: str) -> str:
    """What is said outside code, a line a block; what makes links, pictures and HTML in a line is told by its kind."""
    return "\n".join(
        "".join(_said(token.children or []))
        for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
        if token.type == "inline"
    )


def _said(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("text", "softbreak", "strong_open", "strong_close"):
            yield token.content
        elif token.type != "code_inline":
            yield f"<{token.type}>"


def codes(text: str) -> list[str]:
    """Every text that is code in a line."""
    parsed = MarkdownIt("commonmark").enable("table").parse(text)
    return [inner.content for token in parsed for inner in token.children or [] if inner.type == "code_inline"]
