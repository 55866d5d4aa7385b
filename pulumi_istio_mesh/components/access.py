"""The way into one cluster: its provider, and the address by which other clusters' istiods read it."""

from collections.abc import Mapping, Sequence
from typing import Any, Optional, cast

import pulumi
import pulumi_kubernetes as k8s

from . import messages
from .arguments import checked_kubeconfig
from .preflight import Preflight


class Access:
    """The one Kubernetes provider of a cluster, and its API server's address for peers."""

    def __init__(
        self,
        name: str,
        cluster: str,
        args: Mapping[str, Any],
        *,
        under: str,
        for_peers: bool,
        released: bool,
        preflight: Optional[Preflight],
        nodes: Sequence[pulumi.Resource] = (),
        parent: pulumi.Resource,
    ) -> None:
        """`under` is the path of the arguments as the user knows it.

        `released` says whether charts are Helm releases, which a preview shows without looking into the cluster."""
        kubeconfig, self.api_server = checked_kubeconfig(
            cluster, args["kubeconfig"], args.get("api_server"), under=under, for_peers=for_peers
        )
        if not released:
            _say_what_an_unknown_kubeconfig_means(cluster, kubeconfig, parent)
        if preflight is not None:

            async def looked_at(text: str) -> Any:
                # A cluster that doesn't answer would fail the whole preview; unknown, it leaves the others' to be seen.
                return text if await preflight.passed(cluster, text) else unknown()

            # Every object of the cluster waits for its provider, and so for this.
            kubeconfig = kubeconfig.apply(looked_at)
        self.provider = k8s.Provider(
            name,
            kubeconfig=kubeconfig,
            # Without it a kubeconfig that turns unknown in a preview would replace the provider, and with it
            # everything in the cluster (pulumi/pulumi#4326). Added later it is
            # ignored, so it stands here from the start.
            cluster_identifier=cluster,
            # Without them a change of mesh config, cacerts or a remote secret deletes the object before it makes
            # the new one (pulumi-kubernetes#1567).
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            # On the provider, for which every object waits; as part of the kubeconfig they would make that unknown
            # whenever they change.
            opts=pulumi.ResourceOptions(parent=parent, depends_on=list(nodes)),
        )


def _say_what_an_unknown_kubeconfig_means(
    cluster: str, kubeconfig: pulumi.Output[str], parent: Optional[pulumi.Resource]
) -> None:
    """Warn in a preview that cannot look into the cluster: the engine then lists charts' objects as deleted."""
    if not pulumi.runtime.is_dry_run():
        return

    async def warn() -> None:
        if not await kubeconfig.is_known():
            messages.warn(
                f"cluster {cluster}: its kubeconfig is not known yet, so this preview can't list the objects of its "
                "charts. If the cluster exists already, they are shown as deleted here; nothing of them will be.",
                parent,
            )

    # An Output, because Pulumi waits for Outputs before the program ends, and for nothing else.
    pulumi.Output.from_input(cast(Any, warn()))


def unknown() -> pulumi.Output[str]:
    """Return an Output that is not known in this preview."""

    async def value(found: Any) -> Any:
        return found

    return pulumi.Output({*()}, value(None), value(False))
