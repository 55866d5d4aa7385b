"""Puts a Telemetry object beside every istiod, so that upstream Envoy accepts what istiod sends, and logs its calls.

Istio's metrics need a filter, istio.stats, that only Istio's own build of Envoy has; a listener that names
it is rejected as a whole. The object switches the metrics off. It has proxies log each call and connection, too, so
that a test which loses one can say where. It is the lab's, not the product's: the lab makes it as soon as istiod
answers and removes it once istiod's Service is gone.
"""

import http.client
import time

from lab.kubernetes_api import ApiError, KubernetesApi, Mirror, Object
from lab.loadbalancer import ready_addresses

NAME = "lab-no-istio-stats"
_EAGER_SECONDS = 0.3
_PATIENT_SECONDS = 5.0
_EAGER_TRIES = 100


def manifest(namespace: str) -> Object:
    """The Telemetry object, which switches all metrics off and access logs on."""
    every = {"match": {"metric": "ALL_METRICS", "mode": "CLIENT_AND_SERVER"}, "disabled": True}
    return {
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {"metrics": [{"overrides": [every]}], "accessLogging": [{"providers": [{"name": "envoy"}]}]},
    }


class Telemetry:
    """Follows istiod's endpoints in all namespaces of one cluster."""

    def __init__(self, api: KubernetesApi, slices: Mirror) -> None:
        self._api = api
        self._slices = slices
        self._tries: dict[str, int] = {}
        self._present: set[str] = set()

    def follow(self) -> None:
        """Runs for ever."""
        while True:
            known, serving = self._istiods()
            for namespace in self._present - known:
                self._remove(namespace)
            # Forgetting a namespace whose istiod is away makes us try again when it comes back.
            self._present &= serving
            self._tries = {n: t for n, t in self._tries.items() if n in serving}
            for namespace in serving - self._present:
                self._try(namespace)
            time.sleep(self._pause(serving - self._present))

    def _istiods(self) -> tuple[set[str], set[str]]:
        """Namespaces with an istiod Service, and those of them where it has an endpoint that is ready."""
        slices = [s for s in self._slices.objects if _is_istiod(s)]
        known = {s["metadata"]["namespace"] for s in slices}
        return known, {s["metadata"]["namespace"] for s in slices if ready_addresses(s)}

    def _pause(self, waiting: set[str]) -> float:
        # An istiod that refuses for half a minute is no longer starting: it has no CRDs, or isn't a primary's.
        if waiting and all(self._tries.get(n, 0) > _EAGER_TRIES for n in waiting):
            return _PATIENT_SECONDS
        return _EAGER_SECONDS

    def _try(self, namespace: str) -> None:
        self._tries[namespace] = self._tries.get(namespace, 0) + 1
        try:
            self._api.apply(_path(namespace), manifest(namespace))
        except (ApiError, OSError, http.client.HTTPException) as error:
            if self._tries[namespace] == 1:
                print(f"Telemetry in {namespace} not accepted yet: {error}", flush=True)
            return
        self._present.add(namespace)
        print(f"Telemetry in {namespace} after {self._tries[namespace]} tries", flush=True)

    def _remove(self, namespace: str) -> None:
        try:
            self._api.request("DELETE", _path(namespace))
        except (ApiError, OSError, http.client.HTTPException) as error:
            print(f"Telemetry in {namespace} not removed: {error}", flush=True)


def _path(namespace: str) -> str:
    return f"/apis/telemetry.istio.io/v1/namespaces/{namespace}/telemetries/{NAME}"


def _is_istiod(endpoints: Object) -> bool:
    service: str = endpoints["metadata"].get("labels", {}).get("kubernetes.io/service-name", "")
    return service == "istiod" or service.startswith("istiod-")
