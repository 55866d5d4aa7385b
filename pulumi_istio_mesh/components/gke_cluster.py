"""One GKE cluster: its subnetwork, its nodes' account, its control plane, its node pools, and the way into it."""

import json
from collections.abc import Mapping
from typing import Any, Optional

import pulumi
import pulumi_gcp as gcp

from ..istio import names
from ..topology.gke import GkeCluster as Facts, GkeNetwork as NetworkFacts, GkeNodePool
from ..topology.gke_ranges import ClusterRanges
from .access import unknown
from .gke_network import shortened

_PODS, _SERVICES = "pods", "services"
_NODE_ROLE = "roles/container.defaultNodeServiceAccount"
"""What nodes need to report to Google and to pull images, and nothing else."""
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""Rights are the account's; scopes are an older fence that Google advises to leave open."""


class GkeCluster(pulumi.ComponentResource):
    """A VPC-native GKE cluster with private nodes, Dataplane V2 and Workload Identity.

    Raises what Google refuses, when it does. On destroy Google refuses while `deletion_protection` is on.
    """

    kubeconfig: pulumi.Output[str]
    """Kubeconfig of whoever runs Pulumi, as JSON; secret. Gets its tokens from `gke-gcloud-auth-plugin`, which must be
    on the PATH."""
    api_server: pulumi.Output[str]
    """URL of the API server, by the endpoint that was chosen."""
    node_account: pulumi.Output[str]
    """Email of the nodes' service account, by which firewall rules know them."""
    cluster: gcp.container.Cluster
    nodes: list[pulumi.Resource]
    """What pods wait for."""

    def __init__(
        self,
        name: str,
        facts: Facts,
        network: NetworkFacts,
        ranges: ClusterRanges,
        *,
        vpc: pulumi.Input[str],
        authorized: Mapping[str, pulumi.Input[str]],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        """`authorized` are the ranges that may dial the API server, by a name for each; not used with `dns`."""
        super().__init__(names.token("GkeCluster"), name, None, opts)
        within = pulumi.ResourceOptions(parent=self)
        subnetwork = gcp.compute.Subnetwork(
            name,
            project=network.host_project,
            region=facts.region,
            network=vpc,
            ip_cidr_range=str(ranges.nodes),
            secondary_ip_ranges=[
                {"range_name": _PODS, "ip_cidr_range": str(ranges.pods)},
                {"range_name": _SERVICES, "ip_cidr_range": str(ranges.services)},
            ],
            private_ip_google_access=True,
            opts=within,
        )
        account = gcp.serviceaccount.Account(
            f"{name}-nodes",
            project=network.project,
            account_id=shortened(f"{name}-nodes", 30),
            display_name=f"Nodes of {name}",
            opts=within,
        )
        role = gcp.projects.IAMMember(
            f"{name}-nodes",
            project=network.project,
            role=_NODE_ROLE,
            member=account.email.apply(lambda email: f"serviceAccount:{email}"),
            opts=within,
        )
        self.node_account = account.email
        self.cluster = gcp.container.Cluster(
            name,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[role],
                # Changes of it, which anybody's resize makes, would replace the cluster (pulumi/pulumi-gcp#412).
                ignore_changes=["initialNodeCount"],
            ),
            **_cluster(name, facts, network, ranges, vpc, subnetwork.id, account.email, authorized),
        )
        self.nodes = [
            gcp.container.NodePool(
                f"{name}-{pool}",
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["initialNodeCount", "nodeCount"]),
                **_pool(pool, found, facts, network, self.cluster.name, account.email),
            )
            for pool, found in facts.pools.items()
        ] or [self.cluster]
        self.api_server = _api_server(facts, self.cluster)
        # Of nothing but what stays known while the cluster or its pools change in place: were it to turn unknown, a
        # preview could not look into the cluster.
        found = pulumi.Output.all(self.api_server, self.cluster.master_auth)
        self.kubeconfig = pulumi.Output.secret(
            found.apply(
                lambda known: _kubeconfig(name, known[0], None if facts.control_plane.endpoint == "dns" else known[1])
            )
        )
        self.register_outputs(
            {"kubeconfig": self.kubeconfig, "apiServer": self.api_server, "nodeAccount": self.node_account}
        )


