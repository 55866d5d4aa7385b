"""What all checks together say of a mesh."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..topology.problems import SLUGS
from ..topology.shown import shown
from . import certificates, control_planes, federation, networks, secrets, services
from .findings import Cause, Finding, causes
from .registry import CHECKS
from .seen import View

JUDGES = (
    *control_planes.JUDGES,
    *secrets.JUDGES,
    *certificates.JUDGES,
    *networks.JUDGES,
    *services.JUDGES,
    *federation.JUDGES,
)

READS: Mapping[str, tuple[str, ...]] = {
    "cluster-unreachable": (),
    "kubernetes-version": ("version",),
    "clock-skew": ("version",),
    "load-balancer-pending": ("services",),
    "istiod-authority": ("pods", "sync"),
    "istiod-down": ("pods",),
    "certificate-expired": ("proxy",),
    "certificate-expiring": ("proxy",),
    "roots-differ": ("roots",),
    "issuer-differs": ("proxy",),
    "network-differs": ("namespaces", "services", "proxy"),
    "remote-secret-missing": ("remote_secrets",),
    "remote-secret-stranger": ("remote_secrets",),
    "reader-token-refused": ("remote_secrets",),
    "reader-rights": ("remote_secrets",),
    "api-server-differs": ("remote_secrets",),
    "api-server-untrusted": ("gate",),
    "api-server-unreachable": ("gate",),
    "istiod-not-synced": ("sync",),
    "istiod-reads-stranger": ("sync",),
    "webhook-unreachable": ("injection",),
    "webhook-ca": ("injector", "roots"),
    "gateway-no-address": ("services",),
    "gateway-no-pods": ("gateway_slices",),
    "gateway-not-listening": ("gateway_ports",),
    "gateway-tls-ended": ("gate",),
    "gateway-unreachable": ("gate",),
    "pods-unreachable": ("gate",),
    "mtls-disabled": ("peer_authentications",),
    "destination-rule-tls": ("destination_rules",),
    "raw-pod-address": ("gate",),
    "path-differs": ("gate",),
    "service-unknown": ("gate",),
    "no-endpoints": ("gate",),
    "certificate-refused": ("gate",),
    "mtls-missing": ("gate",),
    "identity-differs": ("gate",),
    "call-forbidden": ("gate",),
    "plaintext-answered": ("gate",),
    "call-broken": ("gate",),
    "sidecar-missing": ("pods", "services"),
    "service-differs": ("services",),
    "service-headless": ("services",),
    "export-differs": ("pods", "services"),
    "peer-not-trusted": ("peer_domains",),
    "import-unreachable": ("gate",),
    "import-refused": ("gate",),
    "failover-blind": ("destination_rules",),
    "proxies-stale": ("stale",),
    "version-skew": ("pods",),
    "object-differs": ("objects",),
}
"""Every check of `istio-mesh verify`, with the readings that it needs of each cluster."""

LEFT_OUT = "left out: "
"""How a reason begins for which nobody can do anything: the mesh says that this is not looked at."""


@dataclass(frozen=True)
class Row:
    """One check, and how it ended."""

    slug: str
    findings: tuple[Finding, ...]
    unread: Mapping[str, str]
    """By cluster: why it could not be looked at there."""

    @property
    def status(self) -> str:
        """failed, warned, skipped where a cluster was not looked at, or passed."""
        if self.findings:
            return "failed" if CHECKS[self.slug].fatal else "warned"
        return "passed" if not self.unread else "skipped"

    @property
    def reasons(self) -> list[str]:
        """Return why it was not looked at, and where; one entry where the reason is the same everywhere."""
        if len(self.unread) > 1 and len(set(self.unread.values())) == 1:
            return [f"{len(self.unread)} clusters: {next(iter(self.unread.values()))}"]
        return [f"{cluster}: {why}" for cluster, why in self.unread.items()]

    @property
    def could_not_be_looked_at(self) -> bool:
        """Whether a cluster was not looked at for another reason than that the mesh says so."""
        return not self.findings and any(not why.startswith(LEFT_OUT) for why in self.unread.values())

    @property
    def rule(self) -> str:
        """What holds where it passes."""
        return SLUGS[self.slug]


@dataclass(frozen=True)
class Outcome:
    """How a mesh is."""

    mesh: str
    causes: tuple[Cause, ...]
    rows: tuple[Row, ...]

    @property
    def fatal(self) -> bool:
        """Whether anything is found that breaks the mesh."""
        return any(cause.fatal for cause in self.causes)


def judged(view: View, differences: Iterable[Finding] | None = None) -> Outcome:
    """Return what all checks say; `differences` are those from what a stack recorded, None without a stack."""
    recorded = differences is not None
    view, findings = view.believed(_findings)
    found = findings | set(differences or ())
    rows = tuple(
        Row(
            slug,
            tuple(sorted((f for f in found if f.slug == slug), key=lambda f: (f.where, f.what))),
            _unread(view, slug),
        )
        for slug in READS
        if slug != "object-differs" or recorded
    )
    return Outcome(shown(view.topology.mesh_id), tuple(causes(found)), rows)


def _findings(view: View) -> set[Finding]:
    return {finding for judge in JUDGES for finding in judge(view)}


def _unread(view: View, slug: str) -> dict[str, str]:
    found = {}
    for name, seen in view.seen.items():
        reasons = [seen.unread[reading] for reading in READS[slug] if reading in seen.unread]
        if not seen.reachable and slug != "cluster-unreachable":
            found[name] = "the cluster does not answer"
        elif reasons:
            found[name] = shown(reasons[0])
    return found
