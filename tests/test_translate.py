"""`istio-mesh translate`: a mesh of another installer as a mesh.yaml, and nothing of it lost in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given, settings, strategies as st
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh import cli
from pulumi_istio_mesh.cli import mesh_file
from pulumi_istio_mesh.topology.load import read_mesh_text
from pulumi_istio_mesh.topology.models import Topology
from pulumi_istio_mesh.topology.yaml_text import read_documents
from pulumi_istio_mesh.translation.credentials import is_credential
from pulumi_istio_mesh.translation.documents import HELM as HELM_KIND, Input
from pulumi_istio_mesh.translation.mesh import Choices, Translation, translate
from pulumi_istio_mesh.translation.sources import SOURCES
from pulumi_istio_mesh.translation.written import mesh_text

from . import installers

pytestmark = pytest.mark.usefixtures("in_a_folder_on_a_day")

NAMELESS = installers.SAIL_WEST.replace("west", "")
ON_X, ON_Y = ({"network": "x"}, {"network": "y"})

SOME = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n"


def run(*arguments: str, **files: str) -> Result:
    """Run `istio-mesh translate` beside files of these texts; each argument that is one's name is that file."""
    for name, text in files.items():
        Path(f"{name}.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli.main, ["translate", *arguments])


def operator(**values: Any) -> str:
    """An IstioOperator with these values, of cluster east in mesh m unless they say otherwise."""
    tree = {"global": {"meshID": "m", "tag": "1.31.1", "multiCluster": {"clusterName": "east"}}}
    tree["global"] |= values.pop("global_", {})
    return SOME + yaml.safe_dump({"values": {**tree, **values}}).replace("\n", "\n  ").join(["  ", "\n"])


def mesh_of(result: Result) -> Topology:
    """The mesh that was written, which can be built."""
    assert result.exit_code == 0, result.stderr
    Path("mesh.yaml").write_text(result.stdout, encoding="utf-8")
    ((_, topology),) = mesh_file.judged("mesh.yaml")
    return topology


def slugs(result: Result) -> list[str]:
    """The problems that were told."""
    assert (result.exit_code, result.stdout) == (1, "")
    return [line.rpartition("#")[2] for line in result.stderr.splitlines() if line.strip().startswith("see: ")]


# Each installer


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ({"banzai": installers.BANZAI}, ["banzai.yaml", "--istio-version", "1.31.1"]),
        (
            {"active": installers.CISCO_ACTIVE, "passive": installers.CISCO_PASSIVE},
            ["active.yaml", "passive.yaml", "--istio-version", "1.31.1"],
        ),
        ({"east": installers.SAIL_EAST, "west": installers.SAIL_WEST}, ["east.yaml", "west.yaml"]),
        ({"one": installers.OPERATOR, "two": installers.OPERATOR_REMOTE}, ["one.yaml", "two.yaml"]),
        ({"east": installers.HELM, "west": installers.HELM}, ["east=east.yaml", "west=west.yaml"]),
    ],
    ids=["banzai", "cisco", "sail", "istioctl", "helm"],
)
def test_a_mesh_of_each_installer(files: dict[str, str], options: list[str], golden_text: SnapshotAssertion) -> None:
    result = run(*options, **files)
    mesh_of(result)
    assert "hunter2" not in result.output
    assert "BEGIN" not in result.output
    assert f"{result.stdout}\n--- standard error\n{result.stderr}" == golden_text


def test_a_remote_of_the_first_operator_is_served_by_its_istio_on_a_network_of_its_own() -> None:
    mesh = mesh_of(run("b.yaml", "--istio-version", "1.31.1", b=installers.BANZAI))
    assert (mesh.primary_of("plant"), mesh.networks) == ("central", ["network1", "plant"])
    flat = installers.BANZAI.replace("meshExpansion: true", "meshExpansion: false").replace(
        "  networkName: network1\n", ""
    )
    assert mesh_of(run("b.yaml", "--istio-version", "1.31.1", b=flat)).networks == ["flat"]


def test_a_name_for_a_file_is_its_primarys() -> None:
    mesh = mesh_of(run("hub=b.yaml", "--istio-version", "1.31.1", b=installers.BANZAI))
    assert {name: mesh.primary_of(name) for name in mesh.clusters} == {"hub": "hub", "plant": "hub"}


def test_clusters_that_name_no_network_share_one_as_they_do_to_istio() -> None:
    result = run("a=a.yaml", "b=b.yaml", a=installers.HELM, b=installers.HELM)
    assert mesh_of(result).networks == ["flat"]
    assert "to Istio their pods dial each other" in result.stdout


