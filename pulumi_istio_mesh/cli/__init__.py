"""The command `istio-mesh`: judges a mesh.yaml without a program, an engine or a cluster, and looks at live meshes.

Modules of this package import click and nothing else that takes time: `--help` and completion load all of them.
"""

from __future__ import annotations

import click

from .adopt import adopt
from .check import check
from .diff import diff
from .images import images
from .new import new
from .picture import picture
from .plan import plan
from .printing import Commands
from .schema import schema
from .translate import translate
from .verify import verify


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Completion: eval "$(_ISTIO_MESH_COMPLETE=bash_source istio-mesh)", or zsh_source, fish_source.',
)
@click.version_option(None, "--version", package_name="pulumi-istio-mesh", prog_name="istio-mesh")
def main() -> None:
    """One Istio mesh over several Kubernetes clusters."""


for command in (new, translate, check, plan, picture, diff, images, schema, adopt, verify):
    main.add_command(command)
