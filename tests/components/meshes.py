"""The programs that the tests of this folder run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pulumi

from pulumi_istio_mesh import Mesh

from ..builders import program_args
from .recorder import MadeCluster, Recording, record

Program = Callable[[], Any]

APART = {"east": {}, "west": {}}
FLAT = {"east": {"network": "vpc"}, "west": {"network": "vpc"}}
SERVED = {"east": {"network": "vpc"}, "west": {"network": "vpc", "primary": "east"}}
"""A remote on its primary's network."""
SERVED_APART = {"east": {}, "west": {"primary": "east"}}
"""A remote on another network."""


def a_program(**changes: Any) -> Program:
    """A program with one mesh called prod."""
    return lambda: Mesh("prod", program_args(**changes))


def on_made_clusters(server: str = "https://192.0.2.99:6443", **changes: Any) -> Program:
    """The same mesh, where the cluster `east` is made by the same program and so known late."""

    def program() -> None:
        arguments = program_args(**changes)
        arguments["clusters"]["east"]["kubeconfig"] = MadeCluster("made", server).kubeconfig
        Mesh("prod", arguments)

    return program


def with_late(argument: str, value: object, **changes: Any) -> Program:
    """The same mesh, where one argument of `east` is known only while the program runs."""

    def program() -> None:
        arguments = program_args(**changes)
        arguments["clusters"]["east"][argument] = pulumi.Output.from_input(value)
        Mesh("prod", arguments)

    return program


@cache
def apart() -> Recording:
    """Two clusters on two networks."""
    return record(a_program(clusters=APART))


@cache
def flat() -> Recording:
    """Two clusters on one network."""
    return record(a_program(clusters=FLAT))


@cache
def served() -> Recording:
    """A primary and its remote on one network."""
    return record(a_program(clusters=SERVED))


@cache
def served_apart() -> Recording:
    """A primary and its remote on two networks."""
    return record(a_program(clusters=SERVED_APART))


def outputs(options: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """What the mesh exports, by name; `options` are those of `record`."""
    found: dict[str, Any] = {}
    names = ("mesh_id", "trust_domain", "gateways", "istiods", "remote_secrets", "root_cert_pem")
    names = (*names, "root_fingerprints", "certificate_expiry", "topology", "summary", "picture")

    def program() -> None:
        mesh = Mesh("prod", program_args(**changes))
        pulumi.Output.all(**{name: getattr(mesh, name) for name in names}).apply(found.update)

    record(program, **(options or {}))
    return found
