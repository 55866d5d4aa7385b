"""Stands in for pulumi-language-python: runs the Python program of a project for the engine.

Upstream's is a Go program that is published as part of Pulumi's releases only, not as a Go module. This one
serves the same gRPC interface with the SDK's own stubs and starts programs as upstream does, with the same
`pulumi-language-python-exec` (Source: sdk/python/cmd/pulumi-language-python in pulumi 3.259.0). It generates no
code and installs nothing. It is used only on a machine where the real one is absent.
"""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from pathlib import Path
from typing import IO, Any

import grpc  # type: ignore[import-untyped, unused-ignore]
from google.protobuf import empty_pb2  # type: ignore[import-untyped, unused-ignore]
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped, unused-ignore]
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from lab.plugins import EXECUTOR, commands_folder
from lab.programs import PULUMI

_HAS_TOLD_THE_USER = 32
"""The exit code with which upstream's executor says that the error has been printed already."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine; what isn't here the engine gets told is unimplemented."""

    def __init__(self, engine: str, executor: str) -> None:
        self._engine = engine
        self._executor = executor
        self._children: set[subprocess.Popen[bytes]] = set()

    def Handshake(self, request: Any, context: Any) -> Any:
        """Nothing to agree on."""
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version of the SDK that is served."""
        return plugin_pb2.PluginInfo(version=PULUMI)

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        """None, as below."""
        return language_pb2.GetRequiredPluginsResponse()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """None."""
        # The plugins lie in PULUMI_HOME already, and each resource names the version it wants.
        return language_pb2.GetRequiredPackagesResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        """None: this is for `pulumi about` only."""
        return language_pb2.GetProgramDependenciesResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        """Nothing to ask: this is for `pulumi new` only."""
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        """Installs nothing."""
        return iter(())

    def About(self, request: Any, context: Any) -> Any:
        """The interpreter of this process."""
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def Cancel(self, request: Any, context: Any) -> Any:
        """Ends the programs that run."""
        for child in list(self._children):
            _terminate(child)
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:
        """Runs the program to its end; a program that has explained its failure itself "bails"."""
        python, environment = interpreter(request.info)
        command = [python, "-u", self._executor, *run_arguments(request, self._engine)]
        environment |= {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        child = subprocess.Popen(command, env=environment, cwd=request.pwd or None)
        code = self._wait(child, context)
        if code == _HAS_TOLD_THE_USER:
            return language_pb2.RunResponse(bail=True)
        failed = f"Program exited with non-zero exit code: {code}" if code else ""
        return language_pb2.RunResponse(error=failed)

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Runs a plugin written in Python, passing on what it prints as it prints it."""
        # Upstream makes a virtualenv of the plugin's own for this. Here PATH's Python has the package installed.
        python, environment = interpreter(request.info)
        environment |= dict(entry.split("=", 1) for entry in request.env)
        command = [python, "-u", plugin_entry(request.info), *request.args]
        child = subprocess.Popen(
            command, env=environment, cwd=request.pwd or None, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        yield from _output_of(child)
        yield language_pb2.RunPluginResponse(exitcode=self._wait(child, context))

    def _wait(self, child: "subprocess.Popen[bytes]", context: Any) -> int:
        self._children.add(child)
        context.add_callback(lambda: _terminate(child))
        try:
            return child.wait()
        finally:
            self._children.discard(child)


def _terminate(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.terminate()


def run_arguments(request: Any, engine: str) -> list[str]:
    """The arguments of upstream's executor for a RunRequest."""
    named = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd,
        "organization": request.organization,
        "dry_run": "true" if request.dryRun else "",
        "parallel": str(request.parallel),
    }
    options = [part for name, value in named.items() if value for part in (f"--{name}", value)]
    entry = request.info.entry_point
    program = Path(request.info.program_directory)
    return [*options, str(program if entry in ("", ".") else program / entry), *request.args]


def interpreter(info: Any) -> tuple[str, dict[str, str]]:
    """The Python a project asks for and the environment to run it in: its virtualenv, else the one on PATH."""
    environment = dict(os.environ)
    options: Mapping[str, Any] = MessageToDict(info.options)
    if not options.get("virtualenv"):
        found = os.environ.get("PULUMI_PYTHON_CMD") or shutil.which("python3") or shutil.which("python")
        return found or sys.executable, environment
    virtualenv = Path(info.root_directory or ".", options["virtualenv"])
    environment |= {"VIRTUAL_ENV": str(virtualenv), "PATH": f"{virtualenv / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONHOME", None)
    return str(virtualenv / "bin" / "python"), environment


def plugin_entry(info: Any) -> str:
    """What to run of a plugin: its folder, or the file its entry point names."""
    entry = info.entry_point
    return str(Path(info.program_directory) if entry in ("", ".") else Path(info.program_directory, entry))


def _output_of(child: "subprocess.Popen[bytes]") -> Iterator[Any]:
    """Messages with the child's output, in the order it comes, until both streams end."""
    arrived: queue.Queue[Any] = queue.Queue()

    def forward(stream: IO[bytes], message: Callable[[bytes], Any]) -> None:
        while part := os.read(stream.fileno(), 65536):
            arrived.put(message(part))
        arrived.put(None)

    streams = [
        (child.stdout, lambda part: language_pb2.RunPluginResponse(stdout=part)),
        (child.stderr, lambda part: language_pb2.RunPluginResponse(stderr=part)),
    ]
    for stream in streams:
        threading.Thread(target=forward, args=stream, daemon=True).start()
    for _ in streams:
        yield from iter(arrived.get, None)


def serve(engine: str) -> None:
    """Prints the port, as the engine expects of a plugin, and serves until the engine ends the process."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    host = LanguageHost(engine, str(commands_folder() / EXECUTOR))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    # The engine ends its plugins with an interrupt.
    with contextlib.suppress(KeyboardInterrupt):
        server.wait_for_termination()


if __name__ == "__main__":
    # Flags of the engine's logging come first; the engine's address is always the last argument.
    serve(sys.argv[-1])
