"""`istio-mesh images`: what a mirror must hold, for clusters that can't reach Istio's own registry."""

from __future__ import annotations

import click

from .printing import hand_over, say


@click.command()
@click.argument("file")
@click.option("--mesh", help="Which mesh of the file; all of them when left out.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "lines", "json"]),
    default="text",
    show_default=True,
    help="lines: one image a line, for a loop that copies them.",
)
def images(file: str, mesh: str | None, form: str) -> None:
    """List the charts and container images that a mesh.yaml asks for.

    Exit code 0, or 1 with the problems that stand in the way, 2 on bad use.

    \b
    Examples:
      istio-mesh images mesh.yaml
      istio-mesh images mesh.yaml --format lines | xargs -n1 sh -c 'crane copy "$0" "registry.example/istio/${0##*/}"'
    """
    import dataclasses
    import json

    from ..istio.images import charts_of, images_of
    from .mesh_file import planned

    meshes = [topology for _, topology in planned(file, mesh)]
    found = {
        "charts": list(dict.fromkeys(one for topology in meshes for one in charts_of(topology))),
        "images": list(dict.fromkeys(one for topology in meshes for one in images_of(topology))),
    }
    if form == "json":
        tree = {kind: list(map(dataclasses.asdict, needed)) for kind, needed in found.items()}
        hand_over(f"{json.dumps(tree, indent=2)}\n")
        return
    if form == "lines":
        say("\n".join(sorted({one.reference for one in found["images"]})))
        return
    for kind, needed in found.items():
        say(f"{kind}:")
        for one in needed:
            say(f"  {one.reference}: {one.what}, in {', '.join(one.clusters)}")
