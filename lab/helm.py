"""What a team installs by itself with plain Helm: the documented commands, one cluster at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab import istioctl
from lab.charts import charts_folder
from lab.cluster import Cluster
from lab.process import run
from lab.programs import HELM_BUILD


def install(cluster: Cluster, authority: Path, *, mesh_id: str, network: str) -> None:
    """Install charts base and istiod, under the certificate authority in a folder of its four files."""
    istioctl.prepare(cluster, authority, network)
    values = {
        "global": {
            "hub": istioctl.HUB,
            "meshID": mesh_id,
            "multiCluster": {"clusterName": cluster.name},
            "network": network,
        }
    }
    _release(cluster, "istio-base", "base", {"defaultRevision": "default"})
    _release(cluster, "istiod", "istiod", values)


def install_gateways(cluster: Cluster) -> None:
    """Install chart gateway as the ingress and the egress gateway that a team has beside its mesh."""
    ports = {"status-port": 15021, "http2": 80, "https": 443, "tcp": 31400}
    listed = [{"name": name, "port": port, "targetPort": port} for name, port in ports.items()]
    for name, kind in (("istio-ingressgateway", "LoadBalancer"), ("istio-egressgateway", "ClusterIP")):
        values = {
            "imagePullPolicy": "IfNotPresent",
            # Beside the suite's own pods, of which each asks for a tenth of a core, a node has room for little.
            "resources": {"requests": {"cpu": "10m"}},
            "service": {"type": kind, "ports": listed},
        }
        _release(cluster, name, "gateway", values)


def _release(cluster: Cluster, name: str, chart: str, values: dict[str, Any]) -> None:
    helm = HELM_BUILD.output / "helm"
    command: list[str | Path] = [helm, "install", name, charts_folder() / chart, "--namespace=istio-system"]
    flags = ["--wait", "--values=-", f"--kubeconfig={cluster.kubeconfig_path}"]
    run([*command, *flags], stdin=json.dumps(values), timeout_seconds=180)
