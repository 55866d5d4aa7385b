"""Istio's own documented way to the same meshes, as the yardstick of the benchmark.

The steps are those of Istio's pages for several primaries on several networks, and for a primary with remotes on one
network; a page's commands are run one after the other, or, hand-parallelised, for all clusters at once where
nothing needs the one before.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from lab import trust_files
from lab.build import module_folder, programs_folder
from lab.cluster import Cluster
from lab.environment import shell_environment
from lab.errors import LabError
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

_EXPOSE_ISTIOD = [
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "istiod-gateway", "namespace": _NAMESPACE},
        "spec": {
            "selector": {"istio": "eastwestgateway"},
            "servers": [
                {
                    "port": {"number": number, "name": name, "protocol": "tls"},
                    "tls": {"mode": "PASSTHROUGH"},
                    "hosts": ["*"],
                }
                for name, number in (("tls-istiod", 15012), ("tls-istiodwebhook", 15017))
            ],
        },
    },
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "istiod-vs", "namespace": _NAMESPACE},
        "spec": {
            "hosts": ["*"],
            "gateways": ["istiod-gateway"],
            "tls": [
                {
                    "match": [{"port": port, "sniHosts": ["*"]}],
                    "route": [
                        {"destination": {"host": "istiod.istio-system.svc.cluster.local", "port": {"number": behind}}}
                    ],
                }
                for port, behind in ((15012, 15012), (15017, 443))
            ],
        },
    },
]
_MTLS = {
    "apiVersion": "security.istio.io/v1",
    "kind": "PeerAuthentication",
    "metadata": {"name": "default", "namespace": _NAMESPACE},
}
_FLAT = "datacentre"


def install_with_remotes(clusters: Sequence[Cluster], *, parallel: bool) -> None:
    """Make one mesh on one network, the first cluster serving the others, to the last remote secret."""
    primary, *remotes = clusters
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        trust_files.write(folder, [cluster.name for cluster in clusters])
        _namespace(primary, folder / primary.name)
        address = _serve_remotes(primary, _FLAT, folder)

        def join(remote: Cluster) -> None:
            remote.kubectl("create", "namespace", _NAMESPACE)
            _join(remote, primary, _FLAT, address, folder)

        with ThreadPoolExecutor(len(remotes) if parallel else 1) as pool:
            list(pool.map(join, remotes))


def install_over_networks(
    networks: Mapping[str, Sequence[Cluster]],
    *,
    mtls: str,
    istiod: Mapping[str, Any],
    authority: Path | None = None,
) -> None:
    """Make one mesh of several networks, the first cluster of each serving the others that are on it.

    Every cluster has an east-west gateway, as in Istio's own test environments, and workloads of all refuse
    plaintext where `mtls` is `strict`. Each istiod, and the proxies of its clusters, have the values `istiod` of its
    chart besides. It signs by the authority in a folder of its four files, or by one of its own under a new root.
    """
    clusters = [cluster for members in networks.values() for cluster in members]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        trust_files.write(folder, [cluster.name for cluster in clusters])
        for network, (primary, *remotes) in networks.items():
            prepare(primary, authority or folder / primary.name, network)
            address = _serve_remotes(primary, network, folder, istiod)
            policy = {**_MTLS, "spec": {"mtls": {"mode": mtls.upper()}}}
            primary.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([_EXPOSE, policy]))
            for remote in remotes:
                remote.kubectl("create", "namespace", _NAMESPACE)
                _label_network(remote, network)
                _join(remote, primary, network, address, folder)
                _install_operator(remote, folder / "gateway.yaml", _gateway(network))
        for primary, *remotes in networks.values():
            for other in clusters:
                if other not in (primary, *remotes):
                    _discover(primary, other)


def install(clusters: Sequence[Cluster], *, parallel: bool) -> None:
    """Make one split-horizon mesh of the clusters, from nothing to the last remote secret."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        trust_files.write(folder, [cluster.name for cluster in clusters])
        with ThreadPoolExecutor(len(clusters) if parallel else 1) as pool:
            list(pool.map(lambda cluster: _install_one(cluster, folder / cluster.name), clusters))
            # A cluster's own secrets one after the other: two istioctl at once would both make its reader's token.
            list(pool.map(lambda read: _announce(read, clusters), clusters))


