"""Looks at clusters before a program changes anything in them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping

from ..checks.findings import Finding
from ..checks.preflight import found_before
from ..checks.seen import View
from ..plan.mesh_plan import MeshPlan
from ..topology.models import Topology
from .api import ClusterApi
from .reading import read_before

DEADLINE_SECONDS = 5
"""Of each reading: a cluster that is not there must not hold up a preview for long."""


async def look_before(
    topology: Topology, plan: MeshPlan, kubeconfigs: Mapping[str, str], members: dict[str, str], roots: str = ""
) -> tuple[list[Finding], dict[str, str]]:
    """Return what stands against a change in these clusters, and by cluster why it could not be looked at.

    `members` says whose member each cluster is to be, `roots` is PEM of what the mesh is to trust, where that is known.
    Reads no Secret's data.
    """
    apis = {name: ClusterApi(text, deadline=DEADLINE_SECONDS) for name, text in kubeconfigs.items()}
    joins = {cluster.name for cluster in plan.clusters if cluster.joins}
    read = await asyncio.gather(
        *(read_before(api, name, topology.revision_names, joins=name in joins) for name, api in apis.items())
    )
    seen = {found.cluster: found for found in read}
    view = View(topology, plan, seen, dt.datetime.now(dt.timezone.utc), roots=roots)
    view, findings = view.believed(lambda tried: found_before(tried, members))
    unread = {name: found.unread["version"] for name, found in view.seen.items() if not found.reachable}
    return findings, unread
