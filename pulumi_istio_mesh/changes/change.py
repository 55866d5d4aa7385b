"""One thing that a change of the declared facts changes in the mesh."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..istio import names
from ..plan import words
from ..plan.mesh_plan import ClusterPlan, MeshPlan
from ..plan.resources import istiod_roles, resources
from ..topology.models import Topology
from ..topology.shown import shown

MOST = 12
"""More names than this are not told one by one in a sentence; its resources and paths have all of them."""


def listed(found: Sequence[str]) -> str:
    """Return names as sentences tell them."""
    return words.listed(found, MOST)


class Kind(enum.Enum):
    """What a change is about, in order of weight; the value is its heading."""

    CLUSTERS = "Clusters"
    TRAFFIC = "Traffic"
    TRUST = "Trust"
    RESTARTS = "Restarts"
    PORTS = "Ports"
    SECRETS = "Secrets"
    LOAD_BALANCERS = "Load balancers"
    OTHER = "Other"


class Way(enum.Enum):
    """How calls get from one cluster to another."""

    NONE = "none"
    DIRECT = "pod to pod"
    GATEWAY = "through the gateway"


@dataclass(frozen=True)
class PathChange:
    """Calls from one cluster to another that start, stop or take another way."""

    source: str
    target: str
    before: Way
    after: Way

    def mirrored(self) -> PathChange:
        """Return what the opposite change changes."""
        return PathChange(self.source, self.target, self.after, self.before)


@dataclass(frozen=True)
class Change:
    """A sentence, and what it rests on."""

    kind: Kind
    sentence: str
    resources: tuple[str, ...] = ()
    """`+ <kind> <logical name>` of what is made, `-` of what goes, `~` of what changes, each with all that is below it
    in the program."""
    safe_way: str | None = None
    """Of a dangerous change, after which a live mesh would not work as before: what to do instead, or besides."""
    paths: tuple[PathChange, ...] = ()
    """Of traffic: every pair that the sentence is about."""

    def __post_init__(self) -> None:
        # Here, so that nobody who prints a change can forget it.
        object.__setattr__(self, "sentence", shown(self.sentence))
        object.__setattr__(self, "resources", tuple(map(shown, self.resources)))
        object.__setattr__(self, "safe_way", self.safe_way and shown(self.safe_way))

    @property
    def dangerous(self) -> bool:
        """Whether it should not be done like this."""
        return self.safe_way is not None


@dataclass(frozen=True)
class Side:
    """One of the two meshes that are compared, as it is declared and planned."""

    name: str
    """What the program calls the mesh, on both sides."""
    topology: Topology
    plan: MeshPlan

    @cached_property
    def clusters(self) -> Mapping[str, ClusterPlan]:
        """Its clusters by name, in the order of the list."""
        return {cluster.name: cluster for cluster in self.plan.clusters}

    @cached_property
    def resources(self) -> frozenset[str]:
        """The resources of its program."""
        return resources(self.topology, self.plan, self.name)


@dataclass(frozen=True)
class Sides:
    """The mesh before and after."""

    before: Side
    after: Side
    stay: tuple[str, ...] = field(init=False)
    """Clusters that are in both, in the order of the later list."""

    def __post_init__(self) -> None:
        both = (name for name in self.after.clusters if name in self.before.clusters)
        object.__setattr__(self, "stay", tuple(both))

    @property
    def primaries(self) -> list[str]:
        """Clusters with an istiod of their own on both sides."""
        return [n for n in self.stay if not self.before.clusters[n].remote and not self.after.clusters[n].remote]

    def of(self, cluster: str, *role: str) -> str:
        """Return the logical name of something of a cluster."""
        return names.logical_name(self.after.name, cluster, *role)

    def behind(self, kind: str, clusters: Iterable[str], *role: str) -> tuple[str, ...]:
        """Return a resource of each cluster with what happens to it: it comes, goes, or changes where it stays."""
        wanted = [f"{kind} {self.of(name, *role)}" for name in clusters]
        was, will = self.before.resources, self.after.resources
        signs = {(False, True): "+", (True, False): "-", (True, True): "~"}
        found = ((signs.get((one in was, one in will)), one) for one in dict.fromkeys(wanted))
        return tuple(f"{sign} {one}" for sign, one in found if sign)

    def istiods(self, clusters: Iterable[str]) -> tuple[str, ...]:
        """Return the charts of istiod of each cluster, of every revision."""
        roles = dict.fromkeys(role for side in (self.before, self.after) for role in istiod_roles(side.topology))
        wanted = list(clusters)
        return tuple(one for role in roles for one in self.behind("Chart", wanted, role))

    def ways_to_istiod(self, primaries: Iterable[str]) -> tuple[str, ...]:
        """Return what comes, goes or changes with the first or last remote of these primaries."""
        found = [name for name in primaries if self.turned("IstiodExposure", [name])]
        services = self.behind("Service", found, "east-west")
        return (*self.turned("IstiodExposure", found), *(one for one in services if one.startswith("~")))

    def emptied(self, evicted: str) -> tuple[str, ...]:
        """Return the remote secrets by which istiods read an evicted cluster."""
        readers = {
            name for side in (self.before, self.after) for name, own in side.clusters.items() if evicted in own.forgets
        }
        return tuple(one for name in sorted(readers) for one in self.behind("Secret", [name], "remote", evicted))

    def turned(self, kind: str, clusters: Iterable[str], *role: str) -> tuple[str, ...]:
        """Return those of them that come or go."""
        return tuple(one for one in self.behind(kind, clusters, *role) if not one.startswith("~"))
