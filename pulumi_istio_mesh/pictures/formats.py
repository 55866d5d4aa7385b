"""The formats that a drawing can be had in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .dot import dot
from .drawing import Drawing
from .mermaid import mermaid_of
from .page import page
from .svg import svg

FORMATS: Mapping[str, Callable[[Drawing], str]] = {"mermaid": mermaid_of, "dot": dot, "svg": svg, "html": page}
"""What makes the text of each."""
