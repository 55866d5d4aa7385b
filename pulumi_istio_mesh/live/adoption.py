"""Reads the objects of a control plane that is there, for a program to import them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from ..checks.seen import SAIL, Object, labels_of, run_by_sail
from ..istio import names
from ..istio.adopted import PARTS, SELECTOR, in_order
from .api import ClusterApi

_LISTS: Mapping[tuple[str, str], str] = {
    ("v1", "ServiceAccount"): "/api/v1/serviceaccounts",
    ("v1", "ConfigMap"): "/api/v1/configmaps",
    ("v1", "Service"): "/api/v1/services",
    ("apps/v1", "Deployment"): "/apis/apps/v1/deployments",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "/apis/autoscaling/v2/horizontalpodautoscalers",
    ("policy/v1", "PodDisruptionBudget"): "/apis/policy/v1/poddisruptionbudgets",
    ("networking.k8s.io/v1", "NetworkPolicy"): "/apis/networking.k8s.io/v1/networkpolicies",
    **{
        ("rbac.authorization.k8s.io/v1", kind): f"/apis/rbac.authorization.k8s.io/v1/{kind.lower()}s"
        for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
    },
    **{
        ("admissionregistration.k8s.io/v1", kind): f"/apis/admissionregistration.k8s.io/v1/{kind.lower()}s"
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    },
}
"""Where each kind of charts base and istiod is listed; in the version that the charts write it in."""

_STAYS = (
    ("CustomResourceDefinition", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
    ("Secret", f"/api/v1/namespaces/{names.NAMESPACE}/secrets"),
)
"""What stays with its installer; asked for by its metadata only."""


@dataclass(frozen=True)
class ControlPlaneFound:
    """What was found of one cluster's control plane."""

    objects: list[Object]
    """What a program can import."""
    left: list[str]
    """What stays with whoever made it, as `<kind> <name>`."""

    @property
    def operator(self) -> str:
        """An operator that goes on writing the objects; empty where none does."""
        return SAIL if any(map(run_by_sail, self.objects)) else ""


async def read_control_plane(api: ClusterApi) -> ControlPlaneFound:
    """Return the control plane's objects; raise `CannotRead` where any of its kinds can't be listed.

    Never a Secret's data.
    """

    async def of_kind(kind: tuple[str, str]) -> list[Object]:
        version, name = kind
        found = await api.objects(_LISTS[kind], labelSelector=SELECTOR)
        # Items of a list don't say what they are, or should not.
        of_kind = {"apiVersion": version, "kind": name}
        return [of_kind | one | of_kind for one in found]

    async def staying(kind: str, path: str) -> list[str]:
        found = await api.objects(path, metadata_only=True)
        istios = (one for one in found if kind == "Secret" or one["metadata"]["name"].endswith(".istio.io"))
        return sorted(f"{kind} {one['metadata']['name']}" for one in istios)

    async def gateways() -> list[str]:
        found = await api.objects("/apis/apps/v1/deployments", labelSelector=names.PART_OF)
        others = (one for one in found if labels_of(one).get(names.PART_LABEL) not in PARTS)
        return sorted(f"Deployment {one['metadata']['name']}" for one in others)

    listed, stays, more = await asyncio.gather(
        asyncio.gather(*map(of_kind, _LISTS)),
        asyncio.gather(*(staying(*one) for one in _STAYS)),
        gateways(),
    )
    return ControlPlaneFound(in_order(chain.from_iterable(listed)), [*chain.from_iterable(stays), *more])
