"""How the stack forgets a cluster that is dead, without talking to it."""

import json
from typing import Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import names
from ..plan.resources import releases
from ..topology.models import Topology

_OUT_OF_REACH = json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "evicted"})
"""A kubeconfig whose context is none: the provider takes the cluster for unreachable, and dials nobody to see it."""


def forget_cluster(name: str, cluster: str, topology: Topology, opts: Optional[pulumi.ResourceOptions] = None) -> None:
    """Make of a cluster's place in the program what forgets everything in it.

    What is left is the component and its provider, which is told that the cluster can't be reached and that objects
    of such a cluster are gone: the engine deletes them from the state at once (pulumi-kubernetes, `deleteUnreachable`).
    Helm releases it doesn't (pulumi-kubernetes#2675): they are left, too, to be dropped with the rest.
    """
    place = pulumi.ComponentResource(names.token("MeshCluster"), name, None, opts)
    provider = k8s.Provider(
        name,
        kubeconfig=_OUT_OF_REACH,
        delete_unreachable=True,
        # Takes what is in the state of a release for what it should be.
        skip_update_unreachable=True if topology.install == "release" else None,
        # As in `Access`: with another identifier the provider would be another one.
        cluster_identifier=cluster,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        opts=pulumi.ResourceOptions(parent=place),
    )
    if topology.install == "release":
        for part, role in releases(topology, cluster):
            _let_go(names.logical_name(name, role), part, place, provider)
    place.register_outputs({})


def _let_go(name: str, part: str, place: pulumi.Resource, provider: k8s.Provider) -> None:
    """Keep a release in the state under another name, from which it can be dropped without asking the cluster.

    Another one, so that the cluster's own is made anew when it comes back.
    """
    release = "kubernetes:helm.sh/v3:Release"
    known_as = place.urn.apply(lambda urn: f"{urn.rpartition('::')[0]}${names.token(part)}${release}::{name}")
    k8s.helm.v3.Release(
        f"{name}-evicted",
        k8s.helm.v3.ReleaseArgs(chart="evicted"),
        opts=pulumi.ResourceOptions(
            parent=place, provider=provider, aliases=[known_as], retain_on_delete=True, protect=False
        ),
    )
