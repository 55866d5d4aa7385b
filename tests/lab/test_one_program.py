"""Meshes of one owner as one stack, as examples/two-meshes-one-program has them; then a third, linked with both.

mesh-a on c1, mesh-b on c2 and c3, later mesh-c on c4. Tests run in order.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import permutations
from typing import Any

import pytest
import yaml

from lab import Cluster, sample
from lab.stack import Stack

from .breakages import SYSTEM, patched
from .conftest import EXAMPLES, AStack, taken_down
from .observe import eventually, objects, restarts

pytestmark = pytest.mark.extended("the same meshes as in test_two_meshes, in one program")
EXAMPLE = EXAMPLES / "two-meshes-one-program"
MESHES = {"mesh-a": ("c1",), "mesh-b": ("c2", "c3"), "mesh-c": ("c4",)}
GATEWAY = "istio-federationgateway"
PORTS = {"http": sample.PORT}


def of(mesh: str) -> str:
    """The URL by which another mesh calls what this one shares."""
    return f"http://hello.sample.{mesh}.internal:{sample.PORT}/cgi-bin/hello"


@pytest.fixture(scope="module")
def stack(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    stack = a_stack("company", lab, EXAMPLE)
    with taken_down(lab, stack):
        stack.up()
        sample.deploy((lab[name] for name in ("c1", "c2", "c3")), ("c1", "c2"))
        yield stack


def test_one_run_is_enough_for_both_sides(stack: Stack, lab: dict[str, Cluster]) -> None:
    for name in MESHES["mesh-b"]:
        answer = eventually(lambda name=name: sample.call(lab[name], of("mesh-a")), lambda seen: seen.status == 200)
        assert answer.cluster == "c1"
    stack.up("--expect-no-changes")
    stack.refresh_changes_nothing()


def verified(stack: Stack, mesh: str) -> list[tuple[str, str, str | None]]:
    """Return the causes that `istio-mesh verify` names: slug, cluster, and the peer mesh."""
    done = stack.command("istio-mesh", "verify", f"--stack={stack.name}", f"--mesh={mesh}", "--json")
    assert done.stderr == ""
    return [(cause["slug"], cause["cluster"], cause.get("peer")) for cause in json.loads(done.stdout)["causes"]]


@pytest.mark.parametrize("mesh", ["mesh-a", "mesh-b"])
def test_a_healthy_mesh_has_no_findings(stack: Stack, mesh: str) -> None:
    assert verified(stack, mesh) == []


Told = dict[str, tuple[str, str, str | None]]
"""By mesh whose verify says so: the slug, the cluster and the peer mesh."""


def changed(kind: str, name: str, wrong: dict[str, Any], right: dict[str, Any], space: str = "sample") -> Any:
    """Something of the exporter's cluster is another one; see `patched`."""
    return lambda lab: patched(lab["c1"], space, kind, name, wrong, right)


def roots_forgotten(lab: dict[str, Cluster]) -> AbstractContextManager[None]:
    name = "istio-shared-mesh-config"
    (told,) = objects(lab["c1"], "configmaps", f"-n={SYSTEM}", f"--field-selector=metadata.name={name}")
    return patched(lab["c1"], SYSTEM, "configmap", name, {"data": {"mesh": "{}"}}, {"data": told["data"]})


STRANGER, HELLO = ({"spec": {"template": {"spec": {"serviceAccountName": name}}}} for name in ("client", "hello"))
MOVED, PORT = ({"spec": {"ports": [{"name": "http", "port": n, "targetPort": 5000}]}} for n in (5001, sample.PORT))
NOBODY, ONE = ({"spec": {"replicas": n}} for n in (0, 1))

