"""Whether a control plane that was there before the mesh can be joined as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..istio import names
from ..istio.adopted import writers
from ..istio.certificate_facts import read_certificates, short_fingerprint
from ..plan.mesh_plan import ClusterPlan
from .findings import Finding
from .seen import Object, Seen, View, containers_of, labels_of, made_here, named, tag_of

_BUILDS = re.compile(r"-(distroless|debug)$")
"""What tags of one version may end with. Source: istio.io, ops/configuration/security/harden-docker-images."""


def _joined(view: View) -> Iterator[tuple[ClusterPlan, Seen]]:
    return ((planned, seen) for planned, seen in view.clusters() if planned.joins)


def istiods_that_are_there(view: View) -> Iterator[Finding]:
    """Istiod runs in istio-system without a revision, is ready, and is of the version that is declared."""
    for planned, seen in _joined(view):
        deployment = _istiod(seen)
        where = f"{names.NAMESPACE}/{names.ISTIOD}"
        if deployment is None:
            others = ", ".join(sorted("/".join(named(found)) for found in seen.istiod_deployments))
            what = f"there is no Deployment {where}{f', but {others}' if others else ''}"
            yield Finding("existing-istiod", planned.name, what, name="istiod")
            continue
        if not (deployment.get("status") or {}).get("readyReplicas"):
            yield Finding("existing-istiod", planned.name, f"no replica of {where} is ready", name="istiod")
        version, found = view.topology.version_of(planned.name), _version(deployment)
        if found and found != version:
            what = f"{where} is of {found}, and {version} is declared"
            yield Finding("existing-istiod", planned.name, what, name="istio_version")


def facts_that_differ(view: View) -> Iterator[Finding]:
    """Istiod calls cluster, network, mesh and trust domain what the mesh calls them.

    Source: istiod chart, templates/deployment.yaml (CLUSTER_ID), templates/istiod-injector-configmap.yaml (`values`),
    templates/configmap.yaml (`mesh`); istio/istio pilot/pkg/serviceregistry/kube/controller/network.go (label).
    """
    for planned, seen in _joined(view):
        injected = seen.injector_values.get("global") or {}
        config = seen.mesh_config
        mesh_id = injected.get("meshID") or (config.get("defaultConfig") or {}).get("meshId")
        facts: list[tuple[str, str, object, str]] = []
        deployment = _istiod(seen)
        if deployment is not None:
            facts.append(("CLUSTER_ID of istiod", "the cluster's name", _cluster_id(deployment), planned.name))
        if "injector_values" not in seen.unread:
            network = injected.get("network")
            facts.append(("global.network of the injector", "its network", network, planned.network))
            facts.append(("global.meshID of the injector", "mesh_id", mesh_id, view.topology.mesh_id))
        if "mesh_config" not in seen.unread:
            domain = config.get("trustDomain") or "cluster.local"
            facts.append(("trustDomain of the mesh config", "trust_domain", domain, view.topology.identity_domain))
        label = _label(seen)
        if label or len(view.topology.networks) > 1:
            what = f"label {names.NETWORK_LABEL} of {names.NAMESPACE}"
            facts.append((what, "its network", label, planned.network))
        for what, fact, there, declared in facts:
            if there != declared:
                told = f"{what} is {there or 'not set'}, and {fact} is {declared}"
                yield Finding("existing-differs", planned.name, told, name=what)
        for reading in ("mesh_config", "injector_values", "roots", "reader_account"):
            if reading in seen.unread:
                told = f"what it says can't be read: {seen.unread[reading]}"
                yield Finding("existing-differs", planned.name, told, name=reading)


def roots_of_one_mesh(view: View) -> Iterator[Finding]:
    """The roots that proxies trust have one in common with those of the mesh, or of the other clusters.

    More than one is what a rotation looks like. Source: istio/istio security/pkg/k8s/controller (istio-ca-root-cert).
    """
    others: dict[str, set[str]] = {"the mesh": _fingerprints(view.roots)} if view.roots else {}
    for planned, seen in view.clusters():
        if not planned.remote and seen.roots:
            others[planned.name] = _fingerprints(seen.roots)
    for planned, seen in _joined(view):
        own = _fingerprints(seen.roots)
        strangers = [name for name, roots in others.items() if name != planned.name and own and not own & roots]
        if strangers:
            what = f"its proxies trust no root that {' or '.join(strangers)} trusts"
            yield Finding("existing-root", planned.name, what, name="istio-ca-root-cert")


def parts_that_are_used(view: View) -> Iterator[Finding]:
    """The reader account is there; the gateway is, where it is said to be, and is not where one is to be made."""
    for planned, seen in _joined(view):
        if not seen.reader_account and planned.discovered_by and "reader_account" not in seen.unread:
            what = f"there is no account {names.NAMESPACE}/{names.READER_ACCOUNT}: chart base makes it"
            yield Finding("existing-parts", planned.name, what, name=names.READER_ACCOUNT)
        where = f"{names.NAMESPACE}/{names.EAST_WEST_GATEWAY}"
        if planned.gateway_there:
            service = seen.service(names.NAMESPACE, names.EAST_WEST_GATEWAY)
            ports = {port["port"] for port in service["spec"].get("ports") or []} if service else set()
            label = labels_of(service).get(names.NETWORK_LABEL) if service else None
            if service is None:
                what = f"east_west_gateway.existing is true, and there is no Service {where}"
            elif names.MTLS_PORT not in ports:
                what = f"Service {where} has no port {names.MTLS_PORT}"
            elif label != planned.network:
                what = f"label {names.NETWORK_LABEL} of Service {where} is {label or 'not set'}, not {planned.network}"
            else:
                continue
            yield Finding("existing-parts", planned.name, what, name=where)
        elif planned.gateway:
            for service in seen.services:
                labelled = names.NETWORK_LABEL in labels_of(service)
                if (labelled or "/".join(named(service)) == where) and not made_here(service):
                    found = "/".join(named(service))
                    what = f"Service {found} of somebody else is there, and a gateway of the mesh's own is to be made"
                    yield Finding("existing-parts", planned.name, what, name=found)


def adopted_before(view: View, members: dict[str, str]) -> Iterator[Finding]:
    """What was adopted is managed only once nothing of its installer's is left in who wrote what."""
    for planned, seen in view.clusters():
        if planned.joins or not was_adopted(seen, members[planned.name]):
            continue
        left = [one for one in seen.istiod_deployments if named(one)[0] == names.NAMESPACE and writers(one["metadata"])]
        for deployment in left:
            installers = " and ".join(sorted(writers(deployment["metadata"])))
            what = f"fields of Deployment {'/'.join(named(deployment))} are still those of {installers}"
            yield Finding("adopted-fields", planned.name, what, name=_manager(seen))


