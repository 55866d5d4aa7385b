"""The command `istio-mesh`, as a person or a pipeline runs it: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh import __version__, cli

from .builders import TODAY
from .topology.files import GOOD, a_file, instead
from .topology.test_load import TWO

EXAMPLE = Path(__file__).parents[1] / "examples" / "split-horizon" / "mesh.yaml"

WRONG = """\
mesh_id: prod
istio_version: "1.29.0"
clusters:
  east: {network: vpc, pod_cidr: 10.8.0.0/14}
  west: {network: vpc, pod_cidr: 10.8.0.0/16, api_server: "https://127.0.0.1:6443"}
  plant: {primary: nowhere}
"""


SERVED = """\
mesh_id: prod
istio_version: "1.31.1"
trust: {roots: [{issued: "2026-11-23"}]}
clusters:
  east: {network: vpc}
  west: {network: vpc, primary: east}
  plant: {discovers: [east]}
"""


pytestmark = pytest.mark.usefixtures("in_a_folder_on_a_day")


def check(*texts: str) -> Result:
    """Run `istio-mesh check` on files with these texts, called a.yaml, b.yaml and so on."""
    names = [f"{letter}.yaml" for letter, _ in zip("abc", texts, strict=False)]
    for name, text in zip(names, texts, strict=True):
        Path(name).write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli.main, ["check", *names])


def test_a_mesh_that_can_be_built_is_told_what_it_will_be(golden_text: SnapshotAssertion) -> None:
    result = check(GOOD)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout == golden_text


def test_everything_that_is_wrong_is_said_with_its_line(golden_text: SnapshotAssertion) -> None:
    result = check(WRONG)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == golden_text


def test_every_mesh_of_a_file_is_judged(golden_text: SnapshotAssertion) -> None:
    result = check(TWO)
    assert result.exit_code == 0
    assert result.stdout == golden_text


def test_problems_of_two_meshes_are_one_list_with_their_paths() -> None:
    result = check(TWO.replace('"1.31.1"', '"1.29.0"').replace("plant: {}", "Plant: {}"))
    assert result.exit_code == 1
    lines = [line.split(": ")[0:2] for line in result.stderr.splitlines() if line.startswith("  a.yaml")]
    assert lines == [
        ["  a.yaml:3:5", "meshes.blue.istio_version"],
        ["  a.yaml:7:5", "meshes.green.istio_version"],
        ["  a.yaml:9:16", "meshes.green.clusters.Plant"],
    ]
    assert result.stderr.startswith("a.yaml: 3 problems\n")


def test_a_misshapen_mesh_does_not_hide_the_problems_of_another() -> None:
    result = check(TWO.replace('"1.31.1"', "1.31", 1).replace("plant: {}", "Plant: {}"))
    assert result.stderr.startswith("a.yaml: 2 problems\n")


def test_every_file_is_judged_also_after_a_bad_one() -> None:
    result = check(WRONG, GOOD, "a: b: c")
    assert result.exit_code == 1
    assert result.stdout.startswith("b.yaml: mesh prod: ok. ")
    assert "a.yaml: 5 problems" in result.stderr
    assert "c.yaml: 1 problem" in result.stderr


def test_a_mesh_of_one_cluster_is_told_of_in_the_singular() -> None:
    result = check('mesh_id: m\nistio_version: "1.30.2"\ntrust: {kind: external}\nclusters: {east: {}}\n')
    assert result.stdout == (
        "a.yaml: mesh m: ok. 1 cluster on 1 network, 0 east-west gateways, 0 remote secrets, Istio 1.30.2\n"
    )


def test_the_flagship_example_can_be_built() -> None:
    result = CliRunner().invoke(cli.main, ["check", str(EXAMPLE)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "3 clusters on 3 networks, 3 east-west gateways, 6 remote secrets" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [["check"], ["check", "nowhere.yaml"], ["check", "."], ["checks", "a.yaml"], ["check", "--strict", "a.yaml"]],
    ids=["no file", "a file that isn't there", "a folder", "an unknown command", "an unknown option"],
)
def test_bad_use_ends_with_two(arguments: list[str]) -> None:
    a_file(Path())
    Path("mesh.yaml").rename("a.yaml")
    assert CliRunner().invoke(cli.main, arguments).exit_code == 2


@pytest.mark.parametrize(
    "name", ["x" * 5000, "a/" * 5000, "a\0b", "\ud800"], ids=["long", "deep", "NUL", "no character"]
)
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "NAME"],
        ["check", "git:NAME:mesh.yaml"],
        ["check", "git:HEAD:NAME"],
        ["plan", "NAME"],
        ["images", "NAME"],
        ["diff", "NAME", "a.yaml"],
        ["translate", "NAME"],
        ["translate", "east=NAME"],
        ["translate", "installer.yaml", "--output", "NAME"],
        ["verify", "NAME"],
        ["verify", "a.yaml", "--kubeconfig", "east=NAME"],
        ["verify", "a.yaml", "--kubeconfig", "east=NAME:context"],
        ["adopt", "NAME"],
        ["adopt", "a.yaml", "--output", "NAME"],
        ["new", "NAME", "--mesh-id", "m", "--clusters", "east", "--flat", "--istiod", "each"],
    ],
    ids=" ".join,
)
def test_a_name_that_no_file_can_have_is_bad_use(
    arguments: list[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulumi_istio_mesh.rules.today", lambda: TODAY)
    a_file(Path())
    Path("mesh.yaml").rename("a.yaml")
    Path("installer.yaml").write_text("global: {meshID: m, tag: 1.31.1, multiCluster: {clusterName: east}}\n")
    result = CliRunner().invoke(cli.main, [argument.replace("NAME", name) for argument in arguments])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_charts_in_a_folder_that_can_not_be_are_not_there(name: str) -> None:
    Path("mesh.yaml").write_text(f"{GOOD}chart_source: {json.dumps(name)}\n")
    result = CliRunner().invoke(cli.main, ["check", "mesh.yaml"])
    assert (result.exit_code, "#chart-source" in result.stderr) == (1, True)


def test_a_file_that_is_no_text_is_bad_use() -> None:
    Path("a.yaml").write_bytes(b"\xff\xfe\x00")
    result = CliRunner().invoke(cli.main, ["check", "a.yaml"])
    assert result.exit_code == 2
    assert "a.yaml can't be read: UnicodeDecodeError" in result.stderr


def test_a_credential_in_the_file_is_never_printed() -> None:
    result = check(instead("plant: {", "plant: {kubeconfig: {token: hunter2}, "), instead("prod", "hunter2 : ["))
    assert result.exit_code == 1
    assert "hunter2" not in result.output


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(cli.main, ["--version"]).stdout == f"istio-mesh, version {__version__}\n"


# istio-mesh plan, istio-mesh picture


def run(command: str, text: str, *options: str) -> Result:
    """Run a command on a file with this text."""
    Path("a.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli.main, [command, "a.yaml", *options])


def test_a_plan_says_who_is_served_by_whom_and_who_calls_whom(golden_text: SnapshotAssertion) -> None:
    result = run("plan", SERVED)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == golden_text


def test_a_picture_is_mermaid_and_nothing_else() -> None:
    result = run("picture", SERVED)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("flowchart LR\n")


@pytest.mark.parametrize("command", ["plan", "picture"])
def test_a_mesh_that_can_not_be_built_is_not_planned_but_judged(command: str) -> None:
    result = run(command, WRONG)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == check(WRONG).stderr


def test_one_of_several_meshes_is_planned_by_its_name() -> None:
    assert run("plan", TWO).stdout.count(": ok. ") == 2
    assert run("plan", TWO, "--mesh", "green").stdout.startswith("mesh green: ok.")
    assert run("plan", TWO, "--mesh", "red").exit_code == 2


def test_a_picture_shows_all_meshes_of_a_file_or_one() -> None:
    both = run("picture", TWO).stdout
    assert (both.count('["mesh blue"]'), both.count('["mesh green"]')) == (1, 1)
    assert '["mesh' not in run("picture", TWO, "--mesh", "blue").stdout


def test_a_picture_of_meshes_with_clusters_of_one_name_asks_which_one() -> None:
    result = run("picture", TWO.replace("plant: {}", "west: {}"))
    assert result.exit_code == 2
    assert "a.yaml has west in several meshes: choose one, --mesh blue" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_the_command(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ISTIO_MESH_COMPLETE", f"{shell}_source")
    result = CliRunner().invoke(cli.main, [], prog_name="istio-mesh")
    assert "_ISTIO_MESH_COMPLETE=" in result.stdout


def test_an_address_in_brackets_is_no_style_of_a_table() -> None:
    text = SERVED.replace("plant: {", 'plant: {api_server: "https://[fd00::1]:6443", ')
    assert "https://[fd00::1]:6443" in run("plan", text).stdout
