"""Helm values of chart istiod, alone or within what other installers read.

Sources: istio/istio manifests/charts/istio-control/istio-discovery/values.yaml and templates of 1.31; primaries and
remotes as istio.io sets them up (docs/setup/install/multicluster).
"""

from __future__ import annotations

import re
from typing import Any

from ..istio import names
from ..istio.values import FORBIDDEN
from .credentials import is_credential
from .tables import NOTHING, Assigned, Handler, Path, Table, Told, both, fact, left, value

_KNOWN = (
    "affinity", "autoscaleBehavior", "autoscaleEnabled", "autoscaleMax", "autoscaleMin", "base", "cni",
    "compatibilityVersion", "configMap", "cpu", "crlConfigMapName", "deploymentAnnotations", "deploymentLabels",
    "env", "envVarFrom", "experimental", "extraContainerArgs", "gatewayClasses", "gateways", "hub", "image",
    "initContainers", "ipFamilies", "ipFamilyPolicy", "jwksResolverExtraRootCA",
    "keepaliveMaxServerConnectionAge", "memory", "meshConfig", "nodeSelector", "pdb", "platform",
    "podAnnotations", "podLabels", "replicaCount", "resources", "rollingMaxSurge", "rollingMaxUnavailable",
    "seccompProfile", "serviceAccountAnnotations", "serviceAnnotations", "sidecarInjectorWebhook",
    "sidecarInjectorWebhookAnnotations", "taint", "telemetry", "terminationMessagePolicy", "tolerations",
    "topologySpreadConstraints", "traceSampling", "trafficDistribution", "trustedZtunnelName",
    "trustedZtunnelNamespace", "variant", "volumeMounts", "volumes",
)  # fmt: skip
"""Values of chart istiod that its templates read."""

_KNOWN_GLOBAL = (
    "agentgateway", "caName", "certSigners", "configValidation", "defaultPodDisruptionBudget",
    "defaultResources", "imagePullPolicy", "imagePullSecrets", "ipFamilies", "ipFamilyPolicy", "istiod",
    "logAsJson", "logging", "mountMtlsCerts", "nativeNftables", "networkPolicy", "omitSidecarInjectorConfigMap",
    "operatorManageWebhooks", "platform", "podDNSSearchNamespaces", "priorityClassName", "proxy", "proxy_init",
    "resourceScope", "sds", "sts", "tracer", "trustBundleName", "variant", "waypoint",
)  # fmt: skip
"""Values below `global` that its templates read."""

NOT_READ = left("chart istiod of a supported version reads no such value", "remove it, or find what took its place")
FOLLOWS = "it follows from the clusters' primary and network"
GATEWAYS = left(
    "ingress and egress gateways are not the mesh's", "keep them: install chart gateway beside the mesh, as it is"
)
REVISION = left(
    "which istiods run is said for the whole mesh, by revisions and revision_tags",
    "declare those that namespaces ask for, or label these istio-injection=enabled",
)
CNI = left(
    "istio-cni is not the mesh's", "keep what installs it; values.istiod.cni.enabled says that istiod relies on it"
)
IMAGE = left("images follow from image_hub and istio_version", "give image_hub, where images are your own")


def namespace(told: Told, path: Path, below: Path, node: Any) -> None:
    """Report where the old one is installed: the mesh always is in one namespace."""
    if node == names.NAMESPACE:
        told.leave(path, "the mesh is installed there, too", NOTHING)
    else:
        told.leave(path, f"the mesh is installed into {names.NAMESPACE}", "change what refers to the other namespace")


def yes(node: Any) -> bool:
    """Return what YAML or a text calls true."""
    if isinstance(node, bool):
        return node
    if str(node).lower() in ("true", "false"):
        return str(node).lower() == "true"
    raise ValueError("it is neither true nor false")


def remote_if(found: bool) -> Handler:
    """Say that the cluster is a remote where the flag is so."""

    def convert(node: Any) -> str:
        return "remote" if yes(node) is found else "primary"

    return fact("role", convert)


def version(rank: int = 0) -> Handler:
    """Say the version of a tag such as 1.31.1-distroless, whose end is the variant of images."""

    def handle(told: Told, path: Path, below: Path, node: Any) -> None:
        text = str(node).removeprefix("v")
        found = re.fullmatch(r"(.+)-(distroless|debug)", text)
        fact("istio_version", lambda _: found.group(1) if found else text, rank)(told, path, below, node)
        if found and not below:
            told.assigned.append(Assigned(("global", "variant"), found.group(2), told.path(path), -1))

    return handle


