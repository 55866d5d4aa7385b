"""`istio-mesh diff`, as a person or a pipeline runs it: what it reads, what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh import cli
from pulumi_istio_mesh.cli import mesh_file
from pulumi_istio_mesh.topology.limits import MOST_BYTES
from pulumi_istio_mesh.topology.load import facts_of

from .markdown import codes, prose

OLD = """\
mesh_id: prod
istio_version: "1.31.1"
trust: {roots: [{issued: "2026-11-23"}]}
clusters:
  east: {network: vpc}
  west: {network: vpc, primary: east}
  plant: {}
"""
NEW = OLD + "  plant-b: {}\n"
MOVED = OLD.replace("west: {network: vpc,", "west: {network: hall,")
BROKEN = OLD.replace("primary: east", "primary: nowhere")


pytestmark = pytest.mark.usefixtures("in_a_folder_on_a_day")


def diff(old: str, new: str, *options: str) -> Result:
    """Run `istio-mesh diff` on files with these texts."""
    Path("old.yaml").write_text(old, encoding="utf-8")
    Path("new.yaml").write_text(new, encoding="utf-8")
    return CliRunner().invoke(cli.main, ["diff", "old.yaml", "new.yaml", *options])


def test_a_new_cluster_is_told_in_text(golden_text: SnapshotAssertion) -> None:
    result = diff(OLD, NEW)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == golden_text


def test_resources_are_listed_where_they_are_asked_for() -> None:
    assert "Secret prod-east-remote-plant-b" not in diff(OLD, NEW).stdout
    assert "+ Secret prod-east-remote-plant-b" in diff(OLD, NEW, "--resources").stdout


def test_a_comment_has_sentences_resources_and_both_pictures(golden_text: SnapshotAssertion) -> None:
    result = diff(OLD, MOVED, "--format", "markdown")
    assert result.exit_code == 0
    assert result.stdout.startswith("<!-- istio-mesh diff -->\n")
    assert result.stdout.count("```mermaid") == 2
    assert result.stdout == golden_text


def test_the_order_of_the_file_changes_nothing() -> None:
    result = diff(OLD, OLD.replace("  plant: {}\n", "").replace("clusters:\n", "clusters:\n  plant: {}\n"))
    assert result.stdout == "mesh prod: nothing changes\n"


def test_a_side_may_be_the_topology_that_a_program_exports() -> None:
    Path("mesh.yaml").write_text(OLD, encoding="utf-8")
    exported = facts_of(mesh_file.judged("mesh.yaml")[0][1])
    assert diff(json.dumps(exported), OLD).stdout == "mesh prod: nothing changes\n"


def test_programs_read_json() -> None:
    (mesh,) = json.loads(diff(OLD, MOVED, "--format", "json").stdout)
    assert (mesh["mesh"], mesh["dangerous"]) == ("prod", True)
    assert [change["kind"] for change in mesh["changes"] if change["dangerous"]] == ["traffic"]
    paths = [path for change in mesh["changes"] for path in change["paths"]]
    assert {"source": "east", "target": "west", "before": "pod to pod", "after": "through the gateway"} in paths


@pytest.mark.parametrize(
    ("new", "fail_on", "code"),
    [(OLD, "any", 0), (NEW, "any", 3), (NEW, "dangerous", 0), (MOVED, "dangerous", 3), (MOVED, None, 0)],
)
def test_a_pipeline_chooses_what_fails_it(new: str, fail_on: str | None, code: int) -> None:
    assert diff(OLD, new, *(("--fail-on", fail_on) if fail_on else ())).exit_code == code


@pytest.mark.parametrize(("old", "new", "which"), [(BROKEN, OLD, "old.yaml"), (OLD, BROKEN, "new.yaml")])
def test_what_can_not_be_built_can_not_be_compared(old: str, new: str, which: str) -> None:
    result = diff(old, new)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{which}: 1 problem\n")
    assert "primary-unknown" in result.stderr


def test_a_comment_says_why_there_is_nothing_to_compare() -> None:
    result = diff(OLD, BROKEN, "--format", "markdown")
    assert result.exit_code == 1
    assert result.stdout.startswith("<!-- istio-mesh diff -->\n## The mesh can't be built\n")
    assert "    fix: " in result.stdout


def test_a_root_that_has_expired_since_is_no_reason_not_to_compare() -> None:
    expired = OLD.replace('{issued: "2026-11-23"}', '{issued: "2020-01-01", days: 30}')
    assert diff(expired, OLD).exit_code == 0
    assert diff(OLD, expired).exit_code == 1


def test_meshes_are_paired_by_their_ids_and_the_only_ones_anyway() -> None:
    two = (
        "meshes:\n  blue: {istio_version: '1.31.1', trust: {roots: [{issued: '2026-11-23'}]}, clusters: {east: {}}}\n"
        "  green: {istio_version: '1.31.1', trust: {roots: [{issued: '2026-11-23'}]}, clusters: {plant: {}}}\n"
    )
    result = diff(two, two.replace("green", "red"))
    assert [line for line in result.stdout.splitlines() if line.startswith("mesh")] == [
        "mesh blue: nothing changes",
        "mesh red: new",
        "mesh green: gone",
    ]
    assert diff(two, two, "--mesh", "blue").stdout == "mesh blue: nothing changes\n"
    assert diff(two, two, "--mesh", "black").exit_code == 2
    assert "mesh ID prod -> prod2" in diff(OLD, OLD.replace("prod", "prod2")).stdout


# git:REVISION:PATH


def git(*arguments: str) -> None:
    """Run git in the folder that the test is in."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(in_a_folder_on_a_day: None) -> None:
    git("init", "--initial-branch", "main")
    Path("mesh.yaml").write_text(OLD, encoding="utf-8")
    git("add", "mesh.yaml")
    git("commit", "-m", "one")
    Path("mesh.yaml").write_text(NEW, encoding="utf-8")


