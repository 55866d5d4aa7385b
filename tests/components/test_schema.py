"""What the component looks like from other Pulumi languages: every change of its interface is a diff here."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pulumi.provider.experimental.analyzer import Analyzer
from pulumi.provider.experimental.schema import generate_schema
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh.components import arguments
from pulumi_istio_mesh.components.mesh import Mesh
from pulumi_istio_mesh.topology import dialled, federation, gke, models


def schema() -> dict[str, Any]:
    """The schema that Pulumi's own analyzer derives from the annotations."""
    found = Analyzer("istio-mesh").analyze([Mesh])
    result = generate_schema(
        "istio-mesh", "0.0.0", None, found["component_definitions"], found["type_definitions"], found["dependencies"]
    ).to_json()
    assert isinstance(result, dict)
    return result


def test_the_interface_is_exactly_this(golden_json: SnapshotAssertion) -> None:
    found = schema()
    assert {"resources": found["resources"], "types": found["types"]} == golden_json


def test_the_component_goes_by_the_token_it_registers() -> None:
    assert list(schema()["resources"]) == ["istio-mesh:index:Mesh"]


def types() -> dict[str, Any]:
    """The types of the interface by their Python names."""
    return {token.rpartition(":")[2]: found for token, found in schema()["types"].items()}


def test_no_enum_and_no_union_is_on_the_wire() -> None:
    """Enums in lists and maps arrive as empty objects in Pulumi's Python host."""
    for name, found in types().items():
        assert "enum" not in found, name
        for key, property_ in found["properties"].items():
            assert "oneOf" not in property_, f"{name}.{key}"


def test_only_text_may_be_late() -> None:
    """Late numbers and late objects arrive broken; what is plain shapes the mesh."""
    late = {
        (name, key): property_.get("type")
        for name, found in types().items()
        for key, property_ in found["properties"].items()
        if not property_.get("plain") and property_.get("type") != "array" and property_.get("type") != "object"
        if "$ref" not in property_
    }
    assert late == dict.fromkeys(
        [
            ("ClusterArgs", "kubeconfig"),
            ("ClusterArgs", "apiServer"),
            ("ClusterArgs", "apiServerCa"),
            ("EastWestGatewayArgs", "address"),
            ("DialledServiceArgs", "address"),
            ("FederationGatewayArgs", "address"),
            ("CaCertsArgs", "caCert"),
            ("CaCertsArgs", "caKey"),
            ("CaCertsArgs", "certChain"),
            ("CaCertsArgs", "rootCert"),
        ],
        "string",
    )


MODELS = {
    "ClusterArgs": models.Cluster,
    "DialledServiceArgs": dialled.DialledService,
    "EastWestGatewayArgs": dialled.EastWestGateway,
    "GatewayPortArgs": dialled.GatewayPort,
    "FederationGatewayArgs": dialled.FederationGateway,
    "ExportArgs": federation.Export,
    "PeerArgs": federation.Peer,
    "ImportArgs": federation.Import,
    "FallbackArgs": federation.Fallback,
    "TrustArgs": models.Trust,
    "RootArgs": models.Root,
    "IntermediatesArgs": models.Intermediates,
    "MeshArgs": models.Topology,
    "GkeNetworkArgs": gke.GkeNetwork,
    "GkeClusterArgs": gke.GkeCluster,
    "GkeRangesArgs": gke.GkeRanges,
    "GkeNodePoolArgs": gke.GkeNodePool,
    "GkeTaintArgs": gke.GkeTaint,
    "GkeControlPlaneArgs": gke.GkeControlPlane,
    "GkeMaintenanceArgs": gke.GkeMaintenance,
}


@pytest.mark.parametrize(("name", "model"), MODELS.items(), ids=MODELS)
def test_a_programs_arguments_are_the_files_keys_and_its_credentials(name: str, model: type[models.Declared]) -> None:
    credentials = {"ClusterArgs": {"kubeconfig", "cacerts", "api_server_ca"}, "PeerArgs": {"offer"}}.get(name, set())
    kind = getattr(arguments, name)
    # A TypedDict's keys with those of its bases; by name, since its hints are for Pulumi's analyzer to resolve.
    assert kind.__required_keys__ | kind.__optional_keys__ == set(model.model_fields) | credentials


@pytest.mark.parametrize(("name", "model"), MODELS.items(), ids=MODELS)
def test_what_a_program_must_give_is_what_a_file_must(name: str, model: type[models.Declared]) -> None:
    required = {key for key, field in model.model_fields.items() if field.is_required()}
    # A component has a name, which the mesh is called by.
    assert set(getattr(arguments, name).__required_keys__) == required - {"mesh_id"}


def test_every_output_has_its_words() -> None:
    outputs = schema()["resources"]["istio-mesh:index:Mesh"]["properties"]
    assert set(outputs) == {
        "meshId", "trustDomain", "gateways", "offers", "istiods", "remoteSecrets", "rootCertPem", "rootFingerprints",
        "certificateExpiry", "topology", "firewall", "summary", "picture",
    }  # fmt: skip
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in outputs)
    assert {found["type"] for found in outputs.values()} == {"string", "object", "array"}
