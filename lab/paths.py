"""Where the lab keeps things: a cache that outlives it, and a folder that lasts as long as it runs."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
GO_PROGRAMS = Path(__file__).resolve().parent / "go"
SCRIPTS = Path(sys.executable).parent
"""Holds what the lab takes from PyPI: kubectl, envoy and the python of the running interpreter."""


def cache() -> Path:
    """The folder of built programs, images and charts; safe to delete, slow to fill again."""
    default = Path.home() / ".cache" / "pulumi-istio-mesh"
    return Path(os.environ.get("PULUMI_ISTIO_MESH_CACHE", default))


def lab_dir() -> Path:
    """The folder of a running lab.

    Short on purpose: containerd's and the shims' sockets lie below it, and a unix socket's path may
    have at most 107 characters.
    """
    return Path(os.environ.get("ISTIO_MESH_LAB_DIR", "/var/lib/istio-mesh-lab"))


@dataclass(frozen=True)
class ClusterPaths:
    """The files of one cluster of a running lab."""

    name: str
    root: Path

    @classmethod
    def of(cls, name: str) -> "ClusterPaths":
        """The paths of a cluster of the lab in `lab_dir()`."""
        return cls(name, lab_dir() / name)

    @property
    def certificates(self) -> Path:
        """Certificates, keys and kubeconfigs."""
        return self.root / "pki"

    @property
    def admin_kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.kubeconfig("admin")

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig of one of the users in lab/pki.py."""
        return self.certificates / f"{user}.kubeconfig"

    @property
    def logs(self) -> Path:
        """One file a program."""
        return self.root / "log"

    @property
    def processes(self) -> Path:
        """One record a program: lab/process.py."""
        return self.root / "processes"

    @property
    def containerd(self) -> Path:
        """containerd's images, state and socket."""
        return self.root / "containerd"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd and its shims are spoken to."""
        return self.containerd / "c.sock"
