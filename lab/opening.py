"""What `make demo` shows before anything is built: plan, ports and picture of its mesh, and what is ahead."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError
from lab.paths import REPOSITORY, SCRIPTS, cache
from lab.progress import Step, in_words


def show(program: Path, ahead: Sequence[Step]) -> None:
    """Print what the program's mesh.yaml will become, and the steps to it; needs no cluster and nothing that is built.

    Raises:
        LabError: `istio-mesh` refuses the file.
    """
    name = program.relative_to(REPOSITORY)
    _say(f"The mesh of {name}, which is about to be made. `istio-mesh plan mesh.yaml` needs no cluster:\n")
    _istio_mesh(program, "plan")
    _say("\n`istio-mesh picture mesh.yaml`, in a language that GitHub, GitLab and most wikis draw:\n")
    _istio_mesh(program, "picture")
    page = cache() / "demo" / "mesh.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_istio_mesh(program, "picture", "--format=html", show=False))
    _say(f"\nThe same to look at in a browser: {page}\n")
    _say(_told(ahead))


def _told(ahead: Sequence[Step]) -> str:
    whole = in_words(sum(step.usually for step in ahead))
    steps = (f"  {in_words(step.usually):>7}  {step.text}" for step in ahead)
    kept = f"What is built is kept in {cache()}, and not built again."
    return "\n".join([f"Ahead, about {whole} on two idle cores:", *steps, kept, ""])


def _istio_mesh(program: Path, command: str, *flags: str, show: bool = True) -> str:
    """Return what the package's own command says of the program's mesh.yaml, or let it say that itself."""
    done = subprocess.run(
        [SCRIPTS / "istio-mesh", command, "mesh.yaml", *flags],
        cwd=program,
        stdout=None if show else subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(f"istio-mesh {command} of {program / 'mesh.yaml'}: exit code {done.returncode}: {done.stderr}")
    return done.stdout or ""


def _say(text: str) -> None:
    # At once: the commands between write past this process's buffer.
    print(text, flush=True)
