"""`make conformance`: Istio's own integration suite judges a mesh of this package, and one that istioctl made.

Both meshes have the shape of Istio's multicluster tests, on clusters that are made anew for each: c1 a primary and c2
its remote on one network, c3 a primary on another. What passes on istioctl's mesh must pass on this package's.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from lab import helm, istio_suite, istioctl
from lab.build import unbuilt
from lab.cluster import Cluster
from lab.demo import EXAMPLE
from lab.errors import LabError
from lab.images import load_echo
from lab.istio_suite import Group, Member
from lab.lifecycle import down, known_shape, up
from lab.paths import cache
from lab.programs import PURPOSES
from lab.progress import Progress
from lab.shape import Shape
from lab.stack import Stack
from lab.suite_results import FAILED, PASSED, RESULTS, SKIPPED, Difference, Results, counted, differences, of_leaves

_NETWORKS = {"shared": ("c1", "c2"), "apart": ("c3",)}
_PRIMARIES = {"c2": "c1"}
SHAPE = Shape(3, networks={"shared": _NETWORKS["shared"]})
OURS, CONTROL = "this package", "istioctl"

EXPLAINED: tuple[tuple[str, str], ...] = ()
"""Tests that may come out otherwise than on the control: a pattern of their names, and the reason."""


def main() -> None:
    """Print the table; exit code 1 if a test passes on the control only, and nothing explains it."""
    arguments = _arguments()
    progress, console = Progress(), Console(width=120)
    groups = [istio_suite.SLICE] if arguments.slice else list(istio_suite.GROUPS)
    if arguments.tests:
        groups = [Group("chosen tests", arguments.tests, arguments.minutes)]
    meshes = [OURS] if arguments.slice else [arguments.mesh] if arguments.mesh else [OURS, CONTROL]
    try:
        check_built()
        found = {mesh: judge(mesh, groups, arguments.mtls, progress) for mesh in meshes}
    except LabError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    told = differences(found[OURS], found[CONTROL], EXPLAINED) if len(meshes) > 1 else []
    console.print(table(found))
    _print_differences(told, console)
    _print_failures(found, console)
    for left_out in sorted({g.without_where_strict for g in groups if arguments.mtls == "strict"} - {""}):
        console.print(f"\nLeft out, because they call in plaintext: {left_out}", markup=False, soft_wrap=True)
    alone = len(meshes) == 1
    sys.exit(any(d.is_worse for d in told) or (alone and not all_passed(found[meshes[0]])))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.conformance", description=__doc__)
    parser.add_argument("--slice", action="store_true", help="a few tests, on this package's mesh only (3 min)")
    parser.add_argument("--mtls", choices=("strict", "permissive"), default="strict", help="of both meshes")
    parser.add_argument("--mesh", choices=(OURS, CONTROL), help="one of the two only")
    parser.add_argument("--tests", metavar="PATTERN", help="these tests instead, as `go test -run` takes them")
    parser.add_argument("--minutes", type=int, default=10, help="time limit of --tests (default 10)")
    return parser.parse_args()


def check_built() -> None:
    """Raise LabError where the suite, or what makes one of the meshes, isn't built."""
    if missing := [program for build in unbuilt(PURPOSES["conformance"]) for program in build.missing]:
        raise LabError(f"not built yet: {', '.join(missing)}: run `python -m lab build --for conformance`")


def judge(mesh: str, groups: Sequence[Group], mtls: str, progress: Progress) -> Results:
    """Return what the suite says of one of the meshes, made on new clusters, which are taken down again.

    Raises LabError where a lab is up already, and when the mesh can't be made or the suite can't begin.
    """
    if known_shape():
        raise LabError("a lab is up, and both meshes need new clusters: `python -m lab down` first")
    up(SHAPE, progress)
    try:
        clusters = {name: Cluster(name) for name in SHAPE.names}
        with progress.step(f"a mesh by {mesh}, {mtls} mTLS", usually=60):
            _MAKERS[mesh](clusters, mtls)
        return run_suite(clusters, groups, mtls, cache() / "conformance" / mesh.replace(" ", "-"), progress)
    finally:
        down(progress)


