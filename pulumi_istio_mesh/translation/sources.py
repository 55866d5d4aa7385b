"""Which installer a document is for, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import banzai, helm, istioctl, sail
from .documents import HELM, Document
from .tables import Left, Table, Told, read


@dataclass(frozen=True)
class Source:
    """One kind of document that tells of a cluster."""

    title: str
    table: Callable[[], Table]
    installs: bool = True
    """Whether it says that the cluster is one of the mesh."""


SOURCES: Mapping[tuple[str, str], Source] = {
    (banzai.FIRST, "Istio"): Source("Banzai Cloud's Istio", banzai.istio_table),
    (banzai.FIRST, "RemoteIstio"): Source("Banzai Cloud's RemoteIstio", banzai.remote_table),
    (banzai.SECOND, "IstioControlPlane"): Source("IstioControlPlane", banzai.control_plane_table),
    **{(group, "Istio"): Source("the Sail operator's Istio", sail.table) for group in sail.GROUPS},
    **{(group, "IstioCNI"): Source("the Sail operator's IstioCNI", sail.cni_table, False) for group in sail.GROUPS},
    (istioctl.GROUP, istioctl.KIND): Source("IstioOperator", istioctl.table),
    ("", HELM): Source(HELM, helm.helm_table),
}
"""Sources by group and kind."""

_BESIDE: Mapping[tuple[str, str], tuple[str, str]] = {
    (banzai.FIRST, "MeshGateway"): (
        "ingress and egress gateways are not the mesh's",
        "install chart gateway beside it",
    ),
    (banzai.SECOND, "IstioMeshGateway"): ("gateways of your own are not the mesh's", "install chart gateway beside it"),
    (banzai.SECOND, "PeerIstioControlPlane"): (
        "it is a copy of another cluster's",
        "give that one's IstioControlPlane",
    ),
    (banzai.SECOND, "IstioMesh"): (
        "it is mesh config of all clusters",
        "write spec.config to values.istiod.meshConfig",
    ),
    **{(group, "ZTunnel"): ("the mesh has no ambient mode", "workloads need sidecars first") for group in sail.GROUPS},
}
_OTHER = ("it is not what an installer of Istio is told", "apply it as it is, or leave it where it is")


def source_of(document: Document) -> Source | None:
    """Return how the document is read; None for what tells of no cluster."""
    found = SOURCES.get((document.group, document.kind))
    if found and document.kind == istioctl.KIND and istioctl.installs_gateways_only(document):
        return Source(found.title, found.table, installs=False)
    return found


def told_by(document: Document, source: Source) -> Told:
    """Return all that the document tells."""
    told = read(document, source.table(), helm.NOT_READ if document.kind == HELM else None)
    if (document.group, document.kind) == (banzai.FIRST, "RemoteIstio"):
        told.say("role", "remote", ("kind",))
    return told


def beside(document: Document) -> Left:
    """Return the report of a document that tells of no cluster."""
    what = f"{document.kind} {document.name}".strip()
    label = document.label if what in document.label else f"{document.label}: {what}"
    return Left(label, *_BESIDE.get((document.group, document.kind), _OTHER))
