"""Rules about the mesh's clusters: their names, and who serves whom."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from ..istio import names
from ..topology.declared import Late
from ..topology.kubeconfig import api_server_problems, tls_name_problems
from ..topology.models import Topology
from ..topology.names import is_dns_label, is_mesh_id
from ..topology.problems import Problem, near


def a_mesh_has_clusters(topology: Topology) -> Iterator[Problem]:
    """Refuse an empty list."""
    if not topology.clusters:
        yield Problem(
            where="clusters",
            what="the list is empty",
            why="a mesh is made of the clusters it lists",
            fix='clusters: {east: {network: "vpc"}}',
            slug="no-clusters",
        )


def the_mesh_id_is_a_label(topology: Topology) -> Iterator[Problem]:
    """Refuse a mesh ID that cannot stand in a host name and a certificate."""
    if not is_mesh_id(topology.mesh_id):
        yield Problem(
            where="mesh_id",
            what=f"{topology.mesh_id!r} is not a DNS label of at most 40 characters",
            why="the mesh ID is part of the trust domain, and of the root certificate's common name, "
            "which ends at 64 characters",
            fix="use lower-case letters, digits and inner hyphens, such as mesh_id: prod",
            slug="mesh-id",
        )


def names_are_labels(topology: Topology) -> Iterator[Problem]:
    """Refuse cluster and network names that Kubernetes does not accept as a label value."""
    for name, cluster in topology.clusters.items():
        if not is_dns_label(name) or name == "kubernetes":
            yield Problem(
                where=f"clusters.{name}",
                what=f"{name!r} cannot be a cluster's name",
                why="the name is istiod's CLUSTER_ID, the key of remote secrets and part of object names; "
                'and "Kubernetes" is what an istiod calls a cluster nobody named',
                fix="use lower-case letters, digits and inner hyphens, at most 63 characters, such as east-1",
                slug="cluster-name",
            )
        if cluster.network is not None and not is_dns_label(cluster.network):
            yield Problem(
                where=f"clusters.{name}.network",
                what=f"{cluster.network!r} cannot be a network's name",
                why=f"it is the value of the label {names.NETWORK_LABEL} on namespaces, Services and pods",
                fix="use lower-case letters, digits and inner hyphens, at most 63 characters, such as vpc",
                slug="network-name",
            )


def logical_names_are_unambiguous(topology: Topology) -> Iterator[Problem]:
    """Refuse cluster names of which two pairs would give two remote secrets one Pulumi name."""
    seen: dict[str, tuple[str, str]] = {}
    # A name of two pairs has the word twice, so once in a cluster's own. Most meshes have no such cluster.
    worded = {name for name in topology.clusters if "remote" in name}
    for reader, read in permutations(topology.clusters, 2) if worded else ():
        if reader not in worded and read not in worded:
            continue
        name = names.logical_name("", reader, "remote", read)
        if name in seen:
            first = seen[name]
            yield Problem(
                where=f"clusters.{reader}",
                what=f"the remote secrets {first[0]} -> {first[1]} and {reader} -> {read} would both be called {name}",
                why="a logical name is identity to Pulumi, so two resources can't share one",
                fix=f'call the cluster something without "-remote-" in it, instead of {reader} or {read}',
                slug="ambiguous-names",
            )
        seen.setdefault(name, (reader, read))


def primaries_exist(topology: Topology) -> Iterator[Problem]:
    """Refuse a primary that is not a cluster of the mesh, or that is itself served by another one."""
    for name in topology.clusters:
        primary = topology.primary_of(name)
        where = f"clusters.{name}.primary"
        if primary not in topology.clusters:
            yield Problem(
                where=where,
                what=f"{primary!r} is not a cluster of this mesh ({', '.join(topology.clusters)})",
                why="a cluster is served by the istiod of its primary, in the same mesh",
                fix=f"name one of the mesh's clusters, or leave {where} out to give {name} its own control plane",
                slug="primary-unknown",
            )
        elif topology.primary_of(primary) != primary:
            yield Problem(
                where=where,
                what=f"{primary} is itself served by {topology.primary_of(primary)}",
                why="only a cluster with a control plane of its own can serve another",
                fix=f"{where}: {topology.primary_of(primary)}",
                slug="primary-is-remote",
            )


def discovery_names_clusters(topology: Topology) -> Iterator[Problem]:
    """Refuse a list of clusters to discover that names none of the mesh, or stands where no istiod would read it."""
    for name, cluster in topology.clusters.items():
        if cluster.discovers is None:
            continue
        where = f"clusters.{name}.discovers"
        if topology.is_remote(name):
            primary = topology.primary_of(name)
            yield Problem(
                where=where,
                what=f"{name} has no istiod of its own that could discover anything",
                why=f"its proxies know what the istiod of its primary {primary} knows",
                fix=f"move the list to clusters.{primary}.discovers",
                slug="discovers-on-remote",
            )
            continue
        for index, peer in enumerate(cluster.discovers):
            if peer in topology.clusters and peer != name and peer not in cluster.discovers[:index]:
                continue
            known = ", ".join(other for other in topology.clusters if other != name)
            if peer == name:
                what = f"{name} names itself; its own istiod knows it anyway"
            elif peer in topology.clusters:
                what = f"{peer} is given twice"
            else:
                what = f"{peer!r} is not a cluster of this mesh ({known})"
            yield Problem(
                where=f"{where}.{index}",
                what=what,
                why="for each cluster in the list istiod gets a credential that lets it read that cluster",
                fix=f"remove {peer} from {where}",
                slug="discovers-unknown",
            )


def the_evicted_leave_a_mesh(topology: Topology) -> Iterator[Problem]:
    """Refuse to evict what is no cluster, all of them, or a primary whose remotes stay behind."""
    why = "an evicted cluster stays in the list and out of the mesh, until its name is taken out of evicted"
    for index, name in enumerate(topology.evicted):
        where = f"evicted.{index}"
        if name in topology.clusters and name not in topology.evicted[:index]:
            continue
        known = ", ".join(topology.clusters)
        if name in topology.clusters:
            what, fix = f"{name} is given twice", f"name {name} once"
        else:
            what = f"{name!r} is not a cluster ({known}){near(name, topology.clusters)}"
            fix = f"remove {name} from evicted"
        yield Problem(where=where, what=what, why=why, fix=fix, slug="evicted-unknown")
    gone = set(topology.evicted)
    if topology.clusters and gone >= topology.clusters.keys():
        yield Problem(
            where="evicted",
            what="every cluster of the mesh is evicted",
            why="evicting leaves a cluster as it is, for others to forget; nobody would be left to forget it",
            fix="pulumi destroy, with PULUMI_K8S_DELETE_UNREACHABLE=true where a cluster is dead",
            slug="evicted-all",
        )
    for name in topology.clusters:
        primary = topology.primary_of(name)
        if primary in gone and name not in gone:
            others = [other for other in topology.clusters if not topology.is_remote(other) and other not in gone]
            yield Problem(
                where=f"clusters.{name}.primary",
                what=f"{primary}, whose istiod serves {name}, is evicted",
                why="proxies of a remote cluster keep the config they have and get no new certificate: its calls end "
                "within a day",
                fix=f"clusters.{name}.primary: {others[0]}"
                if others
                else f"give {name} an istiod of its own: remove clusters.{name}.primary",
                slug="evicted-primary",
            )
    if topology.exports and topology.federation_gateways and gone >= set(topology.federation_gateways):
        yield Problem(
            where="federation_gateways",
            what="every cluster where other meshes enter is evicted",
            why="what is exported could not be called by anybody",
            fix="name a cluster that is there, or remove federation_gateways to let them enter at all",
            slug="federation-gateways",
        )


def api_servers_can_be_dialled(topology: Topology) -> Iterator[Problem]:
    """Refuse API server addresses and names that others can't dial and verify; late addresses are checked late."""
    for name, cluster in topology.clusters.items():
        if cluster.api_server is not None and not isinstance(cluster.api_server, Late):
            yield from api_server_problems(f"clusters.{name}.api_server", cluster.api_server)
        if cluster.api_server_tls_name is not None:
            yield from tls_name_problems(f"clusters.{name}.api_server_tls_name", cluster.api_server_tls_name)


RULES = (
    a_mesh_has_clusters,
    the_mesh_id_is_a_label,
    names_are_labels,
    logical_names_are_unambiguous,
    primaries_exist,
    discovery_names_clusters,
    the_evicted_leave_a_mesh,
    api_servers_can_be_dialled,
)
