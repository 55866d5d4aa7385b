"""A Kubernetes client of a few functions over plain HTTPS.

kubectl would cost a tenth of a CPU second a call, and the official client library half a second to import;
the lab asks every cluster several times a second while it starts.
"""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from lab import addresses
from lab.paths import ClusterPaths
from lab.shape import number_of

Object = dict[str, Any]
"""A Kubernetes object as the API server wrote it."""

MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
_TIMEOUT_SECONDS = 10
_WATCH_SECONDS = 300
_PAUSE_SECONDS = 0.5


class ApiError(Exception):
    """The API server answered, and refused."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:400]}")
        self.status = status


class KubernetesApi:
    """Talks to one cluster as its administrator."""

    def __init__(self, paths: ClusterPaths) -> None:
        self._host = str(addresses.node(number_of(paths.name)))
        pki = paths.certificates
        self._tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")

    def get(self, path: str) -> Object:
        """The object or list at a path."""
        return self.request("GET", path)

    def exists(self, path: str) -> bool:
        """Whether there is an object at a path."""
        try:
            self.get(path)
        except ApiError as error:
            if error.status == http.client.NOT_FOUND:
                return False
            raise
        return True

    def apply(self, path: str, manifest: Object) -> Object:
        """Creates the object or brings it to what the manifest says (server-side apply)."""
        return self.request("PATCH", f"{path}?fieldManager=lab&force=true", manifest, APPLY_PATCH)

    def patch(self, path: str, change: Object) -> Object:
        """Changes the fields that `change` names (JSON merge patch); None removes one."""
        return self.request("PATCH", path, change, MERGE_PATCH)

    def request(
        self, method: str, path: str, body: Object | None = None, content_type: str = "application/json"
    ) -> Object:
        """The answer's object; raises ApiError for a refusal and OSError when nobody answers."""
        connection = self._connect(_TIMEOUT_SECONDS)
        try:
            answer = self._send(connection, method, path, body, content_type)
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise ApiError(answer.status, text)
        tree: Object = json.loads(text)
        return tree

    def ready(self) -> bool:
        """Whether the API server says of itself that it is ready; false too when nobody answers."""
        connection = self._connect(_TIMEOUT_SECONDS)
        try:
            return self._send(connection, "GET", "/readyz", None, "").read() == b"ok"
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def watch(self, path: str, version: str) -> Iterator[tuple[str, Object]]:
        """Every change after `version` as (type, object), until the API server ends the watch."""
        connection = self._connect(_WATCH_SECONDS + _TIMEOUT_SECONDS)
        try:
            query = f"?watch=true&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={_WATCH_SECONDS}"
            for line in self._send(connection, "GET", path + query, None, ""):
                event = json.loads(line)
                yield event["type"], event["object"]
        finally:
            connection.close()

    def _connect(self, timeout_seconds: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            self._host, addresses.API_SERVER_PORT, timeout=timeout_seconds, context=self._tls
        )

    @staticmethod
    def _send(
        connection: http.client.HTTPSConnection, method: str, path: str, body: Object | None, content_type: str
    ) -> http.client.HTTPResponse:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        return connection.getresponse()


class Mirror:
    """All objects of one kind, kept current by a watch in a thread of its own."""

    def __init__(self, api: KubernetesApi, path: str, changed: Callable[[], None]) -> None:
        self._api = api
        self._path = path
        self._changed = changed
        self._objects: dict[tuple[str, str], Object] = {}
        self.filled = threading.Event()
        """Set once the first list is in: before that, an absent object means nothing."""

    def start(self) -> None:
        """Begins to follow, in a thread that ends with the process."""
        threading.Thread(target=self._follow_for_ever, name=self._path, daemon=True).start()

    @property
    def objects(self) -> list[Object]:
        """All objects as of now."""
        return list(self._objects.values())

    def _follow_for_ever(self) -> None:
        while True:
            try:
                self._follow(self._fill())
            except (OSError, ApiError, http.client.HTTPException, ValueError) as error:
                print(f"watching {self._path}: {error}", flush=True)
            time.sleep(_PAUSE_SECONDS)

    def _fill(self) -> str:
        listed = self._api.get(self._path)
        self._objects = {key_of(item): item for item in listed["items"]}
        self.filled.set()
        self._changed()
        version: str = listed["metadata"]["resourceVersion"]
        return version

    def _follow(self, version: str) -> None:
        for kind, item in self._api.watch(self._path, version):
            if kind == "ERROR":
                return  # The version is too old for the server to go on from: list again.
            if kind == "DELETED":
                self._objects.pop(key_of(item), None)
            elif kind in ("ADDED", "MODIFIED"):
                self._objects[key_of(item)] = item
            else:
                continue
            self._changed()


def key_of(item: Object) -> tuple[str, str]:
    """Namespace and name."""
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
