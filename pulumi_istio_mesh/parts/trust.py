"""The certificate authorities of a mesh, for whoever installs its istiods.

No `from __future__ import annotations` here: Pulumi's analyzer reads the annotations themselves.
"""

from typing import Any, Optional

import pulumi

from ..components import messages
from ..components.trust import IntermediateAuthority, Trust
from ..istio import names
from ..plan.expiry import expiring, last_days
from ..rules import today
from ..topology.problems import Problem
from .arguments import IstioTrustArgs
from .placed import given, place


class IstioTrust(pulumi.ComponentResource):
    """A root certificate authority for a mesh, and an intermediate one for each cluster with an istiod of its own.

    Keys are in the stack's state, secret; certificates follow from them and from plain dates, so that running again
    changes nothing. Nothing is put into a cluster. Raises `TopologyError` before any resource is registered.
    On destroy the keys are gone, and what they signed stays valid until its date.
    """

    root_certs: pulumi.Output[str]
    """PEM of every root that the mesh trusts."""
    root_fingerprints: pulumi.Output[dict[str, str]]
    """SHA-256 of each root, by generation."""
    certificate_expiry: pulumi.Output[dict[str, str]]
    """Day on which each certificate ends, such as 2036-11-20, by `root <generation>` or `<cluster>`."""
    cacerts: pulumi.Output[dict[str, Any]]
    """Files of Istio's Secret `cacerts`, by cluster; secret."""

    def __init__(self, name: str, args: IstioTrustArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        clusters: Any = args.get("clusters") or []
        listed = isinstance(clusters, (list, tuple)) and all(isinstance(cluster, str) for cluster in clusters)
        not_listed = Problem(
            where="clusters",
            what="it is not a list of names",
            why="each cluster with an istiod of its own has an intermediate authority",
            fix='"clusters": ["east", "west"]',
            slug="topology-shape",
        )
        placed = place(
            f"IstioTrust {name!r}",
            args,
            IstioTrustArgs,
            cluster=name,
            mesh={
                "mesh_id": name,
                **given(args, "mesh_id", "trust_domain"),
                "trust": given(args, "roots", "signer", "intermediates"),
            },
            clusters={cluster: {} for cluster in clusters} if listed else {"one": {}},
            paths={"trust.": ""},
            found=[] if listed else [not_listed],
        )
        super().__init__(names.token("IstioTrust"), name, None, opts)
        if pulumi.runtime.is_dry_run():
            for warning in expiring(placed.topology, placed.plan, today()):
                messages.warn(warning, self)
        within = pulumi.ResourceOptions(parent=self)
        trust = Trust(name, placed.topology, opts=within)
        files: dict[str, Any] = {
            cluster: IntermediateAuthority(
                names.logical_name(name, cluster), cluster, placed.topology, trust, opts=within
            ).cacerts
            for cluster in placed.topology.clusters
        }
        self.root_certs, self.root_fingerprints = trust.root_certs, trust.fingerprints
        self.certificate_expiry = pulumi.Output.from_input(dict[str, Any](last_days(placed.plan)))
        self.cacerts = pulumi.Output.secret(files)
        self.register_outputs(
            {
                "rootCerts": self.root_certs,
                "rootFingerprints": self.root_fingerprints,
                "certificateExpiry": self.certificate_expiry,
                "cacerts": self.cacerts,
            }
        )