def test_a_mesh_stays_what_it_was_where_no_input_says_it() -> None:
    mesh = mesh_of(run("a.yaml", a=operator()))
    assert (mesh.identity_domain, mesh.mtls, mesh.dns_capture) == ("cluster.local", "permissive", False)
    assert mesh.trust.kind == "external"


def test_several_files_of_one_cluster_are_layers() -> None:
    result = run("e=a.yaml", "e=b.yaml", a=operator(autoscaleMin=2, replicaCount=1), b=operator(autoscaleMin=3))
    assert mesh_of(result).values["istiod"] == {"autoscaleMin": 3, "replicaCount": 1}
    assert (
        "a.yaml: spec.values.autoscaleMin: b.yaml: spec.values.autoscaleMin says it for this one, too" in result.stderr
    )


def test_true_and_one_are_two_values() -> None:
    west = {"global_": {"multiCluster": {"clusterName": "west"}}}
    mesh = mesh_of(run("a.yaml", "b.yaml", a=operator(cpu={"x": True}), b=operator(cpu={"x": 1}, **west)))
    assert mesh.values == {}
    assert [mesh.clusters[name].values["istiod"]["cpu"]["x"] for name in ("east", "west")] == [True, 1]


def test_a_gateway_of_istios_own_script_is_no_cluster() -> None:
    gateway = f"{SOME}  profile: empty\n  components: {{ingressGateways: [{{name: istio-eastwestgateway}}]}}\n"
    result = run("a.yaml", "g.yaml", a=operator(), g=gateway)
    assert list(mesh_of(result).clusters) == ["east"]
    assert "g.yaml: spec.components.ingressGateways.0" in result.stderr


def test_merged_keys_are_read() -> None:
    text = "x: &base {autoscaleMin: 2, replicaCount: 1}\n"
    given = text + "global: {meshID: m, tag: 1.31.1}\npilot:\n  <<: *base\n  autoscaleMin: 3\n"
    mesh = mesh_of(run("east=a.yaml", a=given))
    assert mesh.values["istiod"] == {"autoscaleMin": 3, "replicaCount": 1}
    listed = read_documents("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}\n", "f")
    assert listed[0]["c"] == {"x": 1, "y": 2}


def test_a_quoted_merge_key_is_no_value_of_a_mesh() -> None:
    values = {"cpu": {"<<": {"a": 1}, "b": 2}, "volumes": [{"x": {"<<": 1}}], "meshConfig": {"<<": 1}}
    result = run("a.yaml", a=operator(**values))
    # Written between quotes, so that nothing is merged.
    assert result.exit_code == 0, result.stderr
    assert "<<" not in result.stdout


# What can't be a mesh


def test_everything_that_contradicts_is_said_at_once(golden_text: SnapshotAssertion) -> None:
    east = operator(global_={"hub": "a"}, meshConfig={"trustDomain": "a.example"})
    west = operator(global_={"meshID": "n", "tag": "1.30.1", "hub": "b", "multiCluster": {"clusterName": "west"}})
    result = run("east.yaml", "west.yaml", "x.yaml", east=east, west=west, x="autoscaleMin: 2\n")
    assert sorted(slugs(result)) == ["cluster-name", *["inputs-differ"] * 4]
    assert result.stderr == golden_text


@pytest.mark.parametrize(
    ("arguments", "files", "found"),
    [
        (["a.yaml"], {"a": installers.OPERATOR_REMOTE}, {"primary-unknown", "missing-key"}),
        (["a.yaml"], {"a": installers.BANZAI}, {"istio-version"}),
        (["a.yaml"], {"a": operator(global_={"tag": "1.31"})}, {"istio-version"}),
        (["a.yaml"], {"a": operator(global_={"meshID": "Mesh_1"})}, {"mesh-id"}),
        (["a.yaml"], {"a": operator(global_={"network": "Net_1"})}, {"network-name"}),
        (["a.yaml"], {"a": operator(global_={"multiCluster": {"clusterName": "EAST"}})}, {"cluster-name"}),
        (["a.yaml"], {"a": operator(meshConfig={"trustDomain": "Shop"})}, {"trust-domain"}),
        (["a.yaml", "b.yaml"], {"a": NAMELESS, "b": NAMELESS}, {"inputs-differ"}),
        (["e=a.yaml", "e=b.yaml"], {"a": operator(global_=ON_X), "b": operator(global_=ON_Y)}, {"inputs-differ"}),
        (["a.yaml", "--primary", "west=east"], {"a": operator()}, {"primary-unknown"}),
        (["a.yaml"], {"a": "a: b: c"}, {"yaml-syntax"}),
        (["a.yaml"], {"a": "a: 1\na: 2\n"}, {"duplicate-key"}),
        (["a.yaml"], {"a": "- 1\n"}, {"topology-shape"}),
    ],
    ids=[
        "a remote alone", "an old version", "a short version", "mesh ID", "network", "cluster", "trust domain",
        "two objects of one name", "two networks", "a primary of none", "no YAML", "a key twice", "a list",
    ],
)  # fmt: skip
def test_what_can_be_no_mesh_is_refused(arguments: list[str], files: dict[str, str], found: set[str]) -> None:
    assert set(slugs(run(*arguments, **files))) == found


