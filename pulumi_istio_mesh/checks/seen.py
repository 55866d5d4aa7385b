"""What was read of a live mesh, as the checks judge it. Plain data: tests make it by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..istio import names
from ..plan.mesh_plan import ClusterPlan, MeshPlan
from ..topology.models import Topology
from .findings import Finding

Object = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class RemoteSecret:
    """One remote secret of a cluster; its token stays out of here."""

    name: str
    cluster: str
    """Cluster that it reads, by its key."""
    server: str
    authority: str
    """Base64 bundle by which istiod verifies that cluster; empty for the system's."""
    token_accepted: bool | None = None
    """Whether the cluster that it reads accepts its token; None where that could not be asked."""
    allowed: bool | None = None
    """Whether the account behind it may read what istiod needs; None where that could not be asked."""
    created: str = ""


@dataclass(frozen=True)
class Proxy:
    """One proxy, as it sees itself."""

    pod: str
    """`<namespace>/<name>`."""
    cluster_id: str
    network: str
    mesh_id: str
    version: str
    chain: str = ""
    """PEM of its certificate and the authorities above it."""
    roots: str = ""


@dataclass
class Seen:
    """What was read of one cluster; `unread` says, by reading, what could not be read and why."""

    cluster: str
    unread: dict[str, str] = field(default_factory=dict)
    version: str = ""
    skew_seconds: float | None = None
    """By how much the API server's clock is ahead of this machine's."""
    namespaces: list[Object] = field(default_factory=list)
    nodes: list[Object] = field(default_factory=list)
    pods: list[Object] = field(default_factory=list)
    services: list[Object] = field(default_factory=list)
    gateway_slices: list[Object] = field(default_factory=list)
    """EndpointSlices of istio-system: what is behind gateways."""
    imported: list[Object] = field(default_factory=list)
    """ServiceEntries of what other meshes share."""
    peer_domains: list[str] = field(default_factory=list)
    """Trust domains of the roots of peers that istiod is told to trust."""
    secrets: list[Object] = field(default_factory=list)
    """Metadata of the Secrets in istio-system."""
    remote_secrets: list[RemoteSecret] = field(default_factory=list)
    roots: str = ""
    """PEM of the roots that istiod gives to proxies."""
    peer_authentications: list[Object] = field(default_factory=list)
    destination_rules: list[Object] = field(default_factory=list)
    injector: Object | None = None
    injection: str | None = None
    """Why a pod that wants a proxy would be refused; None where it would be admitted with one."""
    injected_network: str | None = None
    """Network that injection gives to a new pod."""
    sync: dict[str, dict[str, str]] = field(default_factory=dict)
    """By istiod pod: the state of every cluster it reads."""
    stale: list[str] = field(default_factory=list)
    """Proxies that have not taken what istiod sent: `<name>.<namespace>`."""
    proxy: Proxy | None = None
    """The probe's, or where there is none, that of any pod."""
    gateway_ports: dict[str, set[int]] = field(default_factory=dict)
    """By gateway pod: the ports it listens on."""
    istiod_words: str = ""
    """Why istiod does not start, in its own words."""
    gate: list[Finding] = field(default_factory=list)
    """What the gate's script found, run from the probe."""
    istiod_deployments: list[Object] = field(default_factory=list)
    """Deployments of istiod in all namespaces; read before a change only."""
    injected: list[Object] = field(default_factory=list)
    """Metadata of pods with a proxy; read before a change that takes a revision of istiod away."""
    crds: list[Object] = field(default_factory=list)
    """Metadata of all CRDs; read before a change only."""
    membership: Object | None = None
    """ConfigMap that says whose member a cluster is whose control plane was there before; read before a change only."""
    mesh_config: Object = field(default_factory=dict)
    """Mesh config of a control plane that was there before."""
    injector_values: Object = field(default_factory=dict)
    """Values that its injector renders proxies with."""
    reader_account: bool = False
    """Whether the account by which other clusters read this one is there; read before a change only."""
    gate_ran: bool = False

    @property
    def reachable(self) -> bool:
        """Whether the API server answered at all."""
        return "version" not in self.unread

    def istiods(self) -> list[Object]:
        """Return istiod's pods, ready or not, without those that end."""
        return [
            pod
            for pod in self.pods
            if pod["metadata"]["namespace"] == names.NAMESPACE
            and labels_of(pod).get("app") == names.ISTIOD
            and not pod["metadata"].get("deletionTimestamp")
        ]

    def service(self, namespace: str, name: str) -> Object | None:
        """Return one Service, or None."""
        return next((found for found in self.services if named(found) == (namespace, name)), None)

    def gateway_addresses(self, gateway: str = names.EAST_WEST_GATEWAY) -> list[str]:
        """Return what others dial: the addresses of the east-west gateway, or of another one."""
        service = self.service(names.NAMESPACE, gateway)
        if service is None:
            return []
        ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        dialled = [entry.get("ip") or entry.get("hostname") for entry in ingress]
        return [address for address in [*dialled, *(service["spec"].get("externalIPs") or [])] if address]


