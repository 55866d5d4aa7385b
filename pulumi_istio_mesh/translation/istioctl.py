"""istioctl's `IstioOperator`: Helm values of all charts, and a spec whose facts istioctl turns into more of them.

Sources: istio/istio operator/pkg/apis/types.go (fields), operator/pkg/render/manifest.go translateIstioOperatorToHelm
(what lies over what), operator/pkg/component/component.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .documents import Document
from .helm import (
    CNI,
    FOLLOWS,
    GATEWAYS,
    IMAGE,
    NOT_READ,
    REVISION,
    helm_table,
    namespace,
    profile,
    remote_if,
    version,
    yes,
)
from .tables import Handler, Path, Table, Told, both, environment, fact, left, metadata, value

GROUP = "install.istio.io"
KIND = "IstioOperator"

_AS_THE_CHART = (
    "affinity", "nodeSelector", "podAnnotations", "replicaCount", "resources", "serviceAnnotations", "tolerations",
    "volumeMounts", "volumes",
)  # fmt: skip
"""A component's Kubernetes settings that chart istiod calls the same."""


def installs_gateways_only(document: Document) -> bool:
    """Return whether it is the kind that istio.io's gen-eastwest-gateway.sh makes, beside a cluster's own."""
    spec = document.tree.get("spec")
    if not isinstance(spec, Mapping) or spec.get("profile") != "empty":
        return False
    components = spec.get("components")
    return isinstance(components, Mapping) and "pilot" not in components


def table() -> Table:
    """Return the table of an IstioOperator."""
    return {
        **helm_table("spec.values."),
        # istioctl lays them over the values, and checks neither (render/manifest.go GenerateManifest).
        **helm_table("spec.unvalidatedValues.", over=2),
        "metadata": metadata,
        "status": left("it is what was seen, not what is wanted"),
        "spec.profile": profile,
        "spec.hub": fact("image_hub"),
        "spec.tag": version(),
        "spec.namespace": namespace,
        "spec.revision": REVISION,
        "spec.installPackagePath": left("charts come from chart_source", "give chart_source, where they are your own"),
        "spec.compatibilityVersion": value("compatibilityVersion", rank=-1),
        "spec.meshConfig": value("meshConfig", rank=-1),
        "spec.meshConfig.trustDomain": fact("trust_domain"),
        "spec.meshConfig.defaultConfig.meshId": fact("mesh_id", rank=-1),
        "spec.meshConfig.defaultConfig.discoveryAddress": left("the mesh tells proxies which istiod is theirs"),
        "spec.meshConfig.defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE": fact("dns_capture", yes, rank=-1),
        "spec.values.cni": CNI,
        "spec.values.ztunnel": left("the mesh has no ambient mode (docs/limits.md)"),
        "spec.components.base": left(
            "the mesh installs chart base everywhere", "clusters.<name>.crds: external, or none"
        ),
        "spec.components.pilot.enabled": both(remote_if(False), left(FOLLOWS)),
        "spec.components.pilot": left(
            "no value of chart istiod is like it", "give values.istiod by hand, if it has one"
        ),
        "spec.components.pilot.namespace": namespace,
        "spec.components.pilot.hub": IMAGE,
        "spec.components.pilot.tag": IMAGE,
        **kubernetes("spec.components.pilot.k8s."),
        "spec.components.istiodRemote.enabled": both(remote_if(True), left(FOLLOWS)),
        "spec.components.istiodRemote": left(FOLLOWS),
        "spec.components.ingressGateways": _gateways,
        "spec.components.egressGateways": GATEWAYS,
        "spec.components.gateway": GATEWAYS,
        "spec.components.cni.enabled": both(value("cni.enabled", rank=-1), CNI),
        "spec.components.cni": CNI,
        "spec.components.ztunnel": left("the mesh has no ambient mode (docs/limits.md)"),
        "spec.addonComponents": NOT_READ,
    }


def kubernetes(prefix: str) -> Table:
    """Return the table of a component's Kubernetes settings."""
    rules: dict[str, Handler] = {key: value(key, rank=1) for key in _AS_THE_CHART}
    rules |= {
        "env": environment,
        "hpaSpec.minReplicas": value("autoscaleMin", rank=1),
        "hpaSpec.maxReplicas": value("autoscaleMax", rank=1),
        "imagePullPolicy": value("global.imagePullPolicy", rank=-1),
        "priorityClassName": value("global.priorityClassName", rank=-1),
        "strategy.rollingUpdate.maxSurge": value("rollingMaxSurge", rank=1),
        "strategy.rollingUpdate.maxUnavailable": value("rollingMaxUnavailable", rank=1),
        "overlays": left("patches of rendered objects are the program's", "transforms of the Mesh do the same"),
    }
    return {f"{prefix}{key}": handler for key, handler in rules.items()}


def _gateways(told: Told, path: Path, below: Path, node: Any) -> None:
    """Report each gateway, and what takes the place of one between networks."""
    for index, gateway in enumerate(node if isinstance(node, list) else [node]):
        here = (*path, str(index)) if isinstance(node, list) else path
        label = gateway.get("label") if isinstance(gateway, Mapping) else None
        if isinstance(label, Mapping) and "topology.istio.io/network" in label:
            told.leave(
                here,
                "the mesh makes an east-west gateway where another network calls",
                "give its load balancer's facts to clusters.<name>.east_west_gateway",
            )
        else:
            GATEWAYS(told, here, below, gateway)
