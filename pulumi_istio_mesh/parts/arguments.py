"""The arguments of the parts of a mesh that are declared alone.

By the same rules as `components.arguments`, and of the same types where they are the same facts.
No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

from typing import Any

import pulumi
from typing_extensions import NotRequired, TypedDict

from ..components.arguments import (
    DialledServiceArgs,
    ExportArgs,
    FederationGatewayArgs,
    GatewayPortArgs,
    GkeClusterArgs,
    GkeControlPlaneArgs,
    GkeMaintenanceArgs,
    GkeNodePoolArgs,
    GkeRangesArgs,
    IntermediatesArgs,
    PeerArgs,
    RootArgs,
)


class InClusterArgs(TypedDict):
    """Where a part is made."""

    cluster: NotRequired[str]
    """Name that Istio knows the cluster by; the name of the component when left out."""
    kubeconfig: NotRequired[pulumi.Input[str]]
    """Contents of a kubeconfig, never a path. When left out, the Kubernetes provider among the component's options; the
    ambient one is never used."""


class AfterArgs(InClusterArgs):
    """Where a part is made, and after what."""

    after: NotRequired[list[pulumi.Input[str]]]
    """Outputs of other parts that must be known before anything is made here, such as injector of the control plane."""


class OfIstioArgs(InClusterArgs):
    """What is installed by Istio's charts."""

    chart_source: NotRequired[str]
    """Where Istio's charts are: a repository URL, an oci:// prefix or a folder; Istio's own repository by default."""
    image_hub: NotRequired[str]
    """Registry and path of Istio's images; Istio's own by default."""
    image_pull_secrets: NotRequired[list[str]]
    """Secrets of istio-system by which images are pulled, by name."""
    install: NotRequired[str]
    """chart (default): each object of the charts is a resource. release: each chart is a Helm release."""
    values: NotRequired[dict[str, Any]]
    """Helm values keyed by chart: base, istiod, gateway."""


class IstioTrustArgs(TypedDict):
    """Certificate authorities of one mesh."""

    clusters: list[str]
    """Names of the clusters with an istiod of their own: an intermediate authority each."""
    roots: list[RootArgs]
    """Generations of the root; all of them are trusted, one of them signs."""
    signer: NotRequired[str]
    """Name of the generation that signs; not needed while there is one."""
    intermediates: NotRequired[IntermediatesArgs]
    """The authorities that istiods sign workload certificates with, one a cluster."""
    mesh_id: NotRequired[str]
    """The name of the component when left out."""
    trust_domain: NotRequired[str]
    """`<mesh ID>.internal` when left out."""


class IstioControlPlaneArgs(OfIstioArgs):
    """A cluster with an istiod of its own."""

    mesh_id: str
    """Name of the mesh, a DNS label; never change it."""
    istio_version: str
    """Version of Istio's charts and images, such as 1.31.1."""
    network: NotRequired[str]
    """Clusters that share a network dial each other's pods; one of its own when left out."""
    cacerts: NotRequired[pulumi.Input[dict[str, str]]]
    """Files of Istio's Secret cacerts, as `IstioTrust` has them by cluster. When left out, istiod takes the Secret that
    somebody else put there, or makes an authority of its own that no other cluster trusts."""
    trust_domain: NotRequired[str]
    """`<mesh ID>.internal` when left out."""
    trust_domain_aliases: NotRequired[list[str]]
    """Trust domains that the mesh had before: their identities count as those of the one it has now."""
    mtls: NotRequired[str]
    """strict (default) or permissive."""
    dns_capture: NotRequired[bool]
    """Whether proxies answer DNS, so that a Service resolves in clusters that have no copy of it."""
    failover: NotRequired[bool]
    """Whether calls prefer endpoints in the caller's own zone and region, and move elsewhere while those fail."""
    cluster_local: NotRequired[list[str]]
    """Hosts of Services that each cluster answers by itself, never for another one."""
    crds: NotRequired[str]
    """managed (default) or external."""


class IstioRemoteArgs(OfIstioArgs):
    """A cluster that another one's istiod serves."""

    mesh_id: str
    """Name of the mesh, a DNS label; never change it."""
    istio_version: str
    """Version of Istio in the primary."""
    primary: str
    """Name of the cluster whose istiod serves this one."""
    istiod_address: pulumi.Input[str]
    """IP address at which that istiod is reached, as `IstioExposure` has it."""
    network: NotRequired[str]
    """Clusters that share a network dial each other's pods; one of its own when left out."""
    trust_domain: NotRequired[str]
    """`<mesh ID>.internal` when left out."""
    trust_domain_aliases: NotRequired[list[str]]
    """Trust domains that the mesh had before: their identities count as those of the one it has now."""
    crds: NotRequired[str]
    """managed (default) or external."""


class IstioEastWestGatewayArgs(OfIstioArgs, AfterArgs, DialledServiceArgs):
    """The east-west gateway of one cluster."""

    mesh_id: str
    """Name of the mesh, a DNS label; never change it."""
    istio_version: str
    """Version of Istio in the cluster."""
    network: NotRequired[str]
    """Network of the cluster, of which this is the gateway; the name of the cluster when left out."""
    carries_istiod: NotRequired[bool]
    """Whether remote clusters reach istiod through it, so that it opens 15012 and 15017; false by default."""
    ports: NotRequired[list[GatewayPortArgs]]
    """Ports besides those of the mesh: 15021, 15443, 15012 and 15017."""