def run_suite(
    clusters: dict[str, Cluster], groups: Sequence[Group], mtls: str, folder: Path, progress: Progress
) -> dict[str, str]:
    """Return the results of groups of the suite on a mesh that is there, one group after the other."""
    with progress.step("the suite's image, and an ingress gateway in each cluster", usually=15):
        load_echo(list(clusters))
        with ThreadPoolExecutor() as pool:
            list(pool.map(helm.install_ingress, clusters.values()))
    members = [
        Member(clusters[name], network, _PRIMARIES.get(name, ""))
        for network, names in _NETWORKS.items()
        for name in names
    ]
    shutil.rmtree(folder, ignore_errors=True)
    results: dict[str, str] = {}
    for group in groups:
        with progress.step(f"{group.name}, at most {group.minutes} min", speaks=True):
            results |= istio_suite.run(group, members, mtls, folder, progress)
    return results


def all_passed(results: Results) -> bool:
    """Return whether something passed, and nothing failed or was cut off."""
    kinds = set(of_leaves(results).values())
    return PASSED in kinds and kinds <= {PASSED, SKIPPED}


def facts(mtls: str) -> dict[str, object]:
    """Return what the example's mesh.yaml says otherwise for this shape."""
    clusters: dict[str, dict[str, str]] = {
        name: {"network": network} for network, names in _NETWORKS.items() for name in names
    }
    for name, primary in _PRIMARIES.items():
        clusters[name]["primary"] = primary
    return {"clusters": clusters, "mtls": mtls}


def _make_ours(clusters: dict[str, Cluster], mtls: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / EXAMPLE.name
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__"))
        tree = yaml.safe_load((folder / "mesh.yaml").read_text())
        (folder / "mesh.yaml").write_text(yaml.safe_dump({**tree, **facts(mtls)}))
        stack = Stack(folder, "conformance")
        stack.configure(clusters.values())
        stack.up()


def _make_control(clusters: dict[str, Cluster], mtls: str) -> None:
    networks = {network: [clusters[name] for name in names] for network, names in _NETWORKS.items()}
    istioctl.install_over_networks(networks, mtls=mtls)


_MAKERS: dict[str, Callable[[dict[str, Cluster], str], None]] = {OURS: _make_ours, CONTROL: _make_control}


def table(found: dict[str, Results]) -> Table:
    """Return how many tests of each row passed, failed, were skipped or cut off, mesh beside mesh."""
    rows = {mesh: counted(results) for mesh, results in found.items()}
    made = Table(title="Istio's own integration suite")
    made.add_column("tests")
    for mesh in found:
        for result in RESULTS:
            made.add_column(f"{mesh}\n{result}", justify="right")
    for row in dict.fromkeys(row for of_mesh in rows.values() for row in of_mesh):
        counts = [rows[mesh].get(row, Counter())[result] for mesh in found for result in RESULTS]
        made.add_row(row, *(str(count or "") for count in counts))
    sums = [sum(counter[result] for counter in rows[mesh].values()) for mesh in found for result in RESULTS]
    made.add_section()
    made.add_row("all", *(str(count) for count in sums))
    return made


def _print_differences(told: Sequence[Difference], console: Console) -> None:
    if told:
        console.print(f"\nDifferent on the two meshes: {len(told)}")
    for difference in told:
        verdict = "WORSE" if difference.is_worse else difference.reason or "not worse"
        console.print(
            f"  {difference.test}: {difference.ours}, {CONTROL}: {difference.control} ({verdict})",
            markup=False, soft_wrap=True,
        )  # fmt: skip


def _print_failures(found: dict[str, Results], console: Console) -> None:
    """Name what failed on each mesh that was made: on both, it is the lab or the suite, not one of the meshes."""
    failed = [{test for test, result in of_leaves(results).items() if result == FAILED} for results in found.values()]
    together = sorted(set.intersection(*failed))
    if together:
        console.print(f"\nFailed on {' and '.join(found)}: {len(together)}")
    for test in together:
        console.print(f"  {test}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
