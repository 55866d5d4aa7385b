"""The message about a machine that can't run the lab. What this very machine has is not this test's business."""

import pytest

from lab import machine
from lab.errors import LabError
from lab.programs import FOR_DEMO


def test_the_probe_says_everything_that_is_missing_at_once(monkeypatch):
    checks = ("_system", "_control_groups", "_kernel", "_python_packages", "_debian_packages")
    for check in checks:
        monkeypatch.setattr(machine, check, lambda check=check: [f"{check}: nothing"])
    monkeypatch.setattr(machine, "unbuilt", list)
    monkeypatch.setattr(machine, "_memory", lambda clusters, builds: [f"memory for {clusters}"])
    monkeypatch.setattr(machine, "_disk", lambda builds: ["disk"])
    monkeypatch.setattr(machine, "_go", lambda builds: [f"go for {len(builds)}"])
    monkeypatch.setattr(machine, "_wide_area_is_free", lambda: [])
    with pytest.raises(LabError) as raised:
        machine.probe(3, FOR_DEMO)
    lines = str(raised.value).splitlines()
    assert lines[0] == "this machine can't run the lab: 8 things are missing"
    assert sorted(lines[1:]) == sorted(
        ["  - memory for 3", "  - disk", f"  - go for {len(FOR_DEMO)}", *(f"  - {check}: nothing" for check in checks)]
    )


def test_a_network_of_this_machine_on_the_labs_addresses_is_a_problem():
    assert machine._destination("172.31.16.0/20 dev eth0 proto kernel").overlaps(machine.addresses.WIDE_AREA)
    assert machine._destination("default via 192.0.2.1") is None
