"""What is looked at in clusters before anything in them changes."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator

from ..istio import names
from ..istio.certificate_facts import read_certificates
from ..istio.certificates import generation_of
from ..istio.values import workload_certificate_validity
from ..plan.words import counted, listed
from ..topology.names import DEFAULT_REVISION
from . import existing
from .control_planes import clocks, kubernetes_versions
from .findings import Finding
from .seen import SAIL, Object, Seen, View, labels_of, made_here, named, run_by_sail, tag_of, waits_for_address

_PENDING_SECONDS = 300
"""Load balancers that have waited so long will go on waiting."""


def taken(view: View, members: dict[str, str]) -> Iterator[Finding]:
    """A cluster that is a member of a mesh is one of this mesh, under this name."""
    for planned, seen in view.clusters():
        member = _member(seen)
        if planned.joins and member == members[planned.name]:
            what = "its control plane is made by this program, and would be deleted as one that was there before"
            yield Finding("cluster-taken", planned.name, what)
        for other in {member, _joined_by(seen)} - {"", members[planned.name]}:
            what = f"it is {other} already, and would become {members[planned.name]}"
            yield Finding("cluster-taken", planned.name, what)


def foreign_istiods(view: View, members: dict[str, str]) -> Iterator[Finding]:
    """Nobody else's istiod runs in a cluster, and nobody else made its certificate authority.

    But for those that the mesh joins with, or has adopted.
    """
    for planned, seen in view.clusters():
        if planned.joins or existing.was_adopted(seen, members[planned.name]):
            continue
        ours = _member(seen) == members[planned.name]
        for deployment in seen.istiod_deployments:
            namespace, name = named(deployment)
            if ours and namespace == names.NAMESPACE and (name == names.ISTIOD or _ours(deployment)):
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


def revisions_in_use(view: View) -> Iterator[Finding]:
    """No revision of istiod goes while pods have their proxies of it, or a namespace asks for it."""
    kept = set(view.topology.revision_names)
    for planned, seen in view.clusters():
        going = revisions_of(seen) - kept
        for revision in sorted(going):
            using = [
                f"{counted(len(pods), 'pod')} of namespace {namespace}"
                for namespace, pods in _by_namespace(seen.injected, revision).items()
            ]
            asking = [f"namespace {name}" for name in _asking(seen, revision)]
            if using:
                what = f"revision {revision} goes, and {listed(using)} {_verb(using)} proxies of it"
                yield Finding("revision-in-use", planned.name, what, name=revision)
            if asking:
                what = f"revision {revision} goes, and {listed(asking)} {'asks' if len(asking) == 1 else 'ask'} for it"
                yield Finding("revision-in-use", planned.name, what, name=revision)


def revisions_run_before_they_serve(view: View) -> Iterator[Finding]:
    """No revision serves what names none before it runs beside the one that does."""
    for planned, seen in view.clusters():
        running, serving = revisions_of(seen), view.topology.revision_of(planned.name)
        if running and serving not in running:
            what = (
                f"revision {serving} is to serve what names none, and {planned.name} has {listed(sorted(running))} only"
            )
            yield Finding("revision-step", planned.name, what, name=serving)


def revisions_asked_for(view: View) -> Iterator[Finding]:
    """Every namespace that asks for a revision asks for one that is there: else its new pods get no proxy."""
    for planned, seen in view.clusters():
        if planned.joins:
            continue
        known = {*view.topology.revision_names, *view.topology.tags_of(planned.name), *revisions_of(seen)}
        for namespace in seen.namespaces:
            asked = labels_of(namespace).get(names.REVISION_LABEL)
            if asked and asked not in known:
                name = namespace["metadata"]["name"]
                what = f"namespace {name} asks for revision {asked}, which is none of {listed(sorted(known))}"
                yield Finding("revision-unknown", planned.name, what, name=name)


def revisions_of(seen: Seen) -> set[str]:
    """Return the revisions of istiod that this package made in a cluster, by the Services that stand for them."""
    found = set()
    for service in seen.services:
        namespace, name = named(service)
        revision = DEFAULT_REVISION if name == names.ISTIOD else name.removeprefix(f"{names.ISTIOD}-")
        is_istiod = name == names.of_revision(names.ISTIOD, revision) and revision not in names.NO_REVISIONS
        if namespace == names.NAMESPACE and is_istiod and _ours(service):
            found.add(revision)
    return found


def _ours(item: Object) -> bool:
    """Return whether an object of a member is the mesh's: made here, or by the release that it is called like."""
    release = (item["metadata"].get("annotations") or {}).get(names.HELM_RELEASE)
    return made_here(item) or release == item["metadata"]["name"]


