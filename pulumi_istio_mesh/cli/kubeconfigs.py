"""The option --kubeconfig of commands that look into clusters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..topology.limits import is_there
from .printing import BadUse

if TYPE_CHECKING:
    from ..live.verify import Access


def access_to(clusters: Collection[str], given: tuple[str, ...]) -> Mapping[str, Access]:
    """Return the way into each cluster; end the program on bad use, with all that is wrong."""
    from ..live.verify import Access
    from ..topology.limits import TooMuch, read_text

    found: dict[str, Access] = {}
    problems: list[str] = []
    for one in given:
        cluster, equals, path = one.partition("=")
        if not equals or not one.isprintable():
            # It may be the kubeconfig itself, and is not repeated then.
            shown = one if one.isprintable() else "with a line break in it"
            problems.append(f"--kubeconfig {shown}: write CLUSTER=PATH[:CONTEXT]")
            continue
        if cluster not in clusters:
            problems.append(f"--kubeconfig {cluster}=...: the mesh has no such cluster")
            continue
        try:
            where, context = _file_and_context(path)
            found[cluster] = Access(read_text(where), context, where.parent)
        except TooMuch as error:
            problems.append(f"--kubeconfig {cluster}=...: {path}: {error}")
        except (OSError, ValueError, RuntimeError) as error:
            problems.append(f"--kubeconfig {cluster}=...: {path} can't be read: {type(error).__name__}")
    named = {one.partition("=")[0] for one in given}
    problems += [f"--kubeconfig {cluster}=PATH is missing" for cluster in clusters if cluster not in named]
    if problems:
        raise BadUse(*problems)
    return found


def _file_and_context(path: str) -> tuple[Path, str | None]:
    """Return a PATH[:CONTEXT] as its two parts; a file whose name has a colon is taken whole."""
    where = Path(path).expanduser()
    if is_there(where) or ":" not in path:
        return where, None
    path, _, context = path.rpartition(":")
    return Path(path).expanduser(), context
