"""Bodies of the objects by which a mesh proves itself, as plain dicts; values may be Pulumi Outputs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..istio import manifests, names, values
from ..istio.versions import IMAGE_HUB
from ..topology.models import Topology, Verify
from ..topology.names import DEFAULT_REVISION

SCRIPT = (Path(__file__).parent / "gate.sh").read_text(encoding="utf-8")

PROVES_ANNOTATION = "istio-mesh/proves"
"""On a gate's pods: a hash of what the gate proves and its environment does not say. Another one makes it run again."""

_PROBE_PORT = 8080
_USER = 65534
"""Nobody: not the proxy's own user, whose calls would pass the proxy by, and never root."""

_GRACE_SECONDS = 120
"""What a gate's pod may take to be scheduled, to pull its image and to start."""


def namespace(topology: Topology, mesh_cluster: str, cluster: str) -> dict[str, Any]:
    """Return the metadata of the namespace, with the tightest pod security under which a proxy can be injected.

    With istio-cni nothing in it needs a right; without, istio-init redirects each pod's traffic with NET_ADMIN and
    NET_RAW, which the levels below privileged refuse. Source: kubernetes.io, concepts/security/pod-security-standards.
    """
    injected = topology.has_probe(cluster) and not values.with_cni(topology, cluster)
    level = "privileged" if injected else "restricted"
    return {
        "name": names.VERIFY_NAMESPACE,
        "labels": {**topology.verify.labels, "pod-security.kubernetes.io/enforce": level},
        "annotations": {names.FIELD_MANAGER_ANNOTATION: manifests.field_manager(mesh_cluster)},
    }


def account(cluster: str) -> dict[str, Any]:
    """Return the probe's account: an identity in the mesh, and no rights in the cluster."""
    return {"metadata": _metadata(names.PROBE, cluster), "automount_service_account_token": False}


def probe_service(mesh_cluster: str, cluster: str) -> dict[str, Any]:
    """Return the Service that only this cluster has."""
    return {
        "metadata": _metadata(names.probe_service(cluster), mesh_cluster, annotations={"pulumi.com/skipAwait": "true"}),
        "spec": {
            "selector": {"app": names.PROBE},
            "ports": [{"name": "http", "port": 80, "targetPort": _PROBE_PORT}],
        },
    }


def replicas_service(mesh_cluster: str) -> dict[str, Any]:
    """Return the headless Service by which a gate finds every istiod, those that aren't ready too."""
    hidden = {"networking.istio.io/exportTo": "~", "pulumi.com/skipAwait": "true"}
    return {
        "metadata": manifests.metadata(names.ISTIOD_REPLICAS, mesh_cluster, annotations=hidden),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": names.ISTIOD_SELECTOR,
            "ports": [{"name": "http-monitoring", "port": names.METRICS_PORT, "targetPort": names.METRICS_PORT}],
        },
    }


def probe(topology: Topology, mesh_cluster: str, cluster: str) -> dict[str, Any]:
    """Return the Deployment of a server that says which cluster it is in, and which certificates its caller saw."""
    container = {
        "name": names.PROBE,
        "image": _image(topology, cluster),
        "command": ["/usr/local/bin/envoy"],
        "args": [
            *("--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"),
            *("--config-yaml", json.dumps(_server(cluster, _any_address(topology, cluster)))),
        ],
        "ports": [{"name": "http", "containerPort": _PROBE_PORT}],
        # By kubelet, which the proxy lets in by another way: the level STRICT does not stop it.
        "readinessProbe": {"tcpSocket": {"port": _PROBE_PORT}, "periodSeconds": 1},
        **_container(topology.verify),
    }
    verify = topology.verify
    # Pods that run keep the identity they started with.
    annotations = {**_AROUND_THE_PROXY, "istio-mesh/trust-domain": topology.identity_domain}
    return {
        "metadata": _workload(names.PROBE, mesh_cluster, verify),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": names.PROBE}},
            "template": {
                # The gate's script runs here too: istio-mesh verify.
                "metadata": _of_pods(
                    verify, {"app": names.PROBE, **_injected(topology.revision_of(cluster))}, annotations
                ),
                "spec": {**_pod(topology), "containers": [container]},
            },
        },
    }


def gate(
    topology: Topology,
    mesh_cluster: str,
    name: str,
    environment: Mapping[str, Any],
    *,
    injected_by: str | None,
    proves: Any,
) -> dict[str, Any]:
    """Return the Job that runs the script once; `proves` is a hash, plain or late, for `PROVES_ANNOTATION`.

    `injected_by` is the revision that its pod gets its proxy of; None for one without a proxy.
    """
    verify = topology.verify
    at_most = verify.timeout_seconds + _GRACE_SECONDS
    container = {
        "name": "gate",
        "image": _image(topology, str(environment["CLUSTER"])),
        "command": ["sh", "-c", SCRIPT],
        "env": [
            {"name": key, **({"valueFrom": value} if isinstance(value, Mapping) else {"value": value})}
            for key, value in environment.items()
        ],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **_container(verify),
    }
    annotations = {PROVES_ANNOTATION: proves, **_AROUND_THE_PROXY}
    waiting = {
        "pulumi.com/timeoutSeconds": str(at_most + 30),
        # A gate that failed is run again by the next `up`; without this each later run would stop at it.
        "pulumi.com/replaceUnready": "true",
    }
    return {
        "metadata": _workload(name, mesh_cluster, verify, waiting),
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": at_most,
            "template": {
                "metadata": _of_pods(
                    verify, {"app": "gate", **(_injected(injected_by) if injected_by else _NOT_INJECTED)}, annotations
                ),
                "spec": {
                    **_pod(topology),
                    "restartPolicy": "Never",
                    "containers": [container],
                },
            },
        },
    }


