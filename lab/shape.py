"""What a lab consists of: how many clusters, which of them share a network, their pod ranges."""

import json
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from lab import addresses
from lab.errors import LabError


@dataclass(frozen=True)
class Shape:
    """The arguments of `up`, checked.

    Two labs with equal shapes are the same lab: `up` of the shape that runs already does nothing.
    """

    clusters: int = 3
    networks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Name to clusters; pods of clusters on one network reach each other without any gateway."""
    nodes: bool = True
    """Without nodes there are API servers and controllers only: Pods are accepted but never run."""
    pod_cidrs: dict[str, IPv4Network] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = [*self._cluster_problems(), *self._network_problems(), *self._range_problems()]
        if problems:
            raise LabError("this lab can't be built:\n" + "\n".join(f"  - {p}" for p in problems))

    @property
    def names(self) -> list[str]:
        """c1 to cN."""
        return [f"c{number}" for number in range(1, self.clusters + 1)]

    def pod_cidr(self, cluster: str) -> IPv4Network:
        """The range of a cluster's Pods."""
        return self.pod_cidrs.get(cluster, addresses.pod_range(number_of(cluster)))

    def peers(self, cluster: str) -> list[str]:
        """The other clusters whose pods this one's pods reach directly."""
        together = {c for members in self.networks.values() if cluster in members for c in members}
        return [name for name in self.names if name in together and name != cluster]

    def to_json(self) -> str:
        """The shape as text; the same for equal shapes."""
        return json.dumps(
            {
                "clusters": self.clusters,
                "networks": {name: list(members) for name, members in sorted(self.networks.items())},
                "nodes": self.nodes,
                "pod_cidrs": {name: str(cidr) for name, cidr in sorted(self.pod_cidrs.items())},
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Shape":
        """The shape that `to_json` wrote."""
        tree = json.loads(text)
        return cls(
            clusters=tree["clusters"],
            networks={name: tuple(members) for name, members in tree["networks"].items()},
            nodes=tree["nodes"],
            pod_cidrs={name: IPv4Network(cidr) for name, cidr in tree["pod_cidrs"].items()},
        )

    def _cluster_problems(self) -> list[str]:
        if not 1 <= self.clusters <= addresses.MAX_CLUSTERS:
            return [f"{self.clusters} clusters: the address plan has room for 1 to {addresses.MAX_CLUSTERS}"]
        named = {c for members in self.networks.values() for c in members} | set(self.pod_cidrs)
        return [
            f"{name} is not a cluster of this lab, which has c1 to c{self.clusters}"
            for name in sorted(named - set(self.names))
        ]

    def _network_problems(self) -> list[str]:
        found, seen = [], dict[str, str]()
        for network, members in self.networks.items():
            for member in members:
                if member in seen:
                    found.append(f"{member} is on network {seen[member]} and on network {network}")
                seen[member] = network
        return found

    def _range_problems(self) -> list[str]:
        found = []
        for name, cidr in self.pod_cidrs.items():
            if cidr.prefixlen > addresses.NODE_PREFIX:
                found.append(f"pod range {cidr} of {name} is smaller than the /{addresses.NODE_PREFIX} of its one node")
            for what, taken in addresses.reserved_ranges(self.clusters):
                if cidr.overlaps(taken):
                    found.append(f"pod range {cidr} of {name} overlaps {taken}, {what}")
        for network, members in self.networks.items():
            known = [m for m in members if m in self.names]
            for position, one in enumerate(known):
                for other in known[position + 1 :]:
                    if self.pod_cidr(one).overlaps(self.pod_cidr(other)):
                        found.append(
                            f"{one} ({self.pod_cidr(one)}) and {other} ({self.pod_cidr(other)}) overlap on network "
                            f"{network}, where one address must mean one pod"
                        )
        return found


def number_of(cluster: str) -> int:
    """7 for `c7`."""
    return int(cluster.removeprefix("c"))
