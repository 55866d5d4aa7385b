"""One cluster's API server, as far as it is read: lists, metadata, metrics, and commands in pods that only look."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import kr8s
import kr8s.asyncio

from ..topology.kubeconfig import KubeconfigError
from ..topology.limits import UnreadableText
from ..topology.yaml_text import read_yaml
from .kubeconfig import Headers, resolved

# kr8s warns of a Kubernetes that is newer than itself, and of versions that are none; what is read is the same in all.
warnings.filterwarnings("ignore", r"(Unable to parse )?Kubernetes version ", UserWarning)

Object = dict[str, Any]

_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PAGE, _MOST_PAGES = 500, 1000


class CannotRead(Exception):
    """Something could not be read; the message says what and why, and quotes no credential."""


class ClusterApi:
    """The API server of one cluster.

    Every method raises `CannotRead`, and nothing else, when there is no answer within the deadline, in seconds, when
    the credential may not read it, and when anything else goes wrong. Nothing is ever changed: what is posted are
    reviews and dry runs, and commands only print. A plugin that the kubeconfig names is run.
    """

    def __init__(
        self, kubeconfig: str, context: str | None = None, *, folder: Path | None = None, deadline: float = 10
    ) -> None:
        """`folder` is that of the kubeconfig, to which paths in it are relative; the current one where it has none."""
        self._kubeconfig, self._context, self._deadline = kubeconfig, context, deadline
        self._folder = folder or Path()
        self._api: kr8s.asyncio.Api | None = None
        self._acting_as: Headers = ()
        self._failed: CannotRead | None = None
        self._connecting = asyncio.Lock()

    async def version(self) -> tuple[str, str | None]:
        """Return the server's version, such as v1.36.3, and the Date of its answer."""
        response = await self._answer("GET", "/version")
        return str(_object(response).get("gitVersion", "")), response.headers.get("date")

    async def get(self, path: str) -> Object:
        """Return the object at a path of the API server."""
        return _object(await self._answer("GET", path))

    async def text(self, path: str) -> str:
        """Return what stands at a path of the API server as text, such as a log."""
        return (await self._answer("GET", path)).text

    async def objects(self, path: str, *, metadata_only: bool = False, **query: str) -> list[Object]:
        """Return all objects of a list, page by page; nothing where the cluster has no such kind."""
        found: list[Object] = []
        query = {"limit": str(_PAGE), **query}
        headers = {"Accept": _METADATA_ONLY} if metadata_only else {}
        # A server that always has more would never let go.
        for _ in range(_MOST_PAGES):
            response = await self._answer("GET", path, params=query, headers=headers, missing_is_empty=True)
            page = _object(response)
            items, metadata = page.get("items") or [], page.get("metadata") or {}
            if not isinstance(items, list) or not isinstance(metadata, dict) or not all(map(_is_object, items)):
                raise CannotRead(_NO_API)
            found += items
            rest = metadata.get("continue")
            if not rest:
                return found
            query["continue"] = rest
        raise CannotRead(f"{path} has more than {_MOST_PAGES} pages")

    async def post(self, path: str, body: Object, *, deadline: float | None = None) -> tuple[int, Object]:
        """Return status and answer of a review or a dry run."""
        response = await self._answer(
            "POST",
            path,
            content=json.dumps(body),
            refused_is_answer=True,
            deadline=deadline,
            timeout=deadline or self._deadline,
        )
        return response.status_code, _object(response)

    async def run(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, deadline: float | None = None
    ) -> str:
        """Return what a command in a pod printed, whether it succeeded or not."""
        api = await self._connected()
        params: dict[str, Any] = {"command": list(command), "container": container, "stdout": "true", "stderr": "true"}
        printed = bytearray()

        async def read() -> None:
            async with api.open_websocket(
                namespace=namespace,
                url=f"pods/{pod}/exec",
                params=params,
                subprotocols=("v4.channel.k8s.io",),
                # The library adds to them; a mapping of Python's would keep one group of several.
                headers=httpx.Headers(list(self._acting_as)),
            ) as socket:
                while True:
                    message = await socket.receive_bytes()
                    if message[:1] == b"\x03":
                        return
                    if message[:1] == b"\x01":
                        printed.extend(message[1:])

        try:
            await asyncio.wait_for(read(), deadline or self._deadline)
        except Exception as error:
            raise CannotRead(f"no command could be run in {namespace}/{pod}: {_reason(error)}") from None
        return printed.decode(errors="replace")

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        missing_is_empty: bool = False,
        refused_is_answer: bool = False,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        **arguments: Any,
    ) -> httpx.Response:
        api = await self._connected()
        sent = [*self._acting_as, *(headers or {}).items()]

        async def ask() -> httpx.Response:
            # The path as it is: kr8s would build it from a version and a namespace.
            base, _, last = path.rpartition("/")
            async with api.call_api(
                method,
                version="",
                base=base or path,
                url=last if base else "",
                raise_for_status=False,
                headers=sent,
                **arguments,
            ) as response:
                return response

        try:
            response = await asyncio.wait_for(ask(), deadline or self._deadline)
        except Exception as error:
            raise CannotRead(_reason(error)) from None
        if missing_is_empty and response.status_code == 404:
            return httpx.Response(200, json={})
        if response.status_code == 401:
            raise CannotRead(_refusal(401))
        if response.status_code >= 400 and not refused_is_answer:
            raise CannotRead(f"{path.partition('?')[0]}: {response.status_code} {response.reason_phrase}")
        return response

    async def _connected(self) -> kr8s.asyncio.Api:
        async with self._connecting:
            if self._failed is not None:
                # Not once more for each of the readings: it may cost a deadline, or run a plugin.
                raise self._failed
            if self._api is None:
                try:
                    self._api = await self._connect()
                except CannotRead as error:
                    self._failed = error
                    raise
        return self._api

    async def _connect(self) -> kr8s.asyncio.Api:
        # The library reads certificates and keys from files only, and would leave those that it writes.
        with tempfile.TemporaryDirectory() as files:
            try:
                config: Any = read_yaml(self._kubeconfig)
                config, self._acting_as = await asyncio.to_thread(
                    resolved, config, self._context, folder=self._folder, files=Path(files), seconds=self._deadline
                )
            except (KubeconfigError, UnreadableText) as error:
                raise CannotRead(f"its kubeconfig can't be used: {error}") from None
            except Exception as error:
                raise CannotRead(f"its kubeconfig can't be used: {type(error).__name__}") from None
            try:
                found: Any = kr8s.asyncio.api(kubeconfig=config)
                api: kr8s.asyncio.Api = await asyncio.wait_for(found, self._deadline)
            except Exception as error:
                raise CannotRead(_reason(error)) from None
        api.timeout = self._deadline
        return api


