"""Real Pulumi, real Kubernetes and real Istio on one Linux machine: clusters in network namespaces.

See README.md beside this file, or run `python -m lab --help`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.cluster import Cluster
    from lab.environment import shell_environment
    from lab.errors import LabError
    from lab.lifecycle import down, running_shape, up
    from lab.shape import Shape

__all__ = ["Cluster", "LabError", "Shape", "down", "running_shape", "shell_environment", "up"]

_HOMES = {
    "Cluster": "lab.cluster",
    "LabError": "lab.errors",
    "Shape": "lab.shape",
    "down": "lab.lifecycle",
    "running_shape": "lab.lifecycle",
    "shell_environment": "lab.environment",
    "up": "lab.lifecycle",
}


def __getattr__(name: str) -> Any:
    # Imported when asked for: every cluster's controller is a process of this package, and needs none of it.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'lab' has no attribute {name!r}")