def test_what_is_missing_hides_nothing_that_is_wrong() -> None:
    found = slugs(run("EAST=a.yaml", "b.yaml", a="global: {network: Net_1}\n", b="autoscaleMin: 2\n"))
    assert sorted(found) == ["cluster-name", "cluster-name", "missing-key", "missing-key", "network-name"]


def test_options_say_what_no_file_says() -> None:
    first = operator()
    second = operator(global_={"multiCluster": {"clusterName": "west"}})
    remote = installers.OPERATOR_REMOTE
    assert slugs(run("a.yaml", "b.yaml", "r.yaml", a=first, b=second, r=remote)) == ["primary-unknown"]
    options = ["--primary", "cluster2=west", "--mesh-id", "prod", "--istio-version", "1.30.2"]
    result = run("a.yaml", "b.yaml", "r.yaml", *options)
    mesh = mesh_of(result)
    assert (mesh.mesh_id, mesh.istio_version, mesh.primary_of("cluster2")) == ("prod", "1.30.2", "west")
    assert "a.yaml: spec.values.global.meshID: the mesh ID is to be prod, by --mesh-id; nothing to do" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nowhere.yaml"],
        ["."],
        ["=a.yaml"],
        ["east="],
        ["a.yaml", "--primary", "west"],
        ["a.yaml", "--force"],
        ["s.yaml"],
    ],
    ids=["none", "not there", "a folder", "no name", "no file", "half a pair", "nothing to force", "nothing to read"],
)
def test_bad_use_ends_with_two(arguments: list[str]) -> None:
    result = run(*arguments, a=operator(), s="apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n")
    assert (result.exit_code, result.stdout) == (2, "")


def test_nothing_is_overwritten_unless_forced() -> None:
    assert run("a.yaml", "--output", "mesh.yaml", a=operator()).stdout == ""
    Path("mesh.yaml").write_text("mine", encoding="utf-8")
    result = run("a.yaml", "--output", "mesh.yaml")
    assert (result.exit_code, Path("mesh.yaml").read_text(encoding="utf-8")) == (1, "mine")
    assert run("a.yaml", "--output", "mesh.yaml", "--force").exit_code == 0
    assert CliRunner().invoke(cli.main, ["check", "mesh.yaml"]).exit_code == 0


# Nothing is lost, and nothing is told that is a credential

TABLES = {kind: sorted(source.table()) for kind, source in SOURCES.items()}
KINDS = sorted(TABLES)


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each leaf of a tree with its path, through lists."""
    items = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else None
    if items is None:
        yield path, node
        return
    for key, item in items:
        yield from leaves(item, f"{path}.{key}" if path else str(key))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A document of some installer, with a word of its own in each leaf, at paths that its table knows and others."""
    group, kind = draw(st.sampled_from(KINDS))
    tree: dict[str, Any] = {}
    paths = st.sampled_from(TABLES[group, kind]) | st.sampled_from(["spec.values", "spec", "global", "meshConfig", "x"])
    for number, path in enumerate(draw(st.lists(paths, max_size=8, unique=True))):
        leaf = f"leaf-{number}-"
        node = draw(st.sampled_from([leaf, [leaf], [{"name": leaf}], {"deep": {"er": leaf}}, {"other": [{"x": leaf}]}]))
        here: Any = tree
        *above, last = path.split(".")
        for key in above:
            here = here.setdefault(key, {}) if isinstance(here, dict) else None
        if isinstance(here, dict) and last not in here:
            here[last] = node
    return tree if kind == HELM_KIND else {"apiVersion": f"{group}/v1", "kind": kind, **tree}


