"""As much of a mesh as a part that is declared alone must know, judged by the mesh's own rules."""

from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional, get_args, get_origin

import pulumi
from typing_extensions import is_typeddict

from ..components.access import Access
from ..components.arguments import RefusedTopology, checked_api_server, known_kubeconfig_problems, plain_facts
from ..istio import names
from ..istio.versions import NEWEST
from ..plan.mesh_plan import ClusterPlan, MeshPlan, plan_mesh
from ..rules import problems_in, today
from ..topology.credentials import GIVEN, besides, credential_problems
from ..topology.load import parse_topology
from ..topology.models import Topology
from ..topology.names import is_dns_label
from ..topology.problems import Problem, TopologyError, near

_KUBERNETES = "kubernetes:core/v1:Namespace"
"""Any type of the provider."""


OF_MESH = ("mesh_id", "istio_version", "chart_source", "image_hub", "image_pull_secrets", "install", "values")
"""Arguments of what Istio's charts install that are facts of the mesh."""


@dataclass(frozen=True)
class Placed:
    """A part in its mesh."""

    topology: Topology
    plan: MeshPlan
    cluster: str
    """The cluster that the part is in."""

    @property
    def cluster_plan(self) -> ClusterPlan:
        """What the plan says of that cluster."""
        return next(found for found in self.plan.clusters if found.name == self.cluster)


