"""What kubelets read of a Secret by which they pull images."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .problems import Problem


def docker_config_problems(where: str, config: Any) -> Iterator[Problem]:
    """Refuse what is no Docker config that names a registry; the message never quotes it."""
    try:
        tree = json.loads(config)
    except (TypeError, ValueError):
        tree = None
    auths = tree.get("auths") if isinstance(tree, Mapping) else None
    if isinstance(auths, Mapping) and auths:
        return
    yield Problem(
        where=where,
        what="it is not the text of a Docker config with auths",
        why="an API server takes nothing but JSON in a Secret of type kubernetes.io/dockerconfigjson, and without "
        "auths no registry is told who pulls",
        fix='json.dumps({"auths": {"registry.example": {"username": ..., "password": ...}}})',
        slug="registry-credentials",
    )
