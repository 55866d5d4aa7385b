"""What proves a mesh, as it is registered: who has gates, what makes them run again, and what their pods may."""

from __future__ import annotations

from typing import Any

import pytest

from ..builders import TOKEN
from .meshes import FLAT, SERVED_APART, Program, a_program, on_made_clusters
from .recorder import Recording, is_secret, record, revealed

THREE: dict[str, dict[str, Any]] = {"east": {}, "west": {}, "plant": {}}


def proved(**changes: Any) -> Recording:
    return record(a_program(**{"clusters": THREE, **changes}))


def jobs(recording: Recording) -> dict[str, Any]:
    """The pod template of each gate."""
    return {row.name: revealed(row.inputs)["spec"]["template"] for row in recording if row.short.startswith("Job ")}


def environment(template: dict[str, Any]) -> dict[str, str]:
    (container,) = template["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"]}


def changed(before: Recording, after: Recording) -> set[str]:
    """The gates that run again: a Job's pod template can't be changed, so another one replaces it."""
    old, new = jobs(before), jobs(after)
    return {name for name in old if new.get(name) != old[name]}


def of_cluster(cluster: str, recording: Recording) -> set[str]:
    """Kinds of what a cluster has for its proof."""
    kinds = {"Verification", "ApiServerGate", "MeshGate", "Job", "Deployment"}
    return {row.short.split()[0] for row in recording if row.name.startswith(f"prod-{cluster}")} & kinds


def dialled(address: str) -> dict[str, Any]:
    """The third cluster at this address for other networks, with a neighbour that needs none."""
    plant = {"network": "lab", "east_west_gateway": {"address": address}}
    return {**THREE, "plant": plant, "depot": {"network": "lab"}}


def test_each_cluster_has_a_probe_and_both_gates() -> None:
    rows = proved()
    for cluster in THREE:
        for name in (f"Deployment prod-{cluster}-probe", f"Job prod-{cluster}-mesh", f"Job prod-{cluster}-api-servers"):
            assert name in rows


