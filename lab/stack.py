"""A Pulumi stack whose clusters are the lab's: the ordinary CLI on an ordinary program folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.cluster import Cluster
from lab.environment import shell_environment
from lab.errors import LabError
from lab.spent import spent_on

_TIMEOUT_SECONDS = 900
_LONG = ("up", "preview", "destroy")
ONLY_THE_LAST_STATE = "PULUMI_SKIP_CHECKPOINTS"
"""The engine's setting to write a stack's state at the end of a run only, not after each step."""


@dataclass(frozen=True)
class Step:
    """What the engine will do, or did, to one resource."""

    operation: str
    urn: str

    @property
    def name(self) -> str:
        """Return the resource's logical name."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def type(self) -> str:
        """Return the resource's type, without those of its parents."""
        return self.urn.split("::")[2].rsplit("$", 1)[-1]


def copied(program: Path, folder: Path, **facts: Any) -> Path:
    """Copy a program without what its stacks and package managers left; return `folder`, which must not be there yet.

    `facts` take the place of top-level keys of its mesh.yaml.
    """
    left = shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__", "node_modules", "sdks")
    shutil.copytree(program, folder, ignore=left)
    if facts:
        mesh = folder / "mesh.yaml"
        mesh.write_text(yaml.safe_dump({**yaml.safe_load(mesh.read_text()), **facts}))
    return folder


class Stack:
    """One stack of one program; its config, with the clusters' kubeconfigs, lies beside the program."""

    def __init__(self, program: Path, name: str, *, show: bool = False) -> None:
        self.program = program
        self.name = name
        self._show = show
        # Without an ambient kubeconfig, so that nothing can reach another cluster.
        ambient = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
        self._environment = {**ambient, **shell_environment()}

    def configure(self, clusters: Iterable[Cluster], **plain: str) -> None:
        """Make the stack if it isn't there, and set its config: each cluster's kubeconfig, and plain values."""
        self.run("stack", "select", "--create", self.name, stack=False)
        for cluster in clusters:
            self.run("config", "set", "--secret", cluster.name, text=cluster.kubeconfig)
        charts = {"chartSource": self._environment["LAB_CHARTS"], "imageHub": "docker.io/istio"}
        for key, value in {**charts, **plain}.items():
            self.run("config", "set", key, "--", value)

    def give_trust(self, cluster: str, parts: Mapping[str, str]) -> None:
        """Set the authority of a cluster of a mesh whose trust is given; `trust_files.given` reads one from files."""
        self.run("config", "set", "--secret", f"{cluster}-cacerts", text=json.dumps(parts))

    def up(self, *flags: str) -> str:
        """Run `pulumi up` without asking; return its output."""
        return self.run("up", "--yes", "--skip-preview", "--non-interactive", *flags, show=self._show)

    def refresh_changes_nothing(self) -> str:
        """Run a refreshing preview that fails where the clusters differ from the program."""
        return self.run("preview", "--refresh", "--expect-no-changes", "--diff", "--non-interactive")

    def preview(self, *flags: str) -> list[Step]:
        """Return the steps of a preview, resources that stay as they are left out."""
        digest = json.loads(self.run("preview", "--json", "--non-interactive", *flags, stdout_only=True))
        return [Step(step["op"], step["urn"]) for step in digest["steps"] if step["op"] != "same"]

    def destroy(self) -> str:
        """Run `pulumi destroy` without asking; return its output."""
        return self.run("destroy", "--yes", "--skip-preview", "--non-interactive", show=self._show)

    def cancel(self) -> None:
        """Take away the lock that a killed run left."""
        self.run("cancel", "--yes")

    def remove(self) -> None:
        """Forget the stack; its resources must be gone."""
        self.run("stack", "rm", "--yes", self.name, stack=False)

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs."""
        found: dict[str, Any] = json.loads(self.run("stack", "output", "--json", stdout_only=True))
        return found

    def state(self) -> dict[str, Any]:
        """Return the stack's state as the engine keeps it, secrets encrypted."""
        found: dict[str, Any] = json.loads(self.run("stack", "export", stdout_only=True))
        return found

    def types(self) -> Counter[str]:
        """Return how many resources of each type the state holds."""
        return Counter(resource["type"] for resource in self.state()["deployment"].get("resources", []))

    @property
    def started_log(self) -> Path:
        """Return the file that the last started command writes its output to."""
        return self.program.parent / f"{self.name}.log"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a pulumi command, which may be killed and so writes its state at each step; return at once."""
        environment = {key: value for key, value in self._environment.items() if key != ONLY_THE_LAST_STATE}
        with self.started_log.open("wb") as log:
            return subprocess.Popen(self._command(arguments), cwd=self.program, env=environment, stdout=log, stderr=log)

    def run(
        self,
        *arguments: str,
        text: str | None = None,
        stack: bool = True,
        show: bool = False,
        stdout_only: bool = False,
    ) -> str:
        """Run one pulumi command in the program's folder and return its output.

        Raises `LabError` with that output when the command fails.
        """
        with spent_on(f"pulumi {arguments[0]}" if arguments[0] in _LONG else "pulumi, the rest"):
            done = subprocess.run(
                self._command(arguments, stack=stack),
                cwd=self.program,
                env=self._environment,
                input=text,
                stdout=None if show else subprocess.PIPE,
                stderr=None if show else (subprocess.PIPE if stdout_only else subprocess.STDOUT),
                text=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        if done.returncode != 0:
            said = f"{done.stdout or ''}{done.stderr or ''}"
            raise LabError(f"pulumi {arguments[0]} ended with exit code {done.returncode}:\n{said}")
        return done.stdout or ""

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Return how any command ended in the program's folder and environment, such as `istio-mesh` itself."""
        folders = os.pathsep.join([str(Path(sys.executable).parent), self._environment["PATH"]])
        with spent_on(arguments[0]):
            return subprocess.run(
                [str(shutil.which(arguments[0], path=folders)), *arguments[1:]],
                cwd=self.program,
                env={**self._environment, "PATH": folders},
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )

    def _command(self, arguments: Iterable[str], *, stack: bool = True) -> list[str]:
        command = ["pulumi", *arguments]
        if not stack:
            return command
        # Before "--", which ends the flags.
        place = command.index("--") if "--" in command else len(command)
        return [*command[:place], "--stack", self.name, *command[place:]]


def by_operation(steps: Iterable[Step]) -> Mapping[str, set[str]]:
    """Return the names of the resources by what is done to them."""
    found: dict[str, set[str]] = {}
    for step in steps:
        found.setdefault(step.operation, set()).add(step.name)
    return found
