"""What is wrong with a topology, in words that say where, what, why and what to type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from heapq import nlargest
from os.path import commonprefix
from typing import NamedTuple

from .shown import shown, shown_lines

SLUGS: Mapping[str, str] = {
    "topology-shape": "the topology has the shape the documentation describes",
    "unknown-key": "every key is one the topology knows",
    "missing-key": "every required key is given",
    "duplicate-key": "a YAML mapping names each key once",
    "late-value": "what shapes the mesh is known before the program runs",
    "credential-in-fact": "no plain fact of a mesh holds a credential",
    "yaml-syntax": "the file is YAML",
    "file-limits": "a file takes no more of the machine than a mesh needs",
    "file-version": "the file's version is one this package reads",
    "no-clusters": "a mesh has at least one cluster",
    "cluster-name": "a cluster's name is a DNS label",
    "ambiguous-names": "no two resources of a mesh get one logical name",
    "mesh-id": "a mesh ID is a DNS label of at most 40 characters",
    "network-name": "a network's name is a DNS label",
    "primary-unknown": "a cluster's primary is a cluster of the same mesh",
    "primary-is-remote": "a cluster's primary runs a control plane of its own",
    "discovers-unknown": "a cluster discovers other clusters of its mesh, each once",
    "discovers-on-remote": "only a cluster with an istiod of its own discovers others",
    "evicted-unknown": "what is evicted is a cluster of the list",
    "evicted-all": "somebody is left to forget an evicted cluster",
    "evicted-primary": "no remote cluster is left to an evicted primary",
    "pod-cidr-overlap": "pod ranges on one network are disjoint",
    "service-cidr-overlap": "no service range covers pods of the same network",
    "istio-version": "the Istio version is one this package supports",
    "istio-skew": "the versions of Istio in a mesh are at most one minor version apart",
    "istio-known-bug": "no known bug of an Istio version is met",
    "revisions": "revisions and tags fit labels, tags lead to revisions, and one revision serves what names none",
    "waves": "waves name clusters of the mesh, each once, primaries before their remotes",
    "trust-domain": "a trust domain is a lower-case host name",
    "trust-domain-alias": "an alias is a trust domain that the mesh had before",
    "trust-roots": "generated trust has at least one root, each with its date",
    "trust-signer": "exactly one root signs",
    "trust-date": "a certificate is neither expired nor from the future",
    "trust-given": "given certificates chain to their root and match their key",
    "trust-mixed": "certificates are given exactly where trust is given",
    "kubeconfig-missing": "every cluster has its own kubeconfig",
    "kubeconfig-invalid": "a kubeconfig names a server and a context",
    "api-server": "peers can use a cluster's API server address",
    "gateway-address": "a given gateway address is an IP address other networks reach",
    "istiod-address": "remote clusters reach their primary's istiod at an IP address",
    "gateway-ports": "an east-west gateway's extra ports are its own",
    "gateway-tls-termination": "no load balancer ends TLS before the east-west gateway or istiod",
    "cluster-local": "a cluster-local host is a Service's full name, or a namespace's with a wildcard",
    "peer-name": "a peer is another mesh, keyed by its mesh ID",
    "peer-trust-domain": "every mesh has a trust domain of its own",
    "peer-trust": "the roots of a mesh that has peers are known to it",
    "export-service": "an export names a Service of the mesh, its ports and its accounts",
    "export-callers": "who may call an export is named, in a mesh among the peers",
    "export-mtls": "a mesh that exports refuses plaintext",
    "export-transit": "a mesh exports Services of its own only",
    "federation-gateways": "other meshes enter at clusters of the mesh, where it exports anything",
    "import-service": "an import names a Service of the peer, its ports, and who sees it",
    "import-host": "what is imported has a name of its own, outside the clusters' domain",
    "import-address": "what is imported has an address where proxies answer no DNS",
    "import-fallback": "a fallback is a Service of the importing mesh",
    "link-meshes": "a link leads from one mesh of the file to another, once for each Service",
    "not-offered": "what is imported is offered by the other mesh, with the same ports",
    "offer-shape": "an offer is the document that the other mesh made",
    "offer-mesh": "an offer comes from the mesh it is taken for",
    "offer-networks": "no two meshes have a network of one name",
    "offer-gateways": "an exporting mesh has a gateway that can be dialled",
    "foreign-roots": "the roots of a peer are certificates that can be used",
    "foreign-roots-unconstrained": "a peer's roots may vouch for the peer's own trust domain only",
    "foreign-roots-same-name": "no two roots that a proxy trusts have one name",
    "gke-network": "a GKE cluster is on a VPC of the mesh, which knows who else is on it",
    "gke-block": "each GKE cluster has a block of its VPC's supernet, large enough, or ranges of its own",
    "gke-ranges": "ranges of a VPC are disjoint, and as large as GKE wants them",
    "gke-location": "a GKE cluster's zones are in its region",
    "gke-nodes": "node pools can be made, and Autopilot makes its own",
    "gke-control-plane": "the istiods that read a GKE cluster reach its API server",
    "gke-images": "private nodes reach the registry of Istio's images",
    "gke-provider": "what makes GKE clusters is installed",
    "image-hub": "Istio's images lie under a registry and a path",
    "image-pull-secrets": "Secrets by which images are pulled are the user's own, and named once",
    "registry-credentials": "a registry's credentials are a Docker config, for a Secret that pods ask for",
    "verify-labels": "labels and annotations of probes and gates are the user's own",
    "render-to": "what is rendered can be files, and is given what only live clusters know",
    "values-conflict": "Helm values leave the mesh's own wiring alone",
    "chart-source": "every chart the mesh needs is at its source",
    "control-plane": "facts that are given for a control plane that was there before mean something there",
    "adopted-objects": "what is adopted has been written down by istio-mesh adopt",
    "inputs-differ": "what installers of one mesh are told agrees",
    # Of live clusters, causes before what follows from them (checks/registry.py).
    "cluster-unreachable": "every cluster's API server answers",
    "kubernetes-version": "every cluster runs a Kubernetes that its Istio supports",
    "clock-skew": "the clusters' clocks agree",
    "cluster-taken": "a cluster belongs to one mesh, under one name",
    "istio-foreign": "nobody else installed Istio in the clusters",
    "existing-istiod": "a control plane that is joined is ready, and of the declared version",
    "existing-differs": "a control plane that is joined has the facts of the mesh",
    "existing-root": "a control plane that is joined signs under the root of the mesh",
    "existing-parts": "what is used of a control plane that is joined is there, and what is made is not",
    "adopted-fields": "objects that were adopted are handed over before they are managed",
    "root-step": "a rotation of the root skips no step while a cluster runs on the one before",
    "revision-step": "no revision serves what names none before it runs beside the one that does",
    "revision-in-use": "no revision of istiod goes while a pod has its proxy of it, or a namespace asks for it",
    "revision-unknown": "every namespace that asks for a revision asks for one that is there",
    "crds-foreign": "Istio's CRDs belong to this mesh's release, or are left to their installer",
    "helm-pending": "no Helm release is stuck half-way",
    "install-differs": "what is installed is installed as it is declared",
    "pod-cidr-differs": "pods have addresses of the declared ranges",
    "load-balancer-pending": "load balancers get their addresses",
    "pod-security": "namespaces admit the pods that the mesh runs there",
    "certificate-expired": "every certificate authority is valid",
    "istiod-authority": "istiod accepts the certificate authority it is given",
    "istiod-down": "every cluster with an istiod of its own has a ready one",
    "certificate-expiring": "every certificate authority is valid for some weeks to come",
    "roots-differ": "all clusters trust the same roots",
    "issuer-differs": "workload certificates are signed by the authority of their primary",
    "network-differs": "everything in a cluster names the network that the mesh gives it",
    "remote-secret-missing": "an istiod has a remote secret for each cluster that it discovers",
    "remote-secret-stranger": "an istiod has no remote secret besides",
    "reader-token-refused": "the token in a remote secret is accepted by the cluster it reads",
    "reader-rights": "the reader account may read what istiod needs",
    "api-server-differs": "a remote secret leads to the API server of its cluster",
    "api-server-untrusted": "a remote secret verifies the API server of its cluster",
    "api-server-unreachable": "pods reach the API servers that their istiod reads",
    "istiod-not-synced": "every istiod replica has synced every cluster that it discovers",
    "istiod-reads-stranger": "no istiod replica reads any other cluster",
    "webhook-unreachable": "the API server reaches istiod when pods and Istio objects are made",
    "webhook-ca": "the injection webhook is verified by the mesh's own roots",
    "gateway-no-address": "every east-west gateway has an address",
    "gateway-no-pods": "every east-west gateway's Service has ready pods behind it",
    "gateway-not-listening": "every east-west gateway listens for mTLS between networks",
    "gateway-tls-ended": "nothing ends TLS before an east-west gateway",
    "gateway-unreachable": "pods reach the east-west gateways of other networks",
    "pods-unreachable": "pods on one network reach each other",
    "sidecar-missing": "services that other networks call have a proxy at every pod",
    "mtls-disabled": "no workload of the mesh has mTLS switched off",
    "destination-rule-tls": "no destination rule switches mTLS off for calls inside the mesh",
    "raw-pod-address": "proxies know pods of other networks only by their gateways",
    "path-differs": "pods on one network call each other directly",
    "service-unknown": "a service of one cluster is known in those that call it",
    "no-endpoints": "a service that runs has endpoints where it is called",
    "certificate-refused": "caller and service accept each other's certificates",
    "mtls-missing": "calls inside the mesh are encrypted and identified",
    "identity-differs": "caller and service are who they should be",
    "call-forbidden": "nothing forbids the calls by which the mesh proves itself",
    "plaintext-answered": "workloads of a strict mesh answer no plaintext",
    "call-broken": "calls arrive",
    "service-differs": "a Service of one name is the same in every cluster",
    "service-headless": "no headless Service is called from another network",
    "export-differs": "what is exported is there, with the ports and accounts that are offered",
    "peer-not-trusted": "the roots of every peer are trusted",
    "import-unreachable": "pods reach the federation gateways of peers",
    "import-refused": "who answers for an import is who its mesh offered",
    "failover-blind": "where calls prefer near endpoints, failing ones are detected",
    "proxies-stale": "every proxy has the configuration of its istiod",
    "version-skew": "istiods and proxies are at most one minor version apart",
    "object-differs": "the objects of the mesh are as the stack recorded them",
}
"""Every slug there is, with the rule it stands for. Permanent: each is an anchor in docs/checks.md."""


MOST_OF_A_KIND = 20
"""Problems with one slug that are told one by one: clusters of one range are as many problems as pairs."""


_MOST_COMPARED, _LONGEST_COMPARED = 50, 100
"""Names, and the characters of one, when the nearest is looked for."""


class Position(NamedTuple):
    """A place in a YAML file; both numbers start at 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Problem:
    """One thing that must change before the mesh can be built."""

    where: str
    """Path to the fact as the user typed it, such as `clusters.east.pod_cidr`."""
    what: str
    """The finding; names both sides with their values, never a secret."""
    why: str
    """The rule of the mesh that it breaks."""
    fix: str
    """Something to type."""
    slug: str
    """Key of `SLUGS`, and the anchor in docs/checks.md."""

    def __post_init__(self) -> None:
        if self.slug not in SLUGS:
            raise ValueError(f"{self.slug!r} is not in SLUGS")
        # Here, so that nobody who prints a problem can forget it: keys and values are whatever a file holds.
        for field in fields(self):
            object.__setattr__(self, field.name, shown(getattr(self, field.name)))

    def at(self, where: str) -> Problem:
        """Return the same problem at another path."""
        return replace(self, where=where)