def _cluster(
    name: str,
    facts: Facts,
    network: NetworkFacts,
    ranges: ClusterRanges,
    vpc: pulumi.Input[str],
    subnetwork: pulumi.Input[str],
    account: pulumi.Input[str],
    authorized: Mapping[str, pulumi.Input[str]],
) -> dict[str, Any]:
    """Return the arguments of the cluster itself.

    Never `node_config`: with the default pool removed it replaces the cluster at every run (pulumi/pulumi#8991).
    """
    plane = facts.control_plane
    private: dict[str, Any] = {
        "enable_private_nodes": True,
        "enable_private_endpoint": plane.endpoint == "private",
        "master_ipv4_cidr_block": str(ranges.control_plane),
    }
    if plane.endpoint == "private":
        private["master_global_access_config"] = {"enabled": plane.global_access}
    args: dict[str, Any] = {
        "name": shortened(name, 40),
        "project": network.project,
        "location": facts.location,
        "network": vpc,
        "subnetwork": subnetwork,
        "networking_mode": "VPC_NATIVE",
        "ip_allocation_policy": {"cluster_secondary_range_name": _PODS, "services_secondary_range_name": _SERVICES},
        "private_cluster_config": private,
        "release_channel": {"channel": facts.release_channel},
        "gateway_api_config": {"channel": "CHANNEL_STANDARD"},
        "deletion_protection": facts.deletion_protection,
        "resource_labels": facts.labels or None,
        "node_locations": list(facts.node_zones) or None,
        "min_master_version": facts.min_version,
    }
    if plane.endpoint == "dns":
        args["control_plane_endpoints_config"] = {
            # istiods of other clusters come with tokens of service accounts, which the endpoint refuses by default.
            "dns_endpoint_config": {"allow_external_traffic": True, "enable_k8s_tokens_via_dns": True},
            "ip_endpoints_config": {"enabled": False},
        }
    else:
        blocks = [{"display_name": who, "cidr_block": found} for who, found in sorted(authorized.items())]
        args["master_authorized_networks_config"] = {"cidr_blocks": blocks}
    if facts.maintenance is not None:
        args["maintenance_policy"] = {"recurring_window": facts.maintenance.model_dump()}
    if facts.autopilot:
        args["enable_autopilot"] = True
        # istio-init redirects each pod's traffic with it, and Autopilot takes no istio-cni instead.
        args["allow_net_admin"] = True
        # The firewall knows nodes by this account.
        args["cluster_autoscaling"] = {
            "auto_provisioning_defaults": {"service_account": account, "oauth_scopes": [_SCOPE]}
        }
        return args
    return args | {
        "datapath_provider": "ADVANCED_DATAPATH",
        "workload_identity_config": {"workload_pool": f"{network.project}.svc.id.goog"},
        "default_max_pods_per_node": facts.most_pods,
        # The pools are resources of their own: those inside the cluster can't be changed without replacing it.
        "remove_default_node_pool": True,
        "initial_node_count": 1,
    }


def _pool(
    name: str,
    pool: GkeNodePool,
    facts: Facts,
    network: NetworkFacts,
    cluster: pulumi.Input[str],
    account: pulumi.Input[str],
) -> dict[str, Any]:
    return {
        "name": name,
        "project": network.project,
        "location": facts.location,
        "cluster": cluster,
        # All zones together: limits a zone would grow with the number of zones, and outgrow the pod range.
        "autoscaling": {
            "total_min_node_count": pool.min_nodes,
            "total_max_node_count": pool.max_nodes,
            "location_policy": "ANY" if pool.spot else "BALANCED",
        },
        "management": {"auto_repair": True, "auto_upgrade": True},
        "max_pods_per_node": facts.most_pods,
        "node_config": {
            "machine_type": pool.machine_type,
            "disk_size_gb": pool.disk_gb,
            "spot": pool.spot,
            "labels": pool.labels or None,
            "taints": [taint.model_dump() for taint in pool.taints] or None,
            "service_account": account,
            "oauth_scopes": [_SCOPE],
            "workload_metadata_config": {"mode": "GKE_METADATA"},
            "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
            "metadata": {"disable-legacy-endpoints": "true"},
        },
    }


def _api_server(facts: Facts, cluster: gcp.container.Cluster) -> pulumi.Output[str]:
    """Return the URL by the chosen endpoint. By key, since the types say that each part may be missing."""
    endpoint = facts.control_plane.endpoint
    found: pulumi.Output[Any] = cluster.endpoint
    if endpoint == "private":
        found = cluster.private_cluster_config.apply(lambda config: config.get("private_endpoint"))
    if endpoint == "dns":
        config: pulumi.Output[Any] = cluster.control_plane_endpoints_config
        found = config.apply(lambda known: known["dns_endpoint_config"].get("endpoint"))
    # In a preview of a cluster that isn't there yet, what Google will add to a part that we give may just be missing.
    return found.apply(lambda address: f"https://{address}" if address else unknown())


def _kubeconfig(name: str, server: str, auth: Any) -> str:
    cluster = {"server": server}
    if auth is not None:
        cluster["certificate-authority-data"] = auth["cluster_ca_certificate"]
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        "installHint": "Install gke-gcloud-auth-plugin: gcloud components install gke-gcloud-auth-plugin",
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"exec": plugin}}],
    }
    return json.dumps(config)
