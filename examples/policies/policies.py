"""Policies over the resources of a mesh. They see what any program registers, by this package or by hand."""

# Properties of resources have no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

ISTIO_CHARTS = ("base", "istiod", "gateway")
CHART_TYPES = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart")
EVERYBODY = ("0.0.0.0/0", "::/0")
INTERNAL = {
    "networking.gke.io/load-balancer-type": "Internal",
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
}
"""Annotations by which clouds make a load balancer that only their own networks reach."""
_TEXTS = {"type": "array", "items": {"type": "string"}}


def no_plaintext(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Refuse each PeerAuthentication that lets plaintext in, for a whole workload or for a port of it."""
    if not args.resource_type.endswith(":PeerAuthentication"):
        return
    metadata = args.props.get("metadata") or {}
    if metadata.get("namespace") in (args.get_config().get("namespaces") or []):
        return
    spec = args.props.get("spec") or {}
    ports = {f"port {port}": found for port, found in (spec.get("portLevelMtls") or {}).items()}
    for what, mtls in {"it": spec.get("mtls") or {}, **ports}.items():
        if mtls.get("mode") in ("PERMISSIVE", "DISABLE"):
            report(
                f"{what} lets plaintext in: its mode is {mtls['mode']}. Write mtls: strict in the mesh, or "
                "mode: STRICT here; a namespace that may is named in the configuration of this policy, under "
                "namespaces",
                args.urn,
            )


def each_istiod_is_strict(args: StackValidationArgs, report: ReportViolation) -> None:
    """Refuse a cluster whose istiod has no PeerAuthentication for the whole mesh that says STRICT."""
    strict = {
        resource.provider.urn
        for resource in args.resources
        if resource.resource_type.endswith(":PeerAuthentication")
        if resource.provider is not None and _is_mesh_wide(resource.props)
    }
    for resource in args.resources:
        if resource.provider is None or not _runs_istiod(resource.resource_type, resource.props):
            continue
        if resource.provider.urn not in strict:
            report(
                f"the mesh of istiod in {resource.provider.name} answers plaintext: no PeerAuthentication there says "
                "STRICT for all workloads. Write mtls: strict in the mesh, which is the default",
                resource.urn,
            )


def _is_mesh_wide(props: Mapping[str, Any]) -> bool:
    spec = props.get("spec") or {}
    return not spec.get("selector") and (spec.get("mtls") or {}).get("mode") == "STRICT"


def _runs_istiod(resource_type: str, props: Mapping[str, Any]) -> bool:
    if resource_type == "kubernetes:apps/v1:Deployment":
        return bool(((props.get("metadata") or {}).get("labels") or {}).get("app") == "istiod")
    # In a cluster that another one's istiod serves, the chart holds a webhook only.
    installed = resource_type in CHART_TYPES and _chart(resource_type, props)[0] == "istiod"
    remote = ((props.get("values") or {}).get("istiodRemote") or {}).get("injectionPath")
    return installed and not remote


def constrained_roots(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Refuse each root of another mesh that may vouch for more than that mesh's own trust domain."""
    if args.resource_type != "kubernetes:core/v1:ConfigMap":
        return
    mesh = (args.props.get("data") or {}).get("mesh")
    for authority in _authorities(mesh):
        domains = authority.get("trustDomains") or []
        if set(domains) & set(args.get_config().get("trustDomains") or []):
            continue
        for root in x509.load_pem_x509_certificates(str(authority.get("pem", "")).encode()):
            beyond = _vouches_beyond(root, domains)
            if beyond:
                report(
                    f"the root {root.subject.rfc4514_string()} {beyond}, and proxies here trust it for "
                    f"{', '.join(domains) or 'every trust domain'}. Ask its mesh for a root with name constraints, "
                    "such as trust.roots makes; an exception is named in the configuration of this policy, under "
                    "trustDomains",
                    args.urn,
                )


def _authorities(mesh: Any) -> list[Mapping[str, Any]]:
    # JSON as this package writes it; a mesh config in YAML is somebody else's.
    try:
        found = json.loads(mesh) if isinstance(mesh, str) else None
    except ValueError:
        found = None
    return list(found.get("caCertificates") or []) if isinstance(found, dict) else []


def _vouches_beyond(root: x509.Certificate, domains: list[str]) -> str:
    """Return what a root may vouch for besides some trust domains; empty where that is nothing."""
    try:
        constraints = root.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return "has no name constraints"
    names = constraints.permitted_subtrees or []
    hosts = {name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)}
    if not hosts:
        return "may vouch for every identity: its name constraints permit no URI in particular"
    beyond = sorted(hosts - set(domains))
    return f"may vouch for {', '.join(beyond)} too" if beyond else ""


