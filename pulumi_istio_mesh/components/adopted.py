"""Reads what `istio-mesh adopt` wrote beside the program."""

from collections.abc import Mapping, Sequence

from ..istio.adopted import AdoptedObject, Unusable, objects_in, place_of
from ..topology.limits import TooMuch, read_text
from ..topology.models import Topology
from ..topology.problems import Problem
from .arguments import RefusedTopology


def adopted_objects(name: str, topology: Topology) -> Mapping[str, Sequence[AdoptedObject]]:
    """Return the objects to import, by cluster, in those whose control plane is adopted.

    Raises `RefusedTopology` before any resource is registered, with every file that is missing or can't be used.
    """
    found: dict[str, Sequence[AdoptedObject]] = {}
    problems = []
    for cluster in topology.joining:
        if topology.clusters[cluster].control_plane != "adopted":
            continue
        place = place_of(cluster)
        try:
            found[cluster] = objects_in(read_text(place))
        except FileNotFoundError:
            problems.append(_problem(cluster, f"the program's folder has no {place}"))
        except (OSError, UnicodeDecodeError, TooMuch, Unusable) as error:
            problems.append(_problem(cluster, f"{place} can't be used: {_reason(error)}"))
    if problems:
        raise RefusedTopology(problems, f"Mesh {name!r}")
    return found


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, (TooMuch, Unusable)) else type(error).__name__


def _problem(cluster: str, what: str) -> Problem:
    return Problem(
        where=f"clusters.{cluster}.control_plane",
        what=f"it is adopted, and {what}",
        why="an object is imported without a change only if the program declares it as it is",
        fix=f"istio-mesh adopt mesh.yaml --kubeconfig {cluster}=<its kubeconfig>",
        slug="adopted-objects",
    )
