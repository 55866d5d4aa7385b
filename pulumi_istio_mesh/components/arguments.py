"""The arguments of the public components, and how they part into plain facts and late values.

The types obey what survives the wire to other Pulumi languages: plain leaves shape the graph, `Input` leaves may be
late, lists and dicts hold `TypedDict`s. What may be left out is `NotRequired`, never by `total=False`, for which
Pulumi's analyzer has no eye. No `from __future__ import annotations` here: Pulumi's analyzer reads the
annotations themselves.
"""

import json
import re
from collections.abc import Awaitable, Iterator, Mapping
from typing import Any, Optional, cast

import pulumi
from typing_extensions import NotRequired, TypedDict

from ..istio.public_pem import public_pem_problems
from ..rules import problems_in, today
from ..topology.credentials import CACERTS, OF_A_CLUSTER, OF_A_MESH
from ..topology.declared import LATE
from ..topology.docker_config import docker_config_problems
from ..topology.kubeconfig import KubeconfigError, api_server_problems, kubeconfig_problems, server_of
from ..topology.load import parse_topology
from ..topology.models import Topology
from ..topology.problems import Problem, TopologyError


class GatewayPortArgs(TypedDict):
    """One more port that an east-west gateway's Service opens."""

    name: str
    """Name of the port, unique in the Service."""
    port: int
    """Number of the port."""
    target_port: NotRequired[int]
    """Port of the gateway pods; `port` itself when left out."""


class DialledServiceArgs(TypedDict):
    """A Service that other clusters dial."""

    type: NotRequired[str]
    """LoadBalancer (default), NodePort or ClusterIP."""
    address: NotRequired[pulumi.Input[str]]
    """IP address that other clusters dial, where the Service's status does not say it."""
    annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """Annotations of the Service, such as those that ask a cloud for an internal load balancer."""
    load_balancer_class: NotRequired[str]
    """Which controller makes the load balancer, such as metallb.io/metallb; the cluster's default when left out."""
    source_ranges: NotRequired[str]
    """Ranges from which the load balancer lets callers in, separated by commas; everybody when left out."""
    timeout_seconds: NotRequired[int]
    """How long to wait for the load balancer's address; 600 by default."""


class EastWestGatewayArgs(DialledServiceArgs):
    """The gateway that other networks dial."""

    existing: NotRequired[bool]
    """Whether it is there already, in a cluster with a control plane that was there before; false by default."""
    ports: NotRequired[list[GatewayPortArgs]]
    """Ports besides those of the mesh: 15021, 15443, 15012 and 15017."""


class FederationGatewayArgs(DialledServiceArgs):
    """The gateway that other meshes dial."""

    locality: NotRequired[str]
    """Where it stands, as region or region/zone: callers prefer the gateways that are near them."""


class ExportArgs(TypedDict):
    """A Service that other meshes may call."""

    ports: dict[str, int]
    """Numbers of its exported ports by name, which begins with the protocol, such as http-api."""
    accounts: list[str]
    """Service accounts that its pods run as."""
    callers: NotRequired[dict[str, list[str]]]
    """Who may call, by mesh: namespace/service account, namespace/*, or * for all; nobody when left out."""


class FallbackArgs(TypedDict):
    """A Service of the importing mesh, which answers while no gateway of the exporter does."""

    service: str
    """`<service>.<namespace>`, with the same ports as the import."""
    accounts: list[str]
    """Service accounts that its pods run as."""


class ImportArgs(TypedDict):
    """A Service of another mesh that can be called here."""

    ports: dict[str, int]
    """Numbers of the ports that are called, by name, as the other mesh exports them."""
    namespaces: list[str]
    """Namespaces that see it."""
    host: NotRequired[str]
    """`<service>.<namespace>.<mesh>.internal` when left out."""
    address: NotRequired[str]
    """IP address that the name stands for, needed where proxies answer no DNS; one of their choice when left out."""
    rewrite_host: NotRequired[bool]
    """Whether HTTP requests carry the Service's own name in its mesh as their host, instead of the name used here."""
    fallback: NotRequired[FallbackArgs]
    """Service of this mesh that answers while no gateway of the exporter does."""


