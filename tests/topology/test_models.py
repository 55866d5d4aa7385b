"""What a user declares can be printed, compared and kept: it is plain, frozen, and silent about what was refused."""

from __future__ import annotations

import inspect

import pytest
from pydantic import ValidationError

from pulumi_istio_mesh.topology import models
from pulumi_istio_mesh.topology.declared import LATE, Declared
from pulumi_istio_mesh.topology.dialled import EastWestGateway
from pulumi_istio_mesh.topology.load import parse_topology
from pulumi_istio_mesh.topology.models import Cluster, Topology

from ..builders import mesh_tree

MODELS = [found for _, found in inspect.getmembers(models, inspect.isclass) if issubclass(found, Declared)]


def test_a_topology_is_equal_to_another_of_the_same_facts() -> None:
    assert parse_topology(mesh_tree()) == parse_topology(mesh_tree())
    assert parse_topology(mesh_tree()) != parse_topology(mesh_tree(mtls="permissive"))


def test_a_topology_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        parse_topology(mesh_tree()).mtls = "permissive"  # type: ignore[misc]


@pytest.mark.parametrize("secret", [{"crds": "hunter2"}, {"kubeconfig": "hunter2"}, {"values": "hunter2"}, "hunter2"])
def test_pydantics_own_words_repeat_no_value(secret: object) -> None:
    """They are not printed; what isn't there can't leak when they are one day."""
    with pytest.raises(ValidationError) as caught:
        Topology.model_validate(mesh_tree(clusters={"east": secret}))
    assert "hunter2" not in str(caught.value)


def test_no_model_has_a_place_for_a_credential() -> None:
    fields = {key for model in MODELS for key in model.model_fields}
    assert not fields & {"kubeconfig", "cacerts", "api_server_ca", "token", "ca_key"}


def test_facts_that_shape_nothing_may_be_late() -> None:
    assert Cluster(api_server=LATE).api_server is LATE
    assert EastWestGateway(address=LATE, annotations={"a": LATE}).annotations == {"a": LATE}


@pytest.mark.parametrize("facts", [{"network": LATE}, {"crds": LATE}, {"pod_cidr": LATE}, {"protect": LATE}], ids=repr)
def test_facts_that_shape_the_mesh_may_not(facts: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Cluster.model_validate(facts)


@pytest.mark.parametrize("text", ["10.8.0.0/14", "10.8.0.0/14,fd00::/48", "10.8.0.0/14, 10.12.0.0/14"])
def test_ranges_are_written_as_kubernetes_writes_them(text: str) -> None:
    assert ",".join(str(found) for found in Cluster.model_validate({"pod_cidr": text}).pod_cidr) == text.replace(
        " ", ""
    )
