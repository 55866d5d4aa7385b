"""The arguments of the public components, and how they part into plain facts and late values.

The types obey what survives the wire to other Pulumi languages: plain leaves shape the graph, `Input` leaves may be
late, lists and dicts hold `TypedDict`s. No `from __future__ import annotations` here: Pulumi's analyzer reads the
annotations themselves.
"""

from collections.abc import Awaitable, Iterator, Mapping
from typing import Any, Optional, cast

import pulumi
from typing_extensions import NotRequired, TypedDict

from ..rules import problems_in, today
from ..topology.declared import LATE
from ..topology.kubeconfig import KubeconfigError, api_server_problems, kubeconfig_problems, server_of
from ..topology.load import parse_topology
from ..topology.models import Topology
from ..topology.problems import Problem, TopologyError


class GatewayPortArgs(TypedDict):
    name: str
    port: int
    target_port: NotRequired[int]
    """Port of the gateway pods; `port` itself when left out."""


class DialledServiceArgs(TypedDict, total=False):
    """A Service that other clusters dial."""

    type: str
    """LoadBalancer (default), NodePort or ClusterIP."""
    address: pulumi.Input[str]
    """IP address that other clusters dial, where the Service's status does not say it."""
    annotations: dict[str, pulumi.Input[str]]
    load_balancer_class: str
    source_ranges: str
    """Ranges from which the load balancer lets callers in, separated by commas; everybody when left out."""
    timeout_seconds: int
    """How long to wait for the load balancer's address; 600 by default."""


class EastWestGatewayArgs(DialledServiceArgs, total=False):
    """The gateway that other networks dial."""

    ports: list[GatewayPortArgs]
    """Ports besides those of the mesh: 15021, 15443, 15012 and 15017."""


class FederationGatewayArgs(DialledServiceArgs, total=False):
    """The gateway that other meshes dial."""

    locality: str
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
    accounts: list[str]


class ImportArgs(TypedDict):
    """A Service of another mesh that can be called here."""

    ports: dict[str, int]
    namespaces: list[str]
    """Namespaces that see it."""
    host: NotRequired[str]
    """`<service>.<namespace>.<mesh>.internal` when left out."""
    address: NotRequired[str]
    rewrite_host: NotRequired[bool]
    fallback: NotRequired[FallbackArgs]


class PeerArgs(TypedDict, total=False):
    """Another mesh."""

    trust_domain: str
    """`<mesh ID>.internal` when left out."""
    accept: list[str]
    """unconstrained-roots, same-root-names."""
    imports: dict[str, ImportArgs]
    """By <service>.<namespace>, as the other mesh knows it."""
    offer: pulumi.Input[Any]
    """Output `offers` of the other mesh, as a StackReference or a file has it; may be missing at first."""


class CaCertsArgs(TypedDict):
    """PEM of one cluster's certificate authority, under the names of Istio's Secret `cacerts`."""

    ca_cert: pulumi.Input[str]
    ca_key: pulumi.Input[str]
    cert_chain: pulumi.Input[str]
    """The intermediates, then the root."""
    root_cert: pulumi.Input[str]


class GkeRangesArgs(TypedDict):
    """Ranges of one cluster, given instead of a block."""

    nodes: str
    pods: str
    services: str
    control_plane: str


class GkeTaintArgs(TypedDict):
    key: str
    value: NotRequired[str]
    effect: NotRequired[str]
    """NO_SCHEDULE (default), PREFER_NO_SCHEDULE or NO_EXECUTE."""


class GkeNodePoolArgs(TypedDict, total=False):
    machine_type: str
    min_nodes: int
    max_nodes: int
    """At most so many in all zones together; 3 by default."""
    disk_gb: int
    spot: bool
    labels: dict[str, str]
    taints: list[GkeTaintArgs]


class GkeControlPlaneArgs(TypedDict, total=False):
    """How the API server is reached."""

    endpoint: str
    """public (default), private or dns."""
    global_access: bool
    authorized: dict[str, str]
    """Ranges that may dial it besides those of the mesh, by a name for each."""


class GkeMaintenanceArgs(TypedDict):
    start_time: str
    end_time: str
    recurrence: NotRequired[str]


class GkeClusterArgs(TypedDict):
    """A GKE cluster that the program makes."""

    region: str
    zone: NotRequired[str]
    node_zones: NotRequired[list[str]]
    block: NotRequired[int]
    """Which block of the network's supernet is this cluster's, counted from 0; never change it."""
    ranges: NotRequired[GkeRangesArgs]
    max_pods_per_node: NotRequired[int]
    max_nodes: NotRequired[int]
    autopilot: NotRequired[bool]
    node_pools: NotRequired[dict[str, GkeNodePoolArgs]]
    control_plane: NotRequired[GkeControlPlaneArgs]
    release_channel: NotRequired[str]
    min_version: NotRequired[str]
    maintenance: NotRequired[GkeMaintenanceArgs]
    deletion_protection: NotRequired[bool]
    """Whether Google refuses to delete the cluster; true by default."""
    labels: NotRequired[dict[str, str]]


