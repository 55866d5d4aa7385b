"""One cluster's API server, as far as it is read: lists, metadata, metrics, and commands in pods that only look."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Sequence
from typing import Any, cast

import httpx
import httpx_ws
import kr8s
import kr8s.asyncio

from ..topology.yaml_text import read_yaml

# kr8s warns of each Kubernetes that is newer than itself; what is read here is the same in all.
warnings.filterwarnings("ignore", r"Kubernetes version \S+ is not supported", UserWarning)

Object = dict[str, Any]

_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PAGE = 500
_NO_ANSWER = (httpx.HTTPError, kr8s.ServerError, kr8s.APITimeoutError, ConnectionError, asyncio.TimeoutError)


class CannotRead(Exception):
    """Something could not be read; the message says what and why, and quotes no credential."""


class ClusterApi:
    """The API server of one cluster.

    Every method raises `CannotRead` when there is no answer within the deadline, in seconds, or the credential may not
    read it. Nothing is ever changed: what is posted are reviews and dry runs, and commands only print.
    """

    def __init__(self, kubeconfig: str, context: str | None = None, *, deadline: float = 10) -> None:
        self._kubeconfig, self._context, self._deadline = kubeconfig, context, deadline
        self._api: kr8s.asyncio.Api | None = None
        self._connecting = asyncio.Lock()

    async def version(self) -> tuple[str, str | None]:
        """Return the server's version, such as v1.36.3, and the Date of its answer."""
        response = await self._answer("GET", "/version")
        return str(response.json()["gitVersion"]), response.headers.get("date")

    async def get(self, path: str) -> Object:
        """Return the object at a path of the API server."""
        return cast(Object, (await self._answer("GET", path)).json())

    async def text(self, path: str) -> str:
        """Return what stands at a path of the API server as text, such as a log."""
        return (await self._answer("GET", path)).text

    async def objects(self, path: str, *, metadata_only: bool = False, **query: str) -> list[Object]:
        """Return all objects of a list, page by page; nothing where the cluster has no such kind."""
        found: list[Object] = []
        query = {"limit": str(_PAGE), **query}
        headers = {"Accept": _METADATA_ONLY} if metadata_only else {}
        while True:
            response = await self._answer("GET", path, params=query, headers=headers, missing_is_empty=True)
            page = response.json()
            found += page.get("items") or []
            rest = (page.get("metadata") or {}).get("continue")
            if not rest:
                return found
            query["continue"] = rest

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
        return response.status_code, response.json()

    async def run(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, deadline: float | None = None
    ) -> str:
        """Return what a command in a pod printed, whether it succeeded or not."""
        api = await self._connected()
        params: dict[str, Any] = {"command": list(command), "container": container, "stdout": "true", "stderr": "true"}
        printed = bytearray()

        async def read() -> None:
            async with api.open_websocket(
                namespace=namespace, url=f"pods/{pod}/exec", params=params, subprotocols=("v4.channel.k8s.io",)
            ) as socket:
                while True:
                    message = await socket.receive_bytes()
                    if message[:1] == b"\x03":
                        return
                    if message[:1] == b"\x01":
                        printed.extend(message[1:])

        try:
            await asyncio.wait_for(read(), deadline or self._deadline)
        except (*_NO_ANSWER, httpx_ws.HTTPXWSException) as error:
            raise CannotRead(f"no command could be run in {namespace}/{pod}: {_reason(error)}") from None
        return printed.decode(errors="replace")

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        missing_is_empty: bool = False,
        refused_is_answer: bool = False,
        deadline: float | None = None,
        **arguments: Any,
    ) -> httpx.Response:
        api = await self._connected()

        async def ask() -> httpx.Response:
            # The path as it is: kr8s would build it from a version and a namespace.
            base, _, last = path.rpartition("/")
            async with api.call_api(
                method, version="", base=base or path, url=last if base else "", raise_for_status=False, **arguments
            ) as response:
                return response

        try:
            response = await asyncio.wait_for(ask(), deadline or self._deadline)
        except _NO_ANSWER as error:
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
            if self._api is None:
                try:
                    config: Any = read_yaml(self._kubeconfig)
                    found: Any = kr8s.asyncio.api(kubeconfig=config, context=self._context)
                    api: kr8s.asyncio.Api = await asyncio.wait_for(found, self._deadline)
                except _NO_ANSWER as error:
                    raise CannotRead(_reason(error)) from None
                except (OSError, ValueError, TypeError, KeyError) as error:
                    raise CannotRead(f"its kubeconfig can't be used: {type(error).__name__}") from None
                api.timeout = self._deadline
                self._api = api
        return self._api


def _reason(error: BaseException) -> str:
    """Return why, in words that never hold a header or a body."""
    if isinstance(error, (asyncio.TimeoutError, httpx.TimeoutException, kr8s.APITimeoutError)):
        return "no answer in time"
    if isinstance(error, kr8s.ServerError) and error.response is not None:
        return _refusal(error.response.status_code)
    if isinstance(error, httpx.ConnectError):
        return f"no connection: {error}" if str(error) else "no connection"
    return type(error).__name__


def _refusal(status: int) -> str:
    return "it does not accept the credential (401)" if status == 401 else f"it answers {status}"
