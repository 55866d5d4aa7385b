"""What runs of Istio's own suite count as, and what makes `make conformance` fail."""

import json

import pytest

from lab import conformance, istio_suite
from lab.programs import BUILDS, FOR_CONFORMANCE, FOR_SLICE, PURPOSES
from lab.suite_results import counted, differences, events, of_leaves, unnumbered
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.rules import problems_in
from pulumi_istio_mesh.topology.load import parse_topology, read_mesh_file

from ..builders import TODAY

RESULTS = {
    "TestTraffic": "failed",
    "TestTraffic/gateway": "failed",
    "TestTraffic/gateway/404": "failed",
    "TestTraffic/gateway/200": "passed",
    "TestTraffic/loop": "passed",
    "TestMirroring": "failed",
    "TestMirroring/some": "passed",
    "TestLocality": "skipped",
}


def test_lines_of_test2json_become_results_and_what_was_said():
    lines = [
        {"Action": "start", "Package": "pilot"},
        {"Action": "run", "Test": "TestA"},
        {"Action": "output", "Test": "TestA", "Output": "=== RUN   TestA\n"},
        {"Action": "output", "Output": "a line of the suite's own\n"},
        {"Action": "pass", "Test": "TestA", "Elapsed": 1},
    ]
    found = [(event.test, event.result, event.output) for event in events(map(json.dumps, lines))]
    assert found == [
        ("TestA", "unfinished", ""),
        ("TestA", "", "=== RUN   TestA\n"),
        ("", "", "a line of the suite's own\n"),
        ("TestA", "passed", ""),
    ]


def test_a_test_counts_once_and_in_its_row():
    assert counted(RESULTS) == {
        "TestTraffic/gateway": {"failed": 1, "passed": 1},
        "TestTraffic/loop": {"passed": 1},
        "TestMirroring": {"failed": 1, "passed": 1},
        "TestLocality": {"skipped": 1},
    }


def test_the_number_of_a_runs_namespace_is_no_part_of_a_tests_name():
    one = {"TestTraffic/host/headless.echo-1-12345.svc:12345/http": "passed", "Test/a-1-22": "passed"}
    other = {"TestTraffic/host/headless.echo-2-99.svc:12345/http": "passed", "Test/a-1-22": "passed"}
    assert unnumbered(one) == unnumbered(other)
    assert "TestTraffic/host/headless.echo.svc:12345/http" in unnumbered(one)


def test_a_failure_outside_the_tests_within_a_test_is_not_lost():
    assert of_leaves(RESULTS)["TestMirroring"] == "failed"


@pytest.mark.parametrize(
    ("ours", "control", "is_worse"),
    [
        ({"T": "failed"}, {"T": "passed"}, True),
        ({"T": "skipped"}, {"T": "passed"}, True),
        ({"T": "unfinished"}, {"T": "passed"}, True),
        ({}, {"T": "passed"}, True),
        ({"T": "passed"}, {"T": "failed"}, False),
        ({"T": "failed"}, {"T": "skipped"}, False),
    ],
)
def test_what_passes_on_the_control_must_pass_on_ours(ours, control, is_worse):
    (difference,) = differences(ours, control, [])
    assert difference.is_worse == is_worse


def test_the_same_result_is_no_difference():
    assert not differences({"T": "failed"}, {"T": "failed"}, [])


def test_an_explained_difference_carries_its_reason_and_is_not_worse():
    (difference,) = differences({"T/a": "failed"}, {"T/a": "passed"}, [("T/.*", "known")])
    assert (difference.reason, difference.is_worse) == ("known", False)


def test_differences_that_nothing_explains_come_first():
    told = differences({"A": "failed", "B": "failed"}, {"A": "passed", "B": "passed"}, [("A", "known")])
    assert [difference.test for difference in told] == ["B", "A"]


def test_a_run_in_which_nothing_passed_is_no_pass():
    assert conformance.all_passed({"A": "passed", "B": "skipped"})
    assert not conformance.all_passed({"B": "skipped"})
    assert not conformance.all_passed({"A": "passed", "B": "unfinished"})


@pytest.mark.parametrize(
    ("flags", "left"),
    [
        (["--resume"], {"services.json", "chosen-tests.json"}),
        (["--group", "services"], {"chosen-tests.json"}),
        (["--resume", "--tests", "^TestA$"], {"services.json"}),
    ],
)
def test_a_run_forgets_the_results_of_what_it_asks_anew_and_no_others(flags, left, tmp_path, monkeypatch):
    folder = tmp_path / "conformance" / "two-networks" / "istioctl"
    folder.mkdir(parents=True)
    for name in ("services.json", "chosen-tests.json"):
        (folder / name).write_text("{}")
    monkeypatch.setattr(conformance, "cache", lambda: tmp_path)
    monkeypatch.setattr(conformance, "check_built", lambda: None)
    monkeypatch.setattr(conformance, "judge", lambda *_: {"TestA": "passed"})
    monkeypatch.setattr(conformance.signal, "signal", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["conformance", "--trial", "two networks", "--mesh", "istioctl", *flags])
    with pytest.raises(SystemExit) as ended:
        conformance.main()
    assert not ended.value.code
    assert {file.name for file in folder.iterdir()} == left


@pytest.mark.parametrize("trial", conformance.TRIALS.values(), ids=conformance.TRIALS)
def test_the_mesh_that_is_judged_has_the_shape_and_the_mode_that_the_control_has(trial):
    (example,) = read_mesh_file(conformance.EXAMPLE / "mesh.yaml").meshes.values()
    topology = parse_topology({**example, **conformance.facts(trial)})
    assert not problems_in(topology, TODAY)
    clusters = {cluster.name: (cluster.network, cluster.primary) for cluster in plan_mesh(topology).clusters}
    assert clusters == {name: (network, members[0]) for network, members in trial.networks.items() for name in members}
    assert topology.mtls == trial.mtls


def test_two_networks_are_those_of_istios_own_multicluster_tests():
    assert conformance.TRIALS["two networks"].networks == {"shared": ("c1", "c2"), "apart": ("c3",)}


def test_each_suite_that_a_trial_asks_is_built():
    built = {package for build in FOR_CONFORMANCE if build.tests for package in build.packages}
    asked = {group.suite for trial in conformance.TRIALS.values() for group in trial.groups}
    assert built == {f"istio.io/istio/tests/integration/{suite}" for suite in asked}


def test_the_suite_is_told_who_serves_whom_on_which_network():
    class AClusterOfTheLab:
        name, kubeconfig_path = "c2", "/lab/c2.kubeconfig"

    (told,) = json.loads(istio_suite.topology([istio_suite.Member(AClusterOfTheLab(), "shared", "c1")]))
    assert told == {
        "kind": "Kubernetes",
        "clusterName": "c2",
        "network": "shared",
        "primaryClusterName": "c1",
        "meta": {"kubeconfig": "/lab/c2.kubeconfig", "fakeVM": False},
    }


def test_a_demo_builds_nothing_of_the_suite_and_the_tests_only_what_they_ask():
    assert not set(PURPOSES["demo"]) & set(FOR_CONFORMANCE)
    assert set(PURPOSES["everything"]) & set(FOR_CONFORMANCE) == set(FOR_SLICE)


def test_the_suite_is_of_the_istio_that_the_lab_runs():
    pinned = {
        build.source.joinpath("go.mod").read_text().split("istio.io/istio ")[1].split()[0]
        for build in [*BUILDS, *FOR_CONFORMANCE]
        if "istio.io/istio" in build.source.joinpath("go.mod").read_text()
    }
    assert len(pinned) == 1
