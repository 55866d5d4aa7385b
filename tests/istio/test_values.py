"""What each of Istio's charts is rendered with: the mesh's wiring, whole, and the user's values under it.

That the charts understand these keys is shown by the lab, where istiod runs with them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh.istio import revision_tags, values
from pulumi_istio_mesh.istio.charts import CHARTS
from pulumi_istio_mesh.istio.images import images_of
from pulumi_istio_mesh.istio.versions import CRDS
from pulumi_istio_mesh.topology.load import parse_topology
from pulumi_istio_mesh.topology.models import Topology

from ..builders import mesh_tree, problems_of


def a_topology(**changes: Any) -> Topology:
    """The usual mesh with facts changed."""
    return parse_topology(mesh_tree(**changes))


def with_values(chart: str, mesh: dict[str, Any], cluster: dict[str, Any]) -> dict[str, Any]:
    """What the chart gets in `east`, with values for every cluster and for this one."""
    clusters = {"east": {"values": {chart: cluster}}, "west": {}}
    return values.chart_values(a_topology(values={chart: mesh}, clusters=clusters), "east", chart)


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_gets_exactly_these_values(chart: str, golden_json: SnapshotAssertion) -> None:
    topology = a_topology(
        image_hub="registry.example/istio",
        trust_domain="corp.example",
        clusters={"east": {"network": "vpc"}, "west": {"network": "vpc"}, "plant": {}},
    )
    assert values.chart_values(topology, "east", chart) == golden_json


def test_images_come_from_istios_own_registry_at_the_pinned_version() -> None:
    given = values.istiod(a_topology(), "east")["global"]
    assert (given["hub"], given["tag"]) == ("docker.io/istio", "1.31.1")


def test_clusters_of_a_mesh_differ_only_in_their_name_and_network() -> None:
    east, west = (values.istiod(a_topology(), name) for name in ("east", "west"))
    assert east["global"].pop("multiCluster") == {"clusterName": "east"}
    assert west["global"].pop("multiCluster") == {"clusterName": "west"}
    assert (east["global"].pop("network"), west["global"].pop("network")) == ("east", "west")
    assert east == west


def test_dns_capture_is_one_switch() -> None:
    def metadata(**changes: Any) -> Any:
        return values.istiod(a_topology(**changes), "east")["meshConfig"]["defaultConfig"]["proxyMetadata"]

    assert metadata() == {"PROXY_CONFIG_XDS_AGENT": "true", "ISTIO_META_DNS_CAPTURE": "true"}
    assert metadata(dns_capture=False) == {"PROXY_CONFIG_XDS_AGENT": "true"}


def test_chart_base_is_installed_in_two_parts_crds_and_the_rest() -> None:
    """CRDs are left out by name: without its templates the chart renders them all the same, from a file."""
    crds, rest = values.crds(a_topology(), "east"), values.base_objects(a_topology(), "east")
    assert rest["base"]["excludedCRDs"] == list(CRDS)
    assert rest["base"]["enableCRDTemplates"] is True
    assert "resourceScope" not in rest["global"]
    assert "excludedCRDs" not in crds["base"]
    assert crds["global"]["resourceScope"] == "cluster"
    assert crds["defaultRevision"] == ""


# What a user lays over it


def test_a_users_values_are_kept_beside_the_wiring() -> None:
    given = with_values("istiod", {"autoscaleMin": 2, "global": {"logAsJson": True}}, {"env": {"PILOT_TRACE": "1"}})
    assert given["autoscaleMin"] == 2
    assert given["global"]["logAsJson"] is True
    assert given["global"]["meshID"] == "prod"
    assert given["env"] == {
        "PILOT_TRACE": "1",
        "ISTIO_MULTIROOT_MESH": "true",
        "SHARED_MESH_CONFIG": "istio-shared-mesh-config",
    }


def test_a_clusters_values_win_over_the_meshs() -> None:
    given = with_values("istiod", {"resources": {"cpu": "1", "memory": "1Gi"}}, {"resources": {"cpu": "2"}})
    assert given["resources"] == {"cpu": "2", "memory": "1Gi"}


def test_lists_are_replaced_and_not_joined_as_helm_does() -> None:
    assert with_values("istiod", {"tolerations": [1, 2]}, {"tolerations": [3]})["tolerations"] == [3]


def test_the_wiring_is_laid_last() -> None:
    """Rules refuse such values; this is what holds if one of them is ever missing."""
    given = with_values("istiod", {"global": {"network": "other"}, "env": "none"}, {"meshConfig": None})
    wiring = values.istiod(a_topology(), "east")
    assert {key: given[key] for key in wiring} == wiring


def test_istiod_is_held_back_until_its_config_maps_are_there() -> None:
    """The chart makes them beside istiod, and istiod, once started without them, never looks again."""
    given = with_values("istiod", {"volumes": [{"name": "theirs"}]}, {})
    theirs, ours = given["volumes"]
    assert theirs == {"name": "theirs"}
    required = [source["configMap"] for source in ours["projected"]["sources"]]
    assert required == [{"name": "istio"}, {"name": "istio-sidecar-injector"}]
    assert [mount["name"] for mount in given["volumeMounts"]] == [ours["name"]]


def test_our_preferences_are_left_to_the_user() -> None:
    assert values.chart_values(a_topology(), "east", "gateway")["imagePullPolicy"] == "IfNotPresent"
    assert with_values("gateway", {"imagePullPolicy": "Always"}, {})["imagePullPolicy"] == "Always"


def test_merging_changes_none_of_its_layers() -> None:
    below, above = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert values.merged(below, above) == {"a": {"b": 1, "c": 2}}
    assert (below, above) == ({"a": {"b": 1}}, {"a": {"c": 2}})


# What may not be laid over it


def conflicts(chart: str, given: dict[str, Any]) -> list[str]:
    """Paths of the values that would change the wiring."""
    return [path for path, _ in values.conflicts(given, a_topology(), "east", chart)]


def nested(keys: list[str], value: object) -> dict[str, Any]:
    """A value below keys."""
    for key in reversed(keys):
        value = {key: value}
    assert isinstance(value, dict)
    return value


WIRED = [(chart, *keys) for chart in CHARTS for keys, _ in values._leaves(values.WIRING[chart](a_topology(), "east"))]
FORBIDDEN = [(chart, path) for chart in CHARTS for path in values.FORBIDDEN[chart]]


@pytest.mark.parametrize("wired", WIRED, ids=".".join)
def test_every_value_of_the_wiring_is_guarded(wired: tuple[str, ...]) -> None:
    chart, *keys = wired
    assert conflicts(chart, nested(keys, "other")) == [".".join(keys)]


@pytest.mark.parametrize("wired", WIRED, ids=".".join)
def test_repeating_a_value_of_the_wiring_is_allowed(wired: tuple[str, ...]) -> None:
    chart, *keys = wired
    ours = values._at(values.WIRING[chart](a_topology(), "east"), *keys)
    assert conflicts(chart, nested(keys, ours)) == []


@pytest.mark.parametrize(("chart", "path"), FORBIDDEN, ids=".".join)
@pytest.mark.parametrize("value", ["other", {"a": 1}, False, ""], ids=repr)
def test_every_forbidden_key_is_refused_whatever_it_holds(chart: str, path: str, value: object) -> None:
    assert path in conflicts(chart, nested(path.split("."), value))


@pytest.mark.parametrize(
    "path",
    ["env.CLUSTER_ID", "env.ISTIO_MULTIROOT_MESH", "env.PILOT_TRACE", "cni", "autoscaleMin"],
)
def test_the_synonym_pilot_is_refused_with_the_way_to_write_it(path: str) -> None:
    ((found, reason),) = values.conflicts({"pilot": nested(path.split("."), "1")}, a_topology(), "east", "istiod")
    assert found == "pilot"
    assert reason.endswith("write the same keys without pilot")


def test_a_conflict_says_what_the_mesh_sets() -> None:
    ((_, reason),) = values.conflicts({"global": {"network": "vpc"}}, a_topology(), "east", "istiod")
    assert reason == "the mesh sets it to 'east'"


NONE = (0, "0")
NEEDED = [
    (chart, path, value)
    for chart in CHARTS
    for path in values.NEEDED[chart]
    for value in (NONE if "eplica" in path else (*NONE, "other", {"a": 0}, []))
]


@pytest.mark.parametrize(("chart", "path", "value"), NEEDED)
def test_what_the_mesh_needs_of_a_chart_is_refused_at_any_other_value(chart: str, path: str, value: object) -> None:
    assert path in conflicts(chart, nested(path.split("."), value))


@pytest.mark.parametrize("value", ["x", 5, True, {"a": 1}, ["a"]], ids=repr)
@pytest.mark.parametrize("path", values.KINDS["istiod"])
def test_what_the_mesh_reads_or_adds_to_is_of_its_kind(path: str, value: object) -> None:
    kind, _ = values.KINDS["istiod"][path]
    found = conflicts("istiod", nested(path.split("."), value))
    assert found == ([] if isinstance(value, kind) else [path])
    assert conflicts("istiod", nested(path.split("."), kind())) == []


ODD = (
    None,
    True,
    0,
    5,
    1.5,
    "",
    "x",
    "9" * 30 + "h",
    [],
    [[]],
    [None],
    ["a"],
    [{}],
    [{"name": []}],
    {},
    {"a": []},
    {"": {}},
)


def paths_looked_into() -> set[tuple[str, tuple[str, ...]]]:
    """Every path of values that the mesh sets, guards or reads, and all above them."""
    topology = a_topology()
    found = {
        (chart, tuple(path.split(".")))
        for table in (values.FORBIDDEN, values.NEEDED, values.KINDS)
        for chart in CHARTS
        for path in table[chart]
    }
    found |= {
        (chart, path) for chart in CHARTS for path, _ in values._leaves(values.chart_values(topology, "east", chart))
    }
    found |= {("istiod", ("envVarFrom",)), ("istiod", ("cni", "enabled")), ("istiod", ("image",)), ("istiod", ("hub",))}
    found |= {("istiod", ("global", part, "image")) for part in ("proxy", "proxy_init")}
    found |= {("istiod", ("meshConfig", "defaultConfig", "proxyMetadata", "SECRET_TTL"))}
    return {(chart, path[:length]) for chart, path in found for length in range(1, len(path) + 1)}


@pytest.mark.parametrize("clusters", [{"east": {}}, {"east": {}, "west": {"primary": "east"}}], ids=len)
def test_values_of_any_kind_are_refused_or_used(clusters: dict[str, Any]) -> None:
    for chart, path in sorted(paths_looked_into()):
        for value in ODD:
            given = {chart: nested(list(path), value)}
            if problems_of(mesh_tree(values=given, clusters=clusters)):
                continue
            topology = a_topology(values=given, clusters=clusters)
            images_of(topology)
            for name in clusters:
                values.crds(topology, name)
                values.base_objects(topology, name)
                values.istiod_values(topology, name)
                values.chart_values(topology, name, "gateway")
                values.workload_certificate_validity(topology, name)
                revision_tags.webhooks(topology, name, "default")


@pytest.mark.parametrize(
    ("chart", "given"),
    [
        ("istiod", {"configMap": True, "global": {"resourceScope": "all", "proxy": {"autoInject": "enabled"}}}),
        ("gateway", {"kind": "Deployment", "replicaCount": 3, "autoscaling": {"minReplicas": 2}}),
        ("istiod", {"podLabels": {"team": "mesh"}, "podAnnotations": {"sidecar.example/inject": "no"}}),
        ("gateway", {"labels": {"team": "mesh", "istio.io/dataplane-mode": "none"}, "envVarFrom": [{"name": "MINE"}]}),
    ],
)
def test_what_breaks_nothing_is_the_users(chart: str, given: dict[str, Any]) -> None:
    assert conflicts(chart, given) == []


@pytest.mark.parametrize(
    ("chart", "given", "path"),
    [
        ("istiod", {"podLabels": {"sidecar.istio.io/inject": "true"}}, "podLabels.sidecar.istio.io/inject"),
        ("gateway", {"labels": {"sidecar.istio.io/inject": "false"}}, "labels.sidecar.istio.io/inject"),
        ("gateway", {"labels": {"topology.istio.io/network": "other"}}, "labels.topology.istio.io/network"),
        ("gateway", {"podAnnotations": {"inject.istio.io/templates": "x"}}, "podAnnotations.inject.istio.io/templates"),
    ],
)
def test_a_label_or_annotation_that_decides_is_refused(chart: str, given: dict[str, Any], path: str) -> None:
    assert conflicts(chart, given) == [path]


def test_an_environment_in_a_list_is_held_to_the_same() -> None:
    """Server-side apply takes a name once, and the wiring's own is in the same list."""
    given = {"envVarFrom": [{"name": "ISTIO_MULTIROOT_MESH", "value": "false"}, {"name": "CLUSTER_ID"}]}
    assert sorted(conflicts("istiod", given)) == ["env.CLUSTER_ID", "env.ISTIO_MULTIROOT_MESH"]


