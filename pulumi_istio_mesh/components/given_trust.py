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

    known: Any = {file: given[key] for key, file in FILES.items()}
    return checked_files(f"clusters.{cluster}.cacerts", cluster, known, trust_domain)


def checked_files(
    where: str, cluster: str, files: pulumi.Input[Mapping[str, Any]], trust_domain: str
) -> pulumi.Output[dict[str, str]]:
    """Return the data of Secret `cacerts` from its files, given at `where`; secret.

    The program stops with `RefusedTopology` before istiod is made where the PEM can't work.
    """

    def check(known: Mapping[str, Any]) -> dict[str, str]:
        found = given_problems(
            where,
            **{key: str(known.get(file) or "") for key, file in FILES.items()},
            now=dt.datetime.now(dt.timezone.utc),
            trust_domain=trust_domain,
        )
        if found:
            raise RefusedTopology(found, f"cluster {cluster!r}")
        return {file: known[file] for file in FILES.values()}

    return pulumi.Output.secret(cast(Any, files)).apply(check)


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
