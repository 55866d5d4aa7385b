"""mesh.yaml in an editor: the YAML language server, which VS Code, Vim and others run, with the schema of docs/.

The server comes from npm, once, into the user's cache folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..npm import installed
from .test_schema import FILES, ROOT, WRONG

VERSION = "1.25.0"
SCHEMA = (ROOT / "docs" / "mesh.schema.json").as_uri()
_SECONDS = 240


class Server:
    """A language server that runs, spoken to over its standard input and output."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(["node", program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        # Whatever it hangs in, it ends.
        self._watch = threading.Timer(_SECONDS, self._process.kill)
        self._watch.start()
        self._number = 0
        self._told: dict[str, list[Any]] = {}
        settings = {"yaml": {"schemas": {SCHEMA: "*.yaml"}, "validate": True, "hover": True, "completion": True}}
        self._settings = settings
        self.ask("initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": {}})
        self._send({"method": "initialized", "params": {}})
        self._send({"method": "workspace/didChangeConfiguration", "params": {"settings": settings}})
        # It answers before it has read settings and schema: until then no file has problems, and no key is known.
        self.open("file:///ready.yaml", "mesh_id: [1]\n")
        self._until(lambda _: self._told.get("file:///ready.yaml"))

    def ask(self, method: str, params: Any) -> Any:
        """Return the answer to a request."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        number = self._number
        return self._until(lambda message: message.get("id") == number and "method" not in message)["result"]

    def problems(self, name: str, text: str, ending: str = "yaml") -> list[Any]:
        """Open a file with this text and return what the editor would underline."""
        uri = f"file:///{name}.{ending}"
        self.open(uri, text)
        if uri not in self._told:
            self._until(lambda _: uri in self._told)
        return self._told[uri]

    def open(self, uri: str, text: str) -> None:
        """Open a file in the editor."""
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def stop(self) -> None:
        """End the server."""
        self._watch.cancel()
        self._process.kill()
        self._process.wait(_SECONDS)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _until(self, wanted: Any) -> Any:
        while True:
            message = self._read()
            if message.get("method") == "textDocument/publishDiagnostics":
                self._told[message["params"]["uri"]] = message["params"]["diagnostics"]
            elif message.get("method") == "workspace/configuration":
                asked = [self._settings.get(item.get("section")) for item in message["params"]["items"]]
                self._send({"id": message["id"], "result": asked})
            elif "method" in message and "id" in message:
                self._send({"id": message["id"], "result": None})
            if wanted(message):
                return message

    def _read(self) -> Any:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        assert length, "the language server ended"
        return json.loads(self._process.stdout.read(length))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    found = Server(installed("yaml-language-server", VERSION) / "bin" / "yaml-language-server")
    yield found
    found.stop()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_is_underlined_in_an_example(server: Server, file: Path) -> None:
    name = str(file.relative_to(ROOT)).replace("/", "-").removesuffix(".yaml")
    assert server.problems(name, file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "a list"])
def test_what_a_schema_can_see_is_underlined(server: Server, wrong: str) -> None:
    text = yaml.safe_dump(WRONG[wrong][0], sort_keys=False)
    assert server.problems(wrong.replace(" ", "-").replace("'", ""), text) != []


HEAD = """\
mesh_id: prod
istio_version: "1.31.1"
trust: {roots: [{issued: 2026-11-23}]}
"""

LINES = {
    "clusters:\n  East: {}\n": (5, "such as east-1"),
    "clusters:\n  east:\n    netwrok: vpc\n": (6, "netwrok is not allowed"),
    "clusters:\n  east:\n    kubeconfig: x\n": (6, "kubeconfig is not allowed"),
    "clusters:\n  east:\n    network: VPC\n": (6, "such as east-1"),
    "clusters:\n  east:\n    pod_cidr: 10.0.0.0\n": (6, "such as 10.8.0.0/14"),
    "clusters:\n  east:\n    protect: perhaps\n": (6, "true or false"),
    "clusters:\n  east:\n    crds: mine\n": (6, "managed"),
    "clusters:\n  east:\n    gke: {}\n": (6, "region"),
    "clusters:\n  east: {}\nmtls: off\n": (6, "permissive"),
    "clusters:\n  east: {}\nverify:\n  timeout_seconds: 1\n": (7, "10"),
    "clusters:\n  east: {}\nvalues:\n  istio: {}\n": (7, "istio is not allowed"),
    "clusters:\n  east:\n": (5, "Cluster"),
}


@pytest.mark.parametrize("text", LINES)
def test_it_is_underlined_where_it_stands_and_told_what_to_type(server: Server, text: str) -> None:
    found = server.problems(f"line-{list(LINES).index(text)}", HEAD + text)
    line, words = LINES[text]
    assert [problem["range"]["start"]["line"] + 1 for problem in found] == [line]
    assert words in found[0]["message"]


@pytest.mark.parametrize("level", ["off", "false", "traffic"])
def test_what_the_loader_takes_is_not_underlined(server: Server, level: str) -> None:
    more = f"clusters:\n  east: {{protect: yes}}\nfailover: on\nverify: {{level: {level}, timeout_seconds: '60'}}\n"
    assert server.problems(f"taken-{level}", HEAD + more) == []


def test_a_file_can_name_its_schema_itself(server: Server, tmp_path: Path) -> None:
    """As those that `istio-mesh new` writes do; without the line nothing is known of a file of this ending."""
    (tmp_path / "mesh.schema.json").write_bytes((ROOT / "docs" / "mesh.schema.json").read_bytes())
    wrong = HEAD + "clusters: {East: {}}\n"
    lines = []
    for name, first in (("with", "# yaml-language-server: $schema=mesh.schema.json\n"), ("without", "#\n")):
        found = server.problems(f"{tmp_path}/{name}".lstrip("/"), first + wrong, ending="yml")
        lines.append([problem["range"]["start"]["line"] + 1 for problem in found])
    assert lines == [[5], []]


TEXT = """\
mesh_id: prod
istio_version: "1.31.1"
clusters:
  east:
    network: vpc
    pr
"""


def test_a_key_is_explained_where_it_is_pointed_at(server: Server) -> None:
    server.open("file:///hover.yaml", TEXT)
    found = server.ask(
        "textDocument/hover", {"textDocument": {"uri": "file:///hover.yaml"}, "position": {"line": 4, "character": 6}}
    )
    assert "dial each other's pod addresses directly" in json.dumps(found)


def test_keys_of_a_cluster_are_offered(server: Server) -> None:
    server.open("file:///completion.yaml", TEXT)
    found = server.ask(
        "textDocument/completion",
        {"textDocument": {"uri": "file:///completion.yaml"}, "position": {"line": 5, "character": 6}},
    )
    items = found["items"] if isinstance(found, dict) else found
    assert {"primary", "protect"} <= {item["label"] for item in items}
