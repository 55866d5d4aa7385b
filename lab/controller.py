"""The lab's own controller, one process per cluster on the cluster's network: `python -m lab.controller c1`.

It plays the parts that a cloud and an add-on play elsewhere: load balancer, DNS, and the Telemetry object.
"""

import sys
import threading

from lab import addresses
from lab.dns import Names, serve
from lab.kubernetes_api import KubernetesApi, Mirror
from lab.loadbalancer import LoadBalancer
from lab.paths import ClusterPaths
from lab.shape import number_of
from lab.telemetry import Telemetry

_RESYNC_SECONDS = 15


def main(cluster: str) -> None:
    """Runs until the process is ended."""
    api, number = KubernetesApi(ClusterPaths.of(cluster)), number_of(cluster)
    changed = threading.Event()
    services = Mirror(api, "/api/v1/services", changed.set)
    slices = Mirror(api, "/apis/discovery.k8s.io/v1/endpointslices", changed.set)
    services.start()
    slices.start()
    names = Names(services, slices)
    for role in (
        threading.Thread(target=serve, args=(addresses.node(number), names.lookup), daemon=True),
        threading.Thread(target=Telemetry(api, slices).follow, daemon=True),
    ):
        role.start()
    balancer = LoadBalancer(api, number, services, slices)
    while True:
        changed.wait(_RESYNC_SECONDS)
        changed.clear()
        try:
            balancer.reconcile()
        except Exception as error:
            # One Service that can't be served must not cost all others theirs; the next round tries again.
            print(f"load balancer: {error!r}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