class IstioExposureArgs(AfterArgs):
    """What is let into a cluster with an istiod."""

    services: NotRequired[bool]
    """Whether mTLS from other networks reaches every service through the east-west gateway; true by default."""
    gateway_address: NotRequired[pulumi.Input[str]]
    """Address of the east-west gateway, where remote clusters reach istiod through it."""
    istiod_service: NotRequired[DialledServiceArgs]
    """Service by which remote clusters on the same network reach istiod, where no gateway carries it."""


class IstioReaderArgs(AfterArgs):
    """A cluster that the istiods of others read."""

    primary: NotRequired[str]
    """Cluster whose istiod serves this one; itself when left out."""
    api_server: NotRequired[pulumi.Input[str]]
    """URL of the API server as the istiods of other clusters reach it; the kubeconfig's server when left out."""
    api_server_ca: NotRequired[pulumi.Input[str]]
    """PEM that verifies `api_server`, where it is not the cluster's own CA."""
    api_server_tls_name: NotRequired[str]
    """Name to expect in the API server's certificate, where it is not the host of `api_server`."""
    reader_token: NotRequired[str]
    """Generation of the token; another name makes another token."""


class IstioRemoteSecretArgs(AfterArgs):
    """A cluster with an istiod, and one that it reads."""

    reads: str
    """Name of the cluster that the istiod here is to discover."""
    reader_kubeconfig: pulumi.Input[str]
    """Kubeconfig by which it is read, as `IstioReader` has it."""


class IstioFederationArgs(OfIstioArgs, AfterArgs):
    """A mesh with one istiod, and what it shares with others."""

    mesh_id: str
    """Name of the mesh, a DNS label; never change it."""
    istio_version: str
    """Version of Istio in the cluster."""
    peers: dict[str, PeerArgs]
    """Other meshes that this one knows, by mesh ID."""
    root_certs: pulumi.Input[str]
    """PEM of the roots that this mesh trusts."""
    exports: NotRequired[dict[str, ExportArgs]]
    """Services that other meshes may call, by <service>.<namespace>."""
    gateway: NotRequired[FederationGatewayArgs]
    """The gateway by which they are called; made where anything is exported."""
    network: NotRequired[str]
    """Network of the cluster; the name of the cluster when left out."""
    trust_domain: NotRequired[str]
    """`<mesh ID>.internal` when left out."""
    trust_domain_aliases: NotRequired[list[str]]
    """Trust domains that the mesh had before: their identities count as those of the one it has now."""
    dns_capture: NotRequired[bool]
    """Whether the proxies of the mesh answer DNS; true by default."""


class GkeMemberArgs(GkeClusterArgs):
    """One of the GKE clusters on a flat network."""

    primary: NotRequired[str]
    """Cluster whose istiod will serve this one; itself when left out."""


class GkeFlatNetworkArgs(TypedDict):
    """GKE clusters whose pods dial each other."""

    project: str
    """Project of the clusters, and of the VPC where it is made here."""
    clusters: dict[str, GkeMemberArgs]
    """GKE clusters to make, by name."""
    supernet: NotRequired[str]
    """Range that every cluster's ranges are cut from."""
    block_prefix: NotRequired[int]
    """Prefix length of the block that each cluster gets of `supernet`: half of it for pods."""
    vpc: NotRequired[str]
    """A VPC that exists; made when left out."""
    nat: NotRequired[bool]
    """Whether private nodes reach the internet, by Cloud NAT with a reserved address in each region."""
    ports: NotRequired[list[str]]
    """TCP ports that pods of other clusters may call; all when left out."""
    gateway_sources: NotRequired[str]
    """Ranges that may dial gateways; when left out other clusters' pods on an internal load balancer, anybody on an
    external one."""


class GkeFlatClusterArgs(TypedDict):
    """One GKE cluster on a VPC that is there."""

    project: str
    """Project of the cluster."""
    region: str
    """Region of the cluster and of its subnetwork."""
    vpc: pulumi.Input[str]
    """ID of the VPC that the cluster's subnetwork is made on, in the same project or a host project."""
    host_project: NotRequired[str]
    """Project of the VPC, where it is shared; the cluster's own when left out."""
    ranges: GkeRangesArgs
    """Ranges instead of a block."""
    zone: NotRequired[str]
    """Zone of its one control plane; a regional control plane in three zones when left out."""
    node_zones: NotRequired[list[str]]
    """Zones of its nodes; chosen by GKE when left out."""
    max_pods_per_node: NotRequired[int]
    """110 when left out; GKE gives a node twice as many addresses."""
    max_nodes: NotRequired[int]
    """How many nodes Autopilot may make; elsewhere the node pools say so."""
    autopilot: NotRequired[bool]
    """Whether Google runs the nodes."""
    node_pools: NotRequired[dict[str, GkeNodePoolArgs]]
    """By name; one pool called `default` when left out."""
    control_plane: NotRequired[GkeControlPlaneArgs]
    """How the API server is reached."""
    release_channel: NotRequired[str]
    """Channel by which Google upgrades the cluster."""
    min_version: NotRequired[str]
    """Oldest version of the control plane; the channel's when left out. From 1.33.1 on internal load balancers are
    asked for by class."""
    maintenance: NotRequired[GkeMaintenanceArgs]
    """When Google may upgrade the cluster; at any time when left out."""
    deletion_protection: NotRequired[bool]
    """Whether Google refuses to delete the cluster; true by default."""
    labels: NotRequired[dict[str, str]]
    """Labels of the cluster at Google, such as those of your bill."""
