"""In which folder each object of a rendered cluster lies: they can be applied one after the other."""

from __future__ import annotations

import enum

from ..istio import names


class Folder(enum.Enum):
    """The folders of one cluster, in the order in which they are applied; the value is the folder's name."""

    BASE = "1-base"
    """What others need to exist: namespaces, accounts."""
    SECRETS = "secrets"
    """Every Secret, and nothing else: no folder for a repository. istiod waits for its authority."""
    CONTROL_PLANE = "2-control-plane"
    """istiod, or what leads to the one of another cluster."""
    MESH = "3-mesh"
    """What istiod must answer for before: gateways and probes, which it injects, and Istio's own objects."""


_NEEDED_FIRST = ("Namespace", "ServiceAccount")
_LEADS_TO_ISTIOD = ("Service", "EndpointSlice")


def crds_folder(version: str) -> str:
    """Return the folder, beside those of the clusters, of a version's CRDs; no cluster can have its name."""
    return f"crds-{version}"


def folder_of(kind: str, name: str, chart: str | None) -> Folder:
    """Return where an object of this kind and name lies; `chart` is what its chart is here, if any."""
    if kind == "Secret":
        return Folder.SECRETS
    if chart == "base" or (chart is None and kind in _NEEDED_FIRST):
        return Folder.BASE
    # A webhook of our own is that of a revision tag.
    of_istiod = kind == "MutatingWebhookConfiguration" or (kind in _LEADS_TO_ISTIOD and names.is_istiod(name))
    if names.is_istiod(chart or "") or (chart is None and of_istiod):
        return Folder.CONTROL_PLANE
    return Folder.MESH
