"""What a namespace takes with it is not deleted piece by piece before."""

from collections.abc import Callable
from typing import Any, Optional

import pulumi
from pulumi.runtime import mocks, settings

from ..istio import names


def gone_with_namespace(namespace: Callable[[], pulumi.Resource]) -> Optional[list[pulumi.ResourceTransform]]:
    """Return transforms by which the objects of Istio's namespace go in one request, that for the namespace.

    One by one, each Deployment waits for its pods to drain before what it depends on may go. An object that leaves
    the program while its namespace stays is deleted as ever, and so are objects outside of the namespace.
    `namespace` is asked when an object is registered, which waits for the namespace. None under mocks, which have no
    server for transforms.
    """
    if isinstance(settings.get_monitor(), mocks.MockMonitor):
        return None

    def transform(args: pulumi.ResourceTransformArgs) -> Optional[pulumi.ResourceTransformResult]:
        metadata: Any = args.props.get("metadata")
        if not args.type_.startswith("kubernetes:") or not isinstance(metadata, dict):
            return None
        if metadata.get("namespace") != names.NAMESPACE:
            return None
        with_it = pulumi.ResourceOptions(deleted_with=namespace())
        return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions.merge(args.opts, with_it))

    return [transform]
