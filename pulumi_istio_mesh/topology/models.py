"""What a user declares: one mesh, its clusters, its trust, and what it shares with other meshes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr

from .declared import Day, Declared, Ranges, Text
from .dialled import DialledService, EastWestGateway, FederationGateway
from .federation import Export, Peer
from .gke import GkeCluster, GkeNetwork
from .gke_ranges import ClusterRanges, ranges_of
from .names import DEFAULT_REVISION, default_trust_domain
from .versions import numbers

GENERATION = r"^[a-z0-9]([-a-z0-9]{0,14}[a-z0-9])?$"
"""What a root or a token is told apart by; part of names, and so short."""


class Cluster(Declared):
    """One Kubernetes cluster of the mesh, keyed by the name Istio knows it by."""

    control_plane: Literal["managed", "existing", "adopted"] = "managed"
    """Whose control plane it is. `managed`: made here. `existing`: somebody else's istiod is there; the cluster joins
    with it, and it stays as it is. `adopted`: the same, and its objects are imported, as `istio-mesh adopt` found
    them."""
    primary: str | None = None
    """Cluster whose istiod serves this one; itself when left out."""
    network: str | None = None
    """Clusters that share a network dial each other's pod addresses directly.
    A network of its own, named like the cluster, when left out."""
    pod_cidr: Ranges = ()
    """Ranges pod addresses come from; disjoint within a network."""
    istio_version: str | None = None
    """Version of Istio here; the mesh's when left out. A remote's is that of its primary."""
    revision_tags: dict[str, str] = {}
    """Revision behind a tag here, where it is not the mesh's. Only for a cluster with an istiod of its own."""
    discovers: tuple[str, ...] | None = None
    """Clusters whose services the clusters served by this one's istiod can call; all of the mesh when left out.
    A cluster and those it serves see each other anyway. Only for a cluster with an istiod of its own."""
    service_cidr: Ranges = ()
    """Ranges Service addresses come from."""
    api_server: Text | None = None
    """URL of the API server as the other clusters' istiods reach it; the kubeconfig's server when left out."""
    reader_token: str | None = Field(default=None, pattern=GENERATION)
    """Generation of the token by which other clusters' istiods read this one; another name makes another token."""
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

    @property
    def joins(self) -> bool:
        """Whether its control plane was there before the mesh, and is not of the mesh's making."""
        return self.control_plane != "managed"


def _off(value: object) -> object:
    """Read what YAML makes of a bare `off`."""
    return "off" if value is False else value


