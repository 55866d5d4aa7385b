"""From a mesh.yaml to plain facts: what the file may hold, and the line and column of what it may not.

Rules between well-shaped facts are in `rules/test_refused.py`.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pulumi
import pytest

from pulumi_istio_mesh.topology.load import load_mesh, parse_topology, read_mesh_file
from pulumi_istio_mesh.topology.problems import Position, Problem, TopologyError

from ..builders import mesh_tree, problems_of
from .files import GOOD, a_file, after, instead


def refusal(folder: Path, text: str) -> TopologyError:
    """What the loader says to this file."""
    with pytest.raises(TopologyError) as caught:
        load_mesh(a_file(folder, text))
    return caught.value


def refused(folder: Path, text: str) -> Problem:
    """The one problem the loader has with this file."""
    (problem,) = refusal(folder, text).problems
    return problem


def place(folder: Path, text: str) -> str:
    """Line and column that the loader names for the file's one problem."""
    message = str(refusal(folder, text))
    return message.split("mesh.yaml:")[2].rsplit(": ", 1)[0].split(": ")[0]


# What a file may hold


def test_a_file_holds_the_arguments_of_one_mesh(tmp_path: Path) -> None:
    assert load_mesh(a_file(tmp_path)) == {
        "mesh_id": "prod",
        "istio_version": "1.31.1",
        "trust": {"roots": [{"issued": "2026-11-23"}]},
        "clusters": {
            "east": {"network": "vpc", "pod_cidr": "10.8.0.0/14"},
            "west": {"network": "vpc", "pod_cidr": "10.12.0.0/14"},
            "plant": {"pod_cidr": "10.8.0.0/14"},
        },
    }


def test_a_file_without_a_version_is_of_the_first(tmp_path: Path) -> None:
    assert load_mesh(a_file(tmp_path, instead("version: 1\n", ""))) == load_mesh(a_file(tmp_path))


@pytest.mark.parametrize("typed", ['"2026-11-23"', "2026-11-23", "'2026-11-23'"])
def test_a_date_may_be_quoted_or_not(tmp_path: Path, typed: str) -> None:
    path = a_file(tmp_path, instead('"2026-11-23"', typed))
    (root,) = parse_topology(read_mesh_file(path).meshes[""]).trust.roots
    assert root.issued == dt.date(2026, 11, 23)
    assert root.name == "2026-11-23"


@pytest.mark.parametrize("name", ["no", "on", "off", "yes", "1", "0x1f", "1e3", "null", "2026-11-23"])
def test_a_cluster_may_be_called_what_yaml_takes_for_something_else(tmp_path: Path, name: str) -> None:
    clusters = load_mesh(a_file(tmp_path, instead("plant:", f"{name}:")))["clusters"]
    assert list(clusters) == ["east", "west", name]


def test_two_clusters_may_share_their_facts_by_an_anchor(tmp_path: Path) -> None:
    text = instead("  plant: {pod_cidr: 10.8.0.0/14}", "  plant: &alone {crds: external}\n  depot: *alone")
    clusters = load_mesh(a_file(tmp_path, text))["clusters"]
    assert clusters["plant"] == clusters["depot"] == {"crds": "external"}


def test_every_fact_knows_its_line_and_column(tmp_path: Path) -> None:
    positions = read_mesh_file(a_file(tmp_path)).positions
    assert positions["mesh_id"] == Position(2, 1)
    assert positions["trust.roots"] == Position(5, 3)
    assert positions["trust.roots.0.issued"] == Position(5, 12)
    assert positions["clusters.plant.pod_cidr"] == Position(9, 11)


# What it may not hold


def test_a_problem_is_shown_at_its_line_and_column(tmp_path: Path) -> None:
    assert place(tmp_path, instead("plant: {", "plant: {crds: skip, ")) == "9:11"


def test_a_missing_fact_is_shown_where_it_would_stand(tmp_path: Path) -> None:
    assert place(tmp_path, instead('{issued: "2026-11-23"}', "{generation: a}")) == "5:11"


def test_problems_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = instead("10.12.0.0/14", "10.12.0.1/14").replace('"1.31.1"', "1.31") + "mtls: off\n"
    lines = [line for line in str(refusal(tmp_path, text)).splitlines() if ": it should" in line or "did you" in line]
    assert [line.split("mesh.yaml:")[1].split(":")[0] for line in lines] == ["3", "8", "10"]