def _by_namespace(pods: list[Object], revision: str) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for pod in sorted(pods, key=named):
        if (pod["metadata"].get("annotations") or {}).get(names.REVISION_LABEL) == revision:
            found.setdefault(named(pod)[0], []).append(pod)
    return found


def _asking(seen: Seen, revision: str) -> list[str]:
    return sorted(
        namespace["metadata"]["name"]
        for namespace in seen.namespaces
        if labels_of(namespace).get(names.REVISION_LABEL) == revision != DEFAULT_REVISION
    )


def _verb(using: list[str]) -> str:
    return "has" if len(using) == 1 and using[0].startswith("1 ") else "have"


def installs(view: View, members: dict[str, str]) -> Iterator[Finding]:
    """What is installed of the mesh is installed as it is declared: as Helm releases, or object by object."""
    for planned, seen in view.clusters():
        istiods = [d["metadata"] for d in seen.istiod_deployments if named(d)[0] == names.NAMESPACE]
        notes = [labels for labels in map(labels_of, seen.secrets) if labels.get("owner") == "helm"]
        if _member(seen) != members[planned.name]:
            continue
        # A remote has no Deployment, but Helm's own note of a release.
        released = any(_of_release(metadata) for metadata in istiods) or (
            not istiods and any(names.is_istiod(labels.get("name", "")) for labels in notes)
        )
        if view.topology.install == "chart" and released:
            yield Finding("install-differs", planned.name, "install is chart, and istiod is a Helm release there")
        if view.topology.install == "release" and istiods and not released:
            yield Finding("install-differs", planned.name, "install is release, and istiod is no Helm release there")


def _of_release(metadata: Object) -> bool:
    """Return whether Helm has an object for a release; one that was adopted of a release is written by the mesh now."""
    annotations = metadata.get("annotations") or {}
    return names.HELM_RELEASE in annotations and names.FIELD_MANAGER_ANNOTATION not in annotations


def authorities(view: View) -> Iterator[Finding]:
    """Where somebody else makes the certificate authority, it is there before istiod."""
    for planned, seen in view.clusters():
        made_elsewhere = view.topology.trust.kind == "external" and not planned.remote and not planned.joins
        there = any(secret["metadata"]["name"] == names.CACERTS for secret in seen.secrets)
        if made_elsewhere and not there and "secrets" not in seen.unread:
            what = "trust.kind is external, and Secret cacerts is not in istio-system yet"
            yield Finding("istiod-authority", planned.name, what)


def root_generations(view: View) -> Iterator[Finding]:
    """A rotation of the root skips no step while a cluster still runs on the one before.

    Where that one has expired there is no order to keep: nobody takes what it vouches for any more.
    """
    topology = view.topology
    if topology.trust.kind != "generated":
        return
    signs, kept = topology.signing_root.name, {root.name for root in topology.trust.roots}
    for planned, seen in view.clusters():
        cacerts: Object = next((s["metadata"] for s in seen.secrets if s["metadata"]["name"] == names.CACERTS), {})
        annotations = cacerts.get("annotations") or {}
        if planned.remote or planned.joins or names.SIGNER_ANNOTATION not in annotations:
            continue
        signed, trusted = annotations[names.SIGNER_ANNOTATION], set(annotations[names.ROOTS_ANNOTATION].split(","))
        expired = {
            generation_of(root, topology.mesh_id)
            for root in read_certificates(seen.roots)
            if root.not_valid_after_utc <= view.now
        }
        if signed in expired:
            continue
        dropped = sorted(trusted - kept - expired)
        still = workload_certificate_validity(topology, planned.name) - (view.now - _written(cacerts))
        if signs not in trusted:
            what = f"root {signs} is to sign, and {planned.name} trusts {' and '.join(sorted(trusted))} only"
            yield Finding("root-step", planned.name, what, name=names.CACERTS)
        elif signed not in kept:
            what = f"root {signed} is dropped, and signs in {planned.name}"
            yield Finding("root-step", planned.name, what, name=names.CACERTS)
        elif dropped and still > dt.timedelta():
            what = (
                f"root {' and '.join(dropped)} is dropped, and for {_told(still)} workloads of {planned.name} "
                "may still hold certificates of it"
            )
            yield Finding("root-step", planned.name, what, name=names.CACERTS)


