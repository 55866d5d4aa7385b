"""One cluster's control plane: Istio's CRDs, istiod with its certificate authority, and the gate behind it.

Must exist before: the cluster. Not made here: gateways, remote secrets.
"""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import manifests, names, values
from ..istio.charts import ChartReference, chart_reference
from ..topology.models import Topology
from .crd_errors import explain_crd_errors
from .webhooks import one_field_manager, retry_until_reachable


class ControlPlane(pulumi.ComponentResource):
    """Istio's control plane in one cluster.

    On destroy everything goes but Istio's CRDs, which Helm keeps so that no Istio object anywhere is lost with them,
    and the ConfigMaps that istiod itself wrote into other namespaces.
    """

    namespace: pulumi.Output[str]
    """Istio's namespace, known once it exists."""
    reader_account: pulumi.Output[str]
    """Account that peers' istiods read this cluster with, known once it exists."""
    injector: pulumi.Output[str]
    """Name of the injection webhook, known once istiod answers it: gateways and Istio objects wait for this."""

    def __init__(
        self,
        name: str,
        cluster: str,
        topology: Topology,
        cacerts: Optional[pulumi.Input[Mapping[str, Any]]],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("ControlPlane"), name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace", metadata=manifests.namespace(topology.network_of(cluster)), opts=child
        )
        self.namespace = namespace.metadata.name
        within: Mapping[str, Any] = {"namespace": names.NAMESPACE}
        in_namespace = pulumi.ResourceOptions(parent=self, depends_on=[namespace])

        before_istiod: list[pulumi.Resource] = []
        if cacerts is not None:
            before_istiod.append(
                k8s.core.v1.Secret(
                    f"{name}-cacerts",
                    metadata={"name": names.CACERTS, **within},
                    string_data=cacerts,
                    opts=in_namespace,
                )
            )
        before_istiod.append(
            k8s.core.v1.ConfigMap(
                f"{name}-shared-mesh-config",
                metadata={"name": names.SHARED_MESH_CONFIG, **within},
                data=manifests.shared_mesh_config(),
                opts=in_namespace,
            )
        )
        base = self._base(name, cluster, topology, namespace)
        self.reader_account = base.status.apply(lambda _: names.READER_ACCOUNT)

        istiod = k8s.helm.v4.Chart(
            f"{name}-istiod",
            name=names.ISTIOD,
            namespace=names.NAMESPACE,
            values=values.chart_values(topology, cluster, "istiod"),
            **chart_arguments(chart_reference(topology.chart_source, "istiod", topology.istio_version)),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[base, *before_istiod], transforms=one_field_manager(f"istio-mesh-{name}")
            ),
        )
        webhook = k8s.admissionregistration.v1.MutatingWebhookConfigurationPatch(
            f"{name}-injector",
            metadata={
                "name": names.INJECTOR_WEBHOOK,
                "annotations": {
                    "istio-mesh/injects-for": cluster,
                    # istiod writes it when it is the webhook's server; before, the API server trusts nobody there.
                    "pulumi.com/waitFor": "jsonpath={.webhooks[0].clientConfig.caBundle}",
                    "pulumi.com/timeoutSeconds": "180",
                },
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[istiod]),
        )
        mtls = k8s.apiextensions.CustomResource(
            f"{name}-mtls",
            api_version="security.istio.io/v1",
            kind="PeerAuthentication",
            metadata={"name": "default", **within},
            spec=manifests.peer_authentication(topology.mtls),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[webhook], hooks=retry_until_reachable(f"{name}-mtls")),
        )
        # The first Istio object is the gate: that it was accepted proves that the API server reaches istiod, by the
        # Service and port of the injection webhook too. A pod made earlier would be refused, and its ReplicaSet tries
        # again only after a pause of many seconds.
        self.injector = mtls.id.apply(lambda _: names.INJECTOR_WEBHOOK)
        self.register_outputs({"namespace": self.namespace, "injector": self.injector})

    def _base(self, name: str, cluster: str, topology: Topology, namespace: pulumi.Resource) -> k8s.helm.v3.Release:
        """Install all CRDs as one release: as resources they are a megabyte a cluster, marshalled many times."""
        reference = chart_reference(topology.chart_source, "base", topology.istio_version)
        arguments = chart_arguments(reference)
        return k8s.helm.v3.Release(
            f"{name}-base",
            k8s.helm.v3.ReleaseArgs(
                name=names.BASE_RELEASE,
                namespace=names.NAMESPACE,
                values=values.chart_values(topology, cluster, "base"),
                **arguments,
            ),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[namespace], hooks=explain_crd_errors(f"{name}-base", cluster)
            ),
        )


def chart_arguments(reference: ChartReference) -> dict[str, Any]:
    """Return a chart's place as the arguments by which pulumi-kubernetes takes it."""
    found: dict[str, Any] = {"chart": reference.chart}
    if reference.version is not None:
        found["version"] = reference.version
    if reference.repository is not None:
        found["repository_opts"] = {"repo": reference.repository}
    return found
