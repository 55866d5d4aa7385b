"""Bodies of the Kubernetes objects that the mesh makes itself, as plain dicts.

Values may be Pulumi Outputs: they pass through untouched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..topology.dialled import DialledService, EastWestGateway
from ..topology.models import Trust
from ..topology.names import DEFAULT_REVISION
from . import names


def field_manager(cluster: str) -> str:
    """Return the name under which every run writes the objects of a cluster, called `<mesh>-<cluster>`.

    A run that is killed between making an object and noting it makes it again in the next run. pulumi-kubernetes would
    then write under another, random manager, and server-side apply would refuse each later change as a conflict
    between the two.
    """
    return f"{names.PACKAGE}-{cluster}"


def metadata(
    name: str, cluster: str, *, labels: Mapping[str, str] | None = None, annotations: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the metadata of an object of Istio's namespace in the cluster called `<mesh>-<cluster>`."""
    found: dict[str, Any] = {"name": name, "namespace": names.NAMESPACE}
    if labels:
        found["labels"] = dict(labels)
    found["annotations"] = {**(annotations or {}), names.FIELD_MANAGER_ANNOTATION: field_manager(cluster)}
    return found


def pull_secret(name: str, cluster: str, namespace: str, docker_config: Any) -> dict[str, Any]:
    """Return the Secret by which a kubelet pulls images, from the text of a Docker config."""
    return {
        "metadata": {**metadata(name, cluster), "namespace": namespace},
        "type": "kubernetes.io/dockerconfigjson",
        "string_data": {".dockerconfigjson": docker_config},
    }


def generations(trust: Trust) -> dict[str, str]:
    """Return the annotations of `cacerts` that say whose certificates are in it; none where they are not made here.

    The next run reads them before it changes anything, and so needs no right to read the authority itself.
    """
    if trust.kind != "generated":
        return {}
    trusted = sorted(root.name for root in trust.roots)
    return {names.SIGNER_ANNOTATION: trust.signing.name, names.ROOTS_ANNOTATION: ",".join(trusted)}


def namespace(member: str, network: str, primary: str | None) -> dict[str, Any]:
    """Return the metadata of istio-system in the cluster that is this `<project>/<stack>/<mesh ID>/<cluster>`.

    The label names the network of every pod in the cluster that says nothing else.
    Source: istio/istio pilot/pkg/serviceregistry/kube/controller/network.go.
    `primary` is the cluster whose istiod serves this remote one, None for a cluster with an istiod of its own.
    """
    annotations = {names.MEMBER_ANNOTATION: member}
    if primary is not None:
        annotations[names.PRIMARY_ANNOTATION] = primary
    return {"name": names.NAMESPACE, "labels": {names.NETWORK_LABEL: network}, "annotations": annotations}


def membership(member: str, *, adopted: bool) -> dict[str, str]:
    """Return the data of the ConfigMap that says whose member a cluster is whose control plane was there before.

    And whether that control plane was adopted: only then may it become one that is managed.
    """
    return {"member": member, "control-plane": "adopted" if adopted else "existing"}


def peer_authentication(mode: str) -> dict[str, Any]:
    """Return the spec that makes every workload that this istiod serves refuse plaintext, or not."""
    return {"mtls": {"mode": mode.upper()}}


def failover() -> dict[str, Any]:
    """Return the spec of the rule by which calls prefer near endpoints, and leave those that fail.

    Locality is taken into account only where failing endpoints are detected.
    Source: istio.io, tasks/traffic-management/locality-load-balancing/failover. The numbers are Envoy's own defaults,
    but for the share that may be passed over: all, so that a whole cluster can be left.
    """
    detection = {
        "consecutive5xxErrors": 5,
        "interval": "10s",
        "baseEjectionTime": "30s",
        "maxEjectionPercent": 100,
    }
    # In the root namespace, for every Service that has no rule of its own.
    return {"host": "*.svc.cluster.local", "trafficPolicy": {"outlierDetection": detection}}


