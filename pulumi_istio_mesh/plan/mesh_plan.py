"""The decisions that follow from a topology: who reads whom, who needs a gateway, what expires when.

The plan holds decisions only. Components, pictures and checks read it; nothing interprets it, stores it or diffs it.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from ..istio.names import INJECTOR_WEBHOOK, tag_webhook
from ..topology.federation import import_host
from ..topology.models import Topology
from ..topology.names import DEFAULT_REVISION
from .gke_flows import Flow, firewall_flows


class IstiodRoute(enum.Enum):
    """How remote clusters reach their primary's istiod."""

    GATEWAY = "its east-west gateway"
    """By the SNI that istiod's own certificate answers to, through the gateway that the primary has anyway."""
    SERVICE = "a load balancer of its own"
    """On a flat network: fewer parts than a gateway, and unlike a pod's address it outlives istiod's pods."""


@dataclass(frozen=True)
class ClusterPlan:
    """What follows for one cluster."""

    name: str
    network: str
    primary: str
    """Cluster whose istiod serves this one; itself, or it is a remote."""
    remotes: tuple[str, ...]
    """Clusters that this cluster's istiod serves besides its own, sorted."""
    istiod_route: IstiodRoute | None
    """How those reach it; None without any."""
    discovers: tuple[str, ...]
    """Clusters that this cluster's istiod watches, sorted; each needs its credential here."""
    discovered_by: tuple[str, ...]
    """Clusters whose istiods watch this one, sorted; without any, no reader token is made."""
    gateway: bool
    """Whether another network reaches this cluster's services, so that it needs an east-west gateway."""
    exposure: bool
    """Whether the rule that lets other networks in stands here: istiod reads it for all gateways that it serves."""
    probe: bool
    """Whether a probe runs here, which the gates of other clusters call."""
    gate: bool
    """Whether a gate runs here, which shows what this cluster's istiod sees and whom its workloads reach."""
    federation_gateway: bool
    """Whether other meshes enter here, to call what this mesh exports."""
    shares: bool
    """Whether this cluster's istiod is told of other meshes: their roots, and what they share."""
    injector: str = INJECTOR_WEBHOOK
    """Name of the webhook by which pods that name no revision get their proxies."""
    revisions: tuple[tuple[str, str], ...] = ()
    """Revisions of the istiods that serve it with their versions, the one that serves what names none first; none where
    there is but one, without a name."""
    forgets: tuple[str, ...] = ()
    """Evicted clusters that this cluster's istiod read, sorted; each credential is emptied, and stays until they leave
    the list."""
    joins: bool = False
    """Whether the control plane was there before the mesh: it is used, and stays as it is."""
    adopted: bool = False
    """Whether the objects of that control plane are imported."""
    gateway_there: bool = False
    """Whether the gateway was there before, too: its Service is read, and nothing of it is made."""

    @property
    def dials(self) -> bool:
        """Whether a gate shows, before istiod is told of other clusters, that their API servers can be reached."""
        return self.gate and bool(self.discovers)

    @property
    def remote(self) -> bool:
        """Whether another cluster's istiod serves this one."""
        return self.primary != self.name


@dataclass(frozen=True)
class Path:
    """How calls get from one cluster to the services of another; where there is none, its services are unknown."""

    source: str
    target: str
    direct: bool
    """Pod to pod; otherwise through the target's east-west gateway."""


@dataclass(frozen=True)
class Validity:
    """When a certificate of the mesh is valid."""

    name: str
    issued: dt.date
    expires: dt.date


@dataclass(frozen=True)
class LetIn:
    """A Service that a peer may call."""

    service: str
    callers: tuple[str, ...]
    """Workloads of the peer, as `<namespace>/<service account>`, `<namespace>/*` or `*`."""


@dataclass(frozen=True)
class CalledOut:
    """A Service of a peer that is called here."""

    service: str
    host: str
    namespaces: tuple[str, ...]
    """Namespaces that see it."""
    fallback: str | None
    """Service of this mesh that answers while no gateway of the peer does."""


@dataclass(frozen=True)
class PeerPlan:
    """What crosses the border between this mesh and another one."""

    name: str
    trust_domains: tuple[str, ...]
    lets_in: tuple[LetIn, ...]
    calls: tuple[CalledOut, ...]


