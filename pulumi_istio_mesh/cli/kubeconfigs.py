"""The option --kubeconfig of commands that look into clusters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
        if not equals:
            problems.append(f"--kubeconfig {one}: write CLUSTER=PATH[:CONTEXT]")
            continue
        if cluster not in clusters:
            problems.append(f"--kubeconfig {cluster}=...: the mesh has no such cluster")
            continue
        context = None
        where = Path(path).expanduser()
        if not where.exists() and ":" in path:
            path, _, context = path.rpartition(":")
            where = Path(path).expanduser()
        try:
            found[cluster] = Access(read_text(where), context)
        except TooMuch as error:
            problems.append(f"--kubeconfig {cluster}=...: {where}: {error}")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"--kubeconfig {cluster}=...: {where} can't be read: {type(error).__name__}")
    named = {one.partition("=")[0] for one in given}
    problems += [f"--kubeconfig {cluster}=PATH is missing" for cluster in clusters if cluster not in named]
    if problems:
        raise click.UsageError("\n".join(problems))
    return found
