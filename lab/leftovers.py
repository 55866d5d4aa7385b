"""Everything on this machine that belongs to a lab, whole or crashed, and how it is removed.

Nothing is found by name: processes by their records, by our socket in a shim's arguments, or by the cgroup they
are in; namespaces, cgroups and mounts by names and places that only the lab uses.
"""

import shutil
from pathlib import Path

from lab import cgroups, network
from lab.errors import LabError
from lab.paths import ClusterPaths, lab_dir
from lab.process import Recorded, end, run

_SHIM = "containerd-shim-runc-v2"


def shape_file() -> Path:
    """Is there from the first moment of an `up` to the last of a `down`."""
    return lab_dir() / "shape.json"


def recorded() -> dict[tuple[str, str], Recorded]:
    """Every process of the lab by cluster and program."""
    files = sorted(lab_dir().glob("*/processes/*"))
    processes = {(f.parent.parent.name, f.name): Recorded.from_file(f) for f in files}
    return {key: process for key, process in processes.items() if process}


def remove() -> None:
    """Ends and removes everything in `found()`; raises LabError naming what would not go."""
    # The state in etcd is thrown away, so nothing is gained by asking anybody to end in good order.
    end(list(recorded().values()), grace_seconds=0)
    end(_shims(lab_dir()), grace_seconds=0)
    end(cgroups.members(), grace_seconds=0)
    network.remove()
    _remove_files(lab_dir())
    cgroups.remove()
    left = found()
    if left:
        raise LabError("these could not be removed, and something still uses them:\n" + "\n".join(left))


def remove_cluster(cluster: str) -> None:
    """Ends one cluster of a lab as a power cut would, with its state and its network."""
    root = ClusterPaths.of(cluster).root
    end([process for (of, _), process in recorded().items() if of == cluster], grace_seconds=0)
    end(_shims(root), grace_seconds=0)
    end(cgroups.members(cluster), grace_seconds=0)
    network.remove_cluster(cluster)
    _remove_files(root)
    cgroups.remove(cluster)


def _remove_files(root: Path) -> None:
    for mount in _mounts(root):
        run(["umount", "--lazy", mount])
    if root.exists():
        shutil.rmtree(root)


def found() -> list[str]:
    """Everything on this machine that belongs to a lab, in words."""
    return [
        *(f"process {p.pid} ({c} {n})" for (c, n), p in recorded().items() if p.alive),
        *(f"process {p.pid} ({_SHIM})" for p in _shims(lab_dir())),
        *(f"network namespace {name}" for name in network.existing()),
        *(f"cgroup {path}" for path in cgroups.existing()),
        *(f"mount {path}" for path in _mounts(lab_dir())),
        *([f"folder {lab_dir()}"] if shape_file().exists() else []),
    ]


def _shims(root: Path) -> list[Recorded]:
    """The parents of our containers: they leave containerd's session, and name its socket in their arguments."""
    shims = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        ours = any(argument.startswith(f"{root}/") for argument in arguments)
        process = Recorded.running(int(entry.name)) if ours and Path(arguments[0]).name == _SHIM else None
        if process:
            shims.append(process)
    return shims


def _mounts(root: Path) -> list[str]:
    targets = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return sorted((t for t in targets if t.startswith(f"{root}/")), reverse=True)
