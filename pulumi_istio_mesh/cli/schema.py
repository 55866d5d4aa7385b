"""`istio-mesh schema`: what editors know mesh.yaml by."""

from __future__ import annotations

import click

from .printing import hand_over


@click.command()
def schema() -> None:
    """Print the JSON Schema of mesh.yaml, for completion and explanations in an editor.

    \b
    Example: with the YAML language server, which VS Code, Vim and others use, as first line of mesh.yaml:
      istio-mesh schema > mesh.schema.json
      # yaml-language-server: $schema=mesh.schema.json
    """
    from ..topology.schema import schema_text

    hand_over(schema_text())
