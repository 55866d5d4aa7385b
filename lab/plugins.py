"""The Pulumi plugins inside the lab: real ones where this machine has them, else built or stood in for.

Resource plugins are put into a PULUMI_HOME of the lab, where the engine finds them without a word; the language
host is looked up on PATH. A stand-in is a small script that runs a module of this package.
"""

import os
import shutil
from pathlib import Path

from lab.build import module_folder, on_path, programs_folder
from lab.paths import cache, lab_dir
from lab.programs import KUBERNETES_PROVIDER, PULUMI_BUILD, TLS_PROVIDER

LANGUAGE_HOST = "pulumi-language-python"
_BUILT_HOSTS = ("pulumi-language-yaml", "pulumi-language-nodejs")
"""Language hosts that go with a `pulumi` that is built here; one on PATH has its own beside it."""
EXECUTOR = "pulumi-language-python-exec"
"""Upstream's script that runs a program; the stand-in runs it."""
PYTHON_VARIABLE, REPOSITORY_VARIABLE = "LAB_PYTHON", "LAB_REPOSITORY"
"""What the stand-ins' launchers need to know of the checkout whose lab it is."""
_SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
_KUBERNETES = "pulumi-resource-kubernetes"
_TLS = "pulumi-resource-tls"


def commands_folder() -> Path:
    """Comes first on the lab's PATH: `pulumi`, beside it the language host if there is no real one, `istioctl`."""
    return cache() / "commands"


def _resources_folder() -> Path:
    """Resource plugins that we stand in for; not on PATH, where the engine would warn about them."""
    return cache() / "resource-plugins"


def pulumi_home() -> Path:
    """Pulumi's settings and plugins; goes with the lab, as the stacks in it do."""
    return lab_dir() / "pulumi" / "home"


def state_folder() -> Path:
    """The stacks: in the lab's folder, for they describe clusters that are gone once the lab is."""
    return lab_dir() / "pulumi" / "state"


def build_plugins() -> None:
    """Gathers the commands and writes the stand-ins that this machine needs."""
    for folder in (commands_folder(), _resources_folder()):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    pulumi = on_path("pulumi")
    for program in ("istioctl", *(() if pulumi else _BUILT_HOSTS)):
        if (programs_folder() / program).exists():
            (commands_folder() / program).symlink_to(programs_folder() / program)
    if pulumi:
        (commands_folder() / "pulumi").symlink_to(pulumi)
    else:
        # The engine looks for language hosts beside its own file, wherever links to it lie.
        shutil.copy2(programs_folder() / "pulumi", commands_folder() / "pulumi")
    if real_language_host() is None:
        script = module_folder(PULUMI_BUILD, _SDK_MODULE) / "python" / "cmd" / EXECUTOR
        shutil.copyfile(script, commands_folder() / EXECUTOR)
        _write_launcher(commands_folder() / LANGUAGE_HOST, "lab.language_host")
    if real_tls_provider() is None:
        _write_launcher(_resources_folder() / _TLS, "lab.tls_provider")


def install() -> None:
    """Makes PULUMI_HOME and the state folder; does nothing to what is there already."""
    state_folder().mkdir(parents=True, exist_ok=True)
    kubernetes = _installed("kubernetes", KUBERNETES_PROVIDER) or programs_folder() / _KUBERNETES
    tls = real_tls_provider() or _resources_folder() / _TLS
    for name, version, program in (("kubernetes", KUBERNETES_PROVIDER, kubernetes), ("tls", TLS_PROVIDER, tls)):
        folder = pulumi_home() / "plugins" / f"resource-{name}-v{version}"
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / f"pulumi-resource-{name}"
        if not (link.is_symlink() and link.readlink() == program):
            link.unlink(missing_ok=True)
            link.symlink_to(program)


def real_language_host() -> Path | None:
    """The Pulumi release's own language host, wherever it is on PATH outside the lab."""
    return _on_path(LANGUAGE_HOST)


def real_tls_provider() -> Path | None:
    """The real pulumi-tls plugin, on PATH or in the user's own Pulumi."""
    return _on_path(_TLS) or _installed("tls", TLS_PROVIDER)


def _on_path(program: str) -> Path | None:
    folders = [f for f in os.get_exec_path() if not Path(f).is_relative_to(cache())]
    found = shutil.which(program, path=os.pathsep.join(folders))
    return Path(found) if found else None


def _installed(name: str, version: str) -> Path | None:
    """A plugin that the user's own Pulumi has downloaded in this version."""
    program = Path.home() / ".pulumi" / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}"
    return program if program.exists() else None


def _write_launcher(file: Path, module: str) -> None:
    # The cache is shared by all checkouts, so the environment says which one is at work. Not by PYTHONPATH: the user's
    # program would inherit it, and find this repository's packages uninstalled.
    code = f"import os, runpy, sys; sys.path.insert(0, os.environ[{REPOSITORY_VARIABLE!r}]); "
    code += f"runpy.run_module({module!r}, run_name='__main__', alter_sys=False)"
    file.write_text(f'#!/bin/sh\nexec "${PYTHON_VARIABLE}" -c "{code}" "$@"\n')
    file.chmod(0o755)
