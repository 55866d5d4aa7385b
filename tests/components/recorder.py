"""A mock engine that keeps every registration as the real engine would get it: parents, dependencies, providers."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc

from pulumi_istio_mesh.istio.certificates import fingerprint  # noqa: F401  (fails early where trust is missing)

_KEYS: dict[str, str] = {}


class FakeCloud(mocks.Mocks):
    """Answers registrations as clusters would: tokens in token Secrets, an address for each load balancer."""

    def __init__(self, *, preview: bool) -> None:
        self.preview = preview

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state = dict(args.inputs)
        if self.preview:
            return "", state
        if args.typ == "tls:index/privateKey:PrivateKey":
            state["privateKeyPemPkcs8"] = _key(args.name)
        if args.inputs.get("type") == "kubernetes.io/service-account-token":
            token = base64.b64encode(f"token of {args.name}".encode()).decode()
            state["data"] = {"token": token, "ca.crt": base64.b64encode(b"ca").decode()}
        if args.typ == "kubernetes:core/v1:Service":
            state["status"] = {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}
        return f"{args.name}-id", state

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return {}, None


def _key(name: str) -> str:
    """A key per name, made once: signing must be the only thing that takes time."""
    if name not in _KEYS:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        _KEYS[name] = key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
    return _KEYS[name]


@dataclass(frozen=True)
class Registered:
    """One registration."""

    type: str
    name: str
    parent: str
    provider: str
    dependencies: tuple[str, ...]
    inputs: dict[str, Any]
    protect: bool
    retain_on_delete: bool


class _Monitor(mocks.MockMonitor):
    def __init__(self, cloud: FakeCloud) -> None:
        super().__init__(cloud)
        self.requests: list[Any] = []

    def RegisterResource(self, request: Any) -> Any:
        self.requests.append(request)
        return super().RegisterResource(request)


def record(program: Callable[[], Any], *, preview: bool = False) -> list[Registered]:
    """Run a program on the mock engine and return what it registered, in order."""
    monitor = _Monitor(FakeCloud(preview=preview))
    mocks.set_mocks(monitor.mocks, project="p", stack="s", preview=preview, monitor=monitor)
    pulumi.runtime.test(lambda: program() and None)()
    return [_registered(request) for request in monitor.requests]


def _registered(request: Any) -> Registered:
    return Registered(
        type=request.type,
        name=request.name,
        parent=request.parent.split("::")[-1],
        provider=request.provider.split("::")[-2] if request.provider else "",
        dependencies=tuple(sorted(urn.split("::", 2)[-1] for urn in request.dependencies)),
        inputs=rpc.deserialize_properties(request.object, keep_unknowns=True),
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
    )
