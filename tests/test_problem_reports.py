"""`istio-mesh check` for pipelines: the same problems, as other programs read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pulumi_istio_mesh import cli

from .test_cli import WRONG
from .topology.files import GOOD

pytestmark = pytest.mark.usefixtures("in_a_folder_on_a_day")


def check(text: str, form: str) -> Result:
    """Run `istio-mesh check --format` on a file with this text."""
    Path("mesh.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli.main, ["check", "--format", form, "mesh.yaml"])


SLUGS = ["api-server", "istio-version", "pod-cidr-overlap", "primary-unknown", "trust-roots"]


def test_json_has_every_problem_with_its_place() -> None:
    result = check(WRONG, "json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert sorted(problem["slug"] for problem in found) == SLUGS
    (overlap,) = (problem for problem in found if problem["slug"] == "pod-cidr-overlap")
    assert (overlap["file"], overlap["line"], overlap["where"]) == ("mesh.yaml", 5, "clusters.west.pod_cidr")
    assert all(problem[key] for problem in found for key in ("what", "why", "fix"))


def test_github_marks_the_lines() -> None:
    lines = check(WRONG, "github").stdout.splitlines()
    assert len(lines) == len(SLUGS)
    assert all(line.startswith("::error file=mesh.yaml,line=") for line in lines)
    assert any(line.startswith("::error file=mesh.yaml,line=5,col=24,title=pod-cidr-overlap::") for line in lines)


def test_no_text_of_the_file_becomes_a_command_of_github() -> None:
    line = check(GOOD.replace("prod", '"x%0A::error::y\\n::set-output name=a::b"', 1), "github").stdout
    assert line.count("\n") == len(line.splitlines())
    assert all(found.startswith("::error file=mesh.yaml,") for found in line.splitlines())


def test_properties_are_escaped_as_github_reads_them(tmp_path: Path) -> None:
    Path("a,b:c%d\n.yaml").write_text(WRONG.replace("east:", '"e%0A,:t":'), encoding="utf-8")
    lines = CliRunner().invoke(cli.main, ["check", "--format", "github", "a,b:c%d\n.yaml"]).stdout.split("\n")
    assert all(line.startswith("::error file=a%2Cb%3Ac%25d%0A.yaml,line=") for line in lines if line)
    assert any("::clusters.e%250A,:t: " in line for line in lines)


def test_sarif_has_a_rule_for_each_slug_and_a_region_for_each_result() -> None:
    log = json.loads(check(WRONG, "sarif").stdout)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == SLUGS
    assert {result["ruleId"] for result in run["results"]} == set(SLUGS)
    for result in run["results"]:
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "mesh.yaml"
        assert location["physicalLocation"]["region"]["startLine"] >= 1


@pytest.mark.parametrize(("form", "nothing"), [("json", "[]\n"), ("github", "")])
def test_of_a_mesh_that_can_be_built_there_is_nothing_to_report(form: str, nothing: str) -> None:
    result = check(GOOD, form)
    assert (result.exit_code, result.stdout, result.stderr) == (0, nothing, "")


def test_sarif_of_a_good_mesh_has_no_result() -> None:
    (run,) = json.loads(check(GOOD, "sarif").stdout)["runs"]
    assert run["results"] == []
