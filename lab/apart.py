"""Private network and mounts for a process and its children: several labs on one machine, each unseen by the others."""

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError
from lab.process import run

_NEW_MOUNTS, _NEW_NETWORK = 0x00020000, 0x40000000
"""Of `unshare`. Source: linux/sched.h; Python has no words for them before 3.12."""

_WATCHERS, _WATCHERS_OF_SEVERAL = Path("/proc/sys/fs/inotify/max_user_instances"), 1024
"""The machine's usual 128 are used up by two labs: a cluster's programs watch their files by some ten each."""

_GUARD = "\0istio-mesh-lab"
"""An address without a file, of which each network has its own."""


def enter(name: str) -> None:
    """Put the calling thread, and all that it starts from now on, where only a lab called so can be.

    There is no way back. Cgroups and the lab's folder are the machine's, and so carry the name.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS | _NEW_NETWORK) != 0:
        raise LabError(f"no network and mounts of its own for lab {name}: {os.strerror(ctypes.get_errno())}")
    os.environ["ISTIO_MESH_LAB_DIR"] = f"/var/lib/istio-mesh-{name}"
    run(["mount", "--make-rprivate", "/"])
    run(["mkdir", "--parents", "/run/netns"])
    # The names of network namespaces are files here.
    run(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"])
    run(["ip", "link", "set", "lo", "up"])
    if int(_WATCHERS.read_text()) < _WATCHERS_OF_SEVERAL:
        _WATCHERS.write_text(str(_WATCHERS_OF_SEVERAL))


@contextmanager
def alone() -> Iterator[None]:
    """Keep a second `up` or `down` out of this network; leaves nothing behind, also when it is killed."""
    with socket.socket(socket.AF_UNIX) as guard:
        try:
            guard.bind(_GUARD)
        except OSError as error:
            raise LabError("another `python -m lab up` or `down` is at work; wait for it to end") from error
        yield
