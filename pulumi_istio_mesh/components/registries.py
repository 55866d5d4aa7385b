"""Secrets by which images are pulled, where the program makes them."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from ..istio import manifests
from ..topology.docker_config import docker_config_problems
from .arguments import RefusedTopology

PullSecrets = Mapping[str, pulumi.Output[str]]
"""Docker configs by the names of their Secrets; secret."""


def checked_credentials(given: Mapping[str, pulumi.Input[str]]) -> PullSecrets:
    """Return the Docker configs, each known once it is one.

    The program stops with `RefusedTopology` before the Secret is made where no kubelet could read it.
    """

    def checked(name: str, config: pulumi.Input[str]) -> pulumi.Output[str]:
        def check(text: Any) -> str:
            problems = list(docker_config_problems(f"registry_credentials.{name}", text))
            if problems:
                raise RefusedTopology(problems, "registry_credentials")
            return str(text)

        return pulumi.Output.secret(config).apply(check)

    return {name: checked(name, config) for name, config in sorted(given.items())}


def pull_secrets(
    name: str, namespace: str, configs: PullSecrets, *, within: pulumi.Resource, parent: pulumi.Resource
) -> list[pulumi.Resource]:
    """Make the Secrets in a namespace of the cluster called `name`; `within` is the namespace as it is made."""
    return [
        k8s.core.v1.Secret(
            # As charts' objects are called: names of Secrets may end in anything.
            f"{name}-pull:{namespace}/{secret}",
            **manifests.pull_secret(secret, name, namespace, config),
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[within]),
        )
        for secret, config in configs.items()
    ]