class PeerArgs(TypedDict):
    """Another mesh."""

    trust_domain: NotRequired[str]
    """`<mesh ID>.internal` when left out."""
    trust_domain_aliases: NotRequired[list[str]]
    """Trust domains that it has besides while it changes its own: its roots may vouch for these too."""
    accept: NotRequired[list[str]]
    """unconstrained-roots, same-root-names."""
    imports: NotRequired[dict[str, ImportArgs]]
    """By <service>.<namespace>, as the other mesh knows it."""
    offer: NotRequired[pulumi.Input[Any]]
    """Output `offers` of the other mesh, as a StackReference or a file has it; may be missing at first."""


class CaCertsArgs(TypedDict):
    """PEM of one cluster's certificate authority, under the names of Istio's Secret `cacerts`."""

    ca_cert: pulumi.Input[str]
    """Certificate of the authority that istiod signs with."""
    ca_key: pulumi.Input[str]
    """Its key."""
    cert_chain: pulumi.Input[str]
    """The intermediates, then the root."""
    root_cert: pulumi.Input[str]
    """The root, the same in all clusters."""


class GkeRangesArgs(TypedDict):
    """Ranges of one cluster, given instead of a block."""

    nodes: str
    """Of the subnetwork, also of internal load balancers."""
    pods: str
    """Of all pods."""
    services: str
    """Of all Services."""
    control_plane: str
    """A /28."""


class GkeTaintArgs(TypedDict):
    """What keeps pods off a pool that do not tolerate it."""

    key: str
    """Key that pods tolerate."""
    value: NotRequired[str]
    """Value that pods tolerate."""
    effect: NotRequired[str]
    """NO_SCHEDULE (default), PREFER_NO_SCHEDULE or NO_EXECUTE."""


class GkeNodePoolArgs(TypedDict):
    """Nodes of one kind."""

    machine_type: NotRequired[str]
    """Google's name of the kind of machine."""
    min_nodes: NotRequired[int]
    """At least so many in all zones together."""
    max_nodes: NotRequired[int]
    """At most so many in all zones together; 3 by default."""
    disk_gb: NotRequired[int]
    """Size of each node's disk."""
    spot: NotRequired[bool]
    """Cheap nodes that Google may take away at any time."""
    labels: NotRequired[dict[str, str]]
    """Labels of the nodes in Kubernetes."""
    taints: NotRequired[list[GkeTaintArgs]]
    """Taints of the nodes."""


class GkeControlPlaneArgs(TypedDict):
    """How the API server is reached."""

    endpoint: NotRequired[str]
    """public (default), private or dns."""
    global_access: NotRequired[bool]
    """Whether other regions of the VPC reach the private endpoint."""
    authorized: NotRequired[dict[str, str]]
    """Ranges that may dial it besides those of the mesh, by a name for each."""


class GkeMaintenanceArgs(TypedDict):
    """When Google may upgrade the cluster, in UTC."""

    start_time: str
    """Begin of the first window."""
    end_time: str
    """End of the first window, such as 2026-01-03T06:00:00Z."""
    recurrence: NotRequired[str]
    """RFC 5545 rule; GKE wants 48 hours in every 32 days."""