def install_alone(cluster: Cluster, authority: Path, *, mesh_id: str, network: str) -> None:
    """Install Istio in one cluster as a team does that has no mesh of several yet, with the way in for one.

    Under the certificate authority in a folder of its four files, with an east-west gateway.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepare(cluster, authority, network)
        operator = _istiod(cluster.name, network)
        operator["spec"]["values"]["global"]["meshID"] = mesh_id
        _install_operator(cluster, folder / "istiod.yaml", operator)
        _install_operator(cluster, folder / "gateway.yaml", _gateway(network))
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(_EXPOSE))


def prepare(cluster: Cluster, authority: Path, network: str) -> None:
    """Make Istio's namespace with what has to be there before istiod: its authority, and the network's name."""
    _namespace(cluster, authority)
    _label_network(cluster, network)


def uninstall(clusters: Sequence[Cluster]) -> None:
    """Take the mesh away as Istio's page says: istioctl uninstall, then the namespace; cluster after cluster."""
    for cluster in clusters:
        istioctl(cluster, "uninstall", "--purge", "--skip-confirmation")
        cluster.kubectl("delete", "namespace", _NAMESPACE, timeout_seconds=180)


def _install_one(cluster: Cluster, folder: Path) -> None:
    network = cluster.name
    prepare(cluster, folder, network)
    _install_operator(cluster, folder / "istiod.yaml", _istiod(cluster.name, network))
    _install_operator(cluster, folder / "gateway.yaml", _gateway(network))
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(_EXPOSE))


def _serve_remotes(primary: Cluster, network: str, folder: Path, chart: Mapping[str, Any] | None = None) -> str:
    """Install an istiod that remote clusters may use, and return the address at which they reach it."""
    serving = _istiod(primary.name, network)
    if chart:
        values = serving["spec"]["values"]
        values |= {"pilot": {"env": chart["env"]}, "meshConfig": chart["meshConfig"]}
        values["global"] |= chart["global"]
    serving["spec"]["values"]["global"]["externalIstiod"] = True
    _install_operator(primary, folder / "istiod.yaml", serving)
    _install_operator(primary, folder / "gateway.yaml", _gateway(network))
    primary.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(_EXPOSE_ISTIOD))
    return primary.kubectl(
        "-n", _NAMESPACE, "get", "service", "istio-eastwestgateway",
        "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}",
    )  # fmt: skip


def _join(remote: Cluster, primary: Cluster, network: str, address: str, folder: Path) -> None:
    remote.kubectl("annotate", "namespace", _NAMESPACE, f"topology.istio.io/controlPlaneClusters={primary.name}")
    _install_operator(remote, folder / f"{remote.name}.yaml", _remote(remote.name, network, address))
    _discover(primary, remote)


def _label_network(cluster: Cluster, network: str) -> None:
    cluster.kubectl("label", "namespace", _NAMESPACE, f"topology.istio.io/network={network}")


def _namespace(cluster: Cluster, folder: Path) -> None:
    cluster.kubectl("create", "namespace", _NAMESPACE)
    files = [f"--from-file={folder / name}" for name in trust_files.FILES]
    cluster.kubectl("create", "secret", "generic", "cacerts", "-n", _NAMESPACE, *files)


def _announce(read: Cluster, clusters: Sequence[Cluster]) -> None:
    for reader in clusters:
        if reader is not read:
            _discover(reader, read)


def _discover(reader: Cluster, read: Cluster) -> None:
    secret = istioctl(read, "create-remote-secret", f"--name={read.name}")
    reader.kubectl("apply", "-f", "-", stdin=secret)


def _install_operator(cluster: Cluster, file: Path, operator: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(operator))
    manifests = module_folder(ISTIOD_BUILD, "istio.io/istio") / "manifests"
    istioctl(cluster, "install", "--skip-confirmation", "--manifests", str(manifests), "-f", str(file))


def istioctl(cluster: Cluster, *arguments: str) -> str:
    """Return the output of one istioctl command on a cluster; raise `RuntimeError` with its last words.

    Raises `LabError` where only the demo's programs are built.
    """
    if not (programs_folder() / "istioctl").exists():
        raise LabError("istioctl is not built: run `python -m lab build`")
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


def _istiod(cluster: str, network: str) -> dict[str, Any]:
    values = {"global": {"meshID": "bench", "multiCluster": {"clusterName": cluster}, "network": network}}
    return _operator(
        {
            "components": {"ingressGateways": [{"name": "istio-ingressgateway", "enabled": False}]},
            "values": values,
        }
    )


def _remote(cluster: str, network: str, address: str) -> dict[str, Any]:
    return _operator(
        {
            "profile": "remote",
            "values": {
                "istiodRemote": {"injectionPath": f"/inject/cluster/{cluster}/net/{network}"},
                "global": {
                    "remotePilotAddress": address,
                    "configCluster": True,
                    "multiCluster": {"clusterName": cluster},
                    "network": network,
                },
            },
        }
    )


def _gateway(network: str) -> dict[str, Any]:
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


def _operator(spec: dict[str, Any], name: str = "installed-state") -> dict[str, Any]:
    return {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": name},
        "spec": {"hub": HUB, "tag": TAG, **spec},
    }
