"""Reads one cluster: everything at once, each reading by itself, so that what fails leaves the rest."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import email.utils
import json
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Any

from ..checks.preflight import revisions_of
from ..checks.seen import Object, Proxy, RemoteSecret, Seen, containers_of, labels_of
from ..istio import names
from ..plan.mesh_plan import ClusterPlan
from ..topology.yaml_text import read_yaml
from .api import CannotRead, ClusterApi

_CORE, _SYSTEM = "/api/v1", f"/api/v1/namespaces/{names.NAMESPACE}"
_RIGHTS = (("", "services"), ("", "pods"), ("", "namespaces"), ("discovery.k8s.io", "endpointslices"))
"""What a reader account must be able to watch. Source: istiod chart, templates/reader-clusterrole.yaml."""

_WEBHOOK_SECONDS = 35
"""What a webhook that doesn't answer may take: 30 at most. Source: kubernetes.io, extensible-admission-controllers."""

Tokens = dict[str, str]
"""The token in each remote secret of a cluster, by the cluster that it reads; never leaves this package."""


async def read_cluster(api: ClusterApi, plan: ClusterPlan, done: Callable[[], None]) -> tuple[Seen, Tokens]:
    """Return what can be seen of one cluster, and the tokens by which it reads others; `done` is called once.

    A cluster that does not answer costs one deadline. Raises nothing: what could not be read is in `Seen.unread`.
    """
    seen, tokens = Seen(plan.name), Tokens()

    if not await _answers(api, seen):
        done()
        return seen, tokens

    async def remote_secrets() -> None:
        found = await api.objects(f"{_SYSTEM}/secrets", labelSelector=f"{names.REMOTE_SECRET_LABEL}=true")
        for secret in found:
            for cluster, encoded in (secret.get("data") or {}).items():
                read, token = _remote_secret(secret, cluster, encoded)
                seen.remote_secrets.append(read)
                tokens[cluster] = token

    async def roots() -> None:
        found = await api.get(f"{_SYSTEM}/configmaps/{_ROOTS}")
        seen.roots = (found.get("data") or {}).get("root-cert.pem", "")

    async def peer_domains() -> None:
        found = await api.get(f"{_SYSTEM}/configmaps/{names.SHARED_MESH_CONFIG}")
        config = json.loads((found.get("data") or {}).get("mesh", "{}"))
        seen.peer_domains = [
            domain for entry in config.get("caCertificates") or [] for domain in entry.get("trustDomains") or []
        ]

    async def injector() -> None:
        path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
        seen.injector = await api.get(f"{path}/{plan.injector}")

    async def injection() -> None:
        namespace = names.VERIFY_NAMESPACE if plan.probe else "default"
        seen.injection, seen.injected_network = await _injected(api, namespace)

    lists = _lists(
        api, seen, "pods", "services", "namespaces", "gateway_slices", "secrets", "peer_authentications",
        "destination_rules",
    )  # fmt: skip
    readings = {
        **lists, "remote_secrets": remote_secrets, "roots": roots, "injector": injector, "injection": injection,
    }  # fmt: skip
    if plan.shares:
        readings |= {**_lists(api, seen, "imported"), "peer_domains": peer_domains}
    await _all(seen, readings)
    await _all(seen, _of_pods(api, plan, seen))
    done()
    return seen, tokens


async def read_before(api: ClusterApi, cluster: str, revisions: Collection[str], *, joins: bool = False) -> Seen:
    """Return what a change of the mesh depends on; never a Secret's data. Raises nothing, as `read_cluster`.

    `revisions` are those of istiod that stay: who uses another one is read only where there is one. In a cluster that
    `joins`, also what the control plane says of itself that was there before.
    """
    seen = Seen(cluster)
    if not await _answers(api, seen):
        return seen

    async def maps() -> None:
        # Whole they are some hundred kilobytes, and in most meshes nobody joins.
        found = await _maps(api, "" if joins else names.MEMBERSHIP)
        seen.membership = found.get(names.MEMBERSHIP)
        if joins:
            await _all(seen, {field: partial(_said, seen, found, field) for field in _SAID})

    async def roots() -> None:
        found = await _maps(api, _ROOTS)
        seen.roots = (found.get(_ROOTS, {}).get("data") or {}).get("root-cert.pem", "")

    async def account() -> None:
        found = await api.objects(f"{_SYSTEM}/serviceaccounts", metadata_only=True)
        seen.reader_account = any(one["metadata"]["name"] == names.READER_ACCOUNT for one in found)

    async def injected() -> None:
        if not joins and not revisions_of(seen) <= set(revisions):
            await _lists(api, seen, "injected")["injected"]()

    lists = _lists(api, seen, "namespaces", "nodes", "services", "secrets", "istiod_deployments", "crds")
    await _all(seen, {**lists, "membership": maps, **({"reader_account": account} if joins else {"roots": roots})})
    await _all(seen, {"injected": injected})
    return seen


