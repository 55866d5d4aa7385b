"""GKE clusters of a mesh as programs: what is asked of Google, who reaches whom, and what is there before what."""

from __future__ import annotations

import json
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pulumi
import pytest
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh import Mesh, TopologyError, load_mesh
from pulumi_istio_mesh.components import mesh as mesh_module, mesh_cluster

from ..builders import a_kubeconfig, program_args
from .gcp_arguments import wrong_arguments
from .recorder import Recording, failure, is_secret, is_unknown, record, revealed

EXAMPLES = Path(__file__).parents[2] / "examples"
VPC = {"project": "acme-prod", "supernet": "10.0.0.0/8", "nat": True}


def made(block: int, region: str = "europe-west1", **facts: Any) -> dict[str, Any]:
    """A GKE cluster on the VPC, with facts of it changed."""
    return {"region": region, "block": block, **facts}


def args(*, network: dict[str, Any] | None = None, plane: dict[str, Any] | None = None, **gke: Any) -> Any:
    """A primary and its remote in another region."""
    facts = {"control_plane": plane or {"endpoint": "private"}, **gke}
    west = {"network": "vpc", "gke": made(0, **facts)}
    north = {"network": "vpc", "primary": "west", "gke": made(1, "europe-north1", **facts)}
    return program_args(clusters={"west": west, "north": north}, gke_networks={"vpc": {**VPC, **(network or {})}})


def run(arguments: Any, **options: Any) -> Recording:
    return record(lambda: Mesh("prod", arguments), **options)


def googles(rows: Recording) -> list[Any]:
    return [row for row in rows if row.type.startswith("gcp:")]


def example(name: str, monkeypatch: pytest.MonkeyPatch, *, preview: bool) -> Recording:
    """Run an example's own program."""
    monkeypatch.chdir(EXAMPLES / name)
    pulumi.runtime.set_all_config({"p:plant": a_kubeconfig()}, ["p:plant"])
    return record(lambda: runpy.run_path("__main__.py"), preview=preview)


