"""Helm values of Istio's charts: the mesh's own wiring, and the user's values merged under it.

Only plain facts enter: a late value in a chart's values makes a Pulumi preview show the whole chart as deleted
(pulumi-kubernetes#3699), so late mesh config goes into `names.SHARED_MESH_CONFIG` instead.
Keys were read from the charts of Istio 1.31.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..topology.models import Topology
from ..topology.names import DEFAULT_REVISION
from . import names
from .versions import CRDS, IMAGE_HUB, minor_number

Values = dict[str, Any]


def base(topology: Topology, cluster: str) -> Values:
    """Return the wiring of chart `base`, which is installed in two parts: `crds` and `base_objects`."""
    settings: Values = {"enableCRDTemplates": True}
    if not topology.is_remote(cluster):
        # istiod edits Ignore to Fail by itself, which would be drift on every refresh (istio/istio#45204). In a remote
        # nobody gives the validator a caBundle, so Fail would refuse every Istio object there.
        settings["validationFailurePolicy"] = "Fail"
    wiring = {"base": settings, "global": {"istioNamespace": names.NAMESPACE, "externalIstiod": True}}
    return {**_REMOTE, **wiring} if topology.is_remote(cluster) else wiring


def crds(topology: Topology, cluster: str) -> Values:
    """Return the values with which chart `base` is the CRDs and nothing else.

    Apart from the rest, because Helm keeps CRDs when their release goes: so the release can be forgotten without
    asking the cluster, which may be dead.
    """
    only = {"global": {"resourceScope": "cluster"}, "defaultRevision": ""}
    return chart_values(topology, cluster, "base", merged(base(topology, cluster), only))


def base_objects(topology: Topology, cluster: str) -> Values:
    """Return the values with which chart `base` is what is no CRD: the reader account, the default validator."""
    rest = {"base": {"excludedCRDs": list(CRDS)}, "defaultRevision": topology.revision_of(cluster)}
    return chart_values(topology, cluster, "base", merged(base(topology, cluster), rest))


_REMOTE = {"profile": "remote"}
"""What turns a chart into its remote form. Source: istio/istio manifests/helm-profiles/remote.yaml."""


def istiod(topology: Topology, cluster: str, revision: str | None = None) -> Values:
    """Return the wiring of chart `istiod`: a control plane, or in a remote cluster what leads to its primary's.

    Of one revision, or where none is named of the one that serves what names none.
    """
    revision = revision or topology.revision_of(cluster)
    found = (_remote if topology.is_remote(cluster) else _primary)(topology, cluster, revision)
    return found if revision == DEFAULT_REVISION else {**found, "revision": revision}


def injection_path(topology: Topology, cluster: str) -> str:
    """Return the path of istiod by which it gives pods of a cluster their proxies.

    By this path, not by its values, a remote's injector knows which cluster and network a pod is in.
    Source: istio/istio pkg/kube/inject/webhook.go parseInjectEnvs.
    """
    if not topology.is_remote(cluster):
        return "/inject"
    return f"/inject/cluster/{cluster}/net/{topology.network_of(cluster)}"


def _remote(topology: Topology, cluster: str, revision: str) -> Values:
    return {
        **_REMOTE,
        "global": {
            **_installation(topology, cluster, revision),
            "network": topology.network_of(cluster),
            "multiCluster": {"clusterName": cluster},
            # Istio's objects are read in the primary only, so no right to serve them is needed here.
            "configCluster": False,
        },
        "istiodRemote": {"injectionPath": injection_path(topology, cluster)},
        # Without a mesh config of its own the primary takes the cluster's trust domain for cluster.local, and its
        # proxies would expect identities that nobody has. Source: istio/istio pkg/config/mesh/meshwatcher.
        "configMap": True,
        "meshConfig": _identities(topology),
    }


def _identities(topology: Topology) -> Values:
    found: Values = {"trustDomain": topology.identity_domain}
    if topology.trust_domain_aliases:
        found["trustDomainAliases"] = list(topology.trust_domain_aliases)
    return found


def _installation(topology: Topology, cluster: str, revision: str) -> Values:
    found: Values = {
        "hub": topology.image_hub or IMAGE_HUB,
        "tag": topology.version_of(cluster, revision),
        "istioNamespace": names.NAMESPACE,
        "meshID": topology.mesh_id,
    }
    if topology.image_pull_secrets:
        found["imagePullSecrets"] = list(topology.image_pull_secrets)
    # The webhooks of what names no revision are those of the tag `default`, which may lead elsewhere.
    by_tag = topology.revisioned and revision == DEFAULT_REVISION
    return {**found, "operatorManageWebhooks": True} if by_tag else found


def _primary(topology: Topology, cluster: str, revision: str) -> Values:
    proxy_metadata = {
        # Lets a proxy learn further roots over XDS; turned on later it would restart every workload (docs/adr/0003).
        "PROXY_CONFIG_XDS_AGENT": "true",
    }
    if topology.dns_capture:
        proxy_metadata["ISTIO_META_DNS_CAPTURE"] = "true"
    mesh_config: Values = {
        **_identities(topology),
        "defaultConfig": {"proxyMetadata": proxy_metadata},
    }
    if topology.cluster_local:
        mesh_config["serviceSettings"] = [
            {"settings": {"clusterLocal": True}, "hosts": list(topology.cluster_local)},
        ]
    return {
        "base": {"validationFailurePolicy": "Fail"},
        "global": {
            **_installation(topology, cluster, revision),
            "externalIstiod": True,
            "network": topology.network_of(cluster),
            "multiCluster": {"clusterName": cluster},
        },
        "env": {"ISTIO_MULTIROOT_MESH": "true", "SHARED_MESH_CONFIG": names.SHARED_MESH_CONFIG},
        "meshConfig": mesh_config,
        "deploymentAnnotations": {_DEPENDS_ON: _outlives(names.of_revision(names.MESH_CONFIG, revision))},
        # The provider watches a Service for ten seconds; the gate on the injector's webhook says more, sooner.
        "serviceAnnotations": {"pulumi.com/skipAwait": "true"},
    }


_DEPENDS_ON = "config.kubernetes.io/depends-on"


def _outlives(config_map: str) -> str:
    """Return what has a ConfigMap made before istiod, and deleted after it.

    An istiod whose mesh config is gone tells its proxies the default one, and with that the trust domain cluster.local:
    those of a cluster that leaves the mesh would refuse each other's calls, for as long as they run.
    Source: pulumi-kubernetes provider/pkg/provider/yaml/v2, by sigs.k8s.io/cli-utils pkg/object/dependson.
    """
    return f"/namespaces/{names.NAMESPACE}/ConfigMap/{config_map}"


def gateway(topology: Topology, cluster: str) -> Values:
    """Return the wiring of chart `gateway` as the east-west gateway; its Service is ours and survives upgrades."""
    return {
        "name": names.EAST_WEST_GATEWAY,
        "networkGateway": topology.network_of(cluster),
        "service": {"type": "None"},
        **_pinned(topology, cluster),
        **_pull_secrets(topology),
    }


def _pull_secrets(topology: Topology) -> Values:
    """Return the Secrets as chart `gateway` takes them: as a pod does."""
    secrets = [{"name": name} for name in topology.image_pull_secrets]
    return {"imagePullSecrets": secrets} if secrets else {}


def _pinned(topology: Topology, cluster: str) -> Values:
    """Return what makes a gateway's pods anew when another revision serves what names none."""
    revision = topology.revision_of(cluster)
    return {} if revision == DEFAULT_REVISION else {"revision": revision}


