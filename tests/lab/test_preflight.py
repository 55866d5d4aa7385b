"""What stands in live clusters against a change is told before anything changes: in previews, all of it at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab import Cluster, LabError
from lab.stack import Stack

from .breakages import Mesh as Broken, api_server_down, applied
from .conftest import AStack, declare, taken_down
from .observe import names

later = pytest.mark.extended("what the loopback tests of live/ show as well")
ONE = {"c4": {"pod_cidr": "10.14.0.0/16"}}


@pytest.fixture(scope="module")
def stack(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("preflight", ["c3", "c4"])
    declare(stack, ONE, verify={"level": "off"})
    with taken_down(lab, stack):
        yield stack


def refused(stack: Stack, command: str = "preview") -> str:
    with pytest.raises(LabError) as failed:
        stack.run(command, *(["--yes", "--skip-preview"] if command == "up" else []), "--non-interactive")
    return str(failed.value)


def _in(namespace: str, kind: str, name: str, version: str = "v1", **body: Any) -> dict[str, Any]:
    labels = body.pop("labels", {})
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **body}


def _namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _istiod(namespace: str) -> dict[str, Any]:
    labels = {"app": "istiod", "install.operator.istio.io/owning-resource": "installed-state"}
    container = {"name": "discovery", "image": "docker.io/istio/pilot:1.24.3"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "istiod"}}, "template": template}
    return _in(namespace, "Deployment", "istiod", "apps/v1", labels=labels, spec=spec)


def _pending_release() -> dict[str, Any]:
    labels = {"owner": "helm", "name": "istio-base", "status": "pending-install", "version": "1"}
    kind = "helm.sh/release.v1"
    return _in("istio-system", "Secret", "sh.helm.release.v1.istio-base.v1", labels=labels, type=kind)


def test_a_preview_tells_all_that_is_there_already_and_makes_nothing(stack: Stack, lab: dict[str, Cluster]) -> None:
    there = [_namespace("istio-system"), _istiod("istio-system"), _pending_release()]
    there.append(_in("istio-system", "Secret", "istio-ca-secret", type="istio.io/ca-root"))
    with applied(lab["c4"], *there):
        declare(stack, {"c4": {"pod_cidr": "10.99.0.0/16"}}, verify={"level": "off"})
        said = refused(stack)
        declare(stack, ONE, verify={"level": "off"})
        for slug in ("istio-foreign", "helm-pending", "pod-cidr-differs"):
            assert f"docs/checks.md#{slug}" in said
        assert "istioctl or its operator runs istiod 1.24.3" in said
        assert "made a root of its own" in said
        assert refused(stack, "up").count("docs/checks.md#istio-foreign") == 2
    assert "istio-system" not in names(lab["c4"], "namespaces")


def test_nothing_of_any_cluster_changes_while_one_is_refused(stack: Stack, lab: dict[str, Cluster]) -> None:
    declare(stack, {"c3": {}, **ONE}, verify={"level": "off"})
    with applied(lab["c4"], _namespace("istio-system"), _istiod("istio-system")):
        refused(stack, "up")
        assert "istio-system" not in names(lab["c3"], "namespaces")
    declare(stack, ONE, verify={"level": "off"})


@later
def test_a_preview_says_that_a_cluster_was_renamed(stack: Stack, lab: dict[str, Cluster]) -> None:
    stack.up()
    # c9 is the cluster that was c4.
    stack.configure([Renamed(lab["c4"])])
    declare(stack, {"c9": ONE["c4"]}, verify={"level": "off"})
    said = refused(stack)
    assert "docs/checks.md#cluster-taken" in said
    assert "preflight/horizon/c4 already, and would become" in said
    declare(stack, ONE, verify={"level": "off"})
    assert stack.preview() == []


class Renamed(Cluster):
    """One cluster under another name."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster.name)
        self.name = "c9"


def test_a_cluster_that_does_not_answer_is_a_sentence_in_a_preview_and_stops_a_run(
    stack: Stack, lab: dict[str, Cluster]
) -> None:
    with api_server_down(Broken(stack, lab, stack.program)):
        done = stack.command("pulumi", "preview", "--stack", stack.name, "--non-interactive")
        told = done.stdout.partition("Diagnostics:")[2]
        assert done.returncode == 0, done.stdout
        assert told.count("This preview can't say what a run would meet there") == 1
        assert "docs/checks.md#cluster-unreachable" in refused(stack, "up")


@later
def test_it_can_be_switched_off(stack: Stack, lab: dict[str, Cluster]) -> None:
    declare(stack, ONE, verify={"level": "off", "preflight": False})
    with applied(lab["c4"], _namespace("elsewhere"), _istiod("elsewhere")):
        assert stack.preview() == []
    declare(stack, ONE, verify={"level": "off"})