@pytest.mark.usefixtures("repository")
def test_a_side_is_read_out_of_git() -> None:
    result = CliRunner().invoke(cli.main, ["diff", "git:main:mesh.yaml", "mesh.yaml"])
    assert "plant-b joins" in result.stdout


@pytest.mark.usefixtures("repository")
def test_paths_in_git_are_relative_to_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("below").mkdir()
    monkeypatch.chdir("below")
    assert CliRunner().invoke(cli.main, ["diff", "git:HEAD:../mesh.yaml", "../mesh.yaml"]).exit_code == 0


@pytest.mark.usefixtures("repository")
def test_a_file_that_the_revision_does_not_have_is_a_mesh_that_is_new() -> None:
    Path("other.yaml").write_text(OLD, encoding="utf-8")
    result = CliRunner().invoke(cli.main, ["diff", "git:main:other.yaml", "other.yaml"])
    assert result.exit_code == 0
    assert "git:main:other.yaml: no such file in that revision" in result.stderr
    assert result.stdout.startswith("mesh prod: new\n")


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("name", ["mesh[1].yaml", "mesh*.yaml", ":(top)mesh.yaml", "me sh?.yaml"])
def test_a_file_in_git_is_found_by_its_name_and_no_pattern(name: str) -> None:
    Path(name).write_text(OLD, encoding="utf-8")
    git("add", "--", f":(literal){name}")
    git("commit", "-m", "two")
    result = CliRunner().invoke(cli.main, ["diff", f"git:HEAD:{name}", name])
    assert (result.exit_code, result.stdout) == (0, "mesh prod: nothing changes\n"), result.output
    assert "no such file" in CliRunner().invoke(cli.main, ["diff", "git:HEAD~:mesh*.yaml", name]).stderr


@pytest.mark.usefixtures("repository")
def test_a_large_file_in_git_is_refused_before_it_is_read() -> None:
    Path("mesh.yaml").write_text("#" * (MOST_BYTES + 1), encoding="utf-8")
    git("commit", "-a", "-m", "two")
    result = CliRunner().invoke(cli.main, ["diff", "git:HEAD:mesh.yaml", "git:HEAD~:mesh.yaml"])
    assert (result.exit_code, "it holds more than 4,194,304 bytes" in result.stderr) == (1, True)


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("place", ["git:nowhere:mesh.yaml", "git:mesh.yaml", "git:--help:mesh.yaml", "nowhere.yaml"])
def test_what_can_not_be_read_is_bad_use(place: str) -> None:
    result = CliRunner().invoke(cli.main, ["diff", place, "mesh.yaml"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert place in result.stderr


def test_outside_a_repository_there_is_no_revision() -> None:
    Path("mesh.yaml").write_text(OLD, encoding="utf-8")
    assert CliRunner().invoke(cli.main, ["diff", "git:main:mesh.yaml", "mesh.yaml"]).exit_code == 2


# What a stranger's file can make of the comment


def test_text_of_a_file_speaks_for_nobody_in_a_comment() -> None:
    evil = OLD + 'values: {istiod: {"@acme/owners <img src=x> [x](http://x) `x` **x**": 1}}\n'
    result = diff(OLD, evil, "--format", "markdown")
    assert result.exit_code == 0
    # As code it is what it is, and no mention, picture, link or emphasis.
    assert any("@acme/owners" in one for one in codes(result.stdout))
    said = prose(result.stdout)
    for spoken in ("acme", "img", "http", "x**", "<"):
        assert spoken not in said


def test_a_comment_is_cut_between_lines() -> None:
    evil = OLD + "values: {istiod: {" + ", ".join(f"'{'a ' * 300}{n}': 1" for n in range(200)) + "}}\n"
    result = diff(OLD, evil, "--format", "markdown")
    assert len(result.stdout) <= 65_536
    assert "a a" not in prose(result.stdout)


def test_a_comment_is_never_longer_than_github_takes() -> None:
    many = OLD + "".join(f"  works-{number}: {{}}\n" for number in range(45))
    result = diff(OLD, many, "--format", "markdown")
    assert result.exit_code == 0
    assert len(result.stdout) <= 65_536
    assert "Too long for a comment with its pictures" in result.stdout
    assert "Traffic" in result.stdout
