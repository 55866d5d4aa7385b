"""Lets a program go on only where nothing in the live clusters stands against it."""

import asyncio
import contextlib
from typing import Optional

import pulumi

from ..checks.findings import Finding, causes, told
from ..plan.mesh_plan import MeshPlan
from ..topology.models import Topology
from ..topology.problems import Problem
from .arguments import RefusedTopology
from .membership import member

_TOGETHER_SECONDS = 1.0
"""How long the first cluster waits for the others: those whose kubeconfigs are plain or in config are known by then."""


class Preflight:
    """Looks at all clusters whose kubeconfigs are known from the start, together, before the first object of any.

    A cluster that is known later, because the same program makes it, is looked at by itself before its own first one.
    """

    def __init__(self, name: str, topology: Topology, plan: MeshPlan) -> None:
        self._name, self._topology, self._plan = name, topology, plan
        self._members = {cluster: member(topology, cluster) for cluster in topology.clusters}
        self._known: dict[str, str] = {}
        self._all = asyncio.Event()
        self._first: Optional[asyncio.Future[None]] = None
        self._together: set[str] = set()
        self._unread: set[str] = set()

    async def passed(self, cluster: str, kubeconfig: str) -> bool:
        """Return True once nothing stands against changing this cluster, False where a preview can't look into it.

        Raises `RefusedTopology` with everything found in all clusters that are looked at together. Warnings are logged;
        in a preview a cluster that doesn't answer is one, too.
        """
        self._known[cluster] = kubeconfig
        if len(self._known) == len(self._topology.clusters):
            self._all.set()
        if self._first is None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._all.wait(), _TOGETHER_SECONDS)
        if self._first is None:
            self._together = set(self._known)
            self._first = asyncio.ensure_future(self._look(dict(self._known)))
        if cluster in self._together:
            await self._first
        else:
            await self._look({cluster: kubeconfig})
        return cluster not in self._unread

    async def _look(self, kubeconfigs: dict[str, str]) -> None:
        # Its Kubernetes client takes half a second to load: only where clusters are looked at.
        from ..live.preflight import look_before

        found, unread = await look_before(self._topology, self._plan, kubeconfigs, self._members)
        self._unread |= unread.keys()
        problems = [self._unreachable(cluster, why) for cluster, why in sorted(unread.items())]
        if pulumi.runtime.is_dry_run():
            for problem in problems:
                pulumi.log.warn(
                    f"cluster {problem.where}: {problem.what}. This preview can't say what a run would meet there, nor "
                    "list the objects of its charts: they are shown as deleted; nothing of them will be."
                )
            problems = []
        warnings: list[Finding] = []
        for cause in causes(found):
            if cause.fatal:
                problems.append(cause.finding.problem)
            else:
                warnings.append(cause.finding)
        if warnings:
            pulumi.log.warn(told(causes(warnings)))
        if problems:
            raise RefusedTopology(problems, f"Mesh {self._name!r}")

    def _unreachable(self, cluster: str, why: str) -> Problem:
        return Finding("cluster-unreachable", cluster, f"its API server can't be asked: {why}").problem
