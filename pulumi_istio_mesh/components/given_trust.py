"""Certificate authorities that a user brings, checked as soon as they are known."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, cast

import pulumi

from ..istio.given_certificates import bundle_problems, given_problems
from .arguments import RefusedTopology

FILES = {"ca_cert": "ca-cert.pem", "ca_key": "ca-key.pem", "cert_chain": "cert-chain.pem", "root_cert": "root-cert.pem"}
"""Each argument's key in Istio's Secret `cacerts`."""


def checked_cacerts(cluster: str, given: Mapping[str, Any], trust_domain: str) -> pulumi.Output[dict[str, str]]:
    """Return the data of Secret `cacerts` from given PEM; secret.

    The program stops with `RefusedTopology` before istiod is made where the PEM can't work.
    """

    def check(pem: dict[str, str]) -> dict[str, str]:
        found = given_problems(
            f"clusters.{cluster}.cacerts",
            **{key: pem[key] for key in FILES},
            now=dt.datetime.now(dt.timezone.utc),
            trust_domain=trust_domain,
        )
        if found:
            raise RefusedTopology(found, f"cluster {cluster!r}")
        return {file: pem[key] for key, file in FILES.items()}

    known: pulumi.Output[dict[str, Any]] = pulumi.Output.all(**{key: given[key] for key in FILES})
    return pulumi.Output.secret(cast(Any, known)).apply(check)


def check_common_root(clusters: Mapping[str, Mapping[str, Any]]) -> pulumi.Output[str]:
    """Return the given roots as one bundle, once it is known that all clusters trust each other by it."""

    def check(bundles: dict[str, str]) -> str:
        found = bundle_problems(bundles)
        if found:
            raise RefusedTopology(found, "trust")
        return next(iter(bundles.values()))

    roots = {
        name: pulumi.Output.unsecret(pulumi.Output.from_input(given["cacerts"]["root_cert"]))
        for name, given in clusters.items()
        if given.get("cacerts") is not None
    }
    return pulumi.Output.all(**roots).apply(check)
