"""A Pulumi stack as the source of a mesh: its topology, its clusters' credentials, what it recorded."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..istio import names
from ..topology.kubeconfig import KubeconfigError, server_of
from ..topology.load import parse_topology
from ..topology.models import Topology
from .verify import Access

_SECRET = "4dabf18193072939515e22adb298388d"
"""Key under which the engine wraps a secret in an export. Source: pulumi sdk/go/common/resource/plugin."""


class StackError(Exception):
    """A stack can't be read, or holds no mesh; the message says what to do."""


@dataclass(frozen=True)
class Recorded:
    """One Kubernetes object as the stack recorded it."""

    cluster: str
    name: str
    """Its logical name."""
    inputs: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class StackMesh:
    """One mesh of a stack."""

    topology: Topology
    access: Mapping[str, Access] = field(repr=False)
    servers: Mapping[str, str]
    objects: tuple[Recorded, ...] = field(repr=False)


def meshes_of_stack(stack: str | None) -> list[StackMesh]:
    """Return the meshes of a stack of the current folder's project: the named one, or the selected one.

    Asks the `pulumi` command for the state with its secrets, which stay in memory. Raises `StackError`.
    """
    command = ["pulumi", "stack", "export", "--show-secrets", *(["--stack", stack] if stack else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        raise StackError("the pulumi command is not on PATH; or give the mesh.yaml and --kubeconfig") from None
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise StackError(f"pulumi can't export the stack: {last[0]}")
    return list(_meshes(json.loads(done.stdout)))


def _meshes(state: Mapping[str, Any]) -> Iterator[StackMesh]:
    resources = (state.get("deployment") or {}).get("resources") or []
    found = [resource for resource in resources if resource["type"] == names.token("Mesh")]
    if not found:
        raise StackError("the stack holds no mesh; run pulumi up first")
    parents = {resource["urn"]: resource.get("parent", "") for resource in resources}
    for mesh in found:
        facts = _plain((mesh.get("outputs") or {}).get("topology"))
        if not facts:
            raise StackError("the stack was last updated by an older version of this package; run pulumi up")
        topology = parse_topology(facts, "the stack's topology").present
        prefix = _name(mesh)
        by_name = {names.logical_name(prefix, cluster): cluster for cluster in topology.clusters}
        providers: dict[str, str] = {}
        access: dict[str, Access] = {}
        for resource in resources:
            name = _name(resource)
            ours = resource["type"] == "pulumi:providers:kubernetes" and name in by_name
            if ours and mesh["urn"] in _above(resource["urn"], parents):
                kubeconfig = str(_plain((resource.get("inputs") or {}).get("kubeconfig")) or "")
                access[by_name[name]] = Access(kubeconfig)
                providers[f"{resource['urn']}::{resource['id']}"] = by_name[name]
        missing = sorted(topology.clusters.keys() - access.keys())
        if missing:
            raise StackError(f"the stack has no provider for {', '.join(missing)}; run pulumi up")
        objects = tuple(
            Recorded(
                providers[resource["provider"]],
                _name(resource),
                _plain(resource.get("inputs") or {}),
            )
            for resource in resources
            if resource.get("provider") in providers and not resource.get("delete")
        )
        servers: dict[str, str] = {}
        for cluster, way in access.items():
            # What is wrong with a kubeconfig is told of its own cluster, when that is looked at.
            with contextlib.suppress(KubeconfigError):
                servers[cluster] = server_of(way.kubeconfig)
        yield StackMesh(topology, access, servers, objects)


def _name(resource: Mapping[str, Any]) -> str:
    return str(resource["urn"]).rpartition("::")[2]


def _above(urn: str, parents: Mapping[str, str]) -> set[str]:
    found = set()
    while urn := parents.get(urn, ""):
        found.add(urn)
    return found


def _plain(value: Any) -> Any:
    """Return a value of an export without the engine's wrapping of secrets."""
    if isinstance(value, Mapping):
        if _SECRET in value:
            return json.loads(value["plaintext"]) if "plaintext" in value else None
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
