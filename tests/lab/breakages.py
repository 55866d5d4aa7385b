"""Ways to break a mesh for real, each undone when its context ends.

The mesh: c1 and c2 on one network, c4 alone; an istiod in each. What a breakage needs besides is made here.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from lab import Cluster
from lab.network import enter
from lab.process import run
from lab.stack import Stack
from lab.trust_files import key
from pulumi_istio_mesh.istio import certificates

from .observe import eventually, objects

SYSTEM, VERIFY = "istio-system", "istio-mesh-verify"


@dataclass(frozen=True)
class Mesh:
    """What there is to break."""

    stack: Stack
    clusters: dict[str, Cluster]
    folder: Path

    def __getitem__(self, name: str) -> Cluster:
        return self.clusters[name]


Break = Callable[[Mesh], AbstractContextManager[None]]


@contextmanager
def patched(cluster: Cluster, namespace: str, kind: str, name: str, patch: object, undo: object) -> Iterator[None]:
    """One object has other values; `undo` is the patch that gives them back."""

    def apply(values: object) -> None:
        cluster.kubectl("-n", namespace, "patch", kind, name, "--type=merge", "--patch", json.dumps(values))

    apply(patch)
    try:
        yield
    finally:
        apply(undo)


@contextmanager
def applied(cluster: Cluster, *items: dict[str, Any]) -> Iterator[None]:
    """Objects that are there besides."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)})
    cluster.kubectl("apply", "-f", "-", stdin=text)
    try:
        yield
    finally:
        cluster.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=text)


@contextmanager
def filtered(cluster: Cluster, hook: str, *rules: str) -> Iterator[None]:
    """A firewall on a cluster's node; `hook` is such as `prerouting priority raw`."""
    table = f"table ip broken {{ chain broken {{ type filter hook {hook}; policy accept; {'; '.join(rules)}; }}; }}"
    run([*enter(cluster.name), "nft", "-f", "-"], stdin=table)
    try:
        yield
    finally:
        run([*enter(cluster.name), "nft", "delete", "table", "ip", "broken"])


@contextmanager
def gateway_without_address(mesh: Mesh) -> Iterator[None]:
    """The Service loses its load balancer."""
    balanced, inside = ({"spec": {"type": kind}} for kind in ("LoadBalancer", "ClusterIP"))
    with patched(mesh["c4"], SYSTEM, "service", "istio-eastwestgateway", inside, balanced):
        yield


def gateway_service_selects_nothing(mesh: Mesh) -> AbstractContextManager[None]:
    wrong, right = ({"spec": {"selector": {"app": app}}} for app in ("nobody", "istio-eastwestgateway"))
    return patched(mesh["c4"], SYSTEM, "service", "istio-eastwestgateway", wrong, right)


@contextmanager
def gateway_without_pods(mesh: Mesh) -> Iterator[None]:
    gateway = ("-n", SYSTEM, "scale", "deployment/istio-eastwestgateway")
    mesh["c4"].kubectl(*gateway, "--replicas=0")
    pods = f"--namespace={SYSTEM}", "--selector=app=istio-eastwestgateway"
    # At once: one that is told to end waits for its callers.
    mesh["c4"].kubectl("delete", "pods", *pods, "--grace-period=0", "--force")
    left = ("pods", *pods)
    eventually(lambda: objects(mesh["c4"], *left), lambda found: found == [])
    try:
        yield
    finally:
        mesh["c4"].kubectl(*gateway, "--replicas=1")


def gateway_rule_selects_nothing(mesh: Mesh) -> AbstractContextManager[None]:
    wrong, right = ({"spec": {"selector": {"istio": found}}} for found in ("nobody", "eastwestgateway"))
    return patched(mesh["c4"], SYSTEM, "gateways.networking.istio.io", "cross-network-gateway", wrong, right)


