"""Whose the control planes of clusters are that stay."""

from __future__ import annotations

from collections.abc import Iterator

from .change import Change, Kind, Sides

_PAGE = "docs/how-to/existing-istio.md"

NO_PLAINTEXT = (
    "mtls: permissive, until every caller has a sidecar: istio_requests_total says by its "
    "connection_security_policy who has none"
)


def control_planes(sides: Sides) -> Iterator[Change]:
    """Yield a sentence for each control plane that is taken over, or given up."""
    for name in sides.stay:
        was, will = (side.topology.clusters[name].control_plane for side in (sides.before, sides.after))
        if was == will:
            continue
        behind = sides.behind("ControlPlane", [name])
        if was == "managed":
            yield Change(
                Kind.CLUSTERS,
                f"the control plane of {name} is made by the mesh, and would be deleted as one that was there before; "
                "pulumi up refuses it",
                behind,
                safe_way=f"leave clusters.{name}.control_plane managed",
            )
        elif will == "managed" and was == "existing":
            yield Change(
                Kind.CLUSTERS,
                f"the control plane of {name} would be made over the one that is there; pulumi up refuses it",
                behind,
                safe_way=f"clusters.{name}.control_plane: adopted, in a run of its own ({_PAGE}#adopt-it)",
            )
        elif will == "managed":
            told = (
                f"the control plane of {name}, adopted before, becomes the mesh's own: its objects change in place, "
                f"istiod one pod after the other, once their fields are handed over ({_PAGE}#hand-it-over)"
            )
            yield Change(Kind.RESTARTS, told, behind)
            if sides.after.topology.mtls == "strict":
                yield Change(Kind.TRAFFIC, f"workloads of {name} refuse plaintext", behind, safe_way=NO_PLAINTEXT)
            if sides.after.topology.dns_capture:
                yield Change(Kind.RESTARTS, f"proxies answer DNS once their workloads restart, in {name}", behind)
        elif will == "adopted":
            told = f"the control plane of {name} is imported as istio-mesh adopt wrote it down: nothing in it changes"
            yield Change(Kind.CLUSTERS, told, behind)
        else:
            told = f"the control plane of {name} is forgotten: it stays in the cluster, as its installer left it"
            yield Change(Kind.CLUSTERS, told, behind)
