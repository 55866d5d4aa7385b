"""What guards a cluster's place in its mesh: nobody takes it over unseen, and changes of its role are said in words."""

from typing import Any, Optional

import pulumi

from ..istio import names
from ..topology.models import Topology
from . import messages
from .callbacks import engine_calls_back


def guard_membership(hook_name: str, cluster: str, member: str) -> Optional[pulumi.ResourceHookBinding]:
    """Return hooks for a cluster's istio-system.

    Its annotation says which cluster of which mesh this is. Under another name, in another stack or after a rename in
    the list, server-side apply refuses the namespace as a conflict, before anything else of the cluster is touched;
    what to do is said beside it. (Not in a preview: the provider asks the API server nothing about objects to create.)
    A change of network or primary is said with what it means for pods that run. None under mocks, which have no
    server for hooks.
    """
    if not engine_calls_back():
        return None

    def explain(args: pulumi.ErrorHookArgs) -> bool:
        text = taken_text(cluster, member, "\n".join(args.errors[:1]))
        if text:
            messages.error(text)
        return False

    def tell(args: pulumi.ResourceHookArgs) -> None:
        for text in changes(cluster, dict(args.old_inputs or {}), dict(args.new_inputs or {})):
            messages.warn(text)

    in_previews_too = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(
        on_error=[pulumi.ErrorHook(f"{hook_name}-taken", explain)],
        before_update=[pulumi.ResourceHook(f"{hook_name}-moved", tell, in_previews_too)],
    )


def member(topology: Topology, cluster: str) -> str:
    """Return what a cluster is a member of: the stack too, for another one would overwrite this one's authorities."""
    return f"{pulumi.get_project()}/{pulumi.get_stack()}/{topology.mesh_id}/{cluster}"


def taken_text(cluster: str, member: str, error: str) -> Optional[str]:
    """Return what a conflict over the namespace means, and what to type; None for any other error."""
    if "conflict" not in error:
        return None
    if names.MEMBER_ANNOTATION not in error:
        return (
            f"cluster {cluster}: somebody else wrote to namespace {names.NAMESPACE} what this program writes; a run "
            "that was killed while it made the namespace counts as somebody else.\n"
            "  If nobody else should, forget who wrote what, and run again:\n"
            f"    kubectl patch namespace {names.NAMESPACE} --type=json "
            '-p \'[{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]\'\n'
            "  see docs/operations.md#a-run-that-was-killed"
        )
    return (
        f"cluster {cluster}: it is a member of a mesh already, under another name than {member}.\n"
        "  A cluster's name is its identity: proxies that run carry it, and the objects of the old name would be "
        "deleted last, which are the new name's too.\n"
        "  Renamed in the list: run once without the cluster, then once with its new name.\n"
        "  Of another mesh or stack: take it out of that one first. Which one it is:\n"
        f"    kubectl get namespace {names.NAMESPACE} -o yaml | grep {names.MEMBER_ANNOTATION}\n"
        "  see docs/operations.md#rename-a-cluster"
    )


def changes(cluster: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return a sentence for each change of a cluster's place in the mesh that pods which run don't follow."""
    found = []
    before, after = _of(old, "labels", names.NETWORK_LABEL), _of(new, "labels", names.NETWORK_LABEL)
    if before != after:
        found.append(
            f"cluster {cluster} moves from network {before} to network {after}. Pods that run keep the old network "
            "until they are made anew, and are dialled as if they were still there: restart every workload "
            "that has a sidecar.\n"
            "  see docs/operations.md#move-a-cluster-to-another-network"
        )
    before, after = (_of(tree, "annotations", names.PRIMARY_ANNOTATION) for tree in (old, new))
    if before != after:
        found.append(
            f"cluster {cluster} will be served by {after or 'an istiod of its own'} instead of "
            f"{before or 'its own istiod'}. Pods that run keep their connection until it ends, then follow.\n"
            "  see docs/operations.md#give-a-remote-cluster-an-istiod-of-its-own-or-take-it-away"
        )
    return found


def _of(inputs: dict[str, Any], kind: str, key: str) -> Any:
    metadata: Any = inputs.get("metadata") or {}
    return (metadata.get(kind) or {}).get(key)
