"""Everything of a mesh that lives in one cluster.

A component of its own from the first version: an option set on it reaches exactly this cluster's resources,
and changing parents later would change every URN.
"""

import copy
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

import pulumi

from ..gates.expectations import Expectations
from ..istio import federation, names
from ..plan.mesh_plan import ClusterPlan, IstiodRoute
from ..topology.models import Topology
from .access import Access
from .callbacks import engine_calls_back
from .control_plane import ControlPlane
from .east_west_gateway import EastWestGateway, Exposure
from .federation import FederationGateway, MeshExport, MeshImport
from .gate import ApiServerGate, MeshGate
from .given_trust import FILES, checked_cacerts
from .istiod_exposure import IstiodExposure
from .offers import Offers
from .preflight import Preflight
from .remote_secret import Reader, RemoteSecrets
from .trust import IntermediateAuthority, Trust
from .verification import Verification

if TYPE_CHECKING:
    from .gke_cluster import GkeCluster


class MeshCluster(pulumi.ComponentResource):
    """One cluster as part of its mesh: control plane, gateway, and its credential for the clusters that read it."""

    gateway_address: Optional[pulumi.Output[str]]
    """What other networks dial; None where none does."""
    federation_address: Optional[pulumi.Output[str]]
    """What other meshes dial; None where none enters here."""
    istiod_address: Optional[pulumi.Output[str]]
    """What this cluster's remotes dial, known once calls to it arrive; None without any."""
    reader_kubeconfig: Optional[pulumi.Output[str]]
    """Credential for the clusters that discover this one; secret; None where none does."""
    authority: Optional[pulumi.Output[str]]
    """Base64 PEM bundle by which those clusters verify this one's API server; None where none does."""
    api_server: pulumi.Output[str]
    """URL of the API server as those clusters reach it."""
    certificates: pulumi.Output[str]
    """Hash of the certificates that istiod signs with and trusts; empty where somebody else makes them."""
    arrived: list[pulumi.Output[Any]]
    """What is known once calls to this cluster arrive; in a remote only after `attach`."""

    def __init__(
        self,
        name: str,
        plan: ClusterPlan,
        topology: Topology,
        args: Mapping[str, Any],
        *,
        made: Optional["GkeCluster"] = None,
        trust: Optional[Trust] = None,
        istiod_address: Optional[pulumi.Input[str]] = None,
        preflight: Optional[Preflight] = None,
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        declared = topology.clusters[plan.name]
        options = pulumi.ResourceOptions(
            protect=declared.protect or None,
            retain_on_delete=declared.retain_on_delete or None,
            transforms=goes_with(made.cluster) if made is not None else None,
        )
        super().__init__(names.token("MeshCluster"), name, None, pulumi.ResourceOptions.merge(opts, options))
        access = Access(
            name,
            plan.name,
            args,
            for_peers=bool(plan.discovered_by),
            preflight=preflight,
            nodes=made.nodes if made is not None else (),
            parent=self,
        )
        self._within = pulumi.ResourceOptions(parent=self, providers=[access.provider])
        self._name, self._plan, self._topology, self._args = name, plan, topology, args

        self.api_server = pulumi.Output.unsecret(access.api_server)
        self.arrived = []

        cacerts = None if plan.remote else self._cacerts(trust)
        self.certificates = _hash_of(cacerts)
        self._control_plane = ControlPlane(
            name, plan, topology, cacerts=cacerts, istiod_address=istiod_address, opts=self._within
        )
        self._verification = Verification(name, plan, topology, opts=self._within) if plan.gate else None
        self.reader_kubeconfig = self.authority = None
        if plan.discovered_by:
            reader = Reader(
                name,
                plan.name,
                served_by=plan.primary,
                account=self._control_plane.reader_account,
                server=access.api_server,
                certificate_authority=args.get("api_server_ca"),
                # Google's DNS endpoint shows a certificate that everybody trusts, and not the cluster's own.
                publicly_trusted=declared.gke is not None and declared.gke.control_plane.endpoint == "dns",
                tls_name=declared.api_server_tls_name,
                opts=self._within,
            )
            self.reader_kubeconfig, self.authority = reader.kubeconfig, reader.authority
        self.gateway_address = self.istiod_address = self.federation_address = None
        if not plan.remote:
            self._injector = self._control_plane.injector()
            self._connect(self._injector)
        self.register_outputs({})

    def discover(self, peers: Mapping[str, "MeshCluster"]) -> RemoteSecrets:
        """Give this cluster's istiod the credentials of its peers, by cluster name, once pods here reach them."""
        namespace = self._control_plane.namespace
        if self._verification is not None:
            gate = ApiServerGate(
                self._name,
                self._plan,
                self._topology,
                {peer: (cluster.api_server, _made(cluster.authority)) for peer, cluster in peers.items()},
                account=self._verification.ready,
                opts=self._within,
            )
            namespace = pulumi.Output.all(namespace, gate.passed).apply(lambda known: str(known[0]))
        credentials = {peer: _made(cluster.reader_kubeconfig) for peer, cluster in peers.items()}
        return RemoteSecrets(self._name, credentials, namespace=namespace, opts=self._within)

    def share(self, offers: Offers, trusted: Offers) -> None:
        """Make what other meshes may call here and what is called of theirs; only in a cluster with an istiod.

        `trusted` are the same offers, known once their roots can be trusted.
        """
        injector, topology = self._injector, self._topology
        closed: pulumi.Output[Any] = injector
        if topology.peers or topology.exports:
            closed = MeshExport(self._name, topology, injector=injector, opts=self._within).closed
        if any(peer.imports for peer in topology.peers.values()):
            MeshImport(self._name, topology, offers, injector=injector, opts=self._within)
        self._control_plane.trust(trusted.apply(federation.trusted_roots), closed)

    def attach(self, secret: pulumi.Input[str]) -> None:
        """Make what needs injection in this remote cluster, once its primary has this secret and serves it."""
        self._connect(self._control_plane.injector(secret))

    def prove(
        self, expected: Expectations, clusters: Mapping[str, "MeshCluster"], secrets: list[pulumi.Output[str]]
    ) -> None:
        """Make the gate of this cluster: it runs once everything that it looks at is there.

        `secrets` are the remote secrets by which the istiod that serves this cluster knows the others.
        """
        called = {target.cluster: clusters[target.cluster] for target in expected.targets}
        looked_at = {self._plan.name, *called, *(expected.remotes or ())}
        # With their primaries: there stands what lets other networks into a remote, and what signs for it.
        concerned = sorted(looked_at | {clusters[name]._plan.primary for name in looked_at})
        facts: dict[str, Any] = {"version": self._topology.istio_version, "domain": self._topology.identity_domain}
        for name in concerned:
            plan, cluster = clusters[name]._plan, clusters[name]
            facts[name] = [plan.primary, plan.network, cluster.certificates, cluster.api_server]
        MeshGate(
            self._name,
            self._topology,
            expected,
            gateways={
                name: cluster.gateway_address for name, cluster in called.items() if cluster.gateway_address is not None
            },
            facts=facts,
            waits_for=[*secrets, *(known for name in concerned for known in clusters[name].arrived)],
            opts=self._within,
        )

    def _connect(self, injector: pulumi.Output[str]) -> None:
        """Make what lets other clusters in; everything here waits for injection to work."""
        name, plan, declared = self._name, self._plan, self._topology.clusters[self._plan.name]
        if plan.federation_gateway:
            self.federation_address = FederationGateway(
                name,
                plan.name,
                self._topology,
                self._args.get("federation_gateway") or {},
                namespace=self._control_plane.namespace,
                injector=injector,
                opts=self._within,
            ).address
        gateway = None
        if plan.gateway:
            gateway = EastWestGateway(
                name,
                plan,
                self._topology,
                self._args.get("east_west_gateway") or {},
                namespace=self._control_plane.namespace,
                injector=injector,
                opts=self._within,
            )
            self.gateway_address = gateway.address
            self.arrived += [gateway.address, gateway.pods]
        if plan.exposure:
            self.arrived.append(Exposure(name, injector=injector, opts=self._within).rule)
        self.arrived.append(injector)
        if plan.probe and self._verification is not None:
            self.arrived.append(self._verification.probe(injector))
        if plan.istiod_route is not None:
            self.istiod_address = IstiodExposure(
                name,
                gateway=gateway if plan.istiod_route is IstiodRoute.GATEWAY else None,
                service=declared.istiod_service,
                args=self._args.get("istiod_service") or {},
                namespace=self._control_plane.namespace,
                injector=injector,
                opts=self._within,
            ).address

    def _cacerts(self, trust: Optional[Trust]) -> Optional[pulumi.Input[Mapping[str, Any]]]:
        """Return the data of Secret `cacerts`: generated, given, or None where somebody else makes it."""
        cluster, topology = self._plan.name, self._topology
        if trust is not None:
            within = pulumi.ResourceOptions(parent=self)
            return IntermediateAuthority(self._name, cluster, topology, trust, opts=within).cacerts
        if topology.trust.kind == "given":
            return checked_cacerts(cluster, self._args["cacerts"], topology.identity_domain)
        return None


def goes_with(cluster: pulumi.Resource) -> list[pulumi.ResourceTransform]:
    """Return what lets objects go with the cluster they are in, instead of one by one before it.

    Not a Service that has a load balancer: only the cluster itself takes that down, and left behind it would cost money
    and hold the VPC. None under mocks, which have no server for transforms.
    """
    if not engine_calls_back():
        return []

    def transform(args: pulumi.ResourceTransformArgs) -> Optional[pulumi.ResourceTransformResult]:
        spec: Any = args.props.get("spec")
        of_cloud = isinstance(spec, Mapping) and spec.get("type") == "LoadBalancer"
        if not args.type_.startswith("kubernetes:") or of_cloud:
            return None
        # Not merged: that would turn the provider into one of several, and lose it here.
        options = copy.copy(args.opts)
        options.deleted_with = cluster
        return pulumi.ResourceTransformResult(args.props, options)

    return [transform]


def _made(value: Optional[pulumi.Output[str]]) -> pulumi.Output[str]:
    assert value is not None, "the plan makes a reader in every cluster that another one discovers"
    return value


def _hash_of(cacerts: Optional[pulumi.Input[Mapping[str, Any]]]) -> pulumi.Output[str]:
    """Return a hash of the certificates alone, never of the key beside them."""

    def public(files: Any) -> str:
        chain, root = FILES["cert_chain"], FILES["root_cert"]
        return hashlib.sha256(f"{files[chain]}{files[root]}".encode()).hexdigest()[:16]

    if cacerts is None:
        return pulumi.Output.from_input("")
    return pulumi.Output.unsecret(pulumi.Output.from_input(cacerts).apply(public))
