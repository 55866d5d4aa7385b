"""What one mesh tells another: its roots, its federation gateways, and the Services that the other may call.

A plain document without any secret, made anew by each run of its mesh and checked by each run of the mesh that takes
it: an Output that a StackReference reads, or a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .federation import Port
from .names import is_ip_address
from .problems import Problem, TopologyError

VERSION = 1
"""The version of an offer that this package makes and reads."""


class _Offered(BaseModel):
    # Unlike what a user declares: a newer exporter may say more than this version knows.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class OfferedGateway(_Offered):
    """A gateway that the importer's proxies dial."""

    address: str
    """IP address or host name."""
    port: Port
    locality: str | None = None


class OfferedService(_Offered):
    """A Service that the importer may call."""

    ports: dict[str, Port]
    identities: Annotated[tuple[str, ...], Field(min_length=1)]
    """Who answers: SPIFFE identities of the service accounts behind it."""
    callers: tuple[str, ...] = ()
    """Who of the importer may call, as the exporter declares it."""


class Offer(_Offered):
    """What one mesh tells one other."""

    version: Literal[1]
    mesh_id: str
    trust_domain: str
    roots: str
    """PEM of every root that its workloads' certificates may lead to."""
    networks: tuple[str, ...]
    gateways: dict[str, OfferedGateway]
    """By cluster."""
    services: dict[str, OfferedService]
    """By `<service>.<namespace>`."""

    @property
    def addresses_are_ips(self) -> bool:
        """Whether every gateway is dialled at an IP address."""
        return all(is_ip_address(gateway.address) for gateway in self.gateways.values())


def identity(trust_domain: str, service: str, account: str) -> str:
    """Return the SPIFFE identity of a service account in the namespace of `<service>.<namespace>`."""
    return f"spiffe://{trust_domain}/ns/{service.partition('.')[2]}/sa/{account}"


def read_offer(where: str, given: Any, mesh_id: str) -> Offer | None:
    """Return the offer to the mesh of this ID, from a document or from the output `offers` that holds it.

    None where there is none yet, or none for this mesh. Raises `TopologyError` where it can't be read.
    """
    document = given
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            raise TopologyError([_unreadable(where, "it is not JSON")]) from None
    if isinstance(document, Mapping) and "version" not in document:
        document = document.get(mesh_id)
    if document is None or document == {}:
        return None
    if not isinstance(document, Mapping):
        raise TopologyError([_unreadable(where, "it is not a mapping")])
    if document.get("version") != VERSION:
        problem = _unreadable(where, f"it is of version {document.get('version')!r}, and this package reads {VERSION}")
        raise TopologyError([problem])
    if "PRIVATE KEY" in json.dumps(document, default=str):
        raise TopologyError([_unreadable(where, "it holds a private key")])
    try:
        return Offer.model_validate(_with_whole_numbers(document))
    except ValidationError as error:
        problems = [
            _unreadable(
                ".".join((where, *(str(part) for part in found["loc"]))), found["msg"][:1].lower() + found["msg"][1:]
            )
            for found in error.errors(include_url=False, include_input=False)
        ]
        raise TopologyError(problems) from None


def _with_whole_numbers(value: Any) -> Any:
    """Return the document with numbers as they were: the engine knows no integers."""
    if isinstance(value, Mapping):
        return {key: _with_whole_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unreadable(where: str, what: str) -> Problem:
    return Problem(
        where=where,
        what=what,
        why="an offer is taken as the other mesh made it, without a secret in it",
        fix='give the output "offers" of the other mesh: StackReference(...).get_output("offers"), '
        "or what pulumi stack output offers --json prints",
        slug="offer-shape",
    )
