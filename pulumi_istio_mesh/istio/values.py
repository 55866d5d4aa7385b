"""Helm values of Istio's charts: the mesh's own wiring, and the user's values merged under it.

Only plain facts enter: a late value in a chart's values makes a Pulumi preview show the whole chart as deleted
(pulumi-kubernetes#3699), so late mesh config goes into `names.SHARED_MESH_CONFIG` instead.
Keys were read from the charts of Istio 1.31.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..topology.models import Topology
from . import names
from .versions import CRDS, IMAGE_HUB

Values = dict[str, Any]


def base(topology: Topology, cluster: str) -> Values:
    """Return the wiring of chart `base`: CRDs, the reader account, the default validator."""
    settings: Values = {"enableCRDTemplates": True}
    if not topology.is_remote(cluster):
        # istiod edits Ignore to Fail by itself, which would be drift on every refresh (istio/istio#45204). In a remote
        # nobody gives the validator a caBundle, so Fail would refuse every Istio object there.
        settings["validationFailurePolicy"] = "Fail"
    if topology.clusters[cluster].crds == "external":
        # By name: without its templates the chart renders the CRDs all the same, from a file.
        settings["excludedCRDs"] = list(CRDS)
    wiring = {"base": settings, "global": {"istioNamespace": names.NAMESPACE, "externalIstiod": True}}
    return {**_REMOTE, **wiring} if topology.is_remote(cluster) else wiring


_REMOTE = {"profile": "remote"}
"""What turns a chart into its remote form. Source: istio/istio manifests/helm-profiles/remote.yaml."""


def istiod(topology: Topology, cluster: str) -> Values:
    """Return the wiring of chart `istiod`: a control plane, or in a remote cluster what leads to its primary's."""
    return _remote(topology, cluster) if topology.is_remote(cluster) else _primary(topology, cluster)


def _remote(topology: Topology, cluster: str) -> Values:
    network = topology.network_of(cluster)
    return {
        **_REMOTE,
        "global": {
            **_installation(topology),
            "network": network,
            "multiCluster": {"clusterName": cluster},
            # Istio's objects are read in the primary only, so no right to serve them is needed here.
            "configCluster": False,
        },
        # By this path, not by the values above, the primary's injector knows which cluster and network a pod is in.
        # Source: istio/istio pkg/kube/inject/webhook.go parseInjectEnvs.
        "istiodRemote": {"injectionPath": f"/inject/cluster/{cluster}/net/{network}"},
        # Without a mesh config of its own the primary takes the cluster's trust domain for cluster.local, and its
        # proxies would expect identities that nobody has. Source: istio/istio pkg/config/mesh/meshwatcher.
        "configMap": True,
        "meshConfig": {"trustDomain": topology.identity_domain},
    }


def _installation(topology: Topology) -> Values:
    return {
        "hub": topology.image_hub or IMAGE_HUB,
        "tag": topology.istio_version,
        "istioNamespace": names.NAMESPACE,
        "meshID": topology.mesh_id,
    }


def _primary(topology: Topology, cluster: str) -> Values:
    proxy_metadata = {
        # Lets a proxy learn further roots over XDS; turned on later it would restart every workload (docs/adr/0003).
        "PROXY_CONFIG_XDS_AGENT": "true",
    }
    if topology.dns_capture:
        proxy_metadata["ISTIO_META_DNS_CAPTURE"] = "true"
    mesh_config: Values = {
        "trustDomain": topology.identity_domain,
        "defaultConfig": {"proxyMetadata": proxy_metadata},
    }
    if topology.cluster_local:
        mesh_config["serviceSettings"] = [
            {"settings": {"clusterLocal": True}, "hosts": list(topology.cluster_local)},
        ]
    return {
        "base": {"validationFailurePolicy": "Fail"},
        "global": {
            **_installation(topology),
            "externalIstiod": True,
            "network": topology.network_of(cluster),
            "multiCluster": {"clusterName": cluster},
        },
        "env": {"ISTIO_MULTIROOT_MESH": "true", "SHARED_MESH_CONFIG": names.SHARED_MESH_CONFIG},
        "meshConfig": mesh_config,
        # The provider watches a Service for ten seconds; the gate on the injector's webhook says more, sooner.
        "serviceAnnotations": {"pulumi.com/skipAwait": "true"},
    }


def gateway(topology: Topology, cluster: str) -> Values:
    """Return the wiring of chart `gateway` as the east-west gateway; its Service is ours and survives upgrades."""
    return {
        "name": names.EAST_WEST_GATEWAY,
        "networkGateway": topology.network_of(cluster),
        "service": {"type": "None"},
    }


