"""What is known only while the program runs: kubeconfigs of clusters made beside the mesh, and bad addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Cluster, LabError
from lab.stack import Stack

from .conftest import AStack, taken_down
from .observe import names

pytestmark = pytest.mark.extended("values that are known late: the mock engine shows what is registered then")
PROGRAM = Path(__file__).parent / "made_cluster"
NOTHING_GOES = "nothing of them will be"


@pytest.fixture
def stack(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("made", ["c4"], PROGRAM)
    with taken_down(lab, stack, destroy=True):
        yield stack


def test_a_cluster_that_is_not_made_yet_can_be_previewed(stack: Stack) -> None:
    created = {step.name for step in stack.preview() if step.operation == "create"}
    assert {"made-c4-namespace", "made-c4-cacerts", "made-c4-base", "made-c4-istiod", "made-c4-mtls"} <= created


def test_a_kubeconfig_that_turns_unknown_is_said_to_delete_nothing(stack: Stack, lab: dict[str, Cluster]) -> None:
    stack.up()
    before = names(lab["c4"], "deployments")
    stack.run("config", "set", "curve", "P384")
    assert NOTHING_GOES in stack.run("preview", "--non-interactive")
    stack.up()
    assert names(lab["c4"], "deployments") == before
    stack.up("--expect-no-changes")


def test_a_late_address_that_peers_cannot_use_stops_before_the_clusters_first_object(
    a_stack: AStack, lab: dict[str, Cluster]
) -> None:
    stack = a_stack("late-address", ["c3", "c4"], PROGRAM)
    stack.run("config", "set", "apiServer", "https://127.0.0.1:6443")
    with taken_down(lab, stack, destroy=True):
        with pytest.raises(LabError) as failed:
            stack.up()
        # Whichever cluster is looked at first.
        assert re.search(r"clusters\.c[34]\.api_server: https://127\.0\.0\.1:6443 is the loopback", str(failed.value))
        assert "Traceback" not in str(failed.value)
        assert not [kind for kind in stack.types() if kind.startswith("kubernetes:")]
        for name in ("c3", "c4"):
            assert "istio-system" not in names(lab[name], "namespaces")


def test_what_is_in_a_cluster_goes_with_it_and_its_load_balancers_before_it(
    a_stack: AStack, lab: dict[str, Cluster]
) -> None:
    """Left behind by a deleted cluster, a load balancer costs money and holds the VPC."""
    stack = a_stack("with", ["c4"], Path(__file__).parent / "made_with_cluster")
    try:
        with taken_down(lab, stack, destroy=True):
            stack.up()
            resources = {row["urn"].rsplit("::", 1)[-1]: row for row in stack.state()["deployment"]["resources"]}
            assert resources["plain"]["deletedWith"].endswith("::cluster")
            assert "c4" in resources["plain"]["provider"]
            assert "deletedWith" not in resources["dialled"]
        # The engine took the ConfigMap for gone with its cluster, which the lab still has.
        assert "plain" in names(lab["c4"], "configmaps", "-n=default")
        assert "dialled" not in names(lab["c4"], "services", "-n=default")
    finally:
        lab["c4"].kubectl("-n", "default", "delete", "configmap", "plain", "--ignore-not-found")
