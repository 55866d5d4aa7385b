"""What a user declares: one mesh, its clusters, its trust, and what it shares with other meshes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from .declared import Day, Declared, Ranges, Text
from .dialled import DialledService, EastWestGateway, FederationGateway
from .federation import Export, Peer
from .gke import GkeCluster, GkeNetwork
from .gke_ranges import ClusterRanges, ranges_of
from .names import default_trust_domain


class Cluster(Declared):
    """One Kubernetes cluster of the mesh, keyed by the name Istio knows it by."""

    primary: str | None = None
    """Cluster whose istiod serves this one; itself when left out."""
    network: str | None = None
    """Clusters that share a network dial each other's pod addresses directly.
    A network of its own, named like the cluster, when left out."""
    pod_cidr: Ranges = ()
    """Ranges pod addresses come from; disjoint within a network."""
    discovers: tuple[str, ...] | None = None
    """Clusters whose services the clusters served by this one's istiod can call; all of the mesh when left out.
    A cluster and those it serves see each other anyway. Only for a cluster with an istiod of its own."""
    service_cidr: Ranges = ()
    """Ranges Service addresses come from."""
    api_server: Text | None = None
    """URL of the API server as the other clusters' istiods reach it; the kubeconfig's server when left out."""
    api_server_tls_name: str | None = None
    """Name to expect in the API server's certificate, where it is not the host of `api_server`."""
    east_west_gateway: EastWestGateway = EastWestGateway()
    federation_gateway: FederationGateway = FederationGateway()
    """By which other meshes call what this mesh exports, where the cluster is one of `federation_gateways`."""
    istiod_service: DialledService = DialledService()
    """By which remote clusters on the same network reach this cluster's istiod, where it has no east-west gateway."""
    values: dict[str, dict[str, Any]] = {}
    """Helm values for this cluster, keyed by chart: base, istiod, gateway. Win over the mesh's."""
    crds: Literal["managed", "external"] = "managed"
    """`external` leaves Istio's CRDs to whoever installed them."""
    protect: bool = False
    """Refuse to delete any resource of this cluster."""
    retain_on_delete: bool = False
    """Leave this cluster's objects in place when they leave the program."""
    verify: bool = True
    """Whether probes and gates run here; without them nobody proves calls from or to this cluster."""
    gke: GkeCluster | None = None
    """A GKE cluster that the program makes, on the VPC that `gke_networks` has under the cluster's network."""


def _off(value: object) -> object:
    """Read what YAML makes of a bare `off`."""
    return "off" if value is False else value


class Verify(Declared):
    """How a mesh proves that it works, each time it changes."""

    level: Annotated[Literal["traffic", "discovery", "off"], BeforeValidator(_off)] = "traffic"
    """`traffic`: calls between clusters arrive. `discovery`: every istiod sees its clusters. `off`: nothing runs."""
    preflight: bool = True
    """Whether clusters are looked at before anything in them changes."""
    image: str | None = None
    """Image of probes and gates, by tag or digest: with sh, curl, getent, and Envoy at /usr/local/bin/envoy.
    Istio's own proxy image of the mesh's version when left out: the nodes have it anyway."""
    timeout_seconds: int = Field(default=60, ge=10, le=3600)
    """How long a gate looks again before it says what is wrong."""
    requests: dict[str, str] = {"cpu": "10m", "memory": "64Mi"}
    """Resources that each pod asks for, besides its proxy."""
    node_selector: dict[str, str] = {}
    """Labels of the nodes that probes and gates run on."""
    tolerations: tuple[dict[str, Any], ...] = ()
    """Of probes and gates."""


class Root(Declared):
    """One generation of the mesh's root certificate authority.

    Its bytes never change: a new date, key or trust domain is a new generation beside it.
    """

    issued: Day
    """First day of validity, in UTC. Part of the certificate."""
    generation: str | None = Field(default=None, pattern=r"^[a-z0-9]([-a-z0-9]{0,14}[a-z0-9])?$")
    """Name of this generation, at most 16 characters; its date when left out. Part of the key's identity."""
    days: int = Field(default=3650, ge=1, le=36500)
    """Validity in days."""
    key: Literal["ECDSA-P256", "ECDSA-P384", "RSA-2048", "RSA-3072", "RSA-4096"] = "ECDSA-P256"
    """Kind and size of the key."""
    trust_domains: tuple[str, ...] = ()
    """Trust domains whose identities this root may vouch for; the mesh's own when left out."""

    @property
    def name(self) -> str:
        """The generation's name: given, or its date."""
        return self.generation or self.issued.isoformat()


class Intermediates(Declared):
    """The certificate authorities that istiod signs workload certificates with, one a cluster."""

    issued: Day | None = None
    """First day of validity, in UTC; the signing root's when left out. A new date renews all of them, hot."""
    days: int = Field(default=730, ge=1, le=36500)
    """Validity in days; never longer than the root's."""
    key: Literal["ECDSA-P256", "ECDSA-P384", "RSA-2048", "RSA-3072", "RSA-4096"] = "ECDSA-P256"
    """Kind and size of the key."""


class Trust(Declared):
    """Where the mesh's certificate authorities come from."""

    kind: Literal["generated", "given", "external"] = "generated"
    """`generated`: made here from keys in the stack's state. `given`: PEM per cluster, in the program's arguments.
    `external`: Secret `cacerts` is put into istio-system by somebody else, before istiod starts."""
    roots: tuple[Root, ...] = ()
    """Generations of the root; all of them are trusted, one of them signs."""
    signer: str | None = None
    """Name of the generation that signs; not needed while there is one."""
    intermediates: Intermediates = Intermediates()