def pinned_version(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Refuse charts of Istio, and what is in them, of another version than those that are allowed."""
    chart, version = _chart(args.resource_type, args.props)
    if chart not in ISTIO_CHARTS:
        return
    allowed = args.get_config().get("versions") or []
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        example = allowed[0] if allowed else "1.31.1"
        report(f'the chart {chart} has no exact version. Write istio_version: "{example}"', args.urn)
    elif allowed and version not in allowed:
        report(
            f"the chart {chart} is of Istio {version}, and {', '.join(allowed)} is allowed. "
            f'Write istio_version: "{allowed[0]}"',
            args.urn,
        )


def _chart(resource_type: str, props: Mapping[str, Any]) -> tuple[str, str]:
    """Return the chart that a resource is, or is part of, and its version; both empty where it is none."""
    if resource_type in CHART_TYPES:
        # By the last part: it may be a path, or an address of a registry.
        name = str(props.get("chart") or "").rstrip("/").rpartition("/")[2]
        return re.sub(r"-\d+\.\d+\.\d+.*", "", name), str(props.get("version") or "")
    metadata = props.get("metadata") if resource_type.startswith("kubernetes:") else None
    name, _, version = str(((metadata or {}).get("labels") or {}).get("helm.sh/chart") or "").partition("-")
    return name, version


def closed_firewalls(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Refuse firewall rules of Google that let everybody in."""
    if args.resource_type != "gcp:compute/firewall:Firewall" or args.props.get("direction", "INGRESS") != "INGRESS":
        return
    if not args.props.get("allows") or args.props.get("name", args.name) in (args.get_config().get("rules") or []):
        return
    sources = args.props.get("sourceRanges") or []
    others = args.props.get("sourceTags") or args.props.get("sourceServiceAccounts")
    if (not sources and not others) or set(sources) & set(EVERYBODY):
        report(
            f"the rule {args.props.get('name', args.name)} lets everybody in. Write gateway_sources: the ranges that "
            "may call, in gke_networks; a rule that may is named in the configuration of this policy, under rules",
            args.urn,
        )


def closed_load_balancers(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Tell of load balancers that let everybody in, which gateways behind mTLS may."""
    spec = args.props.get("spec") or {}
    if args.resource_type != "kubernetes:core/v1:Service" or spec.get("type") != "LoadBalancer":
        return
    annotations = (args.props.get("metadata") or {}).get("annotations") or {}
    if any(annotations.get(key) == value for key, value in args.get_config().get("internal", INTERNAL).items()):
        return
    sources = spec.get("loadBalancerSourceRanges") or []
    if not sources or set(sources) & set(EVERYBODY):
        report(
            f"the load balancer {args.name} lets everybody in. Write source_ranges: the ranges that may call, in "
            "east_west_gateway, federation_gateway or istiod_service of the cluster",
            args.urn,
        )


POLICIES: list[Policy] = [
    ResourceValidationPolicy(
        "no-plaintext",
        "A PeerAuthentication lets no plaintext in.",
        no_plaintext,
        config_schema=PolicyConfigSchema({"namespaces": {**_TEXTS, "default": []}}),
    ),
    StackValidationPolicy("strict-mtls", "Each istiod demands mTLS of all workloads.", each_istiod_is_strict),
    ResourceValidationPolicy(
        "constrained-roots",
        "The root of another mesh vouches for that mesh's trust domain only.",
        constrained_roots,
        config_schema=PolicyConfigSchema({"trustDomains": {**_TEXTS, "default": []}}),
    ),
    ResourceValidationPolicy(
        "pinned-version",
        "Istio is of an exact version, among those that are allowed.",
        pinned_version,
        config_schema=PolicyConfigSchema({"versions": {**_TEXTS, "default": []}}),
    ),
    ResourceValidationPolicy(
        "closed-firewalls",
        "A firewall rule names who is let in.",
        closed_firewalls,
        config_schema=PolicyConfigSchema({"rules": {**_TEXTS, "default": []}}),
    ),
    ResourceValidationPolicy(
        "closed-load-balancers",
        "A load balancer names who is let in, or is internal.",
        closed_load_balancers,
        EnforcementLevel.ADVISORY,
        PolicyConfigSchema(
            {
                "internal": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "default": INTERNAL,
                }
            }
        ),
    ),
]
