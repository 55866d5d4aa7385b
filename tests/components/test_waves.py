"""Clusters in waves: what could break calls in one is not touched before calls are proved after the one before."""

from __future__ import annotations

from typing import Any

import pytest

from .meshes import a_program
from .recorder import Recording, record, revealed

FOUR: dict[str, dict[str, Any]] = {
    "a": {"network": "vpc", "pod_cidr": "10.8.0.0/14"},
    "b": {"network": "vpc", "pod_cidr": "10.12.0.0/14", "primary": "a"},
    "c": {},
    "d": {"primary": "c"},
}
WAVES = [["a", "b"], ["c"]]
"""And d last."""


def in_waves() -> Recording:
    return record(a_program(clusters=FOUR, waves=WAVES))


def place(recording: Recording, short: str) -> int:
    return [row.short for row in recording].index(short)


@pytest.mark.parametrize("prover", FOUR)
def test_a_primary_is_touched_once_every_cluster_has_proved_the_wave_before(prover: str) -> None:
    recording = in_waves()
    gate = place(recording, f"Job prod-{prover}-wave-1")
    for touched in ("Release prod-c-crds", "Chart prod-c-istiod", "Chart prod-c-east-west"):
        assert gate < place(recording, touched), touched


def test_a_gateway_of_a_remote_comes_with_its_wave() -> None:
    recording = in_waves()
    assert place(recording, "Job prod-a-wave-2") < place(recording, "Chart prod-d-east-west")


def test_a_wave_is_proved_once_all_of_it_is_changed() -> None:
    waited = set(in_waves()["Job prod-c-wave-1"].after)
    assert waited >= {"PeerAuthentication prod-a-mtls", "Chart prod-a-east-west", "Chart prod-b-east-west"}
    assert not {name for name in waited if name.startswith("Chart prod-c")}


def test_a_wave_is_held_to_what_was_proved_before_it() -> None:
    recording = in_waves()
    containers = revealed(recording["Job prod-c-wave-1"].inputs)["spec"]["template"]["spec"]["containers"]
    environment = {entry["name"]: entry for entry in containers[0]["env"]}
    reference = environment["BEFORE"]["valueFrom"]["configMapKeyRef"]
    proved = revealed(recording["ConfigMap prod-c-proved"].inputs)
    assert (reference["name"], reference["optional"]) == (proved["metadata"]["name"], True)
    assert proved["data"] == {reference["key"]: "a b c d"}
    assert "Job prod-c-mesh" in recording["ConfigMap prod-c-proved"].after


def test_without_waves_nothing_of_it_is_there() -> None:
    assert not [row.short for row in record(a_program(clusters=FOUR)) if "wave" in row.name or "proved" in row.name]


def test_a_wave_runs_its_gates_again_when_what_it_changes_changes() -> None:
    def proves(**changes: Any) -> Any:
        job = revealed(record(a_program(clusters=FOUR, waves=WAVES, **changes))["Job prod-c-wave-1"].inputs)
        return job["spec"]["template"]["metadata"]["annotations"]["istio-mesh/proves"]

    assert proves() == proves()
    assert proves(istio_version="1.31.0") != proves()
    assert proves(values={"istiod": {"autoscaleMin": 2}}) != proves()


def test_a_preview_shows_all_of_it() -> None:
    preview = record(a_program(clusters=FOUR, waves=WAVES), preview=True)
    assert {row.short for row in preview} == {row.short for row in in_waves()}
