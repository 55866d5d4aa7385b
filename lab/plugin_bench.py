"""How long a program in another language waits for the component plugin: its schema, and its first resource."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped, unused-ignore]
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)
from rich.table import Table

from lab.progress import Progress

_ROOT = Path(__file__).parents[1]
_BUDGET = 1.0
"""Seconds until the schema is there, from the start of the process."""


class _Engine(engine_pb2_grpc.EngineServicer):
    def Log(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Notes when the first resource is registered, and takes no other."""

    def __init__(self) -> None:
        self.first: float | None = None

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        return resource_pb2.DeploymentInfo()

    def RegisterResource(self, request: Any, context: Any) -> Any:
        self.first = self.first or time.monotonic()
        context.abort(grpc.StatusCode.UNAVAILABLE, "that is all")


def table(runs: int, progress: Progress) -> Table:
    """Return medians; the resource is the mesh itself, which is registered once all of it is planned."""
    with progress.step("the component plugin", usually=10):
        taken = [_timed() for _ in range(runs)]
    found = Table(title="The component plugin, from the start of its process; medians (smallest to largest)")
    for column in ("what", "wall s", "budget s"):
        found.add_column(column)
    for what, seconds, budget in zip(
        ("GetSchema answered", "first resource of the first Construct registered"),
        zip(*taken, strict=True),
        (f"{_BUDGET:.1f}", ""),
        strict=True,
    ):
        found.add_row(what, f"{median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})", budget)
    return found


def _timed() -> tuple[float, float]:
    monitor = _Monitor()
    server = grpc.server(ThreadPoolExecutor())
    engine_pb2_grpc.add_EngineServicer_to_server(_Engine(), server)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    start = time.monotonic()
    with subprocess.Popen([sys.executable, _ROOT, address], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().decode().strip()
            stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
            stub.GetSchema(provider_pb2.GetSchemaRequest(version=0))
            schema = time.monotonic() - start
            inputs = struct_pb2.Struct()
            inputs.update({"istioVersion": "1.31.1", "trust": {"kind": "external"}, "clusters": {"east": {}}})
            inputs.update({"renderTo": "rendered"})
            request = provider_pb2.ConstructRequest(
                type="istio-mesh:index:Mesh", name="prod", project="p", stack="s", monitorEndpoint=address,
                inputs=inputs,
            )  # fmt: skip
            call = stub.Construct.future(request)
            while monitor.first is None and not call.done():
                time.sleep(0.005)
            assert monitor.first is not None, call.exception()
            return schema, monitor.first - start
        finally:
            process.kill()
            server.stop(None)
