"""pulumi_gcp is an extra of this package."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..topology.problems import Problem
from .arguments import RefusedTopology


@contextmanager
def needing_gcp(where: str, source: str) -> Iterator[None]:
    """Raise `RefusedTopology` where what is imported here can't be, because the extra is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "pulumi_gcp":
            raise
        problem = Problem(
            where=where,
            what="GKE clusters are asked for, and pulumi_gcp is not installed",
            why="it is an extra: most meshes don't need it, and it is large",
            fix="pip install 'pulumi-istio-mesh[gke]'",
            slug="gke-provider",
        )
        raise RefusedTopology([problem], source) from None
