"""What a mirror must hold: charts and images exactly as Helm and nodes ask for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from pulumi_istio_mesh import cli
from pulumi_istio_mesh.istio.images import charts_of, images_of
from pulumi_istio_mesh.topology.load import parse_topology

from .builders import mesh_tree

SERVED: dict[str, Any] = {"east": {}, "west": {"primary": "east"}}
DIGEST = "sha256:" + "0" * 64


def images(**changes: Any) -> dict[str, list[str]]:
    """The clusters by image, of a mesh with facts changed."""
    found: dict[str, list[str]] = {}
    for one in images_of(parse_topology(mesh_tree(**changes))):
        found.setdefault(one.reference, []).extend(one.clusters)
    return {reference: sorted(set(clusters)) for reference, clusters in found.items()}


def valued(**values: Any) -> dict[str, list[str]]:
    return images(values={"istiod": values})


def test_a_mesh_asks_for_istiod_where_there_is_one_and_for_proxies_everywhere() -> None:
    assert images(clusters=SERVED, istio_version="1.31.1") == {
        "docker.io/istio/pilot:1.31.1": ["east"],
        "docker.io/istio/proxyv2:1.31.1": ["east", "west"],
    }


def test_another_hub_and_another_version_are_asked_for() -> None:
    found = images(image_hub="registry.example/istio", clusters={"east": {"istio_version": "1.31.0"}, "west": {}})
    assert set(found) == {
        f"registry.example/istio/{name}:{version}" for name in ("pilot", "proxyv2") for version in ("1.31.0", "1.31.1")
    }


def test_a_variant_is_part_of_the_tag_but_not_for_gates_which_need_a_shell() -> None:
    found = valued(**{"global": {"variant": "distroless"}})
    assert set(found) == {
        "docker.io/istio/pilot:1.31.1-distroless",
        "docker.io/istio/proxyv2:1.31.1-distroless",
        "docker.io/istio/proxyv2:1.31.1",
    }


def test_what_has_a_path_stands_for_itself() -> None:
    pilot, proxy = f"registry.example/pilot@{DIGEST}", f"registry.example/proxyv2@{DIGEST}"
    shared = {"proxy": {"image": proxy}, "proxy_init": {"image": proxy}}
    found = images(values={"istiod": {"image": pilot, "global": shared}}, verify={"image": proxy})
    assert set(found) == {pilot, proxy}


def test_istio_cni_is_listed_where_it_is_on() -> None:
    found = images(clusters={"east": {"values": {"istiod": {"cni": {"enabled": True}}}}, "west": {}})
    assert found["docker.io/istio/install-cni:1.31.1"] == ["east"]


def test_what_an_installer_of_its_own_needs_is_not_the_meshs_to_mirror() -> None:
    there = {"control_plane": "existing", "east_west_gateway": {"existing": True}}
    mesh = mesh_tree(trust={"kind": "external"}, clusters={"east": there, "west": {}})
    topology = parse_topology(mesh)
    assert {cluster for one in charts_of(topology) for cluster in one.clusters} == {"west"}
    assert [one.clusters for one in images_of(topology) if one.what == "istiod"] == [("west",)]


def test_gates_ask_for_nothing_where_there_are_none() -> None:
    assert "registry.example/gate:1" in images(verify={"image": "registry.example/gate:1"})
    assert "registry.example/gate:1" not in images(verify={"image": "registry.example/gate:1", "level": "off"})


def test_charts_come_from_their_source_and_gateways_only_where_there_are_any() -> None:
    alone = parse_topology(mesh_tree(clusters={"east": {}}))
    source = "https://blob.istio.io/istio-release/charts"
    assert [one.reference for one in charts_of(alone)] == [f"{source}/base 1.31.1", f"{source}/istiod 1.31.1"]
    two = parse_topology(mesh_tree(chart_source="oci://registry.example/charts"))
    assert "oci://registry.example/charts/gateway 1.31.1" in [one.reference for one in charts_of(two)]


def told(*arguments: str, folder: Path) -> str:
    (folder / "mesh.yaml").write_text(json.dumps(mesh_tree(clusters=SERVED)))
    done = CliRunner().invoke(cli.main, ["images", str(folder / "mesh.yaml"), *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_lists_both_with_their_clusters(tmp_path: Path) -> None:
    text = told(folder=tmp_path)
    assert "  docker.io/istio/pilot:1.31.1: istiod, in east\n" in text
    assert "/istiod 1.31.1: chart istiod, in east, west\n" in text


def test_lines_are_images_alone_each_once(tmp_path: Path) -> None:
    lines = told("--format", "lines", folder=tmp_path).splitlines()
    assert lines == ["docker.io/istio/pilot:1.31.1", "docker.io/istio/proxyv2:1.31.1"]


def test_json_has_both(tmp_path: Path) -> None:
    found = json.loads(told("--format", "json", folder=tmp_path))
    assert found["images"][0] == {
        "reference": "docker.io/istio/pilot:1.31.1", "what": "istiod", "clusters": ["east"],
    }  # fmt: skip
    assert {entry["what"] for entry in found["charts"]} == {"chart base", "chart istiod", "chart gateway"}
