"""Whether every cluster answers, runs what it should, and sees the clusters that it discovers."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from ..istio.versions import SUPPORTED, minor_of
from .findings import Finding
from .seen import View, containers_of, is_ready, tag_of

_SKEW_SECONDS = 60
"""Certificates are valid from 120 s before they are signed: half of that is a warning in time.
Source: istio/istio security/pkg/pki/util/generate_cert.go ClockSkewGracePeriod."""


def answers(view: View) -> Iterator[Finding]:
    """Every cluster's API server answers."""
    for name, seen in view.seen.items():
        if not seen.reachable:
            yield Finding("cluster-unreachable", name, f"its API server: {seen.unread['version']}")


def kubernetes_versions(view: View) -> Iterator[Finding]:
    """Each server's version is one that Istio is tested with."""
    for planned, seen in view.clusters():
        version = view.topology.version_of(planned.name)
        minor = SUPPORTED.get(minor_of(version))
        found = re.match(r"v?1\.(\d+)", seen.version)
        if minor and found:
            low, high = (int(end.partition(".")[2]) for end in minor.kubernetes.split("-"))
            if not low <= int(found[1]) <= high:
                what = f"Kubernetes {seen.version}; Istio {version} needs {minor.kubernetes}"
                yield Finding("kubernetes-version", planned.name, what)


def clocks(view: View) -> Iterator[Finding]:
    """No two clusters' clocks are further apart than certificates tolerate; the odd one out is named."""
    known = {planned.name: seen.skew_seconds for planned, seen in view.clusters() if seen.skew_seconds is not None}
    if len(known) < 2:
        return
    middle = sorted(known.values())[len(known) // 2]
    for name, skew in known.items():
        apart = skew - middle
        if abs(apart) > _SKEW_SECONDS:
            which = "ahead of" if apart > 0 else "behind"
            yield Finding("clock-skew", name, f"its clock is {abs(apart):.0f} s {which} that of the other clusters")


def istiods(view: View) -> Iterator[Finding]:
    """Each cluster with an istiod of its own has a ready one; if not, whether its authority is why."""
    for planned, seen in view.clusters():
        if planned.remote or "pods" in seen.unread:
            continue
        pods = seen.istiods()
        if pods and all(is_ready(pod) for pod in pods):
            continue
        if re.search(r"x509|certificate|cacerts|CA key|key pair|private key", seen.istiod_words, re.IGNORECASE):
            yield Finding("istiod-authority", planned.name, f"istiod does not start: {seen.istiod_words}")
        for pod in pods:
            if not is_ready(pod):
                yield Finding("istiod-down", planned.name, f"{pod['metadata']['name']} is not ready")
        if not pods:
            yield Finding("istiod-down", planned.name, "no pod of istiod runs")


def synced(view: View) -> Iterator[Finding]:
    """Every replica has synced exactly the clusters that it discovers."""
    for planned, seen in view.clusters():
        for pod, states in seen.sync.items():
            for cluster in planned.discovers:
                state = states.get(cluster)
                if state != "synced":
                    what = f"{pod} reports {cluster} as {state}" if state else f"{pod} does not know {cluster}"
                    yield Finding("istiod-not-synced", planned.name, what, cluster)
            for cluster in sorted(set(states) - set(planned.discovers)):
                if states[cluster] != "closed":
                    yield Finding("istiod-reads-stranger", planned.name, f"{pod} reads {cluster}", name=cluster)


def injection(view: View) -> Iterator[Finding]:
    """A pod that asks for a proxy is admitted with one."""
    for planned, seen in view.clusters():
        if seen.injection is not None:
            yield Finding(
                "webhook-unreachable", planned.name, f"no pod with a proxy can be made: {seen.injection[:240]}"
            )


def webhook_authority(view: View) -> Iterator[Finding]:
    """The API server verifies the injection webhook by the roots that the mesh trusts."""
    for planned, seen in view.clusters():
        if seen.injector is None or not seen.roots:
            continue
        bundles = [hook["clientConfig"].get("caBundle") or "" for hook in seen.injector.get("webhooks") or []]
        pems = {_blocks(base64.b64decode(bundle).decode(errors="replace")) for bundle in bundles}
        if not all(pem and pem <= _blocks(seen.roots) for pem in pems):
            what = f"{planned.injector} trusts another authority than the mesh's roots, or none"
            yield Finding("webhook-ca", planned.name, what)


def _blocks(pem: str) -> frozenset[str]:
    return frozenset(re.findall(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----", pem))


def proxies(view: View) -> Iterator[Finding]:
    """Every proxy has taken what its istiod sent."""
    for planned, seen in view.clusters():
        for proxy in sorted(set(seen.stale)):
            what = f"{proxy} has not taken what istiod sent"
            yield Finding("proxies-stale", planned.name, what, name=proxy)


def versions(view: View) -> Iterator[Finding]:
    """Proxies are at most one minor version behind the istiod of their mesh, and never ahead."""
    for planned, seen in view.clusters():
        version = view.topology.newest_version_of(planned.name)
        expected = _minor(version)
        counted: dict[str, int] = {}
        for pod in seen.pods:
            tag = tag_of(next((c["image"] for c in containers_of(pod) if c["name"] == "istio-proxy"), ""))
            if _minor(tag) is not None:
                counted[tag] = counted.get(tag, 0) + 1
        for tag, count in sorted(counted.items()):
            apart = (expected or 0) - (_minor(tag) or 0)
            if expected is not None and apart not in (0, 1):
                what = f"{count} proxies are of version {tag}, istiod of {version}"
                yield Finding("version-skew", planned.name, what)


def _minor(version: str) -> int | None:
    found = re.match(r"1\.(\d+)\.", f"{version}.")
    return int(found[1]) if found else None


JUDGES = (
    answers, kubernetes_versions, clocks, istiods, synced, injection, webhook_authority, proxies, versions,
)  # fmt: skip
