"""The flagship example in YAML and in TypeScript: the same mesh as in Python, by the package that each language adds.

One mesh serves the whole file, and its tests run in order. It is one stack in three languages, which is the proof that
they say the same: a program in another language finds nothing to change.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab import Cluster, LabError, Shape, sample
from lab.charts import charts_folder
from lab.paths import REPOSITORY
from lab.stack import Stack, copied

from .conftest import EXAMPLE, EXAMPLES, AStack, taken_down
from .observe import eventually

LAB = Shape(3)
MESH = ("c1", "c2", "c3")
SERVING = ("c2", "c3")


@pytest.fixture(scope="module")
def mesh(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("horizon", MESH, EXAMPLES / "split-horizon-yaml")
    replace(stack.program / "Pulumi.yaml", "istio-mesh: ../..", f"istio-mesh: {REPOSITORY}")
    stack.run("config", "set", "chartSource", charts_beside(stack.program))
    for name in MESH:
        # The lab's are JSON, of which Pulumi's YAML makes a mapping: in each language another text of the same.
        kubeconfig = yaml.safe_dump(json.loads(lab[name].kubeconfig))
        stack.run("config", "set", "--secret", name, text=kubeconfig)
    with taken_down(lab, stack):
        stack.up()
        sample.deploy((lab[name] for name in MESH), SERVING)
        yield stack


@pytest.fixture(scope="module")
def in_python(mesh: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    return in_language(mesh, EXAMPLE, tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="module")
def in_typescript(mesh: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Its SDK is what `pulumi package add` generates of this very repository and npm installs."""
    stack = in_language(mesh, EXAMPLES / "split-horizon-typescript", tmp_path_factory.mktemp("typescript"))
    stack.run("package", "add", str(REPOSITORY), stack=False)
    return stack


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def charts_beside(program: Path) -> str:
    """Istio's charts by a path that means them in the program's folder only."""
    (program / "charts").symlink_to(charts_folder())
    return "charts"


def in_language(mesh: Stack, program: Path, folder: Path) -> Stack:
    """The same stack, config and all, by another program."""
    charts_beside(copied(program, folder / "program"))
    config = f"Pulumi.{mesh.name}.yaml"
    shutil.copyfile(mesh.program / config, folder / "program" / config)
    return Stack(folder / "program", mesh.name)


def test_calls_of_a_mesh_declared_in_yaml_cross_it(mesh: Stack, lab: dict[str, Cluster]) -> None:
    answered = eventually(
        lambda: {sample.call(lab["c1"]).cluster for _ in range(12)}, lambda clusters: clusters == set(SERVING)
    )
    assert answered == set(SERVING)


def test_a_second_run_in_yaml_changes_nothing(mesh: Stack) -> None:
    mesh.up("--expect-no-changes")
    mesh.refresh_changes_nothing()


def test_what_is_secret_is_so_after_the_trip(mesh: Stack, lab: dict[str, Cluster]) -> None:
    state = json.dumps(mesh.state())
    assert "PRIVATE KEY" not in state
    for cluster in lab.values():
        for user in yaml.safe_load(cluster.kubeconfig)["users"]:
            assert all(secret not in state for secret in user["user"].values())


def test_the_program_in_typescript_compiles_strictly(in_typescript: Stack) -> None:
    done = in_typescript.command("npx", "--no-install", "tsc", "--noEmit")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_program_in_typescript_finds_nothing_to_change(in_typescript: Stack) -> None:
    in_typescript.up("--expect-no-changes")


def test_the_program_in_python_changes_nothing_of_the_mesh(in_python: Stack) -> None:
    """All that it does without is the provider that spoke for the package."""
    assert [step for step in in_python.preview() if step.type != "pulumi:providers:istio-mesh"] == []


WRONG = "2026-13-23"
ROOTS = {
    "Pulumi.yaml": ('issued: "2026-11-23"', f'issued: "{WRONG}"'),
    "index.ts": ('issued: "2026-11-23"', f'issued: "{WRONG}"'),
    "__main__.py": ("args)", f'{{**args, "trust": {{"roots": [{{"issued": "{WRONG}"}}]}}}})'),
}
"""What makes the root of a program begin in a thirteenth month, by its file."""


def refusal(stack: Stack, file: str) -> str:
    """What is said of such a program."""
    right, wrong = ROOTS[file]
    replace(stack.program / file, right, wrong)
    with pytest.raises(LabError) as refused:
        stack.run("preview", "--non-interactive")
    replace(stack.program / file, wrong, right)
    assert not re.search(r"Traceback|\.py\b|Error:", str(refused.value))
    (problems,) = re.findall(r"Mesh 'horizon': 1 problem\n\s+trust.+?see: \S+", str(refused.value), re.DOTALL)
    return str(problems)


def test_a_refusal_has_the_same_words_in_every_language(mesh: Stack, in_typescript: Stack, in_python: Stack) -> None:
    said = refusal(in_python, "__main__.py")
    assert "trust.roots.0.issued: it should be a valid date" in said
    assert said == refusal(mesh, "Pulumi.yaml") == refusal(in_typescript, "index.ts")
