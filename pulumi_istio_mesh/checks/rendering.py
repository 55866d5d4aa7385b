"""The outcome of the checks for machines and for reviewers: JSON, JUnit, Markdown, and the bundle for a helper."""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from xml.etree import ElementTree

from ..plan.markdown import code, in_markdown
from ..plan.words import words
from .findings import Finding
from .outcome import Outcome, Row
from .registry import CHECKS
from .secrets import safe
from .seen import Object, Seen, View, named


def as_json(outcome: Outcome) -> str:
    """Return the outcome as JSON: `mesh`, `works`, `causes` with their consequences, and every check."""
    tree = {
        "mesh": outcome.mesh,
        "works": not outcome.fatal,
        "causes": [
            {**_finding(cause.finding), "consequences": [_finding(found) for found in cause.consequences]}
            for cause in outcome.causes
        ],
        "checks": [_row(row) for row in outcome.rows],
    }
    return json.dumps(tree, indent=2)


def as_junit(outcome: Outcome) -> str:
    """Return the outcome as JUnit XML, a test case a check; what only warns is no failure, but in its output."""
    failed = [row for row in outcome.rows if row.status == "failed"]
    skipped = [row for row in outcome.rows if row.status == "skipped"]
    suite = ElementTree.Element(
        "testsuite", name=f"istio-mesh verify {outcome.mesh}", tests=str(len(outcome.rows)),
        failures=str(len(failed)), skipped=str(len(skipped)), errors="0",
    )  # fmt: skip
    for row in outcome.rows:
        case = ElementTree.SubElement(suite, "testcase", classname=f"istio-mesh.{outcome.mesh}", name=row.slug)
        text = "\n".join(_told(found) for found in row.findings)
        if row.status == "failed":
            ElementTree.SubElement(case, "failure", message=row.rule).text = text
        elif row.status == "skipped":
            ElementTree.SubElement(case, "skipped", message="; ".join(row.reasons))
        elif text:
            ElementTree.SubElement(case, "system-out").text = text
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def as_markdown(outcome: Outcome) -> str:
    """Return the outcome as Markdown, for a comment or a ticket."""
    passed = sum(row.status == "passed" for row in outcome.rows)
    state = "does not work" if outcome.fatal else "works"
    lines = [
        f"### {in_markdown(f'Mesh {outcome.mesh} {state}')}",
        "",
        f"{passed} of {len(outcome.rows)} checks passed.",
    ]
    for cause in outcome.causes:
        problem = cause.finding.problem
        weight = "fatal" if cause.finding.fatal else "warning"
        lines += [
            "",
            f"- **{in_markdown(problem.where)}**: {code(problem.what)} (`{problem.slug}`, {weight})",
            f"  - likely: {in_markdown(problem.why)}",
            f"  - fix: {in_markdown(problem.fix)}",
            *(
                f"  - so: {in_markdown(found.where)}: {code(found.what)} (`{found.slug}`)"
                for found in cause.consequences
            ),
        ]
    skipped = [row for row in outcome.rows if row.unread]
    if skipped:
        lines += ["", "Not looked at:", ""]
        lines += [f"- `{row.slug}`: {code('; '.join(row.reasons))}" for row in skipped]
    return "\n".join(lines) + "\n"


def as_bundle(outcome: Outcome, view: View) -> str:
    """Return, as JSON, everything that a helper needs and no secret: only what is named here is taken over."""
    tree = {
        "outcome": json.loads(as_json(outcome)),
        "plan": list(words(view.plan)),
        "istio_version": view.topology.istio_version,
        "at": view.now.isoformat(timespec="seconds"),
        "clusters": {name: _cluster(seen) for name, seen in view.seen.items()},
    }
    return json.dumps(tree, indent=2, sort_keys=True)


def _finding(found: Finding) -> dict[str, Any]:
    problem = found.problem
    return {
        "slug": found.slug,
        "fatal": found.fatal,
        "cluster": found.cluster,
        "peer": found.peer,
        "name": found.name,
        "what": problem.what,
        "likely": problem.why,
        "fix": problem.fix,
        "see": f"docs/checks.md#{found.slug}",
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "slug": row.slug,
        "rule": row.rule,
        "fatal": CHECKS[row.slug].fatal,
        "status": row.status,
        "findings": len(row.findings),
        "not_looked_at": dict(row.unread),
    }


def _told(found: Finding) -> str:
    problem = found.problem
    return f"{problem.where}: {problem.what}\n  likely: {problem.why}\n  fix: {problem.fix}"


def _cluster(seen: Seen) -> dict[str, Any]:
    """Return one cluster for the bundle: names, states, versions, addresses, public certificates."""
    return {
        "unread": seen.unread,
        "kubernetes": seen.version,
        "clock_ahead_seconds": seen.skew_seconds,
        "pods": ["/".join(named(pod)) + f" {_pod_state(pod)}" for pod in seen.pods],
        "services": [_service(service) for service in seen.services],
        "remote_secrets": [
            {**dataclasses.asdict(secret), "server": safe(secret.server), "authority": bool(secret.authority)}
            for secret in seen.remote_secrets
        ],
        "roots": seen.roots,
        "peer_authentications": ["/".join(named(item)) for item in seen.peer_authentications],
        "destination_rules": ["/".join(named(item)) for item in seen.destination_rules],
        "istiod_sees": seen.sync,
        "gateway_listens_on": {pod: sorted(ports) for pod, ports in seen.gateway_ports.items()},
        "gateway_addresses": seen.gateway_addresses(),
        "injection_refused": seen.injection,
        "stale_proxies": seen.stale,
        "proxy": dataclasses.asdict(seen.proxy) if seen.proxy else None,
        "gate_ran": seen.gate_ran,
    }


def _pod_state(pod: Object) -> str:
    status = pod.get("status") or {}
    statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    restarts = sum(container.get("restartCount", 0) for container in statuses)
    images = sorted({container["image"] for container in pod["spec"]["containers"]})
    return f"{status.get('phase', '')} {status.get('podIP', '')} restarts={restarts} {' '.join(images)}"


def _service(service: Object) -> dict[str, Any]:
    spec = service["spec"]
    return {
        "name": "/".join(named(service)),
        "type": spec.get("type"),
        "cluster_ip": spec.get("clusterIP"),
        "ports": [{key: port.get(key) for key in ("name", "port", "targetPort")} for port in spec.get("ports") or []],
        "selector": spec.get("selector"),
    }
