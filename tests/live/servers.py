"""API servers of this process: real HTTP on loopback, invented clusters."""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import hashlib
import json
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml


class Server:
    """What one invented cluster answers, and what it was asked."""

    def __init__(self, answers: dict[str, Any] | None = None, *, ahead_seconds: float = 0) -> None:
        self.answers = {"/version": {"gitVersion": "v1.36.3", "major": "1", "minor": "36"}, **(answers or {})}
        self.ahead_seconds = ahead_seconds
        self.asked: list[tuple[str, str, str]] = []
        """Method, path with query, and Accept header of each request."""
        self.headers: list[list[tuple[str, str]]] = []
        """All headers of each request."""
        self.printed = ""
        """What every command in every pod prints."""
        self.delay = threading.Event()
        self.delay.set()
        self.kubeconfig = ""


@contextmanager
def serving(server: Server, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """The server, up; its kubeconfig leads to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append((self.command, self.path, self.headers.get("Accept", "")))
            server.headers.append(self.headers.items())
            server.delay.wait(30)
            if self.headers.get("Upgrade") == "websocket":
                self.exec()
                return
            path = self.path.partition("?")[0].rstrip("/") or "/"
            found = server.answers.get(self.path, server.answers.get(path, {"items": []}))
            status, body = found if isinstance(found, tuple) else (200, found)
            data = json.dumps(body).encode()
            self.send_response_only(status)
            moment = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=server.ahead_seconds)
            self.send_header("Date", email.utils.format_datetime(moment, usegmt=True))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def exec(self) -> None:
            """Print as a command does, and say on channel 3 how it ended. Source: RFC 6455, 4.2.2 and 5.2."""
            accepted = hashlib.sha1(f"{self.headers['Sec-WebSocket-Key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode())
            self.send_response_only(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(accepted.digest()).decode())
            self.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
            self.end_headers()
            for message in (b"\x01" + server.printed.encode(), b'\x03{"status": "Failure"}'):
                short = len(message) < 126
                length = struct.pack(">B", len(message)) if short else b"\x7e" + struct.pack(">H", len(message))
                self.wfile.write(b"\x82" + length + message)
            self.rfile.read(2)
            self.close_connection = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "https" if tls else "http"
    if tls:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    server.kubeconfig = yaml.safe_dump(
        {
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": f"{scheme}://127.0.0.1:{http.server_address[1]}"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {"token": "planted-token"}}],
        }
    )  # fmt: skip
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.delay.set()
        http.shutdown()
        http.server_close()
        thread.join()
