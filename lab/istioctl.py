"""Istio's own documented way to the same mesh, as the yardstick of the benchmark.

The steps are those of Istio's multi-primary page for several networks; the page's commands are run one after the
other, or, hand-parallelised, for all clusters at once with the remote secrets at the end.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from lab import trust_files
from lab.build import module_folder
from lab.cluster import Cluster
from lab.environment import shell_environment
from lab.programs import ISTIOD_BUILD

HUB, TAG = "docker.io/istio", "1.31.0"
_NAMESPACE = "istio-system"
_EXPOSE = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "cross-network-gateway", "namespace": _NAMESPACE},
    "spec": {
        "selector": {"istio": "eastwestgateway"},
        "servers": [
            {
                "port": {"number": 15443, "name": "tls", "protocol": "TLS"},
                "tls": {"mode": "AUTO_PASSTHROUGH"},
                "hosts": ["*.local"],
            }
        ],
    },
}


def install(clusters: Sequence[Cluster], *, parallel: bool) -> None:
    """Make one split-horizon mesh of the clusters, from nothing to the last remote secret."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        trust_files.write(folder, [cluster.name for cluster in clusters])
        if parallel:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda cluster: _install_one(cluster, folder / cluster.name), clusters))
                pairs = [(reader, read) for reader in clusters for read in clusters if reader is not read]
                list(pool.map(lambda pair: _discover(*pair), pairs))
            return
        for cluster in clusters:
            _install_one(cluster, folder / cluster.name)
        for reader in clusters:
            for read in clusters:
                if reader is not read:
                    _discover(reader, read)


def uninstall(clusters: Sequence[Cluster]) -> None:
    """Take the mesh away as Istio's page says: istioctl uninstall, then the namespace; cluster after cluster."""
    for cluster in clusters:
        istioctl(cluster, "uninstall", "--purge", "--skip-confirmation")
        cluster.kubectl("delete", "namespace", _NAMESPACE, timeout_seconds=180)


def _install_one(cluster: Cluster, folder: Path) -> None:
    network = cluster.name
    cluster.kubectl("create", "namespace", _NAMESPACE)
    cluster.kubectl("label", "namespace", _NAMESPACE, f"topology.istio.io/network={network}")
    files = [f"--from-file={folder / name}" for name in trust_files.FILES]
    cluster.kubectl("create", "secret", "generic", "cacerts", "-n", _NAMESPACE, *files)
    _install_operator(cluster, folder / "istiod.yaml", _istiod(cluster.name, network))
    _install_operator(cluster, folder / "gateway.yaml", _gateway(network))
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(_EXPOSE))


def _discover(reader: Cluster, read: Cluster) -> None:
    secret = istioctl(read, "create-remote-secret", f"--name={read.name}")
    reader.kubectl("apply", "-f", "-", stdin=secret)


def _install_operator(cluster: Cluster, file: Path, operator: dict[str, object]) -> None:
    file.write_text(yaml.safe_dump(operator))
    manifests = module_folder(ISTIOD_BUILD, "istio.io/istio") / "manifests"
    istioctl(cluster, "install", "--skip-confirmation", "--manifests", str(manifests), "-f", str(file))


def istioctl(cluster: Cluster, *arguments: str) -> str:
    """Return the output of one istioctl command on a cluster; raise `RuntimeError` with its last words."""
    environment = {**os.environ, **shell_environment()}
    done = subprocess.run(
        ["istioctl", f"--kubeconfig={cluster.kubeconfig_path}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"istioctl {arguments[0]} on {cluster.name}: {done.stderr[-2000:]}")
    return done.stdout


def _istiod(cluster: str, network: str) -> dict[str, object]:
    values = {"global": {"meshID": "bench", "multiCluster": {"clusterName": cluster}, "network": network}}
    return _operator(
        {
            "components": {"ingressGateways": [{"name": "istio-ingressgateway", "enabled": False}]},
            "values": values,
        }
    )


def _gateway(network: str) -> dict[str, object]:
    """Return what Istio's gen-eastwest-gateway.sh prints for a network."""
    numbers = {"status-port": 15021, "tls": 15443, "tls-istiod": 15012, "tls-webhook": 15017}
    ports = [{"name": name, "port": number, "targetPort": number} for name, number in numbers.items()]
    gateway = {
        "name": "istio-eastwestgateway",
        "label": {
            "istio": "eastwestgateway",
            "app": "istio-eastwestgateway",
            "topology.istio.io/network": network,
        },
        "enabled": True,
        "k8s": {
            "env": [{"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": network}],
            "service": {"ports": ports},
        },
    }
    return _operator(
        {
            "revision": "",
            "profile": "empty",
            "components": {"ingressGateways": [gateway]},
            "values": {
                "gateways": {"istio-ingressgateway": {"injectionTemplate": "gateway"}},
                "global": {"network": network, "imagePullPolicy": "IfNotPresent"},
            },
        },
        name="eastwest",
    )


def _operator(spec: dict[str, object], name: str = "installed-state") -> dict[str, object]:
    return {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": name},
        "spec": {"hub": HUB, "tag": TAG, **spec},
    }
