"""Images from a registry that asks who pulls: who names the Secrets, who makes them, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from pulumi_istio_mesh import Mesh, TopologyError

from ..builders import program_args
from .meshes import APART, SERVED_APART
from .recorder import Recording, failure, is_secret, is_unknown, record, revealed

PASSWORD = "not-a-real-password"
CONFIG = json.dumps({"auths": {"registry.example": {"username": "mesh", "password": PASSWORD}}})
NAMED = {"image_pull_secrets": ["registry", "mirror"]}
EXPORTED = {"exports": {"hello.sample": {"ports": {"http": 80}, "accounts": ["hello"]}}}


def mesh(credentials: Any = None, **changes: Any) -> Any:
    arguments = program_args(**{"clusters": APART, **NAMED, **changes})
    return lambda: Mesh("prod", {**arguments, "registry_credentials": credentials})


def pod(recording: Recording, row: str) -> dict[str, Any]:
    found: dict[str, Any] = revealed(recording[row].inputs)["spec"]["template"]["spec"]
    return found


def test_every_pod_of_the_mesh_asks_for_them() -> None:
    rows = record(mesh(**EXPORTED))
    as_pods = [{"name": "registry"}, {"name": "mirror"}]
    for gateway in ("east-west", "federation"):
        assert rows[f"Chart prod-east-{gateway}"].inputs["values"]["imagePullSecrets"] == as_pods
    assert rows["Chart prod-east-istiod"].inputs["values"]["global"]["imagePullSecrets"] == ["registry", "mirror"]
    for row in ("Deployment prod-east-probe", "Job prod-east-mesh", "Job prod-east-api-servers"):
        assert pod(rows, row)["imagePullSecrets"] == as_pods


def test_without_names_nothing_asks() -> None:
    rows = record(mesh(image_pull_secrets=...))
    assert not [row.short for row in rows if "imagePullSecrets" in json.dumps(row.inputs)]


def test_a_remotes_gateway_and_gates_ask_too() -> None:
    rows = record(mesh(clusters=SERVED_APART))
    assert [one["name"] for one in rows["Chart prod-west-east-west"].inputs["values"]["imagePullSecrets"]]
    assert pod(rows, "Job prod-west-mesh")["imagePullSecrets"]


@pytest.mark.parametrize("namespace", ["istio-system", "istio-mesh-verify"])
def test_a_secret_whose_content_is_given_is_made_where_pods_look(namespace: str) -> None:
    rows = record(mesh({"registry": CONFIG}))
    made = rows[f"Secret prod-east-pull:{namespace}/registry"]
    assert made.inputs["type"] == "kubernetes.io/dockerconfigjson"
    assert (made.inputs["metadata"]["name"], made.inputs["metadata"]["namespace"]) == ("registry", namespace)
    assert is_secret(made.inputs["stringData"])
    assert revealed(made.inputs["stringData"]) == {".dockerconfigjson": CONFIG}
    assert not [row.short for row in rows if "mirror" in row.name]


def test_it_is_there_before_anything_pulls() -> None:
    rows = record(mesh({"registry": CONFIG}, clusters=SERVED_APART))
    for cluster in ("east", "west"):
        system, verify = (f"Secret prod-{cluster}-pull:{of}/registry" for of in ("istio-system", "istio-mesh-verify"))
        assert system in rows.waits_for(f"Chart prod-{cluster}-istiod")
        assert system in rows.waits_for(f"Chart prod-{cluster}-east-west")
        assert verify in rows.waits_for(f"Deployment prod-{cluster}-probe")
        assert verify in rows.waits_for(f"Job prod-{cluster}-mesh")
    assert "Secret prod-east-pull:istio-mesh-verify/registry" in rows.waits_for("Job prod-east-api-servers")


def test_where_nothing_is_proved_it_is_made_for_istio_alone() -> None:
    rows = record(mesh({"registry": CONFIG}, verify={"level": "off"}))
    assert {row.name for row in rows if "pull" in row.name} == {
        f"prod-{cluster}-pull:istio-system/registry" for cluster in APART
    }


def test_a_content_may_be_late_and_stays_secret_in_a_preview() -> None:
    def program() -> None:
        late: pulumi.Output[str] = pulumi.Output.from_input(CONFIG)
        mesh({"registry": late})()

    made = record(program)["Secret prod-east-pull:istio-system/registry"]
    assert is_secret(made.inputs["stringData"])
    assert not is_unknown(made.inputs["stringData"])


@pytest.mark.parametrize(
    ("credentials", "where"),
    [
        ({"other": CONFIG}, "registry_credentials.other"),
        ({"registry": PASSWORD}, "registry_credentials.registry"),
        ({"registry": json.dumps({"password": PASSWORD})}, "registry_credentials.registry"),
        ({"registry": json.dumps({"auths": {}})}, "registry_credentials.registry"),
        ({"registry": {"auths": {"registry.example": {"password": PASSWORD}}}}, "registry_credentials.registry"),
        (CONFIG, "registry_credentials"),
    ],
    ids=["not named", "no JSON", "no auths", "empty auths", "no text", "no mapping"],
)
def test_what_could_not_be_used_is_refused_before_anything_is_made(credentials: Any, where: str) -> None:
    recording = failure(mesh(credentials))
    assert list(recording) == []
    assert isinstance(recording.error, TopologyError)
    (problem,) = recording.error.problems
    assert (problem.slug, problem.where) == ("registry-credentials", where)
    assert PASSWORD not in str(recording.error)


def test_a_late_content_that_is_none_stops_the_program_before_the_secret() -> None:
    def program() -> None:
        mesh({"registry": pulumi.Output.secret(PASSWORD)})()

    recording = failure(program)
    assert isinstance(recording.error, TopologyError)
    assert not [row.short for row in recording if "pull" in row.name or row.short == "Chart prod-east-istiod"]
    assert PASSWORD not in f"{recording.error}{recording.log}{recording.notes}"