def federation_gateway() -> Values:
    """Return the wiring of chart `gateway` as the federation gateway: of no network, so that no other one calls it.

    One that is told to end stays until nobody is connected, and at most the chart's 30 seconds: importers use a
    connection for less.
    Source: istio/istio pkg/envoy/agent.go, EXIT_ON_ZERO_ACTIVE_CONNECTIONS; it stays for five seconds at least.
    """
    env = {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"}
    return {"name": names.FEDERATION_GATEWAY, "service": {"type": "None"}, "env": env}


WIRING = {"base": base, "istiod": istiod, "gateway": gateway}
"""The wiring of each chart, by the chart's published name."""

DEFAULTS: Mapping[str, Values] = {
    # The chart's image is "auto", replaced at injection; without a policy kubelet pulls it anew at each start.
    # The injected readiness probe looks every 15 s, without a startup probe before it: a gateway whose first look comes
    # too early stays unready that long. These are the numbers that istiod's own values.yaml recommends for such pods.
    "gateway": {
        "imagePullPolicy": "IfNotPresent",
        "readinessProbe": {
            "httpGet": {"path": "/healthz/ready", "port": names.STATUS_PORT},
            "initialDelaySeconds": 1,
            "periodSeconds": 2,
            "timeoutSeconds": 3,
            "failureThreshold": 30,
        },
    },
}
"""What we prefer but leave to the user."""

_CONFIG_VOLUME = "istio-mesh-config"

ADDED: Mapping[str, Mapping[str, Values]] = {
    "istiod": {
        # The chart's objects are made all at once, and istiod takes the ConfigMaps as optional: started before them it
        # runs without an injector, and on default mesh config, for good. A volume that requires them holds it back.
        "volumes": {
            "name": _CONFIG_VOLUME,
            "projected": {
                "sources": [{"configMap": {"name": "istio"}}, {"configMap": {"name": names.INJECTOR_CONFIG}}]
            },
        },
        "volumeMounts": {"name": _CONFIG_VOLUME, "mountPath": "/var/run/istio-mesh/config", "readOnly": True},
    },
}
"""One entry for each of a chart's lists, beside those that the user gives; in clusters with an istiod of their own."""

FORBIDDEN: Mapping[str, Mapping[str, str]] = {
    "base": {
        "profile": "the mesh decides which clusters are remote",
        "defaults": "the charts refuse to render with it",
        "_internal_defaults_do_not_set": "the charts refuse it",
        "defaultRevision": "the mesh's istiod has no revision",
    },
    "istiod": {
        "profile": "the mesh decides which clusters are remote",
        "defaults": "the charts refuse to render with it",
        "_internal_defaults_do_not_set": "the charts refuse it",
        "pilot": "the chart lays it over the top level, so it could change the mesh's wiring unseen; "
        "write the same keys without pilot",
        "revision": "the mesh's istiod has no revision",
        "revisionTags": "the mesh's istiod has no revision",
        "istiodRemote": "the mesh decides which clusters are remote",
        "global.meshNetworks": "networks follow from the clusters' network",
        "global.remotePilotAddress": "the mesh decides which clusters are remote",
        "global.configCluster": "the mesh decides which clusters are remote",
        "global.caAddress": "istiod is the mesh's certificate authority",
        "global.pilotCertProvider": "istiod is the mesh's certificate authority",
        "env.CLUSTER_ID": "it is the cluster's name",
        "env.EXTERNAL_ISTIOD": "the mesh sets it through global.externalIstiod",
        "meshConfig.caCertificates": "roots come from trust",
        "meshConfig.trustDomainAliases": "an alias merges identities; it is no way to trust another mesh",
        "meshConfig.rootNamespace": "it is istio-system in every cluster",
    },
    "gateway": {
        "defaults": "the charts refuse to render with it",
        "_internal_defaults_do_not_set": "the charts refuse it",
        "networkGatewayPorts": "the Service is the mesh's; give east_west_gateway.ports",
        "labels.istio": "the Service selects the gateway's pods by it",
        "labels.app": "the Service selects the gateway's pods by it",
        "revision": "the mesh's istiod has no revision",
    },
}
"""Keys that no user value may touch, with why, besides those that the wiring itself sets."""


def chart_values(topology: Topology, cluster: str, chart: str, wiring: Values | None = None) -> Values:
    """Return what the chart is rendered with: our defaults, the mesh's values, the cluster's, the wiring last.

    `wiring` stands instead of the chart's usual one.
    """
    values = merged(
        DEFAULTS.get(chart, {}),
        topology.values.get(chart, {}),
        topology.clusters[cluster].values.get(chart, {}),
        WIRING[chart](topology, cluster) if wiring is None else wiring,
    )
    entries = {} if topology.is_remote(cluster) else ADDED.get(chart, {})
    added = {key: [*(values.get(key) or []), entry] for key, entry in entries.items()}
    return {**values, **added}


def with_cni(topology: Topology, cluster: str) -> bool:
    """Return whether istio-cni redirects the traffic of the cluster's pods, and not istio-init in each of them.

    Said by the user's values for the istiod that injects them: the mesh's, and its own cluster's over those.
    """
    primary = topology.primary_of(cluster)
    # Asked for by rules too, before it is known that there is such a cluster.
    own = topology.clusters[primary].values if primary in topology.clusters else {}
    cni = merged(topology.values.get("istiod", {}), own.get("istiod", {})).get("cni")
    return isinstance(cni, Mapping) and bool(cni.get("enabled"))


def merged(*layers: Mapping[str, Any]) -> Values:
    """Merge mappings deeply; where two disagree the later one wins. Lists are replaced, as Helm does."""
    result: Values = {}
    for layer in layers:
        for key, value in layer.items():
            below = result.get(key)
            both = isinstance(below, Mapping) and isinstance(value, Mapping)
            result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result


def conflicts(given: Mapping[str, Any], topology: Topology, cluster: str, chart: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each given value that would change the mesh's own wiring, and why it may not."""
    for path, reason in FORBIDDEN[chart].items():
        if _at(given, path) is not None:
            yield path, reason
    for path, ours in _leaves(WIRING[chart](topology, cluster)):
        theirs = _at(given, path)
        named_above = any(path == other or path.startswith(f"{other}.") for other in FORBIDDEN[chart])
        if theirs is not None and theirs != ours and not named_above:
            yield path, f"the mesh sets it to {ours!r}"


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _at(tree: Mapping[str, Any], path: str) -> Any:
    """Return the value at the path, or at the nearest key above it that is no mapping; None when nothing is there."""
    here: Any = tree
    for key in path.split("."):
        if not isinstance(here, Mapping):
            return here
        if key not in here:
            return None
        here = here[key]
    return here
