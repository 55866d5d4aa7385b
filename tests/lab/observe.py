"""What can be seen of a mesh from outside it."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cryptography import x509

from lab import Cluster, LabError
from lab.istioctl import istioctl
from lab.lifecycle import known_shape
from lab.paths import SCRIPTS
from lab.spent import spent_on

T = TypeVar("T")


def eventually(look: Callable[[], T], right: Callable[[T], bool], seconds: float = 60) -> T:
    """Return what was seen once it is right; fail with the last thing seen when the time is up."""
    deadline = time.monotonic() + seconds
    with spent_on("waiting for the mesh"):
        while not right(seen := look()):
            assert time.monotonic() < deadline, f"still {seen!r} after {seconds:.0f} s"
            time.sleep(0.5)
    return seen


@dataclass
class Calls:
    """What came of calls that were made all the time."""

    caller: str
    """Cluster and URL."""
    began: str
    statuses: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)
    """Of each call that was not answered with 200: when it ended, its status, and what the proxy said of the reason."""

    def all_answered(self, more_than: int = 0) -> None:
        """Fail where a call was not answered with 200, with what proxies logged; and where there were too few."""
        if self.failures:
            told = [
                f"{len(self.failures)} of {self.statuses.total()} calls were lost, from {self.caller}:",
                *self.failures[:20],
            ]
            raise AssertionError(
                "\n".join([*told, "proxies since then, without calls that were answered:", *logged(self.began)])
            )
        assert self.statuses["200"] > more_than, self


def logged(since: str) -> list[str]:
    """Return what proxies of every cluster logged since a time, without calls that were answered."""
    found = []
    shape = known_shape()
    for cluster in map(Cluster, shape.names if shape else ()):
        for namespace in ("sample", "istio-system"):
            try:
                pods = cluster.kubectl("-n", namespace, "get", "pods", "-o", "name").split()
                logs = {
                    pod: cluster.kubectl("-n", namespace, "logs", pod, "-c", "istio-proxy", f"--since-time={since}")
                    for pod in pods
                    if not pod.startswith("pod/istiod") and not pod.startswith("pod/plain")
                }
            except LabError as error:
                logs = {"not read": str(error)}
            for pod, text in logs.items():
                lines = [line for line in text.splitlines() if '" 200 ' not in line]
                found += [f"{cluster.name} {pod}: {line}" for line in lines[-20:]]
    return found


@contextmanager
def calling(cluster: Cluster, url: str) -> Iterator[Calls]:
    """Call a URL from the sample's client again and again; what came of it is known when the context has ended."""
    enough, body = (f"/tmp/{word}-{uuid.uuid4()}" for word in ("enough", "body"))
    loop = (
        f"until [ -e {enough} ]; do : > {body}; "
        f"came=$(curl --silent --output {body} --max-time 10 --write-out '%{{http_code}} %{{time_total}}' \"$0\"); "
        f"case $came in 200*) echo $came;; *) echo $came $(date -u +%T) $(cat {body});; esac; sleep 0.1; done"
    )
    command = [str(SCRIPTS / "kubectl"), f"--kubeconfig={cluster.kubeconfig_path}", "-n", "sample"]
    inside = ["exec", "deploy/client", "-c", "client", "--"]
    found = Calls(f"{cluster.name} to {url}", dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    with subprocess.Popen([*command, *inside, "sh", "-c", loop, url], stdout=subprocess.PIPE, text=True) as running:
        try:
            yield found
        finally:
            subprocess.run([*command, *inside, "touch", enough], check=True, timeout=30)
            said, _ = running.communicate(timeout=30)
    for status, seconds, *failure in (line.split(maxsplit=2) for line in said.splitlines()):
        found.statuses[status] += 1
        found.slowest = max(found.slowest, float(seconds))
        found.failures += (f"{status} {text}" for text in failure)


def called_twice(cluster: Cluster, url: str, apart: int) -> list[str]:
    """Call a URL twice over one connection, so many seconds apart; return both statuses, and how often it connected."""
    curl = f"curl --silent --rate {3600 // apart}/h --write-out '%{{http_code}} %{{num_connects}}\\n'"
    script = f'{curl} --output /dev/null "$0" --output /dev/null "$0"'
    inside = ["exec", "deploy/client", "-c", "client", "--"]
    return cluster.kubectl("-n", "sample", *inside, "sh", "-c", script, url, timeout_seconds=apart + 60).splitlines()


def objects(cluster: Cluster, kind: str, *flags: str) -> list[dict[str, Any]]:
    """Return the cluster's objects of a kind, of all namespaces unless a flag says otherwise."""
    flags = flags or ("--all-namespaces",)
    found: list[dict[str, Any]] = json.loads(cluster.kubectl("get", kind, "-o", "json", *flags))["items"]
    return found


def names(cluster: Cluster, kind: str, *flags: str) -> set[str]:
    """Return the names of those objects."""
    return {item["metadata"]["name"] for item in objects(cluster, kind, *flags)}


def synced(cluster: Cluster) -> list[set[str]]:
    """Return, for every istiod replica, the remote clusters that it reports as synced in its metrics."""
    found = []
    for pod in objects(cluster, "pods", "--namespace=istio-system", "--selector=app=istiod"):
        path = f"/api/v1/namespaces/istio-system/pods/{pod['metadata']['name']}:15014/proxy/metrics"
        rows = re.findall(r"istiod_remote_cluster_sync_status\{(.*)\} (\S+)", cluster.kubectl("get", "--raw", path))
        labels = [dict(re.findall(r'(\w+)="([^"]*)"', text)) for text, value in rows if float(value) == 1]
        found.append({row["cluster"] for row in labels if row["status"] == "synced" and row["cluster"] != cluster.name})
    return found


def endpoints(cluster: Cluster, service: str) -> set[str]:
    """Return the addresses that the proxy of the sample client in this cluster knows for a service."""
    text = cluster.kubectl(
        "-n", "sample", "exec", "deploy/client", "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", "clusters"
    )
    return set(re.findall(rf"outbound\|\d+\|\|{re.escape(service)}::(\d[\d.]*:\d+)::", text))


def restarts(cluster: Cluster) -> dict[str, int]:
    """Return how often each container of istio-system restarted, by pod; a new pod is another key.

    Without pods that are about to end, which a gateway's are for a while.
    """
    return {
        pod["metadata"]["name"]: sum(status["restartCount"] for status in pod["status"].get("containerStatuses", []))
        for pod in objects(cluster, "pods", "--namespace=istio-system")
        if "deletionTimestamp" not in pod["metadata"]
    }


def certificate_chain(cluster: Cluster) -> str:
    """Return the PEM chain, leaf first, by which the sample client of this cluster is known."""
    secrets = json.loads(istioctl(cluster, "proxy-config", "secret", "deploy/client.sample", "-o", "json"))
    entries = {entry["name"]: entry["secret"] for entry in secrets["dynamicActiveSecrets"]}
    return base64.b64decode(entries["default"]["tlsCertificate"]["certificateChain"]["inlineBytes"]).decode()


def signer(cluster: Cluster) -> str:
    """Return the cluster whose authority signed the sample client's certificate."""
    issuer = x509.load_pem_x509_certificates(certificate_chain(cluster).encode())[0].issuer
    (locality,) = issuer.get_attributes_for_oid(x509.NameOID.LOCALITY_NAME)
    return str(locality.value)
