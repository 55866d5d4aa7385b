"""The site of docs/: it builds without a warning, holds every page, and nothing it shows is untrue."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from pulumi_istio_mesh import cli
from pulumi_istio_mesh.pictures.mermaid import mermaid
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.rules import problems_in
from pulumi_istio_mesh.topology.load import parse_topology, read_mesh_file
from pulumi_istio_mesh.topology.problems import TopologyError

from .builders import TODAY, mesh_tree, problems_of
from .strict_types import checked

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("examples/**/README.md")),
    ROOT / "lab" / "README.md",
]
WITHOUT_CHECK = {
    "text": "what programs print",
    "console": "commands of kubectl, helm and openssl, with prompts and what they print",
    "yaml": "tested below, and in tests/test_docs.py",
    "mermaid": "tested below, and in tests/test_docs.py",
    "typescript": "compiled in tests/lab/test_languages.py",
}
"""Languages of blocks that are not looked at here for their own sake, with the reason."""


def fences(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each block of a page; blocks of lists have their indentation taken away."""
    text = page.read_text(encoding="utf-8")
    for indent, language, block in re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", text, flags=re.MULTILINE | re.DOTALL):
        yield language, re.sub(rf"^{indent}", "", block, flags=re.MULTILINE)


def blocks(language: str) -> list[tuple[str, str]]:
    """Page and text of each block of a language."""
    return [(str(page.relative_to(ROOT)), text) for page in PAGES for found, text in fences(page) if found == language]


def named(found: list[tuple[str, str]]) -> list[str]:
    """A name for each of them, by page and number."""
    return [f"{page} {number}" for number, (page, _) in enumerate(found)]


def built(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the site as `make docs` does."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = built(ROOT / "mkdocs.yml", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert "istio-mesh diff" in (tmp_path / "site" / "reference" / "command" / "index.html").read_text(encoding="utf-8")
    arguments = (tmp_path / "site" / "reference" / "components" / "index.html").read_text(encoding="utf-8")
    assert "Address of each cluster's east-west gateway" in arguments.replace("&#39;", "'")


@pytest.mark.parametrize("link", ["nowhere.md", "start.md#nowhere"])
def test_a_broken_link_is_an_error(tmp_path: Path, link: str) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for name in ("mkdocs.yml", "mkdocs_hooks.py"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "pulumi_istio_mesh").symlink_to(ROOT / "pulumi_istio_mesh")
    page = tmp_path / "docs" / "index.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n[broken]({link})\n", encoding="utf-8")
    assert built(tmp_path / "mkdocs.yml", tmp_path / "site").returncode != 0


# Blocks


def test_every_kind_of_block_is_looked_at() -> None:
    kinds = {language for page in PAGES for language, _ in fences(page)}
    assert kinds <= {"python", "sh", *WITHOUT_CHECK}


AROUND = """\
import json
from typing import Any
import pulumi
from pulumi_istio_mesh import Mesh, load_mesh
config = pulumi.Config()
args = load_mesh("mesh.yaml", config.require_secret)
ca_cert = ca_key = cert_chain = root_cert = config.require_secret("pem")
vpc: Any = args
"""
"""What stands around a part of a program, which imports nothing itself."""


def test_every_program_holds_under_strict_types(tmp_path: Path) -> None:
    programs = blocks("python")
    assert programs
    for number, (_, text) in enumerate(programs):
        whole = text if "import" in text else f"{AROUND}{text}"
        (tmp_path / f"program_{number}.py").write_text(whole, encoding="utf-8")
    done = checked(tmp_path.glob("*.py"))
    assert done.returncode == 0, done.stdout


PULUMI = {"cancel", "config", "destroy", "install", "login", "package", "preview", "refresh", "stack", "state", "up"}
PROGRAMS = ("docs/checks.md", "docs/parts/", "docs/how-to/other-languages.md")
YAML = [one for one in blocks("yaml") if not one[0].startswith(PROGRAMS)]
SHELL = blocks("sh")


def lines(text: str) -> list[str]:
    """The commands of a shell block: continued lines joined, comments and loops taken apart."""
    joined = text.replace("\\\n", " ")
    return [
        part.strip().removeprefix("do ").strip()
        for line in joined.splitlines()
        for part in re.split(r";|&&|\||[()]", line.split(" #")[0])
        if part.strip()
    ]


