"""What the commands print: lines in which nothing is hidden, documents that other programs read, and bad use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from ..topology.shown import shown, shown_lines


def say(text: str, *, err: bool = False) -> None:
    """Print lines for people."""
    click.echo(shown_lines(text), err=err)


def hand_over(document: str) -> None:
    """Print a document for a program as it is: its own syntax escapes what it holds."""
    click.echo(document, nl=False)


class BadUse(click.UsageError):
    """The command can't be called like this; each line tells one thing."""

    def __init__(self, *lines: str, ctx: click.Context | None = None) -> None:
        super().__init__("\n".join(map(shown, lines)), ctx)


class Commands(click.Group):
    """A group of commands; what click itself says of their arguments repeats them as `shown`."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Return the context of a call."""
        with _shown_refusals():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _shown_refusals():
            return super().invoke(ctx)


@contextmanager
def _shown_refusals() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        if isinstance(error, (BadUse, _Help)):
            raise
        raise BadUse(error.format_message(), ctx=error.ctx) from None


_Help: Any = getattr(click.exceptions, "NoArgsIsHelpError", BadUse)
"""What newer versions of click raise instead of printing the help, which is our own text."""
