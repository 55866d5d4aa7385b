"""The environment in which the ordinary commands work on the lab: `pulumi`, `kubectl`, `istioctl`."""

import os
import shlex
import sys

from lab import addresses, plugins
from lab.charts import charts_folder
from lab.paths import REPOSITORY, SCRIPTS, lab_dir

_PASSPHRASE = "lab"
"""Of stacks that only ever describe this machine's throw-away clusters."""


def shell_environment() -> dict[str, str]:
    """The variables to add to one's own; makes the folders they name."""
    plugins.install()
    folders = [plugins.commands_folder(), SCRIPTS]
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])
    return {
        "PATH": path,
        "PULUMI_HOME": str(plugins.pulumi_home()),
        # Without the notes beside each file, of which Pulumi reads nothing: they aren't written at once as the files
        # are, and a run that is killed amid one leaves a stack that can't be read ("failed to load checkpoint: EOF").
        "PULUMI_BACKEND_URL": f"file://{plugins.state_folder()}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        # npm asks a registry only for what it doesn't have: lab/npm.py.
        "npm_config_prefer_offline": "true",
        "LAB_CHARTS": str(charts_folder()),
        "LAB_DIR": str(lab_dir()),
        plugins.PYTHON_VARIABLE: sys.executable,
        plugins.REPOSITORY_VARIABLE: str(REPOSITORY),
        **_without_proxy(),
    }


def as_exports() -> str:
    """The same as lines for `eval`; an ambient kubeconfig is dropped, so that nothing reaches another cluster."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in shell_environment().items()]
    return "\n".join(["unset KUBECONFIG", *lines])


def _without_proxy() -> dict[str, str]:
    if not any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")):
        return {}
    present = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    excepted = ",".join(part for part in (present, str(addresses.WIDE_AREA)) if part)
    return {"NO_PROXY": excepted, "no_proxy": excepted}
