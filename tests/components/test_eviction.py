"""What a program makes of a cluster that is evicted: what forgets it, and nothing that talks to it."""

from __future__ import annotations

import json

from .meshes import a_program
from .recorder import Recording, record, revealed

THREE = {"east": {}, "west": {}, "plant": {"pod_cidr": "10.8.0.0/14"}}


def evicted(*names: str) -> Recording:
    return record(a_program(clusters=THREE, evicted=list(names)))


def test_of_an_evicted_cluster_its_place_and_its_provider_are_left() -> None:
    left = {row.short for row in evicted("plant") if row.name.startswith("prod-plant")}
    assert left == {"MeshCluster prod-plant", "kubernetes prod-plant"}


def test_its_provider_dials_nobody_and_takes_its_objects_for_gone() -> None:
    provider = revealed(evicted("plant")["kubernetes prod-plant"].inputs)
    kubeconfig = json.loads(provider["kubeconfig"])
    assert "clusters" not in kubeconfig and "users" not in kubeconfig
    assert str(provider["deleteUnreachable"]).lower() == "true"
    # With another one the provider would be another provider, and the objects of the old one nobody's.
    assert provider["clusterIdentifier"] == "plant"


def test_its_provider_stands_where_the_clusters_own_one_stood() -> None:
    def place(recording: Recording) -> list[str]:
        return recording.ancestors("kubernetes prod-plant")

    assert place(evicted("plant")) == place(record(a_program(clusters=THREE)))


def test_its_credential_is_emptied_in_the_others_and_no_istiod_looks_at_it() -> None:
    recording = evicted("plant")
    for reader in ("east", "west"):
        secret = revealed(recording[f"Secret prod-{reader}-remote-plant"].inputs)
        assert not secret.get("stringData")
        assert "labels" not in secret["metadata"]
        assert secret["metadata"]["name"] == "istio-remote-secret-plant"


def test_the_gates_of_the_others_wait_for_that() -> None:
    recording = evicted("plant")
    for reader in ("east", "west"):
        assert f"Secret prod-{reader}-remote-plant" in recording[f"Job prod-{reader}-mesh"].after


def test_the_others_keep_their_gateways_for_it_to_come_back_to() -> None:
    assert "EastWestGateway prod-east" in record(a_program(clusters={"east": {}, "plant": {}}, evicted=["plant"]))


def test_no_kubeconfig_is_asked_for() -> None:
    args = {"east": {}, "plant": {"kubeconfig": None}}
    assert "MeshCluster prod-plant" in record(a_program(clusters=args, evicted=["plant"]))