def test_below_traffic_there_is_no_probe_and_the_gate_has_no_proxy() -> None:
    rows = proved(verify={"level": "discovery"})
    assert not [row.short for row in rows if "probe" in row.name]
    template = jobs(rows)["prod-east-mesh"]
    assert template["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"
    assert not [key for key in environment(template) if key.startswith("TARGET")]


def test_below_traffic_only_a_cluster_with_an_istiod_has_gates() -> None:
    assert jobs(proved(clusters=SERVED_APART, verify={"level": "discovery"})).keys() == {
        "prod-east-api-servers",
        "prod-east-mesh",
    }
    assert jobs(proved(clusters=SERVED_APART)).keys() == {
        "prod-east-api-servers",
        "prod-east-mesh",
        "prod-west-mesh",
    }


def test_off_leaves_nothing_of_it() -> None:
    rows = proved(verify={"level": "off"})
    for cluster in THREE:
        assert of_cluster(cluster, rows) == set()
    assert not [row.short for row in rows if any(part in row.name for part in ("verify", "probe", "replicas"))]
    assert rows["Secret prod-east-remote-west"].after == (
        "Chart prod-west-east-west",
        "Namespace prod-east-namespace",
        "Secret prod-west-reader-token",
        "Service prod-west-east-west",
    )


def test_a_cluster_that_runs_nothing_is_no_target_of_others() -> None:
    rows = proved(clusters={**THREE, "plant": {"verify": False}})
    assert of_cluster("plant", rows) == set()
    found = environment(jobs(rows)["prod-east-mesh"])
    targets = [value for key, value in found.items() if key.startswith("TARGET")]
    assert [target.split("|")[0] for target in targets] == ["east", "west"]
    # It is still to be discovered.
    assert found["REMOTES"] == "plant west"


def test_a_gateways_address_runs_the_gates_that_dial_it_and_no_others() -> None:
    before, after = proved(clusters=dialled("203.0.113.1")), proved(clusters=dialled("203.0.113.2"))
    assert changed(before, after) == {"prod-east-mesh", "prod-west-mesh"}


def test_the_same_facts_run_no_gate() -> None:
    once, again = proved(), proved()
    gates = [row.short for row in once if row.short.startswith("Job ")]
    assert len(gates) == 2 * len(THREE)
    assert [once[gate].inputs for gate in gates] == [again[gate].inputs for gate in gates]


@pytest.mark.parametrize(
    ("facts", "again"),
    [
        ({"istio_version": "1.31.0"}, {"mesh", "api-servers"}),
        ({"trust": {"roots": [{"issued": "2026-11-23"}], "intermediates": {"days": 700}}}, {"mesh"}),
        ({"trust_domain": "elsewhere.internal"}, {"mesh"}),
        ({"clusters": {**THREE, "depot": {}}}, {"mesh", "api-servers"}),
        ({"mtls": "permissive"}, {"mesh"}),
    ],
    ids=["version", "intermediates", "trust domain", "members", "mTLS"],
)
def test_what_changes_the_proof_runs_it_again(facts: dict[str, Any], again: set[str]) -> None:
    assert changed(proved(), proved(**facts)) == {f"prod-{cluster}-{gate}" for cluster in THREE for gate in again}


def test_renewed_intermediates_run_the_gates_of_the_mesh_again() -> None:
    roots = [{"issued": "2026-01-01"}]
    before = proved(trust={"roots": roots})
    after = proved(trust={"roots": roots, "intermediates": {"issued": "2026-11-22"}})
    assert changed(before, after) == {f"prod-{cluster}-mesh" for cluster in THREE}


@pytest.mark.parametrize("program", [a_program(), on_made_clusters()], ids=["known", "made by the program"])
def test_no_gate_holds_a_secret(program: Program) -> None:
    def secrets_in(value: Any) -> bool:
        if is_secret(value):
            return True
        if isinstance(value, dict):
            return any(map(secrets_in, value.values()))
        return isinstance(value, list) and any(map(secrets_in, value))

    gates = [row for row in record(program) if row.short.startswith("Job ")]
    assert len(gates) == 4
    for row in gates:
        assert not secrets_in(row.inputs), row.short
        said = str(revealed(row.inputs))
        assert not [text for text in (TOKEN, "token of", "PRIVATE KEY") if text in said], row.short


def test_a_peers_api_server_is_dialled_as_istiod_will_dial_it() -> None:
    clusters = {**THREE, "plant": {"api_server": "https://plant.example:6443", "api_server_tls_name": "kubernetes"}}
    found = environment(jobs(proved(clusters=clusters))["prod-east-api-servers"])
    assert found["API_SERVER_0"] == "plant|https://plant.example:6443|kubernetes|Y2E="


def test_clusters_on_one_network_are_called_directly() -> None:
    found = environment(jobs(record(a_program(clusters=FLAT)))["prod-east-mesh"])
    assert [found[f"TARGET_{index}"].split("|")[2] for index in range(2)] == ["direct", "direct"]


def test_what_pods_are_given_reaches_all_of_them() -> None:
    given = {
        "image": "registry.example/proxy@sha256:" + "0" * 64,
        "node_selector": {"pool": "tools"},
        "tolerations": [{"key": "tools", "operator": "Exists"}],
        "requests": {"cpu": "5m"},
    }
    rows = proved(verify=given)
    templates = [*jobs(rows).values(), revealed(rows["Deployment prod-east-probe"].inputs)["spec"]["template"]]
    for template in templates:
        (container,) = template["spec"]["containers"]
        assert container["image"] == given["image"]
        assert container["resources"] == {"requests": given["requests"]}
        assert template["spec"]["nodeSelector"] == given["node_selector"]
        assert template["spec"]["tolerations"] == given["tolerations"]


def test_pods_may_nothing() -> None:
    rows = proved()
    templates = [*jobs(rows).values(), revealed(rows["Deployment prod-east-probe"].inputs)["spec"]["template"]]
    for template in templates:
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        # Not the proxy's own user, whose calls pass the proxy by.
        assert spec["securityContext"]["runAsUser"] != 1337
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
    kinds = {row.short.split()[0] for row in rows}
    assert not kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        ({}, "privileged"),
        ({"values": {"istiod": {"cni": {"enabled": True}}}}, "restricted"),
        ({"verify": {"level": "discovery"}}, "restricted"),
    ],
    ids=["istio-init", "istio-cni", "no proxy"],
)
def test_the_namespace_is_as_strict_as_injection_allows(facts: dict[str, Any], level: str) -> None:
    labels = revealed(proved(**facts)["Namespace prod-east-verify"].inputs)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == level


def test_a_gate_that_is_run_again_is_deleted_first() -> None:
    """Of one name: made first, it would be the old one, pass at once, and be deleted with it."""
    assert all(row.delete_first for row in proved() if row.short.startswith("Job "))


def test_a_gate_that_failed_is_run_again_and_none_runs_for_ever() -> None:
    job = revealed(proved(verify={"timeout_seconds": 30})["Job prod-east-mesh"].inputs)
    assert job["metadata"]["annotations"]["pulumi.com/replaceUnready"] == "true"
    assert job["spec"]["backoffLimit"] == 0
    assert 30 < job["spec"]["activeDeadlineSeconds"] <= 30 + 120
