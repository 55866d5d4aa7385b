"""Whether what a state holds is what a program registers, so that the next `up` keeps it.

Told as the engine and the providers see it: by URN, declared aliases included, and by the inputs for which the
kubernetes provider replaces an object. Of a chart's objects only what a program names them by is seen: the provider
registers them, and a state holds no inputs of a chart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..components.recorder import STACK, Recording, Registered, revealed, short

Place = tuple[str, str]
"""A URN without stack and project: the types of a resource and its parents, and its name."""

CHART = "kubernetes:helm.sh/v4:Chart"


_SELECTOR = ("spec.selector",)
REPLACING: Mapping[str, tuple[str, ...]] = {
    "kubernetes:apps/v1:Deployment": _SELECTOR,
    "kubernetes:core/v1:Secret": ("type",),
    "kubernetes:core/v1:Service": ("spec.clusterIP",),
    "kubernetes:discovery.k8s.io/v1:EndpointSlice": ("addressType",),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": ("roleRef",),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": ("roleRef",),
    "kubernetes:helm.sh/v3:Release": ("name", "namespace"),
    "pulumi:providers:kubernetes": ("clusterIdentifier",),
    "tls:index/privateKey:PrivateKey": ("algorithm", "ecdsaCurve", "rsaBits"),
}
"""Inputs for which an object is replaced, by type, besides those of every object of Kubernetes.

Not the template of a Job: gates are run again, by design, when what they prove changes.
Source: pulumi-kubernetes provider/pkg/provider/diff.go, forceNewProperties; immutable in Kubernetes: addressType.
"""

_OBJECT = ("apiVersion", "kind", "metadata.name", "metadata.namespace")


def interruptions(state: Mapping[str, Any], recording: Recording) -> Iterator[str]:
    """Yield a sentence for each resource of the state that the program would delete, move or replace."""
    registered = {place: row for row in recording for place in places(recording, row)}
    for resource in state["deployment"]["resources"]:
        place = place_of(resource["urn"])
        if resource["type"] == STACK or made_by_engine(resource):
            continue
        if place not in registered:
            yield f"{short(resource['urn'])}: it is registered no more, so it would be deleted"
            continue
        row = registered[place]
        parent = short(resource["parent"])
        # Of another type it would be another place, of which only an alias tells.
        if parent.split()[0] == row.parent.split()[0] != STACK.split(":")[-1] and parent != row.parent:
            yield f"{row.short}: it has moved from {parent} to {row.parent}"
        for path in (*(_OBJECT if row.of_kubernetes else ()), *REPLACING.get(row.type, ())):
            before, now = _at(resource.get("inputs"), path), _at(revealed(row.inputs), path)
            if before != now:
                yield f"{row.short}: {path} was {before!r} and is {now!r}, so it would be replaced"
        if row.type == CHART:
            yield from _renamed_objects(state, resource, row)


def _renamed_objects(state: Mapping[str, Any], chart: Mapping[str, Any], row: Registered) -> Iterator[str]:
    objects = [one["inputs"] for one in state["deployment"]["resources"] if one.get("parent") == chart["urn"]]
    release = {_at(one, "metadata.labels", "app.kubernetes.io/instance") for one in objects}
    if release != {row.inputs["name"]}:
        yield f"{row.short}: its release was {sorted(map(str, release))} and is {row.inputs['name']!r}"
    placed = {namespace for one in objects if (namespace := _at(one, "metadata.namespace")) is not None}
    if not placed <= {row.inputs["namespace"]}:
        yield f"{row.short}: its objects were in {sorted(placed)} and are in {row.inputs['namespace']!r}"
    called = {_at(one, "metadata.name") for one in objects if one["kind"] == "Deployment"}
    name = row.inputs["values"].get("name", row.inputs["name"])
    if not called <= {name}:
        yield f"{row.short}: its Deployment was {sorted(called)} and is {name!r}"


def place_of(urn: str) -> Place:
    """Return the place that a URN of the engine names."""
    _, _, types, name = urn.split("::", 3)
    return types, name


def made_by_engine(resource: Mapping[str, Any]) -> bool:
    """Whether no program registers this itself: an object of a chart, or a default provider."""
    types, name = place_of(resource["urn"])
    return f"{CHART}$" in types or (types.startswith("pulumi:providers:") and name.startswith("default"))


def places(recording: Recording, row: Registered) -> set[Place]:
    """Return where the engine looks for a resource in a state: at its own place, and at those of all aliases.

    Source: pulumi pkg/resource/deploy/step_generator.go, generateAliases.
    """
    parent = recording.rows.get(row.parent)
    above: set[Place] = places(recording, parent) if parent else {("", "")}
    found: set[Place] = set()
    for alias in ({}, *row.aliases):
        if "urn" in alias:
            found.add(place_of(alias["urn"]))
            continue
        spec = alias.get("spec", {})
        # Empty is not given.
        type_, name = spec.get("type") or row.type, spec.get("name") or row.name
        around = above
        if spec.get("parentUrn") or spec.get("noParent"):
            around = {place_of(spec["parentUrn"])} if spec.get("parentUrn") else {("", "")}
        for types, parent_name in around:
            # A name that begins with its parent's follows it.
            followed = name
            if parent and parent_name and name.startswith(parent.name):
                followed = f"{parent_name}{name[len(parent.name) :]}"
            found.add((f"{types}${type_}" if types else type_, followed))
    return found


def _at(tree: Any, path: str, *keys: str) -> Any:
    for key in (*path.split("."), *keys):
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree
