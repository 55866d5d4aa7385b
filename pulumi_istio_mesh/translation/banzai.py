"""Banzai Cloud's istio-operator: `Istio` and `RemoteIstio` of its first version, `IstioControlPlane` of its second.

Sources: banzaicloud/istio-operator pkg/apis/istio/v1beta1/istio_types.go, remoteistio_types.go and defaults.go of
release-1.10; api/v1alpha1/istiocontrolplane.proto and common.proto of release-1.17.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .credentials import is_credential
from .helm import CNI, FOLLOWS, GATEWAYS, IMAGE, REVISION, version, yes
from .tables import Handler, Path, Table, Told, both, environment, fact, left, metadata, pull_secrets, value

FIRST = "istio.banzaicloud.io"
SECOND = "servicemesh.cisco.com"

_SAME = ("affinity", "nodeSelector", "resources", "tolerations")
_WEBHOOK = (
    "alwaysInjectSelector", "enableNamespacesByDefault", "injectedAnnotations", "neverInjectSelector",
    "rewriteAppHTTPProbe",
)  # fmt: skip
_PARTS_GONE = (
    "certificates", "galley", "istioCoreDNS", "mixer", "mixerlessTelemetry", "nodeAgent", "policy", "proxyWasm",
    "telemetry", "useMCP", "watchAdapterCRDs",
)  # fmt: skip

_GONE = left("Istio of a supported version has no such part")
_ALWAYS = left("it is always so")
_OVERLAYS = left("patches of rendered objects are the program's", "transforms of the Mesh do the same")
_EXPANSION = left(
    "the mesh makes east-west gateways and exposes istiod where others need it",
    "give the load balancer's facts to clusters.<name>.east_west_gateway",
)
_NAMESPACES = left("namespaces are labelled by who owns them", "label them istio-injection=enabled in each cluster")
_CA = left("istiod is the mesh's certificate authority", "docs/how-to/bring-your-own-ca.md")
_TRACING = left("tracing is told by mesh config and Telemetry objects", "values.istiod.meshConfig.extensionProviders")
_PROXIES = left("no value of chart istiod is like it", "values.istiod.global.proxy, or a template of your own")
_SEEN = left("it is what was seen, not what is wanted")


def _mtls(node: Any) -> str:
    if str(node) in ("STRICT", "PERMISSIVE"):
        return str(node).lower()
    raise ValueError("a mesh is strict or permissive")


def _lower(node: Any) -> Any:
    return node.lower() if isinstance(node, str) else node


def _primary(told: Told, path: Path, below: Path, node: Any) -> None:
    """Say the object whose istiod serves the cluster."""
    if is_credential("", node):
        told.withhold(path)
    elif isinstance(node, Mapping) and isinstance(node.get("name"), str):
        told.say("serves", node["name"], path)
        if set(node) - {"name"}:
            told.leave(path, "the mesh knows clusters by their names", "nothing to do")
    else:
        told.leave(path, "it names no control plane", "clusters.<name>.primary")


def _proxy(prefix: str) -> Table:
    """Return the table of proxies' settings, which both versions have."""
    rules: dict[str, Handler] = {
        key: value(f"global.proxy.{key}") for key in ("clusterDomain", "componentLogLevel", "lifecycle", "privileged")
    }
    rules |= {
        "resources": value("global.proxy.resources"),
        "logLevel": value("global.proxy.logLevel", _lower),
        "holdApplicationUntilProxyStarts": value("meshConfig.defaultConfig.holdApplicationUntilProxyStarts"),
        "image": IMAGE,
        "coreDumpImage": IMAGE,
    }
    return {f"{prefix}.{key}": handler for key, handler in rules.items()} | {prefix: _PROXIES}


def _redirection(prefix: str) -> Table:
    """Return the table of what proxies redirect."""
    keys = ("includeIPRanges", "excludeIPRanges", "excludeInboundPorts", "excludeOutboundPorts")
    return {f"{prefix}.{key}": value(f"global.proxy.{key}") for key in keys}


def _injector() -> Table:
    """Return the table of the first version's injector."""
    return {
        **{f"spec.sidecarInjector.{key}": value(f"sidecarInjectorWebhook.{key}") for key in _WEBHOOK},
        "spec.sidecarInjector": left("istiod injects proxies itself, as one deployment"),
        "spec.sidecarInjector.initCNIConfiguration.enabled": both(value("cni.enabled"), CNI),
        "spec.sidecarInjector.initCNIConfiguration": CNI,
        "spec.sidecarInjector.init.resources": left("istio-init has the proxy's resources"),
    }


def _of_both_kinds() -> Table:
    return {
        "metadata": metadata,
        "status": _SEEN,
        **_redirection("spec"),
        **_proxy("spec.proxy"),
        **_injector(),
        "spec.proxy.accessLogFile": value("meshConfig.accessLogFile"),
        "spec.proxy.accessLogFormat": value("meshConfig.accessLogFormat"),
        "spec.proxy.accessLogEncoding": value("meshConfig.accessLogEncoding"),
        "spec.proxy.dnsRefreshRate": value("meshConfig.dnsRefreshRate"),
        "spec.proxy.protocolDetectionTimeout": value("meshConfig.protocolDetectionTimeout"),
        "spec.proxyInit": IMAGE,
        "spec.networkName": fact("network", rank=2),
        "spec.clusterName": fact("cluster", rank=3),
        "spec.autoInjectionNamespaces": _NAMESPACES,
        "spec.defaultResources": value("global.defaultResources"),
        "spec.citadel": _CA,
        "spec.k8sOverlays": _OVERLAYS,
        "spec.k8sResourceOverlays": _OVERLAYS,
    }


def istio_table() -> Table:
    """Return the table of a first version's Istio."""
    return {
        **_of_both_kinds(),
        "spec.version": version(),
        "spec.logging.level": value("global.logging.level"),
        "spec.meshPolicy.mtlsMode": fact("mtls", _mtls, rank=1),
        "spec.mtls": fact("mtls", lambda node: "strict" if yes(node) else "permissive"),
        "spec.autoMtls": value("meshConfig.enableAutoMtls"),
        "spec.controlPlaneSecurityEnabled": _ALWAYS,
        "spec.controlPlaneAuthPolicy": _ALWAYS,
        "spec.mountMtlsCerts": value("global.mountMtlsCerts"),
        "spec.sds": _GONE,
        "spec.sds.tokenAudience": value("global.sds.token.aud"),
        "spec.istiod": left(FOLLOWS),
        "spec.istiod.enabled": _ALWAYS,
        "spec.istiod.enableAnalysis": value("global.istiod.enableAnalysis"),
        "spec.istiod.enableStatus": left("it is a variable of istiod's", "values.istiod.env.PILOT_ENABLE_STATUS"),
        "spec.pilot": left("no value of chart istiod is like it", "give values.istiod by hand, if it has one"),
        "spec.pilot.enabled": _ALWAYS,
        "spec.pilot.image": IMAGE,
        "spec.pilot.certProvider": _CA,
        "spec.pilot.additionalContainerArgs": value("extraContainerArgs"),
        "spec.pilot.additionalEnvVars": environment,
        "spec.pilot.minReplicas": value("autoscaleMin"),
        "spec.pilot.maxReplicas": value("autoscaleMax"),
        "spec.pilot.traceSampling": value("traceSampling"),
        **{f"spec.pilot.{key}": value(key) for key in ("podAnnotations", "replicaCount", *_SAME)},
        **{f"spec.{key}": _GONE for key in _PARTS_GONE},
        "spec.gateways": GATEWAYS,
        "spec.gateways.ingress": GATEWAYS,
        "spec.gateways.egress": GATEWAYS,
        "spec.gateways.k8singress": GATEWAYS,
        "spec.gateways.meshexpansion": _EXPANSION,
        "spec.watchOneNamespace": _GONE,
        "spec.priorityClassName": value("global.priorityClassName"),
        "spec.defaultConfigVisibility": left("it is mesh config", "values.istiod.meshConfig.defaultServiceExportTo"),
        "spec.defaultPodDisruptionBudget.enabled": value("global.defaultPodDisruptionBudget.enabled"),
        "spec.outboundTrafficPolicy.mode": value("meshConfig.outboundTrafficPolicy.mode"),
        "spec.tracing": _TRACING,
        "spec.imagePullPolicy": value("global.imagePullPolicy"),
        "spec.imagePullSecrets": pull_secrets,
        "spec.meshExpansion": both(_apart, _EXPANSION),
        "spec.multiMesh": left("meshes are linked by exports and imports", "docs/federation.md"),
        "spec.multiMeshExpansion": left("meshes are linked by exports and imports", "docs/federation.md"),
        "spec.localityLB": value("meshConfig.localityLbSetting"),
        "spec.meshID": fact("mesh_id"),
        "spec.meshNetworks": left("it follows from the clusters' network"),
        "spec.trustDomain": fact("trust_domain"),
        "spec.trustDomainAliases": left("an alias merges identities", "docs/federation.md is the way to other meshes"),
        "spec.jwtPolicy": _ALWAYS,
        "spec.caAddress": _CA,
        "spec.ca": _CA,
        "spec.httpProxyEnvs": _PROXIES,
        "spec.global": REVISION,
    }


def _apart(told: Told, path: Path, below: Path, node: Any) -> None:
    """Say that each remote is a network of its own: the operator names it like the remote.

    Source: docs/federation/gateway/README.md of release-1.10.
    """
    enabled = node.get("enabled") if isinstance(node, Mapping) else node
    if enabled is True:
        told.say("apart", True, path)