class GkeClusterArgs(TypedDict):
    """A GKE cluster that the program makes."""

    region: str
    """Region of the cluster and of its subnetwork."""
    zone: NotRequired[str]
    """Zone of its one control plane; a regional control plane in three zones when left out."""
    node_zones: NotRequired[list[str]]
    """Zones of its nodes; chosen by GKE when left out."""
    block: NotRequired[int]
    """Which block of the network's supernet is this cluster's, counted from 0; never change it."""
    ranges: NotRequired[GkeRangesArgs]
    """Ranges instead of a block."""
    max_pods_per_node: NotRequired[int]
    """110 when left out; GKE gives a node twice as many addresses."""
    max_nodes: NotRequired[int]
    """How many nodes Autopilot may make; elsewhere the node pools say so."""
    autopilot: NotRequired[bool]
    """Whether Google runs the nodes."""
    node_pools: NotRequired[dict[str, GkeNodePoolArgs]]
    """By name; one pool called `default` when left out."""
    control_plane: NotRequired[GkeControlPlaneArgs]
    """How the API server is reached."""
    release_channel: NotRequired[str]
    """Channel by which Google upgrades the cluster."""
    min_version: NotRequired[str]
    """Oldest version of the control plane; the channel's when left out. From 1.33.1 on internal load balancers are
    asked for by class."""
    maintenance: NotRequired[GkeMaintenanceArgs]
    """When Google may upgrade the cluster; at any time when left out."""
    deletion_protection: NotRequired[bool]
    """Whether Google refuses to delete the cluster; true by default."""
    labels: NotRequired[dict[str, str]]
    """Labels of the cluster at Google, such as those of your bill."""


class GkeNetworkArgs(TypedDict):
    """A VPC of GKE clusters that the program makes."""

    project: str
    """Project of the clusters, and of the VPC where it is made here."""
    supernet: NotRequired[str]
    """Range that every cluster's ranges are cut from."""
    block_prefix: NotRequired[int]
    """Prefix length of the block that each cluster gets of `supernet`: half of it for pods."""
    vpc: NotRequired[str]
    """A VPC that exists; made when left out."""
    nat: NotRequired[bool]
    """Whether private nodes reach the internet, by Cloud NAT with a reserved address in each region."""
    ports: NotRequired[list[str]]
    """TCP ports that pods of other clusters may call; all when left out."""
    gateway_sources: NotRequired[str]
    """Ranges that may dial gateways; when left out other clusters' pods on an internal load balancer, anybody on an
    external one."""


class ClusterArgs(TypedDict):
    """One Kubernetes cluster of the mesh."""

    kubeconfig: NotRequired[pulumi.Input[str]]
    """Contents of a kubeconfig, never a path; the ambient one is never used. Needed unless gke makes the cluster."""
    gke: NotRequired[GkeClusterArgs]
    """A GKE cluster that the program makes, on the VPC that gke_networks has under the cluster's network."""
    control_plane: NotRequired[str]
    """managed (default); existing, to join with somebody else's istiod; adopted, to import its objects, too."""
    primary: NotRequired[str]
    """Cluster whose istiod serves this one; itself when left out."""
    network: NotRequired[str]
    """Clusters that share a network dial each other's pods; one of its own when left out."""
    istio_version: NotRequired[str]
    """Version of Istio here; the mesh's when left out. A remote's is that of its primary."""
    revision_tags: NotRequired[dict[str, str]]
    """Revision behind a tag here, where it is not the mesh's."""
    discovers: NotRequired[list[str]]
    """Clusters whose services can be called from here; all of the mesh when left out."""
    pod_cidr: NotRequired[str]
    """Ranges pod addresses come from; disjoint within a network."""
    service_cidr: NotRequired[str]
    """Ranges Service addresses come from."""
    api_server: NotRequired[pulumi.Input[str]]
    """URL of the API server as the other clusters' istiods reach it; the kubeconfig's server when left out."""
    api_server_ca: NotRequired[pulumi.Input[str]]
    """PEM that verifies `api_server`, where it is not the cluster's own CA; where the mesh is rendered, always."""
    reader_credential: NotRequired[pulumi.Input[str]]
    """Token by which other clusters' istiods read this one, where the mesh is rendered; without it they don't yet."""
    reader_token: NotRequired[str]
    """Generation of the token by which other clusters' istiods read this one; another name makes another token."""
    api_server_tls_name: NotRequired[str]
    """Name to expect in the API server's certificate, where it is not the host of `api_server`."""
    east_west_gateway: NotRequired[EastWestGatewayArgs]
    """By which other networks reach this cluster, where any does."""
    federation_gateway: NotRequired[FederationGatewayArgs]
    """By which other meshes call what this mesh exports, where the cluster is one of `federation_gateways`."""
    istiod_service: NotRequired[DialledServiceArgs]
    """By which remote clusters on the same network reach this cluster's istiod, where it has no gateway."""
    cacerts: NotRequired[CaCertsArgs]
    """Needed where trust.kind is given, in clusters with an istiod of their own that is made here."""
    values: NotRequired[dict[str, Any]]
    """Helm values keyed by chart: base, istiod, gateway."""
    crds: NotRequired[str]
    """managed (default) or external."""
    protect: NotRequired[bool]
    """Refuse to delete any resource of this cluster."""
    retain_on_delete: NotRequired[bool]
    """Leave this cluster's objects in place when they leave the program."""
    verify: NotRequired[bool]
    """Whether probes and gates run here; true by default."""


