"""What one mesh tells another: its roots, its federation gateways, and the Services that the other may call.

A plain document without any secret, made anew by each run of its mesh and checked by each run of the mesh that takes
it: an Output that a StackReference reads, or a file. Somebody else writes it, so nothing in it is taken that this
package would not have made: what it holds ends in Istio's objects, in the gates' environment and in what is printed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from .dialled import LOCALITY
from .federation import Port
from .json_text import read_json
from .limits import UnreadableText
from .names import is_account, is_caller, is_dns_label, is_host_name, is_ip_address, is_service_name
from .problems import Problem, TopologyError

VERSION = 1
"""The version of an offer that this package makes and reads."""

_DEPTH, _VALUES = 16, 50_000
"""What a document may have at most; a thousand Services, each with ten ports and ten accounts, have less than half."""


def _checked(good: Callable[[str], bool], says: str) -> AfterValidator:
    def check(text: str) -> str:
        if not good(text):
            raise ValueError(f"it should be {says}")
        return text

    return AfterValidator(check)


Label = Annotated[str, _checked(is_dns_label, "a DNS label: lower-case letters, digits and inner hyphens, at most 63")]
ServiceName = Annotated[str, _checked(is_service_name, "<service>.<namespace>")]
Caller = Annotated[str, _checked(is_caller, "<namespace>/<service account>, <namespace>/* or *")]


class _Offered(BaseModel):
    # Unlike what a user declares: a newer exporter may say more than this version knows.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class OfferedGateway(_Offered):
    """A gateway that the importer's proxies dial."""

    address: Annotated[str, Field(max_length=253)]
    """IP address or host name."""
    port: Port
    locality: Annotated[str, Field(pattern=LOCALITY, max_length=200)] | None = None


def _is_identity(text: str) -> bool:
    found = _IDENTITY.fullmatch(text)
    return found is not None and is_host_name(found[1]) and is_dns_label(found[2]) and is_account(found[3])


_IDENTITY = re.compile(r"spiffe://([^/\s]+)/ns/([^/\s]+)/sa/([^/\s]+)")
Identity = Annotated[str, _checked(_is_identity, "spiffe://<trust domain>/ns/<namespace>/sa/<service account>")]


class OfferedService(_Offered):
    """A Service that the importer may call."""

    ports: Annotated[dict[Label, Port], Field(max_length=100)]
    identities: Annotated[tuple[Identity, ...], Field(min_length=1, max_length=100)]
    """Who answers: SPIFFE identities of the service accounts behind it."""
    callers: Annotated[tuple[Caller, ...], Field(max_length=1000)] = ()
    """Who of the importer may call, as the exporter declares it."""


class Offer(_Offered):
    """What one mesh tells one other."""

    version: Literal[1]
    mesh_id: Label
    trust_domain: Annotated[str, _checked(is_host_name, "a lower-case host name")]
    roots: Annotated[str, Field(max_length=200_000)]
    """PEM of every root that its workloads' certificates may lead to."""
    networks: Annotated[tuple[Label, ...], Field(max_length=1000)]
    gateways: Annotated[dict[Label, OfferedGateway], Field(max_length=1000)]
    """By cluster."""
    services: Annotated[dict[ServiceName, OfferedService], Field(max_length=1000)]
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

    None where there is none yet, or none for this mesh. Raises `TopologyError` where it can't be read, or holds what no
    program of this package makes.
    """
    document = _read(where, given)
    if isinstance(document, Mapping) and "version" not in document:
        document = document.get(mesh_id)
    if document is None or document == {}:
        return None
    if not isinstance(document, Mapping):
        raise TopologyError([_unreadable(where, "it is not a mapping")])
    if document.get("version") != VERSION:
        says = document.get("version")
        told = f"of version {says}" if isinstance(says, (int, float)) else "of a version that is no number"
        raise TopologyError([_unreadable(where, f"it is {told}, and this package reads {VERSION}")])
    if "PRIVATE KEY" in json.dumps(document, default=str):
        raise TopologyError([_unreadable(where, "it holds a private key")])
    try:
        return Offer.model_validate(_with_whole_numbers(document))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise TopologyError([_misshapen(where, one) for one in found]) from None


def _read(where: str, given: Any) -> Any:
    """Return the document, text as what it says; raise `TopologyError` for one that is larger than any offer."""
    document = given
    if isinstance(given, str):
        try:
            document = read_json(given)
        except UnreadableText as error:
            raise TopologyError([_unreadable(where, str(error))]) from None
    level, values = [document], 0
    for _ in range(_DEPTH):
        level = [item for value in level for item in _inside(value)]
        values += len(level)
        if values > _VALUES:
            raise TopologyError([_unreadable(where, f"it holds more than {_VALUES} values")])
    if level:
        raise TopologyError([_unreadable(where, f"it is more than {_DEPTH} levels deep")])
    return document


def _inside(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else []


def _with_whole_numbers(value: Any) -> Any:
    """Return the document with numbers as they were: the engine knows no integers."""
    if isinstance(value, Mapping):
        return {key: _with_whole_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _misshapen(where: str, details: Any) -> Problem:
    # A key that is no name is not repeated: it may be anything.
    parts = [str(part) if re.fullmatch(r"[\w.-]{1,253}", str(part)) else "?" for part in details["loc"]]
    message = details["msg"].removeprefix("Value error, ")
    return _unreadable(
        ".".join((where, *(part for part in parts if part != "[key]"))), message[:1].lower() + message[1:]
    )


def _unreadable(where: str, what: str) -> Problem:
    return Problem(
        where=where,
        what=what,
        why="an offer is taken as the other mesh made it, without a secret in it",
        fix='give the output "offers" of the other mesh: StackReference(...).get_output("offers"), '
        "or what pulumi stack output offers --json prints",
        slug="offer-shape",
    )