def proved(mesh_cluster: str, clusters: Iterable[str]) -> dict[str, Any]:
    """Return the ConfigMap that says which clusters could be called from here when the mesh was last proved."""
    return {"metadata": _metadata(names.PROVED, mesh_cluster), "data": {_CLUSTERS: " ".join(sorted(clusters))}}


_CLUSTERS = "clusters"
PROVED_BEFORE = {"configMapKeyRef": {"name": names.PROVED, "key": _CLUSTERS, "optional": True}}
"""Where a wave's gate finds them; there is none before the mesh has been proved for the first time."""

_AROUND_THE_PROXY = {
    "traffic.sidecar.istio.io/excludeOutboundPorts": f"{_PROBE_PORT},{names.MTLS_PORT},{names.METRICS_PORT}",
}
"""Plaintext to pods and gateways, which must fail, and istiod's metrics."""

_INJECT = "sidecar.istio.io/inject"
_NOT_INJECTED = {_INJECT: "false"}


def _injected(revision: str) -> dict[str, str]:
    """Return the labels by which a pod gets a proxy; made anew where it is of another revision."""
    pinned = {} if revision == DEFAULT_REVISION else {names.REVISION_LABEL: revision}
    return {_INJECT: "true", **pinned}


def _metadata(name: str, cluster: str, *, annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {**manifests.metadata(name, cluster, annotations=annotations), "namespace": names.VERIFY_NAMESPACE}


def _workload(name: str, cluster: str, verify: Verify, annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    found = _metadata(name, cluster, annotations={**verify.annotations, **(annotations or {})})
    return {**found, "labels": dict(verify.labels)} if verify.labels else found


def _of_pods(verify: Verify, labels: Mapping[str, str], annotations: Mapping[str, Any]) -> dict[str, Any]:
    return {"labels": {**verify.labels, **labels}, "annotations": {**verify.annotations, **annotations}}


def _image(topology: Topology, cluster: str) -> str:
    return topology.verify.image or f"{topology.image_hub or IMAGE_HUB}/proxyv2:{topology.version_of(cluster)}"


def _pod(topology: Topology) -> dict[str, Any]:
    verify = topology.verify
    found: dict[str, Any] = {
        "serviceAccountName": names.PROBE,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [{"name": "work", "emptyDir": {"sizeLimit": "16Mi"}}],
    }
    if topology.image_pull_secrets:
        found["imagePullSecrets"] = [{"name": name} for name in topology.image_pull_secrets]
    if verify.priority_class:
        found["priorityClassName"] = verify.priority_class
    if verify.node_selector:
        found["nodeSelector"] = dict(verify.node_selector)
    if verify.tolerations:
        found["tolerations"] = [dict(toleration) for toleration in verify.tolerations]
    return found


def _container(verify: Verify) -> dict[str, Any]:
    limits = {"limits": dict(verify.limits)} if verify.limits else {}
    return {
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": dict(verify.requests), **limits},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "work", "mountPath": "/tmp"}],
    }


def _any_address(topology: Topology, cluster: str) -> str:
    """Return what to listen at: IPv6 only where pods have nothing else, because nodes may have it switched off."""
    ranges = topology.clusters[cluster].pod_cidr
    return "::" if ranges and all(pods.version == 6 for pods in ranges) else "0.0.0.0"


def _server(cluster: str, address: str) -> dict[str, Any]:
    """Return Envoy's configuration: every request is answered, and nothing is called, read or kept."""
    headers = {"x-mesh-cluster": cluster, "x-mesh-certificate": "%REQ(x-forwarded-client-cert)%"}
    answer = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200},
        "response_headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in headers.items()
        ],
    }
    type_url = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{type_url}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "probe",
        # Left as the proxy of this pod wrote it: who called, and as whom it answered.
        "forward_client_cert_details": "ALWAYS_FORWARD_ONLY",
        "route_config": {"virtual_hosts": [{"name": "probe", "domains": ["*"], "routes": [answer]}]},
        "http_filters": [
            {"name": "router", "typed_config": {"@type": f"{type_url}.http.router.v3.Router"}},
        ],
    }
    filters = [{"name": "http", "typed_config": manager}]
    socket = {"socket_address": {"address": address, "port_value": _PROBE_PORT}}
    listener = {"name": "probe", "address": socket, "filter_chains": [{"filters": filters}]}
    return {"static_resources": {"listeners": [listener]}}