def profile(told: Told, path: Path, below: Path, node: Any) -> None:
    """Say what a profile decides; profiles themselves are not the mesh's."""
    if node == "remote":
        told.say("role", "remote", path)
    elif node in ("default", "", None):
        told.leave(path, "the charts' own values are the default profile", NOTHING)
    elif "ambient" in str(node):
        told.leave(path, "the mesh has no ambient mode (docs/limits.md)", "workloads need sidecars before they move")
    else:
        told.leave(path, "profiles are not used", "write the values that it sets to values.istiod, where you need them")


def injection_path(told: Told, path: Path, below: Path, node: Any) -> None:
    """Say the cluster and the network that a remote's injection path names.

    Source: istio/istio pkg/kube/inject/webhook.go parseInjectEnvs; istio.io's remotes say them nowhere else.
    """
    told.leave(path, FOLLOWS, NOTHING)
    parts = str(node).split("/") if isinstance(node, str) and not is_credential("", node) else []
    found = dict(zip(parts[2::2], parts[3::2], strict=False)) if parts[:2] == ["", "inject"] else {}
    for key, name in (("cluster", "cluster"), ("net", "network")):
        if found.get(key):
            told.say(name, found[key], path, 1)


def helm_table(prefix: str = "", over: int = 0) -> Table:
    """Return the table of chart istiod's values below a path that ends with a dot; `over` is added to their ranks."""
    rules: dict[str, Handler] = {}
    for under, rank in (("", 0), ("pilot.", 1)):
        # The chart lays what is under `pilot` over the rest (templates/zzy_descope_legacy.yaml).
        rules |= {f"{under}{key}": value(key, rank=rank + over) for key in _KNOWN}
        rules |= {f"{under}{path}": left(why) for path, why in FORBIDDEN["istiod"].items() if path != "pilot"}
        rules |= {
            f"{under}tag": left("istiod's image has the mesh's own version", "give istio_version"),
            f"{under}revision": REVISION,
            f"{under}revisionTags": REVISION,
            f"{under}istiodRemote": left(FOLLOWS),
            f"{under}istiodRemote.enabled": both(remote_if(True), left(FOLLOWS)),
            f"{under}istiodRemote.injectionPath": injection_path,
        }
    rules |= {f"global.{key}": value(f"global.{key}", rank=over) for key in _KNOWN_GLOBAL}
    rules |= {
        "pilot": NOT_READ,
        "pilot.enabled": both(remote_if(False), left(FOLLOWS)),
        "profile": profile,
        "defaultRevision": REVISION,
        "gateways.istio-ingressgateway": GATEWAYS,
        "gateways.istio-egressgateway": GATEWAYS,
        "istio_cni": CNI,
        "ztunnel": left("the mesh has no ambient mode (docs/limits.md)", "workloads need sidecars before they move"),
        "global": NOT_READ,
        "global.profile": profile,
        "global.meshID": fact("mesh_id", rank=1),
        "global.network": fact("network", rank=2),
        "global.multiCluster.clusterName": fact("cluster", rank=3),
        "global.multiCluster": left(FOLLOWS),
        "global.hub": fact("image_hub", rank=1),
        "global.tag": version(rank=1),
        "global.istioNamespace": namespace,
        "global.externalIstiod": left(FOLLOWS),
        "global.configCluster": left(FOLLOWS),
        "global.meshNetworks": left("it follows from the clusters' network"),
        "global.remotePilotAddress": both(
            fact("role", lambda _: "remote"), left("the mesh finds the address of each primary itself")
        ),
        "global.trustDomain": fact("trust_domain"),
        "global.mtls.enabled": fact("mtls", lambda node: "strict" if yes(node) else "permissive"),
        "meshConfig.trustDomain": fact("trust_domain", rank=1),
        "meshConfig.defaultConfig.meshId": fact("mesh_id"),
        "meshConfig.defaultConfig.discoveryAddress": left("the mesh tells proxies which istiod is theirs"),
        "meshConfig.defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE": fact("dns_capture", yes),
    }
    if prefix:
        rules = {f"{prefix}{key}": handler for key, handler in rules.items()} | {prefix[:-1]: NOT_READ}
    return rules
