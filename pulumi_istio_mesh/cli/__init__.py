"""The command `istio-mesh`: judges a mesh.yaml without a program, an engine or a cluster, and looks at live meshes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import click

from .. import __version__
from ..pictures.mermaid import mermaid
from ..plan.mesh_plan import MeshPlan, Validity, plan_mesh
from ..plan.words import words
from ..topology.models import Topology
from ..topology.problems import TopologyError
from .mesh_file import judged, planned, unreadable
from .verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="istio-mesh")
def main() -> None:
    """One Istio mesh over several Kubernetes clusters."""


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
def check(files: tuple[str, ...]) -> None:
    """Say everything that is wrong with each mesh.yaml, or what the mesh will be.

    Exit code 0 when every mesh can be built, 1 with problems, 2 on bad use.
    """
    failed = False
    for path in files:
        try:
            for name, topology in judged(path):
                for line in _summary(name, topology, plan_mesh(topology)):
                    click.echo(f"{path}: {line}")
        except TopologyError as error:
            failed = True
            click.echo(str(error), err=True)
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable(path, error) from None
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--mesh", help="Which mesh of the file; all of them when left out.")
def plan(file: str, mesh: str | None) -> None:
    """Say in words what a mesh.yaml will become: who serves whom, who calls whom, and how.

    Exit code 0, or 1 with the problems that stand in the way, 2 on bad use.
    """
    for name, topology in planned(file, mesh):
        found = plan_mesh(topology)
        for line in _summary(name, topology, found):
            click.echo(line)
        for line in words(found):
            click.echo(f"  {line}")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--mesh", help="Which mesh of the file; all of them when left out.")
def picture(file: str, mesh: str | None) -> None:
    """Draw what a mesh.yaml will become, as Mermaid text for a pull request or a wiki.

    Exit code 0, or 1 with the problems that stand in the way, 2 on bad use.
    """
    plans = [plan_mesh(topology) for _, topology in planned(file, mesh)]
    named = Counter(
        name
        for plan in plans
        for name in {part for cluster in plan.clusters for part in (cluster.name, cluster.network)}
    )
    twice = sorted(name for name, count in named.items() if count > 1)
    if twice:
        raise click.UsageError(
            f"{file} has {', '.join(twice)} in several meshes: choose one, --mesh {plans[0].mesh_id}"
        )
    click.echo(mermaid(*plans), nl=False)


def _summary(mesh: str, topology: Topology, plan: MeshPlan) -> Iterator[str]:
    networks = len({cluster.network for cluster in plan.clusters})
    gateways = sum(cluster.gateway for cluster in plan.clusters)
    remotes = sum(cluster.remote for cluster in plan.clusters)
    served = f" ({remotes} remote)" if remotes else ""
    yield (
        f"mesh {mesh}: ok. {_count(len(plan.clusters), 'cluster')}{served} on {_count(networks, 'network')}, "
        f"{_count(gateways, 'east-west gateway')}, {_count(len(plan.remote_secrets), 'remote secret')}, "
        f"Istio {topology.istio_version}"
    )
    for prefix, certificates in (("root", plan.roots), ("intermediate of", plan.intermediates)):
        for certificate in certificates:
            yield f"  {prefix} {_validity(certificate)}"


def _validity(certificate: Validity) -> str:
    return f"{certificate.name}: valid from {certificate.issued} to {certificate.expires}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


main.add_command(verify)
