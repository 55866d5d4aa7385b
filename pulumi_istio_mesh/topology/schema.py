"""The JSON Schema of mesh.yaml, by which editors complete it, explain it, and mark what can't be right.

Made from the models, so it knows every key. It sees one file and no rule between its facts: `istio-mesh check` does.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from .federation import Link
from .load import VERSION
from .models import Topology
from .names import DNS_LABEL

Schema = dict[str, Any]

_LABEL = f"^{DNS_LABEL.pattern}$"
_MESH_ID = "^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$"


def mesh_schema() -> Schema:
    """Return the schema, of draft 7, which every YAML language server knows: one mesh, or several under `meshes`."""
    defs: Schema = {}
    mesh = _definitions(TypeAdapter(Topology), defs)
    link = _definitions(TypeAdapter(Link), defs)
    _name(mesh, defs)
    version = {"const": VERSION, "description": "Version of this file's form."}
    # The key of `meshes` is the mesh's ID.
    within = {**mesh, "required": [key for key in mesh["required"] if key != "mesh_id"]}
    several = {
        "type": "object",
        "properties": {
            "version": version,
            "meshes": {
                "description": "Meshes by their mesh IDs.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": _MESH_ID},
                "additionalProperties": {"$ref": "#/definitions/MeshOfSeveral"},
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
        "title": "mesh.yaml",
        "description": "One Istio mesh over several Kubernetes clusters, or several meshes.",
        "if": {"type": "object", "required": ["meshes"]},
        "then": {"$ref": "#/definitions/Meshes"},
        "else": {"$ref": "#/definitions/Mesh"},
        "definitions": {**defs, "Mesh": one, "MeshOfSeveral": within, "Meshes": several, "Link": link},
    }


def _definitions(adapter: TypeAdapter[Any], defs: Schema) -> Schema:
    """Return a model's own schema, and put those that it refers to into `defs`."""
    found = adapter.json_schema(ref_template="#/definitions/{model}")
    defs |= {name: _plain(schema) for name, schema in found.pop("$defs", {}).items()}
    return _plain(found)  # type: ignore[no-any-return]


def _plain(schema: Any) -> Any:
    """Return a schema without titles, which repeat the keys, and without defaults that say nothing."""
    if isinstance(schema, list):
        return [_plain(found) for found in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
    if kept.get("default", ...) in (None, "", {}, []):
        del kept["default"]
    return {key: _plain(value) for key, value in kept.items()}


def _name(mesh: Schema, defs: Schema) -> None:
    """Add what names may be, which rules say and models don't."""
    mesh["properties"]["mesh_id"]["pattern"] = _MESH_ID
    mesh["properties"]["clusters"] |= {"minProperties": 1, "propertyNames": {"pattern": _LABEL}}
    for key in ("network", "primary"):
        defs["Cluster"]["properties"][key]["anyOf"][0]["pattern"] = _LABEL
    # What YAML makes of a bare `off`.
    level = defs["Verify"]["properties"]["level"]
    del level["type"]
    level["enum"].append(False)
