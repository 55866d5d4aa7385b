"""The Debian packages the lab runs on: the container runtime and the tools of the network."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError
from lab.progress import Progress, Step

_NEEDED = {
    "containerd": "/usr/bin/containerd",
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "/usr/sbin/xtables-nft-multi",
    "nftables": "/usr/sbin/nft",
    "busybox-static": "/bin/busybox",
    "curl": "/usr/bin/curl",
    "iproute2": "/usr/sbin/ip",
    "procps": "/usr/sbin/sysctl",
    "util-linux": "/usr/bin/nsenter",
}
"""Each with a file of it that tells whether it is there, however it came there."""
_SECONDS = 600


def missing_packages() -> list[str]:
    """The packages of which nothing is there."""
    return [package for package, file in _NEEDED.items() if not Path(file).exists()]


def ahead() -> list[Step]:
    """The step of `install_packages`, if there is anything to do."""
    packages = missing_packages()
    return [Step(f"install {', '.join(packages)} with apt-get", usually=20)] if packages else []


def install_packages(progress: Progress) -> None:
    """Installs what is missing, without starting a single service of it."""
    packages = missing_packages()
    if not packages:
        return
    with progress.step(*ahead()[0]):
        # A new machine's lists are old or empty.
        _apt_get("update")
        done = _apt_get("install", "--yes", "--no-install-recommends", *packages)
    if done.returncode != 0:
        raise LabError(f"apt-get install failed:\n{done.stderr.strip()}")


def unavailable(packages: Sequence[str]) -> bool:
    """Whether apt doesn't know how to get the packages, its lists brought up to date if need be."""

    def unknown() -> bool:
        return _apt_get("install", "--simulate", "--no-install-recommends", *packages).returncode != 0

    try:
        return unknown() and (_apt_get("update").returncode != 0 or unknown())
    except FileNotFoundError:
        return True


def _apt_get(*arguments: str) -> "subprocess.CompletedProcess[str]":
    # RUNLEVEL tells Debian's service scripts that they are not on a machine that is up: containerd's own
    # service is of no use to the lab, which starts one for each node.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    return subprocess.run(
        ["apt-get", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