def was_adopted(seen: Seen, member: str) -> bool:
    """Return whether the cluster's control plane was adopted by the mesh that the cluster is to be a member of."""
    data = (seen.membership or {}).get("data") or {}
    return bool(data.get("member") == member and data.get("control-plane") == "adopted")


def _manager(seen: Seen) -> str:
    annotations = ((seen.membership or {}).get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(names.FIELD_MANAGER_ANNOTATION, ""))


def _istiod(seen: Seen) -> Object | None:
    wanted = (names.NAMESPACE, names.ISTIOD)
    return next((found for found in seen.istiod_deployments if named(found) == wanted), None)


def _version(deployment: Object) -> str:
    """Return the version by the image's tag; empty where it is by digest alone."""
    image = next(iter(containers_of(deployment["spec"]["template"])))["image"]
    return _BUILDS.sub("", tag_of(image)) if ":" in image.partition("@")[0].rpartition("/")[2] else ""


def _cluster_id(deployment: Object) -> str | None:
    for container in containers_of(deployment["spec"]["template"]):
        for entry in container.get("env") or []:
            if entry["name"] == "CLUSTER_ID":
                return str(entry.get("value", ""))
    return None


def _label(seen: Seen) -> str | None:
    found = next((one for one in seen.namespaces if one["metadata"]["name"] == names.NAMESPACE), None)
    return labels_of(found).get(names.NETWORK_LABEL) if found else None


def _fingerprints(pem: str) -> set[str]:
    return {short_fingerprint(found) for found in read_certificates(pem)}


JUDGES = (istiods_that_are_there, facts_that_differ, roots_of_one_mesh, parts_that_are_used)
