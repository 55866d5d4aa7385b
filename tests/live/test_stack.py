"""A stack's export as the source of a mesh: topology, credentials and objects, read from what the engine writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pulumi_istio_mesh.live.stack import StackError, _meshes
from pulumi_istio_mesh.rules import problems_in
from pulumi_istio_mesh.topology.load import facts_of, parse_topology

from ..builders import TODAY, TOKEN, a_kubeconfig, mesh_tree

SECRET = "4dabf18193072939515e22adb298388d"
TOPOLOGY = parse_topology(mesh_tree())
STACK = "urn:pulumi:s::p::"
MESH = f"{STACK}istio-mesh:index:Mesh::prod"


def secret(value: Any) -> dict[str, str]:
    return {SECRET: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(value)}


def exported(**changes: Any) -> dict[str, Any]:
    mesh = {"urn": MESH, "type": "istio-mesh:index:Mesh", "outputs": {"topology": facts_of(TOPOLOGY)}, **changes}
    resources = [mesh]
    for cluster in TOPOLOGY.clusters:
        component = f"{STACK}istio-mesh:index:Mesh$istio-mesh:index:MeshCluster::prod-{cluster}"
        provider = f"{STACK}pulumi:providers:kubernetes::prod-{cluster}"
        kubeconfig = secret(a_kubeconfig(f"https://{cluster}.example:6443"))
        inputs = {"kubeconfig": kubeconfig}
        resources += [
            {"urn": component, "type": "istio-mesh:index:MeshCluster", "parent": MESH},
            {"urn": provider, "type": "pulumi:providers:kubernetes", "id": "1", "parent": component, "inputs": inputs},
            {
                "urn": f"{STACK}kubernetes:core/v1:Service::prod-{cluster}-east-west", "parent": component,
                "type": "kubernetes:core/v1:Service", "provider": f"{provider}::1", "inputs": {"kind": "Service"},
            },
        ]  # fmt: skip
    return {"deployment": {"resources": resources}}


def test_a_stack_gives_topology_credentials_servers_and_objects() -> None:
    (mesh,) = _meshes(exported())
    assert mesh.topology == TOPOLOGY
    assert mesh.servers == {cluster: f"https://{cluster}.example:6443" for cluster in TOPOLOGY.clusters}
    assert [(item.cluster, item.name) for item in mesh.objects] == [
        (cluster, f"prod-{cluster}-east-west") for cluster in TOPOLOGY.clusters
    ]


def test_a_kubeconfig_that_cant_be_used_hides_no_other_cluster() -> None:
    state = exported()
    broken = next(one for one in state["deployment"]["resources"] if one["urn"].endswith("kubernetes::prod-east"))
    broken["inputs"] = {"kubeconfig": secret("clusters: []")}
    (mesh,) = _meshes(state)
    assert set(mesh.access) == {"east", "west"}
    assert mesh.servers == {"west": "https://west.example:6443"}


def test_no_credential_is_in_its_words() -> None:
    (mesh,) = _meshes(exported())
    assert TOKEN not in repr(mesh)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"deployment": {}}, "holds no mesh"),
        (exported(outputs={}), "an older version of this package"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(state: dict[str, Any], said: str) -> None:
    with pytest.raises(StackError, match=said) as error:
        list(_meshes(state))
    assert "run pulumi up" in str(error.value)


def test_facts_come_back_as_the_same_topology() -> None:
    tree = mesh_tree(
        verify={"level": "off", "tolerations": [{"key": "a"}]},
        trust={"roots": [{"issued": "2026-11-23", "trust_domains": ["a.internal"]}]},
        trust_domain="a.internal",
        clusters={"east": {"pod_cidr": "10.8.0.0/14,fd00::/48"}, "west": {"verify": False}},
    )
    topology = parse_topology(tree)
    assert problems_in(topology, TODAY) == []
    assert parse_topology(json.loads(json.dumps(facts_of(topology)))) == topology
