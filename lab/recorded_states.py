"""States of stacks as a version of the package writes them: recorded, made safe to keep, and made importable again.

    python -m lab.recorded_states [NAME...]    records those of the present version, all of them or the named ones;
                                               starts a lab with nodes, about 6 minutes

What is secret is kept as words for what it was. Imported, each gets a value made on the spot: new keys, the lab's
kubeconfigs, anything for the rest. So certificates differ from the recorded ones afterwards, and names don't.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from lab import trust_files
from lab.cluster import Cluster
from lab.errors import LabError
from lab.lifecycle import down, up
from lab.paths import REPOSITORY
from lab.progress import Progress
from lab.shape import Shape
from lab.stack import Stack
from pulumi_istio_mesh import __version__

FOLDER = REPOSITORY / "tests" / "upgrades"
PROGRAM = FOLDER / "program"
SOURCES: dict[str, Path] = {
    **{mesh.stem: mesh for mesh in sorted((FOLDER / "meshes").glob("*.yaml"))},
    "parts": REPOSITORY / "examples" / "parts" / "__main__.py",
}
"""What a state is kept of, by name: the mesh.yaml of a mesh that `PROGRAM` makes, or a program of its own."""
_KEPT_AS = {".yaml": "mesh.yaml", ".py": "program.py"}
_RUN_AS = {".yaml": "mesh.yaml", ".py": "__main__.py"}
"""How such a file is called beside its state, and in a program."""
STACK = "recorded"
SHAPE = Shape(3, networks={"datacentre": ("c1", "c2")})
"""The clusters of all recorded meshes."""

_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
_KUBECONFIG, _KEY, _BASE64, _OTHER = "<kubeconfig>", "<private key>", "<secret, base64>", "<secret>"
_CHARTS = "<charts>"
_WORDS = (_KUBECONFIG, _KEY, _BASE64, _OTHER)
_NOTES = ("created", "modified", "sourcePosition", "stackTrace", "propertyDependencies")
_LONGEST = 1000
"""Of a text: the gates' script and what istiod injects are longer, and in no name."""


def versions() -> list[str]:
    """Return the versions whose states are kept."""
    return sorted(folder.name for folder in FOLDER.iterdir() if re.match(r"\d", folder.name))


def recorded(version: str) -> dict[str, Path]:
    """Return the folder of each state that is kept of a version, by the name of what it was made of."""
    return {folder.name: folder for folder in sorted((FOLDER / version).iterdir()) if folder.is_dir()}


def state_of(folder: Path) -> dict[str, Any]:
    """Return a state as it is kept."""
    found: dict[str, Any] = json.loads((folder / "state.json").read_text())
    return found


def source_of(folder: Path) -> Path:
    """Return what a state that is kept was made of."""
    return next(folder / name for name in _KEPT_AS.values() if (folder / name).exists())


def main(named: Iterable[str]) -> None:
    """Record states of `SOURCES` under the present version; one that has been tagged keeps its states."""
    tag = f"v{__version__}"
    if subprocess.run(["git", "tag", "--list", tag], cwd=REPOSITORY, capture_output=True, check=True).stdout:
        sys.exit(f"{tag} is out: its states are what its users have. Give the package its next version first.")
    progress = Progress()
    up(SHAPE, progress)
    try:
        for name in named or SOURCES:
            with progress.step(f"record {name}", usually=60), a_stack(SOURCES[name]) as stack:
                try:
                    stack.up()
                    keep(name, safe(exported(stack)))
                finally:
                    stack.destroy()
                    stack.remove()
    finally:
        down(progress)


@contextmanager
def a_stack(source: Path) -> Iterator[Stack]:
    """Make a stack of the lab's clusters for a mesh.yaml or a program, with nothing in it yet."""
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "program"
        shutil.copytree(PROGRAM, program)
        shutil.copy(source, program / _RUN_AS[source.suffix])
        stack = Stack(program, STACK)
        stack.configure(Cluster(name) for name in SHAPE.names)
        if "kind: given" in source.read_text():
            for name, files in given_trust(Path(scratch)).items():
                stack.give_trust(name, files)
        yield stack


def given_trust(scratch: Path) -> dict[str, dict[str, str]]:
    """Return new certificate authorities under one root, as a program is given them, by cluster."""
    trust_files.write(scratch, SHAPE.names)
    return {name: trust_files.given(scratch / name) for name in SHAPE.names}


