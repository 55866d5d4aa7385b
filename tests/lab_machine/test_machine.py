"""The message about a machine that can't run the lab. What this very machine has is not this test's business."""

import pytest

from lab import machine
from lab.errors import LabError
from lab.programs import BUILDS


def test_the_probe_says_everything_that_is_missing_at_once(monkeypatch):
    checks = ("_system", "_control_groups", "_kernel", "_disk", "_python_packages", "_debian_packages", "_go")
    for check in checks:
        monkeypatch.setattr(machine, check, lambda check=check: [f"{check}: nothing"])
    monkeypatch.setattr(machine, "_memory", lambda clusters: [f"memory for {clusters}"])
    monkeypatch.setattr(machine, "_wide_area_is_free", lambda: [])
    with pytest.raises(LabError) as raised:
        machine.probe(3)
    lines = str(raised.value).splitlines()
    assert lines[0] == "this machine can't run the lab: 8 things are missing"
    assert sorted(lines[1:]) == sorted(["  - memory for 3", *(f"  - {check}: nothing" for check in checks)])


def test_a_network_of_this_machine_on_the_labs_addresses_is_a_problem():
    assert machine._destination("172.31.16.0/20 dev eth0 proto kernel").overlaps(machine.addresses.WIDE_AREA)
    assert machine._destination("default via 192.0.2.1") is None


def test_programs_are_kept_apart_by_what_they_are_built_from():
    outputs = [build.output for build in BUILDS]
    assert len(set(outputs)) == len(outputs)


def test_no_program_is_built_twice():
    programs = [program for build in BUILDS for program in build.programs]
    assert len(set(programs)) == len(programs)
