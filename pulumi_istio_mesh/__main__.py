"""`python -m pulumi_istio_mesh`: the command, where its script is not on the path."""

from .cli import main

main(prog_name="istio-mesh")