@contextmanager
def imported(folder: Path) -> Iterator[Stack]:
    """Make a stack that holds a state that is kept, and its objects in the lab's clusters: as they are, nothing runs.

    A preview asks the clusters what they would make of an update, and fails where the object is not there.
    """
    with a_stack(source_of(folder)) as stack:
        kubeconfigs = {name: Cluster(name).kubeconfig for name in SHAPE.names}
        file = stack.program.parent / "state.json"
        state = importable(state_of(folder), charts_of(stack), kubeconfigs)
        # By which the engine encrypts what is secret in it; it has none of its own.
        state["deployment"]["secrets_providers"] = stack.state()["deployment"]["secrets_providers"]
        file.write_text(json.dumps(state))
        stack.run("stack", "import", "--file", str(file))
        objects = list(_objects(state))
        used = sorted({cluster for cluster, _, _ in objects})
        try:
            for cluster in used:
                _make_crds(Cluster(cluster), Path(charts_of(stack)))
            for (cluster, manager), group in groupby(objects, key=lambda one: one[:2]):
                own = ("--server-side", "--force-conflicts", f"--field-manager={manager}")
                text = _as_list(body for _, _, body in group)
                Cluster(cluster).kubectl("apply", *own, "--filename=-", stdin=text)
            yield stack
        finally:
            # Another state's objects of these names are of another field manager.
            for cluster in used:
                text = _as_list(one for at, _, one in objects if at == cluster and one["kind"] != "Namespace")
                quietly = ("--ignore-not-found", "--wait=false")
                Cluster(cluster).kubectl("delete", *quietly, "--filename=-", stdin=text)
            stack.run("stack", "rm", "--yes", "--force", stack.name, stack=False)