def remote_table() -> Table:
    """Return the table of a first version's RemoteIstio."""
    return {
        **_of_both_kinds(),
        "spec.enabledServices": left("Services of all clusters are known by discovery"),
        "spec.istioControlPlane": _primary,
    }


def control_plane_table() -> Table:
    """Return the table of a second version's IstioControlPlane."""
    deployment = "spec.istiod.deployment"
    return {
        "metadata": metadata,
        "status": _SEEN,
        "spec.version": version(rank=1),
        "spec.mode": fact("role", _mode),
        "spec.logging.level": value("global.logging.level"),
        "spec.mountMtlsCerts": value("global.mountMtlsCerts"),
        "spec.istiod": left(FOLLOWS),
        "spec.istiod.enableAnalysis": value("global.istiod.enableAnalysis"),
        "spec.istiod.enableStatus": left("it is a variable of istiod's", "values.istiod.env.PILOT_ENABLE_STATUS"),
        "spec.istiod.traceSampling": value("traceSampling"),
        "spec.istiod.certProvider": _CA,
        "spec.istiod.spiffe": _GONE,
        **{f"{deployment}.{key}": value(key) for key in ("volumeMounts", "volumes", *_SAME)},
        deployment: left("no value of chart istiod is like it", "give values.istiod by hand, if it has one"),
        f"{deployment}.image": IMAGE,
        f"{deployment}.env": environment,
        f"{deployment}.imagePullPolicy": value("global.imagePullPolicy", rank=-1),
        f"{deployment}.imagePullSecrets": left(
            "the charts have one list of Secrets", "values.istiod.global.imagePullSecrets"
        ),
        f"{deployment}.priorityClassName": value("global.priorityClassName"),
        f"{deployment}.replicas.count": value("replicaCount"),
        f"{deployment}.replicas.min": value("autoscaleMin"),
        f"{deployment}.replicas.max": value("autoscaleMax"),
        f"{deployment}.podMetadata.annotations": value("podAnnotations"),
        f"{deployment}.podMetadata.labels": value("podLabels"),
        f"{deployment}.deploymentStrategy.rollingUpdate.maxSurge": value("rollingMaxSurge"),
        f"{deployment}.deploymentStrategy.rollingUpdate.maxUnavailable": value("rollingMaxUnavailable"),
        **_proxy("spec.proxy"),
        **_redirection("spec.proxy"),
        "spec.proxyInit": IMAGE,
        "spec.proxyInit.cni.enabled": both(value("cni.enabled"), CNI),
        "spec.proxyInit.cni": CNI,
        "spec.telemetryV2.enabled": value("telemetry.v2.enabled"),
        "spec.sds.tokenAudience": value("global.sds.token.aud"),
        "spec.proxyWasm": _GONE,
        "spec.watchOneNamespace": _GONE,
        "spec.jwtPolicy": _ALWAYS,
        "spec.caAddress": _CA,
        "spec.caProvider": _CA,
        "spec.distribution": left(
            "the mesh is of Istio's own charts and images", "image_hub, where images are your own"
        ),
        "spec.httpProxyEnvs": _PROXIES,
        "spec.meshConfig": value("meshConfig"),
        "spec.meshConfig.trustDomain": fact("trust_domain"),
        "spec.meshConfig.trustDomainAliases": left("an alias merges identities", "docs/federation.md"),
        "spec.meshConfig.defaultConfig.meshId": fact("mesh_id"),
        "spec.meshConfig.defaultConfig.discoveryAddress": left("the mesh tells proxies which istiod is theirs"),
        "spec.meshConfig.defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE": fact("dns_capture", yes),
        "spec.k8sResourceOverlays": _OVERLAYS,
        "spec.meshID": fact("mesh_id", rank=1),
        "spec.containerImageConfiguration.hub": fact("image_hub"),
        "spec.containerImageConfiguration.tag": version(),
        "spec.containerImageConfiguration.imagePullPolicy": value("global.imagePullPolicy"),
        "spec.containerImageConfiguration.imagePullSecrets": pull_secrets,
        "spec.meshExpansion": _EXPANSION,
        "spec.clusterID": fact("cluster", rank=3),
        "spec.clusterName": fact("cluster", rank=2),
        "spec.networkName": fact("network", rank=2),
        "spec.sidecarInjector": left("istiod injects proxies itself, as one deployment"),
        "spec.sidecarInjector.templates": left(
            "templates are values", "values.istiod.sidecarInjectorWebhook.templates"
        ),
    }


def _mode(node: Any) -> str:
    if node in ("ACTIVE", "PASSIVE"):
        return "primary" if node == "ACTIVE" else "remote"
    raise ValueError("a control plane is ACTIVE or PASSIVE")
