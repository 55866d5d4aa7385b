"""The program that a kubeconfig names as `exec`: it is run, and prints a credential.

As client-go runs it, but nobody is asked: it has no terminal, and what it says besides is thrown away, for that may be
a credential, too. Source: client-go, plugin/pkg/client/auth/exec.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..topology.json_text import read_json
from ..topology.kubeconfig import KubeconfigError

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_SAID = {"token": "token", "clientCertificateData": "client-certificate-data", "clientKeyData": "client-key-data"}
"""What it prints, and what that is called in a kubeconfig."""
_CLUSTER = (
    "server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url",
    "disable-compression",
)  # fmt: skip
"""What it is told of the cluster, where it asks for it."""


def credential_of(plugin: Any, cluster: Mapping[str, Any], folder: Path, seconds: float) -> dict[str, str]:
    """Return what the plugin gives, as a kubeconfig has it; raise `KubeconfigError` in words that quote nothing."""
    if not isinstance(plugin, Mapping) or plugin.get("apiVersion") not in _VERSIONS:
        raise KubeconfigError(f"its plugin has another apiVersion than {' and '.join(_VERSIONS)}")
    if plugin.get("interactiveMode") == "Always":
        raise KubeconfigError("its plugin asks somebody at a terminal (interactiveMode Always)")
    try:
        command = [_program(str(plugin["command"]), folder), *map(str, plugin.get("args") or ())]
        own = {str(one["name"]): str(one["value"]) for one in plugin.get("env") or ()}
    except (KeyError, TypeError):
        raise KubeconfigError("its plugin has no command, or args and env that are no lists") from None
    environment = {**os.environ, **own, "KUBERNETES_EXEC_INFO": _told(plugin, cluster)}
    return _said(_run(command, environment, seconds))


def _program(command: str, folder: Path) -> str:
    """Return the program: looked for on PATH, or relative to the kubeconfig's folder where it has a folder."""
    return str(folder.absolute() / command) if os.sep in command else command


def _told(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> str:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo") is True:
        spec["cluster"] = {key: cluster[key] for key in _CLUSTER if cluster.get(key)}
        for one in cluster.get("extensions") or ():
            if isinstance(one, Mapping) and one.get("name") == "client.authentication.k8s.io/exec":
                spec["cluster"]["config"] = one.get("extension")
    return json.dumps({"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": spec})


def _run(command: list[str], environment: Mapping[str, str], seconds: float) -> bytes:
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Without a terminal that it could ask at.
            start_new_session=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise KubeconfigError("its plugin did not end in time") from None
    except (OSError, ValueError) as error:
        raise KubeconfigError(f"its plugin can't be run: is it installed here? ({type(error).__name__})") from None
    if done.returncode:
        raise KubeconfigError(
            f"its plugin failed (exit code {done.returncode}); kubectl with this kubeconfig shows what it says"
        )
    return done.stdout


def _said(printed: bytes) -> dict[str, str]:
    try:
        status = read_json(printed)["status"]
        found = {
            _SAID[key]: value for key, value in status.items() if key in _SAID and isinstance(value, str) and value
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        found = {}
    if not found:
        raise KubeconfigError("its plugin printed no ExecCredential with a token or a certificate")
    return found
