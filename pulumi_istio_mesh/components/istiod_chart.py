"""What istiod's chart needs around it: a Service that outlives changes of role, patience with its webhooks."""

import asyncio
from typing import Optional

import pulumi

from .callbacks import engine_calls_back
from .charts import chart_child

_ATTEMPTS = 90


def service_transforms(chart: str, service: str, control_plane: pulumi.Resource) -> list[pulumi.ResourceTransform]:
    """Return what makes the chart's own Service the one that a remote cluster has in its place (`ControlPlane`).

    Whichever was made first. None under mocks, which have no server for transforms.
    """
    if not engine_calls_back():
        return []

    def transform(args: pulumi.ResourceTransformArgs) -> Optional[pulumi.ResourceTransformResult]:
        if args.type_ != "kubernetes:core/v1:Service" or args.name != chart_child(chart, service):
            return None
        remote = pulumi.ResourceOptions(
            aliases=[pulumi.Alias(name=chart, parent=control_plane)],
            # Of a Service that was adopted the address is declared; no longer so, it would be made anew.
            ignore_changes=["spec.clusterIP", "spec.clusterIPs"],
        )
        return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions.merge(args.opts, remote))

    return [transform]


def retry_until_reachable(hook_name: str) -> Optional[pulumi.ResourceHookBinding]:
    """Return hooks that try an Istio object again, a second apart, while the API server can't reach istiod's webhook.

    istiod is ready some moments before the nodes' proxies send its Service's traffic to it, and the provider does not
    try again by itself. Gives up after 90 attempts with the API server's own words. None under mocks.
    """
    if not engine_calls_back():
        return None

    async def retry(args: pulumi.ErrorHookArgs) -> bool:
        unreachable = any("failed calling webhook" in error for error in args.errors[:1])
        if not unreachable or len(args.errors) >= _ATTEMPTS:
            return False
        await asyncio.sleep(1)
        return True

    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"{hook_name}-retry", retry)])
