"""An engine for a component plugin: starts it as Pulumi does, and keeps every registration that it makes.

Seen: what goes over the wire, both ways. Not seen: what the real engine makes of it, such as options that it passes on
to children, and transforms, which it applies itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from ..components.recorder import GATEWAY_ADDRESS, FakeCloud, Recording, registered, urn_of

ROOT = Path(__file__).parents[2]
PARENT = "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s"
# What Go's gRPC takes, which the engine is written in: a refusal may be long.
_OPTIONS = [("grpc.max_metadata_size", 16 << 20), ("grpc.max_receive_message_length", -1)]


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.log: list[str] = []

    def Log(self, request: Any, context: Any) -> Any:
        # In debug messages, which the engine prints on request only, Pulumi's SDK has whole outputs, secret ones too.
        if request.severity != engine_pb2.DEBUG:
            self.log.append(request.message)
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=PARENT)

    def RequirePulumiVersion(self, request: Any, context: Any) -> Any:
        return engine_pb2.RequirePulumiVersionResponse()


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    def __init__(self, *, preview: bool) -> None:
        status = {"loadBalancer": {"ingress": [{"ip": GATEWAY_ADDRESS}]}}
        self.cloud = FakeCloud(preview=preview, status=status, token=True)
        self.requests: list[Any] = []
        self.outputs: dict[str, Any] = {}

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        features = resource_pb2.ResourceMonitorFeature.values()
        return resource_pb2.DeploymentInfo(supportedFeatures=features)

    def RegisterResource(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        urn = urn_of(request.parent, request.type, request.name)
        if request.remote:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = json_format.MessageToDict(request.object)
        arguments = mocks.MockResourceArgs(request.type, request.name, inputs, request.provider, request.importId)
        made, state = self.cloud.new_resource(arguments)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=made, object=struct(state))

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        self.outputs[request.urn] = json_format.MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def RegisterErrorHook(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def RegisterResourceHook(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def RegisterPackage(self, request: Any, context: Any) -> Any:
        return resource_pb2.RegisterPackageResponse(ref=request.name)

    def Invoke(self, request: Any, context: Any) -> Any:
        """Answer who asks for a resource that is in the stack, such as a provider among a component's options."""
        assert request.tok == "pulumi:pulumi:getResource", request.tok
        found = {"urn": request.args["urn"], "id": "an-id", "state": {}}
        return provider_pb2.InvokeResponse(**{"return": struct(found)})


def struct(tree: Mapping[str, Any]) -> struct_pb2.Struct:
    """A tree as the wire has it."""
    found: struct_pb2.Struct = json_format.ParseDict(tree, struct_pb2.Struct())
    return found


@dataclass(frozen=True)
class Constructed:
    """What came of a component that a program in another language declared."""

    recording: Recording
    urn: str
    outputs: dict[str, Any] = field(repr=False)
    """As the program gets them, by their names on the wire."""
    kept: dict[str, Any] = field(repr=False)
    """Outputs that went into the stack's state, by URN."""
    requests: list[Any] = field(repr=False)
    """The registrations as they came over the wire."""

    @property
    def own(self) -> Any:
        """The registration of the component itself."""
        return next(request for request in self.requests if urn_of("", request.type, request.name) == self.urn)


@dataclass(frozen=True)
class Refused:
    """A component that was refused, and what it registered until then."""

    code: grpc.StatusCode
    said: str
    details: Any = field(repr=False)
    recording: Recording


class Plugin:
    """A component plugin that runs."""

    def __init__(self, address: str, engine: _Engine, errors: Path) -> None:
        self._errors = errors
        self._engine = engine
        self._stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(address, options=_OPTIONS))

    def schema(self) -> dict[str, Any]:
        """Return what the plugin says of its components."""
        found: dict[str, Any] = json.loads(self._stub.GetSchema(provider_pb2.GetSchemaRequest(version=0)).schema)
        return found

    def version(self) -> str:
        """Return the version that the plugin says it has."""
        return str(self._stub.GetPluginInfo(empty_pb2.Empty()).version)

    def printed(self) -> str:
        """Return what the plugin wrote to stderr, which the engine shows to the user."""
        return self._errors.read_text()

    def construct(
        self, kind: str, name: str, inputs: Mapping[str, Any], *, preview: bool = False, **options: Any
    ) -> Constructed | Refused:
        """Let the plugin make a component of inputs as the wire has them; `options` are those of the request."""
        monitor = _Monitor(preview=preview)
        logged_before = len(self._engine.log)
        with _serving(resource_pb2_grpc.add_ResourceMonitorServicer_to_server, monitor) as address:
            request = provider_pb2.ConstructRequest(
                project="p",
                stack="s",
                organization="o",
                parallel=16,
                dryRun=preview,
                monitorEndpoint=address,
                type=kind,
                name=name,
                parent=PARENT,
                accepts_output_values=True,
                inputs=struct(inputs),
                **options,
            )
            error = response = None
            try:
                response = self._stub.Construct(request, timeout=120)
            except grpc.RpcError as caught:
                error = caught
        rows = {row.short: row for row in map(registered, monitor.requests)}
        recording = Recording(rows, error, self._engine.log[logged_before:], [])
        if error is not None:
            return Refused(error.code(), str(error.details()), error.trailing_metadata(), recording)
        assert response is not None
        outputs = json_format.MessageToDict(response.state)
        return Constructed(recording, response.urn, outputs, monitor.outputs, monitor.requests)


@contextmanager
def running(folder: Path) -> Iterator[Plugin]:
    """A plugin of components that runs."""
    engine = _Engine()
    with (
        _serving(engine_pb2_grpc.add_EngineServicer_to_server, engine) as address,
        started(folder, address) as (own_address, errors),
    ):
        yield Plugin(own_address, engine, errors)


@contextmanager
def started(folder: Path, engine: str) -> Iterator[tuple[str, Path]]:
    """The address of a plugin as the engine runs it, and what it prints: its folder and the engine are all it knows."""
    with (
        tempfile.NamedTemporaryFile() as errors,
        subprocess.Popen([sys.executable, "-u", folder, engine], stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        try:
            assert process.stdout is not None
            port = process.stdout.readline().decode().strip()
            assert port.isdigit(), f"the plugin named no port:\n{Path(errors.name).read_text()}"
            yield f"127.0.0.1:{port}", Path(errors.name)
        finally:
            process.kill()


@contextmanager
def _serving(add: Any, servicer: Any) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(16), options=_OPTIONS)
    add(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None)
