"""One cluster of a running lab, for programs and tests."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import addresses
from lab.errors import LabError
from lab.paths import SCRIPTS, ClusterPaths
from lab.process import Recorded, run
from lab.shape import number_of
from lab.spent import spent_on


class Cluster:
    """A handle by name, such as `c1`; nothing is asked of the cluster before you ask it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._paths = ClusterPaths.of(name)

    @property
    def kubeconfig_path(self) -> Path:
        """The administrator's kubeconfig; raises LabError if there is no such cluster."""
        path = self._paths.admin_kubeconfig
        if not path.exists():
            raise LabError(f"no cluster {self.name} in {self._paths.root.parent}: `python -m lab status` lists them")
        return path

    @property
    def kubeconfig(self) -> str:
        """The content of the administrator's kubeconfig, a secret."""
        return self.kubeconfig_path.read_text()

    @property
    def api_server(self) -> str:
        """The server in the kubeconfig; works from this machine and from Pods of every cluster."""
        return addresses.api_server(number_of(self.name))

    @property
    def node_address(self) -> str:
        """Where NodePorts of this cluster answer."""
        return str(addresses.node(number_of(self.name)))

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout_seconds: float = 60) -> str:
        """Standard output of kubectl as administrator; raises LabError with its standard error."""
        command: list[str | Path] = [SCRIPTS / "kubectl", f"--kubeconfig={self.kubeconfig_path}", *arguments]
        with spent_on("kubectl"):
            return run(command, stdin=stdin, timeout_seconds=timeout_seconds)

    @contextmanager
    def without_api_server(self) -> Iterator[None]:
        """The API server answers nobody; it goes on where it was when the context ends."""
        server = Recorded.from_file(self._paths.processes / "kube-apiserver")
        if server is None:
            raise LabError(f"{self.name} has no API server that could be stopped")
        server.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            server.signal(signal.SIGCONT)