@contextmanager
def edited_remote_secret(cluster: Cluster, read: str, edit: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """The kubeconfig in one remote secret says something else."""
    name = f"istio-remote-secret-{read}"
    (secret,) = (found for found in objects(cluster, "secrets", f"--namespace={SYSTEM}") if _name(found) == name)
    right = secret["data"][read]
    config = json.loads(base64.b64decode(right))
    edit(config)
    wrong = base64.b64encode(json.dumps(config).encode()).decode()
    try:
        with patched(cluster, SYSTEM, "secret", name, {"data": {read: wrong}}, {"data": {read: right}}):
            yield
    finally:
        # An istiod that could not sync a cluster misses later changes of its secret: docs/checks.md#istiod-not-synced.
        start_anew(cluster, "istiod")


def _name(item: dict[str, Any]) -> str:
    return str(item["metadata"]["name"])


@contextmanager
def revoked_token(mesh: Mesh) -> Iterator[None]:
    """c1 reads c4 by a token that was good, and whose Secret was deleted since."""
    c4 = mesh["c4"]
    annotations = {"kubernetes.io/service-account.name": "istio-reader-service-account"}
    extra = {
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "extra-token", "namespace": SYSTEM, "annotations": annotations},
    }  # fmt: skip
    c4.kubectl("apply", "-f", "-", stdin=json.dumps(extra))
    jsonpath = ("-n", SYSTEM, "get", "secret", "extra-token", "-o", "jsonpath={.data.token}")
    token = base64.b64decode(eventually(lambda: c4.kubectl(*jsonpath), bool)).decode()
    c4.kubectl("-n", SYSTEM, "delete", "secret", "extra-token")

    def edit(config: dict[str, Any]) -> None:
        config["users"][0]["user"]["token"] = token

    with edited_remote_secret(mesh["c1"], "c4", edit):
        yield


def wrong_api_address(mesh: Mesh) -> AbstractContextManager[None]:
    def edit(config: dict[str, Any]) -> None:
        # Of the machine's own bridge, where nobody listens.
        config["clusters"][0]["cluster"]["server"] = "https://172.31.0.250:6443"

    return edited_remote_secret(mesh["c1"], "c4", edit)


def wrong_authority_in_a_secret(mesh: Mesh) -> AbstractContextManager[None]:
    other = json.loads(mesh["c2"].kubectl("-n", SYSTEM, "get", "configmap", "kube-root-ca.crt", "-o", "json"))
    bundle = base64.b64encode(other["data"]["ca.crt"].encode()).decode()

    def edit(config: dict[str, Any]) -> None:
        config["clusters"][0]["cluster"]["certificate-authority-data"] = bundle

    return edited_remote_secret(mesh["c1"], "c4", edit)


