"""The composition root: reads top to bottom as the story of the installation.

No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

import pulumi

from ..gates.expectations import expectations
from ..istio import names
from ..istio.federation import offer_to
from ..pictures.mermaid import mermaid
from ..plan import report
from ..plan.gke_flows import flow_table
from ..plan.mesh_plan import MeshPlan, Validity, plan_mesh
from ..topology.load import facts_of
from ..topology.models import Topology
from ..topology.problems import Problem
from .arguments import MeshArgs, RefusedTopology, accept
from .callbacks import engine_calls_back
from .given_trust import check_common_root
from .mesh_cluster import MeshCluster
from .offers import checked_offers, trusted_offers
from .preflight import Preflight
from .trust import Trust

if TYPE_CHECKING:
    from .gke_cluster import GkeCluster
    from .gke_members import GkeMembers

_NO_GCP = Problem(
    where="gke_networks",
    what="GKE clusters are asked for, and pulumi_gcp is not installed",
    why="it is an extra: most meshes don't need it, and it is large",
    fix="pip install 'pulumi-istio-mesh[gke]'",
    slug="gke-provider",
)


class Mesh(pulumi.ComponentResource):
    """One Istio mesh over all clusters of the list.

    Raises `TopologyError` before any resource is registered, with everything that is wrong with the arguments;
    what is wrong with a value known late stops the program before that cluster's first object.
    On destroy everything goes but Istio's CRDs and the ConfigMaps that istiod itself wrote into other namespaces.
    """

    mesh_id: pulumi.Output[str]
    trust_domain: pulumi.Output[str]
    """Host of every identity in the mesh: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`."""
    gateways: pulumi.Output[dict[str, str]]
    """Address of each cluster's east-west gateway, by cluster; only clusters that other networks dial."""
    offers: pulumi.Output[dict[str, Any]]
    """What this mesh tells each of its peers, by mesh ID: its roots, federation gateways and Services; no secret."""
    istiods: pulumi.Output[dict[str, str]]
    """Address at which remote clusters reach istiod, by primary; only primaries that have remotes."""
    remote_secrets: pulumi.Output[list[str]]
    """`<reader> reads <cluster>` for every remote secret, sorted."""
    root_cert_pem: pulumi.Output[str]
    """PEM of every root that the mesh trusts; empty where trust is external."""
    root_fingerprints: pulumi.Output[dict[str, str]]
    """SHA-256 of each generated root, by generation."""
    certificate_expiry: pulumi.Output[dict[str, str]]
    """Day on which each generated certificate ends, such as 2036-11-20, by `root <generation>` or `<cluster>`."""
    topology: pulumi.Output[dict[str, Any]]
    """The plain facts of the mesh as mesh.yaml has them, for `istio-mesh verify --stack`."""
    summary: pulumi.Output[str]
    """The plan in words and tables, as Markdown: a preview shows what changes in it as the diff of this output."""
    picture: pulumi.Output[str]
    """The plan as a Mermaid flow chart."""
    firewall: pulumi.Output[list[dict[str, Any]]]
    """What the VPCs of GKE clusters made here let in: `cluster`, `name`, `sources`, `ports` (none: all), `why`."""

    def __init__(self, name: str, args: MeshArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        topology = accept(name, args)
        plan = plan_mesh(topology)
        super().__init__(names.token("Mesh"), name, None, opts)
        if pulumi.runtime.is_dry_run():
            pulumi.log.info("; ".join([report.headline(topology, plan), *report.notes(topology, plan)]), self)
        within = pulumi.ResourceOptions(parent=self)

        cluster_args: Mapping[str, Any] = args["clusters"]
        made: Mapping[str, GkeCluster] = {}
        if topology.gke_networks:
            members = _gke_members(name, topology, plan, within)
            cluster_args, made = members.arguments(cluster_args), members.clusters
        trust = Trust(name, topology, opts=within) if topology.trust.kind == "generated" else None
        own_roots, fingerprints = _roots(topology, trust, args)
        # Under mocks there are no clusters to look at.
        look = topology.verify.preflight and engine_calls_back()
        preflight = Preflight(name, topology, plan) if look else None
        clusters: dict[str, MeshCluster] = {}
        # Primaries first: a remote's way to its istiod is an address of its primary.
        for cluster in sorted(plan.clusters, key=lambda found: found.remote):
            clusters[cluster.name] = MeshCluster(
                names.logical_name(name, cluster.name),
                cluster,
                topology,
                cluster_args[cluster.name],
                made=made.get(cluster.name),
                trust=trust,
                istiod_address=clusters[cluster.primary].istiod_address if cluster.remote else None,
                preflight=preflight,
                opts=within,
            )
        secrets: list[pulumi.Output[str]] = []
        known: dict[str, dict[str, pulumi.Output[str]]] = {}
        for cluster in plan.clusters:
            if cluster.discovers:
                peers = {peer: clusters[peer] for peer in cluster.discovers}
                known[cluster.name] = clusters[cluster.name].discover(peers).names
                secrets += known[cluster.name].values()
                for remote in cluster.remotes:
                    clusters[remote].attach(known[cluster.name][remote])
        offers = checked_offers(name, topology, args.get("peers") or {})
        trusted = trusted_offers(name, topology, offers, own_roots)
        for cluster in plan.clusters:
            if not cluster.remote:
                clusters[cluster.name].share(offers, trusted)
        for cluster in plan.clusters:
            if cluster.gate:
                expected = expectations(topology, plan, cluster.name)
                clusters[cluster.name].prove(expected, clusters, list(known.get(cluster.primary, {}).values()))

        self.mesh_id = pulumi.Output.from_input(topology.mesh_id)
        self.trust_domain = pulumi.Output.from_input(topology.identity_domain)
        self.gateways = _known({found: cluster.gateway_address for found, cluster in clusters.items()})
        entrances = _known({found: cluster.federation_address for found, cluster in clusters.items()})
        self.offers = pulumi.Output.all(own_roots, entrances).apply(
            lambda known: {peer: offer_to(topology, peer, known[0], known[1]) for peer in topology.peers}
        )
        self.istiods = _known({found: cluster.istiod_address for found, cluster in clusters.items()})
        pairs = sorted(f"{reader} reads {read}" for reader, read in plan.remote_secrets)
        self.remote_secrets = pulumi.Output.all(*secrets).apply(lambda _: pairs)
        self.root_cert_pem, self.root_fingerprints = own_roots, fingerprints
        self.certificate_expiry = pulumi.Output.from_input(_expiry(plan))
        self.topology = pulumi.Output.from_input(facts_of(topology))
        self.firewall = pulumi.Output.from_input(flow_table(plan.firewall))
        self.summary = pulumi.Output.from_input(report.markdown(topology, plan))
        self.picture = pulumi.Output.from_input(mermaid(plan))
        self.register_outputs(
            {
                "meshId": self.mesh_id,
                "trustDomain": self.trust_domain,
                "gateways": self.gateways,
                "offers": self.offers,
                "istiods": self.istiods,
                "remoteSecrets": self.remote_secrets,
                "rootCertPem": self.root_cert_pem,
                "rootFingerprints": self.root_fingerprints,
                "certificateExpiry": self.certificate_expiry,
                "topology": self.topology,
                "firewall": self.firewall,
                "summary": self.summary,
                "picture": self.picture,
            }
        )


def _gke_members(name: str, topology: Topology, plan: MeshPlan, within: pulumi.ResourceOptions) -> "GkeMembers":
    try:
        # Late: it costs a second and 250 MB, and most meshes have no GKE cluster to make.
        from .gke_members import GkeMembers
    except ModuleNotFoundError as error:
        if error.name != "pulumi_gcp":
            raise
        raise RefusedTopology([_NO_GCP], f"Mesh {name!r}") from None
    return GkeMembers(name, topology, plan, within)


def _known(addresses: dict[str, Optional[pulumi.Output[str]]]) -> pulumi.Output[dict[str, str]]:
    """Return the addresses that there are, by cluster."""
    # By one plain argument: Output.all of no names at all would be a list.
    some: Any = {cluster: address for cluster, address in addresses.items() if address is not None}
    return pulumi.Output.from_input(some).apply(
        lambda known: {cluster: address for cluster, address in known.items() if address}
    )


def _roots(
    topology: Topology, trust: Optional[Trust], args: MeshArgs
) -> tuple[pulumi.Output[str], pulumi.Output[dict[str, str]]]:
    nothing: pulumi.Output[dict[str, str]] = pulumi.Output.from_input({})
    if trust is not None:
        return trust.root_certs, trust.fingerprints
    if topology.trust.kind == "given":
        return check_common_root(args["clusters"]), nothing
    return pulumi.Output.from_input(""), nothing


def _expiry(plan: MeshPlan) -> dict[str, Any]:
    def row(prefix: str, validity: Validity) -> tuple[str, str]:
        return prefix + validity.name, validity.expires.isoformat()

    return dict([*(row("root ", root) for root in plan.roots), *(row("", own) for own in plan.intermediates)])
