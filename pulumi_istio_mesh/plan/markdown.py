"""Text as Markdown shows it: as it is, whatever it holds. A comment is read as the pipeline's own."""

from __future__ import annotations

import re

from ..topology.shown import shown

_PIECE = re.compile(r'(\(*)((?:"(?:[^"\\]|\\.)*"|[^ ])+?)([),.;:]*)(?= |$)')
"""A word, or a text in quotes (`quoted`), with the brackets and the punctuation around it."""
_PLAIN = re.compile(r"(?!(?i:.*www\.|gh-\d)|[0-9a-f]{7,40}$)[A-Za-z0-9]+(?:[-._/'][A-Za-z0-9]+)*'?|->")
"""What is nothing but itself in any Markdown: letters and digits, with single signs between them. Not what GitHub makes
links of: hosts that begin with www, issues and commits. Source: GFM 0.29, 6.4 and 6.9; GitHub, "Autolinked references".
"""

_BAR = r"\x7c"


def in_markdown(sentence: str) -> str:
    """Return a sentence: words stay as they are, and everything else in it is code.

    In code there is no link, mention, picture, HTML, emphasis or entity, as escaped signs may still become on GitHub,
    which looks for mentions and issues after they are unescaped.
    """
    return _PIECE.sub(_piece, shown(sentence))


def _piece(found: re.Match[str]) -> str:
    before, core, after = found.groups()
    # A number at the beginning would begin a list.
    numbered = not found.start() and not before and core.isdigit() and after.startswith((".", ")"))
    return f"{before}{core if _PLAIN.fullmatch(core) and not numbered else code(core)}{after}"


def code(text: str) -> str:
    """Return a text as code, whatever backticks it holds."""
    text = shown(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    room = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{room}{text}{room}{fence}" if text else ""


def row(cells: tuple[str, ...]) -> str:
    """Return a row of a table; a bar would end its cell, in code too."""
    return f"| {' | '.join(in_markdown(cell.replace('|', _BAR)) for cell in cells)} |"