@dataclass
class View:
    """A mesh as it should be, and as it was seen."""

    topology: Topology
    plan: MeshPlan
    seen: Mapping[str, Seen]
    now: dt.datetime
    servers: Mapping[str, str] = field(default_factory=dict)
    """URL of each cluster's API server as the others should dial it, where that is known."""
    roots: str = ""
    """PEM of the roots that the program is given, before a change; empty where it is given none."""

    def clusters(self) -> Sequence[tuple[ClusterPlan, Seen]]:
        """Return every cluster that answered, with its plan."""
        return [
            (planned, self.seen[planned.name])
            for planned in self.plan.clusters
            if planned.name in self.seen and self.seen[planned.name].reachable
        ]

    def believed(self, judge: Callable[[View], T]) -> tuple[View, T]:
        """Return the view as `judge` can take it, and what it says: who answers what it stumbles over does not answer.

        An API server gives its objects the parts that are read here; what says that it is one may be anything.
        """
        try:
            return self, judge(self)
        except _STUMBLES:
            taken = dataclasses.replace(self, seen={name: _unread(name, "not looked at yet") for name in self.seen})
        for name, seen in self.seen.items():
            tried = dataclasses.replace(taken, seen={**taken.seen, name: seen})
            try:
                judge(tried)
            except _STUMBLES as error:
                # Its words may repeat the answer.
                odd = _unread(name, f"its answers are not those of Kubernetes ({type(error).__name__})")
                tried = dataclasses.replace(taken, seen={**taken.seen, name: odd})
            taken = tried
        return taken, judge(taken)


_STUMBLES = (LookupError, TypeError, AttributeError, ValueError)


def _unread(cluster: str, why: str) -> Seen:
    return Seen(cluster, unread={"version": why})


def named(item: Object) -> tuple[str, str]:
    """Return namespace and name of an object."""
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def labels_of(item: Object) -> dict[str, str]:
    """Return the labels of an object; none where it has none."""
    return item["metadata"].get("labels") or {}


def made_here(item: Object) -> bool:
    """Return whether this package made an object."""
    manager = (item["metadata"].get("annotations") or {}).get(names.FIELD_MANAGER_ANNOTATION, "")
    return str(manager).startswith(f"{names.PACKAGE}-")


SAIL = "the Sail operator"


def run_by_sail(item: Object) -> bool:
    """Return whether the Sail operator made an object, and puts it back."""
    keys = ("managed-by", "app.kubernetes.io/managed-by")
    return any(labels_of(item).get(key) == "sail-operator" for key in keys)


def containers_of(pod: Object) -> list[Object]:
    """Return the containers of a pod, those that start first included: proxies are among them."""
    return [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]


def tag_of(image: str) -> str:
    """Return the tag of an image, without its digest."""
    return image.partition("@")[0].rpartition(":")[2]


def waits_for_address(service: Object) -> bool:
    """Return whether a Service is to have a load balancer, and has no address yet."""
    spec, status = service["spec"], (service.get("status") or {}).get("loadBalancer") or {}
    return spec.get("type") == "LoadBalancer" and not status.get("ingress") and not spec.get("externalIPs")


def is_ready(pod: Object) -> bool:
    """Return whether a pod is ready."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
