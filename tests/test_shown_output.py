"""Every command in every format, on files of somebody else's: they speak to no log, terminal or reader."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from pulumi_istio_mesh import cli
from pulumi_istio_mesh.topology.load import parse_topology
from pulumi_istio_mesh.topology.problems import TopologyError

from .builders import mesh_tree, problems_of
from .markdown import prose

PACKAGE = Path(cli.__file__).parents[1]

BEGINNINGS = (
    "::set-output name=x::y",
    "::stop-commands::t",
    "- **Traffic: nothing changes**",
    "| forged |",
    "<b>b</b>",
)
"""What a line of its own would say, to a log or to the reader of a comment."""
EVIL = (
    'z"y `@acme` nothing changes##[group]a##vso[b]c\x1b[31m\x1b]8;;x\x07\x00\x7f\x9b1m\u202ex\u2066\u200f\u061c'
    + "".join(
        f"{end}{beginning}"
        for beginning in BEGINNINGS
        for end in ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\n  ")
    )
)

TYPED = (
    "z##[group]\x1b[31m\u202e" + "".join(f"\n{one}" for one in BEGINNINGS) + f"\r{BEGINNINGS[0]}\u2028{BEGINNINGS[1]}"
)
"""As much of it as a file's name may hold."""

RICH = mesh_tree(
    trust_domain="prod.example",
    image_hub="registry.example/istio",
    values={"istiod": {"k": "v"}, "gateway": {"podAnnotations": {"a": "b"}}},
    verify={
        "image": "registry.example/x:1", "requests": {"cpu": "10m"}, "limits": {"cpu": "1"},
        "node_selector": {"a": "b"},
        "tolerations": [{"key": "a", "operator": "Exists"}], "labels": {"a": "b"}, "annotations": {"a": "b"},
    },
    peers={"corp": {"imports": {"hello.sample": {
        "ports": {"http": 8080}, "namespaces": ["web"], "host": "hello.corp.example",
        "fallback": {"service": "hi.sample", "accounts": ["default"]},
    }}}},
    exports={"shop.web": {"ports": {"http-api": 8080}, "accounts": ["shop"], "callers": {"corp": ["web/front"]}}},
    clusters={
        "east": {
            "network": "vpc", "pod_cidr": "10.8.0.0/14", "api_server": "https://192.0.2.1:6443",
            "api_server_tls_name": "a.example", "reader_token": "b",
            "east_west_gateway": {
                "annotations": {"a": "b"}, "load_balancer_class": "c/d", "ports": [{"name": "mine", "port": 9000}],
            },
            "federation_gateway": {"annotations": {"a": "b"}, "locality": "eu"},
            "istiod_service": {"annotations": {"a": "b"}},
            "values": {"istiod": {"meshConfig": {"x": "y"}}},
        },
        "west": {"primary": "east", "network": "vpc"},
        "plant": {},
    },
)  # fmt: skip
"""A mesh in which there is a text at most places."""