@contextmanager
def secret_missing_in_one_direction(mesh: Mesh) -> Iterator[None]:
    c1, name = mesh["c1"], "istio-remote-secret-c4"
    (secret,) = (found for found in objects(c1, "secrets", f"--namespace={SYSTEM}") if _name(found) == name)
    c1.kubectl("-n", SYSTEM, "delete", "secret", name)
    try:
        yield
    finally:
        kept = {key: secret["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
        c1.kubectl("create", "-f", "-", stdin=json.dumps({**secret, "metadata": kept}))


ALL = ("istiod", "istio-eastwestgateway", "probe")


@contextmanager
def authority(
    mesh: Mesh,
    cluster: str,
    files: dict[str, str],
    *restart: str,
    wait: bool = True,
    at_the_end: Sequence[str] = ALL,
) -> Iterator[None]:
    """A cluster's Secret cacerts holds these files; what is named starts anew, then and at the end."""
    handle = mesh[cluster]
    (secret,) = (found for found in objects(handle, "secrets", f"--namespace={SYSTEM}") if _name(found) == "cacerts")
    wrong = {name: base64.b64encode(text.encode()).decode() for name, text in files.items()}
    try:
        with patched(handle, SYSTEM, "secret", "cacerts", {"data": wrong}, {"data": secret["data"]}):
            start_anew(handle, *restart, wait=wait)
            yield
    finally:
        start_anew(handle, *at_the_end)


def start_anew(cluster: Cluster, *workloads: str, wait: bool = True) -> None:
    """Start workloads anew, one after the other."""
    for workload in workloads:
        namespace = VERIFY if workload == "probe" else SYSTEM
        cluster.kubectl("-n", namespace, "delete", "pod", "-l", f"app={workload}", "--grace-period=1", "--wait=true")
        if wait:
            cluster.kubectl(
                "-n", namespace, "rollout", "status", f"deployment/{workload}", "--timeout=120s", timeout_seconds=130
            )


def new_authority(cluster: str, trust_domain: str = "breakages.internal") -> tuple[dict[str, str], str]:
    """Return the files of an authority below a root of its own, and that root."""
    root_key, own_key, today = key(), key(), dt.datetime.now(dt.timezone.utc).date()
    root = certificates.root_pem(certificates.RootCertificate("other", "1", (trust_domain,), today, 30), root_key)
    facts = certificates.IntermediateCertificate("other", cluster, (trust_domain,), today, 30)
    own = certificates.intermediate_pem(facts, own_key, root, root_key)
    return certificates.cacerts(own, own_key, root, root), root


def another_root(mesh: Mesh) -> AbstractContextManager[None]:
    return authority(mesh, "c4", new_authority("c4")[0], *ALL)


def intermediate_of_another_root(mesh: Mesh) -> AbstractContextManager[None]:
    files, _ = new_authority("c4")
    del files["root-cert.pem"]
    return authority(mesh, "c4", files, "istiod", wait=False)


@contextmanager
def expired_intermediate(mesh: Mesh) -> Iterator[None]:
    """The authority of c4 ends while istiod runs, and nobody renews it."""
    (secret,) = (
        found for found in objects(mesh["c4"], "secrets", f"--namespace={SYSTEM}") if _name(found) == "cacerts"
    )
    files = {name: base64.b64decode(data).decode() for name, data in secret["data"].items()}
    ends = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=35)
    old = x509.load_pem_x509_certificate(files["ca-cert.pem"].encode())
    builder = x509.CertificateBuilder().subject_name(old.subject).issuer_name(old.issuer).public_key(old.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(old.not_valid_before_utc)
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    signer: Any = serialization.load_pem_private_key(root_key(mesh.stack).encode(), None)
    short = builder.not_valid_after(ends).sign(signer, hashes.SHA256())
    pem = short.public_bytes(serialization.Encoding.PEM).decode()
    root = files["cert-chain.pem"].removeprefix(files["ca-cert.pem"])
    with authority(mesh, "c4", {"ca-cert.pem": pem, "cert-chain.pem": pem + root}, "istiod", "probe"):
        time.sleep(max(0, (ends - dt.datetime.now(dt.timezone.utc)).total_seconds()))
        yield


def root_key(stack: Stack, generation: str = "") -> str:
    """Return the key of the mesh's root, or of one generation of it, out of the stack's state."""
    state = json.loads(stack.run("stack", "export", "--show-secrets", stdout_only=True))
    (found,) = (
        resource
        for resource in state["deployment"]["resources"]
        if resource["type"] == "tls:index/privateKey:PrivateKey" and f"-root-{generation}" in resource["urn"]
    )
    return str(json.loads(found["outputs"]["privateKeyPemPkcs8"]["plaintext"]))


def wrong_network_label(mesh: Mesh) -> AbstractContextManager[None]:
    wrong, right = ({"metadata": {"labels": {"topology.istio.io/network": found}}} for found in ("nowhere", "c4"))
    return patched(mesh["c4"], SYSTEM, "namespace", SYSTEM, wrong, right)


@contextmanager
def wrong_network_in_istiod(mesh: Mesh) -> Iterator[None]:
    c4, name = mesh["c4"], "istio-sidecar-injector"
    (found,) = (item for item in objects(c4, "configmaps", f"--namespace={SYSTEM}") if _name(item) == name)
    right = found["data"]["values"]
    values = json.loads(right)
    values["global"]["network"] = "nowhere"
    wrong = json.dumps(values)
    try:
        with patched(c4, SYSTEM, "configmap", name, {"data": {"values": wrong}}, {"data": {"values": right}}):
            start_anew(c4, "istiod", "probe")
            yield
    finally:
        start_anew(c4, "istiod", "probe")


@contextmanager
def replica_that_sees_nothing(mesh: Mesh) -> Iterator[None]:
    """A second istiod in c1 can't reach c4's API server; the first one and the probe can."""
    c1 = mesh["c1"]
    pods = [pod for pod in objects(c1, "pods") if pod["metadata"]["labels"].get("app") in ("istiod", "probe")]
    known = ", ".join(pod["status"]["podIP"] for pod in pods)
    rule = f"ip saddr 10.11.0.0/16 ip saddr != {{ {known} }} ip daddr {mesh['c4'].node_address} tcp dport 6443 drop"
    with filtered(c1, "prerouting priority raw", rule):
        c1.kubectl("-n", SYSTEM, "scale", "deployment/istiod", "--replicas=2")
        eventually(
            lambda: objects(c1, "pods", f"--namespace={SYSTEM}", "--selector=app=istiod"),
            lambda found: len(found) == 2 and all(pod["status"]["phase"] == "Running" for pod in found),
        )
        try:
            yield
        finally:
            c1.kubectl("-n", SYSTEM, "scale", "deployment/istiod", "--replicas=1")
    eventually(
        lambda: len(objects(c1, "pods", f"--namespace={SYSTEM}", "--selector=app=istiod")), lambda left: left == 1
    )


def route_removed(mesh: Mesh) -> AbstractContextManager[None]:
    return filtered(mesh["c1"], "prerouting priority raw", "ip saddr 10.12.0.0/16 drop", "ip daddr 10.12.0.0/16 drop")


def gateway_port_filtered(mesh: Mesh) -> AbstractContextManager[None]:
    return filtered(mesh["c4"], "prerouting priority raw", 'iifname "eth0" tcp dport 15443 drop')


def webhook_port_filtered(mesh: Mesh) -> AbstractContextManager[None]:
    # After the Service's address has become the pod's.
    return filtered(mesh["c4"], "postrouting priority 300", "tcp dport 15017 drop")


@contextmanager
def tls_ended_before_the_gateway(mesh: Mesh) -> Iterator[None]:
    """Somebody with a certificate of his own answers at the gateway's address."""
    pem = mesh.folder / "front.pem"
    subject = ["-subj", "/CN=front", "-days", "2", "-nodes", "-newkey", "rsa:2048"]
    run(["openssl", "req", "-x509", *subject, "-keyout", pem, "-out", mesh.folder / "front.crt"])
    pem.write_text(pem.read_text() + (mesh.folder / "front.crt").read_text())
    command = [*enter("c4"), "openssl", "s_server", "-accept", "25443", "-cert", pem, "-www", "-quiet"]
    server = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rule = 'iifname "eth0" tcp dport 15443 redirect to :25443'
    table = f"table ip broken {{ chain broken {{ type nat hook prerouting priority -150; {rule}; }}; }}"
    try:
        run([*enter("c4"), "nft", "-f", "-"], stdin=table)
        try:
            # Connections that are open go on as they were translated.
            start_anew(mesh["c1"], "probe")
            yield
        finally:
            run([*enter("c4"), "nft", "delete", "table", "ip", "broken"])
    finally:
        server.kill()
        server.wait()


def _peer_authentication(mode: str) -> dict[str, Any]:
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "lenient", "namespace": VERIFY},
        "spec": {"mtls": {"mode": mode}},
    }


