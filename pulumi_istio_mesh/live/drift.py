"""What in the clusters is not as the stack recorded it, in words of the mesh."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..checks.findings import Finding
from ..checks.seen import Object, View
from .api import CannotRead, ClusterApi
from .stack import Recorded, StackMesh

_ROLES = {
    "east-west": "the east-west gateway",
    "istiod": "the control plane",
    "injector": "the injection webhook",
    "cacerts": "the certificate authority",
    "namespace": "Istio's namespace",
    "exposure": "what lets other networks in",
    "reader-token": "the token by which others read it",
    "shared-mesh-config": "the shared mesh config",
    "mtls": "the demand for mTLS",
    "failover": "the failover rule",
    "remote": "a remote secret",
    "probe": "the probe",
    "verify": "the namespace of the gates",
    "mesh": "the mesh's gate",
    "api-servers": "the gate of API servers",
}

_NOT_OURS = {"status", "id"}
_WRITTEN_BY_ISTIOD = {"caBundle", "failurePolicy"}
"""Of webhooks. Source: istio/istio pkg/webhooks/webhookpatch.go and the validation controller."""


async def drift_of(view: View, apis: Mapping[str, ClusterApi], mesh: StackMesh) -> list[Finding] | None:
    """Return what differs from what a stack recorded; None where the mesh is not of a stack.

    Notes in the view where objects could not be read.
    """
    if not mesh.objects:
        return None
    found, unread = await _drift(apis, [item for item in mesh.objects if view.seen[item.cluster].reachable])
    for name, why in unread.items():
        view.seen[name].unread["objects"] = why
    return found


async def _drift(apis: Mapping[str, ClusterApi], recorded: Iterable[Recorded]) -> tuple[list[Finding], dict[str, str]]:
    unread: dict[str, str] = {}

    async def one(item: Recorded) -> list[Finding]:
        path = _path(item.inputs)
        if path is None:
            return []
        kind, name = item.inputs["kind"], item.inputs["metadata"]["name"]
        about = f"{kind} {item.inputs['metadata'].get('namespace', '')}/{name}".replace(" /", " ")
        try:
            live = await apis[item.cluster].get(path)
        except CannotRead as error:
            if ": 404" in str(error):
                what = f"{_role(item)}: {about} is gone"
                return [Finding("object-differs", item.cluster, what, name=about)]
            unread[item.cluster] = str(error)
            return []
        found = list(_differences(item.inputs, live, ""))
        return [
            Finding("object-differs", item.cluster, f"{_role(item)}: {about}: {difference}", name=about)
            for difference in found[:3]
        ]

    results = await asyncio.gather(*(one(item) for item in recorded))
    return [finding for found in results for finding in found], unread


def _role(item: Recorded) -> str:
    rest = item.name.partition(f"-{item.cluster}-")[2]
    role = rest.partition(":")[0]
    return next((said for known, said in _ROLES.items() if role == known or role.startswith(f"{known}-")), role)


def _path(inputs: Mapping[str, Any]) -> str | None:
    """Return where an object stands; None for what is no object of the cluster: charts, releases, patches."""
    version, kind, metadata = inputs.get("apiVersion"), inputs.get("kind"), inputs.get("metadata") or {}
    if not version or not kind or not metadata.get("name"):
        return None
    # Kubernetes' own rule for the names of resources, with the exception that it makes.
    lower = str(kind).lower()
    if lower.endswith("s") and lower != "endpoints":
        plural = f"{lower}es"
    elif lower.endswith("y") and lower[-2] not in "aeiou":
        plural = f"{lower[:-1]}ies"
    else:
        plural = lower if lower == "endpoints" else f"{lower}s"
    base = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    namespace = metadata.get("namespace")
    return f"{base}/{f'namespaces/{namespace}/' if namespace else ''}{plural}/{metadata['name']}"


def _differences(recorded: Any, live: Any, at: str) -> Iterator[str]:
    """Yield where the live object does not have what was recorded; it may have more."""
    if isinstance(recorded, Mapping):
        for key, value in recorded.items():
            if str(key).startswith(("__", "pulumi.com/")) or key in _NOT_OURS | _WRITTEN_BY_ISTIOD:
                continue
            if key in ("data", "stringData", "binaryData") and not at:
                yield from _keys(value, live)
                continue
            inside = live.get(key) if isinstance(live, Mapping) else None
            yield from _differences(value, inside, f"{at}.{key}" if at else str(key))
    elif isinstance(recorded, list):
        others = live if isinstance(live, list) else []
        if len(others) < len(recorded):
            yield f"{at} has {len(others)} entries, recorded {len(recorded)}"
            return
        by_name = {item["name"]: item for item in others if isinstance(item, Mapping) and "name" in item}
        for place, value in enumerate(recorded):
            name = value.get("name") if isinstance(value, Mapping) else None
            other = by_name.get(name) if name in by_name else others[place]
            yield from _differences(value, other, f"{at}[{name or place}]")
    elif recorded not in (None, "", 0, False) and not _alike(recorded, live):
        yield f"{at} is {live if live is not None else 'not there'}, recorded {recorded}"


def _keys(recorded: Any, live: Object) -> Iterator[str]:
    """Compare the keys of a Secret's or ConfigMap's data, never the values."""
    there = {**(live.get("data") or {}), **(live.get("binaryData") or {})}
    for key in recorded or {}:
        if key not in there:
            yield f"{key} is not in its data"


def _alike(recorded: Any, live: Any) -> bool:
    if isinstance(recorded, float) and recorded.is_integer():
        recorded = int(recorded)
    return str(recorded) == str(live) or _quantity(recorded) == _quantity(live) is not None


def _quantity(value: Any) -> float | None:
    """Return a Kubernetes quantity as a number: 0.5 and 500m are the same."""
    units = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    text = str(value)
    unit = next((unit for unit in sorted(units, key=len, reverse=True) if text.endswith(unit)), "")
    try:
        return float(text.removesuffix(unit)) * units.get(unit, 1)
    except ValueError:
        return None