class TopologyError(Exception):
    """All problems of one topology; raised before any resource is registered."""

    def __init__(
        self,
        problems: Iterable[Problem],
        source: str = "topology",
        positions: Mapping[str, Position] | None = None,
    ) -> None:
        self.problems = tuple(problems)
        self.source = source
        # By the paths that problems have.
        self.positions = {shown(where): position for where, position in (positions or {}).items()}
        super().__init__(render(self.problems, source, self.positions))


def counted(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the first problems of each kind, and for the rest of a kind one that says how many there are."""
    there = list(problems)
    left = Counter(problem.slug for problem in there)
    told: Counter[str] = Counter()
    for problem in there:
        left[problem.slug] -= 1
        told[problem.slug] += 1
        if told[problem.slug] <= MOST_OF_A_KIND:
            yield problem
        elif told[problem.slug] == MOST_OF_A_KIND + 1:
            more = left[problem.slug] + 1
            yield Problem(
                where=problem.where,
                what=f"and {more:,} more of {problem.slug}",
                why=SLUGS[problem.slug],
                fix="mend those that are told, and check again",
                slug=problem.slug,
            )


def render(problems: Iterable[Problem], source: str, positions: Mapping[str, Position]) -> str:
    """Return one block of text that lists every problem, in the order of the file where it is known."""
    source = shown(source)
    found = sorted(problems, key=lambda p: position_of(p.where, positions) or Position(0, 0))
    count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    blocks = [f"{source}: {count}"]
    for problem in counted(found):
        position = position_of(problem.where, positions)
        at = f"{source}:{position.line}:{position.column}: " if position else ""
        blocks.append(
            f"  {at}{problem.where}: {problem.what}\n"
            f"    why: {problem.why}\n"
            f"    fix: {problem.fix}\n"
            f"    see: docs/checks.md#{problem.slug}"
        )
    return shown_lines("\n\n".join(blocks))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the nearest of the names that there are; empty where none is near, or the name is too long for one.

    Of many, those are compared that begin as it does: each comparison takes as long as both names together, squared,
    and a file may be wrong in thousands of places.
    """
    if len(name) > _LONGEST_COMPARED:
        return ""
    found = [one for one in known if len(one) <= _LONGEST_COMPARED]
    if len(found) > _MOST_COMPARED:
        # Character by character is what is wanted here.
        found = nlargest(_MOST_COMPARED, found, key=lambda one: len(commonprefix((name, one))))  # noqa: RUF071
    return next(iter(get_close_matches(name, found, 1)), "")


def near(name: str, known: Iterable[str]) -> str:
    """Return the end of a finding that asks for the nearest of the names that there are; empty without one."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""


def position_of(where: str, positions: Mapping[str, Position]) -> Position | None:
    """Return where the fact stands, or the nearest fact around it when it is missing from the file."""
    path = where
    while path:
        if path in positions:
            return positions[path]
        path = path.rpartition(".")[0]
    return positions.get("")