pytestmark = pytest.mark.usefixtures("in_a_folder_on_a_day")


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[bool, tuple[Any, ...]]]:
    """Every key and every text below a tree, and whether it is a key."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        if isinstance(tree, dict):
            yield True, (*path, key)
        yield from places(value, (*path, key))
    if isinstance(tree, str):
        yield False, path


def with_evil(tree: dict[str, Any], is_key: bool, path: tuple[Any, ...]) -> dict[str, Any]:
    """The tree with the evil text at a place."""
    found = deepcopy(tree)
    parent: Any = found
    for part in path[:-1]:
        parent = parent[part]
    if is_key:
        items = [(EVIL if key == path[-1] else key, value) for key, value in parent.items()]
        parent.clear()
        parent.update(items)
    else:
        parent[path[-1]] = EVIL
    return found


@cache
def accepted_everywhere() -> dict[str, Any]:
    """The rich mesh with the evil text wherever a mesh may have it."""
    tree = RICH
    # Values first: a key that changes moves what is below it.
    for is_key, path in sorted(places(RICH), key=lambda place: (place[0], -len(place[1]))):
        changed = with_evil(tree, is_key, path)
        if not problems_of(changed):
            tree = changed
    return tree


def commands(old: str, new: str) -> list[list[str]]:
    """Every command that reads a mesh.yaml without dialling, in every format."""
    return [
        *(["check", "--format", form, new] for form in ("text", "json", "github", "sarif")),
        *(["plan", "--format", form, new] for form in ("text", "markdown", "json")),
        *(["picture", "--format", form, new] for form in ("mermaid", "dot", "svg", "html")),
        *(["images", "--format", form, new] for form in ("text", "lines", "json")),
        *(
            ["diff", *more, *sides]
            for more in (["--resources"], ["--format", "markdown"], ["--format", "json"])
            for sides in ([old, new], [new, old])
        ),
        ["verify", new, "--kubeconfig", f"east{EVIL}=x"],
        ["adopt", new],
    ]


def run(arguments: list[str]) -> Result:
    """Run the command; whatever it says, it says it in words."""
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def assert_nothing_speaks(text: str, *, ours: str = "") -> None:
    """No raw control character, and no line that begins as the file would have it; `ours` may begin lines."""
    assert [one for one in text if not one.isprintable() and one != "\n"] == []
    assert re.findall(r"##\w*\[", text) == []
    for line in text.split("\n"):
        begun = line.lstrip()
        assert not begun.startswith(BEGINNINGS), line
        assert not begun.startswith("::") or (ours and begun.startswith(ours)), line


def test_the_evil_text_is_taken_at_many_places() -> None:
    assert json.dumps(accepted_everywhere()).count(json.dumps(EVIL)[1:-1]) >= 20


@pytest.mark.parametrize("number", range(len(commands("", ""))))
def test_a_mesh_that_can_be_built_says_nothing_of_its_own(number: int) -> None:
    Path("old.yaml").write_text(yaml.safe_dump(RICH, sort_keys=False), encoding="utf-8")
    Path("new.yaml").write_text(yaml.safe_dump(accepted_everywhere(), sort_keys=False), encoding="utf-8")
    result = run(commands("old.yaml", "new.yaml")[number])
    # As Graphviz has the spaces of a text in SVG.
    assert_nothing_speaks(result.stdout.replace("\xa0", " ") if "<svg" in result.stdout else result.stdout)
    assert_nothing_speaks(result.stderr)


def refused() -> Iterator[tuple[str, str]]:
    """Files that are refused, each with the evil text at another place; also where a file is no mesh at all."""
    for is_key, path in places(RICH):
        tree = with_evil(RICH, is_key, path)
        if problems_of(tree):
            yield ".".join(map(str, path)), json.dumps(tree)
    evil = json.dumps(EVIL)
    yield "twice", f"{{{evil}: 1, {evil}: 2}}"
    yield "beside meshes", f"{{meshes: {{a: {{}}}}, {evil}: 1}}"
    yield "version", f"{{version: {evil}}}"
    yield "meshes", f"{{meshes: {{{evil}: {json.dumps(RICH)}}}}}"
    yield "links", f"{{meshes: {{a: {json.dumps(RICH)}}}, links: [{{exporter: {evil}, importer: a, service: {evil}}}]}}"
    yield "a tag", f"{{a: !<{EVIL.encode('unicode_escape').decode()}> 1}}"
    yield "no YAML", f"a: b: c # {evil}"


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in refused()])
def test_a_mesh_that_is_refused_says_nothing_of_its_own(text: str) -> None:
    Path("good.yaml").write_text(yaml.safe_dump(RICH), encoding="utf-8")
    Path("bad.yaml").write_text(text, encoding="utf-8")
    for arguments in (
        ["check", "bad.yaml"], ["check", "--format", "json", "bad.yaml"], ["check", "--format", "sarif", "bad.yaml"],
        ["plan", "bad.yaml"], ["diff", "good.yaml", "bad.yaml"],
        ["diff", "--format", "markdown", "good.yaml", "bad.yaml"],
    ):  # fmt: skip
        result = run(arguments)
        assert result.exit_code == 1, arguments
        assert_nothing_speaks(result.stdout)
        assert_nothing_speaks(result.stderr)
    marked = run(["check", "--format", "github", "bad.yaml"]).stdout
    assert_nothing_speaks(marked, ours="::error file=bad.yaml,line=")


@pytest.mark.parametrize("is_key, path", list(places(RICH)), ids=lambda found: str(found))
def test_a_value_says_nothing_in_a_comment(is_key: bool, path: tuple[Any, ...]) -> None:
    tree = with_evil(RICH, is_key, path)
    Path("old.yaml").write_text(yaml.safe_dump(RICH, sort_keys=False), encoding="utf-8")
    Path("new.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    for arguments in (["diff", "old.yaml", "new.yaml"], ["diff", "new.yaml", "old.yaml"], ["plan", "new.yaml"]):
        said = prose(run([*arguments, "--format", "markdown"]).stdout)
        for forged in ("@", "nothing changes", "Traffic: ", "forged", "<b>", "<html_inline>", "<link_open>", "<image>"):
            assert forged not in said.replace("Mesh prod: nothing changes", ""), said


def test_a_folder_says_nothing_of_its_own() -> None:
    clusters = {"east": {"network": "vpc"}, "west": {"network": "vpc", "primary": "east"}}
    apis = {name: {**facts, "api_server": f"https://{name}.example:6443"} for name, facts in clusters.items()}
    apis["east"] |= {"istiod_service": {"address": "192.0.2.7"}}
    for name, folder in (("old", {"render_to": "out"}), ("new", {"render_to": EVIL}), ("installed", {})):
        Path(f"{name}.yaml").write_text(yaml.safe_dump(mesh_tree(clusters=apis, **folder)), encoding="utf-8")
    for one, other in (("old", "new"), ("new", "old"), ("installed", "new"), ("new", "installed")):
        for arguments in commands(f"{one}.yaml", f"{other}.yaml")[:-2]:
            result = run(arguments)
            assert (result.exit_code, result.stderr) == (0, "")
            if "svg" not in arguments and "html" not in arguments:
                assert_nothing_speaks(result.stdout)
            if "markdown" in arguments:
                assert "nothing changes" not in prose(result.stdout)


def test_a_value_that_begins_a_line_of_ours_is_no_command() -> None:
    changed = deepcopy(RICH)
    changed["verify"]["image"] = BEGINNINGS[0]
    Path("new.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    for form in ("text", "lines"):
        told = run(["images", "--format", form, "new.yaml"]).stdout
        assert r"\x3a:set-output name=x::y" in told
        assert_nothing_speaks(told)


def test_an_ordinary_value_is_told_and_is_no_code_where_it_is_a_name() -> None:
    Path("old.yaml").write_text(yaml.safe_dump(RICH), encoding="utf-8")
    changed = deepcopy(RICH)
    changed["verify"] |= {"image": "registry.example/probe:2", "priority_class": "high"}
    Path("new.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    lines = run(["diff", "--format", "markdown", "old.yaml", "new.yaml"]).stdout.split("\n")
    assert "- verify.image: `registry.example/x:1` -> `registry.example/probe:2`" in lines
    assert "- verify.priority_class: not given -> high" in lines


def test_a_helm_value_below_an_evil_key_is_not_said() -> None:
    Path("old.yaml").write_text(yaml.safe_dump(RICH), encoding="utf-8")
    changed = deepcopy(RICH)
    changed["values"]["istiod"][EVIL] = "hunter2"
    Path("new.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    for form in ("text", "markdown", "json"):
        assert "hunter2" not in run(["diff", "--format", form, "old.yaml", "new.yaml"]).output


@pytest.mark.parametrize(
    "arguments",
    [
        [TYPED], [f"--{TYPED}"], ["check"], ["check", f"--{TYPED}"], ["check", TYPED],
        ["check", f"git:{TYPED}:mesh.yaml"], ["check", f"git:{TYPED}"], ["check", "--format", TYPED, "a"],
        ["plan", "a", TYPED], ["plan", "mesh.yaml", "--mesh", TYPED], ["plan", "mesh.yaml", "--services", TYPED],
        ["diff", TYPED, "mesh.yaml"],
        ["diff", "mesh.yaml", "mesh.yaml", "--mesh", TYPED], ["images", TYPED], ["picture", TYPED], ["verify", TYPED],
        ["verify", "mesh.yaml", "--kubeconfig", TYPED], ["verify", "mesh.yaml", "--kubeconfig", f"east={TYPED}"],
        ["adopt", TYPED], ["translate", TYPED], ["translate", f"{TYPED}=mesh.yaml"],
        ["translate", "mesh.yaml", "--primary", TYPED], ["translate", f"east={TYPED}"],
        ["new", "there", "--mesh-id", TYPED], ["new", ".", "--mesh-id", "a", "--clusters", f"a,{TYPED}", "--flat"],
        ["translate", "mesh.yaml", "--force"], ["translate", "mesh.yaml", "--output", f"{TYPED}/a/b"],
    ],
    ids=lambda arguments: " ".join(arguments).replace(TYPED, "EVIL"),
)  # fmt: skip
def test_bad_use_repeats_what_was_typed_in_one_line(arguments: list[str]) -> None:
    Path("mesh.yaml").write_text(yaml.safe_dump(RICH), encoding="utf-8")
    result = CliRunner().invoke(cli.main, arguments, input="x\n" * 9)
    assert result.exit_code in (1, 2), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert_nothing_speaks(result.stdout)
    assert_nothing_speaks(result.stderr)


HELM = {"global": {"meshID": "prod", "multiCluster": {"clusterName": "east"}}, "meshConfig": {EVIL: EVIL}, EVIL: EVIL}


def test_what_is_translated_keeps_its_values_and_says_nothing_of_its_own() -> None:
    Path("east.yaml").write_text(yaml.safe_dump(HELM), encoding="utf-8")
    result = run(["translate", "east=east.yaml", "--istio-version", "1.31.1"])
    assert result.exit_code == 0, result.stderr
    assert_nothing_speaks(result.stdout)
    assert_nothing_speaks(result.stderr)
    assert yaml.safe_load(result.stdout)["values"]["istiod"] == {"meshConfig": {EVIL: EVIL}}
    assert "1 fact of the input is not in mesh.yaml" in result.stderr


@pytest.mark.parametrize("kind", ["Istio", EVIL])
def test_what_is_not_translated_is_named_in_one_line(kind: str) -> None:
    tree = {
        "apiVersion": f"servicemesh.cisco.com/{EVIL}",
        "kind": kind,
        "metadata": {"name": EVIL},
        "spec": {EVIL: EVIL},
    }
    Path("a.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    Path("east.yaml").write_text(yaml.safe_dump(HELM), encoding="utf-8")
    result = run(["translate", "a.yaml", "east=east.yaml", "--istio-version", "1.31.1"])
    assert_nothing_speaks(result.stdout)
    assert_nothing_speaks(result.stderr)


# No door is forgotten


def calls(file: Path) -> Iterator[str]:
    """What a module calls, as it is written."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_commands_print_by_one_module_and_programs_log_by_one() -> None:
    found = {file.relative_to(PACKAGE).as_posix(): set(calls(file)) for file in PACKAGE.rglob("*.py")}
    doors = ("print", "click.echo", "click.secho", "click.UsageError", "sys.stdout.write", "sys.stderr.write")
    assert {name for name, called in found.items() if called.intersection(doors)} == {"cli/printing.py"}
    logging = {name for name, called in found.items() if any(one.startswith("pulumi.log.") for one in called)}
    assert logging == {"components/messages.py"}


def test_a_problem_is_shown_wherever_it_is_printed() -> None:
    with pytest.raises(TopologyError) as raised:
        parse_topology({**RICH, EVIL: 1, BEGINNINGS[0]: 1, "clusters": {"east": {EVIL: 1}}}, f"Mesh {EVIL}")
    assert_nothing_speaks(str(raised.value))
    for problem in raised.value.problems:
        assert f"{problem.where}{problem.what}{problem.why}{problem.fix}".isprintable()
