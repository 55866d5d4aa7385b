"""The HTML picture in a real browser, in both colour schemes: whole, legible, quiet, and it shows a cluster's paths.

The browser is Debian's; `make test` installs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pulumi_istio_mesh.pictures.drawing import compared, drawn
from pulumi_istio_mesh.pictures.mermaid import mermaid_of
from pulumi_istio_mesh.pictures.page import page as page_of
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import a_mesh
from ..changes.table import CHANGES
from ..npm import installed
from .meshes import MESHES, SEVEN

BROWSERS = [Path("/usr/bin", name) for name in ("chromium-headless-shell", "chromium")]
DRAWINGS = {
    **{name: drawn(*plans) for name, plans in MESHES.items()},
    "a comparison": compared(
        drawn(plan_mesh(a_mesh(**SEVEN))), drawn(plan_mesh(a_mesh(**{**SEVEN, "c8": {}, "c5": {"primary": "c1"}})))
    )[1],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    there = [str(path) for path in BROWSERS if path.exists()]
    assert there, "no browser: apt-get install --yes --no-install-recommends chromium-headless-shell (make browser)"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=there[0], args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


class Shown:
    """A page with a picture, and what went on while it was shown."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(file.as_uri())

    def boxes(self, selector: str) -> dict[str, tuple[float, float, float, float]]:
        """Left, top, right and bottom on the screen of each element's own shape, by identifier."""
        found: dict[str, Any] = self.page.evaluate(
            """(selector) => Object.fromEntries([...document.querySelectorAll(selector)].map((group) => {
                 const shape = group.querySelector("polygon, ellipse, path") || group;
                 const box = shape.getBoundingClientRect();
                 return [group.id, [box.left, box.top, box.right, box.bottom]];
               }))""",
            selector,
        )
        return {name: (box[0], box[1], box[2], box[3]) for name, box in found.items()}

    def lit(self) -> set[str]:
        """Identifiers of what is highlighted."""
        found: list[str] = self.page.evaluate("[...document.querySelectorAll('.lit')].map((one) => one.id)")
        return set(found)


@pytest.fixture(params=[(name, scheme) for name in DRAWINGS for scheme in ("light", "dark")], ids=" ".join)
def shown(request: pytest.FixtureRequest, browser: Browser, tmp_path: Path) -> Iterator[tuple[str, Shown]]:
    name, scheme = request.param
    file = tmp_path / "mesh.html"
    file.write_text(page_of(DRAWINGS[name]), encoding="utf-8")
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1400, "height": 1000})
    yield name, Shown(page, file)
    page.close()


def test_a_picture_is_whole_legible_and_quiet(shown: tuple[str, Shown]) -> None:
    name, found = shown
    nodes = found.boxes("g.node:not(.legend):not(.text)")
    assert set(nodes) == {node.id for node in DRAWINGS[name].nodes}
    for one, box in nodes.items():
        for other, there in nodes.items():
            apart = box[2] <= there[0] or there[2] <= box[0] or box[3] <= there[1] or there[3] <= box[1]
            assert one == other or apart, f"{one} covers {other}"
    cut: list[str] = found.page.evaluate(
        """[...document.querySelectorAll("g.node:not(.legend):not(.text)")].filter((group) => {
             const shape = group.querySelector("polygon, ellipse, path").getBoundingClientRect();
             return [...group.querySelectorAll("text")].some((text) => {
               const box = text.getBoundingClientRect();
               return box.left < shape.left || box.right > shape.right
                 || box.top < shape.top || box.bottom > shape.bottom;
             });
           }).map((group) => group.id)"""
    )
    assert cut == []
    outside: list[str] = found.page.evaluate(
        """[...document.querySelectorAll(".picture text")].filter((text) => {
             const box = text.getBoundingClientRect();
             const all = document.querySelector(".picture svg").getBoundingClientRect();
             return box.left < all.left || box.right > all.right || box.top < all.top || box.bottom > all.bottom;
           }).map((text) => text.textContent)"""
    )
    assert outside == []
    assert found.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert found.said == []
    assert [url for url in found.asked if not url.startswith(("file:", "data:"))] == []


def test_text_can_be_told_from_what_it_stands_on(shown: tuple[str, Shown]) -> None:
    """By WCAG's contrast for text, 4.5 to 1."""
    _, found = shown
    contrasts: list[float] = found.page.evaluate(
        """() => {
             const light = (colour) => {
               const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
                 .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
               return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
             };
             return [...document.querySelectorAll("g.node:not(.legend):not(.text)")].map((group) => {
               const ink = light(getComputedStyle(group.querySelector("text")).fill);
               const ground = light(getComputedStyle(group.querySelector("polygon, ellipse, path")).fill);
               return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
             });
           }"""
    )
    assert min(contrasts) >= 4.5


def test_a_cluster_that_is_pointed_at_shows_its_paths_and_tells_them(shown: tuple[str, Shown]) -> None:
    name, found = shown
    before = found.page.inner_text("#told")
    for cluster, facts in list(DRAWINGS[name].clusters.items())[:3]:
        found.page.hover(f"#{cluster} text >> nth=0")
        assert {one for one in found.lit() if not one.endswith((".text", ".tail"))} == facts.elements
        assert found.page.inner_text("#told").split("\n\n") == list(facts.words)
    found.page.mouse.move(0, 0)
    assert found.lit() == set()
    assert found.page.inner_text("#told") == before


def test_a_cluster_is_reached_by_keys(shown: tuple[str, Shown]) -> None:
    name, found = shown
    found.page.keyboard.press("Tab")
    first = found.page.evaluate("document.activeElement.id")
    assert first in DRAWINGS[name].clusters
    assert first in found.lit()


MERMAID = "11.17.2"


def test_mermaid_reads_every_picture_and_the_marks_of_every_change(browser: Browser) -> None:
    drawings = list(DRAWINGS.values())
    for before, after in CHANGES.values():
        drawings += compared(*(drawn(plan_mesh(parse_topology(tree))) for tree in (before, after)))
    page = browser.new_page()
    page.add_script_tag(path=installed("mermaid", MERMAID) / "dist" / "mermaid.min.js")
    page.evaluate("mermaid.initialize({startOnLoad: false})")
    read = "async (text) => { try { await mermaid.parse(text); return null; } catch (error) { return String(error); } }"
    assert [error for drawing in drawings if (error := page.evaluate(read, mermaid_of(drawing)))] == []
    page.close()
