"""Up and down: a lab as a whole, and what is left of one that crashed."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import addresses, cluster_dns, leftovers, network, node_addresses, pki
from lab.apart import alone
from lab.build import programs_folder, unbuilt
from lab.control_plane import ControlPlane
from lab.errors import LabError
from lab.images import image_store, written
from lab.kubernetes_api import KubernetesApi
from lab.network import enter
from lab.node import Node
from lab.paths import REPOSITORY, ClusterPaths, lab_dir
from lab.process import Program, start, wait_until
from lab.programs import FOR_CLUSTERS, FOR_IMAGES
from lab.progress import Progress, Step
from lab.shape import Shape, number_of


def up(shape: Shape, progress: Progress | None = None) -> None:
    """Starts a lab of this shape; returns at once if exactly that runs already.

    Raises:
        LabError: another lab runs, something isn't built, or a program didn't start; what did start is then
            left as it is, to be looked at, and goes with the next `up` or `down`.
    """
    progress = progress or Progress()
    with alone():
        running = running_shape()
        if running == shape:
            progress.say(f"a lab of this shape is up already: {', '.join(shape.names)}")
            return
        if running is not None:
            raise LabError("a lab of another shape is up: `python -m lab down` first (see `python -m lab status`)")
        _check_built(shape)
        if leftovers.found():
            with progress.step("remove what an earlier lab left behind"):
                leftovers.remove()
        with progress.step(*_step(shape)):
            _start(shape)


def ahead(shape: Shape) -> list[Step]:
    """The step of `up`, if there is anything to do."""
    return [] if running_shape() == shape else [_step(shape)]


def down(progress: Progress | None = None) -> None:
    """Removes every process, namespace, mount, cgroup, address and file of the lab; fine if there is none."""
    progress = progress or Progress()
    with alone(), progress.step("remove the lab", usually=2):
        leftovers.remove()


def lose(cluster: str) -> None:
    """Ends one cluster of the lab without warning: its processes, its state, its network."""
    with alone():
        leftovers.remove_cluster(cluster)


def recreate(cluster: str) -> None:
    """Starts a cluster that was lost, under its old name and at its old addresses, with new certificates."""
    shape = known_shape()
    if shape is None:
        raise LabError("no lab is up: `python -m lab up` first")
    with alone():
        network.build_cluster(shape, cluster)
        _start_cluster(shape, ClusterPaths.of(cluster))


def running_shape() -> Shape | None:
    """The shape of the lab that is up: complete, and with every one of its processes alive."""
    if not _ready_file().exists() or not all(p.alive for p in leftovers.recorded().values()):
        return None
    shape = Shape.from_json(leftovers.shape_file().read_text())
    # A lost one has no process that could be dead.
    return shape if all(ClusterPaths.of(name).processes.exists() for name in shape.names) else None


def known_shape() -> Shape | None:
    """The shape of the lab that was started last and not taken down, whether or not it works."""
    return Shape.from_json(leftovers.shape_file().read_text()) if leftovers.shape_file().exists() else None


def _start(shape: Shape) -> None:
    lab_dir().mkdir(parents=True, exist_ok=True)
    leftovers.shape_file().write_text(shape.to_json())
    network.build(shape)
    with ThreadPoolExecutor(max_workers=shape.clusters) as pool:
        starts = {name: pool.submit(_start_cluster, shape, ClusterPaths.of(name)) for name in shape.names}
    failures = {name: begun.exception() for name, begun in starts.items() if begun.exception()}
    if failures:
        told = "\n".join(f"{name}: {error}" for name, error in failures.items())
        raise LabError(f"{told}\nmore: `python -m lab logs NAME PROGRAM`; then `python -m lab down`")
    _ready_file().touch()


def _start_cluster(shape: Shape, paths: ClusterPaths) -> None:
    node = Node(shape, paths, programs_folder(), image_store()) if shape.nodes else None
    pki.issue(paths)
    if node:
        node.prepare()
    programs = ControlPlane(shape, paths, programs_folder()).start()
    programs.append(_start_controller(paths))
    api = KubernetesApi(paths)
    if node:
        programs += node.start()
        cluster_dns.announce(api, number_of(paths.name))
        _wait_for_node(api, node, programs, shape)
    wait_until(
        lambda: api.exists("/api/v1/namespaces/default/serviceaccounts/default"),
        f"{paths.name} takes Pods",
        programs=programs,
        timeout_seconds=_patience(shape),
    )


def _start_controller(paths: ClusterPaths) -> Program:
    command = [*enter(paths.name), sys.executable, "-u", "-m", "lab.controller", paths.name]
    return start(
        "controller",
        command,
        records=paths.processes,
        logs=paths.logs,
        environment={"PYTHONPATH": str(REPOSITORY), "ISTIO_MESH_LAB_DIR": str(lab_dir())},
    )


def _wait_for_node(api: KubernetesApi, node: Node, programs: list[Program], shape: Shape) -> None:
    path, address = f"/api/v1/nodes/{node.name}", addresses.node(number_of(node.cluster))

    def registered() -> bool:
        return api.exists(path)

    def takes_pods() -> bool:
        current = api.get(path)
        return node_addresses.is_ready(current) and not current["spec"].get("taints")

    patience = _patience(shape)
    wait_until(registered, f"{node.name} registered", programs=programs, timeout_seconds=patience)
    node_addresses.initialise(api, node.name, address)
    wait_until(takes_pods, f"{node.name} Ready", programs=programs, timeout_seconds=patience, interval_seconds=0.25)


def _check_built(shape: Shape) -> None:
    """What only stacks and tests need isn't asked for."""
    needed = FOR_CLUSTERS + (FOR_IMAGES if shape.nodes else ())
    missing = [program for build in unbuilt(needed) for program in build.missing]
    if not programs_folder().exists() or (shape.nodes and not written()):
        missing.append("images")
    if missing:
        raise LabError(f"not built yet: {', '.join(missing)}: run `python -m lab build`, or `... --for demo` for less")


def _patience(shape: Shape) -> float:
    return 60 + 10 * shape.clusters


def _step(shape: Shape) -> Step:
    usually = 3 + 3 * shape.clusters if shape.nodes else 1 + 2.5 * shape.clusters
    return Step(f"start {shape.clusters} clusters" + ("" if shape.nodes else " without nodes"), usually)


def _ready_file() -> Path:
    return lab_dir() / "ready"
