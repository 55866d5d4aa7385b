"""The JSON Schema of mesh.yaml, by which editors complete it, explain it, and mark what can't be right.

Made from the models, so it knows every key. It sees one file and few rules between its facts: `istio-mesh check` sees
all. What that takes is never marked, except a number written as true or false, and a day as seconds since 1970.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from .federation import Link
from .load import VERSION
from .models import Topology
from .names import DNS_LABEL

Schema = dict[str, Any]

_WORDS = ("true", "false", "yes", "no", "on", "off", "t", "f", "y", "n")

_MESH_ID = "^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$"
_LABEL = {
    "pattern": f"^{DNS_LABEL.pattern}$",
    "patternErrorMessage": "Lower-case letters, digits and inner hyphens, at most 63 characters, such as east-1.",
}
_CHARTS = ("base", "istiod", "gateway")

# The loader reads YAML 1.1, where yes and on are true, and takes numbers in quotes. Editors read YAML 1.2.
_AS_LOADED: dict[str, Schema] = {
    "boolean": {
        "type": ["boolean", "string", "integer"],
        "pattern": f"^({'|'.join(''.join(f'[{c}{c.upper()}]' for c in word) for word in _WORDS)}|0|1)$",
        "minimum": 0,
        "maximum": 1,
        "errorMessage": "It is true or false.",
    },
    "integer": {
        "type": ["integer", "string"],
        "pattern": r"^\s*[+-]?\d+(_\d+)*(\.0+)?\s*$",
        "errorMessage": "It is a whole number.",
    },
    "date": {
        "type": "string",
        "pattern": r"^2\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])([Tt _].+)?$",
        "patternErrorMessage": 'A day, such as "2026-11-23".',
    },
}


def mesh_schema() -> Schema:
    """Return the schema, of draft 7, which every YAML language server knows: one mesh, or several under `meshes`."""
    defs: Schema = {}
    mesh = _definitions(TypeAdapter(Topology), defs)
    link = _definitions(TypeAdapter(Link), defs)
    _name(mesh, defs)
    version = {"const": VERSION, "description": "Version of this file's form."}
    # The key of `meshes` is the mesh's ID, unless the mesh says another.
    within = {**mesh, "required": [key for key in mesh["required"] if key != "mesh_id"]}
    several = {
        "type": "object",
        "properties": {
            "version": version,
            "meshes": {
                "description": "Meshes by their mesh IDs.",
                "type": "object",
                "minProperties": 1,
                "patternProperties": {_MESH_ID: {"$ref": "#/definitions/MeshOfSeveral"}},
                "additionalProperties": {"allOf": [{"$ref": "#/definitions/MeshOfSeveral"}], "required": ["mesh_id"]},
            },
            "links": {
                "description": "Services of one of the meshes that another one may call.",
                "type": "array",
                "items": {"$ref": "#/definitions/Link"},
            },
        },
        "required": ["meshes"],
        "additionalProperties": False,
    }
    one = {**mesh, "properties": {"version": version, **mesh["properties"]}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "description": "One Istio mesh over several Kubernetes clusters, or several meshes.",
        "if": {"type": "object", "required": ["meshes"]},
        "then": {"$ref": "#/definitions/Meshes"},
        "else": {"$ref": "#/definitions/Mesh"},
        "definitions": {**defs, "Mesh": one, "MeshOfSeveral": within, "Meshes": several, "Link": link},
    }


def schema_text() -> str:
    """Return the schema as the file that editors read."""
    return json.dumps(mesh_schema(), indent=2) + "\n"


def _definitions(adapter: TypeAdapter[Any], defs: Schema) -> Schema:
    """Return a model's own schema, and put those that it refers to into `defs`."""
    found = adapter.json_schema(ref_template="#/definitions/{model}")
    defs |= {name: _plain(schema) for name, schema in found.pop("$defs", {}).items()}
    return _plain(found)


def _plain(schema: Schema) -> Schema:
    """Return a schema as editors show it best, which takes what the loader takes.

    Without titles, which repeat the keys, and without defaults that nobody would type.
    """
    kept = {key: value for key, value in schema.items() if key != "title"}
    if isinstance(kept.get("default", 0), (dict, list)) or kept.get("default", 0) in (None, ""):
        del kept["default"]
    if "`" in kept.get("description", ""):
        # Editors escape the marks of a plain description.
        kept["markdownDescription"] = kept["description"]
    if "properties" in kept:
        kept["properties"] = {key: _plain(found) for key, found in kept["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = _plain(kept[key])
    if "anyOf" in kept:
        return _with_null({**kept, "anyOf": [_plain(found) for found in kept["anyOf"]]})
    kind = kept.get("format") or kept.get("type")
    if kind in _AS_LOADED:
        kept.pop("format", None)
        return {**kept, **_AS_LOADED[kind]}
    return kept


def _with_null(schema: Schema) -> Schema:
    """Return one schema for a type or null: editors explain a choice by both of its sides."""
    given, *others = schema["anyOf"]
    if others != [{"type": "null"}] or "type" not in given or "enum" in given:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    types = [given["type"]] if isinstance(given["type"], str) else given["type"]
    return {**given, **rest, "type": [*types, "null"]}


def _name(mesh: Schema, defs: Schema) -> None:
    """Add what names may be, which rules say and models don't."""
    properties, cluster, trust = mesh["properties"], defs["Cluster"]["properties"], defs["Trust"]
    properties["mesh_id"] |= {**_LABEL, "pattern": _MESH_ID}
    properties["mesh_id"]["patternErrorMessage"] = (
        "Lower-case letters, digits and inner hyphens, at most 40 characters."
    )
    properties["istio_version"] |= {
        "pattern": r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$",
        "patternErrorMessage": 'A full version, such as "1.31.1".',
    }
    # What an istiod calls a cluster that nobody named can't be a name.
    properties["clusters"] |= {"minProperties": 1, "propertyNames": {**_LABEL, "not": {"const": "kubernetes"}}}
    for key in ("network", "primary"):
        cluster[key] |= _LABEL
    for values in (properties["values"], cluster["values"]):
        values["properties"] = dict.fromkeys(_CHARTS, values["additionalProperties"])
        values["additionalProperties"] = False
    # Generated trust, the default, needs a root, and no other kind has one.
    mesh["required"] = [*mesh["required"], "trust"]
    trust["if"] = {"properties": {"kind": {"enum": ["given", "external"]}}, "required": ["kind"]}
    trust["then"] = {"properties": {"roots": {"maxItems": 0}}}
    trust["else"] = {"properties": {"roots": {"minItems": 1}}, "required": ["roots"]}
    # What YAML makes of a bare `off`.
    level = defs["Verify"]["properties"]["level"]
    del level["type"]
    level["enum"].append(False)
