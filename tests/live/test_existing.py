"""A control plane that was there before is held to the mesh before anything changes; from invented clusters."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import yaml

from lab.trust_files import another_root
from pulumi_istio_mesh.checks.findings import Finding
from pulumi_istio_mesh.live.preflight import look_before
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree
from .servers import Server, serving

OWN, OTHER = another_root(), another_root()
MEMBERS = {"east": "project/stack/prod/east", "west": "project/stack/prod/west"}
SYSTEM = "/api/v1/namespaces/istio-system"
NETWORK = "topology.istio.io/network"


def topology(**east: Any) -> Any:
    tree = mesh_tree(trust={"kind": "external"}, clusters={"east": {"control_plane": "existing", **east}, "west": {}})
    return parse_topology(tree)


def there() -> dict[str, Any]:
    """What a cluster answers whose control plane fits the mesh."""
    env = [{"name": "CLUSTER_ID", "value": "east"}]
    container = {"image": "docker.io/istio/pilot:1.31.1-distroless", "env": env}
    istiod = {
        "metadata": {"name": "istiod", "namespace": "istio-system"},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"readyReplicas": 1},
    }
    maps = {
        "istio": {"mesh": yaml.safe_dump({"trustDomain": "prod.internal"})},
        "istio-sidecar-injector": {"values": json.dumps({"global": {"network": "east", "meshID": "prod"}})},
        "istio-ca-root-cert": {"root-cert.pem": OWN},
    }
    return {
        "/apis/apps/v1/deployments": {"items": [istiod]},
        f"{SYSTEM}/configmaps": {"items": [{"metadata": {"name": name}, "data": data} for name, data in maps.items()]},
        f"{SYSTEM}/serviceaccounts": {"items": [{"metadata": {"name": "istio-reader-service-account"}}]},
        "/api/v1/namespaces": {"items": [{"metadata": {"name": "istio-system", "labels": {NETWORK: "east"}}}]},
        f"{SYSTEM}/secrets": {"items": [{"metadata": {"name": "istio-ca-secret"}}]},
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": {
            "items": [{"metadata": {"name": "gateways.networking.istio.io"}}]
        },
    }


WEST = {f"{SYSTEM}/secrets": {"items": [{"metadata": {"name": "cacerts"}}]}}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(Server())) for name in MEMBERS}


def found(servers: dict[str, Server], east: dict[str, Any], *, roots: str = "", **facts: Any) -> list[Finding]:
    for name, answers in (("east", east), ("west", WEST)):
        servers[name].answers = {**Server().answers, **answers}
    mesh = topology(**facts)
    kubeconfigs = {name: server.kubeconfig for name, server in servers.items()}
    return asyncio.run(look_before(mesh, plan_mesh(mesh), kubeconfigs, MEMBERS, roots))[0]


def data(answers: dict[str, Any], name: str) -> dict[str, Any]:
    items = answers[f"{SYSTEM}/configmaps"]["items"]
    found: dict[str, Any] = next(one["data"] for one in items if one["metadata"]["name"] == name)
    return found


def istiod(answers: dict[str, Any]) -> Any:
    return answers["/apis/apps/v1/deployments"]["items"][0]


def test_one_that_fits_is_joined_with_its_crds_and_its_own_authority(servers: dict[str, Server]) -> None:
    assert found(servers, there(), roots=OWN) == []


WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str, str]] = {
    "none": (
        lambda seen: istiod(seen)["metadata"].update(name="istiod-blue"),
        "existing-istiod",
        "there is no Deployment istio-system/istiod, but istio-system/istiod-blue",
    ),
    "unready": (
        lambda seen: istiod(seen).pop("status"),
        "existing-istiod",
        "no replica of istio-system/istiod is ready",
    ),
    "version": (
        lambda seen: istiod(seen)["spec"]["template"]["spec"]["containers"][0].update(image="r/pilot:1.30.4"),
        "existing-istiod",
        "istio-system/istiod is of 1.30.4, and 1.31.1 is declared",
    ),
    "cluster": (
        lambda seen: istiod(seen)["spec"]["template"]["spec"]["containers"][0]["env"][0].update(value="Kubernetes"),
        "existing-differs",
        "CLUSTER_ID of istiod is Kubernetes, and the cluster's name is east",
    ),
    "network": (
        lambda seen: data(seen, "istio-sidecar-injector").update(values='{"global": {"meshID": "prod"}}'),
        "existing-differs",
        "global.network of the injector is not set, and its network is east",
    ),
    "mesh": (
        lambda seen: data(seen, "istio-sidecar-injector").update(
            values='{"global": {"meshID": "shop", "network": "east"}}'
        ),
        "existing-differs",
        "global.meshID of the injector is shop, and mesh_id is prod",
    ),
    "trust domain": (
        lambda seen: data(seen, "istio").update(mesh="{}"),
        "existing-differs",
        "trustDomain of the mesh config is cluster.local, and trust_domain is prod.internal",
    ),
    "label": (
        lambda seen: seen["/api/v1/namespaces"]["items"][0]["metadata"]["labels"].clear(),
        "existing-differs",
        f"label {NETWORK} of istio-system is not set, and its network is east",
    ),
    "no mesh config": (
        lambda seen: data(seen, "istio").clear(),
        "existing-differs",
        "what it says can't be read: there is no ConfigMap istio-system/istio with key mesh",
    ),
    "root": (
        lambda seen: data(seen, "istio-ca-root-cert").update({"root-cert.pem": OTHER}),
        "existing-root",
        "its proxies trust no root that the mesh trusts",
    ),
    "account": (
        lambda seen: seen[f"{SYSTEM}/serviceaccounts"]["items"].clear(),
        "existing-parts",
        "there is no account istio-system/istio-reader-service-account: chart base makes it",
    ),
    "gateway": (
        lambda seen: seen.update({"/api/v1/services": {"items": [service({NETWORK: "east"})]}}),
        "existing-parts",
        "Service istio-system/istio-eastwestgateway of somebody else is there, and a gateway of the mesh's own is to "
        "be made",
    ),
}


@pytest.mark.parametrize(("change", "slug", "what"), WRONG.values(), ids=WRONG)
def test_one_that_does_not_fit_is_refused(
    servers: dict[str, Server], change: Callable[[dict[str, Any]], Any], slug: str, what: str
) -> None:
    seen = copy.deepcopy(there())
    change(seen)
    assert [(one.slug, one.cluster, one.what) for one in found(servers, seen, roots=OWN)] == [(slug, "east", what)]


def service(labels: dict[str, str], port: int = 15443) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "istio-eastwestgateway", "namespace": "istio-system", "labels": labels}
    metadata["creationTimestamp"] = "2026-11-01T00:00:00Z"
    return {"metadata": metadata, "spec": {"type": "ClusterIP", "ports": [{"port": port}]}}


@pytest.mark.parametrize(
    ("services", "what"),
    [
        ([], "there is no Service istio-system/istio-eastwestgateway"),
        ([service({NETWORK: "east"}, 443)], "Service istio-system/istio-eastwestgateway has no port 15443"),
        ([service({})], f"label {NETWORK} of Service istio-system/istio-eastwestgateway is not set, not east"),
        ([service({NETWORK: "east"})], ""),
    ],
    ids=["none", "another port", "no label", "as it should be"],
)
def test_a_gateway_that_is_said_to_be_there_is_there(
    servers: dict[str, Server], services: list[dict[str, Any]], what: str
) -> None:
    seen = {**there(), "/api/v1/services": {"items": services}}
    told = [one.what for one in found(servers, seen, east_west_gateway={"existing": True})]
    assert [one.endswith(what) for one in told] == ([True] if what else [])


def test_a_root_in_common_is_enough_for_a_rotation(servers: dict[str, Server]) -> None:
    seen = there()
    data(seen, "istio-ca-root-cert")["root-cert.pem"] = OWN + OTHER
    assert found(servers, seen, roots=OTHER) == []


def marked(member: str, kind: str) -> dict[str, Any]:
    seen = there()
    note = {
        "metadata": {"name": "istio-mesh-member", "annotations": {"pulumi.com/patchFieldManager": "istio-mesh-m-east"}},
        "data": {"member": member, "control-plane": kind},
    }
    seen[f"{SYSTEM}/configmaps"]["items"].append(note)
    return seen


def test_a_cluster_that_another_mesh_has_joined_is_taken(servers: dict[str, Server]) -> None:
    (finding,) = found(servers, marked("a/b/c/d", "existing"))
    assert finding.slug == "cluster-taken"
    assert found(servers, marked(MEMBERS["east"], "existing")) == []


def test_a_control_plane_of_the_meshs_own_is_not_given_away(servers: dict[str, Server]) -> None:
    seen = there()
    seen["/api/v1/namespaces"]["items"][0]["metadata"]["annotations"] = {"istio-mesh/member": MEMBERS["east"]}
    assert [one.slug for one in found(servers, seen)] == ["cluster-taken"]


MANAGED = {"control_plane": "managed", "crds": "external"}


def test_only_what_was_adopted_becomes_managed(servers: dict[str, Server]) -> None:
    seen = marked(MEMBERS["east"], "existing")
    assert "istio-foreign" in {one.slug for one in found(servers, seen, **MANAGED)}


def test_what_was_adopted_becomes_managed_once_it_is_handed_over(servers: dict[str, Server]) -> None:
    seen = marked(MEMBERS["east"], "adopted")
    seen[f"{SYSTEM}/secrets"] = WEST[f"{SYSTEM}/secrets"]
    assert found(servers, seen, **MANAGED) == []
    istiod(seen)["metadata"]["managedFields"] = [{"manager": "helm", "operation": "Update"}]
    (finding,) = found(servers, seen, **MANAGED)
    assert finding.slug == "adopted-fields"
    assert '"manager": "istio-mesh-m-east"' in finding.problem.fix
