"""`make conformance`: Istio's own integration suite judges a mesh of this package, and one that istioctl made.

Both meshes are of one shape, on clusters that are made anew for each, and then of the next one. What passes on
istioctl's mesh must pass on this package's.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from lab import helm, images, istio_suite, istioctl, trust_files
from lab.build import unbuilt
from lab.cluster import Cluster
from lab.demo import EXAMPLE
from lab.errors import LabError
from lab.istio_suite import Group, Member
from lab.lifecycle import down, known_shape, up
from lab.paths import cache
from lab.programs import PURPOSES
from lab.progress import Progress
from lab.shape import Shape
from lab.stack import Stack, copied
from lab.suite_results import (
    FAILED,
    PASSED,
    SKIPPED,
    Difference,
    Results,
    counted,
    differences,
    in_words,
    of_leaves,
    unnumbered,
)


@dataclass(frozen=True)
class Trial:
    """A mesh that is made twice, and what the suite asks it."""

    networks: Mapping[str, tuple[str, ...]]
    """Their clusters, of which the first has an istiod that serves the others."""
    groups: tuple[Group, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """What its istiods are told, besides what every trial needs."""
    of_its_authority: bool = False
    """Whether the suite's own authority signs in all clusters, instead of those that each mesh has by itself."""
    gateway_api: bool = False
    """Whether the clusters have its CRDs.

    With them `istioctl analyze` waits for ever where it looks by remote secrets: their readers may not list routes.
    """
    verified: bool = True
    """Whether this package's gates call between the clusters: where only what is exported is called, they can't."""
    mtls: str = "strict"

    @property
    def shape(self) -> Shape:
        """The lab's clusters."""
        return Shape(3, networks={name: members for name, members in self.networks.items() if len(members) > 1})

    @property
    def primaries(self) -> dict[str, str]:
        """The clusters without an istiod of their own, and whose serves them."""
        return {remote: first for first, *remotes in self.networks.values() for remote in remotes}

    @property
    def istiod(self) -> dict[str, Any]:
        """What suites ask of an installation that they make themselves, as values of Istio's chart.

        Source: istio/istio tests/integration, base.yaml, security/main_test.go and pilot/mcs/*/*_test.go.
        """
        env = {
            "PILOT_REMOTE_CLUSTER_TIMEOUT": "15s",
            "PILOT_ENABLE_ALPHA_GATEWAY_API": "true",
            "PILOT_JWT_ENABLE_REMOTE_JWKS": "true",
            "PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS": "true",
        }
        return {
            "env": {**env, **self.env},
            "meshConfig": {"defaultConfig": {"gatewayTopology": {"numTrustedProxies": 1}}},
            # Nodes of the lab have two cores, and the suite's pods a proxy each.
            "global": {"proxy": {"resources": {"requests": {"cpu": "10m", "memory": "40Mi"}}}},
        }


_TWO = {"shared": ("c1", "c2"), "apart": ("c3",)}
TRIALS = {
    "two networks": Trial(_TWO, istio_suite.STRICT),
    "two networks, permissive": Trial(
        _TWO, istio_suite.PERMISSIVE, of_its_authority=True, gateway_api=True, mtls="permissive"
    ),
    "one network": Trial({"shared": ("c1", "c2", "c3")}, (istio_suite.ACROSS, istio_suite.SERVICES)),
    "three networks": Trial(
        {f"of-{name}": (name,) for name in ("c1", "c2", "c3")},
        (istio_suite.ACROSS, istio_suite.SERVICES, istio_suite.EXPORTS),
        {"ENABLE_MCS_AUTO_EXPORT": "true"},
    ),
    "exported only": Trial(
        _TWO,
        (istio_suite.EXPORTED,),
        {"ENABLE_MCS_SERVICE_DISCOVERY": "true", "ENABLE_MCS_HOST": "true", "ENABLE_MCS_CLUSTER_LOCAL": "true"},
        verified=False,
    ),
}
"""The first has the shape of Istio's own multicluster tests: a primary, a remote on its network, a primary apart."""
OURS, CONTROL = "this package", "istioctl"

EXPLAINED: tuple[tuple[str, str], ...] = ()
"""Tests that may come out otherwise than on the control: a pattern of their names, and the reason."""