def test_a_rendered_problem_says_where_what_why_fix_and_where_to_read_more(tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    assert str(refusal(tmp_path, after("mesh_id: prod", "mtl: strict"))) == (
        f"{path}: 1 problem\n"
        "\n"
        f"  {path}:3:1: mtl: 'mtl' is not known here; did you mean 'mtls'?\n"
        "    why: a key nobody reads would be a setting that silently does nothing\n"
        "    fix: use one of chart_source, cluster_local, clusters, dns_capture, evicted, exports, failover, "
        "federation_gateways, gke_networks, image_hub, image_pull_secrets, install, istio_version, mesh_id, mtls, "
        "peers, render_to, revision_tags, revisions, trust, trust_domain, trust_domain_aliases, values, verify, waves\n"
        "    see: docs/checks.md#unknown-key"
    )


@pytest.mark.parametrize(
    ("typed", "meant", "where"),
    [
        ("istio_versoin: 1", "istio_version", "istio_versoin"),
        ("clusters: {east: {netwrok: vpc}}", "network", "clusters.east.netwrok"),
        ("clusters: {east: {east_west_gateway: {adress: x}}}", "address", "clusters.east.east_west_gateway.adress"),
        ("clusters: {function-east: {pod_cdir: x}}", "pod_cidr", "clusters.function-east.pod_cdir"),
        ("trust: {root: []}", "roots", "trust.root"),
    ],
)
def test_an_unknown_key_is_told_what_was_meant(tmp_path: Path, typed: str, meant: str, where: str) -> None:
    (problem,) = (p for p in refusal(tmp_path, f"mesh_id: prod\n{typed}\n").problems if p.slug == "unknown-key")
    assert problem.where == where
    assert problem.what.endswith(f"; did you mean '{meant}'?")


def test_a_key_like_no_other_is_told_all_there_are(tmp_path: Path) -> None:
    problem = refused(tmp_path, instead("plant: {", "plant: {zzz: 1, "))
    assert problem.what == "'zzz' is not known here"
    assert problem.fix.startswith("use one of api_server, api_server_tls_name, control_plane, crds,")


@pytest.mark.parametrize("key", ["function-x[y]", "name-x[y]", "[key]", "function-wrap[f()]"])
def test_a_key_like_those_of_the_program_that_judges_it_is_told_as_it_is_typed(tmp_path: Path, key: str) -> None:
    problem = refused(tmp_path, after("mesh_id: prod", f'"{key}": 1'))
    assert (problem.slug, problem.where) == ("unknown-key", key)
    problem = refused(tmp_path, instead("plant: {", f'plant: {{"{key}": 1, '))
    assert (problem.slug, problem.where) == ("unknown-key", f"clusters.plant.{key}")


def test_a_merge_key_is_refused_as_what_it_is(tmp_path: Path) -> None:
    problem = refused(tmp_path, instead("plant: {", "plant: {<<: {crds: external}, "))
    assert (problem.slug, problem.where) == ("unknown-key", "clusters.plant.<<")


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ("<<: {crds: external}", "<<"),
        ('"<<": 1', "<<"),
        ("values: {istiod: {<<: {a: 1}}}", "values.istiod.<<"),
        ("values: {istiod: {pilot: [{<<: [{a: 1}, {b: 2}]}]}}", "values.istiod.pilot.0.<<"),
        ("verify: {labels: {<<: {a: b}}}", "verify.labels.<<"),
    ],
)
def test_a_merge_key_is_refused_wherever_it_stands(tmp_path: Path, typed: str, where: str) -> None:
    problem = refused(tmp_path, after("mesh_id: prod", typed))
    assert (problem.slug, problem.where) == ("unknown-key", where)
    assert problem.what == "a mesh.yaml has no merge keys"
    assert "west: *east" in problem.fix


def test_an_alias_of_a_whole_value_is_what_it_stands_for(tmp_path: Path) -> None:
    path = a_file(tmp_path, after("mesh_id: prod", "values: {istiod: &a {x: {b: <<}}, gateway: *a}"))
    assert load_mesh(path)["values"]["gateway"] == {"x": {"b": "<<"}}


@pytest.mark.parametrize(
    ("key", "given"),
    [("kubeconfig", "load_mesh(path, kubeconfigs={...})"), ("cacerts", 'args["clusters"]["east"]["cacerts"] = {...}')],
)
def test_a_credential_in_the_file_is_refused_and_told_where_it_belongs(tmp_path: Path, key: str, given: str) -> None:
    error = refusal(tmp_path, instead("plant: {", f"plant: {{{key}: hunter2, "))
    (problem,) = error.problems
    assert (problem.slug, problem.where) == ("unknown-key", f"clusters.plant.{key}")
    assert "give it to the program: " in problem.fix
    assert problem.fix.endswith(given)
    assert "hunter2" not in str(error) + repr(error)


def test_a_key_given_twice_names_the_first_line(tmp_path: Path) -> None:
    problem = refused(tmp_path, GOOD + "mesh_id: test\n")
    assert (problem.slug, problem.where) == ("duplicate-key", "mesh_id")
    assert problem.what == "'mesh_id' is given twice, first in line 2"
    assert place(tmp_path, GOOD + "mesh_id: test\n") == "10:1"