class GkeNetworkArgs(TypedDict):
    """A VPC of GKE clusters that the program makes."""

    project: str
    supernet: NotRequired[str]
    """Range that every cluster's ranges are cut from."""
    block_prefix: NotRequired[int]
    vpc: NotRequired[str]
    """A VPC that exists; made when left out."""
    nat: NotRequired[bool]
    ports: NotRequired[list[str]]
    """TCP ports that pods of other clusters may call; all when left out."""
    gateway_sources: NotRequired[str]


class ClusterArgs(TypedDict):
    kubeconfig: NotRequired[pulumi.Input[str]]
    """Contents of a kubeconfig, never a path; the ambient one is never used. Needed unless gke makes the cluster."""
    gke: NotRequired[GkeClusterArgs]
    """A GKE cluster that the program makes, on the VPC that gke_networks has under the cluster's network."""
    primary: NotRequired[str]
    """Cluster whose istiod serves this one; itself when left out."""
    network: NotRequired[str]
    """Clusters that share a network dial each other's pods; one of its own when left out."""
    discovers: NotRequired[list[str]]
    """Clusters whose services can be called from here; all of the mesh when left out."""
    pod_cidr: NotRequired[str]
    service_cidr: NotRequired[str]
    api_server: NotRequired[pulumi.Input[str]]
    """URL of the API server as the other clusters' istiods reach it; the kubeconfig's server when left out."""
    api_server_ca: NotRequired[pulumi.Input[str]]
    """PEM that verifies `api_server`, where it is not the cluster's own CA."""
    api_server_tls_name: NotRequired[str]
    east_west_gateway: NotRequired[EastWestGatewayArgs]
    federation_gateway: NotRequired[FederationGatewayArgs]
    istiod_service: NotRequired[DialledServiceArgs]
    """By which remote clusters on the same network reach this cluster's istiod, where it has no gateway."""
    cacerts: NotRequired[CaCertsArgs]
    """Needed where trust.kind is given, in clusters with an istiod of their own."""
    values: NotRequired[dict[str, Any]]
    """Helm values keyed by chart: base, istiod, gateway."""
    crds: NotRequired[str]
    """managed (default) or external."""
    protect: NotRequired[bool]
    retain_on_delete: NotRequired[bool]
    verify: NotRequired[bool]
    """Whether probes and gates run here; true by default."""


class VerifyArgs(TypedDict, total=False):
    """How the mesh proves that it works, each time it changes."""

    level: str
    """traffic (default), discovery or off."""
    preflight: bool
    """Whether clusters are looked at before anything in them changes; true by default."""
    image: str
    """Image of probes and gates, by tag or digest; Istio's own proxy image when left out."""
    timeout_seconds: int
    """How long a gate looks again before it says what is wrong; 60 by default."""
    requests: dict[str, str]
    """Resources that each pod asks for, besides its proxy."""
    node_selector: dict[str, str]
    tolerations: list[dict[str, Any]]


class RootArgs(TypedDict):
    issued: str
    """First day of validity, such as 2026-11-23, in UTC."""
    generation: NotRequired[str]
    days: NotRequired[int]
    key: NotRequired[str]
    """ECDSA-P256 (default), ECDSA-P384, RSA-2048, RSA-3072 or RSA-4096."""
    trust_domains: NotRequired[list[str]]


class IntermediatesArgs(TypedDict, total=False):
    issued: str
    """First day of validity, in UTC; the signing root's when left out."""
    days: int
    key: str


class TrustArgs(TypedDict, total=False):
    kind: str
    """generated (default), given or external."""
    roots: list[RootArgs]
    signer: str
    intermediates: IntermediatesArgs


class MeshArgs(TypedDict):
    istio_version: str
    clusters: dict[str, ClusterArgs]
    mesh_id: NotRequired[str]
    """The name of the component when left out."""
    trust: NotRequired[TrustArgs]
    trust_domain: NotRequired[str]
    """`<mesh ID>.internal` when left out."""
    mtls: NotRequired[str]
    """strict (default) or permissive."""
    dns_capture: NotRequired[bool]
    failover: NotRequired[bool]
    """Whether calls prefer endpoints near the caller, and move elsewhere while those fail; false by default."""
    cluster_local: NotRequired[list[str]]
    """Hosts of Services that each cluster answers by itself, never for another one."""
    chart_source: NotRequired[str]
    image_hub: NotRequired[str]
    values: NotRequired[dict[str, Any]]
    verify: NotRequired[VerifyArgs]
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
    address: NotRequired[str]
    rewrite_host: NotRequired[bool]
    fallback: NotRequired[FallbackArgs]


class MeshesArgs(TypedDict):
    meshes: dict[str, MeshArgs]
    """By name, which is the mesh ID where that is left out."""
    links: NotRequired[list[LinkArgs]]


class RefusedTopology(TopologyError, pulumi.RunError):
    """A `TopologyError` that Pulumi prints as its sentences, without a traceback."""


