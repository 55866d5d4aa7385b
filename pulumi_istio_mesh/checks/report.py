"""What a gate's script says, read back."""

from __future__ import annotations

import re

from .findings import Finding
from .registry import CHECKS

_LINE = re.compile(r"([a-z][a-z-]+) ([a-z0-9-]+)(?: to ([a-z0-9-]+))?: step=(\w+) expected=(.*?) seen=(.*)")

_STEPS = {
    "dns": "its name",
    "connect": "the connection",
    "tls": "TLS",
    "discovery": "istiod's view",
    "endpoints": "the caller's endpoints",
    "path": "the way",
    "identity": "the identity",
    "plaintext": "plaintext",
    "http": "the answer",
}
"""Each step of a call, as what was looked at."""


def findings_in(text: str) -> list[Finding]:
    """Return the findings in a gate's last words, whatever stands around them."""
    found = []
    # By nothing else: what answered may hold what Python counts as line breaks, too.
    for line in text.split("\n"):
        match = _LINE.search(line)
        if match and match[1] in CHECKS and match[4] in _STEPS:
            slug, cluster, peer, step, expected, seen = match.groups()
            what = f"{_STEPS[step]}: expected {expected.strip()}, seen {seen.strip()}"
            found.append(Finding(slug, cluster, what, peer))
    return found
