"""Rules about clusters that join with a control plane that was there before, and where the mesh's facts don't reach."""

from __future__ import annotations

from collections.abc import Iterator

from ..topology.models import Cluster, Topology
from ..topology.problems import Problem


def its_authority_is_its_own(topology: Topology) -> Iterator[Problem]:
    """Refuse generated trust: a root that is made here can't be the one that somebody else's istiod signs under."""
    if topology.joining and topology.trust.kind == "generated":
        yield Problem(
            where="trust.kind",
            what=f"it is generated, and the istiod of {_listed(topology.joining)} has an authority already",
            why="all clusters of a mesh trust one root, and what runs there trusts the root of that authority",
            fix="trust: {kind: external}, with Secret cacerts of the same root in the other clusters; or kind: given, "
            "with their cacerts in the program. Where those run under a root of the mesh already, that is an outage: "
            "docs/how-to/existing-istio.md#a-common-root",
            slug="control-plane",
        )


def its_istiod_serves_its_own_cluster(topology: Topology) -> Iterator[Problem]:
    """Refuse such a cluster as a remote, and as the primary of others: both ends would have to be changed there."""
    for name in topology.joining:
        if topology.is_remote(name):
            yield Problem(
                where=f"clusters.{name}.primary",
                what=f"{name} has an istiod already, and is to be served by that of {topology.primary_of(name)}",
                why="its webhooks and ConfigMaps lead to the istiod that is there, and are not touched",
                fix=f"remove clusters.{name}.primary",
                slug="control-plane",
            )
        for remote in topology.remotes_of(name):
            yield Problem(
                where=f"clusters.{remote}.primary",
                what=f"the istiod of {name} was there before, and is to serve {remote}",
                why="an istiod serves other clusters only if it was installed to (global.externalIstiod), and where "
                "its ports are reached from outside",
                fix=f"remove clusters.{remote}.primary, or name a cluster whose control plane is managed",
                slug="control-plane",
            )


def the_mesh_shares_nothing(topology: Topology) -> Iterator[Problem]:
    """Refuse exports and peers: that istiod does not read the config in which foreign roots are."""
    for where, found in (("peers", topology.peers), ("exports", topology.exports)):
        if topology.joining and found:
            yield Problem(
                where=where,
                what=f"other meshes are let in or called, and the control plane of {_listed(topology.joining)} was "
                "there before",
                why="an istiod takes the roots of other meshes from a ConfigMap that it must be started to read "
                "(SHARED_MESH_CONFIG)",
                fix=f"remove {where}, or make that control plane managed first",
                slug="control-plane",
            )


def its_istiod_has_no_revision(topology: Topology) -> Iterator[Problem]:
    """Refuse revisions and their tags beside it: they would have to stand in its cluster, too."""
    for where, found in (("revisions", topology.revisions), ("revision_tags", topology.revision_tags)):
        if topology.joining and found:
            yield Problem(
                where=where,
                what=f"istiods of several revisions are to run, and the control plane of {_listed(topology.joining)} "
                "was there before",
                why="each cluster with an istiod has all revisions of the mesh, and that one stays as it is",
                fix=f"remove {where}, or make that control plane managed first",
                slug="control-plane",
            )


def nothing_is_said_of_what_is_not_made(topology: Topology) -> Iterator[Problem]:
    """Refuse facts of such a cluster that would change nothing in it."""
    for name in topology.joining:
        for key, why in _idle(topology, name, topology.clusters[name]):
            yield Problem(
                where=f"clusters.{name}.{key}",
                what=f"it is given, and clusters.{name}.control_plane is {topology.clusters[name].control_plane}",
                why=why,
                fix=f"remove clusters.{name}.{key}",
                slug="control-plane",
            )
        for number, wave in enumerate(topology.waves):
            if name in wave:
                yield Problem(
                    where=f"waves.{number}",
                    what=f"{name} is in it, and its control plane was there before",
                    why="a wave is what is changed together, and that istiod is not changed",
                    fix=f"remove {name} from waves.{number}",
                    slug="control-plane",
                )


def _idle(topology: Topology, name: str, cluster: Cluster) -> Iterator[tuple[str, str]]:
    for chart in ("base", "istiod"):
        if chart in cluster.values:
            yield f"values.{chart}", "the chart's objects are there already, and stay as they are"
    if cluster.revision_tags:
        yield "revision_tags", "its webhooks are there already, and stay as they are"
    if cluster.gke is not None:
        yield "gke", "in a cluster that the program makes no control plane can be there before"
    gateway = cluster.east_west_gateway
    if gateway.existing:
        for key in sorted(gateway.model_fields_set - {"existing", "address"}):
            yield f"east_west_gateway.{key}", "the gateway is there already, and stays as it is"
        if "gateway" in cluster.values:
            yield "values.gateway", "the gateway is there already, and stays as it is"


def an_existing_gateway_is_of_an_existing_control_plane(topology: Topology) -> Iterator[Problem]:
    """Refuse a gateway that is said to be there in a cluster whose control plane is made here."""
    for name, cluster in topology.clusters.items():
        if cluster.east_west_gateway.existing and not cluster.joins:
            yield Problem(
                where=f"clusters.{name}.east_west_gateway.existing",
                what=f"the gateway is said to be there, and the control plane of {name} is made here",
                why="the gateway of a managed control plane is made here, and one that is there can't be taken over",
                fix=f"remove clusters.{name}.east_west_gateway.existing, or set clusters.{name}.control_plane: "
                "existing",
                slug="control-plane",
            )


def _listed(clusters: list[str]) -> str:
    return " and ".join(clusters)


RULES = (
    its_authority_is_its_own,
    its_istiod_serves_its_own_cluster,
    the_mesh_shares_nothing,
    its_istiod_has_no_revision,
    nothing_is_said_of_what_is_not_made,
    an_existing_gateway_is_of_an_existing_control_plane,
)