async def _maps(api: ClusterApi, name: str) -> dict[str, Object]:
    """Return ConfigMaps of istio-system by name: all, or the one of that name where there is one."""
    path = f"{_SYSTEM}/configmaps"
    found = await (api.objects(path, fieldSelector=f"metadata.name={name}") if name else api.objects(path))
    return {item["metadata"]["name"]: item for item in found}


_ROOTS = "istio-ca-root-cert"
_SAID: Mapping[str, tuple[str, str]] = {
    "mesh_config": (names.MESH_CONFIG, "mesh"),
    "injector_values": (names.INJECTOR_CONFIG, "values"),
    "roots": (_ROOTS, "root-cert.pem"),
}
"""By field of `Seen`: in which ConfigMap, and under which key, a control plane says it.
Source: istiod chart, templates/configmap.yaml, templates/istiod-injector-configmap.yaml."""


async def _said(seen: Seen, maps: Mapping[str, Object], field: str) -> None:
    name, key = _SAID[field]
    text = (maps.get(name, {}).get("data") or {}).get(key)
    if text is None:
        raise CannotRead(f"there is no ConfigMap {names.NAMESPACE}/{name} with key {key}")
    setattr(seen, field, text if field == "roots" else read_yaml(text) or {})


_LISTS: Mapping[str, tuple[str, bool, str]] = {
    "pods": (f"{_CORE}/pods", False, ""),
    "services": (f"{_CORE}/services", False, ""),
    "namespaces": (f"{_CORE}/namespaces", True, ""),
    "nodes": (f"{_CORE}/nodes", False, ""),
    "secrets": (f"{_SYSTEM}/secrets", True, ""),
    "gateway_slices": (
        f"/apis/discovery.k8s.io/v1/namespaces/{names.NAMESPACE}/endpointslices",
        False,
        f"kubernetes.io/service-name in ({','.join(names.GATEWAYS)})",
    ),
    "imported": (f"/apis/networking.istio.io/v1/namespaces/{names.IMPORTS_NAMESPACE}/serviceentries", False, ""),
    "peer_authentications": ("/apis/security.istio.io/v1/peerauthentications", False, ""),
    "destination_rules": ("/apis/networking.istio.io/v1/destinationrules", False, ""),
    # A label of every pod that istiod has injected. Source: istiod chart, files/*injection-template.yaml.
    "injected": (f"{_CORE}/pods", True, "service.istio.io/canonical-name"),
    "istiod_deployments": ("/apis/apps/v1/deployments", False, f"app={names.ISTIOD}"),
    "crds": ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", True, ""),
}
"""By field of `Seen`: where its objects are listed, whether only their metadata is asked for, and by which labels."""


def _lists(api: ClusterApi, seen: Seen, *fields: str) -> dict[str, Callable[[], Awaitable[None]]]:
    async def one(field: str) -> None:
        path, metadata_only, selector = _LISTS[field]
        query = {"labelSelector": selector} if selector else {}
        setattr(seen, field, await api.objects(path, metadata_only=metadata_only, **query))

    return {field: partial(one, field) for field in fields}


async def _answers(api: ClusterApi, seen: Seen) -> bool:
    """Read version and clock; return whether the cluster answers."""
    asked = time.time()
    try:
        seen.version, date = await api.version()
    except CannotRead as error:
        seen.unread["version"] = str(error)
        return False
    # What is no date says nothing of the clock.
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        # The header has whole seconds; half of one is its mean error.
        server = email.utils.parsedate_to_datetime(date or "").timestamp() + 0.5
        seen.skew_seconds = server - (asked + time.time()) / 2
    return True