def at(kind: tuple[str, str], path: str, node: Any) -> dict[str, Any]:
    """A document of this kind with one node at a path."""
    for key in reversed(path.split(".")):
        node = {key: node}
    return node if kind[1] == HELM_KIND else {"apiVersion": f"{kind[0]}/v1", "kind": kind[1], **node}


def numbered(node: Any, number: int) -> Any:
    """The tree with a word in each leaf that no other document has."""
    if isinstance(node, Mapping):
        return {key: item if key in ("apiVersion", "kind") else numbered(item, number) for key, item in node.items()}
    return [numbered(item, number) for item in node] if isinstance(node, list) else f"{node}{number}"


def translated(*trees: dict[str, Any], clusters: str = "abc") -> tuple[Translation, str, list[Input]]:
    """Documents of these clusters, translated."""
    inputs = [
        Input(f"{number}.yaml", yaml.safe_dump(tree), cluster)
        for number, (tree, cluster) in enumerate(zip(trees, clusters, strict=False))
    ]
    found = translate(inputs, Choices("m", "1.31.1"))
    return found, mesh_text(found), inputs


def assert_all_is_told(found: Translation, text: str, inputs: list[Input], trees: list[dict[str, Any]]) -> None:
    """Each leaf of the documents is in the mesh, in the report, or in what is wrong."""
    told = [line.path for line in found.left]
    wrong = "\n".join(f"{problem.where} {problem.what}" for problem in found.problems)
    for given_file, tree in zip(inputs, trees, strict=True):
        for path, leaf in leaves(tree):
            if path in ("apiVersion", "kind") and "kind" in tree:
                continue
            where = f"{given_file.name}: {path}"
            reported = any(where == one or where.startswith(f"{one}.") or one == given_file.name for one in told)
            assert reported or str(leaf) in text or str(leaf) in wrong, (path, leaf)


@settings(max_examples=300, deadline=None)
@given(st.lists(documents(), min_size=1, max_size=3), st.sampled_from(["abc", "aab", "aaa"]))
def test_every_leaf_is_in_the_mesh_or_in_the_report(trees: list[dict[str, Any]], clusters: str) -> None:
    trees = [numbered(tree, number) for number, tree in enumerate(trees)]
    assert_all_is_told(*translated(*trees, clusters=clusters), trees)


NODES = [
    "word-1-",
    ["word-1-"],
    [{"name": "word-1-"}],
    [{"name": "n", "value": "word-1-"}],
    {"deep": {"er": "word-1-"}},
]


@pytest.mark.parametrize("kind", KINDS, ids=" ".join)
def test_nothing_of_any_path_that_is_known_is_lost(kind: tuple[str, str]) -> None:
    for path in TABLES[kind]:
        for node in NODES:
            trees = [at(kind, path, node)]
            assert_all_is_told(*translated(*trees), trees)
        # Of one cluster, so that the second one's is laid over the first one's.
        trees = [at(kind, path, "word-1-"), at(kind, path, "word-2-")]
        assert_all_is_told(*translated(*trees, clusters="aa"), trees)


@pytest.mark.parametrize("kind", KINDS, ids=" ".join)
def test_text_that_yaml_reads_as_something_else_stays_text(kind: tuple[str, str]) -> None:
    for path in TABLES[kind]:
        for word in ("on", "1", "a: b", "x #y", "2026-11-23", "null", "{{ .Values }}", "two\nlines"):
            found, text, _ = translated(at(kind, path, word))
            (written,) = read_mesh_text(text, "mesh.yaml").meshes.values()
            assert written == found.tree


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just("remote"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)


def replaced(node: Any, nodes: list[Any]) -> Any:
    """The tree with these nodes in the place of its words."""
    if isinstance(node, Mapping):
        return {key: item if key in ("apiVersion", "kind") else replaced(item, nodes) for key, item in node.items()}
    if isinstance(node, list):
        return [replaced(item, nodes) for item in node]
    return nodes[int(node.split("-")[1])]


@settings(max_examples=300, deadline=None)
@given(documents(), st.lists(ANYTHING, min_size=8, max_size=8))
def test_whatever_stands_in_a_file_is_read_and_written_as_it_is(tree: dict[str, Any], nodes: list[Any]) -> None:
    text = yaml.safe_dump(replaced(tree, nodes), allow_unicode=True)
    found = translate([Input("a.yaml", text, "a")], Choices("m", "1.31.1"))
    (written,) = read_mesh_text(mesh_text(found), "mesh.yaml").meshes.values()
    assert written == found.tree