BROKEN: dict[str, tuple[Callable[[dict[str, Cluster]], AbstractContextManager[None]], Told]] = {
    "the exporter's gateway is down": (
        changed("deployment", GATEWAY, NOBODY, ONE, SYSTEM),
        {"mesh-a": ("gateway-no-pods", "c1", None), "mesh-b": ("import-unreachable", "c2", "mesh-a")},
    ),
    "the exported port is gone": (
        changed("service", "hello", MOVED, PORT),
        {"mesh-a": ("export-differs", "c1", None), "mesh-b": ("import-refused", "c2", "mesh-a")},
    ),
    "somebody else answers": (
        changed("deployment", "hello", STRANGER, HELLO),
        {"mesh-a": ("export-differs", "c1", None), "mesh-b": ("import-refused", "c2", "mesh-a")},
    ),
    "the importer's root is not trusted": (roots_forgotten, {"mesh-a": ("peer-not-trusted", "c1", "mesh-b")}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_verify_of_each_side_says_what_is_wrong_between_meshes(
    stack: Stack, lab: dict[str, Cluster], what: str
) -> None:
    breakage, told = BROKEN[what]
    with breakage(lab):
        for mesh, expected in told.items():
            eventually(
                lambda mesh=mesh: verified(stack, mesh),
                lambda causes, expected=expected: expected in causes,
                seconds=60,
            )
    for mesh in ("mesh-a", "mesh-b"):
        eventually(lambda mesh=mesh: verified(stack, mesh), lambda causes: causes == [], seconds=60)


def three(links: list[tuple[str, str]]) -> dict[str, Any]:
    """A file of three meshes, of which each may share its hello with those that the links name."""
    export = {"hello.sample": {"ports": PORTS, "accounts": ["hello"]}}
    tree = yaml.safe_load((EXAMPLE / "mesh.yaml").read_text())
    tree["meshes"]["mesh-c"] = {**tree["meshes"]["mesh-a"], "clusters": {"c4": {}}}
    for declared in tree["meshes"].values():
        declared["exports"] = export
    line = {"service": "hello.sample", "callers": ["sample/client"]}
    return {**tree, "links": [{**line, "exporter": exporter, "importer": importer} for exporter, importer in links]}


def test_a_third_mesh_and_every_link_there_can_be(stack: Stack, lab: dict[str, Cluster]) -> None:
    """Istiods and proxies that were there go on; the links are objects."""
    before = {name: restarts(lab[name]) for name in ("c1", "c2", "c3")}
    every = sorted(permutations(MESHES, 2))
    file = stack.program / "mesh.yaml"
    file.write_text(yaml.safe_dump(three(every[:-1])))
    stack.up()
    file.write_text(yaml.safe_dump(three(every)))
    made = Counter(step.type for step in stack.preview() if step.operation == "create")
    # In each cluster of the importer with an istiod.
    assert sorted(made.values()) == [2, 2], made
    assert {kind.rsplit(":")[-1] for kind in made} == {"ServiceEntry", "DestinationRule"}
    stack.up()
    sample.deploy([lab["c4"]], ["c4"])
    for exporter, importer in every:
        for name in MESHES[importer]:
            answer = eventually(
                lambda name=name, exporter=exporter: sample.call(lab[name], of(exporter)),
                lambda seen: seen.status == 200,
            )
            assert answer.cluster in MESHES[exporter]
            assert answer.certificate.endswith(f"URI=spiffe://{importer}.internal/ns/sample/sa/client")
    after = {name: restarts(lab[name]) for name in before}
    assert {name: {pod: after[name].get(pod) for pod in pods} for name, pods in before.items()} == before
    stack.up("--expect-no-changes")
    for mesh in MESHES:
        assert verified(stack, mesh) == []


def test_a_mesh_that_leaves_takes_its_links_along(stack: Stack, lab: dict[str, Cluster]) -> None:
    tree = three([("mesh-a", "mesh-b"), ("mesh-b", "mesh-a")])
    del tree["meshes"]["mesh-c"]
    (stack.program / "mesh.yaml").write_text(yaml.safe_dump(tree))
    sample.remove([lab["c4"]])
    stack.up()
    for name, mesh in (("c1", "mesh-b"), ("c3", "mesh-a")):
        assert sample.call(lab[name], of(mesh)).status == 200
        assert sample.call(lab[name], of("mesh-c")).status != 200
    assert "istio-system" not in lab["c4"].kubectl("get", "namespaces", "-o", "name")
