"""PEM that everybody may see: it stands in states, environments of Jobs and offers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cryptography import x509

from ..topology.credentials import credential_in
from ..topology.problems import Problem

_CERTIFICATES = re.compile(r"\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+")


def public_pem_problems(where: str, pem: Any, *, slug: str) -> Iterator[Problem]:
    """Refuse anything in a PEM but certificates; the message never quotes it."""
    finding = _finding(pem)
    if finding is not None:
        yield Problem(
            where=where,
            what=finding,
            why="it is public, and stands where everybody may see it: in the state, in the environment of Jobs and in "
            "what other meshes read",
            fix=f'"{where.rpartition(".")[2]}": the certificates alone, from -----BEGIN CERTIFICATE----- to '
            "-----END CERTIFICATE-----",
            slug=slug,
        )


def _finding(pem: Any) -> str | None:
    """Return what is wrong with it, or None."""
    if not isinstance(pem, str):
        return "it is not text"
    if held := credential_in("", pem):
        return f"it holds {held}"
    if "LS0tLS1CRUdJTi" in pem:
        return "it is base64 of a PEM, and should be the PEM"
    if not _CERTIFICATES.fullmatch(pem):
        return "it holds something else than certificates in PEM"
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return "one of its certificates can't be read"
    return None
