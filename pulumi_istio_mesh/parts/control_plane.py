"""Istio's control plane in one cluster, and what stands for it in a cluster that another one's istiod serves.

No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Optional

import pulumi

from ..components.arguments import RefusedTopology
from ..components.control_plane import ControlPlane
from ..components.given_trust import FILES, checked_files
from ..topology.names import DEFAULT_REVISION, is_ip_address
from ..topology.problems import Problem
from .arguments import IstioControlPlaneArgs, IstioRemoteArgs
from .placed import OF_MESH, PartInCluster, given, in_cluster, place, way_problems

_IDENTITY = ("trust_domain", "trust_domain_aliases")


class IstioControlPlane(PartInCluster):
    """Istio's CRDs and an istiod in one cluster, ready to discover others by their remote secrets.

    Not made here: gateways, remote secrets, and checks. Raises `TopologyError` before any resource is registered.
    On destroy everything goes but Istio's CRDs and the ConfigMaps that istiod itself wrote into other namespaces.
    """

    namespace: pulumi.Output[str]
    """Istio's namespace, known once it exists."""
    injector: pulumi.Output[str]
    """Name of the injection webhook, known once it answers: what is injected, or is an Istio object, comes after it."""
    reader_account: pulumi.Output[str]
    """Account that istiods of other clusters read this one with, known once it is there."""

    def __init__(self, name: str, args: IstioControlPlaneArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        cluster = args.get("cluster") or name
        cacerts: Any = args.get("cacerts")
        mesh = given(args, *OF_MESH, *_IDENTITY, "mtls", "dns_capture", "failover", "cluster_local")
        placed = place(
            f"IstioControlPlane {name!r}",
            args,
            IstioControlPlaneArgs,
            cluster=cluster,
            mesh=mesh if cacerts is None else {**mesh, "trust": {"kind": "given"}},
            clusters={cluster: given(args, "network", "crds")},
            paths=in_cluster(cluster),
            found=chain(way_problems("IstioControlPlane", args, cluster, opts), _file_problems(cacerts)),
        )
        super().__init__(name, args, placed, opts)
        files: Any = None
        if cacerts is not None:
            files = checked_files("cacerts", cluster, cacerts, placed.topology.identity_domain)
        made = ControlPlane(name, placed.cluster_plan, placed.topology, cacerts=files, opts=self._within)
        self.namespace, self.reader_account, self.injector = made.namespace, made.reader_account, made.injector()
        self.register_outputs(
            {"namespace": self.namespace, "injector": self.injector, "readerAccount": self.reader_account}
        )


class IstioRemote(PartInCluster):
    """What makes a cluster one that the istiod of another cluster serves: its way there, its webhooks, its CRDs.

    Nothing is injected before that istiod has this cluster's remote secret. Raises `TopologyError` before any resource
    is registered, and stops the program where the address turns out to be no IP address.
    On destroy everything goes but Istio's CRDs and the ConfigMaps that istiod itself wrote into other namespaces.
    """

    namespace: pulumi.Output[str]
    """Istio's namespace, known once it exists."""
    reader_account: pulumi.Output[str]
    """Account that istiods read this cluster with, known once it has all that they look for here."""

    def __init__(self, name: str, args: IstioRemoteArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        cluster, primary = args.get("cluster") or name, args.get("primary")
        address: Any = args.get("istiod_address")
        placed = place(
            f"IstioRemote {name!r}",
            args,
            IstioRemoteArgs,
            cluster=cluster,
            mesh=given(args, *OF_MESH, *_IDENTITY),
            clusters={
                **({str(primary): {}} if primary is not None else {}),
                cluster: given(args, "network", "crds", "primary"),
            },
            paths=in_cluster(cluster),
            found=chain(
                way_problems("IstioRemote", args, cluster, opts),
                _address_problems(address) if isinstance(address, str) else (),
                _own_primary(cluster, primary),
            ),
        )

        def check(known: Any) -> str:
            problems = list(_address_problems(known))
            if problems:
                raise RefusedTopology(problems, f"IstioRemote {name!r}")
            return str(known)

        super().__init__(name, args, placed, opts)
        made = ControlPlane(
            name,
            placed.cluster_plan,
            placed.topology,
            istiod_addresses={DEFAULT_REVISION: pulumi.Output.from_input(address).apply(check)},
            opts=self._within,
        )
        self.namespace, self.reader_account = made.namespace, made.reader_account
        self.register_outputs({"namespace": self.namespace, "readerAccount": self.reader_account})


def _file_problems(cacerts: Any) -> Iterator[Problem]:
    if cacerts is None or isinstance(cacerts, pulumi.Output):
        return
    for file in FILES.values():
        if not isinstance(cacerts, Mapping) or cacerts.get(file) is None:
            yield Problem(
                where=f"cacerts.{file}",
                what="it is missing",
                why="istiod starts only with all four files of its authority",
                fix=f'"{file}": ..., or all of them from IstioTrust: "cacerts": trust.cacerts["east"]',
                slug="trust-mixed",
            )


def _address_problems(address: Any) -> Iterator[Problem]:
    if not is_ip_address(str(address or "")):
        yield Problem(
            where="istiod_address",
            what=f"{address or 'nothing'} is no IP address",
            why="the Service istiod here has that address as its endpoint, and endpoints are IP addresses",
            fix="give a fixed IP address of the load balancer in front of the primary's istiod",
            slug="istiod-address",
        )


def _own_primary(cluster: str, primary: Any) -> Iterator[Problem]:
    if primary == cluster:
        yield Problem(
            where="primary",
            what=f"{cluster} is the cluster itself",
            why="a remote cluster is served by the istiod of another one",
            fix="use IstioControlPlane for a cluster with an istiod of its own",
            slug="primary-is-remote",
        )
