"""Wrong topologies, each with what it is told and with its nearest allowed neighbour.

Read by `test_refused.py` (nothing but the pure rules) and by `components/test_nothing_is_registered.py` (a program).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from pulumi_istio_mesh.rules import today

from ..builders import mesh_tree
from .wrong_gke import GKE
from .wrong_rendered import RENDERED
from .wrong_row import Wrong
from .wrong_sharing import SHARING

FLAT = {"network": "vpc"}
ANNOTATION = "service.beta.kubernetes.io/"


def east(**facts: Any) -> dict[str, Any]:
    """The usual mesh with facts of one of its clusters."""
    return mesh_tree(clusters={"east": facts, "west": {}})


def named(*names: str) -> dict[str, Any]:
    """A mesh of clusters with these names."""
    return mesh_tree(clusters={name: {} for name in names})


def flat(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Two clusters on one network."""
    return mesh_tree(clusters={"east": {**FLAT, **left}, "west": {**FLAT, **right}})


def apart(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Two clusters on two networks."""
    return mesh_tree(clusters={"east": left, "west": right})


def gateway(**facts: Any) -> dict[str, Any]:
    """The usual mesh with facts of one cluster's east-west gateway."""
    return east(east_west_gateway=facts)


def annotated(key: str, value: str) -> dict[str, Any]:
    """The usual mesh with one annotation on an east-west gateway's Service."""
    return gateway(annotations={key: value})


def rooted(*roots: dict[str, Any], **trust: Any) -> dict[str, Any]:
    """The usual mesh with these root generations."""
    return mesh_tree(trust={"roots": list(roots), **trust})


def charted(**values: Any) -> dict[str, Any]:
    """The usual mesh with Helm values for every cluster."""
    return mesh_tree(values=values)


NEW, OLD = {"issued": "2026-11-23"}, {"issued": "2026-01-01"}
OWN = "the mesh's own arguments decide it"
LABEL = "at most 63 characters, such as east-1"
URL = "https:// URL of the API server as pods of the other clusters reach it"
PORT = "choose another name and number, or remove the port"
TCP = "port 15443 must pass through as TCP"
SHAPE = "see docs/topology.md for the shape"
VERSION = 'istio_version: "1.31.1"'

SHAPES = {
    "an Istio version that YAML read as a number": Wrong(
        mesh_tree(istio_version=1.31), "topology-shape", "istio_version", VERSION, mesh_tree(istio_version="1.31.0")
    ),
    "no Istio version": Wrong(mesh_tree(istio_version=...), "missing-key", "istio_version", VERSION, mesh_tree()),
    "no clusters key": Wrong(
        mesh_tree(clusters=...), "missing-key", "clusters", "clusters: {east: {network: vpc}}", mesh_tree()
    ),
    "clusters as a list": Wrong(
        mesh_tree(clusters=["east", "west"]),
        "topology-shape",
        "clusters",
        "clusters: {east: {network: vpc}}",
        named("east", "west"),
    ),
    "a cluster that is text": Wrong(
        mesh_tree(clusters={"east": "10.8.0.0/14"}), "topology-shape", "clusters.east", SHAPE, named("east")
    ),
    "a cluster that is empty in YAML": Wrong(
        mesh_tree(clusters={"east": None}), "topology-shape", "clusters.east", "east: {}", named("east")
    ),
    "waves that are one list": Wrong(
        {**named("east", "west"), "waves": ["east"]},
        "topology-shape",
        "waves.0",
        "waves: [[canary], [east, west]]",
        {**named("east", "west"), "waves": [["east"]]},
    ),
    "a word that is nearly one of those there are": Wrong(
        mesh_tree(mtls="permisive"), "topology-shape", "mtls", "mtls: permissive", mesh_tree(mtls="permissive")
    ),
    "a generation that YAML read as a day": Wrong(
        rooted(NEW, signer=dt.date(2026, 11, 23)),
        "topology-shape",
        "trust.signer",
        'signer: "2026-11-23"',
        rooted(NEW, signer="2026-11-23"),
    ),
    "a token's generation in capitals": Wrong(
        east(reader_token="B"),
        "topology-shape",
        "clusters.east.reader_token",
        "reader_token: b",
        east(reader_token="b"),
    ),
    "a misspelt key of the mesh": Wrong(
        mesh_tree(mtl="strict"), "unknown-key", "mtl", "values, verify, waves", mesh_tree(mtls="strict")
    ),
    "a misspelt key of a cluster": Wrong(
        east(pod_cidrs="10.8.0.0/14"),
        "unknown-key",
        "clusters.east.pod_cidrs",
        "retain_on_delete, revision_tags, service_cidr, values, verify",
        east(pod_cidr="10.8.0.0/14"),
    ),
    "a misspelt key of a gateway": Wrong(
        gateway(adress="203.0.113.7"),
        "unknown-key",
        "clusters.east.east_west_gateway.adress",
        "load_balancer_class, ports, source_ranges, timeout_seconds, type",
        gateway(address="203.0.113.7"),
    ),
    "a misspelt key of a root": Wrong(
        rooted({"issued": "2026-11-23", "day": 10}),
        "unknown-key",
        "trust.roots.0.day",
        "days, generation, issued, key, trust_domains",
        rooted({"issued": "2026-11-23", "days": 3650}),
    ),
    "a pod range that starts in its middle": Wrong(
        east(pod_cidr="10.8.0.1/14"),
        "topology-shape",
        "clusters.east.pod_cidr",
        "pod_cidr: 10.8.0.0/14",
        east(pod_cidr="10.8.0.0/14"),
    ),
    "a pod range that is an address's name": Wrong(
        east(pod_cidr="pods"),
        "topology-shape",
        "clusters.east.pod_cidr",
        "pod_cidr: 10.8.0.0/14",
        east(pod_cidr="10.8.0.0/14,fd00::/48"),
    ),
    "service ranges as a list": Wrong(
        east(service_cidr=["10.96.0.0/16"]),
        "topology-shape",
        "clusters.east.service_cidr",
        "service_cidr: 10.96.0.0/16",
        east(service_cidr="10.96.0.0/16"),
    ),
    "an unknown mTLS mode": Wrong(mesh_tree(mtls="off"), "topology-shape", "mtls", SHAPE, mesh_tree(mtls="permissive")),
    "an unknown way with CRDs": Wrong(
        east(crds="skip"), "topology-shape", "clusters.east.crds", SHAPE, east(crds="external")
    ),
    "protect that is neither yes nor no": Wrong(
        east(protect="perhaps"), "topology-shape", "clusters.east.protect", SHAPE, east(protect=True)
    ),
    "no time to wait for an address": Wrong(
        gateway(timeout_seconds=0),
        "topology-shape",
        "clusters.east.east_west_gateway.timeout_seconds",
        SHAPE,
        gateway(timeout_seconds=1),
    ),
    "an unknown type of Service": Wrong(
        gateway(type="ExternalName"),
        "topology-shape",
        "clusters.east.east_west_gateway.type",
        SHAPE,
        gateway(type="NodePort"),
    ),
    "an annotation that is a number": Wrong(
        gateway(annotations={"a": 1}),
        "topology-shape",
        "clusters.east.east_west_gateway.annotations.a",
        SHAPE,
        gateway(annotations={"a": "1"}),
    ),
    "a port beyond the last one": Wrong(
        gateway(ports=[{"name": "more", "port": 65536}]),
        "topology-shape",
        "clusters.east.east_west_gateway.ports.0.port",
        SHAPE,
        gateway(ports=[{"name": "more", "port": 65535}]),
    ),
    "a kind of trust that isn't there": Wrong(
        mesh_tree(trust={"kind": "vault"}), "topology-shape", "trust.kind", SHAPE, mesh_tree(trust={"kind": "external"})
    ),
    "a key that istiod can't sign with": Wrong(
        rooted({**NEW, "key": "ED25519"}),
        "topology-shape",
        "trust.roots.0.key",
        SHAPE,
        rooted({**NEW, "key": "RSA-2048"}),
    ),
    "a root for no day": Wrong(
        rooted({**NEW, "days": 0}), "topology-shape", "trust.roots.0.days", SHAPE, rooted({**NEW, "days": 731})
    ),
    "a generation that is no label": Wrong(
        rooted({**NEW, "generation": "Root A"}),
        "topology-shape",
        "trust.roots.0.generation",
        "generation: b",
        rooted({**NEW, "generation": "a"}),
    ),
    "values that are no mapping": Wrong(
        charted(istiod="autoscaleMin=2"), "topology-shape", "values.istiod", SHAPE, charted(istiod={"autoscaleMin": 2})
    ),
}

CLUSTERS = {
    "no cluster at all": Wrong(
        mesh_tree(clusters={}), "no-clusters", "clusters", 'clusters: {east: {network: "vpc"}}', named("east")
    ),
    "a cluster called Kubernetes": Wrong(
        named("Kubernetes"), "cluster-name", "clusters.Kubernetes", LABEL, named("kubernetes-1")
    ),
    "a cluster called kubernetes": Wrong(
        named("kubernetes"), "cluster-name", "clusters.kubernetes", LABEL, named("my-kubernetes")
    ),
    "a cluster in capitals": Wrong(named("East"), "cluster-name", "clusters.East", LABEL, named("east")),
    "a cluster with an underscore": Wrong(named("east_1"), "cluster-name", "clusters.east_1", LABEL, named("east-1")),
    "a cluster with a dot": Wrong(named("east.eu"), "cluster-name", "clusters.east.eu", LABEL, named("east-eu")),
    "a cluster that ends in a hyphen": Wrong(named("east-"), "cluster-name", "clusters.east-", LABEL, named("e-ast")),
    "a cluster with 64 characters": Wrong(
        named("e" * 64), "cluster-name", f"clusters.{'e' * 64}", LABEL, named("e" * 63)
    ),
    "a mesh ID in capitals": Wrong(
        mesh_tree(mesh_id="Prod"), "mesh-id", "mesh_id", "such as mesh_id: prod", mesh_tree()
    ),
    "a mesh ID with 41 characters": Wrong(
        mesh_tree(mesh_id="m" * 41), "mesh-id", "mesh_id", "such as mesh_id: prod", mesh_tree(mesh_id="m" * 40)
    ),
    "a mesh ID with a dot": Wrong(
        mesh_tree(mesh_id="prod.eu"), "mesh-id", "mesh_id", "such as mesh_id: prod", mesh_tree(mesh_id="prod-eu")
    ),
    "a network with a slash": Wrong(
        east(network="projects/vpc"),
        "network-name",
        "clusters.east.network",
        "at most 63 characters, such as vpc",
        east(network="projects-vpc"),
    ),
    "clusters whose remote secrets would share a name": Wrong(
        named("a", "b-remote-c", "a-remote-b", "c"),
        "ambiguous-names",
        "clusters.a-remote-b",
        'without "-remote-" in it, instead of a-remote-b or c',
        named("a", "b-remote-c", "a-remote-d", "c"),
    ),
    "a primary that is not in the mesh": Wrong(
        east(primary="plant"),
        "primary-unknown",
        "clusters.east.primary",
        "leave clusters.east.primary out to give east its own control plane",
        east(primary="east"),
    ),
    "a primary without a name": Wrong(
        east(primary=""),
        "primary-unknown",
        "clusters.east.primary",
        "leave clusters.east.primary out to give east its own control plane",
        east(),
    ),
    "a primary that is a remote": Wrong(
        mesh_tree(clusters={"east": {"primary": "west"}, "west": {"primary": "plant"}, "plant": {}}),
        "primary-is-remote",
        "clusters.east.primary",
        "clusters.east.primary: plant",
        mesh_tree(clusters={"east": {"primary": "plant"}, "west": {"primary": "plant"}, "plant": {}}),
    ),
    "a cluster to discover that there is not": Wrong(
        east(discovers=["plant"]),
        "discovers-unknown",
        "clusters.east.discovers.0",
        "remove plant from clusters.east.discovers",
        east(discovers=["west"]),
    ),
    "a cluster that discovers itself": Wrong(
        east(discovers=["west", "east"]),
        "discovers-unknown",
        "clusters.east.discovers.1",
        "remove east from clusters.east.discovers",
        east(discovers=[]),
    ),
    "a cluster to discover twice": Wrong(
        east(discovers=["west", "west"]),
        "discovers-unknown",
        "clusters.east.discovers.1",
        "remove west from clusters.east.discovers",
        east(discovers=["west"]),
    ),
    "a stranger evicted": Wrong(
        mesh_tree(clusters={"east": {}, "west": {}}, evicted=["plant"]),
        "evicted-unknown",
        "evicted.0",
        "remove plant from evicted",
        mesh_tree(clusters={"east": {}, "west": {}}, evicted=["west"]),
    ),
    "a cluster evicted twice": Wrong(
        mesh_tree(clusters={"east": {}, "west": {}}, evicted=["west", "west"]),
        "evicted-unknown",
        "evicted.1",
        "name west once",
        mesh_tree(clusters={"east": {}, "west": {}}, evicted=["west"]),
    ),
    "all clusters evicted": Wrong(
        mesh_tree(clusters={"east": {}, "west": {}}, evicted=["west", "east"]),
        "evicted-all",
        "evicted",
        "PULUMI_K8S_DELETE_UNREACHABLE=true where a cluster is dead",
        mesh_tree(clusters={"east": {}, "west": {}}, evicted=["west"]),
    ),
    "a remote of an evicted primary": Wrong(
        mesh_tree(clusters={"east": {}, "west": {"primary": "east"}, "plant": {}}, evicted=["east"]),
        "evicted-primary",
        "clusters.west.primary",
        "clusters.west.primary: plant",
        mesh_tree(clusters={"east": {}, "west": {"primary": "plant"}, "plant": {}}, evicted=["east"]),
    ),
    "a remote cluster that is to discover others": Wrong(
        east(primary="west", discovers=["west"]),
        "discovers-on-remote",
        "clusters.east.discovers",
        "move the list to clusters.west.discovers",
        east(primary="west"),
    ),
    "remote clusters behind a gateway without an address": Wrong(
        apart({"east_west_gateway": {"type": "NodePort"}}, {"primary": "east"}),
        "istiod-address",
        "clusters.east.east_west_gateway.address",
        "clusters.east.east_west_gateway.type: LoadBalancer",
        apart({"east_west_gateway": {"type": "NodePort", "address": "203.0.113.7"}}, {"primary": "east"}),
    ),
    "remote clusters on a flat network without an address of istiod": Wrong(
        flat({"istiod_service": {"type": "NodePort"}}, {"primary": "east"}),
        "istiod-address",
        "clusters.east.istiod_service.address",
        "clusters.east.istiod_service.type: LoadBalancer",
        flat({"istiod_service": {"type": "NodePort", "address": "10.0.0.7"}}, {"primary": "east"}),
    ),
    "an istiod that only its own cluster can dial": Wrong(
        flat({"istiod_service": {"type": "ClusterIP"}}, {"primary": "east"}),
        "istiod-address",
        "clusters.east.istiod_service.address",
        "clusters.east.istiod_service.type: LoadBalancer",
        flat({"istiod_service": {"type": "ClusterIP"}}, {}),
    ),
    "a host name where remote clusters need an address": Wrong(
        flat({"istiod_service": {"address": "istiod.example"}}, {"primary": "east"}),
        "istiod-address",
        "clusters.east.istiod_service.address",
        "to the IP address other clusters dial",
        flat({"istiod_service": {"address": "10.0.0.7"}}, {"primary": "east"}),
    ),
    "a load balancer that ends istiod's TLS": Wrong(
        flat(
            {"istiod_service": {"annotations": {f"{ANNOTATION}aws-load-balancer-ssl-cert": "a"}}}, {"primary": "east"}
        ),
        "gateway-tls-termination",
        f"clusters.east.istiod_service.annotations.{ANNOTATION}aws-load-balancer-ssl-cert",
        "port 15012 must pass through as TCP",
        flat({"istiod_service": {"annotations": {f"{ANNOTATION}aws-load-balancer-type": "nlb"}}}, {"primary": "east"}),
    ),
    "a cluster-local host that is no full name": Wrong(
        mesh_tree(cluster_local=["metrics.monitoring"]),
        "cluster-local",
        "cluster_local.0",
        '"*.kube-public.svc.cluster.local"]',
        mesh_tree(cluster_local=["metrics.monitoring.svc.cluster.local"]),
    ),
    "everything cluster-local": Wrong(
        mesh_tree(cluster_local=["*"]),
        "cluster-local",
        "cluster_local.0",
        '"*.kube-public.svc.cluster.local"]',
        mesh_tree(cluster_local=["*.monitoring.svc.cluster.local"]),
    ),
    "a hub with a scheme": Wrong(
        mesh_tree(image_hub="https://registry.example:5000/istio"),
        "image-hub",
        "image_hub",
        "image_hub: registry.example:5000/istio",
        mesh_tree(image_hub="registry.example:5000/istio"),
    ),
    "a hub that ends in a slash": Wrong(
        mesh_tree(image_hub="registry.example/istio/"),
        "image-hub",
        "image_hub",
        "image_hub: registry.example/istio",
        mesh_tree(image_hub="localhost/istio"),
    ),
    "a hub with a tag": Wrong(
        mesh_tree(image_hub="corp.example/istio:1.31.1"),
        "image-hub",
        "image_hub",
        "image_hub: registry.example/istio",
        mesh_tree(image_hub="registry.example"),
    ),
    "charts of a registry without its scheme": Wrong(
        mesh_tree(chart_source="registry.example/istio/charts"),
        "chart-source",
        "chart_source",
        "chart_source: oci://registry.example/istio/charts",
        mesh_tree(chart_source="oci://registry.example/istio/charts"),
    ),
    "charts by a way there is none": Wrong(
        mesh_tree(chart_source="git://registry.example/charts"),
        "chart-source",
        "chart_source",
        "chart_source: oci://registry.example/charts",
        mesh_tree(chart_source="https://registry.example/charts"),
    ),
    "a pull secret whose name no Secret can have": Wrong(
        mesh_tree(image_pull_secrets=["Registry"]),
        "image-pull-secrets",
        "image_pull_secrets.0",
        "image_pull_secrets: [registry]",
        mesh_tree(image_pull_secrets=["registry.v2"]),
    ),
    "a pull secret named twice": Wrong(
        mesh_tree(image_pull_secrets=["registry", "registry"]),
        "image-pull-secrets",
        "image_pull_secrets.1",
        "image_pull_secrets: [registry]",
        mesh_tree(image_pull_secrets=["registry", "mirror"]),
    ),
    "a pull secret that is the mesh's own": Wrong(
        mesh_tree(image_pull_secrets=["cacerts"]),
        "image-pull-secrets",
        "image_pull_secrets.0",
        "image_pull_secrets: [registry]",
        mesh_tree(image_pull_secrets=["cacerts-registry"]),
    ),
    "pull secrets beside those of the values": Wrong(
        mesh_tree(image_pull_secrets=["registry"], values={"istiod": {"global": {"imagePullSecrets": ["other"]}}}),
        "values-conflict",
        "values.istiod.global.imagePullSecrets",
        OWN,
        mesh_tree(values={"istiod": {"global": {"imagePullSecrets": ["other"]}}}),
    ),
    "a label by which probes are found": Wrong(
        mesh_tree(verify={"labels": {"app": "mine"}}),
        "verify-labels",
        "verify.labels.app",
        "verify: {labels: {example.com/team: mesh}}",
        mesh_tree(verify={"labels": {"app.kubernetes.io/part-of": "mine"}}),
    ),
    "an annotation by which probes are injected": Wrong(
        mesh_tree(verify={"annotations": {"traffic.sidecar.istio.io/excludeOutboundPorts": "80"}}),
        "verify-labels",
        "verify.annotations.traffic.sidecar.istio.io/excludeOutboundPorts",
        "verify: {annotations: {example.com/team: mesh}}",
        mesh_tree(verify={"annotations": {"example.com/excludeOutboundPorts": "80"}}),
    ),
    "a label that Kubernetes refuses": Wrong(
        mesh_tree(verify={"labels": {"team": "mesh & co"}}),
        "verify-labels",
        "verify.labels.team",
        "verify: {labels: {example.com/team: mesh}}",
        mesh_tree(verify={"annotations": {"team": "mesh & co"}}),
    ),
    "an API server with a line break": Wrong(
        east(api_server="https://192.0.2.9\n:6443"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://192.0.2.9:6443"),
    ),
    "an API server with a tab": Wrong(
        east(api_server="https://a\t.example"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://a.example"),
    ),
    "an API server with a pipe": Wrong(
        east(api_server="https://a.example/x|y"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://a.example/x/y"),
    ),
    "an API server with backticks": Wrong(
        east(api_server="https://a.example/`id`"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://a.example/id"),
    ),
    "an API server with a space at its end": Wrong(
        east(api_server="https://a.example "),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://a.example/"),
    ),
    "an API server with a path that climbs": Wrong(
        east(api_server="https://a.example/x/../y"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://a.example/x/y..z"),
    ),
    "an API server whose IPv6 address has no brackets": Wrong(
        east(api_server="https://fd00::1:6443"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://[fd00::1]:6443"),
    ),
    "an API server on loopback as IPv4 in IPv6": Wrong(
        east(api_server="https://[::ffff:127.0.0.1]"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://[::ffff:192.0.2.9]"),
    ),
    "an API server on loopback as a number": Wrong(
        east(api_server="https://2130706433"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://2130706433.example"),
    ),
    "an API server that each cluster has for itself": Wrong(
        east(api_server="https://kubernetes.default.svc"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://west.infra.svc.cluster.local"),
    ),
    "an API server with another port than there is": Wrong(
        east(api_server="https://a.example:0"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://a.example:1"),
    ),
    "an API server with a query": Wrong(
        east(api_server="https://a.example/?page=1"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://a.example/page/1"),
    ),
    "a certificate's name with a pipe": Wrong(
        east(api_server_tls_name="east.example|x"),
        "api-server",
        "clusters.east.api_server_tls_name",
        "the names that the certificate has, such as api.east.example",
        east(api_server_tls_name="Kubernetes"),
    ),
    "a password in the place of the charts": Wrong(
        mesh_tree(chart_source="https://robot:not-a-real-password@charts.example"),
        "credential-in-fact",
        "chart_source",
        "helm pull the charts into a folder, and chart_source: charts",
        mesh_tree(chart_source="https://charts.example"),
    ),
    "an API server without TLS": Wrong(
        east(api_server="http://192.0.2.9:6443"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://192.0.2.9:6443"),
    ),
    "an API server without a scheme": Wrong(
        east(api_server="192.0.2.9:6443"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://a.b/c"),
    ),
    "an API server on loopback": Wrong(
        east(api_server="https://127.0.0.1:6443"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://128.0.0.1:6443"),
    ),
    "an API server on IPv6 loopback": Wrong(
        east(api_server="https://[::1]:6443"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://[fd00::1]:6443"),
    ),
    "an API server called localhost": Wrong(
        east(api_server="https://localhost:6443"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://localhost.example:6443"),
    ),
    "an API server at the unspecified address": Wrong(
        east(api_server="https://0.0.0.0:6443"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://0.0.0.0.nip.example:6443"),
    ),
    "an API server at a link-local address": Wrong(
        east(api_server="https://169.254.1.1:6443"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://169.253.1.1:6443"),
    ),
    "an API server with a port that is none": Wrong(
        east(api_server="https://192.0.2.9:99999"),
        "api-server",
        "clusters.east.api_server",
        URL,
        east(api_server="https://192.0.2.9:443"),
    ),
}

NETWORKS = {
    "one pod range in two clusters of a network": Wrong(
        flat({"pod_cidr": "10.8.0.0/14"}, {"pod_cidr": "10.8.0.0/14"}),
        "pod-cidr-overlap",
        "clusters.west.pod_cidr",
        "or a network of its own (network: west) to be reached through its east-west gateway",
        apart({"pod_cidr": "10.8.0.0/14"}, {"pod_cidr": "10.8.0.0/14"}),
    ),
    "a pod range inside another one of its network": Wrong(
        flat({"pod_cidr": "10.8.0.0/14"}, {"pod_cidr": "10.11.0.0/16"}),
        "pod-cidr-overlap",
        "clusters.west.pod_cidr",
        "(network: west) to be reached through its east-west gateway",
        flat({"pod_cidr": "10.8.0.0/14"}, {"pod_cidr": "10.12.0.0/16"}),
    ),
    "second pod ranges that overlap": Wrong(
        flat({"pod_cidr": "10.8.0.0/14,fd00::/48"}, {"pod_cidr": "10.12.0.0/14,fd00::/64"}),
        "pod-cidr-overlap",
        "clusters.west.pod_cidr",
        "(network: west) to be reached through its east-west gateway",
        flat({"pod_cidr": "10.8.0.0/14,fd00::/48"}, {"pod_cidr": "10.12.0.0/14,fd00:0:1::/64"}),
    ),
    "a service range over the cluster's own pods": Wrong(
        east(pod_cidr="10.8.0.0/14", service_cidr="10.10.0.0/20"),
        "service-cidr-overlap",
        "clusters.east.service_cidr",
        "give east a service range outside 10.8.0.0/14",
        east(pod_cidr="10.8.0.0/14", service_cidr="10.12.0.0/20"),
    ),
    "a service range over a peer's pods on one network": Wrong(
        flat({"service_cidr": "10.96.0.0/16"}, {"pod_cidr": "10.96.0.0/12"}),
        "service-cidr-overlap",
        "clusters.east.service_cidr",
        "give east a service range outside 10.96.0.0/12",
        apart({"service_cidr": "10.96.0.0/16"}, {"pod_cidr": "10.96.0.0/12"}),
    ),
    "a service range over a peer's pods where both share it": Wrong(
        flat({"service_cidr": "10.96.0.0/16", "pod_cidr": "10.8.0.0/14"}, {"pod_cidr": "10.96.128.0/17"}),
        "service-cidr-overlap",
        "clusters.east.service_cidr",
        "give east a service range outside 10.96.128.0/17",
        flat(
            {"service_cidr": "10.96.0.0/16", "pod_cidr": "10.8.0.0/14"},
            {"service_cidr": "10.96.0.0/16", "pod_cidr": "10.12.0.0/14"},
        ),
    ),
}

GATEWAYS = {
    "a gateway address that is a name": Wrong(
        gateway(address="gateway.example"),
        "gateway-address",
        "clusters.east.east_west_gateway.address",
        "Istio reads it from the Service",
        gateway(address="203.0.113.7"),
    ),
    "a gateway address on loopback": Wrong(
        gateway(type="NodePort", address="127.0.0.1"),
        "gateway-address",
        "clusters.east.east_west_gateway.address",
        "Istio reads it from the Service",
        gateway(type="NodePort"),
    ),
    "a gateway without an address to be had": Wrong(
        gateway(type="ClusterIP"),
        "gateway-address",
        "clusters.east.east_west_gateway.address",
        "or clusters.east.east_west_gateway.type: LoadBalancer",
        gateway(type="ClusterIP", address="203.0.113.7"),
    ),
    "a port that the gateway has already": Wrong(
        gateway(ports=[{"name": "more", "port": 15443}]),
        "gateway-ports",
        "clusters.east.east_west_gateway.ports.0",
        PORT,
        gateway(ports=[{"name": "more", "port": 15444}]),
    ),
    "a port called like the gateway's": Wrong(
        gateway(ports=[{"name": "tls", "port": 443}]),
        "gateway-ports",
        "clusters.east.east_west_gateway.ports.0",
        PORT,
        gateway(ports=[{"name": "tls-more", "port": 443}]),
    ),
    "a port given twice": Wrong(
        gateway(ports=[{"name": "a", "port": 443}, {"name": "b", "port": 443}]),
        "gateway-ports",
        "clusters.east.east_west_gateway.ports.1",
        PORT,
        gateway(ports=[{"name": "a", "port": 443}, {"name": "b", "port": 444, "target_port": 443}]),
    ),
    "a port whose name is no label": Wrong(
        gateway(ports=[{"name": "More Traffic", "port": 443}]),
        "gateway-ports",
        "clusters.east.east_west_gateway.ports.0",
        "use lower-case letters, digits and inner hyphens, such as tls-more",
        gateway(ports=[{"name": "more-traffic", "port": 443}]),
    ),
    "an AWS certificate on the gateway": Wrong(
        annotated(f"{ANNOTATION}aws-load-balancer-ssl-cert", "arn:aws:acm:x"),
        "gateway-tls-termination",
        f"clusters.east.east_west_gateway.annotations.{ANNOTATION}aws-load-balancer-ssl-cert",
        TCP,
        annotated(f"{ANNOTATION}aws-load-balancer-type", "nlb"),
    ),
    "an AWS backend that speaks HTTP": Wrong(
        annotated(f"{ANNOTATION}aws-load-balancer-backend-protocol", "HTTPS"),
        "gateway-tls-termination",
        f"clusters.east.east_west_gateway.annotations.{ANNOTATION}aws-load-balancer-backend-protocol",
        TCP,
        annotated(f"{ANNOTATION}aws-load-balancer-backend-protocol", "tcp"),
    ),
    "a DigitalOcean balancer that speaks HTTP/2": Wrong(
        annotated(f"{ANNOTATION}do-loadbalancer-protocol", "http2"),
        "gateway-tls-termination",
        f"clusters.east.east_west_gateway.annotations.{ANNOTATION}do-loadbalancer-protocol",
        TCP,
        annotated(f"{ANNOTATION}do-loadbalancer-protocol", "tcp"),
    ),
    "a Hetzner balancer that ends TLS": Wrong(
        annotated("load-balancer.hetzner.cloud/protocol", "https"),
        "gateway-tls-termination",
        "clusters.east.east_west_gateway.annotations.load-balancer.hetzner.cloud/protocol",
        TCP,
        annotated("load-balancer.hetzner.cloud/protocol", "tcp"),
    ),
}

ISTIO = {
    "a minor version too old": Wrong(
        mesh_tree(istio_version="1.29.9"), "istio-version", "istio_version", VERSION, mesh_tree(istio_version="1.30.0")
    ),
    "a minor version nobody knows yet": Wrong(
        mesh_tree(istio_version="1.99.0"), "istio-version", "istio_version", VERSION, mesh_tree(istio_version="1.31.9")
    ),
    "a version without its patch": Wrong(
        mesh_tree(istio_version="1.31"),
        "istio-version",
        "istio_version",
        VERSION,
        mesh_tree(istio_version="1.31.0-rc.0"),
    ),
    "a version with a v": Wrong(
        mesh_tree(istio_version="v1.31.1"), "istio-version", "istio_version", VERSION, mesh_tree()
    ),
    "a cluster of a version with a v": Wrong(
        east(istio_version="v1.31.1"),
        "istio-version",
        "clusters.east.istio_version",
        VERSION,
        east(istio_version="1.31.1"),
    ),
    "a remote of another version than its primary": Wrong(
        east(primary="west", istio_version="1.30.5"),
        "istio-skew",
        "clusters.east.istio_version",
        "remove clusters.east.istio_version",
        east(primary="west"),
    ),
    "a token replaced under a version that loses endpoints": Wrong(
        {**east(reader_token="b"), "istio_version": "1.30.3"},
        "istio-known-bug",
        "clusters.east.reader_token",
        "upgrade west to 1.30.4 first",
        {**east(reader_token="b"), "istio_version": "1.30.4"},
    ),
    "a revision beside a version that loses endpoints": Wrong(
        mesh_tree(istio_version="1.30.3", revisions={"default": {}, "b": {"istio_version": "1.31.1"}}),
        "istio-known-bug",
        "revisions.b",
        "upgrade east to 1.30.4 first",
        mesh_tree(istio_version="1.30.4", revisions={"default": {}, "b": {"istio_version": "1.31.1"}}),
        consequences=1,
    ),
    "revisions too far apart": Wrong(
        mesh_tree(istio_version="1.32.0", revisions={"default": {"istio_version": "1.30.5"}, "b": {}}),
        "istio-skew",
        "revisions.default.istio_version",
        "upgrade the oldest by one minor version first",
        mesh_tree(istio_version="1.31.0", revisions={"default": {"istio_version": "1.30.5"}, "b": {}}),
        consequences=1,
    ),
    "a revision of no version": Wrong(
        mesh_tree(revisions={"a": {"istio_version": "1.31"}}),
        "istio-version",
        "revisions.a.istio_version",
        'istio_version: "1.31.1"',
        mesh_tree(revisions={"a": {"istio_version": "1.31.0"}}),
    ),
    "a revision with a dot": Wrong(
        mesh_tree(revisions={"1.31": {}}),
        "revisions",
        "revisions.1.31",
        "such as v1-31-1",
        mesh_tree(revisions={"1-31": {}}),
    ),
    "a revision whose Service is another one's": Wrong(
        mesh_tree(revisions={"remotes": {}}),
        "revisions",
        "revisions.remotes",
        "such as v1-31-1",
        mesh_tree(revisions={"remote": {}}),
    ),
    "a tag called as a revision": Wrong(
        mesh_tree(revisions={"a": {}}, revision_tags={"a": "a"}),
        "revisions",
        "revision_tags.a",
        "give the tag a name of its own, such as stable",
        mesh_tree(revisions={"a": {}}, revision_tags={"b": "a"}),
    ),
    "a tag of a stranger": Wrong(
        mesh_tree(revisions={"a": {}}, revision_tags={"prod": "b"}),
        "revisions",
        "revision_tags.prod",
        "name one of a, or add it to revisions",
        mesh_tree(revisions={"a": {}}, revision_tags={"prod": "a"}),
    ),
    "a cluster's tag of a stranger": Wrong(
        east(revision_tags={"prod": "b"}),
        "revisions",
        "clusters.east.revision_tags.prod",
        "name one of default, or add it to revisions",
        east(revision_tags={"prod": "default"}),
    ),
    "revisions of which none serves what names none": Wrong(
        mesh_tree(revisions={"a": {}, "b": {}}),
        "revisions",
        "revision_tags",
        "revision_tags: {default: a}",
        mesh_tree(revisions={"a": {}, "b": {}}, revision_tags={"default": "b"}),
    ),
    "tags of a remote": Wrong(
        east(primary="west", revision_tags={"prod": "default"}),
        "revisions",
        "clusters.east.revision_tags",
        "move them to clusters.west.revision_tags",
        mesh_tree(clusters={"east": {"primary": "west"}, "west": {"revision_tags": {"prod": "default"}}}),
    ),
    "a version of a cluster beside those of revisions": Wrong(
        {**east(istio_version="1.31.0"), "revisions": {"a": {}}},
        "revisions",
        "clusters.east.istio_version",
        "remove clusters.east.istio_version; choose by clusters.east.revision_tags",
        {**east(), "revisions": {"a": {}}},
    ),
    "one address for two istiods": Wrong(
        {
            **flat({"istiod_service": {"address": "192.0.2.7"}}, {"primary": "east"}),
            "revisions": {"default": {}, "a": {}},
        },
        "revisions",
        "clusters.east.istiod_service.address",
        "remove clusters.east.istiod_service.address while there are several revisions",
        {**flat({}, {"primary": "east"}), "revisions": {"default": {}, "a": {}}},
    ),
    "a wave of a stranger": Wrong(
        mesh_tree(waves=[["east"], ["plant"]]),
        "waves",
        "waves.1.0",
        "remove plant from this wave",
        mesh_tree(waves=[["east"]]),
    ),
    "a cluster in two waves": Wrong(
        mesh_tree(waves=[["east"], ["west", "east"]]),
        "waves",
        "waves.1.1",
        "remove east from this wave",
        mesh_tree(waves=[["east"], ["west"]]),
    ),
    "a remote before its primary": Wrong(
        {**east(primary="west"), "waves": [["east"]]},
        "waves",
        "waves.0",
        "put east into the wave of west, or a later one",
        {**east(primary="west"), "waves": [["west"]]},
    ),
    "waves that nothing proves": Wrong(
        mesh_tree(waves=[["east"]], verify={"level": "discovery"}),
        "waves",
        "verify.level",
        "verify: {level: traffic}",
        mesh_tree(waves=[["east"]]),
    ),
    "a trust domain in capitals": Wrong(
        mesh_tree(trust_domain="Corp.Example"),
        "trust-domain",
        "trust_domain",
        "trust_domain: prod.internal",
        mesh_tree(trust_domain="corp.example"),
    ),
    "a trust domain that is an IP address": Wrong(
        mesh_tree(trust_domain="10.0.0.1"),
        "trust-domain",
        "trust_domain",
        "trust_domain: prod.internal",
        mesh_tree(trust_domain="cluster.local"),
    ),
    "a trust domain written as an identity": Wrong(
        mesh_tree(trust_domain="spiffe://prod.internal"),
        "trust-domain",
        "trust_domain",
        "trust_domain: prod.internal",
        mesh_tree(trust_domain="prod.internal"),
    ),
    "a chart folder that isn't there": Wrong(
        mesh_tree(chart_source="/no/such/folder"),
        "chart-source",
        "chart_source",
        "--version 1.31.1 --destination <chart_source>",
        mesh_tree(chart_source="oci://registry.example/charts"),
        consequences=2,
    ),
    "values for a misspelt chart": Wrong(
        charted(istio={"autoscaleMin": 2}),
        "values-conflict",
        "values.istio",
        "use one of base, istiod, gateway",
        charted(istiod={"autoscaleMin": 2}),
    ),
    "a network in the values": Wrong(
        charted(istiod={"global": {"network": "vpc"}}),
        "values-conflict",
        "values.istiod.global.network",
        OWN,
        charted(istiod={"global": {"logging": {"level": "default:debug"}}}),
    ),
    "a mesh ID in one cluster's values": Wrong(
        east(values={"istiod": {"global": {"meshID": "test"}}}),
        "values-conflict",
        "clusters.east.values.istiod.global.meshID",
        OWN,
        east(values={"istiod": {"global": {"meshID": "prod"}}}),
    ),
    "a trust domain in the values": Wrong(
        charted(istiod={"meshConfig": {"trustDomain": "corp.example"}}),
        "values-conflict",
        "values.istiod.meshConfig.trustDomain",
        OWN,
        charted(istiod={"meshConfig": {"accessLogFile": "/dev/stdout"}}),
    ),
    "a whole subtree of the wiring replaced by text": Wrong(
        charted(istiod={"meshConfig": {"defaultConfig": "none"}}),
        "values-conflict",
        "values.istiod.meshConfig.defaultConfig.proxyMetadata.PROXY_CONFIG_XDS_AGENT",
        OWN,
        charted(istiod={"meshConfig": {"defaultConfig": {"proxyMetadata": {"MORE": "1"}}}}),
        consequences=2,
    ),
    "the wiring under its synonym pilot": Wrong(
        charted(istiod={"pilot": {"env": {"CLUSTER_ID": "other"}}}),
        "values-conflict",
        "values.istiod.pilot",
        OWN,
        charted(istiod={"env": {"PILOT_ENABLE_STATUS": "true"}}),
    ),
    "the multi-root switch turned off": Wrong(
        charted(istiod={"env": {"ISTIO_MULTIROOT_MESH": "false"}}),
        "values-conflict",
        "values.istiod.env.ISTIO_MULTIROOT_MESH",
        OWN,
        charted(istiod={"env": {"ISTIO_MULTIROOT_MESH": "true"}}),
    ),
    "a revision": Wrong(
        charted(gateway={"revision": "canary"}),
        "values-conflict",
        "values.gateway.revision",
        OWN,
        charted(gateway={"autoscaling": {"minReplicas": 2}}),
    ),
    "a second Service for the gateway": Wrong(
        charted(gateway={"service": {"type": "LoadBalancer"}}),
        "values-conflict",
        "values.gateway.service.type",
        OWN,
        charted(gateway={"imagePullPolicy": "Always"}),
    ),
    "a profile for remote clusters": Wrong(
        charted(base={"profile": "remote"}),
        "values-conflict",
        "values.base.profile",
        OWN,
        charted(base={"experimental": {"stableValidationPolicy": True}}),
    ),
}

TRUST = {
    "generated trust without a root": Wrong(
        mesh_tree(trust=...), "trust-roots", "trust.roots", 'trust: {roots: [{issued: "2026-11-23"}]}', mesh_tree()
    ),
    "a root without its date": Wrong(
        rooted({"generation": "a"}),
        "trust-roots",
        "trust.roots.0.issued",
        f'issued: "{today()}"',
        rooted({"generation": "a", "issued": "2026-11-23"}),
    ),
    "a root on a day that never was": Wrong(
        rooted({"issued": "2026-02-30"}),
        "topology-shape",
        "trust.roots.0.issued",
        '"',
        rooted({"issued": "2026-02-28"}),
    ),
    "a root so late that its end has no date": Wrong(
        rooted({"issued": "9999-01-01"}),
        "topology-shape",
        "trust.roots.0.issued",
        '"',
        rooted({"issued": "2026-11-22"}),
    ),
    "roots that nobody will use": Wrong(
        rooted(NEW, kind="external"),
        "trust-roots",
        "trust.roots",
        "remove trust.roots, or trust.kind",
        mesh_tree(trust={"kind": "external"}),
    ),
    "two roots of one date": Wrong(
        rooted(NEW, NEW, signer="2026-11-23"),
        "trust-roots",
        "trust.roots",
        "give each its own: generation: b",
        rooted(NEW, {**NEW, "generation": "b"}, signer="b"),
    ),
    "two roots and no signer": Wrong(
        rooted(OLD, NEW), "trust-signer", "trust.signer", 'signer: "2026-01-01"', rooted(OLD, NEW, signer="2026-01-01")
    ),
    "a signer that is no root": Wrong(
        rooted(NEW, signer="2026-11-24"),
        "trust-signer",
        "trust.signer",
        'signer: "2026-11-23"',
        rooted(NEW, signer="2026-11-23"),
    ),
    "a root that is over": Wrong(
        rooted({"issued": "2026-11-20", "days": 3}, NEW, signer="2026-11-23"),
        "trust-date",
        "trust.roots.0.issued",
        "remove it from trust.roots",
        rooted({"issued": "2026-11-20", "days": 4}, NEW, signer="2026-11-23"),
    ),
    "a root that is over, and signs": Wrong(
        rooted({"issued": "2026-11-20", "days": 3}, NEW, signer="2026-11-20"),
        "trust-date",
        "trust.roots.0.issued",
        'roots: [{issued: "2026-11-23"}] (docs/operations.md#a-root-that-has-expired)',
        rooted(NEW),
    ),
    "a root from tomorrow": Wrong(
        rooted({"issued": "2026-11-24"}),
        "trust-date",
        "trust.roots.0.issued",
        'issued: "2026-11-23"',
        rooted({"issued": "2026-11-23"}),
    ),
    "intermediates that are over": Wrong(
        rooted({"issued": "2024-11-23"}),
        "trust-date",
        "trust.intermediates.issued",
        'issued: "2026-11-23"',
        rooted({"issued": "2024-11-24"}),
    ),
    "intermediates from tomorrow": Wrong(
        rooted(NEW, intermediates={"issued": "2026-11-24"}),
        "trust-date",
        "trust.intermediates.issued",
        'issued: "2026-11-23"',
        rooted(OLD, intermediates={"issued": "2026-11-23"}),
    ),
    "intermediates older than the root that signs them": Wrong(
        rooted(NEW, intermediates={"issued": "2026-11-22"}),
        "trust-date",
        "trust.intermediates.issued",
        'issued: "2026-11-23"',
        rooted(NEW, intermediates={"issued": "2026-11-23"}),
    ),
    "a root that may not vouch for its own mesh": Wrong(
        rooted({**NEW, "trust_domains": ["corp.example"]}),
        "trust-domain",
        "trust.roots.0.trust_domains",
        "trust_domains: [corp.example, prod.internal]",
        rooted({**NEW, "trust_domains": ["corp.example", "prod.internal"]}),
    ),
    "a root that does not vouch for an alias": Wrong(
        {**rooted({**NEW, "trust_domains": ["prod.internal"]}), "trust_domain_aliases": ["corp.example"]},
        "trust-domain",
        "trust.roots.0.trust_domains",
        "trust_domains: [prod.internal, corp.example]",
        {
            **rooted({**NEW, "trust_domains": ["prod.internal", "corp.example"]}),
            "trust_domain_aliases": ["corp.example"],
        },
    ),
    "an alias that is the mesh's own domain": Wrong(
        mesh_tree(trust_domain_aliases=["prod.internal"]),
        "trust-domain-alias",
        "trust_domain_aliases.0",
        "another mesh is known by peers",
        mesh_tree(),
    ),
    "a peer's domain as an alias": Wrong(
        {
            **rooted({**NEW, "trust_domains": ["prod.internal", "shop.internal"]}),
            "trust_domain_aliases": ["shop.internal"],
            "peers": {"shop": {}},
        },
        "trust-domain-alias",
        "trust_domain_aliases.0",
        "another mesh is known by peers",
        {
            **rooted({**NEW, "trust_domains": ["prod.internal", "shop.internal"]}),
            "trust_domain_aliases": ["shop.internal"],
            "peers": {"shop": {"trust_domain": "shop.example"}},
        },
    ),
    "a root for a domain that is no host name": Wrong(
        rooted({**NEW, "trust_domains": ["prod.internal", "*.corp.example"]}),
        "trust-domain",
        "trust.roots.0.trust_domains",
        "trust_domains: [prod.internal]",
        rooted({**NEW, "trust_domains": ["prod.internal"]}),
    ),
}

JOINED = {"control_plane": "existing"}


def joined(east: dict[str, Any], west: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """The usual mesh under an authority of somebody else, with a control plane that was there before in east."""
    return mesh_tree(**{"trust": {"kind": "external"}, **facts, "clusters": {"east": {**JOINED, **east}, "west": west}})


EXISTING = {
    "generated trust under a control plane that was there before": Wrong(
        joined({}, {}, trust={"roots": [NEW]}),
        "control-plane",
        "trust.kind",
        "that is an outage: docs/how-to/existing-istio.md#a-common-root",
        joined({}, {}),
    ),
    "a control plane that was there before in a remote": Wrong(
        joined({"primary": "west"}, {}),
        "control-plane",
        "clusters.east.primary",
        "clusters.east.primary",
        joined({}, {}),
    ),
    "a control plane that was there before as a primary": Wrong(
        joined({}, {"primary": "east"}),
        "control-plane",
        "clusters.west.primary",
        "name a cluster whose control plane is managed",
        joined({}, {}),
    ),
    "another mesh where a control plane was there before": Wrong(
        joined({}, {}, peers={"shop": {}}),
        "control-plane",
        "peers",
        "or make that control plane managed first",
        joined({}, {}),
        consequences=1,
    ),
    "revisions where a control plane was there before": Wrong(
        joined({}, {}, revisions={"default": {}, "next": {}}),
        "control-plane",
        "revisions",
        "or make that control plane managed first",
        joined({}, {}),
    ),
    "values for a chart that is not installed": Wrong(
        joined({"values": {"istiod": {"traceSampling": 1}}}, {}),
        "control-plane",
        "clusters.east.values.istiod",
        "remove clusters.east.values.istiod",
        joined({"values": {"gateway": {"replicaCount": 2}}}, {}),
    ),
    "a fact of a gateway that is there": Wrong(
        joined({"east_west_gateway": {"existing": True, "type": "NodePort"}}, {}),
        "control-plane",
        "clusters.east.east_west_gateway.type",
        "remove clusters.east.east_west_gateway.type",
        joined({"east_west_gateway": {"existing": True, "address": "192.0.2.7"}}, {}),
    ),
    "a control plane that was there before in a wave": Wrong(
        joined({}, {}, waves=[["east"], ["west"]]),
        "control-plane",
        "waves.0",
        "remove east from waves.0",
        joined({}, {}, waves=[["west"]]),
    ),
    "a gateway that is there without its istiod": Wrong(
        east(east_west_gateway={"existing": True}),
        "control-plane",
        "clusters.east.east_west_gateway.existing",
        "or set clusters.east.control_plane: existing",
        joined({"east_west_gateway": {"existing": True}}, {}),
    ),
}

WRONG = {
    **SHAPES, **CLUSTERS, **EXISTING, **NETWORKS, **GATEWAYS, **ISTIO, **TRUST, **SHARING, **GKE, **RENDERED,
}  # fmt: skip
"""Every wrong topology, by what is wrong with it."""
