"""A mock engine that keeps every registration as the real engine would get it.

Seen: types, names, parents, providers, dependencies, options, inputs with what is secret and unknown in them.
Not seen: what charts hold (the provider registers it), and what the engine passes from a parent to its children
(`reaching` follows the parents instead).
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

import pulumi
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import json_format
from pulumi.runtime import mocks, resource as registration, rpc
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await

from ..builders import a_kubeconfig

STACK = "pulumi:pulumi:Stack"
GATEWAY_ADDRESS = "198.51.100.7"
"""What every load balancer of the mock cloud is called."""


GOOGLES: dict[str, Callable[[str], dict[str, Any]]] = {
    "gcp:compute/address:Address": lambda _: {"address": "203.0.113.9", "selfLink": "address"},
    "gcp:compute/router:Router": lambda name: {"name": name},
    "gcp:serviceaccount/account:Account": lambda name: {"email": f"{name}@acme-prod.iam.gserviceaccount.com"},
    "gcp:container/cluster:Cluster": lambda name: {
        "endpoint": "203.0.113.1",
        "masterAuth": {"clusterCaCertificate": base64.b64encode(b"ca").decode()},
        "privateClusterConfig": {"privateEndpoint": "10.0.255.242"},
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": f"gke-{name}.gke.goog"}},
    },
}
"""What Google's provider adds to what it is given."""


class FakeCloud(mocks.Mocks):
    """Answers registrations as clusters would: tokens in token Secrets, an address for each load balancer."""

    def __init__(self, *, preview: bool, status: Any, token: bool) -> None:
        self.preview, self.status, self.token = preview, status, token

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state = dict(args.inputs)
        if self.preview:
            return "", state
        if args.typ == MadeCluster.TYPE:
            state["kubeconfig"] = a_kubeconfig(state["server"])
        if args.typ in GOOGLES:
            state |= GOOGLES[args.typ](args.name)
        if args.typ == "tls:index/privateKey:PrivateKey":
            state["privateKeyPemPkcs8"] = private_key(args.name)
        if args.inputs.get("type") == "kubernetes.io/service-account-token" and self.token:
            token = base64.b64encode(f"token of {args.name}".encode()).decode()
            state["data"] = {"token": token, "ca.crt": base64.b64encode(b"ca").decode()}
        if args.typ == "kubernetes:core/v1:Service":
            state["status"] = self.status
        return f"{args.name}-id", state

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return {}, None


class MadeCluster(pulumi.CustomResource):
    """A cluster that is made by the same program: nothing of it is known in a preview."""

    TYPE = "test:index:Cluster"
    kubeconfig: pulumi.Output[str]

    def __init__(self, name: str, server: str = "https://192.0.2.99:6443") -> None:
        super().__init__(self.TYPE, name, {"server": server, "kubeconfig": None})


@cache
def private_key(name: str) -> str:
    """A key per name, made once: signing must be the only thing that takes time."""
    key = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def short(urn: str) -> str:
    """`<kind> <logical name>` of a URN; unique within these tests' programs."""
    *_, types, name = urn.split("::")
    return f"{types.split('$')[-1].split(':')[-1]} {name}"


@dataclass(frozen=True)
class Registered:
    """One registration; other resources stand in it by their short names."""

    type: str
    name: str
    parent: str
    provider: str
    after: tuple[str, ...]
    protect: bool
    retain_on_delete: bool
    delete_first: bool
    aliases: tuple[dict[str, Any], ...] = field(repr=False)
    """As the engine is told of them: by `urn`, or by what differs in `spec`."""
    imported: str
    """By which it is found where it was there before; empty where it is made."""
    inputs: dict[str, Any] = field(repr=False)

    @property
    def short(self) -> str:
        return f"{self.type.split(':')[-1]} {self.name}"

    @property
    def of_kubernetes(self) -> bool:
        return self.type.startswith("kubernetes:")

    def row(self) -> str:
        """The registration without its inputs, as text."""
        options = [word for word in ("protect", "retain_on_delete") if getattr(self, word)]
        lines = [self.short, f"  in {self.parent}", *(f"  {option}" for option in options)]
        lines += [f"  through {self.provider}"] if self.provider else []
        return "\n".join([*lines, *(f"  after {other}" for other in self.after)])


@dataclass
class Recording:
    """What one run of a program registered, logged and failed with."""

    rows: dict[str, Registered]
    error: BaseException | None
    log: list[str]
    """Warnings and errors."""
    notes: list[str]

    def __getitem__(self, short_name: str) -> Registered:
        return self.rows[short_name]

    def __contains__(self, short_name: str) -> bool:
        return short_name in self.rows

    def __iter__(self) -> Iterator[Registered]:
        return iter(self.rows.values())

    def ancestors(self, short_name: str) -> list[str]:
        """The components around a resource, the nearest first."""
        parent = self.rows[short_name].parent
        return [parent, *self.ancestors(parent)] if parent in self.rows else []

    def reaching(self, option: str) -> set[str]:
        """Resources that an option reaches, by itself or from a component around it, as the engine passes it on."""
        return {name for name in self.rows if any(getattr(self.rows[n], option) for n in (name, *self.ancestors(name)))}

    def waits_for(self, short_name: str) -> set[str]:
        """Everything that must be there before this resource, over any number of steps."""
        found: set[str] = set()
        waiting = [short_name]
        while waiting:
            row = self.rows[waiting.pop()]
            new = {other for other in (*row.after, *([row.provider] if row.provider else [])) if other not in found}
            found |= new
            waiting += [other for other in new if other in self.rows]
        return found

    def text(self) -> str:
        """Every registration, sorted: the order of registration is the event loop's, not the program's."""
        return "\n".join(row.row() for row in sorted(self, key=lambda row: (row.name, row.type))) + "\n"


