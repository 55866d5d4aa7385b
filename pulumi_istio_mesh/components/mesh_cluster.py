"""Everything of a mesh that lives in one cluster.

A component of its own from the first version: an option set on it reaches exactly this cluster's resources,
and changing parents later would change every URN.
"""

import copy
import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Optional

import pulumi

from ..gates.expectations import Expectations
from ..istio import federation, names, values
from ..istio.adopted import AdoptedObject
from ..plan.mesh_plan import ClusterPlan, IstiodRoute
from ..topology.models import Topology
from .access import Access
from .arguments import checked_api_server, checked_authority
from .callbacks import engine_calls_back
from .control_plane import ControlPlane
from .east_west_gateway import EastWestGateway, ExistingGateway, Exposure
from .federation import FederationGateway, MeshExport, MeshImport
from .gate import ApiServerGate, MeshGate, WaveGate
from .given_trust import FILES, checked_cacerts
from .istiod_exposure import IstiodExposure, ThroughGateway
from .joined import JoinedControlPlane
from .offers import Offers
from .preflight import Preflight
from .registries import PullSecrets
from .remote_secret import Reader, RemoteSecrets
from .rendering import Rendering
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
    istiod_addresses: Optional[dict[str, pulumi.Output[str]]]
    """What this cluster's remotes dial, by revision, known once calls to it arrive; None without any."""
    gateway: Optional[pulumi.Output[Any]]
    """What is known once that address leads somewhere; in a remote only after `attach`; None where none dials it."""
    reader_kubeconfig: Optional[pulumi.Output[str]]
    """Credential for the clusters that discover this one; secret; None where none does, or it isn't known yet."""
    authority: Optional[pulumi.Output[str]]
    """Base64 PEM bundle by which those clusters verify this one's API server; None where none does."""
    api_server: pulumi.Output[str]
    """URL of the API server as those clusters reach it."""
    exposed: Optional[pulumi.Output[str]]
    """The rule that lets other networks in, known once istiod has it; None where none stands here."""
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
        rendering: Optional[Rendering] = None,
        trust: Optional[Trust] = None,
        credentials: Optional[PullSecrets] = None,
        istiod_addresses: Optional[Mapping[str, pulumi.Input[str]]] = None,
        preflight: Optional[Preflight] = None,
        waits_for: Sequence[pulumi.Input[Any]] = (),
        adopted: Sequence[AdoptedObject] = (),
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        """`waits_for` is what must be proved before what could break calls is made or changed here.

        `adopted` are the objects of a control plane that was there before, which are imported.
        """
        declared = topology.clusters[plan.name]
        # What is rendered is not made here, too (rules/rendering.py).
        transforms = goes_with(made.cluster) if made is not None else rendering.transforms() if rendering else None
        options = pulumi.ResourceOptions(
            protect=declared.protect or None,
            retain_on_delete=declared.retain_on_delete or None,
            transforms=transforms,
        )
        super().__init__(names.token("MeshCluster"), name, None, pulumi.ResourceOptions.merge(opts, options))
        if rendering is not None:
            where = f"clusters.{plan.name}.api_server"
            provider, api_server = rendering.provider, checked_api_server(where, args.get("api_server"))
        else:
            access = Access(
                name,
                plan.name,
                args,
                under=f"clusters.{plan.name}.",
                for_peers=bool(plan.discovered_by),
                released=topology.install == "release",
                preflight=preflight,
                nodes=made.nodes if made is not None else (),
                parent=self,
            )
            provider, api_server = access.provider, access.api_server
        self._within = pulumi.ResourceOptions(parent=self, providers=[provider])
        self._name, self._plan, self._topology, self._args = name, plan, topology, args
        self._waits_for = waits_for

        self.api_server = pulumi.Output.unsecret(api_server)
        self.arrived = []

        cacerts = None if plan.remote or plan.joins else self._cacerts(trust)
        self.certificates = _hash_of(cacerts)
        self._control_plane: ControlPlane | JoinedControlPlane
        if plan.joins:
            self._control_plane = JoinedControlPlane(
                name, plan, topology, adopted=adopted, credentials=credentials, opts=self._within
            )
        else:
            self._control_plane = ControlPlane(
                name,
                plan,
                topology,
                cacerts=cacerts,
                credentials=credentials,
                istiod_addresses=istiod_addresses,
                waits_for=waits_for,
                opts=self._within,
            )
        proves = plan.gate or plan.probe
        self._verification = (
            Verification(name, plan, topology, credentials=credentials, opts=self._within) if proves else None
        )
        self.reader_kubeconfig = self.authority = None
        if plan.discovered_by:
            reader = Reader(
                name,
                plan.name,
                generation=declared.reader_token,
                served_by=plan.primary,
                revisions=topology.revision_names,
                account=self._control_plane.reader_account,
                server=api_server,
                certificate_authority=checked_authority(
                    f"clusters.{plan.name}.api_server_ca", args.get("api_server_ca")
                ),
                token=args.get("reader_credential"),
                rendered=rendering is not None,
                # Google's DNS endpoint shows a certificate that everybody trusts, and not the cluster's own.
                publicly_trusted=declared.gke is not None and declared.gke.control_plane.endpoint == "dns",
                tls_name=declared.api_server_tls_name,
                opts=self._within,
            )
            self.reader_kubeconfig, self.authority = reader.kubeconfig, reader.authority
        self.gateway = self.gateway_address = self.federation_address = None
        self.istiod_addresses = None
        self.exposed = None
        if not plan.remote:
            self._injector = self._control_plane.injector()
            if plan.exposure:
                self.exposed = Exposure(name, injector=self._injector, opts=self._within).rule
                self.arrived.append(self.exposed)
            self._connect(self._injector, self.exposed)
        self.register_outputs({})

    def dial(self, peers: Mapping[str, "MeshCluster"]) -> None:
        """Show that pods here reach the API servers of the peers that `discover` will tell this cluster's istiod of."""
        self._remote_secrets = RemoteSecrets(self._name, opts=self._within)
        self._dialled: pulumi.Output[Any] = self._control_plane.namespace
        if self._verification is not None and self._plan.dials:
            gate = ApiServerGate(
                self._name,
                self._plan,
                self._topology,
                {peer: (cluster.api_server, _made(cluster.authority)) for peer, cluster in peers.items()},
                account=self._verification.ready,
                opts=self._within,
            )
            self._dialled = pulumi.Output.all(self._dialled, gate.passed)

    def discover(self, peer: str, cluster: "MeshCluster") -> pulumi.Output[str]:
        """Give this cluster's istiod the credential of a peer; return the name of its Secret, known once it is there.

        Empty where the mesh is rendered and the peer's token is not known yet.

        A peer on another network only once its gateway is there: before, its pods would be dialled at addresses that
        lead nowhere. One that this istiod serves gets its gateway by it, and is empty before.
        """
        if cluster.reader_kubeconfig is None:
            return pulumi.Output.from_input("")
        waits_for = [self._dialled]
        if cluster.gateway is not None and cluster._plan.network != self._plan.network:
            waits_for.append(cluster.gateway)
        return self._remote_secrets.discover(peer, cluster.reader_kubeconfig, *waits_for)

    def forget(self, peer: str) -> pulumi.Output[str]:
        """Take the credential of an evicted peer from this cluster's istiod."""
        return self._remote_secrets.forget(peer)

    def share(self, offers: Offers, trusted: Offers) -> None:
        """Make what other meshes may call here and what is called of theirs; only in a cluster with an istiod.

        Nothing where that istiod was there before: it reads no config of ours.

        `trusted` are the same offers, known once their roots can be trusted.
        """
        if isinstance(self._control_plane, JoinedControlPlane):
            return
        injector, topology = self._injector, self._topology
        closed: pulumi.Output[Any] = injector
        if topology.peers or topology.exports:
            closed = MeshExport(self._name, topology, injector=injector, opts=self._within).closed
        if any(peer.imports for peer in topology.peers.values()):
            MeshImport(self._name, topology, offers, injector=injector, opts=self._within)
        self._control_plane.trust(trusted.apply(partial(federation.trusted_roots, topology)), closed)

    def attach(self, secret: pulumi.Input[str], exposed: Optional[pulumi.Output[str]]) -> None:
        """Make what needs injection in this remote cluster, once its primary has this secret and serves it.

        `exposed` is the rule of the primary that lets other networks in.
        """
        self._connect(self._control_plane.injector(secret), exposed)

    @property
    def istiod_address(self) -> Optional[pulumi.Output[str]]:
        """What remotes dial for the istiod of the revision that serves what names none; None without any remotes."""
        addresses = self.istiod_addresses
        return None if addresses is None else addresses[self._topology.revision_of(self._plan.name)]

    def prove_wave(self, wave: int, expected: Expectations, before: Sequence["MeshCluster"]) -> pulumi.Output[str]:
        """Make this cluster's gate for a wave, up to which those `before` have been changed; known once it passed."""
        assert self._verification is not None, "only clusters with a gate prove anything"
        topology = self._topology
        changed = {cluster._plan.name: _programs(topology, cluster._plan.name) for cluster in before}
        waits_for: list[pulumi.Input[Any]] = [known for cluster in before for known in cluster.arrived]
        gate = WaveGate(
            self._name,
            wave,
            topology,
            expected,
            facts=changed,
            waits_for=[self._verification.ready, *waits_for],
            opts=self._within,
        )
        return gate.passed

    def prove(
        self, expected: Expectations, clusters: Mapping[str, "MeshCluster"], secrets: list[pulumi.Output[str]]
    ) -> None:
        """Make the gate of this cluster: it runs once everything that it looks at is there.

        `secrets` are the remote secrets by which the istiod that serves this cluster knows the others.
        """
        topology = self._topology
        called = {target.cluster: clusters[target.cluster] for target in expected.targets}
        looked_at = {self._plan.name, *called, *(expected.remotes or ())}
        # With their primaries: there stands what lets other networks into a remote, and what signs for it.
        concerned = sorted(looked_at | {clusters[name]._plan.primary for name in looked_at})
        facts: dict[str, Any] = {"domain": topology.identity_domain}
        for name in concerned:
            plan, cluster = clusters[name]._plan, clusters[name]
            token = topology.clusters[name].reader_token
            programs = [topology.versions_of(name), topology.revision_of(name)]
            facts[name] = [programs, plan.primary, plan.network, cluster.certificates, cluster.api_server, token]
        for revision in (None, *topology.idle_revisions(self._plan.name)):
            MeshGate(
                self._name,
                topology,
                expected,
                gateways={
                    name: found.gateway_address for name, found in called.items() if found.gateway_address is not None
                },
                facts=facts,
                waits_for=[*secrets, *(known for name in concerned for known in clusters[name].arrived)],
                revision=revision,
                opts=self._within,
            )

    def _connect(self, injector: pulumi.Output[str], exposed: Optional[pulumi.Output[str]]) -> None:
        """Make what lets other clusters in; everything here waits for injection to work."""
        name, plan, declared = self._name, self._plan, self._topology.clusters[self._plan.name]
        # Of a primary it is later anyway; in a remote only what is made from here on could break calls.
        injector = pulumi.Output.all(injector, *self._waits_for).apply(lambda known: str(known[0]))
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
        carries_istiod = None
        if plan.gateway_there:
            there = ExistingGateway(
                name,
                self._args.get("east_west_gateway") or {},
                namespace=self._control_plane.namespace,
                opts=self._within,
            )
            self.gateway_address = self.gateway = there.address
            self.arrived.append(self.gateway)
        elif plan.gateway:
            gateway = EastWestGateway(
                name,
                plan,
                self._topology,
                self._args.get("east_west_gateway") or {},
                namespace=self._control_plane.namespace,
                # With the rule, so that a gateway that is ready lets callers in: they come as soon as it is.
                injector=pulumi.Output.all(injector, exposed).apply(lambda known: str(known[0])),
                opts=self._within,
            )
            self.gateway_address = gateway.address
            self.gateway = pulumi.Output.all(gateway.address, gateway.pods)
            self.arrived.append(self.gateway)
            if plan.istiod_route is IstiodRoute.GATEWAY:
                carries_istiod = ThroughGateway(gateway.address, gateway.pods)
        self.arrived.append(injector)
        if plan.probe and self._verification is not None:
            self.arrived.append(self._verification.probe(injector))
        if plan.istiod_route is not None:
            self.istiod_addresses = IstiodExposure(
                name,
                gateway=carries_istiod,
                service=declared.istiod_service,
                args=self._args.get("istiod_service") or {},
                revisions=self._topology.revision_names,
                namespace=self._control_plane.namespace,
                injector=injector,
                opts=self._within,
            ).addresses

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


def _programs(topology: Topology, cluster: str) -> list[Any]:
    """Return what decides which istiods and gateways run in a cluster, and how."""
    istiods = {
        revision: values.chart_values(topology, cluster, "istiod", revision=revision)
        for revision in topology.revision_names
    }
    gateway = values.chart_values(topology, cluster, "gateway")
    return [topology.versions_of(cluster), topology.tags_of(cluster), istiods, gateway]


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
