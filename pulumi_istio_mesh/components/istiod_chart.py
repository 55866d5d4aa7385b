"""What istiod's chart needs around it: identities that outlive runs and changes of role, patience with its webhooks."""

import asyncio
from typing import Any, Optional

import pulumi
from pulumi.runtime import mocks, settings

from ..istio import names

_ATTEMPTS = 90
_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def chart_child(chart: str, kind_name: str) -> str:
    """Return the logical name that the provider gives to an object of a chart in Istio's namespace."""
    return f"{chart}:{names.NAMESPACE}/{kind_name}"


def istiod_chart_transforms(
    chart: str, field_manager: str, control_plane: pulumi.Resource
) -> Optional[list[pulumi.ResourceTransform]]:
    """Return what changes the resources of istiod's chart on their way to the engine.

    Webhooks are written under one field manager by every run. A run that is killed between making an object and noting
    it makes it again in the next run. pulumi-kubernetes would then write under another, random manager; the API server
    has filled in `rules[].scope` in between, so the values differ, and server-side apply refuses them as a conflict.
    The Service `istiod` is the one that a remote cluster has in its place (`ControlPlane`), whoever made it first.
    None under mocks, which have no server for transforms.
    """
    if isinstance(settings.get_monitor(), mocks.MockMonitor):
        return None

    def transform(args: pulumi.ResourceTransformArgs) -> Optional[pulumi.ResourceTransformResult]:
        if args.type_.rpartition(":")[2] in _WEBHOOKS:
            metadata: Any = args.props.get("metadata") or {}
            annotations = {**(metadata.get("annotations") or {}), "pulumi.com/patchFieldManager": field_manager}
            props = {**args.props, "metadata": {**metadata, "annotations": annotations}}
            return pulumi.ResourceTransformResult(props, args.opts)
        if args.type_ == "kubernetes:core/v1:Service" and args.name == chart_child(chart, names.ISTIOD):
            remote = pulumi.ResourceOptions(aliases=[pulumi.Alias(name=chart, parent=control_plane)])
            return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions.merge(args.opts, remote))
        return None

    return [transform]


def retry_until_reachable(hook_name: str) -> Optional[pulumi.ResourceHookBinding]:
    """Return hooks that try an Istio object again, a second apart, while the API server can't reach istiod's webhook.

    istiod is ready some moments before the nodes' proxies send its Service's traffic to it, and the provider does not
    try again by itself. Gives up after 90 attempts with the API server's own words. None under mocks.
    """
    if isinstance(settings.get_monitor(), mocks.MockMonitor):
        return None

    async def retry(args: pulumi.ErrorHookArgs) -> bool:
        unreachable = any("failed calling webhook" in error for error in args.errors[:1])
        if not unreachable or len(args.errors) >= _ATTEMPTS:
            return False
        await asyncio.sleep(1)
        return True

    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"{hook_name}-retry", retry)])
