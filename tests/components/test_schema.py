"""What the component looks like from other Pulumi languages: every change of its interface is a diff here."""

from __future__ import annotations

import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh.components import arguments
from pulumi_istio_mesh.host import COMPONENTS
from pulumi_istio_mesh.istio.names import token
from pulumi_istio_mesh.parts import arguments as parts
from pulumi_istio_mesh.topology import dialled, federation, gke, models
from release.interface import schema


def test_the_interface_is_exactly_this(golden_json: SnapshotAssertion) -> None:
    found = schema()
    assert {"resources": found["resources"], "types": found["types"]} == golden_json


def test_components_go_by_the_tokens_they_register() -> None:
    assert set(schema()["resources"]) == {token(component.__name__) for component in COMPONENTS}


def test_everything_is_described() -> None:
    """What a reader of an SDK in another language has."""
    found = schema()
    assert [name for name, type_ in found["types"].items() if not type_.get("description")] == []
    silent = [
        f"{name}.{key}"
        for kind, properties in (("types", "properties"), ("resources", "properties"), ("resources", "inputProperties"))
        for name, described in found[kind].items()
        for key, property_ in described.get(properties, {}).items()
        if not property_.get("description")
    ]
    assert silent == []


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_every_component_says_what_it_is_and_what_its_end_means(component: type) -> None:
    words = component.__doc__ or ""
    assert "On destroy" in words, words


def types() -> dict[str, Any]:
    """The types of the interface by their Python names."""
    return {token.rpartition(":")[2]: found for token, found in schema()["types"].items()}


@pytest.mark.parametrize("name", [name for name in vars(arguments) | vars(parts) if name.endswith("Args")])
def test_what_python_requires_is_what_other_languages_must_give(name: str) -> None:
    """Pulumi's analyzer takes what is inherited for required where the class itself is total."""
    shape, component = (vars(arguments) | vars(parts))[name], name.removesuffix("Args")
    found = schema()
    of_component = found["resources"].get(token(component), {}).get("requiredInputs", [])
    required = types().get(name, {}).get("required", of_component)
    assert {re.sub("([A-Z])", lambda m: "_" + m[0].lower(), key) for key in required} == set(shape.__required_keys__)


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
            ("ClusterArgs", "readerCredential"),
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
    credentials = {
        "ClusterArgs": {"kubeconfig", "cacerts", "api_server_ca", "reader_credential"},
        "MeshArgs": {"registry_credentials"},
        "PeerArgs": {"offer"},
    }.get(name, set())
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
