"""What to do when Helm refuses Istio's base release: said beside the provider's own error."""

from typing import Optional

import pulumi

from ..istio import names
from ..istio.versions import HAND_OVER_CRDS
from . import messages
from .callbacks import engine_calls_back
from .release_errors import killed_text


def explain_crd_errors(hook_name: str, cluster: str) -> Optional[pulumi.ResourceHookBinding]:
    """Return hooks that add, to a failure Helm explains in its own terms, what happened and what to type.

    None under mocks, which have no server for hooks: a user's own mock tests of a mesh must run.
    """
    if not engine_calls_back():
        return None

    def explain(args: pulumi.ErrorHookArgs) -> bool:
        text = companion_text(cluster, "\n".join(args.errors[:1]))
        if text:
            messages.error(text)
        return False

    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"{hook_name}-explain", explain)])


def companion_text(cluster: str, error: str) -> str | None:
    """Return what an error of the base release means in cluster terms and what to type; None for any other error."""
    if "invalid ownership metadata" in error or "cannot be imported into the current release" in error:
        return (
            f"cluster {cluster}: Istio's CRDs are there already, put by another installer.\n"
            "  Hand them over to this release:\n"
            f"    {HAND_OVER_CRDS[0]}\n"
            f"    {HAND_OVER_CRDS[1]}\n"
            f"  or leave them to that installer: clusters.{cluster}.crds: external\n"
            "  see docs/operations.md#crds-of-another-installer"
        )
    return killed_text(cluster, names.BASE_RELEASE, error)