def _of_pods(api: ClusterApi, plan: ClusterPlan, seen: Seen) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return the readings that need to know which pods there are."""
    running = [pod for pod in seen.pods if (pod.get("status") or {}).get("phase") == "Running"]

    async def istiods() -> None:
        for pod in seen.istiods():
            name = pod["metadata"]["name"]
            try:
                # Not its metric: that stays at "timeout" for good once a remote secret was bad and is good again.
                command = ["pilot-discovery", "request", "GET", "/debug/clusterz"]
                rows = _json(await api.run(names.NAMESPACE, name, "discovery", command))
            except (CannotRead, ValueError):
                seen.istiod_words = seen.istiod_words or await _last_words(api, name)
            else:
                seen.sync[name] = {row["id"]: row["syncStatus"] for row in rows if row["id"] != plan.name}

    async def stale() -> None:
        for pod in seen.istiods():
            command = ["pilot-discovery", "request", "GET", "/debug/syncz"]
            text = await api.run(names.NAMESPACE, pod["metadata"]["name"], "discovery", command)
            seen.stale += _stale(_json(text))

    async def proxy() -> None:
        lasting = (pod for pod in running if _has_proxy(pod) and not pod["metadata"].get("deletionTimestamp"))
        chosen = min(lasting, key=_probes_first, default=None)
        if chosen is not None:
            seen.proxy = await _proxy(api, chosen)

    async def gateways() -> None:
        for pod in running:
            ours = pod["metadata"]["namespace"] == names.NAMESPACE
            if ours and labels_of(pod).get("app") in names.GATEWAYS:
                command = ["pilot-agent", "request", "GET", "listeners"]
                text = await api.run(names.NAMESPACE, pod["metadata"]["name"], "istio-proxy", command)
                ports = re.findall(r"^\S+::\S*:(\d+)$", text, re.MULTILINE)
                seen.gateway_ports[pod["metadata"]["name"]] = {int(port) for port in ports}

    found: dict[str, Callable[[], Awaitable[None]]] = {"proxy": proxy}
    if plan.gateway or plan.federation_gateway:
        found["gateway_ports"] = gateways
    if not plan.remote:
        found |= {"sync": istiods, "stale": stale}
    return found


async def _all(seen: Seen, readings: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
    async def one(name: str, reading: Callable[[], Awaitable[None]]) -> None:
        try:
            await reading()
        except CannotRead as error:
            seen.unread[name] = str(error)
        except Exception as error:
            seen.unread[name] = f"the answer is not of the expected form ({type(error).__name__})"

    await asyncio.gather(*(one(name, reading) for name, reading in readings.items()))


def _remote_secret(secret: Object, cluster: str, encoded: str) -> tuple[RemoteSecret, str]:
    try:
        config = read_yaml(base64.b64decode(encoded).decode())
        dialled = config["clusters"][0]["cluster"]
        token = str(config["users"][0]["user"].get("token", ""))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        dialled, token = {}, ""
    read = RemoteSecret(
        secret["metadata"]["name"],
        cluster,
        str(dialled.get("server", "")),
        str(dialled.get("certificate-authority-data", "")),
        created=secret["metadata"].get("creationTimestamp", ""),
    )
    return read, token


async def token_accepted(api: ClusterApi, token: str) -> bool | None:
    """Return whether a cluster accepts a token; None where that can't be asked."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    try:
        status, answer = await api.post("/apis/authentication.k8s.io/v1/tokenreviews", review)
    except CannotRead:
        return None
    return None if status >= 400 else bool((answer.get("status") or {}).get("authenticated"))


async def reader_allowed(api: ClusterApi) -> bool | None:
    """Return whether the reader account of a cluster may watch what istiods need; None where that can't be asked."""
    user = f"system:serviceaccount:{names.NAMESPACE}:{names.READER_ACCOUNT}"
    for group, resource in _RIGHTS:
        asked = {"user": user, "resourceAttributes": {"group": group, "resource": resource, "verb": "watch"}}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": asked}
        try:
            status, answer = await api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        except CannotRead:
            return None
        if status >= 400:
            return None
        if not (answer.get("status") or {}).get("allowed"):
            return False
    return True