def mtls_disabled_on_the_target(mesh: Mesh) -> AbstractContextManager[None]:
    return applied(mesh["c4"], _peer_authentication("DISABLE"))


def destination_rule_without_tls(mesh: Mesh) -> AbstractContextManager[None]:
    rule = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "plain", "namespace": VERIFY},
        "spec": {"host": f"probe-c4.{VERIFY}.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "DISABLE"}}},
    }
    return applied(mesh["c1"], rule)


@contextmanager
def target_without_a_sidecar(mesh: Mesh) -> Iterator[None]:
    wrong, right = (
        {"spec": {"template": {"metadata": {"labels": {"sidecar.istio.io/inject": found}}}}}
        for found in ("false", "true")
    )
    try:
        with patched(mesh["c4"], VERIFY, "deployment", "probe", wrong, right):
            _rolled_out(mesh["c4"])
            yield
    finally:
        _rolled_out(mesh["c4"])


def _rolled_out(cluster: Cluster) -> None:
    cluster.kubectl("-n", VERIFY, "rollout", "status", "deployment/probe", "--timeout=120s", timeout_seconds=130)


def _shop(port: int) -> dict[str, Any]:
    spec = {"selector": {"app": "shop"}, "ports": [{"name": "http", "port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop", "namespace": "default"}, "spec": spec}


@contextmanager
def same_service_with_other_ports(mesh: Mesh) -> Iterator[None]:
    with applied(mesh["c1"], _shop(80)), applied(mesh["c4"], _shop(81)):
        yield


def headless_across_networks(mesh: Mesh) -> AbstractContextManager[None]:
    spec = {"clusterIP": "None", "selector": {"app": "probe"}, "ports": [{"name": "http", "port": 8080}]}
    metadata = {"name": "peers", "namespace": VERIFY}
    return applied(mesh["c4"], {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})


def api_server_down(mesh: Mesh) -> AbstractContextManager[None]:
    """For everybody outside of c4; its own node goes on."""
    return filtered(mesh["c4"], "input priority 0", 'iifname "eth0" tcp dport 6443 reject with tcp reset')


@contextmanager
def istiod_scaled_to_zero(mesh: Mesh) -> Iterator[None]:
    c4 = mesh["c4"]
    c4.kubectl("-n", SYSTEM, "scale", "deployment/istiod", "--replicas=0")
    try:
        yield
    finally:
        c4.kubectl("-n", SYSTEM, "scale", "deployment/istiod", "--replicas=1")
        c4.kubectl("-n", SYSTEM, "rollout", "status", "deployment/istiod", "--timeout=120s", timeout_seconds=130)
