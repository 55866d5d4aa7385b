"""Which programs are built for which purpose, and that nothing is asked for that a purpose doesn't need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from lab import build, programs
from lab.errors import LabError
from lab.lifecycle import up
from lab.programs import BUILDS, FOR_CLUSTERS, FOR_CONFORMANCE, FOR_DEMO, FOR_IMAGES, FOR_STACKS, FOR_TESTS, GoBuild
from lab.progress import Progress
from lab.shape import Shape


@pytest.fixture(autouse=True)
def an_empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is built, on PATH or up."""
    monkeypatch.setenv("PULUMI_ISTIO_MESH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ISTIO_MESH_LAB_DIR", str(tmp_path / "lab"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def named(builds: Iterable[GoBuild]) -> set[str]:
    return {program for build in builds for program in build.programs}


def write(build: GoBuild) -> None:
    """What a compiler leaves, without the compiler."""
    build.output.mkdir(parents=True, exist_ok=True)
    for program in build.programs:
        (build.output / program).touch()


def test_programs_are_kept_apart_by_what_they_are_built_from():
    outputs = [build.output for build in BUILDS]
    assert len(set(outputs)) == len(outputs)


def test_no_program_is_built_twice():
    built = [program for build in BUILDS for program in build.programs]
    assert len(set(built)) == len(built)


def test_every_program_is_needed_by_exactly_one():
    declared = [value for value in vars(programs).values() if isinstance(value, GoBuild)]
    assert Counter(FOR_CLUSTERS + FOR_IMAGES + FOR_STACKS + FOR_TESTS + FOR_CONFORMANCE) == Counter(declared)


def test_a_demo_needs_no_other_language_and_no_other_installer():
    kubernetes = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"}
    in_images = {"pause", "pilot-discovery", "pilot-agent"}
    assert named(FOR_DEMO) == kubernetes | in_images | {"pulumi", "pulumi-resource-kubernetes"}
    assert named(FOR_TESTS) == {"pulumi-language-nodejs", "pulumi-language-yaml", "istioctl", "helm"}


def test_what_is_not_asked_for_is_not_built(monkeypatch):
    monkeypatch.setattr(build, "_compile", write)
    build.build_programs(FOR_DEMO, Progress())
    assert {link.name for link in build.programs_folder().iterdir()} == named(FOR_DEMO)


def test_what_was_built_for_more_stays_at_hand(monkeypatch):
    monkeypatch.setattr(build, "_compile", write)
    build.build_programs(BUILDS, Progress())
    build.build_programs(FOR_DEMO, Progress())
    assert {link.name for link in build.programs_folder().iterdir()} == named(BUILDS)


@pytest.mark.parametrize(
    ("shape", "needed"),
    [(Shape(1, nodes=False), named(FOR_CLUSTERS)), (Shape(1), named(FOR_CLUSTERS + FOR_IMAGES))],
    ids=["without nodes", "with nodes"],
)
def test_clusters_ask_for_their_own_programs_only(shape: Shape, needed: set[str]):
    with pytest.raises(LabError) as raised:
        up(shape)
    missing = str(raised.value).removeprefix("not built yet: ").partition(": run")[0].split(", ")
    assert set(missing) == needed | {"images"}


def test_clusters_say_what_is_still_missing_and_nothing_else():
    for one in FOR_CLUSTERS:
        write(one)
    build.programs_folder().mkdir()
    with pytest.raises(LabError) as raised:
        up(Shape(1))
    assert str(raised.value).startswith("not built yet: pilot-discovery, pilot-agent, pause, images: run")