@dataclass(frozen=True)
class MeshPlan:
    """What follows from one topology; its clusters keep the order of the list."""

    mesh_id: str
    clusters: tuple[ClusterPlan, ...]
    paths: tuple[Path, ...]
    roots: tuple[Validity, ...]
    intermediates: tuple[Validity, ...]
    """One a cluster with an istiod of its own, named like it; none where trust is not generated."""
    peers: tuple[PeerPlan, ...]
    firewall: tuple[Flow, ...]
    """What the VPCs of GKE clusters that the program makes let in."""

    waves: tuple[tuple[str, ...], ...] = ()
    """All clusters in the order in which they are changed; one wave, where nothing is said of it."""

    @property
    def remote_secrets(self) -> tuple[tuple[str, str], ...]:
        """Every ordered pair (reader, read), one remote secret each."""
        return tuple((cluster.name, read) for cluster in self.clusters for read in cluster.discovers)


def plan_mesh(topology: Topology) -> MeshPlan:
    """Return the plan of a topology that has passed its rules."""
    gateways = {name for name in topology.clusters if topology.has_gateway(name)}

    def planned(name: str) -> ClusterPlan:
        remotes = sorted(topology.remotes_of(name))
        route = IstiodRoute.GATEWAY if name in gateways else IstiodRoute.SERVICE
        return ClusterPlan(
            name=name,
            network=topology.network_of(name),
            primary=topology.primary_of(name),
            remotes=tuple(remotes),
            istiod_route=route if remotes else None,
            discovers=() if topology.is_remote(name) else tuple(topology.watched_by(name)),
            forgets=() if topology.is_remote(name) else tuple(topology.forgotten_by(name)),
            discovered_by=tuple(topology.watchers_of(name)),
            gateway=name in gateways,
            gateway_there=name in gateways and topology.clusters[name].east_west_gateway.existing,
            joins=topology.clusters[name].joins,
            adopted=topology.clusters[name].control_plane == "adopted",
            probe=topology.has_probe(name),
            gate=topology.has_gate(name),
            federation_gateway=topology.has_federation_gateway(name),
            shares=bool(topology.peers) and not topology.is_remote(name),
            revisions=_revisions(topology, name),
            injector=tag_webhook(DEFAULT_REVISION) if topology.revisioned else INJECTOR_WEBHOOK,
            exposure=not topology.is_remote(name)
            and not gateways.isdisjoint([name, *remotes])
            and not topology.clusters[name].east_west_gateway.existing,
        )

    clusters = tuple(planned(name) for name in topology.clusters)
    paths = tuple(
        Path(source, target, topology.network_of(source) == topology.network_of(target))
        for source in topology.clusters
        for target in topology.called_from(source)
    )
    return MeshPlan(
        topology.mesh_id,
        clusters,
        paths,
        _roots(topology),
        _intermediates(topology),
        _peers(topology),
        firewall_flows(topology),
        _waves(topology),
    )


def _revisions(topology: Topology, cluster: str) -> tuple[tuple[str, str], ...]:
    if not topology.revisioned:
        return ()
    serving = topology.revision_of(cluster)
    return tuple(sorted(topology.versions_of(cluster).items(), key=lambda found: found[0] != serving))


def _waves(topology: Topology) -> tuple[tuple[str, ...], ...]:
    named = {name for wave in topology.waves for name in wave}
    rest = tuple(name for name in topology.clusters if name not in named)
    return tuple(wave for wave in (*topology.waves, rest) if wave)


def _peers(topology: Topology) -> tuple[PeerPlan, ...]:
    return tuple(
        PeerPlan(
            name,
            peer.identity_domains(name),
            tuple(
                LetIn(service, export.callers[name])
                for service, export in sorted(topology.exports.items())
                if export.callers.get(name)
            ),
            tuple(
                CalledOut(
                    service,
                    import_host(name, service, declared),
                    declared.namespaces,
                    declared.fallback.service if declared.fallback else None,
                )
                for service, declared in sorted(peer.imports.items())
            ),
        )
        for name, peer in topology.peers.items()
    )


def _roots(topology: Topology) -> tuple[Validity, ...]:
    return tuple(
        Validity(root.name, root.issued, root.issued + dt.timedelta(days=root.days)) for root in topology.trust.roots
    )


def _intermediates(topology: Topology) -> tuple[Validity, ...]:
    if topology.trust.kind != "generated":
        return ()
    root, declared = topology.signing_root, topology.trust.intermediates
    issued = declared.issued or root.issued
    root_expires = root.issued + dt.timedelta(days=root.days)
    expires = min(issued + dt.timedelta(days=declared.days), root_expires)
    return tuple(Validity(name, issued, expires) for name in topology.clusters if not topology.is_remote(name))
