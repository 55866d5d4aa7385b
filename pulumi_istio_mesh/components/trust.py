"""The mesh's certificate authorities, generated: roots for the mesh, an intermediate a cluster.

Keys are resources in the stack's state, secret from birth. Certificates are a pure function of the keys and of plain
dates (docs/adr/0002), so running again changes nothing. Destroying the components destroys the keys.
"""

from functools import partial
from typing import Any, Optional

import pulumi
import pulumi_tls as tls

from ..istio import certificates, names
from ..topology.models import Intermediates, Topology


class Trust(pulumi.ComponentResource):
    """The mesh's root certificate authorities: every generation trusted, one of them signing."""

    root_certs: pulumi.Output[str]
    """PEM of every root, sorted by generation; the same in every cluster."""
    fingerprints: pulumi.Output[dict[str, str]]
    """SHA-256 of each root by generation, as openssl prints it."""
    signer_cert: pulumi.Output[str]
    signer_key: pulumi.Output[str]
    """PEM of the signing root's key; secret."""

    def __init__(self, name: str, topology: Topology, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        super().__init__(names.token("Trust"), name, None, opts)
        keys: dict[str, pulumi.Output[str]] = {}
        certs: dict[str, pulumi.Output[str]] = {}
        for root in sorted(topology.trust.roots, key=lambda generation: generation.name):
            keys[root.name] = private_key(f"{name}-root-{root.name}", root.key, self)
            facts = certificates.RootCertificate(
                mesh_id=topology.mesh_id,
                generation=root.name,
                trust_domains=root.trust_domains or (topology.identity_domain,),
                issued=root.issued,
                days=root.days,
            )
            # A certificate is public; it only inherits the secrecy of the key it was made with.
            certs[root.name] = pulumi.Output.unsecret(keys[root.name].apply(partial(certificates.root_pem, facts)))
        signer = topology.signing_root.name
        self.root_certs = pulumi.Output.all(*certs.values()).apply("".join)
        self.fingerprints = pulumi.Output.all(**certs).apply(
            lambda pems: {generation: certificates.fingerprint(pem) for generation, pem in pems.items()}
        )
        self.signer_cert, self.signer_key = certs[signer], keys[signer]
        self.register_outputs({"rootCerts": self.root_certs, "fingerprints": self.fingerprints})


class IntermediateAuthority(pulumi.ComponentResource):
    """One cluster's certificate authority, signed by the mesh's root; what its istiod signs with."""

    cacerts: pulumi.Output[dict[str, str]]
    """Data of Istio's Secret `cacerts`; secret."""

    def __init__(
        self,
        name: str,
        cluster: str,
        topology: Topology,
        trust: Trust,
        opts: Optional[pulumi.ResourceOptions] = None,
    ) -> None:
        super().__init__(names.token("IntermediateAuthority"), name, None, opts)
        declared: Intermediates = topology.trust.intermediates
        facts = certificates.IntermediateCertificate(
            mesh_id=topology.mesh_id,
            cluster=cluster,
            trust_domains=topology.signing_root.trust_domains or (topology.identity_domain,),
            issued=declared.issued or topology.signing_root.issued,
            days=declared.days,
        )
        key = private_key(f"{name}-intermediate", declared.key, self)

        def sign(known: dict[str, Any]) -> dict[str, str]:
            own = certificates.intermediate_pem(facts, known["key"], known["signer_cert"], known["signer_key"])
            return certificates.cacerts(own, known["key"], known["signer_cert"], known["roots"])

        inputs = {
            "key": key,
            "signer_cert": trust.signer_cert,
            "signer_key": trust.signer_key,
            "roots": trust.root_certs,
        }
        self.cacerts = pulumi.Output.all(**inputs).apply(sign)
        self.register_outputs({})


def private_key(name: str, kind: str, parent: pulumi.Resource) -> pulumi.Output[str]:
    """Make a key, kept in the stack's state, and return it as secret PKCS #8 PEM; `kind` is such as ECDSA-P256."""
    algorithm, _, size = kind.partition("-")
    sized: dict[str, Any] = {"ecdsa_curve": size} if algorithm == "ECDSA" else {"rsa_bits": int(size)}
    key = tls.PrivateKey(name, algorithm=algorithm, **sized, opts=pulumi.ResourceOptions(parent=parent))
    return pulumi.Output.secret(key.private_key_pem_pkcs8)