def federation_gateway(topology: Topology, cluster: str) -> Values:
    """Return the wiring of chart `gateway` as the federation gateway: of no network, so that no other one calls it.

    One that is told to end stays until nobody is connected, and at most the chart's 30 seconds: importers use a
    connection for less.
    Source: istio/istio pkg/envoy/agent.go, EXIT_ON_ZERO_ACTIVE_CONNECTIONS; it stays for five seconds at least.
    """
    env = {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"}
    own = {"name": names.FEDERATION_GATEWAY, "service": {"type": "None"}, "env": env}
    return {**own, **_pinned(topology, cluster), **_pull_secrets(topology)}


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

_WAITS_FOR_CALLERS: Values = {
    "env": {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"},
    "terminationGracePeriodSeconds": 90,
}
"""Of an east-west gateway: told to end it stays until nobody is connected, so that no call is cut off (`_proxies`).
Source: istio/istio pkg/envoy/agent.go, EXIT_ON_ZERO_ACTIVE_CONNECTIONS."""


def _proxies(version: str) -> Values:
    """Return how long an HTTP connection is used: a gateway between two clusters can't end one between two calls.

    Who is called says so with an answer, and the caller ends it. Within the drain timeout, that is: after it Envoy ends
    a connection of HTTP/1 that nobody uses by itself, and a call that is under way to it then is lost. By default it is
    5 s, too little for a caller of few calls; here it is as long as one may be idle anyway.
    Source: istio.io, ops/configuration/traffic-management/edge-proxy, not known before 1.31; envoyproxy/envoy#34356.
    """
    if (minor_number(version) or 0) < 31:
        return {}
    connections = {"httpMaxConnectionDuration": "60s", "httpDrainTimeout": "3600s"}
    return {"meshConfig": {"defaultConfig": {"connectionSettings": connections}}}


_CONFIG_VOLUME = "istio-mesh-config"


def _added(revision: str) -> Mapping[str, Values]:
    """Return one entry for each of these lists of chart istiod, beside those that the user gives.

    The chart's objects are made all at once, and istiod takes the ConfigMaps as optional: started before them it runs
    without an injector, and on default mesh config, for good. A volume that requires them holds it back.
    """
    needed = [names.of_revision(name, revision) for name in (names.MESH_CONFIG, names.INJECTOR_CONFIG)]
    sources = [{"configMap": {"name": name}} for name in needed]
    return {
        "volumes": {"name": _CONFIG_VOLUME, "projected": {"sources": sources}},
        "volumeMounts": {"name": _CONFIG_VOLUME, "mountPath": "/var/run/istio-mesh/config", "readOnly": True},
    }


def _with_authority(volume: Values) -> Values:
    """Return that volume so that istiod waits for `cacerts`, too, which somebody else applies, maybe later.

    Started before it, istiod makes a root of its own.
    """
    needed = {"secret": {"name": names.CACERTS, "items": [{"key": "root-cert.pem", "path": "root-cert.pem"}]}}
    return {**volume, "projected": {"sources": [*volume["projected"]["sources"], needed]}}


FORBIDDEN: Mapping[str, Mapping[str, str]] = {
    "base": {
        "profile": "the mesh decides which clusters are remote",
        "global.profile": "the mesh decides which clusters are remote",
        "defaults": "the charts refuse to render with it",
        "_internal_defaults_do_not_set": "the charts refuse it",
        "base.validationURL": "the validator is the mesh's istiod",
        "base.validationCABundle": "the validator is the mesh's istiod",
        "defaultRevision": "it is the revision behind the tag default of revision_tags",
        "global.resourceScope": "the mesh installs CRDs and the rest of the chart apart",
    },
    "istiod": {
        "profile": "the mesh decides which clusters are remote",
        "global.profile": "the mesh decides which clusters are remote",
        "podLabels.app": "Services select istiod's pods by it",
        "podLabels.istio": "Services select istiod's pods by it",
        "podLabels.istio.io/rev": "which istiods run is said by revisions",
        "podLabels.sidecar.istio.io/inject": "istiod is what injects",
        "defaults": "the charts refuse to render with it",
        "_internal_defaults_do_not_set": "the charts refuse it",
        "pilot": "the chart lays it over the top level, so it could change the mesh's wiring unseen; "
        "write the same keys without pilot",
        "revision": "which istiods run is said by revisions",
        "revisionTags": "tags are given as revision_tags",
        "global.operatorManageWebhooks": "by these webhooks pods get their proxies",
        "istiodRemote": "the mesh decides which clusters are remote",
        "tag": "istiod's version is istio_version; an image by digest is image",
        "meshConfig.defaultConfig.discoveryAddress": "the mesh decides which istiod serves a cluster",
        "global.meshNetworks": "networks follow from the clusters' network",
        "global.remotePilotAddress": "the mesh decides which clusters are remote",
        "global.configCluster": "the mesh decides which clusters are remote",
        "global.caAddress": "istiod is the mesh's certificate authority",
        "global.pilotCertProvider": "istiod is the mesh's certificate authority",
        "env.CLUSTER_ID": "it is the cluster's name",
        "env.EXTERNAL_ISTIOD": "the mesh sets it through global.externalIstiod",
        "meshConfig.caCertificates": "roots come from trust",
        "meshConfig.trustDomainAliases": "it is trust_domain_aliases, for identities that the mesh had before",
        "meshConfig.rootNamespace": "it is istio-system in every cluster",
    },
    "gateway": {
        "defaults": "the charts refuse to render with it",
        "_internal_defaults_do_not_set": "the charts refuse it",
        "networkGatewayPorts": "the Service is the mesh's; give east_west_gateway.ports",
        "labels.istio": "the Service selects the gateway's pods by it",
        "labels.app": "the Service selects the gateway's pods by it",
        "labels.sidecar.istio.io/inject": "a gateway is what is injected into its pods",
        "labels.istio.io/rev": "gateways are of the revision behind the tag default of revision_tags",
        "labels.topology.istio.io/network": "networks follow from the clusters' network",
        "podAnnotations.sidecar.istio.io/inject": "a gateway is what is injected into its pods",
        "podAnnotations.inject.istio.io/templates": "a gateway is what is injected into its pods",
        "env.ISTIO_META_NETWORK": "networks follow from the clusters' network",
        "env.ISTIO_META_REQUESTED_NETWORK_VIEW": "networks follow from the clusters' network",
        "revision": "gateways are of the revision behind the tag default of revision_tags",
    },
}
"""Keys that no user value may touch, with why, besides those that the wiring itself sets."""


def _is(value: Any) -> Callable[[Any], bool]:
    return lambda given: given == value and type(given) is type(value)


NEEDED: Mapping[str, Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "base": {},
    "istiod": {
        "configMap": (_is(True), "istiod starts only with its mesh config"),
        "global.omitSidecarInjectorConfigMap": (_is(False), "istiod starts only with what it injects"),
        "global.resourceScope": (_is("all"), "the mesh needs all of the chart"),
        "global.proxy.autoInject": (_is("enabled"), "gateways get their proxies by injection"),
        "global.proxy.clusterDomain": (_is("cluster.local"), "the mesh names Services by cluster.local"),
        "meshConfig.enableAutoMtls": (_is(True), "gateways between networks pass nothing but mTLS on"),
    },
    "gateway": {
        "kind": (_is("Deployment"), "a gateway's pods are replaced one after the other, once the next is ready"),
        "replicaCount": (lambda given: str(given) != "0", "other clusters would call a gateway without pods"),
        "global.networkPolicy.enabled": (
            _is(False),
            "the chart's policy lets in ports 80 and 443, and none of the mesh's; a policy of your own can",
        ),
        "autoscaling.minReplicas": (
            lambda given: str(given) != "0",
            "other clusters would call a gateway without pods",
        ),
    },
}
"""Keys that a user may repeat at what the mesh works with, by what is allowed, and why nothing else is."""


KINDS: Mapping[str, Mapping[str, tuple[type[Any], str]]] = {
    "base": {},
    "istiod": {
        "volumes": (list, "it is a list, to which the mesh adds what istiod waits for"),
        "volumeMounts": (list, "it is a list, to which the mesh adds what istiod waits for"),
        "sidecarInjectorWebhook": (dict, "it is a mapping, of which the webhooks of tags are made, too"),
        "global.proxy_init": (dict, "it is a mapping, by which the mesh knows an image"),
    },
    "gateway": {},
}
"""Keys of what the mesh itself reads or adds to, by the kind that it must be, and why."""


def chart_values(
    topology: Topology, cluster: str, chart: str, wiring: Values | None = None, *, revision: str | None = None
) -> Values:
    """Return what the chart is rendered with: our defaults, the mesh's values, the cluster's, the wiring last.

    `wiring` stands instead of the chart's usual one. `revision` is that of an istiod; when left out, the one that
    serves what names none.
    """
    revision = revision or topology.revision_of(cluster)
    usual = istiod(topology, cluster, revision) if chart == "istiod" else WIRING[chart](topology, cluster)
    runs_istiod = chart == "istiod" and not topology.is_remote(cluster)
    values = merged(
        DEFAULTS.get(chart, {}),
        _WAITS_FOR_CALLERS if chart == "gateway" and wiring is None else {},
        _proxies(topology.version_of(cluster, revision)) if runs_istiod else {},
        topology.values.get(chart, {}),
        topology.clusters[cluster].values.get(chart, {}),
        usual if wiring is None else wiring,
    )
    added = _added(revision) if runs_istiod else {}
    if topology.render_to is not None and added:
        added = {**added, "volumes": _with_authority(added["volumes"])}
    return {**values, **{key: [*(values.get(key) or []), entry] for key, entry in added.items()}}


def with_cni(topology: Topology, cluster: str) -> bool:
    """Return whether istio-cni redirects the traffic of the cluster's pods, and not istio-init in each of them.

    Said by the user's values for the istiod that injects them: the mesh's, and its own cluster's over those.
    """
    primary = topology.primary_of(cluster)
    # Asked for by rules too, before it is known that there is such a cluster.
    own = topology.clusters[primary].values if primary in topology.clusters else {}
    cni = merged(topology.values.get("istiod", {}), own.get("istiod", {})).get("cni")
    return isinstance(cni, Mapping) and bool(cni.get("enabled"))


def workload_certificate_validity(topology: Topology, cluster: str) -> dt.timedelta:
    """Return for how long the certificates of the cluster's workloads are valid: a day, or what the user's values say.

    Source: istio/istio pilot/cmd/pilot-agent/options/options.go, SECRET_TTL.
    """
    metadata = _at(istiod_values(topology, cluster), "meshConfig", "defaultConfig", "proxyMetadata", "SECRET_TTL")
    parts = re.fullmatch(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", str(metadata or ""))
    hours, minutes, seconds = (int(part or 0) for part in parts.groups()) if parts else (0, 0, 0)
    return dt.timedelta(hours=hours, minutes=minutes, seconds=seconds) or dt.timedelta(days=1)


def istiod_values(topology: Topology, cluster: str, revision: str | None = None) -> Values:
    """Return the values of the istiod that serves a cluster, the user's among them."""
    return chart_values(topology, topology.primary_of(cluster), "istiod", revision=revision)


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
    given = _with_env_of_lists(given)
    for path, reason in FORBIDDEN[chart].items():
        if _under(given, path) is not None:
            yield path, reason
    for path, (allowed, reason) in NEEDED[chart].items():
        found = _under(given, path)
        if found is not None and not allowed(found):
            yield path, reason
    for path, (kind, reason) in KINDS[chart].items():
        # Charts take what is empty for what isn't there.
        if (found := _under(given, path)) and not isinstance(found, kind):
            yield path, reason
    guarded = (*FORBIDDEN[chart], *NEEDED[chart])
    for keys, ours in _leaves(WIRING[chart](topology, cluster)):
        theirs, path = _at(given, *keys), ".".join(keys)
        named_above = any(path == other or path.startswith(f"{other}.") for other in guarded)
        if theirs is not None and theirs != ours and not named_above:
            yield path, f"the mesh sets it to {ours!r}"


def _with_env_of_lists(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return values with `envVarFrom` among `env`: the charts put both into one list, where a name may stand once."""
    entries, env = given.get("envVarFrom"), given.get("env") or {}
    if not isinstance(entries, list) or not isinstance(env, Mapping):
        return given
    # A name that is no text is none that anything could be hidden behind.
    named = {
        entry["name"]: entry for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
    }
    return {**given, "env": {**env, **named}}


def _under(tree: Any, path: str) -> Any:
    """Return the value at a path of keys that may hold dots, or at the nearest of them that is no mapping."""
    if not isinstance(tree, Mapping):
        return tree
    for key, value in tree.items():
        if path == key:
            return value
        if path.startswith(f"{key}.") and (found := _under(value, path[len(str(key)) + 1 :])) is not None:
            return found
    return None


def _leaves(tree: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, *above, key)
        else:
            yield (*above, key), value


def _at(tree: Mapping[str, Any], *keys: str) -> Any:
    """Return the value below the keys, or at the nearest of them that is no mapping; None when nothing is there."""
    here: Any = tree
    for key in keys:
        if not isinstance(here, Mapping):
            return here
        if key not in here:
            return None
        here = here[key]
    return here
