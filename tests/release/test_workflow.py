"""The workflow that publishes: valid, with least rights. It has never run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

FILE = Path(__file__).parents[2] / ".github" / "workflows" / "release.yaml"
# YAML 1.1 reads `on` as a boolean, so scalars stay text.
WORKFLOW = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def test_it_has_githubs_schema() -> None:
    arguments = ["--builtin-schema", "vendor.github-workflows", str(FILE)]
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_only_a_tag_of_a_version_starts_it() -> None:
    assert WORKFLOW["on"] == {"push": {"tags": ["v*"]}}


def test_what_runs_the_builds_code_can_publish_nothing_and_what_publishes_runs_no_code() -> None:
    build, publish = WORKFLOW["jobs"]["build"], WORKFLOW["jobs"]["publish"]
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert build["permissions"] == {"contents": "read", "id-token": "write", "attestations": "write"}
    # PyPI's trusted publisher is bound to the environment, which only this job has.
    assert "environment" not in build
    assert (publish["environment"], publish["permissions"]) == ("pypi", {"id-token": "write"})
    assert not [step for step in publish["steps"] if "checkout" in step.get("uses", "")]


def test_it_needs_no_secret() -> None:
    assert "secrets." not in FILE.read_text(encoding="utf-8")
