"""The credentials by which one cluster's istiod reads another cluster."""

import base64
from collections.abc import Sequence
from typing import Any, Optional

import pulumi
import pulumi_kubernetes as k8s

from ..istio import manifests, names
from ..topology.names import DEFAULT_REVISION
from .order import after


class Reader(pulumi.ComponentResource):
    """One cluster's credential for its peers: a token that reads it, packed as a kubeconfig.

    The token does not expire; deleting the Secret revokes it. Another `generation` is another token: it is made, goes
    into all remote secrets and is proved by the gates before the old one is deleted, as all that leaves a program. It
    may read every Secret of the cluster, which is what Istio's reader role grants.
    Source: istiod chart, templates/reader-clusterrole.yaml.
    """

    kubeconfig: Optional[pulumi.Output[str]]
    """Kubeconfig for foreign istiods, as JSON; secret; None where the cluster is rendered and no token is given."""
    authority: pulumi.Output[str]
    """Base64 of the PEM bundle by which they verify the API server; public."""

    def __init__(
        self,
        name: str,
        cluster: str,
        *,
        generation: Optional[str] = None,
        served_by: str,
        revisions: Sequence[str] = (DEFAULT_REVISION,),
        account: pulumi.Input[str],
        server: pulumi.Input[str],
        certificate_authority: Optional[pulumi.Input[str]] = None,
        token: Optional[pulumi.Input[str]] = None,
        rendered: bool = False,
        publicly_trusted: bool = False,
        tls_name: Optional[str] = None,
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        """`token` is given where the cluster is `rendered`, from where it can't be read; there it may be missing."""
        super().__init__(names.token("Reader"), name, None, opts)
        secret = names.reader_token(generation)
        made = k8s.core.v1.Secret(
            names.logical_name(name, "reader-token", *filter(None, [generation])),
            metadata=manifests.metadata(
                secret, name, annotations={"kubernetes.io/service-account.name": names.READER_ACCOUNT}
            ),
            type="kubernetes.io/service-account-token",
            # The API server labels a token with the day of its last use: no drift that anybody would want to hear of.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=after(account), ignore_changes=["metadata.labels", "metadata.managedFields"]
            ),
        )

        # As the Secret of a cluster has them.
        read: pulumi.Output[Any] = made.data if not rendered else pulumi.Output.from_input(token).apply(_as_data)

        def trusted(known: list[Any]) -> str:
            data, ca = known
            if publicly_trusted:
                return ""
            return base64.b64encode(ca.encode()).decode() if ca else str((data or {}).get("ca.crt", ""))

        # Public: it only comes in one Secret with the token.
        self.authority = pulumi.Output.unsecret(pulumi.Output.all(read, certificate_authority).apply(trusted))

        def pack(known: list[Any]) -> str:
            data, dial, authority = known
            if not (data or {}).get("token"):
                if pulumi.runtime.is_dry_run():
                    return ""
                raise pulumi.RunError(
                    f"cluster {cluster}: reader_credential is empty"
                    if rendered
                    else f"cluster {cluster}: Secret {names.NAMESPACE}/{secret} got no token within the "
                    "provider's five seconds; the cluster's controller-manager fills it. Run again"
                )
            return manifests.remote_kubeconfig(
                cluster,
                served_by=served_by,
                revisions=revisions,
                server=dial,
                certificate_authority=authority,
                token=base64.b64decode(data["token"]).decode(),
                tls_name=tls_name,
            )

        known: pulumi.Output[list[Any]] = pulumi.Output.all(read, server, self.authority)
        self.kubeconfig = None if rendered and token is None else pulumi.Output.secret(known.apply(pack))
        self.register_outputs({})


def _as_data(token: Optional[str]) -> dict[str, str]:
    return {"token": base64.b64encode(token.strip().encode()).decode()} if token and token.strip() else {}


class RemoteSecrets(pulumi.ComponentResource):
    """What makes one cluster's istiod discover its peers: one Secret a peer, in istiod's namespace.

    Removing one closes that peer: its endpoints vanish from the cluster's proxies.
    Source: istio/istio pkg/kube/multicluster/secretcontroller.go.
    """

    def __init__(self, name: str, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        super().__init__(names.token("RemoteSecrets"), name, None, opts)
        self._name = name
        self.register_outputs({})

    def discover(self, peer: str, kubeconfig: pulumi.Input[str], *waits_for: pulumi.Input[Any]) -> pulumi.Output[str]:
        """Make the Secret by which a peer is discovered; return its name, known once it is there."""
        metadata = manifests.remote_secret_metadata(self._name, peer)
        return self._secret(peer, metadata, {peer: kubeconfig}, *waits_for)

    def forget(self, peer: str) -> pulumi.Output[str]:
        """Make a peer's Secret one that holds nothing and that istiod does not look at.

        Emptied while the program runs: one that leaves the program goes only when everything else has been proved.
        """
        return self._secret(peer, manifests.metadata(names.remote_secret(peer), self._name), None)

    def _secret(
        self, peer: str, metadata: dict[str, Any], data: Optional[dict[str, Any]], *waits_for: pulumi.Input[Any]
    ) -> pulumi.Output[str]:
        secret = k8s.core.v1.Secret(
            f"{self._name}-remote-{peer}",
            metadata=metadata,
            string_data=data,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after(*waits_for)),
        )
        return secret.metadata.name
