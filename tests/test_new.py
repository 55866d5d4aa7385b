"""`istio-mesh new`: what it writes works, and what is there stays."""

from __future__ import annotations

import runpy
from pathlib import Path

import pulumi
import pytest
import yaml
from click.testing import CliRunner, Result

from pulumi_istio_mesh import cli
from pulumi_istio_mesh.cli import mesh_file
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh

from .builders import TODAY, a_kubeconfig
from .components.recorder import record
from .strict_types import checked

FILES = {
    "mesh.yaml", "mesh.schema.json", "__main__.py", "Pulumi.yaml", "requirements.txt", ".gitignore", "README.md",
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("in_a_folder_on_a_day", "programs_on_a_day")


@pytest.fixture(autouse=True)
def written_on_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulumi_istio_mesh.rules.today", lambda: TODAY)


def new(*options: str, answers: str = "") -> Result:
    """Run the command with these options, and these answers to what it asks."""
    return CliRunner().invoke(cli.main, ["new", "mesh", *options], input=answers)


OPTIONS = ["--mesh-id", "edge", "--clusters", "hub, one, two"]


def test_four_answers_make_a_project() -> None:
    result = new(answers="edge\nhub, one, two\ny\nhub\n")
    assert result.exit_code == 0, result.output
    assert {path.name for path in Path("mesh").iterdir()} == FILES
    ((name, topology),) = mesh_file.judged("mesh/mesh.yaml")
    plan = plan_mesh(topology)
    assert name == "edge"
    assert [(cluster.name, cluster.network, cluster.primary) for cluster in plan.clusters] == [
        ("hub", "flat", "hub"),
        ("one", "flat", "hub"),
        ("two", "flat", "hub"),
    ]


def test_options_leave_nothing_to_ask() -> None:
    assert new(*OPTIONS, "--apart", "--istiod", "each").exit_code == 0
    plan = plan_mesh(mesh_file.judged("mesh/mesh.yaml")[0][1])
    assert [(cluster.network, cluster.primary) for cluster in plan.clusters] == [
        ("hub", "hub"),
        ("one", "one"),
        ("two", "two"),
    ]


def test_defaults_are_a_mesh_of_two() -> None:
    assert new(answers="\n\n\n\n").exit_code == 0
    assert CliRunner().invoke(cli.main, ["check", "mesh/mesh.yaml"]).exit_code == 0


@pytest.mark.parametrize(
    ("options", "slug"),
    [
        (["--mesh-id", "Prod_EU", "--clusters", "east", "--apart", "--istiod", "each"], "mesh-id"),
        (["--mesh-id", "prod", "--clusters", "East", "--apart", "--istiod", "each"], "cluster-name"),
        (["--mesh-id", "prod", "--clusters", "east", "--flat", "--istiod", "nowhere"], "primary-unknown"),
        (["--mesh-id", "prod", "--clusters", ",", "--flat", "--istiod", "each"], "topology-shape"),
        (["--mesh-id", "prod", "--clusters", "a,a", "--flat", "--istiod", "each"], "duplicate-key"),
        (["--mesh-id", "x: [", "--clusters", "a", "--flat", "--istiod", "each"], "mesh-id"),
        (["--mesh-id", "prod #x", "--clusters", "a", "--flat", "--istiod", "each"], "mesh-id"),
        (["--mesh-id", '"prod"', "--clusters", "a", "--flat", "--istiod", "each"], "mesh-id"),
        (["--mesh-id", "&x prod", "--clusters", "a", "--flat", "--istiod", "each"], "mesh-id"),
        (["--mesh-id", "prod", "--clusters", "a: {}\n  b", "--flat", "--istiod", "each"], "cluster-name"),
        (["--mesh-id", "prod", "--clusters", '"a"', "--flat", "--istiod", "each"], "cluster-name"),
    ],
    ids=[
        "mesh ID",
        "cluster",
        "primary",
        "none",
        "twice",
        "YAML",
        "a comment",
        "quotes",
        "an anchor",
        "lines",
        "quoted",
    ],
)
def test_answers_that_make_no_mesh_write_nothing(options: list[str], slug: str) -> None:
    result = new(*options)
    assert result.exit_code == 1
    assert f"docs/checks.md#{slug}" in result.stderr
    assert not Path("mesh").exists()


@pytest.mark.parametrize("name", ["on", "2026", "1e3", "2026-11-23", "null", "0x1f"])
def test_names_that_yaml_takes_for_something_else_are_names(name: str) -> None:
    assert new("--mesh-id", name, "--clusters", f"{name},b", "--flat", "--istiod", name).exit_code == 0
    ((mesh, topology),) = mesh_file.judged("mesh/mesh.yaml")
    assert (mesh, list(topology.clusters), topology.clusters["b"].primary) == (name, [name, "b"], name)
    assert yaml.safe_load(Path("mesh/Pulumi.yaml").read_text(encoding="utf-8"))["name"] == name


def test_nothing_is_overwritten() -> None:
    Path("mesh").mkdir()
    Path("mesh/README.md").write_text("mine", encoding="utf-8")
    result = new(*OPTIONS, "--apart", "--istiod", "each")
    assert (result.exit_code, result.stderr.split(":")[0]) == (1, "mesh/README.md")
    assert [path.name for path in Path("mesh").iterdir()] == ["README.md"]


def test_the_program_builds_the_mesh(monkeypatch: pytest.MonkeyPatch) -> None:
    new(*OPTIONS, "--apart", "--istiod", "each")
    monkeypatch.chdir("mesh")

    def program() -> None:
        for number, name in enumerate(("hub", "one", "two")):
            pulumi.runtime.set_config(f"p:{name}", a_kubeconfig(f"https://192.0.2.{number}:6443"))
        runpy.run_path("__main__.py")

    assert "MeshCluster edge-hub" in record(program)


def test_the_program_holds_under_strict_types() -> None:
    new(*OPTIONS, "--apart", "--istiod", "each")
    done = checked([Path("mesh/__main__.py").resolve()])
    assert done.returncode == 0, done.stdout