def urn_of(parent: str, type_: str, name: str) -> str:
    """The URN that the engine makes: with the types of all parents, where mocks keep the nearest alone."""
    around = parent.split("::")[2] if parent else STACK
    types = type_ if around == STACK else f"{around}${type_}"
    return "::".join(["urn:pulumi:s", "p", types, name])


class _Monitor(mocks.MockMonitor):
    def __init__(self, cloud: FakeCloud) -> None:
        super().__init__(cloud)
        self.requests: list[Any] = []

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        return urn_of(parent, type_, name)

    def RegisterResource(self, request: Any) -> Any:
        if request.type != STACK:
            self.requests.append(request)
        return super().RegisterResource(request)


def run(
    program: Callable[[], Any],
    *,
    preview: bool = False,
    status: Any = {"loadBalancer": {"ingress": [{"ip": GATEWAY_ADDRESS}]}},  # noqa: B006
    token: bool = True,
) -> Recording:
    """Run a program on the mock engine to its end, also where it fails, and return what happened."""
    lines: list[str] = []
    notes: list[str] = []
    logger = logging.Logger("program", logging.INFO)
    handler = logging.Handler()
    handler.emit = lambda record: (lines if record.levelno > logging.INFO else notes).append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    monitor = _Monitor(FakeCloud(preview=preview, status=status, token=token))
    mocks.set_mocks(monitor.mocks, project="p", stack="s", preview=preview, logger=logger, monitor=monitor)
    error: BaseException | None = None
    # Python 3.11 prints what nobody awaited while it collects garbage, and trips over pytest, which parses meanwhile.
    _ensure_event_loop().set_exception_handler(lambda *_: None)
    try:
        # Which lines of a program a resource comes from, which nobody asks here, is a quarter of the SDK's work.
        with patch.object(registration, "_get_stack_trace", source_pb2.StackTrace):
            pulumi.runtime.test(lambda: program() and None)()
    except Exception as caught:
        error = caught
        _sync_await(_settle())
    rows = [registered(request) for request in monitor.requests]
    assert len({row.short for row in rows}) == len(rows), "two resources share a type and a name"
    return Recording({row.short: row for row in rows}, error, lines, notes)


def record(program: Callable[[], Any], **options: Any) -> Recording:
    """Run a program that must not fail."""
    recording = run(program, **options)
    if recording.error is not None:
        raise recording.error
    return recording


def failure(program: Callable[[], Any], **options: Any) -> Recording:
    """Run a program that must fail; every registration it still makes is in the recording."""
    recording = run(program, **options)
    assert recording.error is not None, "the program did not fail"
    return recording


async def _settle() -> None:
    """Wait for what a failed program still does: absence can be asserted only when nothing is under way."""
    manager = SETTINGS.rpc_manager
    while manager.rpcs or SETTINGS.outputs:
        tasks = [*manager.rpcs, *SETTINGS.outputs]
        manager.rpcs.clear()
        SETTINGS.outputs.clear()
        await asyncio.gather(*tasks, return_exceptions=True)
    manager.clear()


def registered(request: Any) -> Registered:
    """What a test sees of a registration."""
    return Registered(
        type=request.type,
        name=request.name,
        parent=short(request.parent),
        # Components carry their provider in a map, charts (remote components) in both.
        provider=short(request.provider.rpartition("::")[0]) if request.provider else "",
        after=tuple(sorted(short(urn) for urn in request.dependencies)),
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_first=request.deleteBeforeReplace,
        aliases=tuple(json_format.MessageToDict(alias) for alias in request.aliases),
        imported=request.importId,
        inputs=json_format.MessageToDict(request.object),
    )


def is_secret(value: Any) -> bool:
    """Whether a recorded input would be encrypted in the stack's state."""
    return isinstance(value, dict) and value.get(rpc._special_sig_key) == rpc._special_secret_sig


def is_unknown(value: Any) -> bool:
    """Whether a recorded input is not known yet."""
    inner = value.get("value") if is_secret(value) else value
    return inner == rpc.UNKNOWN


def revealed(value: Any) -> Any:
    """A recorded input without the marks of secrets."""
    if is_secret(value):
        return revealed(value["value"])
    if isinstance(value, dict):
        return {key: revealed(item) for key, item in value.items()}
    return [revealed(item) for item in value] if isinstance(value, list) else value
