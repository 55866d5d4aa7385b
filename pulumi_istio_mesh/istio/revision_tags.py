"""Revision tags: the webhooks by which pods that name a tag, or nothing, get the proxies of the revision behind it.

They are the mesh's own and not the charts': so a tag moves from one revision to another in one write of one object, and
no pod meets two webhooks that want it, or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..topology.models import Topology
from ..topology.names import DEFAULT_REVISION
from . import manifests, names
from .values import chart_values, injection_path

_INJECT = "sidecar.istio.io/inject"
_INJECTION = "istio-injection"
_NOT_FOR_EVERYBODY = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"]
"""Namespaces that stay without proxies where all others get them unasked."""


def metadata(cluster: str, tag: str, revision: str, annotations: Mapping[str, str]) -> dict[str, Any]:
    """Return the metadata by which istiod and istioctl know the webhook for that of a tag, in `<mesh>-<cluster>`.

    istiod keeps the authority in those of its own revision, and leads where the tag `default` is its own.
    Source: istio/istio pkg/webhooks/webhookpatch.go, pkg/revisions/default_watcher.go.
    """
    labels = {names.TAG_LABEL: tag, names.REVISION_LABEL: revision, "app": "sidecar-injector"}
    annotations = {**annotations, names.FIELD_MANAGER_ANNOTATION: manifests.field_manager(cluster)}
    return {"name": names.tag_webhook(tag), "labels": labels, "annotations": annotations}


def webhooks(topology: Topology, cluster: str, tag: str) -> list[dict[str, Any]]:
    """Return the webhooks of a tag in a cluster.

    Source: istiod chart, templates/revision-tags-mwc.yaml.
    """
    revision = topology.tags_of(cluster)[tag]
    own = chart_values(topology, cluster, "istiod", revision=revision).get("sidecarInjectorWebhook") or {}
    service = {
        "name": names.of_revision(names.ISTIOD, revision),
        "namespace": names.NAMESPACE,
        "path": injection_path(topology, cluster),
        "port": 443,
    }
    return [
        {
            "name": f"{name}.sidecar-injector.istio.io",
            "clientConfig": {"service": service},
            "sideEffects": "None",
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            "failurePolicy": "Fail",
            "reinvocationPolicy": own.get("reinvocationPolicy") or "Never",
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": {"matchExpressions": namespaces},
            "objectSelector": {"matchExpressions": pods},
        }
        for name, namespaces, pods in _selectors(tag, own)
    ]


def _selectors(tag: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, list[Any], list[Any]]]:
    """Yield the name of each webhook, and which namespaces and pods it is for."""
    named, unnamed = _in(names.REVISION_LABEL, tag), _missing(names.REVISION_LABEL)
    wanted = _in(_INJECT, "false", operator="NotIn")
    yield "rev.namespace", [named, _missing(_INJECTION)], [wanted]
    yield "rev.object", [unnamed, _missing(_INJECTION)], [wanted, named]
    if tag != DEFAULT_REVISION:
        return
    yield "namespace", [_in(_INJECTION, "enabled")], [wanted]
    yield "object", [_missing(_INJECTION), unnamed], [_in(_INJECT, "true"), unnamed]
    if settings.get("enableNamespacesByDefault"):
        elsewhere = _in("kubernetes.io/metadata.name", *_NOT_FOR_EVERYBODY, operator="NotIn")
        yield "auto", [_missing(_INJECTION), unnamed, elsewhere], [_missing(_INJECT), unnamed]


def _in(key: str, *values: str, operator: str = "In") -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def _missing(key: str) -> dict[str, Any]:
    return {"key": key, "operator": "DoesNotExist"}
