"""Lets a program go on only where nothing in the live clusters stands against it."""

import asyncio
import contextlib
from typing import Optional

import pulumi

from ..checks.findings import Finding, causes, told
from ..plan.mesh_plan import MeshPlan
from ..topology.models import Topology
from ..topology.problems import Problem
from . import messages
from .arguments import RefusedTopology
from .membership import member

_CHARTS_UNSEEN = "nor list the objects of its charts: they are shown as deleted; nothing of them will be"

_TOGETHER_SECONDS = 1.0
"""How long the first cluster waits for the others: those whose kubeconfigs are plain or in config are known by then."""


class Preflight:
    """Looks at all clusters whose kubeconfigs are known from the start, together, before the first object of any.

    A cluster that is known later, because the same program makes it, is looked at by itself before its own first one.
    """

    def __init__(self, name: str, topology: Topology, plan: MeshPlan, roots: pulumi.Output[str]) -> None:
        """`roots` is PEM of what the mesh trusts, to which control planes that are there already are held."""
        self._name, self._topology, self._plan, self._roots = name, topology, plan, roots
        self._members = {cluster: member(topology, cluster) for cluster in topology.clusters}
        self._known: dict[str, str] = {}
        self._all = asyncio.Event()
        self._first: Optional[asyncio.Future[None]] = None
        self._together: set[str] = set()
        self._unread: set[str] = set()
        self._released = topology.install == "release"

    async def passed(self, cluster: str, kubeconfig: str) -> bool:
        """Return True once nothing stands against changing this cluster, False where a preview can't look into it.

        Helm releases are previewed from the stack's state alone. Raises `RefusedTopology` with everything found in all
        clusters that are looked at together. Warnings are logged; in a preview a cluster that doesn't answer is one.
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
        return cluster not in self._unread or self._released

    async def _look(self, kubeconfigs: dict[str, str]) -> None:
        # Its Kubernetes client takes half a second to load: only where clusters are looked at.
        from ..live.preflight import look_before

        roots = await self._roots_known_now()
        looking = look_before(self._topology, self._plan, kubeconfigs, self._members, roots)
        # In a loop of its own, which ends with it. A program that is refused meanwhile leaves Pulumi's without ending
        # what runs there, and the threads that the client has for a loop would keep the program alive for good.
        found, unread = await asyncio.to_thread(asyncio.run, looking)
        self._unread |= unread.keys()
        problems = [self._unreachable(cluster, why) for cluster, why in sorted(unread.items())]
        if pulumi.runtime.is_dry_run():
            for problem in problems:
                unsaid = "what a run would meet there" + ("" if self._released else f", {_CHARTS_UNSEEN}")
                messages.warn(f"cluster {problem.where}: {problem.what}. This preview can't say {unsaid}.")
            problems = []
        warnings: list[Finding] = []
        for cause in causes(found):
            if cause.fatal:
                problems.append(cause.finding.problem)
            else:
                warnings.append(cause.finding)
        if warnings:
            messages.warn(told(causes(warnings)))
        if problems:
            raise RefusedTopology(problems, f"Mesh {self._name!r}")

    async def _roots_known_now(self) -> str:
        """Return the roots where somebody joins; empty where they are known later, maybe by what this run makes."""
        if not self._topology.joining:
            return ""
        with contextlib.suppress(asyncio.TimeoutError):
            known = asyncio.ensure_future(self._roots.future())
            return str(await asyncio.wait_for(asyncio.shield(known), _TOGETHER_SECONDS) or "")
        return ""

    def _unreachable(self, cluster: str, why: str) -> Problem:
        return Finding("cluster-unreachable", cluster, f"its API server can't be asked: {why}").problem
