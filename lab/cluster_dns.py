"""Tells a cluster where its DNS is: the Service kube-dns, whose one endpoint is the lab's responder."""

from lab import addresses
from lab.kubernetes_api import KubernetesApi, Object

_NAME = "kube-dns"
_NAMESPACE = "kube-system"


def announce(api: KubernetesApi, number: int) -> None:
    """Makes the Service and its EndpointSlice."""
    metadata = {"name": _NAME, "namespace": _NAMESPACE}
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}]
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"clusterIP": str(addresses.dns_service(number)), "ports": ports},
    }
    endpoints: Object = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": {"kubernetes.io/service-name": _NAME}},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": [str(addresses.node(number))]}],
    }
    api.apply(f"/api/v1/namespaces/{_NAMESPACE}/services/{_NAME}", service)
    api.apply(f"/apis/discovery.k8s.io/v1/namespaces/{_NAMESPACE}/endpointslices/{_NAME}", endpoints)
