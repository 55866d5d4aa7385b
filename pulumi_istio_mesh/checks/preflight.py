"""What is looked at in clusters before anything in them changes."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator

from ..istio import names
from .control_planes import clocks, kubernetes_versions
from .findings import Finding
from .seen import Object, Seen, View, labels_of, named, tag_of, waits_for_address

_PENDING_SECONDS = 300
"""Load balancers that have waited so long will go on waiting."""


def taken(view: View, members: dict[str, str]) -> Iterator[Finding]:
    """A cluster that is a member of a mesh is one of this mesh, under this name."""
    for planned, seen in view.clusters():
        member = _member(seen)
        if member and member != members[planned.name]:
            what = f"it is {member} already, and would become {members[planned.name]}"
            yield Finding("cluster-taken", planned.name, what)


def foreign_istiods(view: View, members: dict[str, str]) -> Iterator[Finding]:
    """Nobody else's istiod runs in a cluster, and nobody else made its certificate authority."""
    for planned, seen in view.clusters():
        ours = _member(seen) == members[planned.name]
        for deployment in seen.istiod_deployments:
            namespace, name = named(deployment)
            if ours and (namespace, name) == (names.NAMESPACE, names.ISTIOD):
                continue
            what = f"{_installer(deployment)} runs istiod {_version(deployment)} as {namespace}/{name}"
            yield Finding("istio-foreign", planned.name, what, name=f"{namespace}/{name}")
        if ours or planned.remote:
            continue
        for secret in seen.secrets:
            name = secret["metadata"]["name"]
            if name == names.CACERTS and view.topology.trust.kind != "external":
                yield Finding("istio-foreign", planned.name, "Secret cacerts of somebody else is there", name=name)
            if name == "istio-ca-secret":
                what = "Secret istio-ca-secret is there: an istiod had made a root of its own"
                yield Finding("istio-foreign", planned.name, what, name=name)


def authorities(view: View) -> Iterator[Finding]:
    """Where somebody else makes the certificate authority, it is there before istiod."""
    for planned, seen in view.clusters():
        made_elsewhere = view.topology.trust.kind == "external" and not planned.remote
        there = any(secret["metadata"]["name"] == names.CACERTS for secret in seen.secrets)
        if made_elsewhere and not there and "secrets" not in seen.unread:
            what = "trust.kind is external, and Secret cacerts is not in istio-system yet"
            yield Finding("istiod-authority", planned.name, what)


def crds(view: View) -> Iterator[Finding]:
    """Istio's CRDs are this mesh's release's, or the mesh leaves them to their installer."""
    for planned, seen in view.clusters():
        if view.topology.clusters[planned.name].crds == "external":
            continue
        owners: dict[str, int] = {}
        for crd in seen.crds:
            metadata = crd["metadata"]
            if not metadata["name"].endswith(".istio.io"):
                continue
            annotations = metadata.get("annotations") or {}
            release = annotations.get("meta.helm.sh/release-name")
            home = annotations.get("meta.helm.sh/release-namespace")
            if (release, home) != (names.BASE_RELEASE, names.NAMESPACE):
                owner = f"Helm release {home}/{release}" if release else "no Helm release"
                owners[owner] = owners.get(owner, 0) + 1
        for owner, count in sorted(owners.items()):
            yield Finding("crds-foreign", planned.name, f"{count} of Istio's CRDs belong to {owner}")


def releases(view: View) -> Iterator[Finding]:
    """No Helm release of the mesh is stuck half-way."""
    for planned, seen in view.clusters():
        for secret in seen.secrets:
            labels = labels_of(secret)
            status = labels.get("status", "")
            if labels.get("owner") == "helm" and labels.get("name") == names.BASE_RELEASE and "pending" in status:
                name = secret["metadata"]["name"]
                what = f"Helm release {names.BASE_RELEASE} is {status}"
                yield Finding("helm-pending", planned.name, what, name=name)


def pod_ranges(view: View) -> Iterator[Finding]:
    """Nodes give pods addresses of the declared ranges."""
    for planned, seen in view.clusters():
        declared = view.topology.clusters[planned.name].pod_cidr
        for node in seen.nodes if declared else []:
            for text in node["spec"].get("podCIDRs") or []:
                found = ipaddress.ip_network(text)
                same = [wide for wide in declared if wide.version == found.version]
                if same and not any(_within(found, wide) for wide in same):
                    told = ", ".join(map(str, declared))
                    what = f"node {node['metadata']['name']} gives pods {text}; declared is {told}"
                    yield Finding("pod-cidr-differs", planned.name, what)


def _within(inner: object, outer: object) -> bool:
    return inner.subnet_of(outer)  # type: ignore[attr-defined, no-any-return]


def load_balancers(view: View) -> Iterator[Finding]:
    """A cluster that needs a load balancer gives its others their addresses."""
    for planned, seen in view.clusters():
        declared = view.topology.clusters[planned.name].east_west_gateway
        if not planned.gateway or declared.type != "LoadBalancer" or declared.address is not None:
            continue
        for service in seen.services:
            age = view.now - _made(service)
            if waits_for_address(service) and age.total_seconds() > _PENDING_SECONDS:
                where = "/".join(named(service))
                what = f"{where} has waited for an address for {int(age.total_seconds() // 60)} minutes"
                yield Finding("load-balancer-pending", planned.name, what, name=where)


def pod_security(view: View) -> Iterator[Finding]:
    """Istio's namespace admits a gateway's pods, which say nothing about seccomp.

    Source: gateway chart, templates/deployment.yaml; kubernetes.io, pod-security-standards.
    """
    for planned, seen in view.clusters():
        labels = _istio_system(seen).get("labels") or {}
        level = labels.get("pod-security.kubernetes.io/enforce")
        if level == "restricted" and planned.gateway:
            what = f"namespace {names.NAMESPACE} enforces pod security {level}"
            yield Finding("pod-security", planned.name, what, name=names.NAMESPACE)


def _istio_system(seen: Seen) -> Object:
    return next((n["metadata"] for n in seen.namespaces if n["metadata"]["name"] == names.NAMESPACE), {})


def _member(seen: Seen) -> str:
    return str((_istio_system(seen).get("annotations") or {}).get(names.MEMBER_ANNOTATION, ""))


def _installer(deployment: Object) -> str:
    labels = labels_of(deployment)
    if "sail-operator" in (labels.get("managed-by"), labels.get("app.kubernetes.io/managed-by")):
        return "the Sail operator"
    if "install.operator.istio.io/owning-resource" in labels:
        return "istioctl or its operator"
    annotations = deployment["metadata"].get("annotations") or {}
    if "meta.helm.sh/release-name" in annotations:
        release = annotations["meta.helm.sh/release-name"]
        return f"Helm release {annotations.get('meta.helm.sh/release-namespace', '')}/{release}"
    return "somebody else"


def _version(deployment: Object) -> str:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return tag_of(containers[0]["image"])


def _made(item: Object) -> dt.datetime:
    return dt.datetime.fromisoformat(item["metadata"]["creationTimestamp"].replace("Z", "+00:00"))


JUDGES = (kubernetes_versions, clocks, authorities, crds, releases, pod_ranges, load_balancers, pod_security)


def found_before(view: View, members: dict[str, str]) -> list[Finding]:
    """Return what stands against a change; `members` says, by cluster, whose member each is to be."""
    of_members = [*taken(view, members), *foreign_istiods(view, members)]
    return [*of_members, *(finding for judge in JUDGES for finding in judge(view))]
