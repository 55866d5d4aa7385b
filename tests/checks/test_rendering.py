"""The outcome for machines and helpers: complete, and without a secret."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from xml.etree import ElementTree

from pulumi_istio_mesh.checks.findings import Finding
from pulumi_istio_mesh.checks.outcome import judged
from pulumi_istio_mesh.checks.rendering import as_bundle, as_json, as_junit, as_markdown
from pulumi_istio_mesh.checks.seen import Proxy, RemoteSecret, Seen, View
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree
from ..markdown import codes, prose

SECRET = "planted-s3cret"
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.timezone.utc)


def view_with_secrets_everywhere() -> View:
    """A mesh whose objects hold a secret wherever an object can."""
    topology = parse_topology(mesh_tree())
    plan = plan_mesh(topology)
    metadata: dict[str, Any] = {
        "name": "shop", "namespace": "default", "annotations": {"note": SECRET},
        "managedFields": [{"manager": SECRET}], "creationTimestamp": "2026-11-01T00:00:00Z",
    }  # fmt: skip
    environment = [{"name": "PASSWORD", "value": SECRET}]
    container = {"name": "app", "image": "shop:1", "env": environment, "args": [f"--key={SECRET}"]}
    pod = {"metadata": metadata, "spec": {"containers": [container]}, "status": {"phase": "Running", "message": SECRET}}
    service = {"metadata": metadata, "spec": {"type": "ClusterIP", "selector": {"app": "shop"}, "ports": []}}
    rule = {"metadata": metadata, "spec": {"host": "shop", "trafficPolicy": {"tls": {"privateKey": SECRET}}}}
    seen = {
        planned.name: Seen(
            planned.name,
            version="v1.36.3",
            pods=[pod],
            services=[service],
            secrets=[{"metadata": metadata}],
            nodes=[{"metadata": metadata, "spec": {"providerID": SECRET}}],
            namespaces=[{"metadata": metadata}],
            remote_secrets=[RemoteSecret("istio-remote-secret-x", "x", f"https://u:{SECRET}@h:6443", SECRET)],
            peer_authentications=[{"metadata": metadata, "spec": {"note": SECRET}}],
            destination_rules=[rule],
            injector={"metadata": metadata, "webhooks": [{"clientConfig": {"url": f"https://{SECRET}"}}]},
            proxy=Proxy("default/shop", planned.name, planned.network, topology.mesh_id, "1.31.1"),
        )
        for planned in plan.clusters
    }
    return View(topology, plan, seen, NOW)


def test_no_form_holds_a_secret() -> None:
    view = view_with_secrets_everywhere()
    outcome = judged(view)
    for text in (as_bundle(outcome, view), as_json(outcome), as_junit(outcome), as_markdown(outcome), repr(outcome)):
        assert SECRET not in text


def test_the_bundle_holds_what_a_helper_asks_for() -> None:
    view = view_with_secrets_everywhere()
    bundle = json.loads(as_bundle(judged(view), view))
    assert set(bundle) == {"outcome", "plan", "istio_version", "at", "clusters"}
    cluster = bundle["clusters"][view.plan.clusters[0].name]
    assert cluster["pods"] == ["default/shop Running  restarts=0 shop:1"]
    assert cluster["kubernetes"] == "v1.36.3"


def mesh_with(**gate: str) -> tuple[View, str, str]:
    """A mesh in which calls between its first two clusters ended so; and those two."""
    topology = parse_topology(mesh_tree())
    plan = plan_mesh(topology)
    first, second = (planned.name for planned in plan.clusters[:2])
    seen = {planned.name: Seen(planned.name, version="v1.36.3") for planned in plan.clusters}
    for found in seen.values():
        found.unread["services"] = "not asked"
    seen[first].gate = [Finding(slug.replace("_", "-"), first, what, second) for slug, what in gate.items()]
    return View(topology, plan, seen, NOW), first, second


def test_junit_counts_failures_and_skips() -> None:
    view, _, second = mesh_with(gateway_unreachable="refused")
    view.seen[second].unread["roots"] = "403"
    suite = ElementTree.fromstring(as_junit(judged(view)))
    cases = {case.get("name"): case for case in suite}
    assert cases["gateway-unreachable"].find("failure") is not None
    assert cases["roots-differ"].find("skipped") is not None
    assert int(suite.get("failures", 0)) == sum(case.find("failure") is not None for case in suite)
    assert int(suite.get("skipped", 0)) == sum(case.find("skipped") is not None for case in suite)


def test_json_puts_consequences_under_their_cause() -> None:
    view, first, _ = mesh_with(call_broken="closed", gateway_tls_ended="somebody")
    causes = [cause for cause in json.loads(as_json(judged(view)))["causes"] if cause["cluster"] == first]
    told = {cause["slug"]: [each["slug"] for each in cause["consequences"]] for cause in causes}
    assert told["gateway-tls-ended"] == ["call-broken"]


EVIL = (
    "503\n- **all** is well\r\x1b[31m\x00\x0b\x0c\x85\u2028\u202e\ufffe ]]> @acme <b>`x` | [x](http://x) "
    "##[group]a ::error::b"
)


def test_no_text_of_a_cluster_breaks_a_form_or_speaks_in_it() -> None:
    view, _, second = mesh_with(call_broken=EVIL)
    view.seen[second].unread["roots"] = EVIL
    outcome = judged(view)
    suite = ElementTree.fromstring(as_junit(outcome))
    cases = {case.get("name"): case for case in suite}
    failure, skipped = cases["call-broken"].find("failure"), cases["roots-differ"].find("skipped")
    assert failure is not None and skipped is not None
    for text in (failure.text or "", skipped.get("message") or ""):
        assert r"503\n- **all** is well\r\x1b[31m\x00\x0b\x0c\x85\u2028\u202e\ufffe ]]>" in text
    # Where, what, likely and fix.
    assert len((failure.text or "").split("\n")) == 3
    markdown = as_markdown(outcome)
    for spoken in ("well", "acme", "<b>", "html_inline", "link_open", "group"):
        assert spoken not in prose(markdown)
    assert sum("is well" in one for one in codes(markdown)) >= 2
    for text in (as_json(outcome), as_junit(outcome), markdown):
        assert all(one.isprintable() or one == "\n" for one in text)
        assert "##[" not in text
        assert not [line for line in text.split("\n") if line.lstrip().startswith(("::", "- **all"))]


def test_a_finding_of_ordinary_names_reads_well() -> None:
    view, first, second = mesh_with(
        gateway_unreachable="the connection: expected the gateway at 10.0.0.3:15443, seen refused"
    )
    assert (
        f"- **{first} to {second}**: `the connection: expected the gateway at 10.0.0.3:15443, seen refused` "
        "(`gateway-unreachable`, fatal)"
    ) in as_markdown(judged(view)).split("\n")