async def _injected(api: ClusterApi, namespace: str) -> tuple[str | None, str | None]:
    """Try to make a pod that wants a proxy, without making it; return why it is refused, and its network."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "istio-mesh-verify-", "labels": {"sidecar.istio.io/inject": "true"}},
        "spec": {"containers": [{"name": "dry-run", "image": "dry-run"}]},
    }
    status, answer = await api.post(f"{_CORE}/namespaces/{namespace}/pods?dryRun=All", pod, deadline=_WEBHOOK_SECONDS)
    message = str(answer.get("message", ""))
    if status >= 400 and "failed calling webhook" in message:
        return message.partition("failed calling webhook")[2].strip(), None
    if status >= 400:
        # Quotas, pod security and other webhooks of that namespace say nothing about injection.
        raise CannotRead(f"a dry run of a pod in namespace {namespace}: {status}")
    if not _has_proxy(answer):
        return "a pod that asks for a proxy gets none", None
    return None, labels_of(answer).get(names.NETWORK_LABEL)


async def _last_words(api: ClusterApi, pod: str) -> str:
    """Return istiod's last error, of this run or the one before."""
    for previous in ("false", "true"):
        try:
            text = await api.text(f"{_SYSTEM}/pods/{pod}/log?container=discovery&tailLines=40&previous={previous}")
        except CannotRead:
            continue
        errors = [line for line in text.split("\n") if "error" in line.lower()]
        if errors:
            return errors[-1].split("\t")[-1].strip()[:300]
    return ""


def _stale(proxies: list[dict[str, Any]]) -> list[str]:
    """Return the proxies that were sent something 10 s ago or earlier that they have not taken."""
    found = []
    for proxy in proxies:
        for state in (proxy.get("resources") or {}).values():
            sent, acked = state.get("sent"), state.get("acked")
            if sent and sent != acked and _age_seconds(state.get("sentTime")) > 10:
                found.append(str(proxy["proxy"]))
                break
    return found


def _age_seconds(stamp: str | None) -> float:
    if not stamp:
        return 0
    sent = dt.datetime.fromisoformat(re.sub(r"\.\d+", "", stamp).replace("Z", "+00:00"))
    return (dt.datetime.now(dt.timezone.utc) - sent).total_seconds()


def _has_proxy(pod: Object) -> bool:
    return any(container["name"] == "istio-proxy" for container in containers_of(pod))


def _probes_first(pod: Object) -> tuple[bool, bool, str]:
    return (
        pod["metadata"]["namespace"] != names.VERIFY_NAMESPACE,
        labels_of(pod).get("app") in names.GATEWAYS,
        pod["metadata"]["name"],
    )


async def _proxy(api: ClusterApi, pod: Object) -> Proxy:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]

    async def ask(what: str) -> Any:
        return _json(await api.run(namespace, name, "istio-proxy", ["pilot-agent", "request", "GET", what]))

    info, dump = await asyncio.gather(ask("server_info"), ask("config_dump?resource=dynamic_active_secrets"))
    metadata = info["node"]["metadata"]
    # Envoy leaves keys out of its dump.
    certificates = {entry["name"]: entry["secret"] for entry in dump.get("configs", [])}
    own = certificates.get("default", {}).get("tls_certificate", {}).get("certificate_chain", {})
    context = certificates.get("ROOTCA", {}).get("validation_context", {}).get("trusted_ca", {})
    return Proxy(
        pod=f"{namespace}/{name}",
        cluster_id=str(metadata.get("CLUSTER_ID", "")),
        network=str(metadata.get("NETWORK", "")),
        mesh_id=str(metadata.get("MESH_ID", "")),
        version=str(metadata.get("ISTIO_VERSION", "")),
        chain=_pem(own.get("inline_bytes")),
        roots=_pem(context.get("inline_bytes")),
    )


def _pem(encoded: str | None) -> str:
    return base64.b64decode(encoded).decode() if encoded else ""


def _json(text: str) -> Any:
    """Return what a program printed as JSON, after any lines of its log."""
    start = re.search(r"^[\[{]", text, re.MULTILINE)
    if start is None:
        raise ValueError("no JSON")
    return json.loads(text[start.start() :])
