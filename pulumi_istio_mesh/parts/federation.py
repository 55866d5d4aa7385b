"""What a mesh shares with other meshes, in a cluster with an istiod.

No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

from functools import partial
from typing import Any, Optional

import pulumi

from ..components.arguments import RefusedTopology, without
from ..components.control_plane import shared_mesh_config
from ..components.federation import FederationGateway, MeshExport, MeshImport
from ..components.offers import checked_offers, trusted_offers
from ..istio import federation
from ..topology.credentials import credential_problems
from .arguments import IstioFederationArgs
from .placed import OF_MESH, PartInCluster, given, in_cluster, place, way_problems


class IstioFederation(PartInCluster):
    """A link of a mesh with one istiod to other meshes: what they may call here, and what of theirs can be called.

    Comes after `injector` of the control plane, which must let roots be added while it runs, as `IstioControlPlane`
    does. Each side is a stack of its own: give its `offers` to the other by a StackReference. Raises `TopologyError`
    before any resource is registered, and stops the program where an offer can't be trusted.
    On destroy the other meshes are no longer trusted, and calls between them fail.
    """

    offers: pulumi.Output[dict[str, Any]]
    """What this mesh tells each of its peers, by mesh ID: its roots, federation gateway and Services; no secret."""
    address: pulumi.Output[str]
    """What other meshes dial; empty where nothing is exported."""

    def __init__(self, name: str, args: IstioFederationArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        cluster = args.get("cluster") or name
        peers: Any = args.get("peers")
        placed = place(
            f"IstioFederation {name!r}",
            args,
            IstioFederationArgs,
            cluster=cluster,
            mesh={
                **given(args, *OF_MESH, "exports", "trust_domain", "trust_domain_aliases", "dns_capture"),
                # The roots come as they are.
                "trust": {"kind": "given"},
                "peers": without(peers, ("offer",)) if peers is not None else {},
            },
            clusters={cluster: {**given(args, "network"), "federation_gateway": args.get("gateway") or {}}},
            paths={f"clusters.{cluster}.federation_gateway": "gateway", **in_cluster(cluster)},
            found=way_problems("IstioFederation", args, cluster, opts),
        )
        super().__init__(name, args, placed, opts)
        topology, ready, roots = placed.topology, self._ready, _public(args["root_certs"])
        self.address = pulumi.Output.from_input("")
        if topology.has_federation_gateway(cluster):
            self.address = FederationGateway(
                name, cluster, topology, args.get("gateway") or {}, namespace=ready, injector=ready, opts=self._within
            ).address
        offers = checked_offers(name, topology, peers)
        trusted = trusted_offers(name, topology, offers, roots)
        closed = MeshExport(name, topology, injector=ready, opts=self._within).closed
        if any(peer.imports for peer in topology.peers.values()):
            MeshImport(name, topology, offers, injector=ready, opts=self._within)
        shared_mesh_config(name, trusted.apply(partial(federation.trusted_roots, topology)), closed, opts=self._within)
        known: pulumi.Output[list[str]] = pulumi.Output.all(roots, self.address)
        self.offers = known.apply(
            lambda found: {
                peer: federation.offer_to(topology, peer, found[0], {cluster: found[1]} if found[1] else {})
                for peer in topology.peers
            }
        )
        self.register_outputs({"offers": self.offers, "address": self.address})


def _public(roots: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the roots, once it is known that no key stands among them: every peer is told of them."""

    def check(known: Any) -> str:
        found = list(credential_problems({"root_certs": known}))
        if found:
            raise RefusedTopology(found, "root_certs")
        return str(known)

    return pulumi.Output.from_input(roots).apply(check)