# What is asked of Google


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("name", ["gke-flat", "gke-with-onprem"])
def test_an_example_asks_for_nothing_that_googles_provider_does_not_know(
    name: str, preview: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = example(name, monkeypatch, preview=preview)
    clusters = 3 if name == "gke-flat" else 2
    found = Counter(row.type.rpartition(":")[2] for row in googles(rows))
    assert (found["Cluster"], found["NodePool"], found["Subnetwork"], found["Network"]) == (clusters,) * 3 + (1,)
    assert [wrong for row in googles(rows) for wrong in wrong_arguments(row)] == []


def test_three_clusters_on_one_vpc_are_exactly_these_resources(
    monkeypatch: pytest.MonkeyPatch, golden_text: SnapshotAssertion
) -> None:
    assert example("gke-flat", monkeypatch, preview=False).text() == golden_text


EVERYTHING = {
    "node_pools": {
        "spot": {"spot": True, "labels": {"a": "b"}, "taints": [{"key": "k", "value": "v"}], "min_nodes": 0},
        "all": {"machine_type": "n2-standard-8", "max_nodes": 9, "disk_gb": 50},
    },
    "maintenance": {"start_time": "2026-01-03T02:00:00Z", "end_time": "2026-01-03T10:00:00Z"},
    "node_zones": ["europe-west1-b"],
    "min_version": "1.33.2",
    "labels": {"team": "mesh"},
}


@pytest.mark.parametrize(
    "facts",
    [
        {"plane": {"endpoint": "public", "authorized": {"office": "198.51.100.0/24"}}},
        {"plane": {"endpoint": "private"}},
        {"plane": {"endpoint": "dns"}},
        {"autopilot": True, "max_nodes": 50},
        {"network": {"vpc": "projects/acme-host/global/networks/shared"}},
    ],
    ids=["public", "private", "dns", "autopilot", "shared vpc"],
)
def test_each_kind_of_cluster_is_asked_for_in_words_that_googles_provider_knows(facts: dict[str, Any]) -> None:
    rows = run(args(**facts))
    assert [wrong for row in googles(rows) for wrong in wrong_arguments(row)] == []


def test_every_argument_of_a_cluster_is_one_that_googles_provider_knows() -> None:
    arguments = args()
    arguments["clusters"]["west"]["gke"].update(EVERYTHING)
    rows = run(arguments)
    assert [wrong for row in googles(rows) for wrong in wrong_arguments(row)] == []
    assert rows["Cluster prod-west"].inputs["minMasterVersion"] == "1.33.2"


def test_a_wrong_word_would_be_noticed() -> None:
    row = run(args())["Cluster prod-west"]
    row.inputs["datapath"] = "ADVANCED_DATAPATH"
    row.inputs["privateClusterConfig"]["enablePrivateNodes"] = 5
    del row.inputs["releaseChannel"]["channel"]
    wrong = wrong_arguments(row)
    assert "Cluster prod-west: ClusterArgs has no datapath" in wrong
    assert any("enablePrivateNodes" in line for line in wrong)
    assert any("channel is required" in line for line in wrong)


def test_a_cluster_is_private_vpc_native_protected_and_its_nodes_have_an_account_of_their_own() -> None:
    rows = run(args())
    cluster, pool = rows["Cluster prod-west"].inputs, rows["NodePool prod-west-default"].inputs
    assert cluster["privateClusterConfig"]["enablePrivateNodes"] is True
    assert (cluster["networkingMode"], cluster["datapathProvider"]) == ("VPC_NATIVE", "ADVANCED_DATAPATH")
    assert cluster["deletionProtection"] is True
    assert pool["nodeConfig"]["serviceAccount"] == "prod-west-nodes@acme-prod.iam.gserviceaccount.com"
    # What makes clusters be replaced at every run.
    assert "nodeConfig" not in cluster
    assert "nodePools" not in cluster


def test_autopilot_has_no_pools_and_its_nodes_the_account_that_the_firewall_knows() -> None:
    rows = run(args(autopilot=True))
    assert not [row for row in rows if row.type.endswith(":NodePool")]
    # istio-init needs it, and Autopilot takes no istio-cni instead.
    assert rows["Cluster prod-west"].inputs["allowNetAdmin"] is True
    defaults = rows["Cluster prod-west"].inputs["clusterAutoscaling"]["autoProvisioningDefaults"]
    assert defaults["serviceAccount"] in rows["Firewall prod-west-pods"].inputs["targetServiceAccounts"]


def test_a_vpc_that_exists_is_used_and_its_host_project_has_the_firewall() -> None:
    rows = run(args(network={"vpc": "projects/acme-host/global/networks/shared"}))
    assert not [row for row in rows if row.type.endswith("network:Network")]
    for name in ("Subnetwork prod-west", "Firewall prod-west-pods"):
        assert rows[name].inputs["project"] == "acme-host"
        assert rows[name].inputs["network"] == "projects/acme-host/global/networks/shared"
    assert rows["Cluster prod-west"].inputs["project"] == "acme-prod"


# Who reaches whom


def test_the_firewall_is_the_table_that_is_an_output() -> None:
    table: list[dict[str, Any]] = []
    rows = record(lambda: Mesh("prod", args()).firewall.apply(table.extend))
    rules = {row.name: row.inputs for row in rows if row.type.endswith(":Firewall")}
    assert {f"prod-{flow['cluster']}-{flow['name']}" for flow in table} == rules.keys()
    for flow in table:
        rule = rules[f"prod-{flow['cluster']}-{flow['name']}"]
        assert (rule["sourceRanges"], rule["allows"][0].get("ports", [])) == (flow["sources"], flow["ports"])
        assert rule["allows"][0]["protocol"] == "tcp"
        assert rule["direction"] == "INGRESS"
    assert rules["prod-north-pods"]["sourceRanges"] == ["10.0.0.0/17"]


@pytest.mark.parametrize(
    ("endpoint", "server", "authority"),
    [
        ("public", "https://203.0.113.1", True),
        ("private", "https://10.0.255.242", True),
        ("dns", "https://gke-prod-north.gke.goog", False),
    ],
)
def test_peers_dial_the_endpoint_that_is_chosen(endpoint: str, server: str, authority: bool) -> None:
    rows = run(args(plane={"endpoint": endpoint}))
    secret = revealed(rows["Secret prod-west-remote-north"].inputs)["stringData"]["north"]
    cluster = json.loads(revealed(secret))["clusters"][0]["cluster"]
    assert cluster["server"] == server
    # Google's DNS endpoint has a certificate that the system's authorities vouch for.
    assert ("certificate-authority-data" in cluster) == authority


def test_api_servers_let_in_the_clusters_that_read_them_and_whom_the_user_names() -> None:
    def authorized(endpoint: str) -> set[str]:
        plane = {"endpoint": endpoint, "authorized": {"runner": "198.51.100.0/24"}}
        config = run(args(plane=plane))["Cluster prod-north"].inputs["masterAuthorizedNetworksConfig"]
        return {block["cidrBlock"] for block in config["cidrBlocks"]}

    assert authorized("private") == {"198.51.100.0/24", "10.0.0.0/17"}
    assert authorized("public") == {"198.51.100.0/24", "203.0.113.9/32"}


def test_a_primary_on_a_vpc_is_reached_by_its_remotes_through_an_internal_load_balancer() -> None:
    service = run(args())["Service prod-west-istiod-remotes"].inputs
    assert service["metadata"]["annotations"]["networking.gke.io/load-balancer-type"] == "Internal"
    assert service["metadata"]["annotations"]["networking.gke.io/internal-load-balancer-allow-global-access"] == "true"
    newer = args()
    newer["clusters"]["west"]["gke"]["min_version"] = "1.33.1"
    service = run(newer)["Service prod-west-istiod-remotes"].inputs
    assert service["spec"]["loadBalancerClass"] == "networking.gke.io/l4-regional-internal"


def test_a_gateway_that_strangers_dial_is_external_and_takes_the_ranges_that_are_named() -> None:
    clusters = {"west": {"network": "vpc", "gke": made(0, control_plane={"endpoint": "dns"})}, "plant": {}}
    arguments = program_args(clusters=clusters, gke_networks={"vpc": {**VPC, "gateway_sources": "203.0.113.0/28"}})
    service = run(arguments)["Service prod-west-east-west"].inputs
    assert "networking.gke.io/load-balancer-type" not in service["metadata"]["annotations"]
    assert service["spec"]["loadBalancerSourceRanges"] == ["203.0.113.0/28"]


# What is known when


def test_nothing_needs_to_exist_for_a_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = example("gke-with-onprem", monkeypatch, preview=True)
    assert is_unknown(rows["kubernetes gke-onprem-west"].inputs["kubeconfig"])
    assert {"Namespace gke-onprem-west-namespace", "Chart gke-onprem-west-istiod"} <= {row.short for row in rows}


def test_a_kubeconfig_is_secret_and_holds_no_credential() -> None:
    rows = run(args())
    config = rows["kubernetes prod-west"].inputs["kubeconfig"]
    assert is_secret(config)
    (user,) = json.loads(revealed(config))["users"]
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert user["user"].keys() == {"exec"}


def test_objects_wait_for_nodes_and_the_kubeconfig_does_not() -> None:
    """Were it to depend on a pool, it would be unknown in a preview whenever the pool changes."""
    rows = run(args())
    assert "NodePool prod-west-default" in rows.waits_for("Namespace prod-west-namespace")
    assert "NodePool prod-west-default" in rows["kubernetes prod-west"].after
    assert "Cluster prod-west" in rows["kubernetes prod-west"].after


# What is refused


def test_a_kubeconfig_of_a_cluster_that_is_made_here_is_refused() -> None:
    arguments = args()
    arguments["clusters"]["west"]["kubeconfig"] = a_kubeconfig()
    with pytest.raises(TopologyError, match=r"clusters\.west\.kubeconfig: it is given, and the cluster is made here"):
        run(arguments)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [found for found in sys.modules if found.startswith(("pulumi_gcp", f"{mesh_module.__package__}.gke_"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pulumi_gcp", None)
    error = failure(lambda: Mesh("prod", args())).error
    assert "pip install 'pulumi-istio-mesh[gke]'" in str(error)


def test_load_mesh_asks_for_no_kubeconfig_of_a_cluster_that_is_made_here() -> None:
    asked: list[str] = []
    load_mesh(EXAMPLES / "gke-with-onprem" / "mesh.yaml", lambda name: asked.append(name) or "text")
    assert asked == ["plant"]


def test_objects_go_with_their_cluster_but_load_balancers_are_taken_down_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deleted cluster leaves load balancers behind, and these hold the VPC."""
    monkeypatch.setattr(mesh_cluster, "engine_calls_back", lambda: True)
    cluster: Any = object()
    (transform,) = mesh_cluster.goes_with(cluster)

    def asked(kind: str, spec: dict[str, Any]) -> Any:
        options = pulumi.ResourceOptions(provider=provider)
        return transform(pulumi.ResourceTransformArgs(True, kind, "name", {"spec": spec}, options))

    provider: Any = None
    assert asked("kubernetes:apps/v1:Deployment", {"replicas": 1}).opts.deleted_with is cluster
    assert asked("kubernetes:core/v1:Service", {"type": "ClusterIP"}).opts.deleted_with is cluster
    assert asked("kubernetes:core/v1:Service", {"type": "LoadBalancer"}) is None
    assert asked("istio-mesh:index:ControlPlane", {}) is None
