"""One cluster whose objects are written as YAML, for somebody else to apply."""

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import names, values
from ..istio.charts import chart_reference
from ..plan.mesh_plan import MeshPlan
from ..plan.rendered import Folder, crds_folder, folder_of
from ..topology.models import Topology
from ..topology.problems import Problem
from . import messages
from .arguments import RefusedTopology
from .callbacks import engine_calls_back
from .charts import chart_arguments

_POD_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

_OF_THE_PROVIDER = "pulumi.com/"
"""Begins annotations that tell pulumi-kubernetes how to apply an object, which it doesn't do here."""


class Rendering(pulumi.ComponentResource):
    """What writes one cluster's objects: a provider for each folder, since a provider has one folder.

    They know no cluster. Another `render_to` makes other providers, so that everything is written anew there.
    """

    provider: k8s.Provider
    """Of what `transforms` sends nowhere else."""

    def __init__(self, name: str, cluster: str, directory: str, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        """`directory` is that of all clusters."""
        super().__init__(names.token("Rendering"), name, None, opts)
        self._name = name
        self._by_folder = {
            folder: k8s.Provider(
                f"{name}-{folder.value}",
                render_yaml_to_directory=f"{directory}/{cluster}/{folder.value}",
                opts=pulumi.ResourceOptions(parent=self),
            )
            for folder in Folder
        }
        self.provider = self._by_folder[Folder.MESH]
        self.register_outputs({})

    def transforms(self) -> list[pulumi.ResourceTransform]:
        """Return what sends each object to its folder. None under mocks, which have no server for transforms."""
        if not engine_calls_back():
            return []

        def transform(args: pulumi.ResourceTransformArgs) -> Optional[pulumi.ResourceTransformResult]:
            metadata: Any = args.props.get("metadata")
            if not args.type_.startswith("kubernetes:") or not isinstance(metadata, Mapping):
                return None
            kind, (chart, found, _) = args.type_.rpartition(":")[2], args.name.partition(":")
            role = chart.removeprefix(f"{self._name}-") if found else None
            folder = folder_of(kind, str(metadata.get("name")), role)
            # Not merged: that would turn the provider into one of several, and lose it here.
            options = copy.copy(args.opts)
            options.provider = self._by_folder[folder]
            return pulumi.ResourceTransformResult({**args.props, "metadata": _for_others(metadata)}, options)

        return [transform]


def refuse_an_ambient_cluster(mesh: str) -> None:
    """Raise `RefusedTopology` where the provider would find a cluster though it is given none.

    It would ask that one what it knows of the objects, fail where it doesn't answer, and write files in previews, too.
    Source: pulumi-kubernetes, provider/pkg/provider/provider.go.
    """
    found = ambient_cluster(os.environ, Path.home())
    if found is not None:
        problem = Problem(
            where="render_to",
            what=f"pulumi-kubernetes would talk to a cluster, by {found}",
            why="a mesh that is written to files must not depend on a cluster that happens to be there",
            fix="KUBECONFIG=/nowhere pulumi up; in a pod also without KUBERNETES_SERVICE_HOST",
            slug="render-to",
        )
        raise RefusedTopology([problem], f"Mesh {mesh!r}")


def ambient_cluster(environment: Mapping[str, str], home: Path, pod_account: Path = _POD_ACCOUNT) -> Optional[str]:
    """Return what leads to a cluster where no kubeconfig is given, as client-go finds it; None where nothing does."""
    named = [Path(part) for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    for path in named or [home / ".kube" / "config"]:
        if path.is_file() and path.stat().st_size:
            return str(path)
    in_a_pod = environment.get("KUBERNETES_SERVICE_HOST") and pod_account.exists()
    return "the account of the pod that it runs in" if in_a_pod else None


def render_crds(name: str, topology: Topology, opts: Optional[pulumi.ResourceOptions] = None) -> None:
    """Write Istio's CRDs, once for each version that there is in the mesh, and not once a cluster.

    As resources they are a megabyte, marshalled many times, and Helm's releases can't be rendered.
    """
    by_version = {
        topology.newest_version_of(cluster): cluster
        for cluster, own in topology.clusters.items()
        if own.crds == "managed"
    }
    for version, cluster in sorted(by_version.items()):
        role = crds_folder(version)
        provider = k8s.Provider(
            names.logical_name(name, None, role), render_yaml_to_directory=f"{topology.render_to}/{role}", opts=opts
        )
        within = pulumi.ResourceOptions(provider=provider)
        k8s.helm.v4.Chart(
            names.logical_name(name, None, role),
            name=names.BASE_RELEASE,
            namespace=names.NAMESPACE,
            values=values.crds(topology, cluster),
            **chart_arguments(chart_reference(topology.chart_source, "base", version)),
            opts=pulumi.ResourceOptions.merge(opts, within),
        )


def _for_others(metadata: Mapping[str, Any]) -> dict[str, Any]:
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if not key.startswith(_OF_THE_PROVIDER)
    }
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**rest, "annotations": annotations} if annotations else rest


def say_what_is_left_out(
    topology: Topology, plan: MeshPlan, arguments: Mapping[str, Any], mesh: pulumi.Resource
) -> None:
    """Warn of clusters that no other one reads yet, because nobody gave their tokens, with the way to them."""
    unread = [c.name for c in plan.clusters if c.discovered_by and arguments[c.name].get("reader_credential") is None]
    if not unread:
        return
    messages.warn(
        f"no cluster reads {', '.join(unread)} yet: reader_credential is not given, and so these remote secrets are "
        "left out. Once their folders are applied, token and CA are printed by\n"
        + "".join(f"    {command}\n" for cluster in unread for command in _ways_to_the_token(topology, cluster))
        + "  give them as reader_credential and api_server_ca, run again, and apply the folders secrets; "
        "see docs/how-to/gitops.md",
        mesh,
    )


def _ways_to_the_token(topology: Topology, cluster: str) -> list[str]:
    secret = names.reader_token(topology.clusters[cluster].reader_token)
    command = f"kubectl --context {cluster} --namespace {names.NAMESPACE} get secret {secret} --output go-template="
    return [command + f"'{{{{index .data \"{key}\" | base64decode}}}}'" for key in ("token", "ca.crt")]
