"""The sample service of the demo and the tests: `hello` in some clusters, a client in each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lab.cluster import Cluster
from lab.spent import spent_on

IMAGE = "localhost/probe:lab"
NAMESPACE = "sample"
PORT = 5000

_ANSWER = '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n%s %s" "$CLUSTER" "$HTTP_X_FORWARDED_CLIENT_CERT"\n'
_SERVE = (
    "mkdir -p /tmp/www/cgi-bin && printf '%s' \"$ANSWER\" > /tmp/www/cgi-bin/hello && "
    f"chmod +x /tmp/www/cgi-bin/hello && exec httpd -f -p {PORT} -h /tmp/www"
)


@dataclass(frozen=True)
class Answer:
    """What a call brought back."""

    status: int
    cluster: str = ""
    certificate: str = ""
    """The X-Forwarded-Client-Cert header that the service saw: who called, and as whom it answered."""
    error: str = ""


def deploy(clusters: Iterable[Cluster], serving: Iterable[str]) -> None:
    """Put the Service and a client into each cluster, pods of `hello` into those named; return when all run."""
    names = set(serving)

    def one(cluster: Cluster) -> None:
        items = [_namespace(), _service(), *_client("client", injected=True), *_client("plain", injected=False)]
        items += _hello(cluster.name) if cluster.name in names else []
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        for item in items:
            if item["kind"] == "Deployment":
                rolled_out(cluster, item["metadata"]["name"])

    with spent_on("the sample"), ThreadPoolExecutor() as pool:
        list(pool.map(one, clusters))


def rolled_out(cluster: Cluster, workload: str, namespace: str = NAMESPACE) -> None:
    """Return when all pods of one of the sample's workloads run; raise `LabError` after 120 s."""
    cluster.kubectl(
        "-n", namespace, "rollout", "status", f"deployment/{workload}", "--timeout=120s", timeout_seconds=130
    )


def add_client(cluster: Cluster, name: str, namespace: str = NAMESPACE) -> None:
    """Put one more client into a cluster, as an account of its name, and return when it runs."""
    items = [_namespace(namespace), *_client(name, injected=True, namespace=namespace)]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    rolled_out(cluster, name, namespace)


def remove(clusters: Iterable[Cluster]) -> None:
    """Take the sample out of each cluster; fine where there is none."""
    with spent_on("the sample"), ThreadPoolExecutor() as pool:
        list(pool.map(lambda c: c.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found"), clusters))


def call(
    cluster: Cluster,
    url: str = f"http://hello.{NAMESPACE}:{PORT}/cgi-bin/hello",
    client: str = "client",
    namespace: str = NAMESPACE,
) -> Answer:
    """Call a URL from the client's pod; plain HTTP as an application speaks it, its proxy does the rest."""
    command = ["curl", "--silent", "--show-error", "--max-time", "5", "--write-out", "\n%{http_code}", url]
    text = cluster.kubectl(
        "-n", namespace, "exec", f"deploy/{client}", "-c", client, "--", "sh", "-c", '"$@" 2>&1; true', "sh", *command
    )
    body, _, status = text.strip().rpartition("\n")
    if status != "200":
        return Answer(int(status or 0), error=body.strip())
    serving, _, certificate = body.strip().partition(" ")
    return Answer(200, serving, certificate)


def pod_address(cluster: Cluster) -> str:
    """Return the address of the cluster's `hello` pod."""
    return cluster.kubectl("-n", NAMESPACE, "get", "pod", "-l", "app=hello", "-o", "jsonpath={.items[0].status.podIP}")


def _namespace(name: str = NAMESPACE) -> dict[str, Any]:
    labels = {"istio-injection": "enabled"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _service() -> dict[str, Any]:
    ports = [{"name": "http", "port": PORT, "targetPort": PORT}]
    spec = {"selector": {"app": "hello"}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _named("hello"), "spec": spec}


def _client(name: str, *, injected: bool, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    container = {"name": name, "command": ["sleep", "infinity"]}
    return _deployment(name, container, {} if injected else {"sidecar.istio.io/inject": "false"}, namespace)


def _hello(cluster: str) -> list[dict[str, Any]]:
    environment = [{"name": "CLUSTER", "value": cluster}, {"name": "ANSWER", "value": _ANSWER}]
    container = {"name": "hello", "command": ["sh", "-c", _SERVE], "env": environment}
    return _deployment("hello", container, {})


def _deployment(
    name: str, container: dict[str, Any], labels: dict[str, str], namespace: str = NAMESPACE
) -> list[dict[str, Any]]:
    """Return a Deployment and the service account it runs as: its identity in the mesh."""
    selector = {"app": name}
    full = {"image": IMAGE, "imagePullPolicy": "Never", **container}
    template = {
        "metadata": {"labels": {**selector, **labels}},
        "spec": {"serviceAccountName": name, "containers": [full], "terminationGracePeriodSeconds": 0},
    }
    spec = {"selector": {"matchLabels": selector}, "template": template}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named(name, namespace)},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _named(name, namespace), "spec": spec},
    ]


def _named(name: str, namespace: str = NAMESPACE) -> dict[str, str]:
    return {"name": name, "namespace": namespace}
