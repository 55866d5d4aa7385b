"""A Helm chart as pulumi-kubernetes takes it, and what holds for the objects that come of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import manifests, names
from ..istio.charts import ChartReference
from .callbacks import engine_calls_back
from .release_errors import explain_release_errors


@dataclass(frozen=True)
class InstalledChart:
    """One of Istio's charts in a cluster, and what there is of it to wait for."""

    resource: pulumi.Resource
    """To depend on: done once all of the chart's objects are there and ready."""
    ready: pulumi.Output[Any]
    """Known then."""


def install_chart(
    name: str,
    reference: ChartReference,
    install: str,
    *,
    cluster: str,
    release: str,
    values: Mapping[str, Any],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Input[pulumi.Resource]],
    transforms: Sequence[pulumi.ResourceTransform] = (),
) -> InstalledChart:
    """Make one of Istio's charts as `install` says: object by object, or as a Helm release.

    `cluster` is the logical name of the cluster, `release` what Helm calls it; `transforms` are for its objects, which
    a release shows to nobody.
    """
    place = chart_arguments(reference)
    if install == "release":
        installed = k8s.helm.v3.Release(
            name,
            k8s.helm.v3.ReleaseArgs(name=release, namespace=names.NAMESPACE, values=values, **place),
            opts=pulumi.ResourceOptions(
                parent=parent, depends_on=depends_on, hooks=explain_release_errors(name, cluster, release)
            ),
        )
        return InstalledChart(installed, installed.status)
    made = k8s.helm.v4.Chart(
        name,
        name=release,
        namespace=names.NAMESPACE,
        values=values,
        **place,
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=depends_on,
            transforms=[*chart_transforms(manifests.field_manager(cluster)), *transforms],
        ),
    )
    return InstalledChart(made, made.resources)


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
    return chart_part(chart, names.NAMESPACE, name)


def chart_part(chart: str, namespace: Optional[str], name: str) -> str:
    """Return the logical name that the provider gives to an object of a chart; of no namespace where it has none.

    Source: pulumi-kubernetes, provider/pkg/provider/yaml/v2/yaml.go register.
    """
    return f"{chart}:{namespace}/{name}" if namespace else f"{chart}:{name}"


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
