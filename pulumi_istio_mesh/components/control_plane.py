"""One cluster's control plane: Istio's CRDs and istiod, or in a remote cluster what leads to its primary's istiod.

Must exist before: the cluster. Not made here: gateways, remote secrets.

One component for both, so that a cluster that is given an istiod of its own, or gives it up, keeps its objects: had
they two parents, the engine would make them anew and then delete them.
"""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..gates import manifests as gates
from ..istio import manifests, names, revision_tags, values
from ..istio.charts import chart_reference
from ..plan.mesh_plan import ClusterPlan
from ..topology.models import Topology
from ..topology.problems import Problem
from .arguments import RefusedTopology
from .charts import InstalledChart, chart_arguments, chart_child, install_chart
from .crd_errors import explain_crd_errors
from .istiod_chart import retry_until_reachable, service_transforms
from .membership import guard_membership, member
from .order import after
from .registries import PullSecrets, pull_secrets


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
        credentials: Optional[PullSecrets] = None,
        istiod_addresses: Optional[Mapping[str, pulumi.Input[str]]] = None,
        waits_for: Sequence[pulumi.Input[Any]] = (),
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        """`istiod_addresses` are those of the primary's istiods, by revision.

        `waits_for` is what must be proved before an istiod here is made or changed.
        """
        super().__init__(names.token("ControlPlane"), name, None, opts)
        self._name, self._plan, self._topology = name, cluster, topology
        # Before any istiod, and so those of the newest.
        self._base_chart = chart_reference(topology.chart_source, "base", topology.newest_version_of(cluster.name))
        # A remote's part is only what leads to its primary's istiod; what could break with a version is in that one.
        self._waits_for = [] if cluster.remote else after(*waits_for)
        whose = member(topology, cluster.name)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata=manifests.namespace(whose, cluster.network, cluster.primary if cluster.remote else None),
            opts=pulumi.ResourceOptions(parent=self, hooks=guard_membership(name, cluster.name, whose)),
        )
        self.namespace = namespace.metadata.name
        # A release can't be rendered (`render_crds`).
        managed = topology.clusters[cluster.name].crds == "managed" and topology.render_to is None
        crds = self._crds(namespace) if managed else namespace
        before = [] if cluster.remote else self._before_istiod(cacerts, namespace)
        pulls = pull_secrets(name, names.NAMESPACE, credentials or {}, within=namespace, parent=self)
        istiods = {revision: self._istiod(revision, [crds, *before, *pulls]) for revision in topology.revision_names}
        serving = istiods[topology.revision_of(cluster.name)]
        # Every Istio object is shown to the istiod that this chart names: it must be there when that changes.
        base = self._base([namespace, *([serving.resource] if topology.revisioned else [])])

        if cluster.gate and not cluster.remote:
            k8s.core.v1.Service(
                f"{name}-istiod-replicas",
                **gates.replicas_service(name),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[namespace]),
            )
        self._ready: list[pulumi.Input[pulumi.Resource]] = [istiod.resource for istiod in istiods.values()]
        if cluster.remote:
            addresses = istiod_addresses or {}
            self._ready += [
                self._way_to_istiod(revision, addresses.get(revision), namespace, istiod.resource)
                for revision, istiod in istiods.items()
            ]
        account = base.ready
        if cluster.remote or topology.revisioned:
            # What istiod looks at only when it attaches the cluster: the mesh config, and its rights.
            account = pulumi.Output.all(base.ready, *(istiod.ready for istiod in istiods.values()))
        self.reader_account = account.apply(lambda _: names.READER_ACCOUNT)
        self.register_outputs({"namespace": self.namespace})

    def injector(self, *attached: pulumi.Input[Any]) -> pulumi.Output[str]:
        """Return the name of the injection webhook, known once it answers: gateways and Istio objects wait for this.

        Call it once. `attached` are values that stand for what a remote's webhook needs besides: the secret by which
        its primary serves it.
        """
        webhooks = self._webhooks(attached)
        if self._plan.remote:
            return pulumi.Output.all(*(webhook.id for webhook in webhooks)).apply(lambda _: self._plan.injector)
        gate = f"{self._name}-mtls"
        mtls = k8s.apiextensions.CustomResource(
            gate,
            api_version="security.istio.io/v1",
            kind="PeerAuthentication",
            metadata=manifests.metadata("default", self._name),
            spec=manifests.peer_authentication(self._topology.mtls),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=webhooks or self._ready, hooks=retry_until_reachable(gate)
            ),
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
        return mtls.id.apply(lambda _: self._plan.injector)

    def _webhooks(self, attached: Sequence[pulumi.Input[Any]]) -> list[pulumi.CustomResource]:
        if self._topology.revisioned:
            return self._tags(attached)
        # A patch can't be rendered; and there is nobody to wait: what comes too early is refused, and applied again.
        return [self._injector(attached)] if self._topology.render_to is None else []

    def _injector(self, attached: Sequence[pulumi.Input[Any]]) -> pulumi.CustomResource:
        """Return the webhook of the one istiod that there is, which is its chart's."""
        return k8s.admissionregistration.v1.MutatingWebhookConfigurationPatch(
            f"{self._name}-injector",
            metadata={
                "name": names.INJECTOR_WEBHOOK,
                "annotations": {
                    _INJECTS_FOR: self._plan.name,
                    **_waiting_for_istiod("annotations", _INJECTS_FOR, self._plan.name),
                },
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*self._ready, *after(*attached)]),
        )

    def _tags(self, attached: Sequence[pulumi.Input[Any]]) -> list[pulumi.CustomResource]:
        """Return the webhooks of the revision tags: each moves to another revision in one write."""
        cluster = self._plan.name
        return [
            k8s.admissionregistration.v1.MutatingWebhookConfiguration(
                f"{self._name}-tag-{tag}",
                metadata=revision_tags.metadata(
                    self._name, tag, revision, _waiting_for_istiod("labels", names.REVISION_LABEL, revision)
                ),
                webhooks=revision_tags.webhooks(self._topology, cluster, tag),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*self._ready, *after(*attached)]),
            )
            for tag, revision in sorted(self._topology.tags_of(cluster).items())
        ]

    def trust(self, roots: pulumi.Input[Mapping[str, str]], closed: pulumi.Input[Any]) -> None:
        """Make the config that istiod takes over while it runs; `roots` is its data.

        `closed` is known once whoever these roots vouch for is kept out of what is not theirs.
        """
        shared_mesh_config(self._name, roots, self.namespace, closed, opts=pulumi.ResourceOptions(parent=self))

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
                    metadata=manifests.metadata(
                        names.CACERTS, self._name, annotations=manifests.generations(self._topology.trust)
                    ),
                    string_data=cacerts,
                    opts=in_namespace,
                )
            )
        return found

    def _istiod(self, revision: str, depends_on: Sequence[pulumi.Resource]) -> InstalledChart:
        topology, cluster = self._topology, self._plan.name
        role, release = (names.of_revision(name, revision) for name in ("istiod", names.ISTIOD))
        return install_chart(
            f"{self._name}-{role}",
            chart_reference(topology.chart_source, "istiod", topology.version_of(cluster, revision)),
            topology.install,
            cluster=self._name,
            release=release,
            values=values.chart_values(topology, cluster, "istiod", revision=revision),
            parent=self,
            depends_on=[*depends_on, *self._waits_for],
            transforms=service_transforms(f"{self._name}-{role}", release, self),
        )

    def _way_to_istiod(
        self,
        revision: str,
        address: Optional[pulumi.Input[str]],
        namespace: pulumi.Resource,
        chart: pulumi.Resource,
    ) -> pulumi.Resource:
        """Make this remote cluster's Service of a revision of istiod, whose only endpoint is the primary's address."""
        name, istiod = (names.of_revision(found, revision) for found in (f"{self._name}-istiod", names.ISTIOD))
        # The chart makes an object of this name in a cluster with an istiod of its own. As two resources, the one that
        # is not wanted any more would be deleted last, and take the other's object with it.
        of_chart = self.urn.apply(
            lambda urn: (
                f"{urn.rpartition('::')[0]}$kubernetes:helm.sh/v4:Chart$kubernetes:core/v1:Service::"
                + chart_child(name, istiod)
            )
        )
        released = self._topology.install == "release"
        service = k8s.core.v1.Service(
            name,
            metadata=manifests.remote_istiod_metadata(istiod, self._name, released=released),
            spec=manifests.remote_istiod_service(),
            # A release can be no alias: its Service goes before this one comes; and this one is Helm's to take over,
            # and goes with the namespace.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[chart], retain_on_delete=True)
            if released
            else pulumi.ResourceOptions(parent=self, depends_on=[namespace], aliases=[of_chart]),
        )
        known = pulumi.Output.from_input(address).apply(self._as_endpoint)
        return k8s.discovery.v1.EndpointSlice(
            name,
            address_type=known.apply(lambda ip: f"IPv{ipaddress.ip_address(ip).version}"),
            endpoints=[{"addresses": [known], "conditions": {"ready": True}}],
            **manifests.remote_istiod_slice(self._name, revision),
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

    def _crds(self, namespace: pulumi.Resource) -> "k8s.helm.v3.Release":
        """Install all CRDs as one release: as resources they are a megabyte a cluster, marshalled many times."""
        name, cluster, topology = self._name, self._plan.name, self._topology
        return k8s.helm.v3.Release(
            f"{name}-crds",
            k8s.helm.v3.ReleaseArgs(
                name=names.BASE_RELEASE,
                namespace=names.NAMESPACE,
                values=values.crds(topology, cluster),
                **chart_arguments(self._base_chart),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[namespace, *self._waits_for],
                # Helm keeps CRDs anyway, and its note goes with the namespace. The provider can't delete a release of a
                # cluster that is dead (pulumi-kubernetes#2675).
                retain_on_delete=True,
                hooks=explain_crd_errors(f"{name}-crds", cluster),
            ),
        )

    def _base(self, depends_on: Sequence[pulumi.Resource]) -> InstalledChart:
        """Install what chart `base` holds besides CRDs: the reader account, the default validator."""
        install = self._topology.install
        return install_chart(
            f"{self._name}-base",
            self._base_chart,
            install,
            cluster=self._name,
            release=names.BASE_OBJECTS_RELEASE if install == "release" else names.BASE_RELEASE,
            values=values.base_objects(self._topology, self._plan.name),
            parent=self,
            depends_on=depends_on,
        )


def shared_mesh_config(
    name: str, roots: pulumi.Input[Mapping[str, str]], *waits_for: pulumi.Input[Any], opts: pulumi.ResourceOptions
) -> None:
    """Make the config that istiod of the cluster called `name` takes over while it runs."""
    k8s.core.v1.ConfigMap(
        f"{name}-shared-mesh-config",
        metadata=manifests.metadata(names.SHARED_MESH_CONFIG, name),
        data=roots,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=after(*waits_for))),
    )


_INJECTS_FOR = "istio-mesh/injects-for"


def _waiting_for_istiod(kind: str, key: str, value: str) -> dict[str, str]:
    """Return the annotations of a webhook that is there once istiod has written its own authority into it.

    Before that the API server trusts nobody there. A label or annotation besides, because the provider may look at the
    object as it was before its own write, and a next run would then have something to change.
    """
    bundle, own = "jsonpath={.webhooks[0].clientConfig.caBundle}", f"jsonpath={{.metadata.{kind}['{key}']}}={value}"
    return {"pulumi.com/waitFor": json.dumps([bundle, own]), "pulumi.com/timeoutSeconds": "180"}
