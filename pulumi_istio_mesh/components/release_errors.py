"""What to do when Helm and the stack's state differ about a release: said beside the provider's own error."""

from typing import Optional

import pulumi

from ..istio import names
from . import messages
from .callbacks import engine_calls_back


def explain_release_errors(hook_name: str, cluster: str, release: str) -> Optional[pulumi.ResourceHookBinding]:
    """Return hooks that add, to a failure Helm explains in its own terms, what happened and what to type.

    None under mocks, which have no server for hooks: a user's own mock tests of a mesh must run.
    """
    if not engine_calls_back():
        return None

    def explain(args: pulumi.ErrorHookArgs) -> bool:
        text = killed_text(cluster, release, "\n".join(args.errors[:1]))
        if text:
            messages.error(text)
        return False

    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"{hook_name}-explain", explain)])


def killed_text(cluster: str, release: str, error: str) -> Optional[str]:
    """Return what a killed run left behind and how to heal it; None for an error that is not about that."""
    notes = f"owner=helm,name={release}"
    if "cannot re-use a name that is still in use" in error:
        what = f"the Helm release {release} is in the cluster but not in the stack's state"
    elif "another operation" in error:
        what, notes = f"the Helm release {release} stays half-way", f"{notes},status notin (deployed,superseded)"
    else:
        return None
    return (
        f"cluster {cluster}: {what}, because a run was killed while Helm worked.\n"
        "  Once no other run is working on this cluster, remove Helm's note of it, and run again:\n"
        f"    kubectl --namespace {names.NAMESPACE} delete secret --selector '{notes}'\n"
        "  see docs/operations.md#a-run-that-was-killed"
    )
