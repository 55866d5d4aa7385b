"""Everything that becomes of a text, as the commands do it; what they refuse is told, and what else fails is a bug."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import yaml

from pulumi_istio_mesh.changes import rendering
from pulumi_istio_mesh.changes.comparison import compare
from pulumi_istio_mesh.cli.mesh_file import judged_file
from pulumi_istio_mesh.cli.plan import _json
from pulumi_istio_mesh.cli.problem_reports import REPORTS
from pulumi_istio_mesh.istio.images import charts_of, images_of
from pulumi_istio_mesh.pictures.drawing import drawn
from pulumi_istio_mesh.pictures.formats import FORMATS
from pulumi_istio_mesh.plan import report
from pulumi_istio_mesh.plan.expiry import expiring
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.plan.words import validity_words, words
from pulumi_istio_mesh.rules.offers import clashing_roots, offer_problems
from pulumi_istio_mesh.topology.kubeconfig import kubeconfig_problems
from pulumi_istio_mesh.topology.load import facts_of, parse_topology, read_mesh_text
from pulumi_istio_mesh.topology.models import Topology
from pulumi_istio_mesh.topology.offer import read_offer
from pulumi_istio_mesh.topology.problems import Problem, TopologyError
from pulumi_istio_mesh.translation.documents import Input
from pulumi_istio_mesh.translation.mesh import Choices, translate
from pulumi_istio_mesh.translation.written import mesh_text

from ..builders import TODAY
from .changes import SECRET

NOW = dt.datetime.combine(TODAY, dt.time(12), dt.timezone.utc)
SECONDS = 10
"""Of the processor, for one example; they have a handful of clusters."""


class Counts:
    """What was reached: so that a fuzzer that reaches nothing is seen."""

    def __init__(self) -> None:
        self.examples: Counter[str] = Counter()
        self.valid: Counter[str] = Counter()
        self.slugs: Counter[str] = Counter()
        self.slowest = 0.0

    @contextmanager
    def example(self, kind: str) -> Iterator[None]:
        """Count an example, and hold it to its time."""
        self.examples[kind] += 1
        began = time.process_time()
        yield
        took = time.process_time() - began
        self.slowest = max(self.slowest, took)
        assert took < SECONDS, f"it took {took:.1f} s"

    def refused(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        """Count what a text is refused for."""
        self.slugs.update({problem.slug for problem in problems})


def judge(text: str, counts: Counts) -> list[tuple[str, Topology]] | None:
    """Return the meshes of a mesh.yaml; None where it is refused, in words that hold no secret."""
    try:
        found = judged_file(read_mesh_text(text, "mesh.yaml"))
    except TopologyError as error:
        assert error.problems
        counts.refused(error.problems)
        for told in (
            str(error),
            *(form([error]) for form in REPORTS.values()),
            rendering.refusal_as_markdown(str(error)),
        ):
            assert SECRET not in told
            told.encode()
        return None
    counts.valid["meshes"] += len(found)
    return found


def show(meshes: list[tuple[str, Topology]]) -> None:
    """Say and draw the meshes in every format that needs no Graphviz."""
    plans = []
    for _, topology in meshes:
        plan = plan_mesh(topology)
        assert plan == plan_mesh(parse_topology(facts_of(topology.whole)).present), "its facts are another mesh's"
        plans.append(plan)
        told = [
            *words(plan),
            *validity_words(plan),
            *expiring(topology, plan, TODAY),
            report.headline(topology, plan),
            report.markdown(topology, plan),
            *map(str, (*charts_of(topology), *images_of(topology))),
        ]
        assert SECRET not in "".join(told)
        assert report.markdown(topology, plan) == report.markdown(topology, plan_mesh(topology))
        drawing = drawn(plan)
        for form in ("mermaid", "dot"):
            assert FORMATS[form](drawing) == FORMATS[form](drawn(plan_mesh(topology)))
    json.loads(_json([(name, topology, plan) for (name, topology), plan in zip(meshes, plans, strict=True)], 500))


def compare_all(meshes: list[tuple[str, Topology]], others: list[tuple[str, Topology]]) -> None:
    """Say what changes from each of the meshes to itself, to nothing and to each of the others, and back."""
    for name, topology in meshes:
        again = parse_topology(facts_of(topology.whole))
        assert not compare(name, topology, again).changes, "it differs from itself"
        sides = [(None, topology), (topology, None)]
        for _, other in others:
            sides += [(topology, other), (other, topology)]
        for before, after in sides:
            found = [compare(name, before, after)]
            for told in (
                rendering.as_text(found, resources=True),
                rendering.as_markdown(found),
                rendering.as_json(found),
            ):
                assert SECRET not in told
                told.encode()


def mesh_file(texts: list[str], counts: Counts, kind: str = "mesh files") -> None:
    """Take mesh files through everything, each compared with the one before."""
    with counts.example(kind):
        judged = [judge(text, counts) for text in texts]
        for found in judged:
            if found:
                show(found)
        if judged[0]:
            compare_all(judged[0], [])
        for before, after in pairwise(judged):
            if before and after:
                compare_all(after, before)
                counts.valid["changes"] += 1


def documents(texts: list[tuple[str | None, str]], counts: Counts) -> None:
    """Translate documents of other installers, and judge what comes of it."""
    with counts.example("documents of installers"):
        inputs = [Input(f"{number}.yaml", text, name) for number, (name, text) in enumerate(texts)]
        found = translate(inputs, Choices("prod", "1.31.1", {}))
        for line in (*found.left, *(TopologyError([problem]) for problem in found.problems)):
            assert SECRET not in str(line)
        counts.refused(found.problems)
        if found.problems and not found.tree["clusters"]:
            return
        text = mesh_text(found.completed())
        assert SECRET not in text
        if meshes := judge(text, counts):
            counts.valid["translations"] += 1
            show(meshes)


def offer(document: Any, topology: Topology, own_roots: str, counts: Counts) -> None:
    """Take what another mesh offers."""
    with counts.example("offers"):
        try:
            found = read_offer("peers.shop.offer", document, "prod")
            problems = []
            if found is not None:
                problems += offer_problems(topology, "shop", found, NOW)
                problems += clashing_roots(topology, own_roots, {"shop": found})
        except TopologyError as error:
            problems = list(error.problems)
        for problem in problems:
            str(TopologyError([problem]))
        counts.refused(problems)
        counts.valid["offers"] += not problems


def kubeconfig(text: str, counts: Counts) -> None:
    """Judge a kubeconfig, whose problems never repeat any of it."""
    with counts.example("kubeconfigs"):
        problems = list(kubeconfig_problems("clusters.east.kubeconfig", text))
        assert SECRET not in str(TopologyError(problems))
        counts.refused(problems)
        counts.valid["kubeconfigs"] += not problems


def as_text(tree: Any) -> str:
    """The tree as a user would type it."""
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
