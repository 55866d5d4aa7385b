"""The workflows for pull requests: valid, with least rights, and their steps do what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .markdown import prose
from .test_diff_command import NEW, OLD, git

EXAMPLE = Path(__file__).parents[1] / "examples" / "pull-request"
WORKFLOWS = {file.stem: file for file in sorted((EXAMPLE / ".github" / "workflows").glob("*.yaml"))}


def workflow(name: str) -> dict[str, Any]:
    """A workflow as a tree; YAML 1.1 reads its `on` as a boolean, so scalars stay text."""
    found = yaml.load(WORKFLOWS[name].read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert isinstance(found, dict)
    return found


def step(name: str, called: str) -> dict[str, Any]:
    """A step of its job."""
    (found,) = (one for one in workflow(name)["jobs"]["mesh"]["steps"] if one.get("name") == called)
    assert isinstance(found, dict)
    return found


def test_workflows_have_githubs_schema() -> None:
    arguments = ["--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS.values())]
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_the_code_and_write_the_comment_and_nothing_else(name: str) -> None:
    found = workflow(name)
    assert found["permissions"] == {"contents": "read"}
    assert [job["permissions"] for job in found["jobs"].values()] == [{"contents": "read", "pull-requests": "write"}]


def test_each_pull_request_has_exactly_one_of_the_workflows() -> None:
    conditions = {name: workflow(name)["jobs"]["mesh"]["if"] for name in WORKFLOWS}
    assert conditions["mesh-branch"].replace("==", "!=") == conditions["mesh-fork"]
    assert list(workflow("mesh-branch")["on"]) == ["pull_request"]
    assert list(workflow("mesh-fork")["on"]) == ["pull_request_target"]


def test_nothing_of_a_fork_is_checked_out_run_or_given_a_secret() -> None:
    text = WORKFLOWS["mesh-fork"].read_text(encoding="utf-8")
    assert "secrets." not in text
    checkout = workflow("mesh-fork")["jobs"]["mesh"]["steps"][0]
    assert checkout["uses"].startswith("actions/checkout@")
    assert "ref" not in checkout["with"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_text_of_a_pull_request_is_pasted_into_a_command(name: str) -> None:
    runs = [one["run"] for one in workflow(name)["jobs"]["mesh"]["steps"] if "run" in one]
    assert all("${{" not in run for run in runs)


@pytest.fixture
def pull_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository with the base branch checked out, beside a pull request that adds a cluster."""
    monkeypatch.chdir(tmp_path)
    git("init", "--initial-branch", "main")
    Path("mesh.yaml").write_text(OLD, encoding="utf-8")
    git("add", ".")
    git("commit", "-m", "one")
    git("checkout", "-b", "change")
    Path("mesh.yaml").write_text(NEW, encoding="utf-8")
    git("commit", "-a", "-m", "two")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    for name, revision in (("BASE", "main"), ("HEAD", "change")):
        monkeypatch.setenv(name, subprocess.check_output(["git", "rev-parse", revision], text=True).strip())


@pytest.mark.usefixtures("pull_request")
@pytest.mark.parametrize(("name", "checked_out"), [("mesh-branch", "change"), ("mesh-fork", "main")])
def test_the_steps_check_the_change_and_say_what_it_changes(name: str, checked_out: str) -> None:
    git("checkout", checked_out)
    for called in ("What is wrong, at its line", "What changes in the mesh"):
        # As GitHub runs it.
        subprocess.run(["bash", "-eo", "pipefail", "-c", step(name, called)["run"]], check=True)
    assert "plant-b joins" in Path("comment.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("pull_request")
def test_a_change_that_can_not_be_built_fails_the_job_and_is_still_a_comment() -> None:
    Path("mesh.yaml").write_text(NEW.replace("primary: east", "primary: nowhere"), encoding="utf-8")
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", step("mesh-branch", "What changes in the mesh")["run"]])
    assert done.returncode == 1
    assert "can't be built" in Path("comment.md").read_text(encoding="utf-8")


# comment.sh

GH = """\
#!/usr/bin/env bash
printf '%s\\n' "$*" >> calls
case "$*" in
  *--paginate*) cat ids ;;
  *body=@*) file=${@: -1}; cp "${file#body=@}" body ;;
esac
"""


def commented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ids: str, preview: str = "") -> list[str]:
    """Run comment.sh against a gh that knows comments of these numbers; what it was called with."""
    monkeypatch.chdir(tmp_path)
    Path("gh").write_text(GH, encoding="utf-8")
    Path("gh").chmod(0o755)
    Path("ids").write_text(ids, encoding="utf-8")
    Path("comment.md").write_text("<!-- istio-mesh diff -->\nwhat changes\n", encoding="utf-8")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_REPOSITORY": "acme/mesh", "PREVIEW": preview}
    subprocess.run([str(EXAMPLE / "comment.sh"), "7", "comment.md"], check=True, env=environment)
    return Path("calls").read_text(encoding="utf-8").splitlines()


def test_the_first_run_makes_a_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, write = commented(tmp_path, monkeypatch, ids="")
    assert write.startswith("api --silent --method POST repos/acme/mesh/issues/7/comments ")
    assert Path("body").read_text(encoding="utf-8").startswith("<!-- istio-mesh diff -->")


def test_the_next_run_changes_that_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look, write = commented(tmp_path, monkeypatch, ids="41\n")
    assert json.dumps("<!-- istio-mesh diff -->")[1:-1] in look
    assert write.startswith("api --silent --method PATCH repos/acme/mesh/issues/comments/41 ")


def test_what_pulumi_would_do_stands_below_and_is_cut_to_what_github_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commented(tmp_path, monkeypatch, ids="", preview="+ 60 resources\n" * 8000)
    body = Path("body").read_text(encoding="utf-8")
    assert "+ 60 resources" in body
    assert len(body) <= 65_536
    assert body.endswith("`````\n\n</details>\n")


def test_nothing_that_pulumi_prints_leaves_its_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commented(tmp_path, monkeypatch, ids="", preview="+ summary\n``````\n@acme/owners: approved\n")
    assert "acme" not in prose(Path("body").read_text(encoding="utf-8"))
