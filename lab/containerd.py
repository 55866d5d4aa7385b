"""containerd's configuration, and the filled image store that every node starts from.

Unpacking the images into each node takes seconds of CPU per node. So they are unpacked once, when they
are built, and a node gets the store as hard links: image layers are only ever read, a container's writes
go to a directory of its own. Only the two small databases are copied for real.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError
from lab.process import Program, run, start, wait_until

CNI_PROGRAMS = Path("/usr/lib/cni")
PAUSE_IMAGE = "registry.k8s.io/pause:3.10"
NAMESPACE = "k8s.io"
"""kubelet's images live in this namespace of containerd."""
_UNUSED_PLUGINS = [
    "io.containerd.internal.v1.tracing",
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.tracing.processor.v1.otlp",
]


def configuration(root: Path, state: Path, socket: Path, cni: Path) -> str:
    """The text of containerd's config file."""
    unused = ", ".join(f'"{plugin}"' for plugin in _UNUSED_PLUGINS)
    return f"""version = 2
root = "{root}"
state = "{state}"
oom_score = 0
disabled_plugins = [{unused}]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  # Inside another container the lab may not lower anybody's OOM score.
  restrict_oom_score_adj = true
  sandbox_image = "{PAUSE_IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PROGRAMS}"
    conf_dir = "{cni}"
"""


def run_containerd(prefix: Sequence[str | Path], home: Path, cni: Path, *, records: Path, logs: Path) -> Program:
    """Starts containerd with everything below `home` and returns once it answers on `home`/c.sock."""
    home.mkdir(parents=True, exist_ok=True)
    socket, config = home / "c.sock", home / "config.toml"
    config.write_text(configuration(home / "root", home / "state", socket, cni))
    program = start("containerd", [*prefix, "containerd", "--config", config], records=records, logs=logs)
    wait_until(
        lambda: socket.exists() and _answers(socket), "containerd answering", programs=[program], timeout_seconds=30
    )
    return program


def _answers(socket: Path) -> bool:
    try:
        run(["ctr", "--address", socket, "version"], timeout_seconds=5)
    except LabError:
        return False
    return True


def import_images(socket: Path, archives: Sequence[Path]) -> None:
    """Imports and unpacks OCI archives where kubelet will look for them."""
    for archive in archives:
        run(["ctr", "--address", socket, "--namespace", NAMESPACE, "images", "import", archive], timeout_seconds=120)


def copy_store(filled: Path, root: Path) -> None:
    """Makes `root` a store with the images of `filled`, which is not changed by anything done to `root`."""
    shutil.copytree(filled, root, symlinks=True, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> str:
    if source.endswith(".db"):
        return str(shutil.copy2(source, target))
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        # The cache is on another file system: slower and larger, but just as good.
        shutil.copy2(source, target, follow_symlinks=False)
    return target
