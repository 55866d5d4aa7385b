"""Drawings as one HTML file without a network: a cluster shows its paths when it is pointed at."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from xml.etree import ElementTree

from .drawing import Drawing
from .svg import STYLE, laid_out


def page(drawing: Drawing) -> str:
    """Return the file; the same drawing is always the same bytes. Raises `PicturesExtraMissing` without pygraphviz."""
    picture = laid_out(drawing)
    # Its style stands in the page, which has its colours, too.
    picture.remove(picture[0])
    facts = {
        cluster: {"words": found.words, "elements": sorted(found.elements)}
        for cluster, found in drawing.clusters.items()
    }
    parts = {
        "title": html.escape(drawing.title[:1].upper() + drawing.title[1:]),
        "style": STYLE,
        "svg": ElementTree.tostring(picture, encoding="unicode"),
        # No text of it can end the script element that holds it.
        "facts": json.dumps(facts, sort_keys=True).replace("<", "\\u003c"),
    }
    text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text
