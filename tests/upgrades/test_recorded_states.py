"""States that earlier versions wrote are taken over by this one: nothing in them would be deleted or replaced.

Without a cluster: what the program registers against what the state holds. `lab/test_recorded_states.py` has the real
engine preview the same states.
"""

from __future__ import annotations

import copy
import json
import re
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from lab import recorded_states
from lab.recorded_states import PROGRAM, given_trust, source_of, state_of
from pulumi_istio_mesh import __version__

from ..builders import a_kubeconfig
from ..components.recorder import Recording, record
from .continuity import interruptions, made_by_engine, places

KEPT = {
    f"{version} {mesh}": folder
    for version in recorded_states.versions()
    for mesh, folder in recorded_states.recorded(version).items()
}
EVERY = pytest.mark.parametrize("folder", KEPT.values(), ids=KEPT)
Resources = list[dict[str, Any]]


def registered(folder: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    """What this version registers for what a state was made of."""
    source = source_of(folder)
    shutil.copy(source, scratch)
    program = PROGRAM / "__main__.py" if source.suffix == ".yaml" else source
    monkeypatch.chdir(scratch)
    charts, hub = "https://charts.example", "registry.example/istio"
    config = {"chartSource": charts, "imageHub": hub}
    for number, (cluster, files) in enumerate(given_trust(scratch).items(), 1):
        config |= {cluster: a_kubeconfig(f"https://192.0.2.{number}:6443"), f"{cluster}-cacerts": json.dumps(files)}
    pulumi.runtime.set_all_config({f"p:{key}": value for key, value in config.items()})
    try:
        return record(lambda: runpy.run_path(str(program)) and None)
    finally:
        pulumi.runtime.set_all_config({})


def test_every_source_of_a_state_is_kept_of_this_version() -> None:
    assert recorded_states.SOURCES.keys() == recorded_states.recorded(__version__).keys()


@EVERY
def test_nothing_that_a_state_holds_would_be_deleted_moved_or_replaced(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(interruptions(state_of(folder), registered(folder, tmp_path, monkeypatch))) == []


def the(resources: Resources, type_: str, name: str) -> dict[str, Any]:
    (found,) = (one for one in resources if one["type"] == type_ and one["urn"].endswith(f"::{name}"))
    return found


def otherwise(resource: dict[str, Any], old: str, new: str) -> None:
    resource["urn"] = resource["urn"].replace(old, new)


DEPLOYMENT, CHART = "kubernetes:apps/v1:Deployment", "kubernetes:helm.sh/v4:Chart"
BROKEN: dict[str, tuple[Callable[[Resources], None], str]] = {
    "a logical name": (
        lambda held: otherwise(the(held, DEPLOYMENT, "horizon-c1-probe"), "c1-probe", "c1-prober"),
        "Deployment horizon-c1-prober: it is registered no more, so it would be deleted",
    ),
    "a type token": (
        lambda held: otherwise(
            the(held, "istio-mesh:index:MeshGate", "horizon-c1"), "index:MeshGate::", "index:Gate::"
        ),
        "Gate horizon-c1: it is registered no more, so it would be deleted",
    ),
    "a component around it": (
        lambda held: otherwise(the(held, DEPLOYMENT, "horizon-c1-probe"), "index:Verification$", "index:Proof$"),
        "Deployment horizon-c1-probe: it is registered no more, so it would be deleted",
    ),
    "a parent of the same kind": (
        lambda held: the(held, DEPLOYMENT, "horizon-c1-probe").update(
            parent=the(held, "istio-mesh:index:Verification", "horizon-c3")["urn"]
        ),
        "Deployment horizon-c1-probe: it has moved from Verification horizon-c3 to Verification horizon-c1",
    ),
    "a namespace": (
        lambda held: the(held, DEPLOYMENT, "horizon-c1-probe")["inputs"]["metadata"].update(namespace="verify"),
        "Deployment horizon-c1-probe: metadata.namespace was 'verify' and is 'istio-mesh-verify', "
        "so it would be replaced",
    ),
    "a release": (
        lambda held: the(held, DEPLOYMENT, "horizon-c1-istiod:istio-system/istiod")["inputs"]["metadata"][
            "labels"
        ].update({"app.kubernetes.io/instance": "istiod-base"}),
        "Chart horizon-c1-istiod: its release was ['istiod', 'istiod-base'] and is 'istiod'",
    ),
    "the name of a gateway": (
        lambda held: the(held, DEPLOYMENT, "horizon-c1-east-west:istio-system/istio-eastwestgateway")["inputs"][
            "metadata"
        ].update(name="gateway"),
        "Chart horizon-c1-east-west: its Deployment was ['gateway'] and is 'istio-eastwestgateway'",
    ),
    "a cluster's identifier": (
        lambda held: the(held, "pulumi:providers:kubernetes", "horizon-c1")["inputs"].update(clusterIdentifier="one"),
        "kubernetes horizon-c1: clusterIdentifier was 'one' and is 'c1', so it would be replaced",
    ),
    "a selector": (
        lambda held: the(held, DEPLOYMENT, "horizon-c1-probe")["inputs"]["spec"]["selector"].update(
            matchLabels={"app": "server"}
        ),
        "Deployment horizon-c1-probe: spec.selector was {'matchLabels': {'app': 'server'}} and is "
        "{'matchLabels': {'app': 'probe'}}, so it would be replaced",
    ),
}


@pytest.mark.parametrize(("broken", "told"), BROKEN.values(), ids=BROKEN)
def test_a_change_of_identity_is_told(
    broken: Callable[[Resources], None], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorded state stands for the older version here, which had it otherwise."""
    folder = KEPT["0.1.0 split-horizon"]
    state = copy.deepcopy(state_of(folder))
    broken(state["deployment"]["resources"])
    assert list(interruptions(state, registered(folder, tmp_path, monkeypatch))) == [told]


def test_a_resource_is_looked_for_at_its_own_place_and_at_its_aliases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Service istiod of a remote takes over the chart's, where the cluster had an istiod of its own before."""
    rows = registered(KEPT["0.1.0 flat-with-remotes"], tmp_path, monkeypatch)
    around = "istio-mesh:index:Mesh$istio-mesh:index:MeshCluster$istio-mesh:index:ControlPlane"
    assert places(rows, rows["Service served-c2-istiod"]) == {
        (f"{around}$kubernetes:core/v1:Service", "served-c2-istiod"),
        (f"{around}${CHART}$kubernetes:core/v1:Service", "served-c2-istiod:istio-system/istiod"),
    }


@EVERY
def test_a_state_holds_no_secret_and_no_place_of_the_machine_that_recorded_it(folder: Path) -> None:
    text = (folder / "state.json").read_text()
    assert not re.search("PRIVATE KEY|ciphertext|eyJ[A-Za-z0-9]|client-key-data|/root/|/home/|/tmp/[a-z]", text)
    secrets = [
        word for secret in recorded_states.secrets_in(state_of(folder)) for word in recorded_states.words_in(secret)
    ]
    assert secrets
    assert set(secrets) <= {"<kubeconfig>", "<private key>", "<secret, base64>", "<secret>"}


@EVERY
def test_what_is_kept_is_what_decides(folder: Path) -> None:
    """Each state holds objects of its charts, too, which the real engine compares."""
    held = state_of(folder)["deployment"]["resources"]
    assert sum(made_by_engine(resource) for resource in held) > 20
    assert (folder / "state.json").stat().st_size < 3_000_000
