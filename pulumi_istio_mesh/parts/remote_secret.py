"""How the istiod of one cluster reads another one: a credential there, a Secret here.

No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

from typing import Any, Optional

import pulumi

from ..components.arguments import RefusedTopology, checked_authority, known_authority_problems
from ..components.remote_secret import Reader, RemoteSecrets
from ..topology.kubeconfig import kubeconfig_problems
from ..topology.problems import Problem
from .arguments import IstioReaderArgs, IstioRemoteSecretArgs
from .placed import PartInCluster, given, in_cluster, place, way_problems


class IstioReader(PartInCluster):
    """One cluster's credential for the istiods of others: a token that reads it, packed as a kubeconfig.

    Comes after `reader_account` of the control plane, which has the rights. The token does not expire; another name of
    `reader_token` makes another token. Raises `TopologyError` before any resource is registered.
    On destroy the token is revoked: istiods that have it lose sight of the cluster.
    """

    kubeconfig: pulumi.Output[str]
    """Kubeconfig for the istiods of other clusters, as JSON; secret."""

    def __init__(self, name: str, args: IstioReaderArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        cluster = args.get("cluster") or name
        primary, generation = args.get("primary") or cluster, args.get("reader_token")
        no_address = Problem(
            where="api_server",
            what="it is missing, and so is a kubeconfig to take it from",
            why="the istiods of other clusters dial the API server at it",
            fix='"api_server": "https://..."',
            slug="api-server",
        )
        missing = args.get("kubeconfig") is None and args.get("api_server") is None
        placed = place(
            f"IstioReader {name!r}",
            args,
            IstioReaderArgs,
            cluster=cluster,
            mesh={},
            clusters={
                **({primary: {}} if primary != cluster else {"reader": {}}),
                cluster: given(args, "primary", "api_server", "api_server_tls_name", "reader_token"),
            },
            paths=in_cluster(cluster),
            found=[
                *way_problems("IstioReader", args, cluster, opts),
                *known_authority_problems("api_server_ca", args.get("api_server_ca")),
                *([no_address] if missing else []),
            ],
        )
        super().__init__(name, args, placed, opts, for_peers=True)
        made = Reader(
            name,
            cluster,
            generation=generation,
            served_by=primary,
            account=self._ready,
            server=self._api_server,
            certificate_authority=checked_authority("api_server_ca", args.get("api_server_ca")),
            tls_name=args.get("api_server_tls_name"),
            opts=self._within,
        )
        assert made.kubeconfig is not None, "it is missing only where a cluster is rendered"
        self.kubeconfig = made.kubeconfig
        self.register_outputs({"kubeconfig": self.kubeconfig})


class IstioRemoteSecret(PartInCluster):
    """What makes the istiod of a cluster discover another one: a Secret with the kubeconfig that reads it.

    Where the other cluster is on another network, it comes after the address of that one's gateway: before, its pods
    would be dialled at addresses that lead nowhere. Raises `TopologyError` before any resource is registered.
    On destroy the other cluster's endpoints vanish from the proxies that this istiod serves.
    """

    secret: pulumi.Output[str]
    """Name of the Secret, known once it is there."""

    def __init__(self, name: str, args: IstioRemoteSecretArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        cluster, reads = args.get("cluster") or name, args.get("reads")
        itself = Problem(
            where="reads",
            what=f"{cluster} is the cluster itself",
            why="an istiod reads the cluster it runs in without a Secret",
            fix="name another cluster, or remove the component",
            slug="discovers-unknown",
        )
        credential: Any = args.get("reader_kubeconfig")
        source = f"IstioRemoteSecret {name!r}"

        def check(known: Any) -> str:
            # Empty in a preview, before there is a token.
            problems = list(kubeconfig_problems("reader_kubeconfig", str(known))) if known else []
            if problems:
                raise RefusedTopology(problems, source)
            return str(known)

        placed = place(
            source,
            args,
            IstioRemoteSecretArgs,
            cluster=cluster,
            mesh={},
            clusters={cluster: {}, **({reads: {}} if isinstance(reads, str) else {})},
            paths={f"clusters.{reads}": "reads", **in_cluster(cluster)},
            found=[
                *way_problems("IstioRemoteSecret", args, cluster, opts),
                *([itself] if reads == cluster else []),
                *(kubeconfig_problems("reader_kubeconfig", credential) if isinstance(credential, str) else []),
            ],
        )
        super().__init__(name, args, placed, opts)
        kubeconfig = pulumi.Output.secret(credential).apply(check)
        self.secret = RemoteSecrets(name, opts=self._within).discover(str(reads), kubeconfig, self._ready)
        self.register_outputs({"secret": self.secret})
