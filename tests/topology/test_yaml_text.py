"""What a YAML text may take of the machine, and what is made of tags and numbers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pulumi_istio_mesh.topology.kubeconfig import KubeconfigError, server_of
from pulumi_istio_mesh.topology.limits import MOST_BYTES, MOST_LEVELS, MOST_VALUES, UnreadableText
from pulumi_istio_mesh.topology.load import read_mesh_file, read_mesh_text
from pulumi_istio_mesh.topology.problems import Problem, TopologyError
from pulumi_istio_mesh.topology.yaml_text import read_documents, read_yaml

from ..builders import TOKEN, a_kubeconfig
from .files import GOOD, instead

QUICK = 10
"""Seconds: what is refused costs next to nothing, also on a busy machine."""


def refusal(text: str) -> TopologyError:
    with pytest.raises(TopologyError) as caught:
        read_mesh_text(text, "mesh.yaml")
    return caught.value


def refused(text: str) -> Problem:
    (problem,) = refusal(text).problems
    return problem


def with_values(yaml: str) -> str:
    """The good file with Helm values."""
    return GOOD + f"values:\n  istiod:\n    x: {yaml}\n"


def nested(levels: int) -> str:
    """A list of so many levels."""
    return "[" * levels + "]" * levels


def aliases(rows: int, width: int = 10) -> str:
    """Lists of lists of lists, each of which an alias repeats."""
    lines = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, rows)]
    return "\n".join(lines) + "\n"


def merges(rows: int) -> str:
    """Mappings that merge the one before twice."""
    lines = ["m0: &m0 {a: {x: 1}, b: {x: 1}}"]
    lines += [f"m{n}: &m{n} {{a: {{<<: *m{n - 1}}}, b: {{<<: *m{n - 1}}}}}" for n in range(1, rows)]
    return "\n".join(lines) + "\n"


# Limits


@pytest.mark.parametrize("text", [aliases(9), merges(40), aliases(400, 2)], ids=["lists", "merges", "high"])
@pytest.mark.parametrize("read", [read_mesh_text, read_documents], ids=["mesh.yaml", "documents"])
def test_aliases_that_unfold_to_too_much_cost_nothing(read: object, text: str) -> None:
    began = time.process_time()
    with pytest.raises(TopologyError) as caught:
        read(text, "f")  # type: ignore[operator]
    assert time.process_time() - began < QUICK
    (problem,) = caught.value.problems
    assert problem.slug == "file-limits"
    assert f"at most {MOST_VALUES:,} are read" in problem.what


def test_too_many_values_are_told_with_their_number_at_the_line() -> None:
    error = refusal(aliases(6))
    assert error.problems[0].what == "it holds 345,685 values, aliases unfolded; at most 250,000 are read"
    assert str(error).splitlines()[2].startswith("  mesh.yaml:6:")


def test_aliases_that_unfold_to_little_are_taken() -> None:
    assert len(read_documents(aliases(5), "f")[0]["a4"]) == 10
    assert read_documents(merges(10), "f")[0]["m9"]["b"]["a"]["b"]


def test_depth_is_told_as_depth_at_its_line() -> None:
    error = refusal(with_values(nested(1_000)))
    (problem,) = error.problems
    assert (problem.slug, problem.what) == ("file-limits", f"it is 101 levels deep; at most {MOST_LEVELS} are read")
    assert "mesh.yaml:12:" in str(error)


def test_depth_counts_what_aliases_unfold_to() -> None:
    rows = "".join(f"a{n}: &a{n} [[[[*a{n - 1}]]]]\n" for n in range(1, 40))
    assert refused("a0: &a0 []\n" + rows).slug == "file-limits"


def test_what_is_as_deep_as_it_may_be_is_taken() -> None:
    assert read_mesh_text(with_values(nested(MOST_LEVELS - 3)), "mesh.yaml").meshes[""]["values"]


@pytest.mark.parametrize("text", ["&a\nclusters: *a\n", "a: &b [[*b]]\n", "a: &b {c: {<<: *b}}\n"])
def test_what_contains_itself_is_told_as_that(text: str) -> None:
    assert (refused(text).slug, refused(text).what) == ("yaml-syntax", "it contains itself")
    with pytest.raises(TopologyError, match="it contains itself"):
        read_documents(text, "f")


def test_a_device_that_never_ends_is_read_up_to_the_limit() -> None:
    with pytest.raises(TopologyError) as caught:
        read_mesh_file("/dev/zero")
    (problem,) = caught.value.problems
    assert (problem.slug, problem.what) == ("file-limits", f"it holds more than {MOST_BYTES:,} bytes")


def test_a_large_file_is_refused_and_one_at_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text("- a\n" * 5_000_000, encoding="utf-8")
    began = time.process_time()
    with pytest.raises(TopologyError, match="it holds more than 4,194,304 bytes"):
        read_mesh_file(path)
    assert time.process_time() - began < QUICK
    path.write_text(GOOD + "#" * (MOST_BYTES - len(GOOD)), encoding="utf-8")
    assert list(read_mesh_file(path).meshes) == [""]


def test_a_mesh_of_500_clusters_with_a_page_of_values_each_is_read() -> None:
    values = "".join(f"          key{number}: value{number}\n" for number in range(60))
    clusters = "".join(f"  c{number}:\n    values:\n      istiod:\n        a:\n{values}" for number in range(500))
    meshes = read_mesh_text(f"mesh_id: prod\nclusters:\n{clusters}", "mesh.yaml").meshes
    assert len(meshes[""]["clusters"]) == 500


def test_long_keys_don_t_make_paths_that_are_longer_than_the_file() -> None:
    key = "k" * 1_000
    text = with_values("".join("{" + f"{key}{n}: " for n in range(50)) + "[" + "a," * 100_000 + "]" + "}" * 50)
    file = read_mesh_text(text, "mesh.yaml")
    assert sum(map(len, file.positions)) < 2 * len(text)


# Tags


@pytest.mark.parametrize(
    "typed",
    [
        "!!bool maybe",
        "!!int ''",
        "!!int x",
        "!!timestamp abc",
        "!!float x",
        "!!null x",
        "!!binary '***'",
        "!!binary eA==",
        "!!set {a, b}",
        "!!omap [a: 1]",
        "!!pairs [a: 1]",
        "!!python/none",
        "!!python/tuple [a]",
        "!x {a: b}",
        "!!str [a]",
        "!!map a",
        "!!seq a",
        "!!str {a: b}",
        "!<tag:example,2000:x> a",
    ],
)
def test_a_tag_that_does_not_fit_or_is_not_known_is_refused(typed: str) -> None:
    problem = refused(with_values(typed))
    assert (problem.slug, problem.where) == ("yaml-syntax", "values.istiod.x")
    assert "the tag " in problem.what
    with pytest.raises(TopologyError):
        read_documents(f"a: {typed}\n", "f")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("!!bool yes", True),
        ("!!int '12'", 12),
        ("!!str 12", "12"),
        ("!!null ''", None),
        ("!!float 5", 5.0),
        ("=", "="),
        ("<<", "<<"),
        ("!!seq [a]", ["a"]),
        ("!!map {a: b}", {"a": "b"}),
        ("2026-02-30", "2026-02-30"),
    ],
)
def test_a_tag_that_fits_is_obeyed(typed: str, read: object) -> None:
    assert read_mesh_text(with_values(typed), "f").meshes[""]["values"]["istiod"]["x"] == read


@pytest.mark.parametrize("value", ["!!int ''", "!!bool hunter2", "!!timestamp hunter2", "!hunter2 x", ".nan"])
def test_a_kubeconfig_with_a_tag_that_does_not_fit_is_refused_without_it(value: str) -> None:
    with pytest.raises(KubeconfigError) as caught:
        server_of(a_kubeconfig().replace(f"token: {TOKEN}", f"token: {value}"))
    assert str(caught.value) == "it is not YAML (line 6)"


def test_a_kubeconfig_that_takes_too_much_is_refused_with_the_limit() -> None:
    with pytest.raises(KubeconfigError, match=r"it is 101 levels deep; at most 100 are read \(line 7\)"):
        server_of(a_kubeconfig() + f"extensions: {nested(200)}\n")


# Numbers


def test_an_octal_number_is_refused_where_the_mesh_takes_a_number() -> None:
    problem = refused(instead("plant: {", "plant: {east_west_gateway: {ports: [{name: a, port: 0074}]}, "))
    assert (problem.slug, problem.where) == ("yaml-syntax", "clusters.plant.east_west_gateway.ports.0.port")
    assert problem.what.startswith("0074 is 60 to YAML")
    assert problem.fix == '74, or "0074" where it is text'


@pytest.mark.parametrize("typed", ["74", '"0074"', "007", "0", "0x4a"])
def test_a_number_that_everybody_takes_for_the_same_is_read(typed: str) -> None:
    read_mesh_text(instead("plant: {", f"plant: {{east_west_gateway: {{ports: [{{name: a, port: {typed}}}]}}, "), "f")


def test_a_mode_of_a_file_in_values_is_octal_to_helm_too() -> None:
    assert read_mesh_text(with_values("0644"), "f").meshes[""]["values"]["istiod"]["x"] == 0o644


@pytest.mark.parametrize("typed", ["1:30", "22:22", "-1:30", "1:30.5", "2001:10:20:30:40:50:1:2"])
def test_a_number_to_the_base_of_60_is_refused_without_repeating_it(typed: str) -> None:
    problem = refused(with_values(typed))
    assert problem.slug == "yaml-syntax"
    assert problem.what.startswith("YAML reads a number to the base of 60 here")
    assert read_mesh_text(with_values(f'"{typed}"'), "f").meshes[""]["values"]["istiod"]["x"] == typed


def test_for_other_programs_a_number_to_the_base_of_60_is_the_text_that_they_read() -> None:
    assert read_documents("a: 22:22\nb: 0644\n", "f") == [{"a": "22:22", "b": 0o644}]


@pytest.mark.parametrize("typed", [".nan", ".inf", "-.inf", ".NaN", "1.0e+400"])
def test_what_is_no_finite_number_is_refused(typed: str) -> None:
    assert "no finite number" in refused(with_values(typed)).what
    with pytest.raises(UnreadableText):
        read_yaml(f"a: {typed}")


def test_a_number_of_thousands_of_digits_is_refused_and_not_printed() -> None:
    assert "more than 64 bits" in refused("version: 0x" + "f" * 5_000 + "\n").what
    assert read_mesh_text(with_values(str(2**64 - 1)), "f").meshes[""]["values"]["istiod"]["x"] == 2**64 - 1


def test_a_number_without_end_costs_nothing() -> None:
    for text in (":".join("1" * 300_000), "1" * 1_000_000, "0." + "1" * 1_000_000):
        with pytest.raises(TopologyError):
            read_mesh_text(f"mesh_id: {text}", "mesh.yaml")
        assert read_yaml(f"mesh_id: {text}") == {"mesh_id": text}
