"""The composition root: reads top to bottom as the story of the installation.

No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, Optional

import pulumi

from ..gates.expectations import expectations
from ..istio import names
from ..istio.federation import offer_to
from ..pictures.mermaid import mermaid
from ..plan import report
from ..plan.expiry import expiring, last_days
from ..plan.gke_flows import flow_table
from ..plan.mesh_plan import plan_mesh
from ..rules import today
from ..topology.load import facts_of
from ..topology.models import Topology
from . import messages
from .adopted import adopted_objects
from .arguments import MeshArgs, accept
from .callbacks import engine_calls_back
from .eviction import forget_cluster
from .gcp_extra import needing_gcp
from .given_trust import check_common_root
from .mesh_cluster import MeshCluster
from .offers import checked_offers, trusted_offers
from .order import Later
from .preflight import Preflight
from .registries import checked_credentials
from .rendering import Rendering, refuse_an_ambient_cluster, render_crds, say_what_is_left_out
from .trust import Trust

if TYPE_CHECKING:
    from .gke_cluster import GkeCluster


class Mesh(pulumi.ComponentResource):
    """One Istio mesh over all clusters of the list.

    Raises `TopologyError` before any resource is registered, with everything that is wrong with the arguments;
    what is wrong with a value known late stops the program before that cluster's first object.
    On destroy everything goes but Istio's CRDs and the ConfigMaps that istiod itself wrote into other namespaces.
    """

    mesh_id: pulumi.Output[str]
    """Name of the mesh."""
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
        declared = accept(name, args)
        topology = declared.present
        adopted = adopted_objects(name, topology)
        plan = plan_mesh(topology)
        if topology.render_to is not None and engine_calls_back():
            refuse_an_ambient_cluster(name)
        super().__init__(names.token("Mesh"), name, None, opts)
        if pulumi.runtime.is_dry_run():
            messages.info("; ".join([report.headline(topology, plan), *report.notes(topology, plan)]), self)
            for warning in expiring(topology, plan, today()):
                messages.warn(warning, self)
        within = pulumi.ResourceOptions(parent=self)

        cluster_args: Mapping[str, Any] = args["clusters"]
        made: Mapping[str, GkeCluster] = {}
        if topology.gke_networks:
            with needing_gcp("gke_networks", f"Mesh {name!r}"):
                # Late: it costs a second and 250 MB, and most meshes have no GKE cluster to make.
                from .gke_members import GkeMembers
            members = GkeMembers(name, topology, plan, within)
            cluster_args, made = members.arguments(cluster_args), members.clusters
        trust = Trust(name, topology, opts=within) if topology.trust.kind == "generated" else None
        own_roots, fingerprints = _roots(topology, trust, args)
        credentials = checked_credentials(args.get("registry_credentials") or {})
        # Under mocks there are no clusters to look at, and for files none is.
        look = topology.verify.preflight and topology.render_to is None and engine_calls_back()
        preflight = Preflight(name, topology, plan, own_roots) if look else None
        clusters: dict[str, MeshCluster] = {}
        # What is proved after each wave but the last, of which the mesh's own gates tell; the waves after wait for it.
        proved = [Later() for _ in plan.waves[1:]]
        waits_for = {
            cluster: later.output for later, wave in zip(proved, plan.waves[1:], strict=True) for cluster in wave
        }
        # Primaries first: a remote's way to its istiod is an address of its primary.
        for cluster in sorted(plan.clusters, key=lambda found: found.remote):
            own_name, folder = names.logical_name(name, cluster.name), topology.render_to
            clusters[cluster.name] = MeshCluster(
                own_name,
                cluster,
                topology,
                cluster_args[cluster.name],
                made=made.get(cluster.name),
                rendering=Rendering(own_name, cluster.name, folder, opts=within) if folder is not None else None,
                trust=trust,
                credentials=credentials,
                istiod_addresses=clusters[cluster.primary].istiod_addresses if cluster.remote else None,
                preflight=preflight,
                waits_for=[waits_for[cluster.name]] if cluster.name in waits_for else [],
                adopted=adopted.get(cluster.name, ()),
                opts=within,
            )
        if topology.render_to is not None:
            render_crds(name, topology, opts=within)
            say_what_is_left_out(topology, plan, cluster_args, self)
        for evicted in topology.evicted:
            forget_cluster(names.logical_name(name, evicted), evicted, topology, opts=within)
        known: dict[str, list[pulumi.Output[str]]] = {cluster.name: [] for cluster in plan.clusters}
        readers = [cluster for cluster in plan.clusters if cluster.discovers or cluster.forgets]
        for cluster in readers:
            own = clusters[cluster.name]
            own.dial({peer: clusters[peer] for peer in cluster.discovers})
            known[cluster.name] += [own.forget(peer) for peer in cluster.forgets]
            # A cluster's own remotes first: what others wait for in them is injected by it.
            for remote in cluster.remotes:
                known[cluster.name].append(own.discover(remote, clusters[remote]))
                clusters[remote].attach(known[cluster.name][-1], own.exposed)
        for cluster in readers:
            for peer in (found for found in cluster.discovers if found not in cluster.remotes):
                known[cluster.name].append(clusters[cluster.name].discover(peer, clusters[peer]))
        offers = checked_offers(name, topology, args.get("peers") or {})
        trusted = trusted_offers(name, topology, offers, own_roots)
        for cluster in plan.clusters:
            if not cluster.remote:
                clusters[cluster.name].share(offers, trusted)
        expected = {
            cluster.name: expectations(topology, plan, cluster.name) for cluster in plan.clusters if cluster.gate
        }
        for number, later in enumerate(proved, 1):
            before = [clusters[cluster] for wave in plan.waves[:number] for cluster in wave]
            later.keep([clusters[own].prove_wave(number, shown, before) for own, shown in expected.items()])
        for cluster in plan.clusters:
            if cluster.gate:
                clusters[cluster.name].prove(expected[cluster.name], clusters, known[cluster.primary])

        self.mesh_id = pulumi.Output.from_input(topology.mesh_id)
        self.trust_domain = pulumi.Output.from_input(topology.identity_domain)
        self.gateways = _known({found: cluster.gateway_address for found, cluster in clusters.items()})
        entrances = _known({found: cluster.federation_address for found, cluster in clusters.items()})
        self.offers = pulumi.Output.all(own_roots, entrances).apply(
            lambda known: {peer: offer_to(topology, peer, known[0], known[1]) for peer in topology.peers}
        )
        self.istiods = _known({found: cluster.istiod_address for found, cluster in clusters.items()})
        pairs = sorted(
            f"{reader} reads {read}"
            for reader, read in plan.remote_secrets
            if clusters[read].reader_kubeconfig is not None
        )
        self.remote_secrets = pulumi.Output.all(*chain.from_iterable(known.values())).apply(lambda _: pairs)
        self.root_cert_pem, self.root_fingerprints = own_roots, fingerprints
        self.certificate_expiry = pulumi.Output.from_input(last_days(plan))
        self.topology = pulumi.Output.from_input(facts_of(declared))
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