def _objects(state: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield cluster, field manager and body of each object of a state, in an order in which they can be made."""
    resources = state["deployment"]["resources"]
    clusters = {f"{one['urn']}::{one.get('id')}": _cluster_of(one) for one in resources}
    found = [
        (clusters[one["provider"]], one["outputs"]["__fieldManager"], _answered(_revealed(one["inputs"])))
        for one in resources
        if one["type"].startswith("kubernetes:")
        and "apiVersion" in (one.get("inputs") or {})
        # What is patched is another resource's.
        and not one["type"].endswith("Patch")
    ]
    yield from sorted(found, key=lambda one: (_FIRST.get(one[2]["kind"], len(_FIRST)), *one[:2]))


def _cluster_of(resource: Mapping[str, Any]) -> str:
    """Return the cluster that a resource is of: a provider says so itself, a part's name begins with it."""
    name = resource["urn"].rsplit("::", 1)[1]
    return str((resource.get("inputs") or {}).get("clusterIdentifier") or name.partition("-")[0])


_FIRST = {"Namespace": 0, "ServiceAccount": 1}


def _answered(body: dict[str, Any]) -> dict[str, Any]:
    """Return an object; a webhook lets pass what nobody answers for."""
    if "webhooks" not in body:
        return body
    return {**body, "webhooks": [{**webhook, "failurePolicy": "Ignore"} for webhook in body["webhooks"]]}


def _revealed(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return json.loads(value["plaintext"])
        return {key: _revealed(item) for key, item in value.items()}
    return [_revealed(item) for item in value] if isinstance(value, list) else value


def _make_crds(cluster: Cluster, charts: Path) -> None:
    """Make Istio's CRDs as Helm's release of them would have left them."""
    file = charts / "base" / "files" / "crd-all.gen.yaml"
    cluster.kubectl("apply", "--server-side", "--force-conflicts", f"--filename={file}")
    release = ("meta.helm.sh/release-name=istio-base", "meta.helm.sh/release-namespace=istio-system")
    cluster.kubectl("annotate", "--overwrite", "crds", "--all", *release)
    cluster.kubectl("label", "--overwrite", "crds", "--all", "app.kubernetes.io/managed-by=Helm")


def _as_list(objects: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def exported(stack: Stack) -> dict[str, Any]:
    """Return the stack's state with its secrets in plain text."""
    text = stack.run("stack", "export", "--show-secrets", stdout_only=True)
    found: dict[str, Any] = json.loads(text.replace(charts_of(stack), _CHARTS))
    return found


def charts_of(stack: Stack) -> str:
    """Return where the stack's charts are, which is a place of this machine."""
    return stack.run("config", "get", "chartSource", stdout_only=True).strip()


def keep(name: str, state: Mapping[str, Any]) -> None:
    """Write a state beside what it was made of."""
    folder, source = FOLDER / __version__ / name, SOURCES[name]
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, folder / _KEPT_AS[source.suffix])
    (folder / "state.json").write_text(as_text(state))


def as_text(state: Mapping[str, Any]) -> str:
    """Return a state as JSON with a line for each resource, so that a difference can be read."""
    lines = [json.dumps(resource, sort_keys=True) for resource in state["deployment"]["resources"]]
    rest = json.dumps({**state, "deployment": {**state["deployment"], "resources": []}}, sort_keys=True)
    return rest.replace('"resources": []', '"resources": [\n' + ",\n".join(lines) + "\n]") + "\n"


def safe(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state without its secrets, and without what decides nothing when it is compared and is large."""
    deployment = state["deployment"]
    resources = [_without_notes(_compared(resource)) for resource in deployment["resources"]]
    resources = [_mapped(resource, lambda value: _with_plaintext(value, _word_for)) for resource in resources]
    resources = [_mapped_words(resource, _shortened) for resource in resources]
    return {"version": state["version"], "deployment": {"manifest": deployment["manifest"], "resources": resources}}


def importable(state: Mapping[str, Any], charts: str, kubeconfigs: Mapping[str, str]) -> dict[str, Any]:
    """Return a state that is kept with something real in each secret's place.

    `kubeconfigs` are those of the clusters, by name.
    """
    resources = []
    for resource in state["deployment"]["resources"]:
        cluster = _cluster_of(resource)

        def filled(word: str, cluster: str = cluster) -> str:
            if word == _KUBECONFIG:
                return kubeconfigs[cluster]
            return {_KEY: trust_files.key(), _BASE64: base64.b64encode(b"x").decode()}.get(word, "x")

        resources.append(_mapped(resource, lambda value, filled=filled: _with_plaintext(value, filled)))  # type: ignore[misc]
    text = json.dumps({**state, "deployment": {**state["deployment"], "resources": resources}})
    found: dict[str, Any] = json.loads(text.replace(_CHARTS, charts))
    return found


def secrets_in(value: Any) -> Iterator[Any]:
    """Yield what is secret anywhere in a state, in plain text."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            yield json.loads(value["plaintext"])
        else:
            for item in value.values():
                yield from secrets_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)


def words_in(value: Any) -> Iterator[str]:
    """Yield every text in a tree."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from words_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from words_in(item)
    elif isinstance(value, str):
        yield value


def _without_notes(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key not in _NOTES}


def _compared(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource with what the provider compares of a live object: what its inputs hold, and its own notes.

    And what programs read: addresses of load balancers, and tokens.
    Source: pulumi-kubernetes provider/pkg/provider/provider.go, pruneLiveState.
    """
    if not resource["type"].startswith("kubernetes:") or "outputs" not in resource or not resource.get("custom"):
        return resource
    live = resource["outputs"]
    read = {"kubernetes:core/v1:Service": ("status",), "kubernetes:core/v1:Secret": ("data",)}.get(resource["type"], ())
    kept = {key: value for key, value in live.items() if key.startswith("__") or key in read}
    return {**resource, "outputs": {**_pruned(live, resource["inputs"]), **kept}}


def _pruned(live: Any, shape: Any) -> Any:
    if isinstance(live, Mapping) and isinstance(shape, Mapping) and _SIGNATURE not in live:
        return {key: _pruned(value, shape[key]) for key, value in live.items() if key in shape}
    if isinstance(live, list) and isinstance(shape, list) and len(live) == len(shape):
        return [_pruned(*pair) for pair in zip(live, shape, strict=True)]
    return live


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"<{len(text)} characters>"


def _word_for(secret: str) -> str:
    if secret in _WORDS:
        return secret
    if "PRIVATE KEY" in secret:
        return _KEY
    if "current-context" in secret or "clusters:" in secret:
        return _KUBECONFIG
    try:
        base64.b64decode(secret, validate=True)
    except ValueError:
        return _OTHER
    return _BASE64


def _with_plaintext(value: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    if value.get(_SIGNATURE) != _SECRET:
        return value
    plain = _mapped_words(json.loads(value["plaintext"]), change)
    return {_SIGNATURE: _SECRET, "plaintext": json.dumps(plain)}


def _mapped(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return a tree with every mapping in it changed, the outermost first."""
    if isinstance(value, Mapping):
        return {key: _mapped(item, change) for key, item in change(dict(value)).items()}
    return [_mapped(item, change) for item in value] if isinstance(value, list) else value


def _mapped_words(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _mapped_words(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped_words(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LabError as error:
        sys.exit(str(error))
