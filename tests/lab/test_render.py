"""The rendered example becomes the same mesh by kubectl alone; what is rendered is stable, and no secret lies open.

One rendering serves the whole file, and its tests run in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest
import yaml

from lab import Cluster, LabError, Shape, sample
from lab.stack import Stack

from .conftest import EXAMPLES, AStack, taken_down
from .observe import eventually, names, synced

LAB = Shape(2)
MESH = ("c1", "c2")
SERVING = ("c2",)
CRDS = "crds-1.31.0"
FOLDERS = ("1-base", "secrets", "2-control-plane", "3-mesh")
CLIENT, HELLO = (f"spiffe://horizon.internal/ns/sample/sa/{account}" for account in ("client", "hello"))


@pytest.fixture(scope="module")
def stack(a_stack: AStack, lab: dict[str, Cluster]) -> Iterator[Stack]:
    """The example, with the addresses of the lab's API servers; nothing of it is applied."""
    stack = a_stack("rendered", (), EXAMPLES / "gitops")
    into(stack, "first", lab)
    for name in MESH:
        # Of another mesh's Helm release.
        for crd in names(lab[name], "crd"):
            lab[name].kubectl("delete", "crd", crd)
    with taken_down(lab, stack):
        try:
            yield stack
        finally:
            sample.remove(lab.values())
            everywhere(lab, stack.program / "rendered", delete, [*FOLDERS[::-1], CRDS])


def into(stack: Stack, folder: str, lab: dict[str, Cluster]) -> None:
    tree = yaml.safe_load((EXAMPLES / "gitops" / "mesh.yaml").read_text())
    clusters = {name: {"api_server": lab[name].api_server} for name in MESH}
    (stack.program / "mesh.yaml").write_text(yaml.safe_dump({**tree, "clusters": clusters, "render_to": folder}))


def files(stack: Stack, folder: str = "rendered") -> dict[str, str]:
    root = stack.program / folder
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*.yaml"))}


def place(cluster: Cluster, root: Path, folder: str) -> Path:
    return root / folder if folder == CRDS else root / cluster.name / folder


def apply(cluster: Cluster, root: Path, folder: str) -> None:
    """What docs/how-to/gitops.md says to type for one folder."""
    applied = ("apply", "--server-side", "--recursive", "--filename", str(place(cluster, root, folder)))
    for left in range(5)[::-1]:
        try:
            cluster.kubectl(*applied)
            break
        except LabError as error:
            # A moment after istiod is ready, until nodes lead its Service's traffic to it. Anything else is a failure.
            if not left or "failed calling webhook" not in str(error):
                raise
            sleep(2)
    if folder == CRDS:
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    if folder == "2-control-plane":
        cluster.kubectl("-n", "istio-system", "rollout", "status", "deployment/istiod", "--timeout=50s")


def delete(cluster: Cluster, root: Path, folder: str) -> None:
    if place(cluster, root, folder).exists():
        flags = ("--recursive", "--ignore-not-found", "--filename", str(place(cluster, root, folder)))
        cluster.kubectl("delete", *flags)


def everywhere(
    lab: dict[str, Cluster], root: Path, do: Callable[[Cluster, Path, str], None], folders: Iterable[str]
) -> None:
    def one(cluster: Cluster) -> None:
        for folder in folders:
            do(cluster, root, folder)

    with ThreadPoolExecutor() as pool:
        list(pool.map(one, [lab[name] for name in MESH]))


def test_a_first_rendering_asks_for_no_cluster_and_says_what_is_left_out(stack: Stack) -> None:
    said = stack.up()
    assert "no cluster reads c1, c2 yet" in said
    found = files(stack, "first")
    assert {path.rpartition("/1-manifest/")[0] for path in found if "/1-manifest/" in path} == {
        f"{name}/{folder}" for name in MESH for folder in FOLDERS
    }
    assert not [path for path in found if "remote-secret" in path]
    for path, text in found.items():
        tree = yaml.safe_load(text)
        assert (tree["kind"] == "Secret") == ("/secrets/" in path), path
        assert not [key for key in tree["metadata"].get("annotations") or {} if key.startswith("pulumi.com/")], path


def test_the_same_state_renders_the_same_bytes_into_another_folder(stack: Stack, lab: dict[str, Cluster]) -> None:
    before = files(stack, "first")
    into(stack, "rendered", lab)
    stack.up()
    assert files(stack) == before
    # Helm keeps CRDs, and so does the provider.
    assert {yaml.safe_load(text)["kind"] for text in files(stack, "first").values()} == {"CustomResourceDefinition"}


def test_what_is_rendered_becomes_the_mesh(stack: Stack, lab: dict[str, Cluster]) -> None:
    root = stack.program / "rendered"
    everywhere(lab, root, apply, [CRDS, *FOLDERS])
    for name in MESH:
        for key, held, kept in (("token", "token", "--secret"), ("ca", "ca.crt", "--plaintext")):
            template = f'go-template={{{{index .data "{held}" | base64decode}}}}'
            text = lab[name].kubectl("-n", "istio-system", "get", "secret", "istio-reader-token", "-o", template)
            stack.run("config", "set", kept, f"{name}-{key}", text=text)
    before = files(stack)
    said = stack.up()
    assert "yet" not in said
    added = set(files(stack)) - set(before)
    assert len(added) == 2
    assert all("/secrets/" in path for path in added)
    everywhere(lab, root, apply, ["secrets"])
    for name in MESH:
        eventually(lambda name=name: synced(lab[name]), lambda found, name=name: found == [set(MESH) - {name}])
    sample.deploy((lab[name] for name in MESH), SERVING)
    answers = eventually(
        lambda: [sample.call(lab["c1"]) for _ in range(12)],
        lambda found: {answer.cluster for answer in found} == set(SERVING),
    )
    for answer in answers:
        assert f"By={HELLO};" in answer.certificate
        assert answer.certificate.endswith(f"URI={CLIENT}")


def test_verify_proves_the_rendered_mesh(stack: Stack, lab: dict[str, Cluster]) -> None:
    given = [f"{name}={lab[name].kubeconfig_path}" for name in MESH]
    flags = [part for one in given for part in ("--kubeconfig", one)]
    done = stack.command("istio-mesh", "verify", "mesh.yaml", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
