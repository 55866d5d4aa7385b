"""CRDs that another installer put into the cluster: refused with the way out, handed over, or left alone."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from lab import Cluster, LabError, shell_environment
from lab.stack import Stack

from .conftest import AStack, declare, taken_down

pytestmark = pytest.mark.extended("one more thing that preflight finds: the core has its others")
HERE = ("c4",)


@pytest.fixture
def stack(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    """A mesh of one cluster, which holds Istio's CRDs of somebody else."""
    cluster = lab["c4"]
    remove_crds(cluster)
    cluster.kubectl("apply", "--server-side", "-f", f"{shell_environment()['LAB_CHARTS']}/base/files/crd-all.gen.yaml")
    stack = a_stack("foreign-crds", HERE)
    with taken_down(lab, stack, destroy=True):
        yield stack
    remove_crds(cluster)


def test_the_error_says_how_to_hand_them_over_and_that_heals_it(stack: Stack, lab: dict[str, Cluster]) -> None:
    with pytest.raises(LabError) as failed:
        stack.up()
    text = str(failed.value)
    assert "c4: 15 of Istio's CRDs belong to no Helm release" in text
    assert "istio-system" not in lab["c4"].kubectl("get", "namespaces", "-o", "name")
    commands = sorted({line.strip() for line in text.splitlines() if "$(kubectl get crd" in line})
    assert len(commands) == 2
    environment = {**os.environ, **shell_environment(), "KUBECONFIG": str(lab["c4"].kubeconfig_path)}
    for command in commands:
        done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    stack.up()
    stack.up("--expect-no-changes")


def test_crds_that_stay_with_their_installer_are_left_alone(stack: Stack, lab: dict[str, Cluster]) -> None:
    declare(stack, {"c4": {"crds": "external"}})
    before = crds(lab["c4"])
    stack.up()
    assert crds(lab["c4"]) == before


def crds(cluster: Cluster) -> set[str]:
    """Return Istio's CRDs with their versions: any write shows."""
    text = cluster.kubectl("get", "crds", "-o", "jsonpath={range .items[*]}{.metadata.name}={.metadata.generation}/"
                           "{.metadata.labels}{'\\n'}{end}")  # fmt: skip
    return {line for line in text.splitlines() if re.search(r"istio\.io=", line)}


def remove_crds(cluster: Cluster) -> None:
    """Take Istio's CRDs out of the cluster."""
    found = [line.split("=")[0] for line in crds(cluster)]
    if found:
        cluster.kubectl("delete", "crd", *found)
