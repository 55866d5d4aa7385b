"""What kubelets read of a Secret by which they pull images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .json_text import read_json
from .limits import UnreadableText
from .problems import Problem


def docker_config_problems(where: str, config: Any) -> Iterator[Problem]:
    """Refuse what is no Docker config that names a registry; the message never quotes it."""
    what = "it is not the text of a Docker config with auths"
    try:
        tree = read_json(config) if isinstance(config, (str, bytes)) else None
    except UnreadableText as error:
        tree, what = None, f"{what}: {error}"
    auths = tree.get("auths") if isinstance(tree, Mapping) else None
    if isinstance(auths, Mapping) and auths:
        return
    yield Problem(
        where=where,
        what=what,
        why="an API server takes nothing but JSON in a Secret of type kubernetes.io/dockerconfigjson, and without "
        "auths no registry is told who pulls",
        fix='json.dumps({"auths": {"registry.example": {"username": ..., "password": ...}}})',
        slug="registry-credentials",
    )
