"""What a program tells through the engine: lines in which nothing is hidden, whoever wrote what they repeat."""

from typing import Optional

import pulumi

from ..topology.shown import shown_lines


def info(text: str, about: Optional[pulumi.Resource] = None) -> None:
    """Tell what is so."""
    pulumi.log.info(shown_lines(text), about)


def warn(text: str, about: Optional[pulumi.Resource] = None) -> None:
    """Tell what should be looked at."""
    pulumi.log.warn(shown_lines(text), about)


def error(text: str, about: Optional[pulumi.Resource] = None) -> None:
    """Tell what went wrong, beside the engine's own words."""
    pulumi.log.error(shown_lines(text), about)
