"""GKE clusters whose pods dial each other, for a mesh that another program makes.

No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi

from ..components.gcp_extra import needing_gcp
from ..istio import names
from ..plan.gke_flows import flow_table
from ..topology.gke import GkeCluster as ClusterFacts
from ..topology.problems import Problem
from .arguments import GkeFlatClusterArgs, GkeFlatNetworkArgs
from .placed import given, place

_NETWORK = "flat"
_MIRROR = {"image_hub": "europe-docker.pkg.dev/any/mirror"}
"""Where images come from is for whoever makes the mesh to say."""
_OF_NETWORK = ("project", "supernet", "block_prefix", "vpc", "nat", "ports", "gateway_sources")
_OF_CLUSTER = tuple(ClusterFacts.model_fields)


class GkeFlatNetwork(pulumi.ComponentResource):
    """A VPC and GKE clusters on it, with the firewall by which their pods, istiods and gateways reach each other.

    Needs the extra `gke`. Raises `TopologyError` before any resource is registered.
    On destroy Google refuses while `deletion_protection` of a cluster is on.
    """

    vpc: pulumi.Output[str]
    """ID of the VPC."""
    kubeconfigs: pulumi.Output[dict[str, str]]
    """Kubeconfig of each cluster, as JSON; secret. They get their tokens from `gke-gcloud-auth-plugin`."""
    api_servers: pulumi.Output[dict[str, str]]
    """URL of each cluster's API server, as other clusters reach it."""
    pod_cidrs: pulumi.Output[dict[str, str]]
    """Range of each cluster's pods."""
    firewall: pulumi.Output[list[dict[str, Any]]]
    """What the VPC lets in: `cluster`, `name`, `sources`, `ports` (none: all), `why`."""

    def __init__(self, name: str, args: GkeFlatNetworkArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        clusters: Any = args.get("clusters")
        named = isinstance(clusters, Mapping) and all(isinstance(facts, Mapping) for facts in clusters.values())
        misshapen = Problem(
            where="clusters",
            what="it is not a mapping of names to clusters",
            why="each cluster is named by its key",
            fix='"clusters": {"east": {"region": "europe-west1", "block": 0}}',
            slug="topology-shape",
        )
        members: Mapping[str, Mapping[str, Any]] = clusters if named else {}
        placed = place(
            f"GkeFlatNetwork {name!r}",
            args,
            GkeFlatNetworkArgs,
            cluster=name,
            mesh={**_MIRROR, "gke_networks": {_NETWORK: given(args, *_OF_NETWORK)}},
            clusters={
                cluster: {
                    **given(facts, "primary"),
                    "network": _NETWORK,
                    "gke": {key: value for key, value in facts.items() if key != "primary" and value is not None},
                }
                for cluster, facts in members.items()
            },
            paths={f"gke_networks.{_NETWORK}.": "", ".gke.": "."},
            found=[] if named or clusters is None else [misshapen],
        )
        with needing_gcp("clusters", f"GkeFlatNetwork {name!r}"):
            # Late: it costs a second and 250 MB.
            from ..components.gke_members import GkeMembers
        super().__init__(names.token("GkeFlatNetwork"), name, None, opts)
        made = GkeMembers(name, placed.topology, placed.plan, pulumi.ResourceOptions(parent=self))
        ranges = {cluster: placed.topology.gke_ranges(cluster) for cluster in placed.topology.clusters}
        self.vpc = made.networks[_NETWORK].vpc
        kubeconfigs: dict[str, Any] = {found: cluster.kubeconfig for found, cluster in made.clusters.items()}
        self.kubeconfigs = pulumi.Output.secret(kubeconfigs)
        servers: dict[str, Any] = {found: cluster.api_server for found, cluster in made.clusters.items()}
        self.api_servers = pulumi.Output.from_input(servers)
        pods: dict[str, Any] = {cluster: str(found.pods) for cluster, found in ranges.items() if found is not None}
        self.pod_cidrs = pulumi.Output.from_input(pods)
        self.firewall = pulumi.Output.from_input(flow_table(placed.plan.firewall))
        self.register_outputs(
            {
                "vpc": self.vpc,
                "kubeconfigs": self.kubeconfigs,
                "apiServers": self.api_servers,
                "podCidrs": self.pod_cidrs,
                "firewall": self.firewall,
            }
        )


class GkeFlatCluster(pulumi.ComponentResource):
    """One GKE cluster of a mesh, with its subnetwork and its nodes' account, on a VPC that is there.

    No firewall rule is made: pods of other clusters are let in by whoever owns the VPC. Needs the extra `gke`. Raises
    `TopologyError` before any resource is registered. On destroy Google refuses while `deletion_protection` is on.
    """

    kubeconfig: pulumi.Output[str]
    """Kubeconfig of whoever runs Pulumi, as JSON; secret. Gets its tokens from `gke-gcloud-auth-plugin`."""
    api_server: pulumi.Output[str]
    """URL of the API server, by the endpoint that was chosen."""
    node_account: pulumi.Output[str]
    """Email of the nodes' service account, by which firewall rules know them."""

    def __init__(self, name: str, args: GkeFlatClusterArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        project, vpc, host = args.get("project"), args.get("vpc"), args.get("host_project")
        shared = f"projects/{host}/global/networks/shared" if host else None
        placed = place(
            f"GkeFlatCluster {name!r}",
            args,
            GkeFlatClusterArgs,
            cluster=name,
            mesh={**_MIRROR, "gke_networks": {_NETWORK: {"project": project, **({"vpc": shared} if shared else {})}}},
            clusters={name: {"network": _NETWORK, "gke": given(args, *_OF_CLUSTER)}},
            paths={f"gke_networks.{_NETWORK}.": "", f"clusters.{name}.gke.": "", f"clusters.{name}.gke": "cluster"},
        )
        with needing_gcp("project", f"GkeFlatCluster {name!r}"):
            # Late: it costs a second and 250 MB.
            from ..components.gke_cluster import GkeCluster
        super().__init__(names.token("GkeFlatCluster"), name, None, opts)
        facts, ranges = placed.topology.clusters[name].gke, placed.topology.gke_ranges(name)
        assert facts is not None and ranges is not None, "rules refuse a cluster without ranges"
        assert vpc is not None, "it is required"
        made = GkeCluster(
            name,
            facts,
            placed.topology.gke_networks[_NETWORK],
            ranges,
            vpc=vpc,
            authorized={who: str(found[0]) for who, found in facts.control_plane.authorized.items()},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.kubeconfig, self.api_server, self.node_account = made.kubeconfig, made.api_server, made.node_account
        self.register_outputs(
            {"kubeconfig": self.kubeconfig, "apiServer": self.api_server, "nodeAccount": self.node_account}
        )