def main() -> None:
    """Print a table for each trial; exit code 1 if a test passes on the control only, and nothing explains it."""
    arguments = _arguments()
    progress, console = Progress(), Console(width=120)
    # Two hours are often ended by somebody: then, too, no lab and no suite are left.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit("ended: --resume goes on from here"))
    meshes = [arguments.mesh] if arguments.mesh else [OURS, CONTROL]
    is_right = True
    try:
        check_built()
        for name in arguments.trial or TRIALS:
            trial = _asked(TRIALS[name], arguments)
            # Other tests may have been chosen before, so those are always asked.
            if not arguments.resume or arguments.tests:
                for mesh in meshes:
                    for group in trial.groups:
                        _results(_kept(name, mesh), group).unlink(missing_ok=True)
            found = {mesh: judge(mesh, name, trial, progress) for mesh in meshes}
            is_right &= _report(name, found, console)
    except LabError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    sys.exit(not is_right)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.conformance", description=__doc__)
    parser.add_argument("--trial", action="append", choices=list(TRIALS), help="one of them only; may be repeated")
    parser.add_argument("--group", action="append", metavar="NAME", help="these groups of its tests only")
    parser.add_argument("--resume", action="store_true", help="without what has results from a run that was ended")
    parser.add_argument("--mesh", choices=(OURS, CONTROL), help="one of the two only")
    parser.add_argument("--tests", metavar="PATTERN", help="these tests instead, as `go test -run` takes them")
    parser.add_argument("--suite", default="pilot", help="the folder of tests/integration that --tests is about")
    parser.add_argument("--minutes", type=int, default=10, help="time limit of --tests (default 10)")
    return parser.parse_args()


def _asked(trial: Trial, arguments: argparse.Namespace) -> Trial:
    """The trial with the groups that the command line chose."""
    if arguments.tests:
        return replace(
            trial, groups=(Group("chosen tests", arguments.tests, arguments.minutes, suite=arguments.suite),)
        )
    named = [group for group in trial.groups if group.name in (arguments.group or [group.name])]
    if not named:
        known = ", ".join(group.name for group in trial.groups)
        raise LabError(f"--group {' '.join(arguments.group)}: this trial has {known}")
    return replace(trial, groups=tuple(named))


def check_built() -> None:
    """Raise LabError where the suite, or what makes one of the meshes, isn't built."""
    if missing := [program for build in unbuilt(PURPOSES["conformance"]) for program in build.missing]:
        raise LabError(f"not built yet: {', '.join(missing)}: run `python -m lab build --for conformance`")


def _kept(trial: str, mesh: str) -> Path:
    """Where results are kept, and all that was printed."""
    return cache() / "conformance" / trial.replace(",", "").replace(" ", "-") / mesh.replace(" ", "-")


def _results(folder: Path, group: Group) -> Path:
    """Where those of a group are kept."""
    return folder / f"{group.file}.json"


def judge(mesh: str, name: str, trial: Trial, progress: Progress) -> Results:
    """Return what the suite says of one of the meshes, made on new clusters, which are taken down again.

    Groups of which there are results already are not asked again. Raises LabError where a lab is up already, and when
    the mesh can't be made or the suite can't begin.
    """
    folder = _kept(name, mesh)
    if all(_results(folder, group).exists() for group in trial.groups):
        return ask((), trial.groups, folder, progress)
    if known_shape():
        raise LabError("a lab is up, and both meshes need new clusters: `python -m lab down` first")
    up(trial.shape, progress)
    try:
        clusters = {name: Cluster(name) for name in trial.shape.names}
        with progress.step(f"{name}: a mesh by {mesh}, {trial.mtls} mTLS", usually=60):
            _MAKERS[mesh](clusters, trial)
        with progress.step("the suite's images, an ingress and an egress gateway in each cluster", usually=20):
            _prepare(clusters, gateway_api=trial.gateway_api)
        members = [
            Member(clusters[member], network, trial.primaries.get(member, ""))
            for network, of_network in trial.networks.items()
            for member in of_network
        ]
        return ask(members, trial.groups, folder, progress)
    finally:
        down(progress)


_IF_NOT_PRESENT = (
    "object.spec.containers.map(c, JSONPatch{op: 'add', value: 'IfNotPresent', "
    "path: '/spec/containers/' + string(object.spec.containers.indexOf(c)) + '/imagePullPolicy'})"
)
_NEVER_PULL = yaml.safe_dump_all(
    [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": "images-are-here"},
            "spec": {
                "matchConstraints": {
                    "resourceRules": [
                        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
                    ]
                },
                "reinvocationPolicy": "IfNeeded",
                "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": _IF_NOT_PRESENT}}],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": "images-are-here"},
            "spec": {"policyName": "images-are-here"},
        },
    ]
)
"""Manifests of the suite have images pulled always, and the lab has no registry."""


