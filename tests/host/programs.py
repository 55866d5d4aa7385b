"""What each component is given here: every argument that may be late is, and every credential has a mark."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import rpc

from ..builders import TOKEN, a_kubeconfig
from ..components.test_given_trust import ARGUMENTS, brought

MARKS = (TOKEN, "PRIVATE KEY-----", "token of ")
"""One of them stands in every credential; wherever one appears, it must be secret."""


@dataclass(frozen=True)
class Late:
    """An argument that is known only while the program runs."""

    value: Any
    secret: bool = False


def secret(value: Any) -> Late:
    """A late argument that is a credential."""
    return Late(value, secret=True)


_NOW = dt.datetime.now(dt.timezone.utc).date()
_TODAY = _NOW.isoformat()
"""The plugin's clock is the machine's."""
_KUBECONFIG = secret(a_kubeconfig())
_IN_CLUSTER: Mapping[str, Any] = {"cluster": "east", "kubeconfig": _KUBECONFIG}
_OF_ISTIO: Mapping[str, Any] = {**_IN_CLUSTER, "mesh_id": "prod", "istio_version": "1.31.1"}
_AFTER = [Late("istio-sidecar-injector")]
_SERVICE = {"address": Late("203.0.113.7"), "annotations": {"cloud.example/subnet": Late("a")}, "timeout_seconds": 30}
_GKE_RANGES = {
    "nodes": "10.0.0.0/22", "pods": "10.4.0.0/16", "services": "10.5.0.0/20", "control_plane": "10.6.0.0/28",
}  # fmt: skip

_MESH: Mapping[str, Any] = {
    "istio_version": "1.31.1",
    "trust": {"roots": [{"issued": _TODAY, "days": 3650}]},
    "image_pull_secrets": ["registry"],
    "registry_credentials": {"registry": secret(f'{{"auths": {{"registry.example": {{"auth": "{TOKEN}"}}}}}}')},
    "values": {"istiod": {"autoscaleMin": 2, "podLabels": {"some_label": "a"}}},
    "verify": {"preflight": False, "node_selector": {"kubernetes.io/os": "linux"}},
    "clusters": {
        "east": {
            "kubeconfig": _KUBECONFIG,
            "api_server": Late("https://192.0.2.9:6443"),
            "east_west_gateway": {**_SERVICE, "ports": [{"name": "more", "port": 444}]},
        },
        "west": {"kubeconfig": _KUBECONFIG},
    },
}

_CACERTS = secret({ARGUMENTS[part]: text for part, text in brought("east", issued=_NOW).items()})

PROGRAMS: dict[str, Mapping[str, Any]] = {
    "Mesh": _MESH,
    "Mesh, given trust": {
        **{key: value for key, value in _MESH.items() if key != "trust"},
        "trust": {"kind": "given"},
        "clusters": {
            cluster: {
                "kubeconfig": _KUBECONFIG,
                "cacerts": {part: secret(text) for part, text in brought(cluster, issued=_NOW).items()},
            }
            for cluster in ("east", "west")
        },
    },
    "Meshes": {
        "meshes": {
            "a": {**_MESH, "exports": {"api.shop": {"ports": {"http-api": 80}, "accounts": ["api"]}}},
            "b": {**_MESH, "clusters": {"plant": {"kubeconfig": _KUBECONFIG}}},
        },
        "links": [{"exporter": "a", "importer": "b", "service": "api.shop", "callers": ["web/front"]}],
    },
    "IstioTrust": {"clusters": ["east", "west"], "roots": [{"issued": _TODAY}]},
    "IstioControlPlane": {**_OF_ISTIO, "values": _MESH["values"], "cacerts": _CACERTS},
    "IstioRemote": {**_OF_ISTIO, "primary": "west", "istiod_address": Late("203.0.113.8")},
    "IstioEastWestGateway": {**_OF_ISTIO, **_SERVICE, "after": _AFTER, "ports": [{"name": "more", "port": 444}]},
    "IstioExposure": {**_IN_CLUSTER, "after": _AFTER, "gateway_address": Late("203.0.113.7")},
    "IstioReader": {**_IN_CLUSTER, "after": _AFTER, "api_server": Late("https://192.0.2.9:6443")},
    "IstioRemoteSecret": {
        **_IN_CLUSTER, "after": _AFTER, "reads": "west", "reader_kubeconfig": secret(a_kubeconfig("https://192.0.2.2")),
    },
    "IstioFederation": {
        **_OF_ISTIO,
        "after": _AFTER,
        "peers": {"other": {"offer": Late(None)}},
        "root_certs": Late("a root"),
        "exports": {"api.shop": {"ports": {"http-api": 80}, "accounts": ["api"]}},
        "gateway": _SERVICE,
    },
    "GkeFlatNetwork": {
        "project": "acme-prod",
        "clusters": {
            "east": {"region": "europe-west1", "block": 0, "node_pools": {"default": {"max_nodes": 3}}},
            "west": {"region": "europe-west4", "block": 1, "primary": "east"},
        },
        "supernet": "10.0.0.0/8",
        "nat": True,
    },
    "GkeFlatCluster": {
        "project": "acme-prod",
        "region": "europe-west1",
        "vpc": Late("vpc"),
        "ranges": _GKE_RANGES,
        "max_pods_per_node": 32,
    },
}  # fmt: skip
"""Arguments of each component, as a Python program has them; a component may have several rows."""


def arguments_of(component: str) -> Mapping[str, Any]:
    """The arguments of a component; fails where this file has none."""
    assert component in PROGRAMS, (
        f"{component} is in host.COMPONENTS and has no arguments here: add it to PROGRAMS in tests/host/programs.py"
    )
    return PROGRAMS[component]


def in_python(value: Any, *, known: bool = True) -> Any:
    """The arguments as a program in Python gives them."""
    if isinstance(value, Late):
        output: pulumi.Output[Any] = pulumi.Output.from_input(value.value if known else pulumi.UNKNOWN)
        return pulumi.Output.secret(output) if value.secret else output
    if isinstance(value, Mapping):
        return {key: in_python(item, known=known) for key, item in value.items()}
    return [in_python(item, known=known) for item in value] if isinstance(value, list) else value


def on_the_wire(value: Any, kind: Mapping[str, Any], schema: Mapping[str, Any], *, known: bool = True) -> Any:
    """The arguments as programs in other languages send them: by the names of the schema, late ones as output values.

    What the schema does not know keeps its name.
    """
    if isinstance(value, Late):
        output = {rpc._special_sig_key: rpc._special_output_value_sig, "secret": value.secret, "dependencies": []}
        return {**output, "value": value.value} if known else output
    if isinstance(value, list):
        return [on_the_wire(item, kind.get("items", {}), schema, known=known) for item in value]
    if not isinstance(value, Mapping):
        return value
    named = schema["types"].get(kind.get("$ref", "").removeprefix("#/types/"), kind)
    properties = named.get("properties") or named.get("inputProperties")
    if properties is None:
        inner = named.get("additionalProperties", {})
        return {key: on_the_wire(item, inner, schema, known=known) for key, item in value.items()}
    typed = {key: camel(key) if camel(key) in properties else key for key in value}
    return {
        typed[key]: on_the_wire(item, properties.get(typed[key], {}), schema, known=known)
        for key, item in value.items()
    }


def camel(name: str) -> str:
    """The name of an argument in the schema."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