class VerifyArgs(TypedDict):
    """How the mesh proves that it works, each time it changes."""

    level: NotRequired[str]
    """traffic (default), discovery or off."""
    preflight: NotRequired[bool]
    """Whether clusters are looked at before anything in them changes; true by default."""
    image: NotRequired[str]
    """Image of probes and gates, by tag or digest; Istio's own proxy image when left out."""
    timeout_seconds: NotRequired[int]
    """How long a gate looks again before it says what is wrong; 60 by default."""
    requests: NotRequired[dict[str, str]]
    """Resources that each pod asks for, besides its proxy."""
    limits: NotRequired[dict[str, str]]
    """Resources that each pod may use at most, besides its proxy."""
    node_selector: NotRequired[dict[str, str]]
    """Labels of the nodes that probes and gates run on."""
    tolerations: NotRequired[list[dict[str, Any]]]
    """Of probes and gates."""
    priority_class: NotRequired[str]
    """PriorityClass of probes and gates."""
    labels: NotRequired[dict[str, str]]
    """Of the namespace of probes and gates, and of the workloads and pods in it."""
    annotations: NotRequired[dict[str, str]]
    """Of the workloads and pods of probes and gates."""


class RootArgs(TypedDict):
    """One generation of the root; a new date, key or trust domain is a new generation beside it."""

    issued: str
    """First day of validity, such as 2026-11-23, in UTC."""
    generation: NotRequired[str]
    """Name of this generation, at most 16 characters; its date when left out. Part of the key's identity."""
    days: NotRequired[int]
    """Validity in days."""
    key: NotRequired[str]
    """ECDSA-P256 (default), ECDSA-P384, RSA-2048, RSA-3072 or RSA-4096."""
    trust_domains: NotRequired[list[str]]
    """Trust domains whose identities this root may vouch for; the mesh's own when left out."""


class IntermediatesArgs(TypedDict):
    """The certificate authorities that istiods sign workload certificates with, one a cluster."""

    issued: NotRequired[str]
    """First day of validity, in UTC; the signing root's when left out."""
    days: NotRequired[int]
    """Validity in days; never longer than the root's."""
    key: NotRequired[str]
    """Kind and size of the key."""


class TrustArgs(TypedDict):
    """Where the mesh's certificate authorities come from."""

    kind: NotRequired[str]
    """generated (default), given or external."""
    roots: NotRequired[list[RootArgs]]
    """Generations of the root; all of them are trusted, one of them signs."""
    signer: NotRequired[str]
    """Name of the generation that signs; not needed while there is one."""
    intermediates: NotRequired[IntermediatesArgs]
    """The authorities that istiods sign workload certificates with, one a cluster."""


class RevisionArgs(TypedDict):
    """One istiod of several that run side by side in every cluster with an istiod."""

    istio_version: NotRequired[str]
    """The mesh's when left out."""