def _prepare(clusters: Mapping[str, Cluster], *, gateway_api: bool) -> None:
    """Give the clusters what the suite expects beside a mesh."""
    images.load_echo(list(clusters))
    images.load_authorities(list(clusters))
    with ThreadPoolExecutor() as pool:
        list(pool.map(helm.install_gateways, clusters.values()))
    crds = istio_suite.gateway_api() if gateway_api else None
    for cluster in clusters.values():
        cluster.kubectl("apply", "-f", "-", stdin=_NEVER_PULL)
        if crds:
            cluster.kubectl("apply", "--server-side", "-f", str(crds))


def ask(members: Sequence[Member], groups: Sequence[Group], folder: Path, progress: Progress) -> Results:
    """Return the results of groups of the suite on a mesh that is there, one group after the other.

    `folder` keeps what was printed, and each group's results: a group that has any there isn't asked again.
    """
    results: dict[str, str] = {}
    for group in groups:
        kept = _results(folder, group)
        if not kept.exists():
            with progress.step(f"{group.name}, at most {group.minutes} min", speaks=True):
                found = istio_suite.run(group, members, folder, progress)
            kept.write_text(json.dumps(found, indent=1))
        results |= unnumbered(json.loads(kept.read_text()))
    return results


def all_passed(results: Results) -> bool:
    """Return whether something passed, and nothing failed or was cut off."""
    kinds = set(of_leaves(results).values())
    return PASSED in kinds and kinds <= {PASSED, SKIPPED}


def facts(trial: Trial) -> dict[str, object]:
    """Return what the example's mesh.yaml says otherwise for a trial."""
    clusters = {
        name: {"network": network, **({"primary": trial.primaries[name]} if name in trial.primaries else {})}
        for network, names in trial.networks.items()
        for name in names
    }
    said: dict[str, object] = {"clusters": clusters, "mtls": trial.mtls, "values": {"istiod": trial.istiod}}
    if trial.of_its_authority:
        aliases = istio_suite.TRUST_DOMAIN_ALIASES
        said |= {"trust": {"kind": "given"}, "trust_domain": "cluster.local", "trust_domain_aliases": aliases}
    if not trial.verified:
        said |= {"verify": {"level": "off"}}
    return said


def _make_ours(clusters: dict[str, Cluster], trial: Trial) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        stack = Stack(copied(EXAMPLE, Path(scratch) / EXAMPLE.name, **facts(trial)), "conformance")
        stack.configure(clusters.values())
        if trial.of_its_authority:
            parts = trust_files.given(istio_suite.its_authority())
            for name in clusters.keys() - trial.primaries:
                stack.give_trust(name, parts)
        stack.up()


def _make_control(clusters: dict[str, Cluster], trial: Trial) -> None:
    networks = {network: [clusters[name] for name in names] for network, names in trial.networks.items()}
    values = trial.istiod
    # As this package's meshes have it, and Istio's own test installations.
    values["meshConfig"]["defaultConfig"]["proxyMetadata"] = {"ISTIO_META_DNS_CAPTURE": "true"}
    authority = None
    if trial.of_its_authority:
        authority = istio_suite.its_authority()
        values["meshConfig"]["trustDomainAliases"] = istio_suite.TRUST_DOMAIN_ALIASES
    istioctl.install_over_networks(networks, mtls=trial.mtls, istiod=values, authority=authority)


_MAKERS: dict[str, Callable[[dict[str, Cluster], Trial], None]] = {OURS: _make_ours, CONTROL: _make_control}


def _report(name: str, found: dict[str, Results], console: Console) -> bool:
    """Print a trial's table and what differs; return whether all is as it should be."""
    told = differences(found[OURS], found[CONTROL], EXPLAINED) if len(found) > 1 else []
    console.print(table(name, found))
    _print_differences(told, console)
    _print_failures(found, console)
    if len(found) > 1:
        return not any(difference.is_worse for difference in told)
    return all(all_passed(results) for results in found.values())


def table(trial: str, found: dict[str, Results]) -> Table:
    """Return how the tests of each row went, mesh beside mesh."""
    rows = {mesh: counted(results) for mesh, results in found.items()}
    made = Table(title=f"Istio's own integration suite: {trial}")
    made.add_column("tests", no_wrap=True)
    for mesh in found:
        made.add_column(mesh)
    for row in dict.fromkeys(row for of_mesh in rows.values() for row in of_mesh):
        made.add_row(row, *(in_words(rows[mesh].get(row, Counter())) for mesh in found))
    made.add_section()
    made.add_row("all", *(in_words(sum(of_mesh.values(), Counter())) for of_mesh in rows.values()))
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