def _written(metadata: Object) -> dt.datetime:
    """Return when an object's data was last written; when it was made, where nobody noted that."""
    fields = metadata.get("managedFields") or []
    times = [entry["time"] for entry in fields if "f:data" in (entry.get("fieldsV1") or {}) and entry.get("time")]
    return _time(max(times, default=metadata["creationTimestamp"]))


def _told(left: dt.timedelta) -> str:
    minutes = max(1, round(left.total_seconds() / 60))
    return f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"


def crds(view: View) -> Iterator[Finding]:
    """Istio's CRDs are this mesh's release's, or the mesh leaves them to their installer."""
    for planned, seen in view.clusters():
        if planned.joins or view.topology.clusters[planned.name].crds == "external":
            continue
        owners: dict[str, int] = {}
        for crd in seen.crds:
            metadata = crd["metadata"]
            if not metadata["name"].endswith(".istio.io"):
                continue
            annotations = metadata.get("annotations") or {}
            release, home = annotations.get(names.HELM_RELEASE), annotations.get(names.HELM_NAMESPACE)
            if (release, home) != (names.BASE_RELEASE, names.NAMESPACE):
                owner = f"Helm release {home}/{release}" if release else "no Helm release"
                owners[owner] = owners.get(owner, 0) + 1
        for owner, count in sorted(owners.items()):
            yield Finding("crds-foreign", planned.name, f"{count} of Istio's CRDs belong to {owner}")


def releases(view: View) -> Iterator[Finding]:
    """No Helm release of the mesh is stuck half-way."""
    for planned, seen in view.clusters():
        for secret in seen.secrets if not planned.joins else []:
            labels = labels_of(secret)
            status = labels.get("status", "")
            if labels.get("owner") == "helm" and names.is_release(labels.get("name", "")) and "pending" in status:
                name = secret["metadata"]["name"]
                what = f"Helm release {labels['name']} is {status}"
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
        if (
            not planned.gateway
            or planned.gateway_there
            or declared.type != "LoadBalancer"
            or declared.address is not None
        ):
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
        if level == "restricted" and planned.gateway and not planned.gateway_there:
            what = f"namespace {names.NAMESPACE} enforces pod security {level}"
            yield Finding("pod-security", planned.name, what, name=names.NAMESPACE)


def _istio_system(seen: Seen) -> Object:
    return next((n["metadata"] for n in seen.namespaces if n["metadata"]["name"] == names.NAMESPACE), {})


def _member(seen: Seen) -> str:
    """Return whose member a cluster is, by its istio-system."""
    return str((_istio_system(seen).get("annotations") or {}).get(names.MEMBER_ANNOTATION, ""))


def _joined_by(seen: Seen) -> str:
    """Return whose member a cluster is, by what a mesh leaves where it joins a control plane that was there before."""
    return str(((seen.membership or {}).get("data") or {}).get("member", ""))


def _installer(deployment: Object) -> str:
    labels = labels_of(deployment)
    if run_by_sail(deployment):
        return SAIL
    if "install.operator.istio.io/owning-resource" in labels:
        return "istioctl or its operator"
    annotations = deployment["metadata"].get("annotations") or {}
    if names.HELM_RELEASE in annotations:
        return f"Helm release {annotations.get(names.HELM_NAMESPACE, '')}/{annotations[names.HELM_RELEASE]}"
    return "somebody else"


def _version(deployment: Object) -> str:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return tag_of(containers[0]["image"])


def _made(item: Object) -> dt.datetime:
    return _time(item["metadata"]["creationTimestamp"])


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


JUDGES = (
    kubernetes_versions,
    clocks,
    authorities,
    root_generations,
    revisions_run_before_they_serve,
    revisions_in_use,
    revisions_asked_for,
    crds,
    releases,
    pod_ranges,
    load_balancers,
    pod_security,
    *existing.JUDGES,
)


def found_before(view: View, members: dict[str, str]) -> list[Finding]:
    """Return what stands against a change; `members` says, by cluster, whose member each is to be."""
    of_members = [
        *taken(view, members),
        *foreign_istiods(view, members),
        *installs(view, members),
        *existing.adopted_before(view, members),
    ]
    return [*of_members, *(finding for judge in JUDGES for finding in judge(view))]
