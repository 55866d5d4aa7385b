"""Every check of a live mesh: how bad a finding is, what probably caused it, what to do, and what follows from it.

Causes and cures are those of Istio's users; sources by the failure's number in facts/istio.md section 8 of the design
notes, that is the istio/istio issues named in docs/checks.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..istio.adopted import hand_over
from ..istio.versions import HAND_OVER_CRDS


@dataclass(frozen=True)
class Check:
    """One check. In `likely` and `fix` stand {cluster} and {peer}: where it was found, and whom it concerns."""

    likely: str
    fix: str
    fatal: bool = True
    explains: frozenset[str] = frozenset()
    """Slugs of what follows from it in the same cluster, or between the same two."""


def _check(likely: str, fix: str, *explains: str, fatal: bool = True) -> Check:
    return Check(likely, fix, fatal, frozenset(explains))


_UNSYNCED = ("istiod-not-synced", "service-unknown", "no-endpoints", "raw-pod-address")
_NO_ISTIOD = ("webhook-unreachable", "proxies-stale", "gateway-not-listening", "webhook-ca", *_UNSYNCED)
_BROKEN = ("call-broken", "certificate-refused", "no-endpoints")
_EVERYTHING = (
    "api-server-unreachable", "istiod-down", "gateway-unreachable", "pods-unreachable", "path-differs", *_NO_ISTIOD,
    *_BROKEN,
)  # fmt: skip

CHECKS: Mapping[str, Check] = {
    "cluster-unreachable": _check(
        "the API server is down, or its address or the credential in the kubeconfig is not right from here",
        "kubectl --kubeconfig <that of {cluster}> get --raw /readyz",
        *_EVERYTHING,
    ),
    "kubernetes-version": _check(
        "Istio supports some minor versions of Kubernetes only",
        "upgrade {cluster}, or choose an istio_version that supports it",
    ),
    "clock-skew": _check(
        "certificates are valid from two minutes before they are signed, so a clock that is behind refuses new ones",
        "set the clock of {cluster}'s nodes, and keep it by NTP",
        "certificate-refused",
    ),
    "cluster-taken": _check(
        "a cluster's name is its identity: proxies that run carry it",
        "take {cluster} out of that mesh first; renamed in the list: run once without it, then once with its new name",
    ),
    "istio-foreign": _check(
        "two istiods would inject the same pods and write the same ConfigMaps",
        "clusters.{cluster}.control_plane: existing, to join with it (docs/how-to/existing-istio.md); or remove that "
        "Istio from {cluster}",
    ),
    "existing-istiod": _check(
        "the mesh uses that istiod as it is, and gives its own parts there the version that is declared",
        "make {peer} in {cluster} what clusters.{cluster} says with the installer that it has, or the other way round",
    ),
    "existing-differs": _check(
        "proxies of {cluster} carry what its control plane says, and the other clusters look for what the mesh says",
        "declare in clusters.{cluster}, or for the mesh, what {peer} says; or change it there with what installed it, "
        "and restart the workloads",
    ),
    "existing-root": _check(
        "a proxy refuses whoever has a certificate of a root that it doesn't trust",
        "give istiod in {cluster} an intermediate of the mesh's root (docs/how-to/existing-istio.md#a-common-root)",
    ),
    "existing-parts": _check(
        "the mesh makes what it needs beside the control plane that is there, and reads what it is told is there",
        "make clusters.{cluster} say what is there (docs/how-to/existing-istio.md)",
    ),
    "adopted-fields": _check(
        "the API server keeps who wrote which field, and refuses a change of one that another installer wrote",
        f"hand them over (docs/how-to/existing-istio.md#hand-it-over), in {{cluster}}:\n    {hand_over('{peer}')}",
    ),
    "root-step": _check(
        "a proxy refuses whoever has a certificate of a root that it doesn't trust, so each step of a rotation is in "
        "all clusters before the next",
        "take one step at a time: add a root, let it sign, drop the old one; a run of the step before completes it "
        "(docs/operations.md#rotate-the-root)",
    ),
    "revision-step": _check(
        "gateways would move to an istiod that nobody has proved, and that does not know the other clusters' trust "
        "domain before they have its revision",
        "add the revision first, and let the tag default lead to it in a next run "
        "(docs/operations.md#upgrade-by-revision)",
    ),
    "revision-in-use": _check(
        "proxies keep to the istiod of the revision that they were injected by, and pods that ask for one that is gone "
        "get no proxy",
        "restart those workloads in {cluster} once their namespace asks for another revision, then run again "
        "(docs/operations.md#upgrade-by-revision)",
    ),
    "revision-unknown": _check(
        "a label of a namespace names a revision or tag of another mesh, of an earlier time, or mistyped",
        "kubectl label namespace {peer} istio.io/rev=<a revision or tag> --overwrite, in {cluster}",
        fatal=False,
    ),
    "crds-foreign": _check(
        "Helm refuses CRDs that another release or installer owns",
        "clusters.{cluster}.crds: external; or hand them over (docs/operations.md#crds-of-another-installer), by both\n"
        f"    {HAND_OVER_CRDS[0]}\n"
        f"    {HAND_OVER_CRDS[1]}",
    ),
    "helm-pending": _check(
        "a run was killed while Helm worked, or one works right now",
        "kubectl --namespace istio-system delete secret {peer}, once nobody works on it; then run again",
    ),
    "install-differs": _check(
        "Helm refuses objects that no release of it has, and what leaves the program is deleted last, so that the new "
        "owner would lose them",
        "set install to what it was; to change it: pulumi destroy, then pulumi up (docs/operations.md#change-install)",
    ),
    "pod-cidr-differs": _check(
        "disjoint ranges are judged by what is declared; pods outside of it may have addresses of another cluster",
        "set clusters.{cluster}.pod_cidr to what the nodes have",
    ),
    "load-balancer-pending": _check(
        "the cluster has no controller for load balancers, or that one has no address left",
        "give clusters.{cluster}.east_west_gateway an address, or the type NodePort",
        "gateway-no-address",
        fatal=False,
    ),
    "pod-security": _check(
        "the gateway's pods say nothing about seccomp, which that level demands",
        "kubectl label namespace {peer} pod-security.kubernetes.io/enforce=baseline --overwrite, in {cluster}",
        fatal=False,
    ),
    "certificate-expired": _check(
        "nobody renewed it in time; every certificate below it is void",
        "set trust.intermediates.issued (or a root's) to today's date, and run pulumi up",
        "istiod-authority",
        "istiod-down",
        *_BROKEN,
    ),
    "istiod-authority": _check(
        "the intermediate in Secret cacerts does not match its key, or does not chain to the root beside it",
        "put certificates of one authority into it (docs/operations.md), then restart istiod in {cluster}",
        "istiod-down",
        *_NO_ISTIOD,
    ),
    "istiod-down": _check(
        "its pods are scaled to zero, crash or can't be scheduled",
        "kubectl --namespace istio-system get pods --selector app=istiod, in {cluster}; then pulumi up --refresh",
        *_NO_ISTIOD,
    ),
    "certificate-expiring": _check(
        "its days are nearly over",
        "set trust.intermediates.issued (or a new root generation) to today's date, and run pulumi up",
        fatal=False,
    ),
    "roots-differ": _check(
        "istiod in one of them signs from an authority of its own: Secret cacerts came after istiod, or was replaced",
        "run pulumi up --refresh, then restart istiod and the workloads of {cluster}",
        "issuer-differs",
        "webhook-ca",
        *_BROKEN,
    ),
    "issuer-differs": _check(
        "istiod signs with a key of its own, or the workload was started under another primary",
        "restart istiod in {cluster}, then the workload",
        *_BROKEN,
    ),
    "network-differs": _check(
        "a label, istiod's values or a running pod names another network, so its endpoints are reached the wrong way",
        "run pulumi up --refresh, then restart the workloads of {cluster}",
        "raw-pod-address",
        "path-differs",
        "pods-unreachable",
        "gateway-unreachable",
        "gateway-not-listening",
        *_BROKEN,
    ),
    "remote-secret-missing": _check(
        "somebody deleted it, or made the secrets in one direction only",
        "run pulumi up --refresh",
        *_UNSYNCED,
    ),
    "remote-secret-stranger": _check(
        "a cluster left the mesh and its secret stayed, or somebody added one by hand",
        "kubectl --namespace istio-system delete secret {peer}, in {cluster}",
        "istiod-reads-stranger",
        fatal=False,
    ),
    "reader-token-refused": _check(
        "the token was revoked: its Secret or the reader's account in {peer} was deleted or made anew",
        "run pulumi up --refresh",
        *_UNSYNCED,
    ),
    "reader-rights": _check(
        "the role of the reader's account was changed, or its binding is gone",
        "run pulumi up --refresh",
        *_UNSYNCED,
    ),
    "api-server-differs": _check(
        "the secret was edited, or the address of {peer} changed and the program was not run since",
        "run pulumi up --refresh, or set clusters.{peer}.api_server",
        "api-server-unreachable",
        "api-server-untrusted",
        *_UNSYNCED,
    ),
    "api-server-untrusted": _check(
        "the address is that of a proxy with a certificate of its own, or the CA in the secret is another cluster's",
        "set clusters.{peer}.api_server_ca, or api_server_tls_name",
        *_UNSYNCED,
    ),
    "api-server-unreachable": _check(
        "the address is private to the cluster or to your machine, or a firewall or list of authorized networks is "
        "in between",
        "set clusters.{peer}.api_server to an address that pods of {cluster} reach",
        *_UNSYNCED,
    ),
    "istiod-not-synced": _check(
        "istiod can't read the cluster: address, CA, token or rights; it is Ready all the same after 30 s",
        "kubectl --namespace istio-system logs --selector app=istiod, in {cluster}",
        "service-unknown",
        "no-endpoints",
        "raw-pod-address",
    ),
    "istiod-reads-stranger": _check(
        "a remote secret that this mesh did not make",
        "istio-mesh verify names the secret",
    ),
    "webhook-unreachable": _check(
        "a firewall between the API server and istiod's port 15017, as on private GKE clusters; or istiod is down",
        "let the control plane of {cluster} reach pods on 15017 (through the primary's gateway in a remote cluster)",
    ),
    "webhook-ca": _check(
        "istiod did not take the webhook over: another revision, or another installer writes to it",
        "restart istiod in the primary of {cluster}",
    ),
    "gateway-no-address": _check(
        "the load balancer has no address yet, or none is left; callers then get raw pod addresses, without an error",
        "kubectl --namespace istio-system describe service {peer}, in {cluster}",
        "raw-pod-address",
        "gateway-unreachable",
        "no-endpoints",
        "call-broken",
        "pods-unreachable",
    ),
    "gateway-no-pods": _check(
        "the Service selects other labels than the gateway's pods have, or no pod is ready",
        "kubectl --namespace istio-system get endpointslices --selector kubernetes.io/service-name={peer}, "
        "in {cluster}; scaled to zero: scale it up again; else pulumi up --refresh",
        "gateway-unreachable",
        "call-broken",
        "no-endpoints",
    ),
    "gateway-not-listening": _check(
        "the Gateway rule of {peer} is missing in the primary, or selects other pods",
        "run pulumi up --refresh",
        "gateway-unreachable",
        "call-broken",
        "no-endpoints",
    ),
    "gateway-tls-ended": _check(
        "a load balancer or proxy in front of the gateway has a certificate of its own, so the SNI by which calls are "
        "routed is lost",
        "make it pass TCP through: see the annotations of clusters.{peer}.east_west_gateway",
        "certificate-refused",
        "call-broken",
    ),
    "gateway-unreachable": _check(
        "a firewall blocks port 15443, or the gateway has no pods",
        "let pods of {cluster} reach 15443 of the gateway of {peer}",
        "call-broken",
    ),
    "pods-unreachable": _check(
        "no route or a firewall between the pod ranges: the network is not flat",
        "let pods of {cluster} reach pods of {peer} on all ports, or give one of them a network of its own",
        "call-broken",
    ),
    "sidecar-missing": _check(
        "the pods started before injection was on, or are left out; other networks reach only pods with a proxy",
        "kubectl --namespace <that of {peer}> rollout restart, in {cluster}, once the namespace is labelled",
        "no-endpoints",
        "mtls-missing",
        "plaintext-answered",
        "service-unknown",
        fatal=False,
    ),
    "mtls-disabled": _check(
        "a PeerAuthentication says DISABLE; other networks lose such endpoints, and the rest calls them in plaintext",
        "kubectl edit peerauthentication {peer}, in {cluster}",
        "no-endpoints",
        "mtls-missing",
        "plaintext-answered",
        "service-unknown",
        "call-broken",
        fatal=False,
    ),
    "destination-rule-tls": _check(
        "with tls other than ISTIO_MUTUAL the endpoints on other networks vanish for these callers",
        "kubectl edit destinationrule {peer}, in {cluster}: remove tls, or write mode: ISTIO_MUTUAL",
        "no-endpoints",
        "mtls-missing",
        fatal=False,
    ),
    "raw-pod-address": _check(
        "istiod knows no gateway for that network: no address, no label, or it can't read the cluster",
        "see the gateway of {peer}, and whether the istiod that serves {cluster} has synced it",
        "call-broken",
    ),
    "path-differs": _check(
        "one of the two names another network than the mesh gives it",
        "compare the label topology.istio.io/network of istio-system and of pods in both",
    ),
    "service-unknown": _check(
        "the istiod that serves {cluster} does not see {peer}, or a Sidecar object narrows what proxies know",
        "istio-mesh verify shows which istiod sees what",
    ),
    "no-endpoints": _check(
        "its pod is not ready, has no proxy, or mTLS is switched off for it",
        "kubectl --namespace istio-mesh-verify get pods, in {peer}",
    ),
    "certificate-refused": _check(
        "the two trust different roots, a certificate has expired, or a clock is wrong",
        "istio-mesh verify compares roots, issuers, dates and clocks",
    ),
    "mtls-missing": _check(
        "mTLS is switched off for the callee, or by a destination rule of the caller",
        "kubectl get peerauthentications,destinationrules --all-namespaces, in both",
    ),
    "identity-differs": _check(
        "another trust domain or account than the mesh's answers under this name",
        "compare the trust domains of both clusters",
    ),
    "call-forbidden": _check(
        "an AuthorizationPolicy refuses it",
        "let istio-mesh-verify/sa/probe call istio-mesh-verify",
    ),
    "plaintext-answered": _check(
        "a PeerAuthentication allows or demands plaintext, or the pod has no proxy",
        "kubectl get peerauthentications --all-namespaces, in {peer}",
    ),
    "call-broken": _check(
        "the gateway in between knows no such service, the callee expects plaintext, or something closes connections",
        "istio-mesh verify looks at both ends",
    ),
    "service-differs": _check(
        "Services of one name and namespace are merged; callers get the ports of whichever cluster istiod took first",
        "make {peer} alike in all clusters, or give one of them another name",
        fatal=False,
    ),
    "service-headless": _check(
        "callers of a headless Service dial pod addresses, which other networks can't reach",
        "give {peer} a ClusterIP, or make it cluster_local",
        fatal=False,
    ),
    "export-differs": _check(
        "the Service was changed or moved, or its pods run as another account than exports say; callers in other "
        "meshes see failed connections, and not why",
        "make exports say what {peer} is in {cluster}, or the other way round",
    ),
    "peer-not-trusted": _check(
        "its offer was not there when the program ran last, so its callers are refused, and calls to it fail",
        "run pulumi up again, once the program of {peer} has run",
        "import-refused",
        fatal=False,
    ),
    "import-unreachable": _check(
        "a firewall blocks the port, or the gateway of {peer} has moved, or has no pods",
        "let pods of {cluster} reach it; if it has moved, run pulumi up, which takes the new offer",
    ),
    "import-refused": _check(
        "{peer} does not export it any more or has no pods for it, answers as another account, or has another root "
        "than it offered",
        "run istio-mesh verify in {peer}; then pulumi up there and here, which takes the new offer",
    ),
    "failover-blind": _check(
        "Istio moves calls away only where outlierDetection says that an endpoint fails",
        "add outlierDetection to {peer}",
        fatal=False,
    ),
    "proxies-stale": _check(
        "istiod sent a configuration that the proxy refused or has not answered",
        "istioctl proxy-status, in {cluster}",
        fatal=False,
    ),
    "version-skew": _check(
        "a proxy must not be more than one minor version behind its istiod, and never ahead",
        "restart the workloads of {cluster}, so that they get the proxy of their istiod",
        fatal=False,
    ),
    "object-differs": _check(
        "somebody changed it outside of the stack",
        "pulumi up --refresh puts it back",
        fatal=False,
    ),
}
"""By slug, in the order of causes: what stands earlier is told first."""