CREDENTIALS = ("kubeconfig", "cacerts", "api_server_ca")
"""Arguments of a cluster that never enter a topology: they are credentials, or late, or both."""


def accept(name: str, args: Mapping[str, Any]) -> Topology:
    """Return the topology that the arguments of a mesh declare.

    Raises `RefusedTopology` with everything that is wrong and known now, before any resource is registered.
    """
    facts = {"mesh_id": name, **{key: value for key, value in args.items() if value is not None}}
    # What a peer offers is known late, and checked then (offers.py).
    facts |= {"peers": _without(args["peers"], ("offer",))} if args.get("peers") is not None else {}
    clusters = args.get("clusters")
    source = f"Mesh {name!r}"
    if isinstance(clusters, Mapping):
        facts["clusters"] = _without(clusters, CREDENTIALS)
    late: list[Problem] = []
    try:
        topology = parse_topology(_plain(facts, "", late), source)
    except TopologyError as error:
        known = {problem.where for problem in late}
        rest = [problem for problem in error.problems if problem.where not in known]
        raise RefusedTopology([*late, *rest], source) from None
    found = [*late, *problems_in(topology, today()), *_credential_problems(topology, args["clusters"])]
    if found:
        raise RefusedTopology(found, source)
    return topology


def _without(entries: Any, keys: tuple[str, ...]) -> Any:
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
        where = f"clusters.{name}.kubeconfig"
        kubeconfig = given.get("kubeconfig")
        if topology.clusters[name].gke is not None:
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
        elif isinstance(kubeconfig, str):
            yield from kubeconfig_problems(where, kubeconfig)
            if topology.watchers_of(name) and not given.get("api_server"):
                yield from _server_problems(name, kubeconfig)
        elif not isinstance(kubeconfig, (pulumi.Output, Awaitable)):
            yield Problem(
                where=where,
                what="the kubeconfig is not text",
                why="the cluster's API server and its address for the other clusters are read from it",
                fix=f'"kubeconfig": json.dumps(...), or config.require_secret("{name}")',
                slug="kubeconfig-invalid",
            )
        yield from _cacerts_problems(topology, name, given)


def _server_problems(name: str, kubeconfig: str) -> Iterator[Problem]:
    """Judge the address that peers would take from a kubeconfig; nothing to say where it can't be read."""
    try:
        server = server_of(kubeconfig)
    except KubeconfigError:
        return
    yield from api_server_problems(f"clusters.{name}.api_server", server, from_kubeconfig=True)


def _cacerts_problems(topology: Topology, name: str, given: Mapping[str, Any]) -> Iterator[Problem]:
    where, remote = f"clusters.{name}.cacerts", topology.is_remote(name)
    expected = topology.trust.kind == "given" and not remote
    cacerts = given.get("cacerts")
    if expected and isinstance(cacerts, Mapping):
        for part in CaCertsArgs.__annotations__:
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
        else f"it is given, and trust.kind is {topology.trust.kind}",
        why="each istiod signs from its own intermediate, and all of them come from one place",
        fix='"cacerts": {"ca_cert": ..., "ca_key": ..., "cert_chain": ..., "root_cert": ...}'
        if expected
        else f"remove {where}"
        if remote
        else f'remove {where}, or set trust: {{"kind": "given"}}',
        slug="trust-mixed",
    )


def checked_kubeconfig(
    name: str, kubeconfig: pulumi.Input[str], api_server: Optional[pulumi.Input[str]], *, for_peers: bool
) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """Return the kubeconfig and the address that peers use, both checked as soon as they are known.

    The program stops with `RefusedTopology` before the cluster's first object where one of them can't be used:
    every object waits for the provider, and the provider waits for this. `for_peers` says whether any
    other cluster dials the address.
    """

    def check(values: list[Any]) -> tuple[str, str]:
        text, given = str(values[0] or ""), values[1]
        found = list(kubeconfig_problems(f"clusters.{name}.kubeconfig", text))
        server = given or ("" if found else server_of(text))
        if for_peers and not found:
            found += api_server_problems(f"clusters.{name}.api_server", server, from_kubeconfig=not given)
        if found:
            raise RefusedTopology(found, f"cluster {name!r}")
        return text, server

    known: pulumi.Output[list[Any]] = pulumi.Output.all(kubeconfig, api_server)
    both: pulumi.Output[tuple[str, str]] = pulumi.Output.secret(cast(Any, known)).apply(check)
    return both.apply(lambda pair: pair[0]), both.apply(lambda pair: pair[1])


_LATE_LEAVES = ("api_server", "address")


def _plain(value: Any, path: str, late: list[Problem]) -> Any:
    """Return the tree with `LATE` where a late value may stand; anywhere else a late value is a problem."""
    if isinstance(value, pulumi.Output):
        parent, _, leaf = path.rpartition(".")
        of_cluster = path.startswith("clusters.")
        if not of_cluster or (leaf not in _LATE_LEAVES and not parent.endswith(".annotations")):
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
        return {key: _plain(item, f"{path}.{key}" if path else str(key), late) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{path}.{index}", late) for index, item in enumerate(value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value