@settings(max_examples=100, deadline=None)
@given(
    documents(),
    st.sampled_from(["-----BEGIN PRIVATE KEY-----\nMII", "eyJhbGciOiJSUzI1NiJ9.x.y", "ghp_0123456789abcdef"]),
)
def test_no_credential_is_written_or_told(tree: dict[str, Any], credential: str) -> None:
    def poisoned(node: Any) -> Any:
        if isinstance(node, Mapping):
            return {key: node[key] if key in ("apiVersion", "kind") else poisoned(node[key]) for key in node}
        return [poisoned(item) for item in node] if isinstance(node, list) else credential

    found, text, _ = translated(poisoned(tree))
    assert credential[:12] not in f"{text}{found.left}{[str(problem) for problem in found.problems]}"


def test_what_stands_below_a_credentials_key_is_none_of_the_mesh() -> None:
    values = {
        "global_": {"sds": {"token": {"aud": "istio-ca"}}},
        "env": {"KUBECONFIG": "hunter2", "LEVEL": "debug"},
        "cpu": {"kubeconfig": "hunter2", "password": {"key": "hunter2", "x": {"y": ["hunter2"]}}, "kept": 1},
        "volumes": [{"name": "a", "secret": {"secretName": "a"}}],
    }
    result = run("a.yaml", a=operator(**values))
    assert mesh_of(result).values["istiod"] == {
        "cpu": {"kept": 1},
        "env": {"LEVEL": "debug"},
        "global": {"sds": {"token": {"aud": "istio-ca"}}},
        "volumes": [{"name": "a", "secret": {"secretName": "a"}}],
    }
    assert "hunter2" not in result.output
    for path in ("cpu.kubeconfig", "cpu.password.key", "cpu.password.x.y", "env.KUBECONFIG"):
        assert f"a.yaml: spec.values.{path}: it looks like a credential" in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        "TOKEN: 1\n",
        "cpu: {x: {TOKEN: 1}}\n",
        "cpu: {TOKEN: {a: 1}, b: 1}\n",
        "global: {TOKEN: 1}\n",
        "TOKEN: 1\nTOKEN: 2\n",
        "apiVersion: v1\nkind: TOKEN\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: TOKEN}\n",
        "apiVersion: istio.banzaicloud.io/v1\nkind: Istio\nmetadata: {name: TOKEN}\n",
        "apiVersion: istio.banzaicloud.io/v1\nkind: RemoteIstio\nspec: {istioControlPlane: {name: TOKEN}}\n",
    ],
)
def test_keys_and_names_that_are_credentials_are_not_told(text: str) -> None:
    result = run("east=a.yaml", "b.yaml", a=text.replace("TOKEN", "ghp_0123456789abcdef0123"), b=operator())
    assert "ghp_" not in result.output


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("accessToken", "abc", True),
        ("VAULT_TOKEN", "abc", True),
        ("password", "abc", True),
        ("url", "https://me:hunter2@example.com", True),
        ("caBundle", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUM5ekNDQWQ4", True),
        ("items", [{"name": "API_KEY", "value": "abc"}], True),
        ("imagePullSecrets", ["registry"], False),
        ("tokenAudience", "istio-ca", False),
        ("image", "registry.example/pilot@sha256:0123456789abcdef0123456789abcdef0123456789abcdef", False),
        ("JWT_POLICY", "third-party-jwt", False),
        ("kubeconfig", "abc", True),
        ("remoteKubeConfig", {"users": [{"user": {"x": "abc"}}]}, True),
        ("apiServerCA", "abc", True),
        ("items", [{"name": "KUBECONFIG", "value": "abc"}], True),
        ("password", {"key": "abc"}, True),
        ("password", {"deep": [{"er": "abc"}]}, True),
        ("password", 20261123, True),
        ("labels", {"ghp_0123456789abcdef": "abc"}, True),
        ("password", {"secretKeyRef": {"name": "a", "key": "password"}}, False),
        ("volumes", [{"name": "a", "secret": {"secretName": "a", "optional": True}}], False),
        ("volumes", [{"secret": {"secretName": "ghp_0123456789abcdef"}}], True),
        (
            "volumes",
            [{"projected": {"sources": [{"secret": {"name": "a", "items": [{"key": "b", "path": "c"}]}}]}}],
            False,
        ),
        ("sds", {"token": {"aud": "istio-ca"}}, False),
        ("kubeconfigPath", "/etc/a", False),
        ("password", "", False),
        ("password", {}, False),
        ("token", False, False),
        ("replicaCount", 3, False),
    ],
)
def test_what_a_credential_looks_like(key: str, value: Any, found: bool) -> None:
    assert is_credential(key, value) is found
