"""The Sail operator's `Istio`, which is Helm values with a version, and `IstioCNI`.

Sources: istio-ecosystem/sail-operator api/v1/istio_types.go, api/v1/istiocni_types.go, and
docs/deployment-models/multicluster.adoc for primaries and remotes.
"""

from __future__ import annotations

from .helm import CNI, helm_table, namespace, profile, version
from .tables import Table, left, metadata, value

GROUPS = ("sailoperator.io", "operator.istio.io")
"""Of today, and of its time before 1.0."""


def table() -> Table:
    """Return the table of an Istio."""
    return {
        **helm_table("spec.values."),
        "metadata": metadata,
        "status": left("it is what was seen, not what is wanted"),
        "spec.version": version(),
        "spec.namespace": namespace,
        "spec.profile": profile,
        "spec.createNetworkPolicy": value("global.networkPolicy.enabled", rank=-1),
        "spec.updateStrategy": left(
            "a new istio_version replaces istiod in place, and revisions run side by side",
            "one minor version at a time; istio-mesh diff says what restarts (docs/operations.md#upgrade-by-revision)",
        ),
    }


def cni_table() -> Table:
    """Return the table of an IstioCNI: it stays with who installs it."""
    return {"metadata": left("it is about the installer's own object"), "spec": CNI, "status": CNI}
