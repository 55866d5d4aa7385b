"""Text that somebody else wrote, as it may stand in what is printed."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"#(?=#\w*\[)")
"""Begins a command to whoever keeps the log, wherever in a line it stands: `##[group]`, `##vso[task.setvariable]`.
Source: actions/runner, src/Runner.Common/ActionCommand.cs, TryParse; microsoft/azure-pipelines-agent, Command.cs."""
_FIRST_COMMAND = re.compile(r"^(\s*):(?=:)")
"""The same at the beginning of a line: `::set-output`. Source: ActionCommand.cs, TryParseV2."""
_WORD = re.compile(r'[^\s"]+')


def shown(text: str) -> str:
    """Return the text as one line in which nothing is hidden: what can't be printed is written as its escape.

    Line breaks begin a line of their own, other control characters steer a terminal, marks of direction show a text in
    another order, and a lone surrogate ends the program that prints it. What is shown already stays as it is.
    """
    if not text.isprintable():
        text = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return _COMMAND.sub(r"\\x23", text)


def shown_lines(text: str) -> str:
    """Return lines of this package's own, each as `shown`, none of which a workflow's log takes for a command."""
    return "\n".join(_FIRST_COMMAND.sub(r"\1\\x3a", shown(line)) for line in text.split("\n"))


def quoted(text: str) -> str:
    """Return the text as a sentence names it: in quotes where it could pass for the sentence's own words."""
    if _WORD.fullmatch(text) and text.isprintable():
        return text
    return '"{}"'.format(shown(text.replace("\\", "\\\\").replace('"', '\\"')))