def _object(response: httpx.Response) -> Object:
    """Return the object that is the answer."""
    try:
        found = response.json()
    except Exception:
        found = None
    if not isinstance(found, dict):
        raise CannotRead(_NO_API)
    return found


def _is_object(item: Any) -> bool:
    """Tell whether an item of a list has the parts that every object has, of their kinds."""
    if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict):
        return False
    metadata = item["metadata"]
    named = isinstance(metadata.get("name"), str) and isinstance(metadata.get("namespace", ""), str)
    parts = [item.get("spec"), item.get("status"), item.get("data"), metadata.get("annotations")]
    labels = metadata.get("labels")
    return named and all(part is None or isinstance(part, dict) for part in [*parts, labels])


_NO_API = "what answers there is no API server of Kubernetes"


def _reason(error: BaseException) -> str:
    """Return why, in words that hold nothing of a kubeconfig, of a header or of a body."""
    chain = list(_chain(error))
    if any(isinstance(one, (asyncio.TimeoutError, httpx.TimeoutException, kr8s.APITimeoutError)) for one in chain):
        return "no answer in time"
    for one in chain:
        if isinstance(one, (httpx.HTTPStatusError, kr8s.ServerError)) and one.response is not None:
            return _refusal(one.response.status_code)
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate can't be verified: {_unverified(one)}"
        if isinstance(one, ssl.SSLError):
            return f"TLS can't be used: {one.reason or 'a certificate or a key is no PEM'}"
        if isinstance(one, httpx.ProxyError):
            return "its proxy does not connect"
        if isinstance(one, socket.gaierror):
            return "no connection: the name of its server is not known here"
        if isinstance(one, OSError) and one.errno:
            return f"no connection: {os.strerror(one.errno)}"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    return _NO_API if isinstance(error, (ValueError, LookupError, TypeError)) else type(error).__name__


def _unverified(error: ssl.SSLCertVerificationError) -> str:
    # What OpenSSL says of a name that differs has the name.
    differs = error.verify_code in _NAME_DIFFERS
    return "it is of another name" if differs else error.verify_message or "it is not trusted"


_NAME_DIFFERS = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH."""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came of, of several the first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        several = getattr(error, "exceptions", None)
        error = several[0] if several else error.__cause__ or error.__context__


def _refusal(status: int) -> str:
    return "it does not accept the credential (401)" if status == 401 else f"it answers {status}"
