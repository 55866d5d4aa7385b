"""Whether each istiod has the credentials of the clusters that it discovers, and whether those still work."""

from __future__ import annotations

from collections.abc import Iterator

from ..topology.kubeconfig import may_be_shown
from .findings import Finding
from .seen import View


def present(view: View) -> Iterator[Finding]:
    """Each istiod has a remote secret for every cluster that it discovers, and no others."""
    for planned, seen in view.clusters():
        if planned.remote or "remote_secrets" in seen.unread:
            continue
        there = {secret.cluster: secret.name for secret in seen.remote_secrets}
        for cluster in planned.discovers:
            if cluster not in there:
                yield Finding("remote-secret-missing", planned.name, f"it has no remote secret for {cluster}", cluster)
        for cluster in sorted(there.keys() - set(planned.discovers)):
            what = f"Secret {there[cluster]} lets istiod read {cluster}, which it should not"
            yield Finding("remote-secret-stranger", planned.name, what, name=there[cluster])


def accepted(view: View) -> Iterator[Finding]:
    """The token in each secret is accepted where it is used, and its account may read what istiod needs."""
    for planned, seen in view.clusters():
        for secret in seen.remote_secrets:
            if secret.token_accepted is False:
                what = f"{secret.cluster} does not accept the token in Secret {secret.name}, made {secret.created}"
                yield Finding("reader-token-refused", planned.name, what, secret.cluster)
            if secret.allowed is False:
                what = f"the account behind Secret {secret.name} may not watch services, pods and endpoints"
                yield Finding("reader-rights", planned.name, what, secret.cluster)


def leading(view: View) -> Iterator[Finding]:
    """Each secret leads to its cluster's API server; whether it can be verified there, the gate's script says."""
    for planned, seen in view.clusters():
        for secret in seen.remote_secrets:
            expected = view.servers.get(secret.cluster)
            if expected and secret.server.rstrip("/") != expected.rstrip("/"):
                what = f"Secret {secret.name} leads to {safe(secret.server)}, not to {safe(expected)}"
                yield Finding("api-server-differs", planned.name, what, secret.cluster)


def safe(server: str) -> str:
    """Return an address as it may be printed."""
    return server if may_be_shown(server) else "an address that may hold a credential"


JUDGES = (present, accepted, leading)
