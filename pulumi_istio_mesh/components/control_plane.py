"""One cluster's control plane: Istio's CRDs and istiod, or in a remote cluster what leads to its primary's istiod.

Must exist before: the cluster. Not made here: gateways, remote secrets.

One component for both, so that a cluster that is given an istiod of its own, or gives it up, keeps its objects: had
they two parents, the engine would make them anew and then delete them.
"""

import ipaddress
import json
from collections.abc import Mapping
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..gates import manifests as gates
from ..istio import manifests, names, values
from ..istio.charts import chart_reference
from ..plan.mesh_plan import ClusterPlan
from ..topology.models import Topology
from ..topology.problems import Problem
from .arguments import RefusedTopology
from .charts import chart_arguments, chart_child, chart_transforms
from .crd_errors import explain_crd_errors
from .istiod_chart import retry_until_reachable, service_transforms
from .membership import guard_membership, member
from .order import after


class ControlPlane(pulumi.ComponentResource):
    """Istio's control plane in one cluster, or the remote configuration of a cluster that another one's istiod serves.

    Raises `RefusedTopology` when the primary's address turns out to be a host name: the endpoints of a remote's Service
    `istiod` are IP addresses (Kubernetes, discovery.k8s.io/v1 EndpointSlice), and an API server calls a webhook
    behind a Service of type ExternalName at the wrong port.
    On destroy everything goes but Istio's CRDs, which Helm keeps so that no Istio object anywhere is lost with them,
    and the ConfigMaps that istiod itself wrote into other namespaces.
    """

    namespace: pulumi.Output[str]
    """Istio's namespace, known once it exists."""
    reader_account: pulumi.Output[str]
    """Account that istiods of other clusters read this one with, known once it has all that they look for here."""

    def __init__(
        self,
        name: str,
        cluster: ClusterPlan,
        topology: Topology,
        *,
        cacerts: Optional[pulumi.Input[Mapping[str, Any]]] = None,
        istiod_address: Optional[pulumi.Input[str]] = None,
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("ControlPlane"), name, None, opts)
        self._name, self._plan, self._topology = name, cluster, topology
        whose = member(topology, cluster.name)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata=manifests.namespace(whose, cluster.network, cluster.primary if cluster.remote else None),
            opts=pulumi.ResourceOptions(parent=self, hooks=guard_membership(name, cluster.name, whose)),
        )
        self.namespace = namespace.metadata.name
        base = self._base(namespace)
        istiod = self._istiod([base, *([] if cluster.remote else self._before_istiod(cacerts, namespace))])

        if cluster.gate and not cluster.remote:
            k8s.core.v1.Service(
                f"{name}-istiod-replicas",
                **gates.replicas_service(name),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[namespace]),
            )
        self._ready: list[pulumi.Input[pulumi.Resource]] = [istiod]
        account: pulumi.Output[Any] = base.status
        if cluster.remote:
            self._ready.append(self._way_to_istiod(istiod_address, namespace))
            # What istiod looks at only when it attaches the cluster: the mesh config, and its rights.
            account = pulumi.Output.all(base.status, istiod.resources)
        self.reader_account = account.apply(lambda _: names.READER_ACCOUNT)
        self.register_outputs({"namespace": self.namespace})

    def injector(self, *attached: pulumi.Input[Any]) -> pulumi.Output[str]:
        """Return the name of the injection webhook, known once it answers: gateways and Istio objects wait for this.

        Call it once. `attached` are values that stand for what a remote's webhook needs besides: the secret by which
        its primary serves it.
        """
        webhook = k8s.admissionregistration.v1.MutatingWebhookConfigurationPatch(
            f"{self._name}-injector",
            metadata={
                "name": names.INJECTOR_WEBHOOK,
                "annotations": {
                    "istio-mesh/injects-for": self._plan.name,
                    # istiod writes the bundle when it is the webhook's server; before, the API server trusts nobody
                    # there. The annotation, because the provider may look at the object as it was before its own write,
                    # and a next run would then have something to change.
                    "pulumi.com/waitFor": json.dumps(
                        [
                            "jsonpath={.webhooks[0].clientConfig.caBundle}",
                            f"jsonpath={{.metadata.annotations['istio-mesh/injects-for']}}={self._plan.name}",
                        ]
                    ),
                    "pulumi.com/timeoutSeconds": "180",
                },
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*self._ready, *after(*attached)]),
        )
        if self._plan.remote:
            return webhook.metadata.apply(lambda _: names.INJECTOR_WEBHOOK)
        gate = f"{self._name}-mtls"
        mtls = k8s.apiextensions.CustomResource(
            gate,
            api_version="security.istio.io/v1",
            kind="PeerAuthentication",
            metadata=manifests.metadata("default", self._name),
            spec=manifests.peer_authentication(self._topology.mtls),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[webhook], hooks=retry_until_reachable(gate)),
        )
        if self._topology.failover:
            k8s.apiextensions.CustomResource(
                f"{self._name}-failover",
                api_version="networking.istio.io/v1",
                kind="DestinationRule",
                metadata=manifests.metadata(names.FAILOVER, self._name),
                spec=manifests.failover(),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[mtls]),
            )
        # The first Istio object is the gate: that it was accepted proves that the API server reaches istiod, by the
        # Service and port of the injection webhook too. A pod made earlier would be refused, and its ReplicaSet tries
        # again only after a pause of many seconds.
        return mtls.id.apply(lambda _: names.INJECTOR_WEBHOOK)

    def trust(self, roots: pulumi.Input[Mapping[str, str]], closed: pulumi.Input[Any]) -> None:
        """Make the config that istiod takes over while it runs; `roots` is its data.

        `closed` is known once whoever these roots vouch for is kept out of what is not theirs.
        """
        k8s.core.v1.ConfigMap(
            f"{self._name}-shared-mesh-config",
            metadata=manifests.metadata(names.SHARED_MESH_CONFIG, self._name),
            data=roots,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after(self.namespace, closed)),
        )

    def _before_istiod(
        self, cacerts: Optional[pulumi.Input[Mapping[str, Any]]], namespace: pulumi.Resource
    ) -> list[pulumi.Resource]:
        """Return what istiod reads when it starts: its certificate authority, where it is made here."""
        in_namespace = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        found: list[pulumi.Resource] = []
        if cacerts is not None:
            found.append(
                k8s.core.v1.Secret(
                    f"{self._name}-cacerts",
                    metadata=manifests.metadata(names.CACERTS, self._name),
                    string_data=cacerts,
                    opts=in_namespace,
                )
            )
        return found

    def _istiod(self, depends_on: list[pulumi.Resource]) -> k8s.helm.v4.Chart:
        topology = self._topology
        return k8s.helm.v4.Chart(
            f"{self._name}-istiod",
            name=names.ISTIOD,
            namespace=names.NAMESPACE,
            values=values.chart_values(topology, self._plan.name, "istiod"),
            **chart_arguments(chart_reference(topology.chart_source, "istiod", topology.istio_version)),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=depends_on,
                transforms=[
                    *chart_transforms(manifests.field_manager(self._name)),
                    *service_transforms(f"{self._name}-istiod", self),
                ],
            ),
        )

    def _way_to_istiod(self, address: Optional[pulumi.Input[str]], namespace: pulumi.Resource) -> pulumi.Resource:
        """Make this remote cluster's Service `istiod`, whose only endpoint is the primary's address."""
        # The chart makes an object of this name in a cluster with an istiod of its own. As two resources, the one that
        # is not wanted any more would be deleted last, and take the other's object with it.
        of_chart = self.urn.apply(
            lambda urn: (
                f"{urn.rpartition('::')[0]}$kubernetes:helm.sh/v4:Chart$kubernetes:core/v1:Service::"
                + chart_child(f"{self._name}-istiod", names.ISTIOD)
            )
        )
        service = k8s.core.v1.Service(
            f"{self._name}-istiod",
            metadata=manifests.metadata(names.ISTIOD, self._name),
            spec=manifests.remote_istiod_service(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[namespace], aliases=[of_chart]),
        )
        known = pulumi.Output.from_input(address).apply(self._as_endpoint)
        return k8s.discovery.v1.EndpointSlice(
            f"{self._name}-istiod",
            address_type=known.apply(lambda ip: f"IPv{ipaddress.ip_address(ip).version}"),
            endpoints=[{"addresses": [known], "conditions": {"ready": True}}],
            **manifests.remote_istiod_slice(self._name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service]),
        )

    def _as_endpoint(self, address: Optional[str]) -> str:
        try:
            return str(ipaddress.ip_address(address or ""))
        except ValueError:
            primary, remote = self._plan.primary, self._plan.name
            service = "east_west_gateway" if self._topology.has_gateway(primary) else "istiod_service"
            where = f"clusters.{primary}.{service}.address"
            problem = Problem(
                where=where,
                what=f"{remote} can reach the istiod of {primary} at {address or 'no address'} only, no IP address",
                why=f"the Service istiod in {remote} has that address as its endpoint, and endpoints are IP addresses",
                fix=f"set {where} to a fixed IP address of that load balancer",
                slug="istiod-address",
            )
            raise RefusedTopology([problem], f"cluster {remote!r}") from None

    def _base(self, namespace: pulumi.Resource) -> k8s.helm.v3.Release:
        """Install all CRDs as one release: as resources they are a megabyte a cluster, marshalled many times."""
        name, cluster, topology = self._name, self._plan.name, self._topology
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