def cross_network_gateway() -> dict[str, Any]:
    """Return the spec that lets mTLS between networks in, routed by the SNI that the caller's proxy wrote.

    Source: istio/istio samples/multicluster/expose-services.yaml.
    """
    port = {"number": names.MTLS_PORT, "name": "tls", "protocol": "TLS"}
    server = {"port": port, "tls": {"mode": "AUTO_PASSTHROUGH"}, "hosts": ["*.local"]}
    return {"selector": {"istio": names.EAST_WEST_SELECTOR["istio"]}, "servers": [server]}


def istiod_gateway(revisions: Sequence[str]) -> dict[str, Any]:
    """Return the spec that lets remote clusters reach istiods through the east-west gateway, their own TLS untouched.

    Source: istio/istio samples/multicluster/expose-istiod.yaml, with hosts narrowed to istiod's.
    """
    hosts = [names.istiod_host(revision) for revision in revisions]
    servers = [
        {
            "port": {"number": number, "name": name, "protocol": "TLS"},
            "tls": {"mode": "PASSTHROUGH"},
            "hosts": hosts,
        }
        for name, number in names.ISTIOD_PORTS.items()
    ]
    return {"selector": {"istio": names.EAST_WEST_SELECTOR["istio"]}, "servers": servers}


def istiod_routes(revisions: Sequence[str]) -> dict[str, Any]:
    """Return the spec of the VirtualService that leads each of those ports to the istiod that is asked for."""
    hosts = [names.istiod_host(revision) for revision in revisions]
    # The webhook's Service port is 443. Source: istiod chart, templates/service.yaml.
    behind = {names.XDS_PORT: names.XDS_PORT, names.WEBHOOK_PORT: 443}
    routes = [
        {
            "match": [{"port": port, "sniHosts": [host]}],
            "route": [{"destination": {"host": f"{host}.cluster.local", "port": {"number": number}}}],
        }
        for host in hosts
        for port, number in behind.items()
    ]
    return {"hosts": hosts, "gateways": [names.ISTIOD_GATEWAY], "tls": routes}


def istiod_selector(revision: str) -> dict[str, str]:
    """Return the labels by which a Service selects the pods of one revision of istiod.

    Source: istiod chart, templates/service.yaml.
    """
    own = {"istio": "pilot"} if revision == DEFAULT_REVISION else {names.REVISION_LABEL: revision}
    return {**names.ISTIOD_SELECTOR, **own}


def remote_istiod_service() -> dict[str, Any]:
    """Return the spec of a remote's Service `istiod`: no pods of its own, the endpoints are the primary's address.

    Source: istiod chart, templates/remote-istiod-service.yaml.
    """
    ports = [
        {"name": "tcp-istiod", "port": names.XDS_PORT, "targetPort": names.XDS_PORT, "protocol": "TCP"},
        {"name": "tcp-webhook", "port": 443, "targetPort": names.WEBHOOK_PORT, "protocol": "TCP"},
    ]
    return {"ports": ports}


def remote_istiod_metadata(istiod: str, cluster: str, *, released: bool) -> dict[str, Any]:
    """Return the metadata of that Service, called `istiod`; `released`: as one that Helm takes over with the release.

    Helm refuses an object that says nothing of it. Source: helm.sh, docs/faq/changes_since_helm_2, adoption.
    """
    if not released:
        return metadata(istiod, cluster)
    return metadata(
        istiod,
        cluster,
        labels={"app.kubernetes.io/managed-by": "Helm"},
        annotations={names.HELM_RELEASE: istiod, names.HELM_NAMESPACE: names.NAMESPACE},
    )


def remote_istiod_slice(cluster: str, revision: str) -> dict[str, Any]:
    """Return the metadata and ports of the EndpointSlice behind that Service; addresses are known late.

    Source: istiod chart, templates/remote-istiod-endpointslices.yaml.
    """
    return {
        "metadata": metadata(
            names.of_revision(names.ISTIOD, revision),
            cluster,
            labels={
                "kubernetes.io/service-name": names.of_revision(names.ISTIOD, revision),
                "endpointslice.kubernetes.io/managed-by": names.PACKAGE,
            },
        ),
        "ports": [
            {"name": "tcp-istiod", "port": names.XDS_PORT, "protocol": "TCP"},
            {"name": "tcp-webhook", "port": names.WEBHOOK_PORT, "protocol": "TCP"},
        ],
    }