class Topology(Declared):
    """One mesh, as its owners declare it."""

    mesh_id: str
    """Name of the mesh, a DNS label; never change it."""
    istio_version: str
    """Version of Istio's charts and images, such as 1.31.1."""
    clusters: dict[str, Cluster]
    """The clusters of the mesh, by the names that Istio knows them by."""
    trust: Trust = Trust()
    trust_domain: str | None = None
    """Trust domain of every identity in the mesh; `<mesh ID>.internal` when left out (docs/adr/0004)."""
    mtls: Literal["strict", "permissive"] = "strict"
    """Whether workloads refuse plaintext."""
    dns_capture: bool = True
    """Whether proxies answer DNS, so that a Service resolves in clusters that have no copy of it."""
    failover: bool = False
    """Whether calls prefer endpoints in the caller's own zone and region, and move elsewhere while those fail."""
    cluster_local: tuple[str, ...] = ()
    """Hosts of Services that each cluster answers by itself, never for another one."""
    chart_source: str | None = None
    """Where Istio's charts are: a repository URL, an `oci://` prefix or a folder; Istio's own repository by default."""
    image_hub: str | None = None
    """Registry and path of Istio's images; Istio's own by default."""
    values: dict[str, dict[str, Any]] = {}
    """Helm values for every cluster, keyed by chart: base, istiod, gateway."""
    verify: Verify = Verify()
    """How the mesh proves that it works."""
    peers: dict[str, Peer] = {}
    """Other meshes that this one knows, keyed by mesh ID: their roots are trusted, their identities may be let in."""
    exports: dict[str, Export] = {}
    """Services that other meshes may call, keyed by `<service>.<namespace>`."""
    federation_gateways: tuple[str, ...] | None = None
    """Clusters where other meshes enter to call what is exported; every cluster when left out."""
    gke_networks: dict[str, GkeNetwork] = {}
    """VPCs of the GKE clusters that the program makes, keyed by the name of the network."""

    @property
    def identity_domain(self) -> str:
        """The trust domain in force."""
        return self.trust_domain or default_trust_domain(self.mesh_id)

    @property
    def signing_root(self) -> Root:
        """The root generation that signs the intermediates; the topology must have passed its rules."""
        if len(self.trust.roots) == 1:
            return self.trust.roots[0]
        return next(root for root in self.trust.roots if root.name == self.trust.signer)

    @property
    def networks(self) -> list[str]:
        """The names of all networks of the mesh, sorted."""
        return sorted({self.network_of(name) for name in self.clusters})

    def gke_clusters(self) -> list[tuple[str, GkeCluster, GkeNetwork]]:
        """Return the GKE clusters that the program makes, with their VPCs; without those whose VPC is not declared."""
        return [
            (name, cluster.gke, self.gke_networks[self.network_of(name)])
            for name, cluster in self.clusters.items()
            if cluster.gke is not None and self.network_of(name) in self.gke_networks
        ]

    def gke_ranges(self, cluster: str) -> ClusterRanges | None:
        """Return the ranges of a GKE cluster that the program makes; None of any other, and where they can't be."""
        made, network = self.clusters[cluster].gke, self.gke_networks.get(self.network_of(cluster))
        return ranges_of(network, made) if made is not None and network is not None else None

    def has_federation_gateway(self, cluster: str) -> bool:
        """Return whether other meshes enter at this cluster."""
        chosen = self.federation_gateways
        return bool(self.exports) and (chosen is None or cluster in chosen)

    def network_of(self, cluster: str) -> str:
        """Return the name of the network that the cluster's pods are on."""
        return self.clusters[cluster].network or cluster

    def primary_of(self, cluster: str) -> str:
        """Return the name of the cluster whose istiod serves this one."""
        declared = self.clusters[cluster].primary
        return cluster if declared is None else declared

    def is_remote(self, cluster: str) -> bool:
        """Return whether another cluster's istiod serves this one."""
        return self.primary_of(cluster) != cluster

    def remotes_of(self, primary: str) -> list[str]:
        """Return the clusters that this one's istiod serves besides its own, in the order of the list."""
        return [name for name in self.clusters if name != primary and self.primary_of(name) == primary]

    def watched_by(self, primary: str) -> list[str]:
        """Return the clusters that this one's istiod reads, sorted: its remotes, and those it is to discover."""
        # Asked for by rules too, which judge lists that name clusters which don't exist.
        declared = self.clusters[primary].discovers if primary in self.clusters else ()
        peers = set(self.clusters if declared is None else declared) | set(self.remotes_of(primary))
        return sorted(peers - {primary})

    def watchers_of(self, cluster: str) -> list[str]:
        """Return the clusters whose istiods read this one, sorted."""
        return sorted(name for name in self.clusters if not self.is_remote(name) and cluster in self.watched_by(name))

    def called_from(self, cluster: str) -> list[str]:
        """Return the clusters whose services this one's workloads can call, sorted: what its istiod knows."""
        primary = self.primary_of(cluster)
        return sorted({primary, *self.watched_by(primary)} - {cluster})

    def has_probe(self, cluster: str) -> bool:
        """Return whether a probe runs in this cluster, so that calls from and to it are proved."""
        return self.verify.level == "traffic" and self.clusters[cluster].verify

    def has_gate(self, cluster: str) -> bool:
        """Return whether a gate runs in this cluster; below `traffic` only where an istiod is."""
        shows = self.verify.level == "traffic" or (self.verify.level == "discovery" and not self.is_remote(cluster))
        return shows and self.clusters[cluster].verify

    def has_gateway(self, cluster: str) -> bool:
        """Return whether another network calls this cluster's services, so that it needs an east-west gateway."""
        network = self.network_of(cluster)
        return any(
            cluster in self.called_from(caller) for caller in self.clusters if self.network_of(caller) != network
        )
