"""What an import loads. Each is a process of its own: nothing imported here may be counted."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pulumi_istio_mesh

HEAVY = ("pulumi", "pulumi_kubernetes", "pulumi_tls", "pulumi_gcp", "grpc")

PURE = (
    "topology.load", "topology.models", "topology.kubeconfig", "rules", "plan.mesh_plan", "cli",
    "istio.values", "istio.manifests", "istio.charts", "istio.names", "istio.versions",
    "gates.manifests", "gates.expectations", "checks.outcome", "live.verify", "translation.mesh",
)  # fmt: skip


def loaded(statement: str, watched: tuple[str, ...]) -> set[str]:
    """Which of the watched modules a statement loads."""
    program = f"{statement}\nimport sys\nprint(*sorted(set({watched!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_it_may_not_need() -> None:
    assert loaded("import pulumi_istio_mesh", (*HEAVY, "pydantic", "yaml", "cryptography", "click")) == set()


def test_listing_the_package_loads_nothing_either() -> None:
    assert loaded("import pulumi_istio_mesh as p; dir(p)", (*HEAVY, "pydantic")) == set()


def test_the_pure_part_loads_no_pulumi() -> None:
    statement = "import " + ", ".join(f"pulumi_istio_mesh.{module}" for module in PURE)
    assert loaded(statement, HEAVY) == set()


def test_the_command_loads_what_looks_at_clusters_only_when_it_looks() -> None:
    assert loaded("import pulumi_istio_mesh.cli", (*HEAVY, "kr8s", "httpx", "rich")) == set()


def test_a_pure_name_of_the_package_loads_no_pulumi() -> None:
    assert (
        loaded("from pulumi_istio_mesh import load_mesh, plan_mesh, Topology, Problem, TopologyError", HEAVY) == set()
    )


def test_a_component_loads_pulumi_and_no_cloud() -> None:
    assert loaded("from pulumi_istio_mesh import Mesh", HEAVY) >= {"pulumi", "pulumi_kubernetes"}
    assert loaded("from pulumi_istio_mesh import Mesh", ("pulumi_gcp", "kr8s", "httpx")) == set()


def test_a_program_without_gke_loads_nothing_of_googles() -> None:
    program = """
import pulumi
from pulumi.runtime import mocks
from pulumi_istio_mesh import Mesh
from tests.builders import program_args

class Nothing(mocks.Mocks):
    def new_resource(self, args): return "id", args.inputs
    def call(self, args): return {}, None

mocks.set_mocks(Nothing())
Mesh("prod", program_args())
"""
    assert loaded(program, ("pulumi_gcp", "pulumi_istio_mesh.components.gke_members")) == set()


@pytest.mark.parametrize("name", pulumi_istio_mesh.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(pulumi_istio_mesh, name).__name__ == name
    assert name in dir(pulumi_istio_mesh)


def test_a_name_that_is_not_there_is_missed_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match=r"module 'pulumi_istio_mesh' has no attribute 'Nothing'$"):
        _ = pulumi_istio_mesh.Nothing
