"""What a mesh shares with others, in one of its clusters: who may come in, by which gateway, and what is called out.

Must exist before: the cluster's control plane. Istio reads its own objects in clusters with an istiod only; gateways
stand wherever other meshes are to enter.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import federation, manifests, names, values
from ..topology.federation import Import
from ..topology.models import Topology
from .gateway import Gateway
from .offers import Offers
from .order import after


class FederationGateway(Gateway):
    """One cluster's federation gateway: it passes mTLS on to exported Services, and to nothing else."""

    def __init__(
        self,
        name: str,
        cluster: str,
        topology: Topology,
        args: Mapping[str, Any],
        *,
        namespace: pulumi.Input[str],
        injector: pulumi.Input[str],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        declared = topology.clusters[cluster].federation_gateway
        given = args.get("address")
        super().__init__(
            "FederationGateway",
            name,
            topology,
            version=topology.version_of(cluster),
            role="federation",
            release=names.FEDERATION_GATEWAY,
            metadata=federation.gateway_metadata(name, declared, args.get("annotations") or {}),
            spec=federation.gateway_service(declared, given),
            address=given,
            values=values.chart_values(topology, cluster, "gateway", values.federation_gateway(topology, cluster)),
            namespace=namespace,
            injector=injector,
            opts=opts,
        )


class MeshExport(pulumi.ComponentResource):
    """What other meshes may call here, and who of them: for all clusters that this one's istiod serves.

    One policy a peer, which refuses whoever is not named; one for all, which refuses names that are no identities; one
    Gateway object with the exported hosts, if there are any.
    """

    closed: pulumi.Output[Any]
    """Known once every peer is kept out of what it may not call: before, none of their roots may be trusted."""

    def __init__(
        self,
        name: str,
        topology: Topology,
        *,
        injector: pulumi.Input[str],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("MeshExport"), name, None, opts)
        policies = [
            k8s.apiextensions.CustomResource(
                f"{name}-callers-of-{peer}",
                api_version="security.istio.io/v1",
                kind="AuthorizationPolicy",
                # In the root namespace: for every workload of the mesh.
                metadata=manifests.metadata(names.callers_of(peer), name),
                spec=federation.callers(topology, peer),
                opts=pulumi.ResourceOptions(parent=self, depends_on=after(injector)),
            )
            for peer in topology.peers
        ]
        if topology.peers:
            policies.append(
                k8s.apiextensions.CustomResource(
                    f"{name}-identities-only",
                    api_version="networking.istio.io/v1alpha3",
                    kind="EnvoyFilter",
                    metadata=manifests.metadata(names.IDENTITIES_ONLY, name),
                    spec=federation.identities_only(),
                    opts=pulumi.ResourceOptions(parent=self, depends_on=after(injector)),
                )
            )
        self.closed = pulumi.Output.all(injector, *(policy.id for policy in policies))
        if topology.exports:
            k8s.apiextensions.CustomResource(
                f"{name}-exports",
                api_version="networking.istio.io/v1",
                kind="Gateway",
                metadata=manifests.metadata(names.FEDERATION_EXPORTS, name),
                spec=federation.exports(topology),
                opts=pulumi.ResourceOptions(parent=self, depends_on=after(self.closed)),
            )
        self.register_outputs({})


class MeshImport(pulumi.ComponentResource):
    """The Services of other meshes that can be called here: from all clusters that this one's istiod serves.

    A name, a way and a pinned identity each, seen in the namespaces that ask for it. While a peer's offer is not there
    nobody answers, and calls fail at once.
    """

    def __init__(
        self,
        name: str,
        topology: Topology,
        offers: Offers,
        *,
        injector: pulumi.Input[str],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("MeshImport"), name, None, opts)
        self._name, self._topology, self._offers = name, topology, offers
        namespace = k8s.core.v1.Namespace(
            f"{name}-imports",
            metadata={"name": names.IMPORTS_NAMESPACE},
            opts=pulumi.ResourceOptions(parent=self, depends_on=after(injector)),
        )
        within = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        for peer, declared in topology.peers.items():
            for service, imported in declared.imports.items():
                self._import(peer, service, imported, within)
        self.register_outputs({})

    def _import(self, peer: str, service: str, declared: Import, within: pulumi.ResourceOptions) -> None:
        name, topology = f"{self._name}-{federation.imported_name(peer, service)}", self._topology
        reached = self._offers.apply(lambda offers: federation.reached_at(topology, peer, service, offers.get(peer)))
        late: dict[str, Any] = {
            part: reached.apply(partial(_part, part)) for part in ("endpoints", "resolution", "identities")
        }
        metadata = federation.imported_metadata(self._name, peer, service)
        bodies = {
            "DestinationRule": federation.imported_rule(peer, service, declared, late["identities"]),
            **({"VirtualService": federation.rewritten_host(peer, service, declared)} if declared.rewrite_host else {}),
        }
        rules = [self._object(kind, name, metadata, spec, within) for kind, spec in bodies.items()]
        # Last: a name that is known before its rule would be called as if it were of this mesh.
        self._object(
            "ServiceEntry",
            name,
            metadata,
            federation.imported_service(peer, service, declared, **late),
            pulumi.ResourceOptions.merge(within, pulumi.ResourceOptions(depends_on=rules)),
        )

    def _object(
        self, kind: str, name: str, metadata: Mapping[str, Any], spec: Mapping[str, Any], opts: pulumi.ResourceOptions
    ) -> "k8s.apiextensions.CustomResource":
        return k8s.apiextensions.CustomResource(
            name, api_version="networking.istio.io/v1", kind=kind, metadata=metadata, spec=spec, opts=opts
        )


def _part(part: str, reached: Mapping[str, Any]) -> Any:
    return reached[part]
