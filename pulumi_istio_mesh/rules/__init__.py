"""What must hold before a mesh can be built: every rule, every problem at once. Never imports Pulumi."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from ..topology.models import Topology
from ..topology.problems import Problem
from . import clusters, control_planes, federation, gateways, gke, istio, networks, rendering, trust

Rule = Callable[[Topology], Iterator[Problem]]

RULES: tuple[Rule, ...] = (
    *clusters.RULES,
    *control_planes.RULES,
    *networks.RULES,
    *gateways.RULES,
    *istio.RULES,
    *trust.RULES,
    *federation.RULES,
    *gke.RULES,
    *rendering.RULES,
)
"""Every rule that needs nothing but the topology."""


def today() -> dt.date:
    """Return the day that certificates are judged on: today's, in UTC."""
    return dt.datetime.now(dt.timezone.utc).date()


def problems_in(topology: Topology, on: dt.date) -> list[Problem]:
    """Return everything that is wrong with the mesh, judged on this day (UTC); an empty list when it can be built."""
    found = [problem for rule in RULES for problem in rule(topology)]
    return [*found, *(problem for dated in trust.DATED_RULES for problem in dated(topology, on))]
