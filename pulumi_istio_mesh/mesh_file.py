"""mesh.yaml as programs read it: what is wrong with it stops them with its sentences, without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from typing_extensions import ParamSpec

from .topology import load
from .topology.problems import TopologyError

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")


def _told(loader: Callable[Arguments, Found]) -> Callable[Arguments, Found]:
    @wraps(loader)
    def found(*args: Any, **kwargs: Any) -> Found:
        try:
            return loader(*args, **kwargs)
        except TopologyError as error:
            if "pulumi" not in sys.modules:
                # Whoever reads a file without a program needs no Pulumi.
                raise
            from .components.arguments import RefusedTopology

            raise RefusedTopology(error.problems, error.source, error.positions) from None

    return found


load_mesh = _told(load.load_mesh)
load_meshes = _told(load.load_meshes)