class MeshArgs(TypedDict):
    """One mesh."""

    istio_version: str
    """Version of Istio's charts and images, such as 1.31.1."""
    clusters: dict[str, ClusterArgs]
    """The clusters of the mesh, by the names that Istio knows them by."""
    revisions: NotRequired[dict[str, RevisionArgs]]
    """istiods that run side by side, by revision; default is the one without a name, and alone when left out."""
    revision_tags: NotRequired[dict[str, str]]
    """Revision behind each tag; behind the tag default is who serves all that names none, gateways among them."""
    waves: NotRequired[list[list[str]]]
    """Clusters in the order in which they are changed; the next only once the mesh works with those before."""
    evicted: NotRequired[list[str]]
    """Clusters of the list that are dead or out of reach: the others forget them, and nobody talks to them."""
    mesh_id: NotRequired[str]
    """The name of the component when left out."""
    trust: NotRequired[TrustArgs]
    """Where the mesh's certificate authorities come from."""
    trust_domain: NotRequired[str]
    """`<mesh ID>.internal` when left out."""
    trust_domain_aliases: NotRequired[list[str]]
    """Trust domains that the mesh had before: their identities count as those of the one it has now."""
    mtls: NotRequired[str]
    """strict (default) or permissive."""
    dns_capture: NotRequired[bool]
    """Whether proxies answer DNS, so that a Service resolves in clusters that have no copy of it."""
    failover: NotRequired[bool]
    """Whether calls prefer endpoints near the caller, and move elsewhere while those fail; false by default."""
    cluster_local: NotRequired[list[str]]
    """Hosts of Services that each cluster answers by itself, never for another one."""
    install: NotRequired[str]
    """chart (default): each object of Istio's charts is a resource. release: each chart is a Helm release."""
    render_to: NotRequired[str]
    """Folder that the objects of each cluster are written to as YAML; nothing is installed, no kubeconfig is taken."""
    chart_source: NotRequired[str]
    """Where Istio's charts are: a repository URL, an `oci://` prefix or a folder; Istio's own repository by default."""
    image_hub: NotRequired[str]
    """Registry and path of Istio's images; Istio's own by default."""
    image_pull_secrets: NotRequired[list[str]]
    """Secrets of istio-system and istio-mesh-verify by which images are pulled, by name."""
    registry_credentials: NotRequired[dict[str, pulumi.Input[str]]]
    """Docker configs, JSON with `auths`, by the names of those Secrets that the program is to make."""
    values: NotRequired[dict[str, Any]]
    """Helm values for every cluster, keyed by chart: base, istiod, gateway."""
    verify: NotRequired[VerifyArgs]
    """How the mesh proves that it works."""
    peers: NotRequired[dict[str, PeerArgs]]
    """Other meshes that this one knows, by mesh ID."""
    exports: NotRequired[dict[str, ExportArgs]]
    """Services that other meshes may call, by <service>.<namespace>."""
    federation_gateways: NotRequired[list[str]]
    """Clusters where other meshes enter; every cluster when left out."""
    gke_networks: NotRequired[dict[str, GkeNetworkArgs]]
    """VPCs of the GKE clusters that the program makes, by the name of the network."""


class LinkArgs(TypedDict):
    """One Service of one mesh that another may call."""

    exporter: str
    """Mesh that has the Service among its exports."""
    importer: str
    """Mesh whose workloads call it."""
    service: str
    """<service>.<namespace>, as the exporter exports it."""
    callers: NotRequired[list[str]]
    """Who may call: namespace/service account, namespace/*, or * for all; nobody when left out."""
    namespaces: NotRequired[list[str]]
    """Namespaces that see it; those of the callers when left out."""
    host: NotRequired[str]
    """As in the importer's `imports`."""
    address: NotRequired[str]
    """As in the importer's `imports`."""
    rewrite_host: NotRequired[bool]
    """As in the importer's `imports`."""
    fallback: NotRequired[FallbackArgs]
    """As in the importer's `imports`."""


class MeshesArgs(TypedDict):
    """Several meshes, and what they share."""

    meshes: dict[str, MeshArgs]
    """By name, which is the mesh ID where that is left out."""
    links: NotRequired[list[LinkArgs]]
    """Services of one mesh that another may call: both sides of each are made from one line."""


