"""GKE clusters that the mesh's own program makes, and the VPC that they are made on: plain facts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .declared import Declared, IPNetwork, Ranges


def _one_ipv4(value: tuple[IPNetwork, ...]) -> tuple[IPNetwork, ...]:
    if len(value) != 1 or value[0].version != 4:
        raise ValueError("it should be one IPv4 range")
    return value


OneRange = Annotated[Ranges, AfterValidator(_one_ipv4)]
"""One IPv4 range; a tuple of one, as all ranges are."""
Ports = Annotated[str, Field(pattern=r"^\d{1,5}(-\d{1,5})?$")]
_PROJECT = r"^([a-z0-9.]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$"


class GkeNetwork(Declared):
    """A VPC, whose pods are routable in all of it: one network of the mesh, keyed by the network's name."""

    project: str = Field(pattern=_PROJECT)
    """Project of the clusters, and of the VPC where it is made here."""
    supernet: OneRange | None = None
    """Range that every cluster's ranges are cut from; not needed where all clusters give their own."""
    block_prefix: int = Field(default=16, ge=9, le=18)
    """Prefix length of the block that each cluster gets of `supernet`: half of it for pods."""
    vpc: str | None = Field(
        default=None, pattern=r"^(projects/[-a-z0-9.:]+/global/networks/)?[a-z]([-a-z0-9]*[a-z0-9])?$"
    )
    """A VPC that exists: its name, or projects/<host project>/global/networks/<name> of a Shared VPC; made when left
    out."""
    nat: bool = False
    """Whether private nodes reach the internet, by Cloud NAT with a reserved address in each region."""
    ports: tuple[Ports, ...] = ()
    """TCP ports or ranges of ports, such as 8080 or 8000-8999, that pods of other clusters may call; all when left
    out, since applications choose theirs."""
    gateway_sources: Ranges = ()
    """Ranges that may dial gateways; when left out other clusters' pods on an internal load balancer, anybody on an
    external one."""

    @property
    def vpc_path(self) -> str | None:
        """The VPC that exists, as Google names it in all projects; None where it is made here."""
        if self.vpc is None or "/" in self.vpc:
            return self.vpc
        return f"projects/{self.project}/global/networks/{self.vpc}"

    @property
    def host_project(self) -> str:
        """The project that the VPC, its subnetworks and its firewall are in."""
        return self.vpc_path.split("/")[1] if self.vpc_path else self.project


class GkeRanges(Declared):
    """Ranges of one cluster, given instead of a block."""

    nodes: OneRange
    """Of the subnetwork, also of internal load balancers."""
    pods: OneRange
    """Of all pods."""
    services: OneRange
    """Of all Services."""
    control_plane: OneRange
    """A /28."""


class GkeTaint(Declared):
    """What keeps pods off a pool that do not tolerate it."""

    key: str
    """Key that pods tolerate."""
    value: str = ""
    """Value that pods tolerate."""
    effect: Literal["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"] = "NO_SCHEDULE"
    """What happens to pods that do not tolerate it."""


class GkeNodePool(Declared):
    """Nodes of one kind."""

    machine_type: str = "e2-standard-4"
    """Google's name of the kind of machine."""
    min_nodes: int = Field(default=1, ge=0, le=15000)
    """At least so many in all zones together."""
    max_nodes: int = Field(default=3, ge=1, le=15000)
    """At most so many in all zones together."""
    disk_gb: int = Field(default=100, ge=10, le=65536)
    """Size of each node's disk."""
    spot: bool = False
    """Cheap nodes that Google may take away at any time."""
    labels: dict[str, str] = {}
    """Labels of the nodes in Kubernetes."""
    taints: tuple[GkeTaint, ...] = ()
    """Taints of the nodes."""


class GkeControlPlane(Declared):
    """How the API server is reached."""

    endpoint: Literal["public", "private", "dns"] = "public"
    """`public`: its address on the internet, for authorized ranges only. `private`: its address in the VPC. `dns`: its
    DNS name, where IAM decides."""
    global_access: bool = True
    """Whether other regions of the VPC reach the private endpoint."""
    authorized: dict[str, OneRange] = {}
    """Ranges that may dial it besides those of the mesh, by a name for each: your runners, your offices, clusters
    elsewhere. Not for `dns`."""


class GkeMaintenance(Declared):
    """When Google may upgrade the cluster, in UTC."""

    start_time: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    """Begin of the first window."""
    end_time: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    """End of the first window, such as 2026-01-03T06:00:00Z."""
    recurrence: str = Field(default="FREQ=WEEKLY;BYDAY=SA,SU", pattern=r"^FREQ=(DAILY|WEEKLY)")
    """RFC 5545 rule; GKE wants 48 hours in every 32 days."""


class GkeCluster(Declared):
    """A GKE cluster that the program makes: VPC-native, private nodes, Dataplane V2, Workload Identity."""

    region: str = Field(pattern=r"^[a-z]+-[a-z]+\d+$")
    """Region of the cluster and of its subnetwork."""
    zone: str | None = None
    """Zone of its one control plane; a regional control plane in three zones when left out."""
    node_zones: tuple[str, ...] = ()
    """Zones of its nodes; chosen by GKE when left out."""
    block: int | None = Field(default=None, ge=0)
    """Which block of the network's supernet is this cluster's, counted from 0. Never change it."""
    ranges: GkeRanges | None = None
    """Ranges instead of a block."""
    max_pods_per_node: int | None = Field(default=None, ge=8, le=256)
    """110 when left out; GKE gives a node twice as many addresses."""
    max_nodes: int | None = Field(default=None, ge=1, le=15000)
    """How many nodes Autopilot may make; elsewhere the node pools say so."""
    autopilot: bool = False
    """Whether Google runs the nodes."""
    node_pools: dict[str, GkeNodePool] = {}
    """By name; one pool called `default` when left out."""
    control_plane: GkeControlPlane = GkeControlPlane()
    release_channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    """Channel by which Google upgrades the cluster."""
    min_version: str | None = Field(default=None, pattern=r"^1\.\d+(\.\d+(-gke\.\d+)?)?$")
    """Oldest version of the control plane; the channel's when left out. From 1.33.1 on internal load balancers are
    asked for by class."""
    maintenance: GkeMaintenance | None = None
    """When Google may upgrade the cluster; at any time when left out."""
    deletion_protection: bool = True
    """Whether Google refuses to delete the cluster: set it to false and run `pulumi up` before `pulumi destroy`."""
    labels: dict[str, str] = {}
    """Labels of the cluster at Google, such as those of your bill."""

    @property
    def pools(self) -> dict[str, GkeNodePool]:
        """The node pools in force; none with Autopilot."""
        return {} if self.autopilot else (self.node_pools or {"default": GkeNodePool()})

    @property
    def most_nodes(self) -> int:
        """How many nodes there may ever be at once."""
        return (self.max_nodes or 100) if self.autopilot else sum(pool.max_nodes for pool in self.pools.values())

    @property
    def most_pods(self) -> int:
        """How many pods a node takes."""
        return self.max_pods_per_node or 110

    @property
    def location(self) -> str:
        """Zone or region of the control plane."""
        return self.zone or self.region
