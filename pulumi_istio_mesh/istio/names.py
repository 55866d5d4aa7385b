"""Every Kubernetes name, label, port and Pulumi identity that the mesh uses.

Kubernetes names are Istio's own where Istio fixes them. Pulumi tokens and logical names are identity:
changing one replaces objects of a live mesh, so tests pin them.
"""

from __future__ import annotations

import hashlib

from ..topology.names import DEFAULT_REVISION

NAMESPACE = "istio-system"
"""Istio's root namespace, the same in every cluster of a mesh."""

ISTIOD = "istiod"
ISTIOD_SELECTOR = {"app": "istiod"}
"""Label of the pods of every istiod, whatever its revision. Source: istiod chart, templates/deployment.yaml."""

REVISION_LABEL = "istio.io/rev"
"""On namespaces and pods: revision, or tag, by whose istiod they want their proxies. As an annotation of pods: the
revision that they have theirs of.
Source: istiod chart, templates/mutatingwebhook.yaml, files/injection-template.yaml."""

TAG_LABEL = "istio.io/tag"

ISTIOD_FOR_REMOTES = "istiod-remotes"
"""Service by which remote clusters on the same network reach istiod; the chart's own Service stays as it is."""

BASE_RELEASE = "istio-base"
"""Helm release of Istio's CRDs, in every mesh (docs/adr/0005)."""

INJECTOR_WEBHOOK = "istio-sidecar-injector"
"""MutatingWebhookConfiguration of istiod without a revision. Source: istiod chart, templates/mutatingwebhook.yaml."""

INJECTOR_CONFIG = "istio-sidecar-injector"
"""ConfigMap with the injection template. Source: istiod chart, templates/istiod-injector-configmap.yaml."""

MESH_CONFIG = "istio"
"""ConfigMap with the mesh config. Source: istiod chart, templates/configmap.yaml."""

CACERTS = "cacerts"
"""Secret istiod signs workload certificates from. Source: istio/istio pilot/pkg/bootstrap/istio_ca.go."""

SHARED_MESH_CONFIG = "istio-shared-mesh-config"
"""ConfigMap with the part of the mesh config that may change without touching istiod's chart."""

READER_ACCOUNT = "istio-reader-service-account"
"""Account that the base chart makes for foreign istiods. Source: base chart, templates/reader-serviceaccount.yaml."""

READER_TOKEN = "istio-reader-token"

EAST_WEST_GATEWAY = "istio-eastwestgateway"
EAST_WEST_SELECTOR = {"istio": "eastwestgateway", "app": EAST_WEST_GATEWAY}
"""What the gateway chart labels its pods with for this name. Source: gateway chart, templates/_helpers.tpl."""

CROSS_NETWORK_GATEWAY = "cross-network-gateway"

FEDERATION_GATEWAY = "istio-federationgateway"
FEDERATION_SELECTOR = {"istio": "federationgateway", "app": FEDERATION_GATEWAY}
"""What the gateway chart labels its pods with for this name: other meshes enter here, never by the east-west one."""

GATEWAYS = (EAST_WEST_GATEWAY, FEDERATION_GATEWAY)

BASE_OBJECTS_RELEASE = "istio-base-objects"
"""Helm release of what chart `base` holds besides CRDs, where charts are installed as releases."""

IDENTITIES_ONLY = "identities-only"
"""EnvoyFilter by which proxies refuse certificates with names that are no identities."""

FEDERATION_EXPORTS = "federation-exports"
"""Gateway object that lets other meshes reach the exported Services, and none besides."""

IMPORTS_NAMESPACE = "istio-mesh-imports"
"""Where what is known of other meshes' Services stands; each is visible in the namespaces that it is imported for."""

ISTIOD_GATEWAY = "istiod-gateway"
FAILOVER = "failover"

NETWORK_LABEL = "topology.istio.io/network"
PRIMARY_ANNOTATION = "topology.istio.io/controlPlaneClusters"
"""On a remote's istio-system: whose istiod may write there. Read once, when that istiod attaches the cluster.
Source: istio/istio pilot/pkg/serviceregistry/kube/controller/multicluster.go checkShouldLead."""

SIGNER_ANNOTATION = "istio-mesh/signer"
ROOTS_ANNOTATION = "istio-mesh/roots"
"""On `cacerts`: the generation of the root that signs there, and those that are trusted, separated by commas."""

MEMBER_ANNOTATION = "istio-mesh/member"
"""On istio-system: which cluster of which mesh this is, so that no other mesh or name takes it over."""

HELM_RELEASE = "meta.helm.sh/release-name"
HELM_NAMESPACE = "meta.helm.sh/release-namespace"
"""Annotations by which Helm knows the objects of a release."""

MEMBERSHIP = "istio-mesh-member"
"""ConfigMap that says the same in a cluster whose istio-system somebody else made, and which is not touched."""