def test_a_cluster_given_twice_is_refused(tmp_path: Path) -> None:
    problem = refused(tmp_path, GOOD + "  east: {}\n")
    assert (problem.slug, problem.where) == ("duplicate-key", "clusters.east")


@pytest.mark.parametrize("version", ["2", '"1"', "1.1", "null"])
def test_another_version_is_refused(tmp_path: Path, version: str) -> None:
    problem = refused(tmp_path, instead("version: 1\n", f"version: {version}\n"))
    assert (problem.slug, problem.where, problem.fix) == ("file-version", "version", "version: 1")


@pytest.mark.parametrize(
    "text",
    ["clusters: {east: {}", "a: b: c\n", "\tmesh_id: prod\n", GOOD + "---\n" + GOOD, "mesh_id: *prod\n", 'a: "b\n'],
    ids=["an open brace", "two colons", "a tab", "two documents", "an unknown anchor", "an open quote"],
)
def test_what_is_no_yaml_is_refused(tmp_path: Path, text: str) -> None:
    problem = refused(tmp_path, text)
    assert problem.slug == "yaml-syntax"
    assert problem.fix.endswith("a value that holds ': ' or starts with a special character needs quotes")
    assert int(place(tmp_path, text).split(":")[0]) >= 1


def test_a_file_that_contains_itself_is_refused(tmp_path: Path) -> None:
    problem = refused(tmp_path, "&all\nclusters: *all\n")
    assert (problem.slug, problem.what) == ("yaml-syntax", "it contains itself")


@pytest.mark.parametrize("tag", ["!secret", "!!python/object/apply:os.system"])
def test_a_tag_is_refused_and_not_obeyed(tmp_path: Path, tag: str) -> None:
    problem = refused(tmp_path, instead("prod", f"{tag} prod"))
    assert (problem.slug, problem.where) == ("yaml-syntax", "mesh_id")
    assert place(tmp_path, instead("prod", f"{tag} prod")) == "2:1"


