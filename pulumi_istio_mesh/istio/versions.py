"""The Istio versions this package installs, as data.

Source: Istio's supported-releases page and release announcements, read in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import names


@dataclass(frozen=True)
class Minor:
    """One Istio minor version."""

    kubernetes: str
    """Range of Kubernetes versions that Istio tests it with."""


SUPPORTED: Mapping[str, Minor] = {
    "1.30": Minor(kubernetes="1.32-1.36"),
    "1.31": Minor(kubernetes="1.32-1.36"),
}
"""Minor versions by name, oldest first."""

NEWEST = "1.31.1"
"""Newest patch known when this package was released; only ever suggested, never a default."""

CHART_SOURCE = "https://blob.istio.io/istio-release/charts"
"""Istio's Helm repository. The older one on Google's storage is switched off in December 2026."""

IMAGE_HUB = "docker.io/istio"
"""Registry of all of Istio's images; charts up to 1.30 still default to one that is switched off."""


CRDS = (
    "authorizationpolicies.security.istio.io",
    "destinationrules.networking.istio.io",
    "envoyfilters.networking.istio.io",
    "gateways.networking.istio.io",
    "peerauthentications.security.istio.io",
    "proxyconfigs.networking.istio.io",
    "requestauthentications.security.istio.io",
    "serviceentries.networking.istio.io",
    "sidecars.networking.istio.io",
    "telemetries.telemetry.istio.io",
    "trafficextensions.extensions.istio.io",
    "virtualservices.networking.istio.io",
    "wasmplugins.extensions.istio.io",
    "workloadentries.networking.istio.io",
    "workloadgroups.networking.istio.io",
)
"""Every CRD that chart `base` of a supported version holds."""


HAND_OVER_CRDS = (
    "kubectl label --overwrite $(kubectl get crd -o name | grep istio.io) app.kubernetes.io/managed-by=Helm",
    "kubectl annotate --overwrite $(kubectl get crd -o name | grep istio.io) "
    f"meta.helm.sh/release-name={names.BASE_RELEASE} meta.helm.sh/release-namespace={names.NAMESPACE}",
)
"""Commands by which CRDs of another installer become those of the mesh's own release."""


def minor_number(version: str) -> int | None:
    """Return 31 for `1.31.1`; None of what is no version of Istio."""
    parts = version.split(".")
    return int(parts[1]) if len(parts) > 2 and parts[0] == "1" and parts[1].isdigit() else None


def minor_of(version: str) -> str:
    """Return `1.31` for `1.31.1`."""
    return ".".join(version.split(".")[:2])
