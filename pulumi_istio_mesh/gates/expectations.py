"""What a gate is to show, as the environment of its script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..istio import names
from ..istio.federation import imported_name
from ..plan.mesh_plan import MeshPlan, Path
from ..topology.federation import CLUSTER_DOMAIN, service_host
from ..topology.models import Topology
from ..topology.names import is_host_name, is_ip_address

_UNROUTED = "240.240.255.254"
"""Any address that a proxy captures: without DNS capture it routes by the host's name alone."""


@dataclass(frozen=True)
class Target:
    """A cluster that a gate calls."""

    cluster: str
    host: str
    way: str
    """`direct`, pod to pod; `gateway`, through the target's; `nodes`, through it at addresses that only nodes have."""

    def line(self, gateway: str) -> str:
        """Return the target as the script reads it; `gateway` is its gateway's address, empty where there is none."""
        return _line(self.cluster, self.host, self.way, _address(gateway))


@dataclass(frozen=True)
class Expectations:
    """What one cluster's gate is to show."""

    cluster: str
    remotes: tuple[str, ...] | None
    """Clusters that its istiods must have synced, and no others; None where there is no istiod."""
    targets: tuple[Target, ...]
    """Probes to call, its own among them."""
    evicted: tuple[str, ...]
    """Clusters of which nobody here may know anything any more."""
    identity: str
    strict: bool
    dns_capture: bool
    seconds: int

    def environment(self, gateways: Mapping[str, Any]) -> dict[str, Any]:
        """Return the script's environment; `gateways` holds the targets as lines where their gateway is known late."""
        found: dict[str, Any] = {"CLUSTER": self.cluster, "SECONDS_AT_MOST": str(self.seconds)}
        if self.remotes is not None:
            found["REMOTES"] = " ".join(self.remotes)
        for index, cluster in enumerate(self.evicted):
            found[f"EVICTED_{index}"] = f"{cluster}|{names.probe_host(cluster)}"
        if self.targets:
            found["IDENTITY"] = self.identity
            found["PLAINTEXT"] = "refused" if self.strict else "allowed"
            if not self.dns_capture:
                found["RESOLVE"] = _UNROUTED
        for index, target in enumerate(self.targets):
            found[f"TARGET_{index}"] = gateways.get(target.cluster) or target.line("")
        return found


def expectations(topology: Topology, plan: MeshPlan, cluster: str) -> Expectations:
    """Return what the gate of a cluster is to show; the plan must give it one."""
    own = next(found for found in plan.clusters if found.name == cluster)
    probes = {found.name for found in plan.clusters if found.probe}
    ways = {path.target: _way(topology, path) for path in plan.paths if path.source == cluster} | {cluster: "direct"}
    targets = tuple(
        Target(name, names.probe_host(name), ways[name]) for name in sorted(ways) if name in probes and own.probe
    )
    return Expectations(
        cluster=cluster,
        remotes=None if own.remote else own.discovers,
        evicted=topology.evicted,
        targets=targets,
        identity=f"spiffe://{topology.identity_domain}/ns/{names.VERIFY_NAMESPACE}/sa/{names.PROBE}",
        # Where somebody else made the control plane, it is theirs to say what workloads refuse; gateways take no
        # plaintext anyway.
        strict=topology.mtls == "strict"
        and not any(topology.clusters[one.cluster].joins for one in targets if one.way == "direct"),
        dns_capture=topology.dns_capture and not own.joins,
        seconds=topology.verify.timeout_seconds,
    )


def _way(topology: Topology, path: Path) -> str:
    if path.direct:
        return "direct"
    gateway = topology.clusters[path.target].east_west_gateway
    return "nodes" if gateway.type == "NodePort" and gateway.address is None else "gateway"


def import_lines(topology: Topology, entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield, for each gateway of each import, the line by which the script looks at it.

    `entries` are the ServiceEntries in a cluster of the mesh; a fallback is no gateway, and one port stands for all.
    """
    found = {entry["metadata"]["name"]: entry["spec"] for entry in entries}
    for peer, declared in topology.peers.items():
        for service, imported in declared.imports.items():
            spec = found.get(imported_name(peer, service)) or {}
            number = next(iter(imported.ports.values()))
            sni = names.passthrough_sni(service_host(service), number)
            for endpoint in spec.get("endpoints") or []:
                if endpoint["address"].endswith(f".{CLUSTER_DOMAIN}"):
                    continue
                port = next(iter(endpoint["ports"].values()))
                identities = " ".join(spec.get("subjectAltNames") or [])
                yield _line(peer, service, sni, _address(endpoint["address"]), str(port), identities)


def api_server_line(cluster: str, tls_name: str | None, server: str, certificate_authority: str) -> str:
    """Return a peer's API server as the script reads it; the authority is a base64 bundle, empty for the system's."""
    # Base64 may be broken into lines.
    return _line(cluster, server.rstrip("/"), tls_name or "", "".join(certificate_authority.split()))


def _address(text: str) -> str:
    """Return an address that a cluster says, or a question mark: in a URL all else is a path, or many addresses."""
    return text if not text or is_ip_address(text) or is_host_name(text.lower()) else "?"


def _line(*fields: str) -> str:
    """Return fields as a line that the script takes; what would end a field or the line is a question mark in it."""
    return "|".join(re.sub(r"[\x00-\x1f\x7f|`]", "?", field) for field in fields)