class RefusedTopology(TopologyError, pulumi.RunError):
    """A `TopologyError` that Pulumi prints as its sentences, without a traceback."""


def accept(name: str, args: Mapping[str, Any]) -> Topology:
    """Return the topology that the arguments of a mesh declare.

    Raises `RefusedTopology` with everything that is wrong and known now, before any resource is registered.
    """
    facts = {"mesh_id": name, **{key: value for key, value in args.items() if value is not None}}
    # What a peer offers is known late, and checked then (offers.py).
    facts |= {"peers": without(args["peers"], ("offer",))} if args.get("peers") is not None else {}
    credentials = facts.pop(OF_A_MESH, None) or {}
    clusters = args.get("clusters")
    source = f"Mesh {name!r}"
    if isinstance(clusters, Mapping):
        facts["clusters"] = without(clusters, OF_A_CLUSTER)
    late: list[Problem] = []
    try:
        topology = parse_topology(plain_facts(facts, "", late), source)
    except TopologyError as error:
        known = {problem.where for problem in late}
        rest = [problem for problem in error.problems if problem.where not in known]
        raise RefusedTopology([*late, *rest], source) from None
    found = [
        *late,
        *problems_in(topology, today()),
        *_credential_problems(topology, args["clusters"]),
        *_registry_problems(topology, credentials),
    ]
    if found:
        raise RefusedTopology(found, source)
    return topology


def without(entries: Any, keys: tuple[str, ...]) -> Any:
    """Return entries by name without these keys and without what is None; what is misshapen stays as it is."""
    if not isinstance(entries, Mapping):
        return entries
    return {
        name: {key: value for key, value in given.items() if key not in keys and value is not None}
        if isinstance(given, Mapping)
        else given
        for name, given in entries.items()
    }


