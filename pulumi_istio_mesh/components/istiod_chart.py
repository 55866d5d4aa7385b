"""What istiod's webhooks need around them: one field manager for all runs, and patience until they are reachable."""

import asyncio
from typing import Any, Optional

import pulumi
from pulumi.runtime import mocks, settings

_ATTEMPTS = 90
_KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def one_field_manager(name: str) -> Optional[list[pulumi.ResourceTransform]]:
    """Return transforms by which every run writes a chart's webhooks under one field manager.

    A run that is killed between making an object and noting it makes it again in the next run. pulumi-kubernetes
    would then write under another, random manager; the API server has filled in `rules[].scope` in between, so the
    values differ, and server-side apply refuses them as a conflict.
    None under mocks, which have no server for transforms.
    """
    if isinstance(settings.get_monitor(), mocks.MockMonitor):
        return None

    def transform(args: pulumi.ResourceTransformArgs) -> Optional[pulumi.ResourceTransformResult]:
        if args.type_.rpartition(":")[2] not in _KINDS:
            return None
        metadata: Any = args.props.get("metadata") or {}
        annotations = {**(metadata.get("annotations") or {}), "pulumi.com/patchFieldManager": name}
        props = {**args.props, "metadata": {**metadata, "annotations": annotations}}
        return pulumi.ResourceTransformResult(props, args.opts)

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
