"""Builds what is missing of the Go programs, and gathers all programs in one folder.

Every download goes through the ordinary Go client and is verified by the committed go.sum.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from lab.errors import LabError
from lab.paths import GO_PROGRAMS, cache
from lab.process import last_lines, run
from lab.programs import BUILDS, FROM_PATH, KUBERNETES_PROVIDER, KUBERNETES_PROVIDER_BUILD, GoBuild
from lab.progress import Progress, Step

_BUILD_SECONDS = 3600
_KUBERNETES_PROVIDER_MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"


def programs_folder() -> Path:
    """A link to every program of the lab, wherever it came from."""
    return cache() / "bin"


def unbuilt(builds: Iterable[GoBuild]) -> list[GoBuild]:
    """Those of the builds that still have something to make."""
    return [build for build in builds if any(on_path(program) is None for program in build.missing)]


def ahead(builds: Iterable[GoBuild]) -> list[Step]:
    """The steps of `build_programs`."""
    return [_step(build) for build in unbuilt(builds)]


def build_programs(builds: Iterable[GoBuild], progress: Progress) -> None:
    """Builds what is missing; `programs_folder()` then has these, and all that were built before."""
    for build in unbuilt(builds):
        with progress.step(*_step(build)):
            _compile(build)
    folder = programs_folder()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for build in BUILDS:
        for program in build.programs:
            found = on_path(program) or build.output / program
            if found.exists():
                (folder / program).symlink_to(found)


def on_path(program: str) -> Path | None:
    """The program on PATH, if its version fits.

    The lab's own folders don't count, although they are on PATH inside `lab shell`.
    """
    acceptable = FROM_PATH.get(program)
    folders = [f for f in os.get_exec_path() if not Path(f).is_relative_to(cache())]
    found = shutil.which(program, path=os.pathsep.join(folders)) if acceptable else None
    if not acceptable or not found:
        return None
    try:
        answer = run([found, *acceptable.arguments], timeout_seconds=15)
    except LabError:
        return None
    return Path(found) if re.search(acceptable.pattern, answer, re.MULTILINE) else None


def module_folder(build: GoBuild, module: str) -> Path:
    """Where the Go client keeps the sources of a module, which it fetches and verifies if need be."""
    done = _go(build.source, "mod", "download", "-json", module)
    if done.returncode != 0:
        raise LabError(f"go mod download {module}: {done.stderr.strip() or done.stdout.strip()}")
    return Path(json.loads(done.stdout)["Dir"])


def unreachable_modules(builds: Sequence[GoBuild]) -> list[tuple[str, str]]:
    """The folders whose main module can't be had, with where it was looked for; asks the network only if it must."""
    proxy = run(["go", "env", "GOPROXY"]).strip()
    unreachable = []
    for folder in dict.fromkeys(build.folder for build in builds):
        source = GO_PROGRAMS / folder
        required = re.search(r"^(?:require )?\s*(\S+\.\S+) v\S+$", (source / "go.mod").read_text(), re.MULTILINE)
        if required and _go(source, "mod", "download", required[1]).returncode != 0:
            unreachable.append((folder, proxy))
    return unreachable


def _step(build: GoBuild) -> Step:
    return Step(f"build {', '.join(build.programs)}", build.usually)


def _compile(build: GoBuild) -> None:
    source, output = build.source, build.output
    output.mkdir(parents=True, exist_ok=True)
    if build is KUBERNETES_PROVIDER_BUILD:
        source = _with_schema(build)
    # Into a folder of its own first: a build that was cut off must not look like one that is done.
    partial = output / "partial"
    partial.mkdir(exist_ok=True)
    target = partial / build.rename if build.rename else f"{partial}{os.sep}"
    done = _go(source, *build.command, *build.flags, "-o", str(target), *build.packages)
    if done.returncode != 0:
        log = output / "build.log"
        log.write_text(done.stderr)
        raise LabError(
            f"go {build.command[0]} of {', '.join(build.programs)} failed, the whole log is {log}:\n{last_lines(log)}"
        )
    for program in build.programs:
        (partial / program).rename(output / program)
    partial.rmdir()


def _with_schema(build: GoBuild) -> Path:
    """A copy of the folder with the two files that the published module keeps elsewhere and we embed."""
    published = module_folder(build, _KUBERNETES_PROVIDER_MODULE) / "cmd" / "pulumi-resource-kubernetes"
    copy = build.output / "source"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(build.source, copy)
    schema = json.loads((published / "schema.json").read_text())
    (copy / "schema.json").write_text(json.dumps({**schema, "version": KUBERNETES_PROVIDER}))
    (copy / "tfmap.json").write_bytes((published / "terraform-mapping.json").read_bytes())
    return copy


def _go(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # A collector that runs later: a fifth less CPU for a compiler that ends before memory gets short.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOGC": "400", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
    try:
        return subprocess.run(
            ["go", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise LabError("go is not installed: https://go.dev/doc/install") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"go {' '.join(arguments)}: no end after {_BUILD_SECONDS} s") from error