class Revision(Declared):
    """One istiod of several that run side by side in every cluster with an istiod."""

    istio_version: str | None = None
    """Version of Istio of this istiod and its proxies; the mesh's when left out."""


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
    limits: dict[str, str] = {}
    """Resources that each pod may use at most, besides its proxy."""
    node_selector: dict[str, str] = {}
    """Labels of the nodes that probes and gates run on."""
    tolerations: tuple[dict[str, Any], ...] = ()
    """Of probes and gates."""
    priority_class: str | None = Field(default=None, pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")
    """PriorityClass of probes and gates."""
    labels: dict[str, str] = {}
    """Of the namespace of probes and gates, and of the workloads and pods in it."""
    annotations: dict[str, str] = {}
    """Of the workloads and pods of probes and gates."""


class Root(Declared):
    """One generation of the mesh's root certificate authority.

    Its bytes never change: a new date, key or trust domain is a new generation beside it.
    """

    issued: Day
    """First day of validity, in UTC. Part of the certificate."""
    generation: str | None = Field(default=None, pattern=GENERATION)
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
    """`generated`: made here from keys in the stack's state. `given`: PEM per cluster, in the program's arguments;
    a control plane that was there before has its own, under the same root.
    `external`: Secret `cacerts` is put into istio-system by somebody else, before istiod starts."""
    roots: tuple[Root, ...] = ()
    """Generations of the root; all of them are trusted, one of them signs."""
    signer: str | None = None
    """Name of the generation that signs; not needed while there is one."""
    intermediates: Intermediates = Intermediates()

    @property
    def signing(self) -> Root:
        """The root generation that signs; there must be one."""
        if len(self.roots) == 1:
            return self.roots[0]
        return next(root for root in self.roots if root.name == self.signer)


class Topology(Declared):
    """One mesh, as its owners declare it."""

    mesh_id: str
    """Name of the mesh, a DNS label; never change it."""
    istio_version: str
    """Version of Istio's charts and images, such as 1.31.1."""
    clusters: dict[str, Cluster]
    """The clusters of the mesh, by the names that Istio knows them by."""
    revisions: dict[str, Revision] = {}
    """istiods that run side by side, by revision; `default` is the one without a name, and alone when left out."""
    revision_tags: dict[str, str] = {}
    """Revision behind each tag that namespaces may name as istio.io/rev. Behind the tag `default` is who serves all
    that names none, gateways among them: the revision `default` when left out."""
    waves: tuple[tuple[str, ...], ...] = ()
    """Clusters in the order in which they are changed; the next ones only once the mesh works with those before.
    Clusters that are in no wave come last."""
    evicted: tuple[str, ...] = ()
    """Clusters of the list that are dead or out of reach: the others forget them, and nobody talks to them."""
    trust: Trust = Trust()
    trust_domain: str | None = None
    """Trust domain of every identity in the mesh; `<mesh ID>.internal` when left out (docs/adr/0004)."""
    trust_domain_aliases: tuple[str, ...] = ()
    """Trust domains that the mesh had before: their identities count as those of the one it has now."""
    mtls: Literal["strict", "permissive"] = "strict"
    """Whether workloads refuse plaintext."""
    dns_capture: bool = True
    """Whether proxies answer DNS, so that a Service resolves in clusters that have no copy of it."""
    failover: bool = False
    """Whether calls prefer endpoints in the caller's own zone and region, and move elsewhere while those fail."""
    cluster_local: tuple[str, ...] = ()
    """Hosts of Services that each cluster answers by itself, never for another one."""
    install: Literal["chart", "release"] = "chart"
    """What Istio's charts become in the stack: `chart`, all of their objects; `release`, one Helm release each."""
    render_to: str | None = Field(default=None, min_length=1)
    """Folder that each cluster's objects are written to as YAML, for somebody else to apply; nothing is installed."""
    chart_source: str | None = None
    """Where Istio's charts are: a repository URL, an `oci://` prefix or a folder; Istio's own repository by default."""
    image_hub: str | None = None
    """Registry and path of Istio's images; Istio's own by default."""
    image_pull_secrets: tuple[str, ...] = ()
    """Secrets of istio-system and istio-mesh-verify by which images are pulled, by name.
    Pods with a sidecar ask for Secrets of these names in their own namespaces, too."""
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

    _whole: Topology | None = PrivateAttr(default=None)
    """Of what is left of a mesh by `present`: the mesh with its evicted clusters."""

    @property
    def present(self) -> Topology:
        """The mesh without its evicted clusters: what there is to plan, to build and to look at.

        GKE clusters that the program makes are left in `gke_clusters`: leaving the mesh does not delete them.
        """
        gone = set(self.evicted)
        if not gone.intersection(self.clusters):
            return self
        clusters = {
            name: cluster.model_copy(update={"discovers": _without(cluster.discovers, gone)})
            for name, cluster in self.clusters.items()
            if name not in gone
        }
        gateways = _without(self.federation_gateways, gone)
        waves = tuple(_without(wave, gone) or () for wave in self.waves)
        update = {"clusters": clusters, "federation_gateways": gateways, "waves": waves}
        found = self.model_copy(update=update)
        found._whole = self
        return found

    @property
    def whole(self) -> Topology:
        """The mesh with its evicted clusters."""
        return self._whole or self

    def forgotten_by(self, primary: str) -> list[str]:
        """Return the evicted clusters that this one's istiod read before, sorted."""
        return sorted(set(self.whole.watched_by(primary)).intersection(self.evicted))

    @property
    def identity_domain(self) -> str:
        """The trust domain in force."""
        return self.trust_domain or default_trust_domain(self.mesh_id)

    @property
    def identity_domains(self) -> tuple[str, ...]:
        """The trust domain in force, and those whose identities count as its own."""
        return (self.identity_domain, *self.trust_domain_aliases)

    @property
    def own_domains(self) -> tuple[str, ...]:
        """Every trust domain that a workload may have here, now or after a change: those that its roots vouch for, too.

        No other mesh may have any of them.
        """
        vouched = (domain for root in self.trust.roots for domain in root.trust_domains)
        return tuple(dict.fromkeys((*self.identity_domains, *vouched)))

    @property
    def signing_root(self) -> Root:
        """The root generation that signs the intermediates; the topology must have passed its rules."""
        return self.trust.signing

    @property
    def networks(self) -> list[str]:
        """The names of all networks of the mesh, sorted."""
        return sorted({self.network_of(name) for name in self.clusters})

    def gke_clusters(self) -> list[tuple[str, GkeCluster, GkeNetwork]]:
        """Return the GKE clusters that the program makes, with their VPCs; without those whose VPC is not declared."""
        return [
            (name, cluster.gke, self.gke_networks[self.network_of(name)])
            for name, cluster in self.whole.clusters.items()
            if cluster.gke is not None and self.network_of(name) in self.gke_networks
        ]

    def gke_ranges(self, cluster: str) -> ClusterRanges | None:
        """Return the ranges of a GKE cluster that the program makes; None of any other, and where they can't be."""
        made, network = self.whole.clusters[cluster].gke, self.gke_networks.get(self.network_of(cluster))
        return ranges_of(network, made) if made is not None and network is not None else None

    def has_federation_gateway(self, cluster: str) -> bool:
        """Return whether other meshes enter at this cluster."""
        chosen = self.federation_gateways
        return bool(self.exports) and (chosen is None or cluster in chosen)

    def network_of(self, cluster: str) -> str:
        """Return the name of the network that the cluster's pods are on."""
        return self.whole.clusters[cluster].network or cluster

    def primary_of(self, cluster: str) -> str:
        """Return the name of the cluster whose istiod serves this one."""
        declared = self.clusters[cluster].primary
        return cluster if declared is None else declared

    @property
    def revisioned(self) -> bool:
        """Whether tags say which istiod gives a pod its proxy, also one that names no revision."""
        return bool(self.revisions or self.revision_tags or any(own.revision_tags for own in self.clusters.values()))

    @property
    def revision_names(self) -> tuple[str, ...]:
        """The revisions of istiod that run in each cluster with an istiod, in the order of the list."""
        return tuple(self.revisions) or (DEFAULT_REVISION,)

    def tags_of(self, cluster: str) -> dict[str, str]:
        """Return the revision behind each tag in a cluster; the tag `default` is always among them."""
        primary = self.primary_of(cluster)
        # Asked for by rules too, before it is known that there is such a cluster.
        own = self.clusters[primary].revision_tags if primary in self.clusters else {}
        names = self.revision_names
        return {
            DEFAULT_REVISION: DEFAULT_REVISION if DEFAULT_REVISION in names else names[0],
            **self.revision_tags,
            **own,
        }

    def revision_of(self, cluster: str) -> str:
        """Return the revision that serves what names none in a cluster: its gateways, probes and gates, too."""
        return self.tags_of(cluster)[DEFAULT_REVISION]

    def idle_revisions(self, cluster: str) -> list[str]:
        """Return the revisions that serve nobody in a cluster but who names them; each of them has a name."""
        serving = {DEFAULT_REVISION, self.revision_of(cluster)}
        return [revision for revision in self.revision_names if revision not in serving]

    def version_of(self, cluster: str, revision: str | None = None) -> str:
        """Return the version of Istio in a cluster: of the istiod that serves it, and so of its proxies.

        Of one revision, or where none is named of the one that serves what names none.
        """
        declared = self.revisions.get(revision or self.revision_of(cluster))
        primary = self.primary_of(cluster)
        own = self.clusters[primary].istio_version if primary in self.clusters else None
        return (declared and declared.istio_version) or own or self.istio_version

    def versions_of(self, cluster: str) -> dict[str, str]:
        """Return the version of Istio of each revision in a cluster."""
        return {revision: self.version_of(cluster, revision) for revision in self.revision_names}

    def newest_version_of(self, cluster: str) -> str:
        """Return the newest version among a cluster's revisions: that of its CRDs."""
        return max(self.versions_of(cluster).values(), key=numbers)

    def is_remote(self, cluster: str) -> bool:
        """Return whether another cluster's istiod serves this one."""
        return self.primary_of(cluster) != cluster

    @property
    def joining(self) -> list[str]:
        """The clusters that join with a control plane that was there before, in the order of the list."""
        return [name for name, cluster in self.clusters.items() if cluster.joins]

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
        return sorted(name for name in self.clusters if not self.is_remote(name) and self._watches(name, cluster))

    def _watches(self, primary: str, cluster: str) -> bool:
        """Return whether the cluster is among `watched_by`, without making that list for each pair of clusters."""
        declared = self.clusters[primary].discovers
        discovered = cluster in (self.clusters if declared is None else declared)
        served = cluster in self.clusters and self.primary_of(cluster) == primary
        return cluster != primary and (discovered or served)

    def called_from(self, cluster: str) -> list[str]:
        """Return the clusters whose services this one's workloads can call, sorted: what its istiod knows."""
        primary = self.primary_of(cluster)
        return sorted({primary, *self.watched_by(primary)} - {cluster})

    def has_probe(self, cluster: str) -> bool:
        """Return whether a probe runs in this cluster, so that calls from and to it are proved."""
        return self.verify.level == "traffic" and self.clusters[cluster].verify

    def has_gate(self, cluster: str) -> bool:
        """Return whether a gate runs in this cluster: where it is not rendered, below `traffic` only with an istiod."""
        shows = self.verify.level == "traffic" or (self.verify.level == "discovery" and not self.is_remote(cluster))
        return shows and self.clusters[cluster].verify and self.render_to is None

    def has_gateway(self, cluster: str) -> bool:
        """Return whether another network calls this cluster's services, so that it needs an east-west gateway.

        Evicted clusters count as callers: they may come back, and would find the gateway at another address.
        """
        network, whole = self.network_of(cluster), self.whole
        return any(
            cluster in whole.called_from(caller) for caller in whole.clusters if self.network_of(caller) != network
        )


def _without(names: tuple[str, ...] | None, gone: set[str]) -> tuple[str, ...] | None:
    return None if names is None else tuple(name for name in names if name not in gone)