ON, OFF = ({"istiod": {"cni": {"enabled": enabled}}} for enabled in (True, False))


@pytest.mark.parametrize(
    ("mesh", "primary", "with_cni"),
    [({}, {}, False), (ON, {}, True), ({}, ON, True), (ON, OFF, False), (OFF, ON, True)],
    ids=["nobody", "the mesh", "the primary", "off for the primary", "on for the primary alone"],
)
def test_istio_cni_is_what_the_istiod_that_injects_says(mesh: Any, primary: Any, with_cni: bool) -> None:
    clusters = {"east": {"values": primary}, "west": {"primary": "east", "values": ON if not with_cni else OFF}}
    topology = a_topology(values=mesh, clusters=clusters)
    assert values.with_cni(topology, "east") is values.with_cni(topology, "west") is with_cni


def test_a_key_with_dots_of_its_own_is_one_key() -> None:
    given = {"serviceAnnotations": {"pulumi.com/skipAwait": "false", "mine.example/x": "y"}}
    found = [path for path, _ in values.conflicts(given, a_topology(), "east", "istiod")]
    assert found == ["serviceAnnotations.pulumi.com/skipAwait"]


def test_http_connections_end_in_a_minute_where_istio_can_be_told() -> None:
    """A gateway that ends waits for its callers, and can't tell them to go; they are told with an answer."""

    def proxies(version: str) -> Any:
        config = values.chart_values(a_topology(istio_version=version), "east", "istiod")["meshConfig"]["defaultConfig"]
        return config.get("connectionSettings")

    assert proxies("1.31.0") == {"httpMaxConnectionDuration": "60s", "httpDrainTimeout": "3600s"}
    assert proxies("1.30.5") is None
    gateway = values.chart_values(a_topology(), "east", "gateway")
    assert gateway["terminationGracePeriodSeconds"] > 60
    assert gateway["env"]["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"] == "true"


def test_workload_certificates_are_valid_for_what_the_users_values_say() -> None:
    def validity(text: str | None) -> dt.timedelta:
        metadata = {"SECRET_TTL": text} if text else {}
        given = {"istiod": {"meshConfig": {"defaultConfig": {"proxyMetadata": metadata}}}}
        return values.workload_certificate_validity(a_topology(values=given), "east")

    assert validity(None) == dt.timedelta(days=1)
    assert validity("1h30m0s") == dt.timedelta(minutes=90)
    assert validity("soon") == validity("9" * 30 + "h") == dt.timedelta(days=1)
