"""A Helm chart as pulumi-kubernetes takes it, and what holds for the objects that come of it."""

from typing import Any, Optional

import pulumi

from ..istio import names
from ..istio.charts import ChartReference
from .callbacks import engine_calls_back


def chart_arguments(reference: ChartReference) -> dict[str, Any]:
    """Return a chart's place as the arguments by which pulumi-kubernetes takes it."""
    found: dict[str, Any] = {"chart": reference.chart}
    if reference.version is not None:
        found["version"] = reference.version
    if reference.repository is not None:
        found["repository_opts"] = {"repo": reference.repository}
    return found


def chart_child(chart: str, name: str) -> str:
    """Return the logical name that the provider gives to an object of a chart in Istio's namespace."""
    return f"{chart}:{names.NAMESPACE}/{name}"


def chart_transforms(field_manager: str) -> list[pulumi.ResourceTransform]:
    """Return what makes every run write a chart's objects under one field manager (`manifests.field_manager`).

    None under mocks, which have no server for transforms.
    """
    if not engine_calls_back():
        return []

    def transform(args: pulumi.ResourceTransformArgs) -> Optional[pulumi.ResourceTransformResult]:
        metadata: Any = args.props.get("metadata")
        if not isinstance(metadata, dict):
            return None
        annotations = {**(metadata.get("annotations") or {}), names.FIELD_MANAGER_ANNOTATION: field_manager}
        props = {**args.props, "metadata": {**metadata, "annotations": annotations}}
        return pulumi.ResourceTransformResult(props, args.opts)

    return [transform]