def _credential_problems(topology: Topology, clusters: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Judge the credentials that are known now; late ones are judged by `checked_kubeconfig` when they are."""
    for name, given in clusters.items():
        if name in topology.evicted:
            continue
        yield from _reader_problems(topology, name, given)
        yield from known_authority_problems(f"clusters.{name}.api_server_ca", given.get("api_server_ca"))
        where = f"clusters.{name}.kubeconfig"
        kubeconfig = given.get("kubeconfig")
        if topology.render_to is not None:
            if kubeconfig is not None:
                yield Problem(
                    where=where,
                    what="it is given, and the mesh is rendered",
                    why="nobody talks to a cluster whose objects are written as files",
                    fix=f"remove {where}, or render_to",
                    slug="render-to",
                )
        elif topology.clusters[name].gke is not None:
            if kubeconfig is not None:
                yield Problem(
                    where=where,
                    what="it is given, and the cluster is made here",
                    why="a cluster that the program makes has the kubeconfig of its own making",
                    fix=f"remove {where}, or clusters.{name}.gke",
                    slug="kubeconfig-invalid",
                )
        elif kubeconfig is None:
            yield Problem(
                where=where,
                what="it is missing",
                why="without one the Kubernetes provider would use whatever cluster the shell's KUBECONFIG names",
                fix=f'"kubeconfig": config.require_secret("{name}")',
                slug="kubeconfig-missing",
            )
        else:
            yield from known_kubeconfig_problems(where, name, kubeconfig)
            if isinstance(kubeconfig, str) and topology.watchers_of(name) and not given.get("api_server"):
                yield from _server_problems(name, kubeconfig)
        yield from _cacerts_problems(topology, name, given)


def known_kubeconfig_problems(where: str, name: str, kubeconfig: Any) -> Iterator[Problem]:
    """Judge the kubeconfig of a cluster as far as it is known now."""
    if isinstance(kubeconfig, str):
        yield from kubeconfig_problems(where, kubeconfig)
    elif not isinstance(kubeconfig, (pulumi.Output, Awaitable)):
        yield Problem(
            where=where,
            what="the kubeconfig is not text",
            why="the cluster's API server and its address for the other clusters are read from it",
            fix=f'"kubeconfig": json.dumps(...), or config.require_secret("{name}")',
            slug="kubeconfig-invalid",
        )


def known_authority_problems(where: str, pem: Any) -> Iterator[Problem]:
    """Judge what verifies a cluster's API server as far as it is known now; empty stands for what everybody trusts."""
    if pem and not isinstance(pem, (pulumi.Output, Awaitable)):
        yield from public_pem_problems(where, pem, slug="api-server")


def _reader_problems(topology: Topology, name: str, given: Mapping[str, Any]) -> Iterator[Problem]:
    """Judge the token of a rendered cluster, which no program can read from the cluster itself."""
    if given.get("reader_credential") is None:
        return
    where = f"clusters.{name}.reader_credential"
    if topology.render_to is None:
        yield Problem(
            where=where,
            what="it is given, and the mesh is installed",
            why="the program makes the token in the cluster, and gives it to those that read the cluster",
            fix=f"remove {where}; clusters.{name}.reader_token replaces a token",
            slug="render-to",
        )
    elif given.get("api_server_ca") is None:
        yield Problem(
            where=f"clusters.{name}.api_server_ca",
            what="it is missing, and reader_credential is given",
            why="other clusters' istiods verify the API server by it, and no kubeconfig tells it",
            fix='"api_server_ca": the ca.crt beside the token; "" where everybody trusts the certificate of api_server',
            slug="render-to",
        )


def _server_problems(name: str, kubeconfig: str) -> Iterator[Problem]:
    """Judge the address that peers would take from a kubeconfig; nothing to say where it can't be read."""
    try:
        server = server_of(kubeconfig)
    except KubeconfigError:
        return
    yield from api_server_problems(f"clusters.{name}.api_server", server, from_kubeconfig=True)


def _cacerts_problems(topology: Topology, name: str, given: Mapping[str, Any]) -> Iterator[Problem]:
    where, remote = f"clusters.{name}.cacerts", topology.is_remote(name)
    joins = topology.clusters[name].joins
    expected = topology.trust.kind == "given" and not remote and not joins
    cacerts = given.get("cacerts")
    if expected and isinstance(cacerts, Mapping):
        for part in CACERTS:
            if cacerts.get(part) is None:
                yield Problem(
                    where=f"{where}.{part}",
                    what="it is missing",
                    why="istiod starts only with all four files of its authority",
                    fix=f'"{part}": ...',
                    slug="trust-mixed",
                )
        return
    if not expected and cacerts is None:
        return
    yield Problem(
        where=where,
        what="it is missing, and trust.kind is given"
        if expected
        else f"it is given, and the istiod of {topology.primary_of(name)} signs for {name}"
        if remote
        else f"it is given, and the istiod that is there has its own: clusters.{name}.control_plane is "
        f"{topology.clusters[name].control_plane}"
        if joins
        else f"it is given, and trust.kind is {topology.trust.kind}",
        why="each istiod signs from its own intermediate, and all of them come from one place",
        fix='"cacerts": {"ca_cert": ..., "ca_key": ..., "cert_chain": ..., "root_cert": ...}'
        if expected
        else f"remove {where}"
        if remote or joins
        else f'remove {where}, or set trust: {{"kind": "given"}}',
        slug="trust-mixed",
    )


def _registry_problems(topology: Topology, credentials: Any) -> Iterator[Problem]:
    """Judge the registries' credentials that are known now; late ones are judged by `checked_credentials`."""
    listed = topology.image_pull_secrets
    if not isinstance(credentials, Mapping):
        example = listed[0] if listed else "registry"
        yield Problem(
            where=OF_A_MESH,
            what="it is not a mapping of Secrets to their contents",
            why="which Secrets there are shapes the mesh; what is in each of them may be late",
            fix=f'"{OF_A_MESH}": {{"{example}": config.require_secret("registry")}}',
            slug="registry-credentials",
        )
        return
    for name, config in credentials.items():
        where = f"{OF_A_MESH}.{name}"
        if name not in listed:
            yield Problem(
                where=where,
                what=f"{name} is not one of image_pull_secrets ({', '.join(listed) or 'none'})",
                why="no pod would ask for that Secret",
                fix=f"image_pull_secrets: [{', '.join([*listed, str(name)])}]",
                slug="registry-credentials",
            )
        elif not isinstance(config, (pulumi.Output, Awaitable)):
            yield from docker_config_problems(where, config)


def checked_api_server(where: str, api_server: Optional[pulumi.Input[str]]) -> pulumi.Output[str]:
    """Return the address that peers use, checked as soon as it is known; empty where none was given."""

    def check(server: Any) -> str:
        found = list(api_server_problems(where, server)) if server else []
        if found:
            raise RefusedTopology(found, where)
        return server or ""

    return pulumi.Output.from_input(cast(Any, api_server)).apply(check)


def checked_authority(where: str, pem: Optional[pulumi.Input[str]]) -> Optional[pulumi.Output[str]]:
    """Return what verifies a cluster's API server, checked as soon as it is known; None where none was given."""

    def check(known: Any) -> str:
        found = list(known_authority_problems(where, known))
        if found:
            raise RefusedTopology(found, where)
        return known or ""

    return None if pem is None else pulumi.Output.from_input(cast(Any, pem)).apply(check)


def checked_kubeconfig(
    name: str,
    kubeconfig: pulumi.Input[str],
    api_server: Optional[pulumi.Input[str]],
    *,
    under: str,
    for_peers: bool,
) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """Return the kubeconfig and the address that peers use, both checked as soon as they are known.

    The program stops with `RefusedTopology` before the cluster's first object where one of them can't be used:
    every object waits for the provider, and the provider waits for this. `under` is the path of the arguments,
    `for_peers` says whether any other cluster dials the address.
    """

    def check(values: list[Any]) -> tuple[str, str]:
        text, given = _as_text(values[0]), values[1]
        found = list(kubeconfig_problems(f"{under}kubeconfig", text))
        server = given or ("" if found else server_of(text))
        if for_peers and not found:
            found += api_server_problems(f"{under}api_server", server, from_kubeconfig=not given)
        if found:
            raise RefusedTopology(found, f"cluster {name!r}")
        return text, server

    known: pulumi.Output[list[Any]] = pulumi.Output.all(kubeconfig, api_server)
    both: pulumi.Output[tuple[str, str]] = pulumi.Output.secret(cast(Any, known)).apply(check)
    return both.apply(lambda pair: pair[0]), both.apply(lambda pair: pair[1])


def _as_text(kubeconfig: Any) -> str:
    """Return a kubeconfig as text."""
    # Of a secret that is JSON Pulumi's YAML makes a mapping, whose keys are in another order each time.
    return json.dumps(kubeconfig, sort_keys=True) if isinstance(kubeconfig, Mapping) else str(kubeconfig or "")


# Keys of annotations have dots, names of clusters don't.
_MAY_BE_LATE = re.compile(r"clusters\.[^.]+\.(api_server|\w+\.address|\w+\.annotations\..+)")


def plain_facts(value: Any, path: str, late: list[Problem]) -> Any:
    """Return the tree with `LATE` where a late value may stand; anywhere else a late value is a problem."""
    if isinstance(value, pulumi.Output):
        if not _MAY_BE_LATE.fullmatch(path):
            late.append(
                Problem(
                    where=path,
                    what="it is an Output, known only while the program runs",
                    why="it shapes the mesh, and a preview can only show a mesh whose shape is known",
                    fix="give a plain value, from stack config or from the program itself",
                    slug="late-value",
                )
            )
        return LATE
    if isinstance(value, Mapping):
        return {key: plain_facts(item, f"{path}.{key}" if path else str(key), late) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_facts(item, f"{path}.{index}", late) for index, item in enumerate(value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value