PART_LABEL, PART_OF = "app.kubernetes.io/name", "app.kubernetes.io/part-of=istio"
"""On every object of charts base and istiod, by whatever installer: which part of Istio it is.
Source: their templates."""

FIELD_MANAGER_ANNOTATION = "pulumi.com/patchFieldManager"

REMOTE_SECRET_LABEL = "istio/multiCluster"
REMOTE_SECRET_CLUSTER = "networking.istio.io/cluster"

STATUS_PORT = 15021
MTLS_PORT = 15443
"""Where other networks enter. Source: istio/istio samples/multicluster/expose-services.yaml."""

XDS_PORT = 15012
WEBHOOK_PORT = 15017
"""Where remote clusters reach istiod. Source: istio/istio samples/multicluster/expose-istiod.yaml."""

ISTIOD_PORTS = {"tls-istiod": XDS_PORT, "tls-webhook": WEBHOOK_PORT}
GATEWAY_PORTS = {"status-port": STATUS_PORT, "tls": MTLS_PORT}

VERIFY_NAMESPACE = "istio-mesh-verify"
"""Where a mesh proves itself: a probe that answers, and the gates, Jobs that call."""

PROBE = "probe"
"""Workload and account of that namespace: who probes are, and as whom gates call."""

PROVED = "proved"
"""ConfigMap of that namespace: whom the cluster could call when the mesh was last proved, which no wave may break."""

ISTIOD_REPLICAS = "istiod-replicas"
"""Headless Service by which a gate finds every replica of istiod; not part of the mesh."""

NO_REVISIONS = ("remotes", "replicas")
"""No revision may be called so: `ISTIOD_FOR_REMOTES` and `ISTIOD_REPLICAS` would be its Services."""

METRICS_PORT = 15014
"""Of istiod. Source: istiod chart, templates/deployment.yaml."""


def of_revision(name: str, revision: str) -> str:
    """Return what the istiod chart calls an object of a revision: `istiod`, or `istiod-<revision>`."""
    return name if revision == DEFAULT_REVISION else f"{name}-{revision}"


def is_istiod(name: str) -> bool:
    """Return whether a Helm release is that of an istiod, of whatever revision."""
    return name == ISTIOD or name.startswith(f"{ISTIOD}-")


def is_release(name: str) -> bool:
    """Return whether a mesh may have a Helm release of this name."""
    return name in (BASE_RELEASE, BASE_OBJECTS_RELEASE, *GATEWAYS) or is_istiod(name)


def istiod_host(revision: str) -> str:
    """Return what proxies and API servers call the istiod of a revision in every cluster.

    Its certificate answers to it. Source: istio/istio pilot/pkg/bootstrap/server.go getDNSNames.
    """
    return f"{of_revision(ISTIOD, revision)}.{NAMESPACE}.svc"


def tag_webhook(tag: str) -> str:
    """Return the name of the MutatingWebhookConfiguration behind a tag.

    Source: istiod chart, templates/revision-tags-mwc.yaml.
    """
    return f"istio-revision-tag-{tag}"


def remote_secret(cluster: str) -> str:
    """Return the name of the Secret that lets an istiod read this cluster, as istioctl names it."""
    return f"istio-remote-secret-{cluster}"


def reader_token(generation: str | None) -> str:
    """Return the name of the Secret with a cluster's token for its readers."""
    return "-".join(filter(None, [READER_TOKEN, generation]))


def callers_of(peer: str) -> str:
    """Return the name of the policy that says what workloads of another mesh may call here."""
    return f"callers-of-{peer}"


PROXY_SNI = "outbound_"
"""How the SNI begins by which proxies dial each other."""


def passthrough_sni(host: str, port: int) -> str:
    """Return the SNI by which a gateway passes mTLS on to a Service's port.

    Source: istio/istio pilot/pkg/model/push_context.go BuildDNSSrvSubsetKey.
    """
    return f"{PROXY_SNI}.{port}_._.{host}"


def probe_service(cluster: str) -> str:
    """Return the name of the Service that only this cluster's probe is behind."""
    name = f"{PROBE}-{cluster}"
    return name if len(name) <= 63 else f"{name[:54]}-{hashlib.sha256(cluster.encode()).hexdigest()[:8]}"


def probe_host(cluster: str) -> str:
    """Return the host by which the mesh calls this cluster's probe."""
    return f"{probe_service(cluster)}.{VERIFY_NAMESPACE}.svc.cluster.local"


PACKAGE = "istio-mesh"


def token(kind: str) -> str:
    """Return the Pulumi type of a component."""
    return f"{PACKAGE}:index:{kind}"


def logical_name(mesh: str, cluster: str | None, *role: str) -> str:
    """Return `<mesh>-<cluster>-<role>`; without a cluster, `<mesh>-<role>`."""
    return "-".join(part for part in (mesh, cluster, *role) if part)