def dialled_metadata(
    name: str,
    cluster: str,
    service: DialledService,
    annotations: Mapping[str, Any],
    *,
    labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the metadata of a Service that other clusters dial.

    `annotations` holds the values that the program gives, late ones as they are; in `service` stand also those that
    follow from the topology.
    """
    waiting = {"pulumi.com/timeoutSeconds": str(service.timeout_seconds)}
    return metadata(name, cluster, labels=labels, annotations={**service.annotations, **annotations, **waiting})


def dialled_spec(
    service: DialledService, address: Any, selector: Mapping[str, str], ports: Mapping[str, int]
) -> dict[str, Any]:
    """Return the spec of that Service; `address` is the given address, plain or late, or None."""
    spec: dict[str, Any] = {
        "type": service.type,
        "selector": dict(selector),
        "ports": [{"name": name, "port": port, "targetPort": port} for name, port in ports.items()],
    }
    if address is not None:
        # istiod reads a network's gateway addresses from here when the status has none, and kube-proxy listens there.
        spec["externalIPs"] = [address]
    if service.load_balancer_class is not None:
        spec["loadBalancerClass"] = service.load_balancer_class
    if service.source_ranges:
        spec["loadBalancerSourceRanges"] = [str(found) for found in service.source_ranges]
    return spec


def east_west_metadata(
    cluster: str, gateway: EastWestGateway, network: str, annotations: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the metadata of the Service by which istiods find the network's gateway."""
    # Asks istiod to use the external addresses of all nodes.
    nodes = {"traffic.istio.io/nodeSelector": "{}"} if gateway.type == "NodePort" and gateway.address is None else {}
    labels = {names.NETWORK_LABEL: network, **names.EAST_WEST_SELECTOR}
    return dialled_metadata(names.EAST_WEST_GATEWAY, cluster, gateway, {**annotations, **nodes}, labels=labels)


def east_west_service(gateway: EastWestGateway, address: Any, *, carries_istiod: bool) -> dict[str, Any]:
    """Return the spec of that Service; `carries_istiod` opens the ports by which remote clusters reach istiod."""
    ports = {**names.GATEWAY_PORTS, **(names.ISTIOD_PORTS if carries_istiod else {})}
    spec = dialled_spec(gateway, address, names.EAST_WEST_SELECTOR, ports)
    spec["ports"] += [{"name": p.name, "port": p.port, "targetPort": p.target_port or p.port} for p in gateway.ports]
    return spec


def remote_secret_metadata(reader: str, cluster: str) -> dict[str, Any]:
    """Return the metadata by which an istiod, the reader's, takes the Secret for the credential of another cluster."""
    return metadata(
        names.remote_secret(cluster),
        reader,
        labels={names.REMOTE_SECRET_LABEL: "true"},
        annotations={names.REMOTE_SECRET_CLUSTER: cluster},
    )


def remote_kubeconfig(
    cluster: str,
    *,
    served_by: str,
    revisions: Sequence[str] = (),
    server: str,
    certificate_authority: str,
    token: str,
    tls_name: str | None,
) -> str:
    """Return the kubeconfig, as JSON, by which a foreign istiod reads the cluster; it holds a credential.

    It names who serves the cluster, and by which revisions: an istiod decides only when it attaches a cluster whether
    it serves it too, and which trust domain the pods have that it finds there, by the mesh config of its own revision
    there; it attaches it anew when these bytes change.
    Source: istio/istio pilot/pkg/serviceregistry/kube/controller, multicluster.go and endpoint_builder.go.

    `certificate_authority` is a base64 bundle, empty for the system's own. Only an inline token is used:
    istiod refuses exec plugins and files. Source: istio/istio pkg/kube/util.go sanitizeKubeConfig.
    """
    dial = {"server": server, "certificate-authority-data": certificate_authority, "tls-server-name": tls_name}
    context = "-".join([cluster, "served-by", served_by, *(name for name in revisions if name != DEFAULT_REVISION)])
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {key: value for key, value in dial.items() if value}}],
        "users": [{"name": cluster, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": context,
    }
    return json.dumps(config, indent=2)