def given(args: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return those of the arguments that are given."""
    return {key: args[key] for key in keys if args.get(key) is not None}


def place(
    source: str,
    args: Mapping[str, Any],
    shape: Any,
    *,
    cluster: str,
    mesh: Mapping[str, Any],
    clusters: Mapping[str, Any],
    paths: Mapping[str, str],
    found: Iterable[Problem] = (),
) -> Placed:
    """Return a part in the mesh that its arguments say something of.

    `shape` is the type of the arguments, `paths` leads from places in that mesh to what the user typed; `found` is
    what is wrong besides. Raises `RefusedTopology` with everything that is wrong, in words of the arguments.
    """
    held = list(credential_problems({key: value for key, value in args.items() if key not in GIVEN}))
    # What else is wrong with such a value must not be told.
    problems = [*held, *besides(held, [*_misshapen(args, shape), *found])]
    if not (isinstance(cluster, str) and is_dns_label(cluster)):
        # Whatever else is found would be about this name, too.
        raise RefusedTopology([*problems, _no_name(cluster)], source)
    late: list[Problem] = []
    facts = {
        "mesh_id": "mesh",
        "istio_version": NEWEST,
        "trust": {"kind": "external"},
        "verify": {"level": "off", "preflight": False},
        **mesh,
        "clusters": dict(clusters),
    }
    topology = None
    try:
        topology = parse_topology(plain_facts(facts, "", late), source)
        judged = problems_in(topology, today())
    except TopologyError as error:
        known = {problem.where for problem in late}
        judged = [problem for problem in error.problems if problem.where not in known]
    known = {problem.where for problem in problems}
    problems += [problem for problem in (_typed(one, paths) for one in [*late, *judged]) if problem.where not in known]
    if problems or topology is None:
        raise RefusedTopology(problems, source)
    return Placed(topology, plan_mesh(topology), cluster)


def _no_name(cluster: Any) -> Problem:
    """Tell of what is no name of a cluster; shown only where it looks like one, for it may be anything."""
    shown = repr(cluster) if isinstance(cluster, str) and len(cluster) <= 63 and cluster.isprintable() else "it"
    return Problem(
        where="cluster",
        what=f"{shown} is not a DNS label of at most 63 characters",
        why="Istio knows the cluster by it, and Secrets and labels are called by it",
        fix='"cluster": "east"; lower-case letters, digits and inner hyphens',
        slug="cluster-name",
    )


def _misshapen(args: Mapping[str, Any], shape: Any) -> Iterator[Problem]:
    known = shape.__required_keys__ | shape.__optional_keys__
    for key in args:
        if key not in known:
            # One that a mesh takes is no typing error.
            meant = "" if key in GIVEN else near(str(key), known)
            yield Problem(
                where=str(key),
                what=f"{key!r} is no argument of this component{meant}",
                why="an argument that is not known is not used, and the component would not be what was meant",
                fix=f"remove {key}, or use one of {', '.join(sorted(known))}",
                slug="unknown-key",
            )
    for key in sorted(shape.__required_keys__):
        if args.get(key) is None:
            yield Problem(
                where=key,
                what="it is missing",
                why="the component can't be made without it",
                fix=f'"{key}": ...',
                slug="missing-key",
            )
    waits_for = args.get("after")
    if waits_for is not None and not isinstance(waits_for, (list, tuple)):
        yield _no_outputs("it is not a list")
    elif any(isinstance(value, pulumi.Resource) for value in waits_for or ()):
        yield _no_outputs("a whole component is in it")
    for key, kind in shape.__annotations__.items():
        if key == "after":
            continue
        if args.get(key) is not None and (wanted := _unfit(args[key], kind)):
            yield Problem(
                where=key,
                what=f"it should be {wanted}",
                why="the component can't be made of anything else",
                fix=f'"{key}": ...',
                slug="topology-shape",
            )


def _no_outputs(what: str) -> Problem:
    return Problem(
        where="after",
        what=what,
        why="a part comes after outputs of others, which are known once what they stand for is there",
        fix='"after": [control_plane.injector]',
        slug="topology-shape",
    )


_KINDS: Mapping[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    dict: "a mapping",
}


def _unfit(value: Any, annotation: Any) -> str:
    """Return what an argument should be by its annotation; empty where it is that, or is not known yet."""
    if isinstance(value, (pulumi.Output, Awaitable)) or annotation is Any:
        return ""
    kind = dict if is_typeddict(annotation) else get_origin(annotation) or annotation
    if kind in _KINDS:
        classes: Any = {list: (list, tuple), dict: Mapping}.get(kind, kind)
        fits = isinstance(value, classes) and not (kind is int and isinstance(value, bool))
        return "" if fits else _KINDS[kind]
    # NotRequired and Input: what may be given now comes first.
    return _unfit(value, get_args(annotation)[0]) if get_args(annotation) else ""


def _typed(problem: Problem, paths: Mapping[str, str]) -> Problem:
    """Return the problem with places in the mesh as the user typed them."""

    def at(text: str) -> str:
        for path, typed in paths.items():
            text = text.replace(path, typed)
        return text

    words = {part: at(getattr(problem, part)) for part in ("where", "what", "why", "fix")}
    return replace(problem, **words)


def in_cluster(cluster: str) -> dict[str, str]:
    """Return how the facts of a cluster are called by a part that is in it."""
    return {f"clusters.{cluster}.": "", f"clusters.{cluster}": "cluster"}


def way_problems(
    component: str, args: Mapping[str, Any], cluster: str, opts: Optional[pulumi.ResourceOptions]
) -> Iterator[Problem]:
    """Judge how a part gets into its cluster: by a kubeconfig, or by a provider of its options."""
    kubeconfig = args.get("kubeconfig")
    if kubeconfig is not None:
        yield from known_kubeconfig_problems("kubeconfig", cluster, kubeconfig)
    elif not _has_provider(opts):
        yield Problem(
            where="kubeconfig",
            what=f"{component} has neither a kubeconfig nor a Kubernetes provider among its options",
            why="without one the Kubernetes provider would use whatever cluster the shell's KUBECONFIG names",
            fix=f'"kubeconfig": config.require_secret("{cluster}"), or the option providers=[provider]',
            slug="kubeconfig-missing",
        )


def _has_provider(opts: Optional[pulumi.ResourceOptions]) -> bool:
    if opts is None:
        return False
    own = list(opts.providers.values() if isinstance(opts.providers, Mapping) else opts.providers or ())
    if any(provider.package == "kubernetes" for provider in [*own, *([opts.provider] if opts.provider else [])]):
        return True
    return opts.parent is not None and opts.parent.get_provider(_KUBERNETES) is not None


class PartInCluster(pulumi.ComponentResource):
    """A part of a mesh in one cluster, with its way into it."""

    def __init__(
        self,
        name: str,
        args: Mapping[str, Any],
        placed: Placed,
        opts: Optional[pulumi.ResourceOptions],
        *,
        for_peers: bool = False,
    ) -> None:
        """`for_peers` says whether other clusters dial the API server."""
        super().__init__(names.token(type(self).__name__), name, None, opts)
        self._within = pulumi.ResourceOptions(parent=self)
        self._api_server = checked_api_server("api_server", args.get("api_server"))
        if args.get("kubeconfig") is not None:
            access = Access(
                name,
                placed.cluster,
                args,
                under="",
                for_peers=for_peers,
                released=placed.topology.install == "release",
                preflight=None,
                parent=self,
            )
            self._within = pulumi.ResourceOptions(parent=self, providers=[access.provider])
            self._api_server = access.api_server
        # Known once everything is that the part comes after.
        self._ready: pulumi.Output[str] = pulumi.Output.all(*args.get("after") or []).apply(lambda _: names.NAMESPACE)
