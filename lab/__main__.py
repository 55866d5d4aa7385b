"""The command line of the lab: `python -m lab COMMAND`."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import ParamSpec

import click
from rich.console import Console
from rich.table import Table

from lab import lifecycle, provision, status
from lab.cluster import Cluster
from lab.environment import as_exports, shell_environment
from lab.errors import LabError
from lab.paths import ClusterPaths
from lab.process import last_lines
from lab.programs import PURPOSES
from lab.progress import Progress
from lab.shape import Shape

Parameters = ParamSpec("Parameters")
_DEFAULT_CLUSTERS = 3


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Real Pulumi, Kubernetes and Istio clusters on this one machine; lab/README.md explains them."""


def _explained(command: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Prints a LabError as it is meant to be read, and exits with 1."""

    @wraps(command)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except LabError as error:
            click.echo(str(error), err=True)
            sys.exit(1)

    return run


@cli.command()
@click.option(
    "--for",
    "purpose",
    type=click.Choice(list(PURPOSES)),
    default="everything",
    show_default=True,
    help="demo: clusters with a mesh from a Python program; everything: other languages and installers, too; "
    "conformance: Istio's own tests.",
)
@_explained
def build(purpose: str) -> None:
    """Look at the machine, then install, build and cache what the lab needs.

    From nothing about 20 minutes on two idle cores, 18 for the demo; an instant when everything is there.
    """
    builds = PURPOSES[purpose]
    progress = Progress(ahead=provision.ahead(builds))
    provision.provision(builds, _DEFAULT_CLUSTERS, progress)
    progress.say(f"what {purpose} needs is built: `python -m lab up` starts the clusters")


@cli.command()
@click.option("--clusters", type=int, default=_DEFAULT_CLUSTERS, show_default=True, help="How many: c1, c2, ...")
@click.option("--network", "networks", multiple=True, metavar="NAME=c1,c2", help="Route Pods between these clusters.")
@click.option("--no-nodes", is_flag=True, help="API servers and controllers only: no Pod ever runs.")
@click.option("--pod-cidr", "pod_cidrs", multiple=True, metavar="c1=10.x.0.0/16", help="Choose a cluster's Pod range.")
@_explained
def up(clusters: int, networks: tuple[str, ...], no_nodes: bool, pod_cidrs: tuple[str, ...]) -> None:
    """Start the clusters; do nothing if exactly these run already."""
    lifecycle.up(
        Shape(
            clusters=clusters,
            networks={name: tuple(members.split(",")) for name, members in map(_pair, networks)},
            nodes=not no_nodes,
            pod_cidrs={name: _cidr(cidr) for name, cidr in map(_pair, pod_cidrs)},
        )
    )


@cli.command()
@_explained
def down() -> None:
    """Remove every trace of the clusters; also after a crash, and when there are none."""
    lifecycle.down()


@cli.command("status")
@_explained
def show_status() -> None:
    """Show the clusters, what they use, and which pieces are stand-ins."""
    console = _wide_console()
    shape = lifecycle.known_shape()
    if shape is None:
        console.print("no lab is up: python -m lab up")
    else:
        if lifecycle.running_shape() is None:
            console.print("the lab is not complete; `python -m lab up` starts it anew, `python -m lab down` removes it")
        _print_clusters(console, shape)
    pieces = Table("piece", "is", "where from", title="what is real here")
    for piece in status.pieces():
        pieces.add_row(piece.name, "stand-in" if piece.stand_in else "real", piece.what)
    console.print(pieces)


@cli.command()
@_explained
def env() -> None:
    """Print the environment for the ordinary commands: eval "$(python -m lab env)"."""
    click.echo(as_exports())


@cli.command()
@_explained
def shell() -> None:
    """Open a shell in which `pulumi`, `kubectl` and `istioctl` work on the lab."""
    environment = {**os.environ, **shell_environment()}
    environment.pop("KUBECONFIG", None)
    sys.exit(subprocess.run([os.environ.get("SHELL", "/bin/bash")], env=environment, check=False).returncode)


@cli.command()
@click.argument("name")
@click.option("--path", is_flag=True, help="Print the file's path instead of its content.")
@_explained
def kubeconfig(name: str, path: bool) -> None:
    """Print a cluster's administrator kubeconfig: a secret, of a cluster that only this machine reaches."""
    cluster = Cluster(name)
    click.echo(str(cluster.kubeconfig_path) if path else cluster.kubeconfig)


@cli.command()
@click.argument("name")
@click.argument("program", required=False)
@click.option("--lines", type=int, default=100, show_default=True, help="How many of the last lines.")
@_explained
def logs(name: str, program: str | None, lines: int) -> None:
    """Print the log of one of a cluster's programs, or list the programs."""
    folder = ClusterPaths.of(name).logs
    programs = sorted(file.stem for file in folder.glob("*.log"))
    if program is None:
        click.echo("\n".join(programs))
    elif program in programs:
        click.echo(last_lines(folder / f"{program}.log", lines))
    else:
        raise LabError(f"no log of {program} in {name}; there are: {', '.join(programs) or 'none'}")


def _wide_console() -> Console:
    """A log has no width of its own, and a table squeezed into 80 columns can't be read."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=150)


def _print_clusters(console: Console, shape: Shape) -> None:
    table = Table(
        "cluster", "API server", "network", "Pods", "Services", "API", "node", "running", "MiB", title="clusters"
    )
    for cluster in status.of_clusters(shape):
        shown = asdict(cluster)
        columns = ("name", "api_server", "network", "pod_cidr", "service_cidr", "api", "node", "pods", "memory_mib")
        table.add_row(*(str(shown[column]) for column in columns))
        for balancer in cluster.load_balancers:
            table.add_row("", f"  {balancer}")
        if cluster.dead:
            table.add_row("", f"  ended: {', '.join(cluster.dead)}")
    console.print(table)


def _pair(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    if not (name and equals and value):
        raise LabError(f"{argument}: write it as NAME=VALUE")
    return name, value


def _cidr(text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise LabError(f"{text} is not an IPv4 range: {error}") from error


if __name__ == "__main__":
    cli(prog_name="python -m lab")
