"""The Jobs by which `up` succeeds only where the mesh works."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..checks.findings import causes, told
from ..checks.report import findings_in
from ..gates import manifests
from ..gates.expectations import Expectations, api_server_line
from ..istio import names
from ..plan.mesh_plan import ClusterPlan
from ..topology.models import Topology
from . import messages
from .callbacks import engine_calls_back
from .order import after


class ApiServerGate(pulumi.ComponentResource):
    """Shows that pods of a cluster reach its peers' API servers, by the address and CA that its istiod is about to get.

    A Job that fails when they don't, with the pair, the address and the step; the remote secrets of this cluster wait
    for it. It runs again when a peer, an address or a CA changes.
    """

    passed: pulumi.Output[str]
    """Known once the Job has ended well."""

    def __init__(
        self,
        name: str,
        cluster: ClusterPlan,
        topology: Topology,
        peers: Mapping[str, tuple[pulumi.Output[str], pulumi.Output[str]]],
        *,
        account: pulumi.Input[str],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        """`peers` holds, by cluster, the API server's URL and the base64 PEM bundle that verifies it."""
        super().__init__(names.token("ApiServerGate"), name, None, opts)
        environment: dict[str, Any] = {"CLUSTER": cluster.name, "SECONDS_AT_MOST": str(topology.verify.timeout_seconds)}
        for index, (peer, (server, authority)) in enumerate(sorted(peers.items())):
            line = partial(_line, peer, topology.clusters[peer].api_server_tls_name)
            environment[f"API_SERVER_{index}"] = pulumi.Output.all(server, authority).apply(line)
        body = manifests.gate(topology, name, "api-servers", environment, injected_by=None, proves=_hash([]))
        job = _job(f"{name}-api-servers", body, self, [account])
        self.passed = job.metadata.name
        self.register_outputs({})


class MeshGate(pulumi.ComponentResource):
    """Shows that a cluster is part of its mesh: its istiods see their clusters, and its calls arrive as they should.

    A Job that fails with a line for each pair that doesn't work. It runs again when what it proves changes: members,
    addresses, certificates, versions; a run that changes none of them runs no Job.
    """

    def __init__(
        self,
        name: str,
        topology: Topology,
        expected: Expectations,
        *,
        gateways: Mapping[str, pulumi.Output[str]],
        facts: pulumi.Input[Any],
        waits_for: list[pulumi.Input[Any]],
        revision: Optional[str] = None,
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        """`gateways` holds each gateway's address, by cluster; `facts` is what else must be proved once it changes.

        `revision` is one that serves nobody who names none: what calls by it is shown before anybody moves to it.
        """
        role = "mesh" if revision is None else f"mesh-{revision}"
        super().__init__(names.token("MeshGate"), name if revision is None else f"{name}-{role}", None, opts)
        lines = {
            target.cluster: gateways[target.cluster].apply(target.line)
            for target in expected.targets
            if target.way == "gateway" and target.cluster in gateways
        }
        body = manifests.gate(
            topology,
            name,
            role,
            # What leaves the program is deleted when all else has been done and proved.
            {**expected.environment(lines), "LEAVING": "clusters may still be read"},
            injected_by=(revision or topology.revision_of(expected.cluster)) if expected.targets else None,
            proves=pulumi.Output.from_input(facts).apply(_hash),
        )
        job = _job(f"{name}-{role}", body, self, waits_for)
        if topology.waves and revision is None:
            k8s.core.v1.ConfigMap(
                f"{name}-proved",
                **manifests.proved(name, {expected.cluster, *(target.cluster for target in expected.targets)}),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[job]),
            )
        self.register_outputs({})


class WaveGate(pulumi.ComponentResource):
    """Shows that a cluster can still call whom it could before some clusters were changed.

    A Job, as `MeshGate`; the next clusters are not touched before it has passed. On the first run of a mesh there is
    nothing that could be broken, and it passes at once.
    """

    passed: pulumi.Output[str]
    """Known once the Job has ended well."""

    def __init__(
        self,
        name: str,
        wave: int,
        topology: Topology,
        expected: Expectations,
        *,
        facts: Any,
        waits_for: list[pulumi.Input[Any]],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        """`wave` counts from 1; `facts` is what the wave changes: it runs again when that does."""
        role = f"wave-{wave}"
        super().__init__(names.token("WaveGate"), f"{name}-{role}", None, opts)
        # Not their addresses: those of gateways would have to be waited for, in clusters of later waves, too.
        targets = tuple(replace(one, way=_unwatched(one.way)) for one in expected.targets)
        environment = {
            **replace(expected, targets=targets).environment({}),
            "LEAVING": "clusters may still be read",
            "WAVE": str(wave),
            "BEFORE": manifests.PROVED_BEFORE,
        }
        injected_by = topology.revision_of(expected.cluster) if expected.targets else None
        body = manifests.gate(topology, name, role, environment, injected_by=injected_by, proves=_hash(facts))
        job = _job(f"{name}-{role}", body, self, waits_for)
        self.passed = job.metadata.name
        self.register_outputs({})


def _unwatched(way: str) -> str:
    return "nodes" if way == "gateway" else way


def _line(cluster: str, tls_name: Optional[str], known: list[Any]) -> str:
    server, authority = known
    return api_server_line(cluster, tls_name, server, authority)


def _hash(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _job(name: str, body: Mapping[str, Any], parent: pulumi.Resource, waits_for: list[Any]) -> "k8s.batch.v1.Job":
    return k8s.batch.v1.Job(
        name,
        **body,
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=after(*waits_for),
            # Of one name: made before the old one is deleted, as `pulumi up --replace` would have it, it would be the
            # old one, pass at once, and go with it.
            delete_before_replace=True,
            hooks=_explain(name),
        ),
    )


def _explain(hook_name: str) -> Optional[pulumi.ResourceHookBinding]:
    """Return hooks that say what a failed gate's lines mean: the likely cause, and what to look at."""
    if not engine_calls_back():
        return None

    def explain(args: pulumi.ErrorHookArgs) -> bool:
        found = findings_in("\n".join(args.errors[:1]))
        if found:
            messages.error(told(causes(found)))
        return False

    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"{hook_name}-explain", explain)])
