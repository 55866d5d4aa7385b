"""The cgroup below which a cluster's kubelet puts all of its pods, on version 1 and version 2 machines."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from lab.paths import lab_dir
from lab.process import Recorded

_MOUNTS = Path("/proc/self/mounts")


def name_of(cluster: str) -> str:
    """The cgroup's name, the same in every hierarchy, and another one for a lab in another folder."""
    return f"{lab_dir().name}-{cluster}"


def version() -> int:
    """2 where every controller is on the unified hierarchy, else 1."""
    return 2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1


def make(cluster: str) -> None:
    """Makes the cluster's cgroup in every hierarchy: kubelet insists that its root exists in all of them."""
    if version() == 2:
        _enable_controllers(Path("/sys/fs/cgroup"))
    for hierarchy in hierarchies():
        group = hierarchy / name_of(cluster)
        group.mkdir(exist_ok=True)
        # On version 1 a new cpuset is empty, and nothing can run in it until it has been filled.
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if version() == 1 and (group / setting).exists():
                (group / setting).write_text((hierarchy / setting).read_text())


def members(cluster: str | None = None) -> list[Recorded]:
    """Every process in a cgroup of the lab, or of one cluster: Pods, which nobody else can have put there."""
    pids = {
        int(pid)
        for top in _existing(cluster)
        for group in _within(top)
        for pid in _read(group / "cgroup.procs").split()
    }
    return [process for process in map(Recorded.running, sorted(pids)) if process]


def remove(cluster: str | None = None) -> None:
    """Removes the lab's cgroups, or one cluster's; one can be busy for a moment after its last process has ended."""
    deadline = time.monotonic() + 5
    while (left := _existing(cluster)) and time.monotonic() < deadline:
        for top in left:
            for group in _within(top):
                try:
                    group.rmdir()
                except OSError:
                    continue  # Still busy, or still has children: the next round sees to it.
        time.sleep(0.05)


def existing() -> list[str]:
    """The lab's cgroups that are there, for `status` and for tests of `down`."""
    return [str(group) for group in _existing()]


def hierarchies() -> list[Path]:
    """Where cgroup file systems are mounted, each once although some have two names."""
    lines = [line.split() for line in _MOUNTS.read_text().splitlines()]
    mounted = {Path(target).resolve() for _, target, kind, *_ in lines if kind in ("cgroup", "cgroup2")}
    return sorted(path for path in mounted if path.is_relative_to("/sys/fs/cgroup"))


def _existing(cluster: str | None = None) -> list[Path]:
    name = name_of(cluster or "*")
    return [group for hierarchy in hierarchies() for group in hierarchy.glob(name) if group.is_dir()]


def _within(top: Path) -> Iterator[Path]:
    """Yield a cgroup and those below it, children first; it is no error that one goes by itself meanwhile."""
    return (Path(folder) for folder, _, _ in os.walk(top, topdown=False))


def _enable_controllers(root: Path) -> None:
    available = (root / "cgroup.controllers").read_text().split()
    for controller in {"cpu", "cpuset", "memory", "pids", "io", "hugetlb"} & set(available):
        (root / "cgroup.subtree_control").write_text(f"+{controller}")


def _read(listing: Path) -> str:
    try:
        return listing.read_text()
    except OSError:
        return ""  # The cgroup went away while we looked.
