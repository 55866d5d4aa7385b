"""The objects of a control plane that somebody else installed, as a program imports them.

Pulumi imports a resource without a change only where the program declares all that the provider reads of it, the
API server's defaults among it: what an installer wrote alone would be an update. So an object is taken whole.
Source: pulumi-kubernetes, provider/pkg/provider/provider.go Read (`readFromCluster`) and Diff.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from ..topology.problems import TopologyError
from ..topology.yaml_text import read_documents
from . import names

Object = dict[str, Any]

KINDS = (
    "serviceaccounts", "configmaps", "services", "deployments.apps", "horizontalpodautoscalers.autoscaling",
    "poddisruptionbudgets.policy", "networkpolicies.networking.k8s.io", "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io", "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
)  # fmt: skip
"""Kinds of what charts base and istiod hold, as kubectl knows them; without CRDs, which stay with their installer."""

INSTALLERS = ("istio-operator", "helm")
"""Under which names istioctl and Helm 3 write. Source: istio/istio operator/pkg/install/install.go; Helm calls itself
after its program."""

PARTS = ("istiod", "istio-reader")
"""What the objects of charts base and istiod say that they are part of, in `names.PART_LABEL`."""

SELECTOR = f"{names.PART_LABEL} in ({','.join(PARTS)})"
"""What selects the objects of those charts, whoever installed them."""

_OF_BASE = {
    ("ServiceAccount", names.READER_ACCOUNT),
    ("ValidatingWebhookConfiguration", "istiod-default-validator"),
}
"""Kind and name of what chart base holds besides CRDs. Source: its templates."""

_NOT_DECLARED = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "selfLink")
"""Metadata that the provider leaves out of what it imports."""

_NOT_ANNOTATED = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")

_BY_OTHERS: Mapping[str, list[str]] = {
    # By autoscalers.
    "Deployment": ["spec.replicas"],
    # By istiod. Source: istio/istio pkg/webhooks/webhookpatch.go and validation/controller/controller.go.
    "MutatingWebhookConfiguration": ["webhooks[*].clientConfig.caBundle"],
    "ValidatingWebhookConfiguration": ["webhooks[*].clientConfig.caBundle", "webhooks[*].failurePolicy"],
}
"""What others write while the control plane runs: no drift."""


@dataclass(frozen=True)
class AdoptedObject:
    """One object of a control plane, with its place in the program."""

    manifest: Object

    @property
    def chart(self) -> str:
        """The chart that it is of."""
        return "base" if (self.kind, self.name) in _OF_BASE else "istiod"

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.manifest["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str | None:
        """Its namespace; None where it has none."""
        found = self.manifest["metadata"].get("namespace")
        return str(found) if found else None

    @property
    def type(self) -> str:
        """Its Pulumi type, such as kubernetes:apps/v1:Deployment."""
        version = str(self.manifest["apiVersion"])
        return f"kubernetes:{version if '/' in version else f'core/{version}'}:{self.kind}"

    @property
    def id(self) -> str:
        """By which the provider finds it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def written_by_others(self) -> list[str]:
        """Paths that somebody else goes on writing."""
        return _BY_OTHERS.get(self.kind, [])


def declared(live: Object) -> Object:
    """Return of a live object what a program must declare so that importing it changes nothing."""
    found = {key: value for key, value in copy.deepcopy(live).items() if key != "status"}
    metadata = {key: value for key, value in found["metadata"].items() if key not in _NOT_DECLARED}
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _NOT_ANNOTATED
    }
    metadata.pop("annotations", None)
    return {**found, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}


def in_order(objects: Iterable[Object]) -> list[Object]:
    """Return objects in an order that stays."""
    return sorted(objects, key=lambda one: (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]))


class Unusable(ValueError):
    """A file that holds no objects as `istio-mesh adopt` writes them."""


def place_of(cluster: str) -> str:
    """Return where a cluster's objects are written, from the program's folder."""
    return f"adopted/{cluster}.yaml"


def objects_in(text: str) -> list[AdoptedObject]:
    """Return the objects of a file; raise `Unusable` where it holds none, or anything else."""
    try:
        found = [one for one in read_documents(text, "it") if one is not None]
    except TopologyError as error:
        found_wrong = (p.what if p.slug != "yaml-syntax" else "it is no YAML" for p in error.problems)
        raise Unusable("; ".join(dict.fromkeys(found_wrong))) from None
    if not found:
        raise Unusable("it holds no object")
    for one in found:
        labels = ((one.get("metadata") or {}).get("labels") or {}) if isinstance(one, dict) else {}
        if labels.get(names.PART_LABEL) not in PARTS or not isinstance(one.get("apiVersion"), str):
            raise Unusable("it holds what no object of charts base and istiod is")
    return [AdoptedObject(one) for one in found]


def written(objects: Iterable[Object]) -> str:
    """Return live objects as the file that the program imports them from."""
    return yaml.dump_all(
        (declared(one) for one in in_order(objects)), Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True
    )


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as it is read: most of a control plane is such text."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    # A block can't hold everything, such as lines that end with a blank; PyYAML then falls back by itself.
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def writers(metadata: Mapping[str, Any]) -> set[str]:
    """Return which installers an object still carries fields of."""
    return {entry.get("manager", "") for entry in metadata.get("managedFields") or []}.intersection(INSTALLERS)


def hand_over(manager: str) -> str:
    """Return the command by which what installers wrote of a control plane becomes what the mesh wrote.

    Under `manager` the mesh writes all it writes in that cluster; fields that it doesn't write go with its next run.
    """
    installers = "|".join(INSTALLERS)
    kinds = ",".join(KINDS)
    return (
        f"kubectl get {kinds} --all-namespaces --selector '{SELECTOR}' --show-managed-fields --output json | "
        f"""sed -E -e '/"manager": "({installers})"/,/"operation"/s/"Update"/"Apply"/' """
        f"""-e 's/"manager": "({installers})"/"manager": "{manager}"/' | kubectl replace --filename -"""
    )