@pytest.mark.parametrize("text", ["", "- prod\n", "prod\n", "# nothing\n"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    problem = refused(tmp_path, text)
    assert (problem.slug, problem.what) == ("topology-shape", "the file is not a mapping")


def test_a_day_that_never_was_is_refused_at_its_place(tmp_path: Path) -> None:
    text = instead('"2026-11-23"', "2026-02-30")
    problem = refused(tmp_path, text)
    assert (problem.slug, problem.where) == ("topology-shape", "trust.roots.0.issued")
    assert place(tmp_path, text) == "5:12"


def test_a_message_never_names_a_class_of_the_program(tmp_path: Path) -> None:
    text = (
        instead("{pod_cidr: 10.8.0.0/14}", "10.8.0.0/14")
        .replace("  roots: [{", "  roots: [[{")
        .replace("}]\n", "}]]\n")
    )
    error = refusal(tmp_path, text)
    assert {problem.what for problem in error.problems} == {"it should be a mapping"}


# Several meshes

TWO = """\
meshes:
  blue:
    istio_version: "1.31.1"
    trust: {roots: [{issued: "2026-11-23"}]}
    clusters: {east: {}, west: {}}
  green:
    istio_version: "1.31.1"
    trust: {roots: [{issued: "2026-11-23"}]}
    clusters: {plant: {}}
"""


def test_an_offer_is_taken_of_peers_only(tmp_path: Path) -> None:
    """The file says whom to trust: one that is removed there is not trusted any more, whatever the program gives."""
    offers = {"shop": "an offer"}
    with_peer = load_mesh(a_file(tmp_path, after("mesh_id: prod", "peers: {shop: {}, bank: {}}")), offers=offers)
    assert with_peer["peers"] == {"shop": {"offer": "an offer"}, "bank": {}}
    assert "peers" not in load_mesh(a_file(tmp_path), offers=offers)


def test_one_of_several_meshes_is_chosen_and_is_called_like_its_key(tmp_path: Path) -> None:
    arguments = load_mesh(a_file(tmp_path, TWO), mesh="green")
    assert arguments["mesh_id"] == "green"
    assert list(arguments["clusters"]) == ["plant"]


@pytest.mark.parametrize("mesh", [None, "red"])
def test_a_mesh_that_is_not_named_or_not_there_is_refused(tmp_path: Path, mesh: str | None) -> None:
    with pytest.raises(KeyError, match=r"mesh.yaml holds the meshes blue, green; name one of them"):
        load_mesh(a_file(tmp_path, TWO), mesh=mesh)


def test_a_name_for_the_only_mesh_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=r"mesh.yaml holds one mesh, unnamed"):
        load_mesh(a_file(tmp_path), mesh="prod")


def test_a_problem_in_one_of_several_meshes_has_its_path(tmp_path: Path) -> None:
    with pytest.raises(TopologyError) as caught:
        load_mesh(a_file(tmp_path, TWO.replace("{plant: {}}", "{plant: {crds: skip}}")), mesh="green")
    (problem,) = caught.value.problems
    assert problem.where == "meshes.green.clusters.plant.crds"
    assert "mesh.yaml:9:24: meshes.green.clusters.plant.crds: " in str(caught.value)


@pytest.mark.parametrize("meshes", ["{}", "", "[blue, green]", "{blue: yes}"])
def test_meshes_that_are_no_meshes_are_refused(tmp_path: Path, meshes: str) -> None:
    problem = refused(tmp_path, f"meshes: {meshes}\n")
    assert (problem.slug, problem.where) == ("topology-shape", "meshes")


def test_facts_beside_meshes_are_refused(tmp_path: Path) -> None:
    problem = refused(tmp_path, TWO + "mtls: strict\n")
    assert (problem.slug, problem.where, problem.fix) == ("unknown-key", "mtls", "move mtls into one of the meshes")


# Kubeconfigs


def test_kubeconfigs_are_added_to_their_clusters(tmp_path: Path) -> None:
    late = pulumi.Output.from_input("late")
    clusters = load_mesh(a_file(tmp_path), {"east": "one", "plant": late})["clusters"]
    assert clusters["east"]["kubeconfig"] == "one"
    assert clusters["plant"]["kubeconfig"] is late
    assert "kubeconfig" not in clusters["west"]


def test_a_function_gives_each_cluster_its_kubeconfig(tmp_path: Path) -> None:
    clusters = load_mesh(a_file(tmp_path), lambda name: f"of {name}")["clusters"]
    assert {name: facts["kubeconfig"] for name, facts in clusters.items()} == {
        "east": "of east",
        "west": "of west",
        "plant": "of plant",
    }


def test_the_facts_of_an_anchor_get_two_kubeconfigs(tmp_path: Path) -> None:
    text = instead("  plant: {pod_cidr: 10.8.0.0/14}", "  plant: &alone {crds: external}\n  depot: *alone")
    clusters = load_mesh(a_file(tmp_path, text), lambda name: name)["clusters"]
    assert (clusters["plant"]["kubeconfig"], clusters["depot"]["kubeconfig"]) == ("plant", "depot")


# A tree without a file


def test_a_tree_from_a_program_has_no_lines() -> None:
    with pytest.raises(TopologyError) as caught:
        parse_topology(mesh_tree(mtls="off"), "Mesh 'prod'")
    assert str(caught.value).startswith("Mesh 'prod': 1 problem\n\n  mtls: it should be 'strict' or 'permissive'\n")


def test_a_cluster_named_by_a_number_in_a_program_is_refused() -> None:
    (problem,) = problems_of(mesh_tree(clusters={1: {}}))
    assert (problem.slug, problem.where) == ("topology-shape", "clusters.1")


def test_what_is_left_out_has_its_documented_default() -> None:
    topology = parse_topology(mesh_tree())
    assert topology.identity_domain == "prod.internal"
    assert (topology.mtls, topology.dns_capture) == ("strict", True)
    assert (topology.network_of("east"), topology.primary_of("east")) == ("east", "east")


def test_of_one_kind_the_first_problems_are_told_and_the_rest_counted() -> None:
    clusters = {f"c{number}": {"network": "vpc", "pod_cidr": "10.0.0.0/8"} for number in range(30)}
    problems = problems_of(mesh_tree(clusters=clusters, mesh_id="No"))
    assert len(problems) == 30 * 29 // 2 + 1
    text = str(TopologyError(problems))
    assert text.startswith("topology: 436 problems\n")
    assert text.count("overlaps") == 20
    assert text.count("and 415 more of pod-cidr-overlap") == 1
    assert "  mesh_id: " in text
    assert str(TopologyError(problems[:20])).count("more of") == 0


def test_what_stands_for_a_version_is_repeated_only_where_it_is_a_number(tmp_path: Path) -> None:
    error = refusal(tmp_path, instead("version: 1\n", "version: {token: hunter2}\n"))
    assert error.problems[0].slug == "file-version"
    assert "hunter2" not in str(error)
    assert refused(tmp_path, instead("version: 1\n", "version: 2\n")).what == "version 2 is not known"


def test_a_cluster_that_is_not_there_is_told_where_a_bug_is_known_of_reading_it() -> None:
    problems = problems_of(mesh_tree(istio_version="1.30.3", clusters={"east": {"discovers": ["nowhere"]}}))
    assert [problem.slug for problem in problems] == ["discovers-unknown"]
