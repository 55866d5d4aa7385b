"""Looks at a whole mesh: all clusters at once, then the calls between them."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..checks.outcome import LEFT_OUT
from ..checks.report import findings_in
from ..checks.seen import Object, RemoteSecret, Seen, View, is_ready, labels_of
from ..gates.expectations import api_server_line, expectations, import_lines
from ..gates.manifests import SCRIPT
from ..istio import names
from ..plan.mesh_plan import ClusterPlan, plan_mesh
from ..topology.declared import Late
from ..topology.models import Topology
from .api import CannotRead, ClusterApi
from .reading import Tokens, read_cluster, reader_allowed, token_accepted

_CALLS_SECONDS = 3
"""How long a pair that fails is tried again: one lost packet is no finding."""


@dataclass(frozen=True)
class Access:
    """The way into one cluster; never printed."""

    kubeconfig: str = dataclasses.field(repr=False)
    context: str | None = None
    folder: Path | None = None
    """That of the kubeconfig; None where it has none."""

    def api(self, deadline: float) -> ClusterApi:
        """Return the API server; `deadline` is that of each reading, in seconds. Nothing is dialled yet."""
        return ClusterApi(self.kubeconfig, self.context, folder=self.folder, deadline=deadline)


def connected(access: Mapping[str, Access], deadline: float = 10) -> dict[str, ClusterApi]:
    """Return the API server of each cluster, as `Access.api`."""
    return {name: way.api(deadline) for name, way in access.items()}


async def look(
    topology: Topology,
    apis: Mapping[str, ClusterApi],
    *,
    servers: Mapping[str, str] | None = None,
    done: Callable[[str], None] = lambda _: None,
) -> View:
    """Return what is seen of a mesh now.

    `servers` says at which URL clusters should dial each API server, where the topology doesn't; `done` is called with
    each cluster's name when it has been read, and again when calls from it have been tried.
    """
    plan = plan_mesh(topology)
    read = await asyncio.gather(
        *(read_cluster(apis[planned.name], planned, partial(done, planned.name)) for planned in plan.clusters)
    )
    seen = {planned.name: found[0] for planned, found in zip(plan.clusters, read, strict=True)}
    tokens = {planned.name: found[1] for planned, found in zip(plan.clusters, read, strict=True)}
    known = {name: found.api_server for name, found in topology.clusters.items() if _plain(found.api_server)}
    urls = {**(servers or {}), **{name: str(url) for name, url in known.items()}}
    view = View(topology, plan, seen, dt.datetime.now(dt.timezone.utc), urls)
    # What can't be judged can't be dialled either.
    view, _ = view.believed(
        lambda tried: [(_probe(found), _environment(tried, planned)) for planned, found in tried.clusters()]
    )
    await asyncio.gather(
        _ask_about_secrets(apis, view.seen, tokens),
        *(_call(apis[planned.name], view, planned, done) for planned in plan.clusters),
    )
    return view


def _plain(value: object) -> bool:
    return value is not None and not isinstance(value, Late)


async def _ask_about_secrets(
    apis: Mapping[str, ClusterApi], seen: Mapping[str, Seen], tokens: Mapping[str, Tokens]
) -> None:
    """Ask each cluster about the credentials that others have for it."""
    read = {secret.cluster for found in seen.values() for secret in found.remote_secrets}
    asked = [name for name in seen if name in read and seen[name].reachable]
    # One account for all readers of a cluster, so one question about its rights.
    allowed = dict(zip(asked, await asyncio.gather(*(reader_allowed(apis[name]) for name in asked)), strict=True))

    async def answered(reader: str, secret: RemoteSecret) -> RemoteSecret:
        if secret.cluster not in allowed:
            return secret
        accepted = await token_accepted(apis[secret.cluster], tokens[reader].get(secret.cluster, ""))
        return dataclasses.replace(secret, token_accepted=accepted, allowed=allowed[secret.cluster])

    for reader, found in seen.items():
        found.remote_secrets = await asyncio.gather(*(answered(reader, secret) for secret in found.remote_secrets))


async def _call(api: ClusterApi, view: View, planned: ClusterPlan, done: Callable[[str], None]) -> None:
    """Run the gate's script in a cluster's probe."""
    own = view.seen[planned.name]
    if not own.reachable:
        done(planned.name)
        return
    probe = _probe(own)
    if not planned.probe or probe is None:
        own.unread["gate"] = "no probe is ready" if planned.probe else f"{LEFT_OUT}verify is not traffic here"
        done(planned.name)
        return
    environment = _environment(view, planned)
    command = ["env", *(f"{key}={value}" for key, value in environment.items()), "sh", "-c", SCRIPT]
    try:
        text = await api.run(names.VERIFY_NAMESPACE, probe["metadata"]["name"], names.PROBE, command, deadline=60)
    except CannotRead as error:
        own.unread["gate"] = str(error)
    else:
        own.gate = findings_in(text)
        own.gate_ran = True
        if not own.gate and "all as expected" not in text:
            own.unread["gate"] = "the gate's script ended without a result"
    done(planned.name)


def _probe(seen: Seen) -> Object | None:
    return next((pod for pod in seen.pods if _is_probe(pod) and is_ready(pod)), None)


def _is_probe(pod: Object) -> bool:
    metadata = pod["metadata"]
    probe = labels_of(pod).get("app") == names.PROBE and metadata.get("namespace") == names.VERIFY_NAMESPACE
    return probe and not metadata.get("deletionTimestamp")


def _environment(view: View, planned: ClusterPlan) -> dict[str, str]:
    topology, seen = view.topology, view.seen
    expected = expectations(topology, view.plan, planned.name)
    # Of a cluster that does not answer the gateway's address is unknown, so the way to it can't be judged.
    known = {name for name, found in seen.items() if found.reachable and "services" not in found.unread}
    others = [target for target in expected.targets if target.cluster != planned.name]
    expected = dataclasses.replace(
        expected,
        # What istiod sees, it is asked itself.
        remotes=None,
        # A pod that calls itself passes its own proxy by.
        targets=tuple(
            target if target.way == "direct" or target.cluster in known else dataclasses.replace(target, way="nodes")
            for target in others
        ),
        seconds=_CALLS_SECONDS,
    )
    lines = {
        target.cluster: target.line(next(iter(seen[target.cluster].gateway_addresses()), ""))
        for target in expected.targets
        if target.way == "gateway"
    }
    environment = {**expected.environment(lines), "LAST_WORDS": "/dev/null"}
    for index, line in enumerate(import_lines(topology, seen[planned.primary].imported)):
        environment[f"IMPORT_{index}"] = line
    for index, secret in enumerate(seen[planned.name].remote_secrets):
        if secret.cluster in topology.clusters and secret.server.startswith("https://"):
            tls_name = topology.clusters[secret.cluster].api_server_tls_name
            line = api_server_line(secret.cluster, tls_name, secret.server, secret.authority)
            environment[f"API_SERVER_{index}"] = line
    return environment
