"""The credentials by which one cluster's istiod reads another cluster."""

import base64
from collections.abc import Mapping
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import manifests, names
from .order import after


class Reader(pulumi.ComponentResource):
    """One cluster's credential for its peers: a token that reads it, packed as a kubeconfig.

    The token does not expire; deleting the Secret revokes it. It may read every Secret of the cluster, which is what
    Istio's reader role grants. Source: istiod chart, templates/reader-clusterrole.yaml.
    """

    kubeconfig: pulumi.Output[str]
    """Kubeconfig for foreign istiods, as JSON; secret."""
    authority: pulumi.Output[str]
    """Base64 of the PEM bundle by which they verify the API server; public."""

    def __init__(
        self,
        name: str,
        cluster: str,
        *,
        served_by: str,
        account: pulumi.Input[str],
        server: pulumi.Input[str],
        certificate_authority: Optional[pulumi.Input[str]] = None,
        publicly_trusted: bool = False,
        tls_name: Optional[str] = None,
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("Reader"), name, None, opts)
        token = k8s.core.v1.Secret(
            f"{name}-reader-token",
            metadata=manifests.metadata(
                names.READER_TOKEN, name, annotations={"kubernetes.io/service-account.name": names.READER_ACCOUNT}
            ),
            type="kubernetes.io/service-account-token",
            # The API server labels a token with the day of its last use: no drift that anybody would want to hear of.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=after(account), ignore_changes=["metadata.labels", "metadata.managedFields"]
            ),
        )

        def trusted(known: list[Any]) -> str:
            data, ca = known
            if publicly_trusted:
                return ""
            return base64.b64encode(ca.encode()).decode() if ca else str((data or {}).get("ca.crt", ""))

        # Public: it only comes in one Secret with the token.
        self.authority = pulumi.Output.unsecret(pulumi.Output.all(token.data, certificate_authority).apply(trusted))

        def pack(known: list[Any]) -> str:
            data, dial, authority = known
            if not (data or {}).get("token"):
                if pulumi.runtime.is_dry_run():
                    return ""
                raise pulumi.RunError(
                    f"cluster {cluster}: Secret {names.NAMESPACE}/{names.READER_TOKEN} got no token within the "
                    "provider's five seconds; the cluster's controller-manager fills it. Run again"
                )
            return manifests.remote_kubeconfig(
                cluster,
                served_by=served_by,
                server=dial,
                certificate_authority=authority,
                token=base64.b64decode(data["token"]).decode(),
                tls_name=tls_name,
            )

        self.kubeconfig = pulumi.Output.secret(pulumi.Output.all(token.data, server, self.authority).apply(pack))
        self.register_outputs({})


class RemoteSecrets(pulumi.ComponentResource):
    """What makes one cluster's istiod discover its peers: one Secret a peer, in istiod's namespace.

    Removing one closes that peer: its endpoints vanish from the cluster's proxies.
    Source: istio/istio pkg/kube/multicluster/secretcontroller.go.
    """

    names: dict[str, pulumi.Output[str]]
    """Name of each peer's Secret, known once it is there."""

    def __init__(
        self,
        name: str,
        kubeconfigs: Mapping[str, pulumi.Input[str]],
        *,
        namespace: pulumi.Input[str],
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("RemoteSecrets"), name, None, opts)
        self.names = {}
        for peer, kubeconfig in sorted(kubeconfigs.items()):
            secret = k8s.core.v1.Secret(
                f"{name}-remote-{peer}",
                metadata=manifests.remote_secret_metadata(name, peer),
                string_data={peer: kubeconfig},
                opts=pulumi.ResourceOptions(parent=self, depends_on=after(namespace)),
            )
            self.names[peer] = secret.metadata.name
        self.register_outputs({"names": list(self.names.values())})