@pytest.mark.parametrize(("page", "text"), SHELL, ids=named(SHELL))
def test_every_command_of_ours_exists(page: str, text: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for line in lines(text):
        words = line.split()
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= targets, line
        if words[0] == "pulumi" and len(words) > 1:
            assert words[1] in PULUMI, line
        if words[0] == "istio-mesh":
            command = cli.main.commands[words[1]]
            known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
            used = {word.split("=")[0] for word in words[2:] if word.startswith("--")}
            assert used <= known, line


def as_mesh(text: str, folder: Path) -> list[str]:
    """Slugs of what is wrong with a block, as a file of its own or laid over the usual mesh."""
    path = folder / "mesh.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        file = read_mesh_file(path)
        whole = "meshes" in yaml.safe_load(text) or "mesh_id" in yaml.safe_load(text)
        if not whole:
            return [problem.slug for problem in problems_of(mesh_tree(**file.meshes[""]))]
        found, problems = file.topologies()
        return [p.slug for p in [*problems, *(p for t in found.values() for p in problems_in(t, TODAY))]]
    except TopologyError as error:
        return [problem.slug for problem in error.problems]


NOT_THERE_YET = {"trust-date", "trust-given", "trust-signer", "trust-roots"}
"""Slugs of days to come, and of what the page shows only the beginning of."""


@pytest.mark.parametrize(("page", "text"), YAML, ids=named(YAML))
def test_every_mesh_of_a_page_can_be_built(page: str, text: str, tmp_path: Path) -> None:
    assert set(as_mesh(text, tmp_path)) <= NOT_THERE_YET


DRAWN = [page for page in PAGES if page.is_relative_to(ROOT / "docs") and "```mermaid" in page.read_text("utf-8")]


@pytest.mark.parametrize("page", DRAWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_picture_is_the_plan_of_the_mesh_above_it(page: Path, tmp_path: Path) -> None:
    above = ""
    for language, text in fences(page):
        if language == "yaml" and not above:
            above = text
        if language == "mermaid":
            path = tmp_path / "mesh.yaml"
            path.write_text(above, encoding="utf-8")
            plans = [plan_mesh(parse_topology(tree)) for tree in read_mesh_file(path).meshes.values()]
            assert text == mermaid(*plans)


# docs/reference/command.md


def command_page() -> str:
    """The page as the command's own help makes it."""
    parts = ["# The command istio-mesh", ""]
    parts += [
        "It works on mesh.yaml, on a program's output `topology` as JSON, and, where files are read, on "
        "`git:REVISION:PATH`.",
        "Only `adopt` and `verify` dial a cluster. Errors go to standard error; colours only to a terminal.",
        "What can't be printed of a file, a cluster or an argument is written as its escape, such as `\\x1b`, in all "
        "of it.",
        "",
    ]
    for name, command in {"istio-mesh": cli.main, **cli.main.commands}.items():
        title = name if command is cli.main else f"istio-mesh {name}"
        arguments = [] if command is cli.main else [name]
        found = CliRunner().invoke(cli.main, [*arguments, "--help"], prog_name="istio-mesh")
        parts += [f"## {title}", "", "```text", found.output.rstrip(), "```", ""]
    return "\n".join(parts)


def test_the_page_of_the_command_is_its_help() -> None:
    assert (ROOT / "docs" / "reference" / "command.md").read_text(encoding="utf-8") == command_page()


@pytest.mark.parametrize("command", [cli.main, *cli.main.commands.values()], ids=lambda command: str(command.name))
def test_every_command_says_how_it_ends_and_shows_an_example(command: click.Command) -> None:
    text = CliRunner().invoke(cli.main, [*([] if command is cli.main else [str(command.name)]), "--help"]).output
    assert command is cli.main or "Example" in text
    assert command in (cli.main, cli.main.commands["schema"]) or "Exit code" in text


def test_what_the_readme_shows_of_a_change_is_what_the_command_prints(tmp_path: Path) -> None:
    shown = list(fences(ROOT / "README.md"))
    (mesh,) = (text for language, text in shown if language == "yaml")
    (told,) = (text for language, text in shown if language == "text")
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(mesh, encoding="utf-8")
    new.write_text(f"{mesh}  plant-b: {{}}\n", encoding="utf-8")
    printed = CliRunner().invoke(cli.main, ["diff", str(old), str(new)]).stdout.splitlines()
    assert [line for line in printed if line in told.splitlines()] == told.splitlines()
