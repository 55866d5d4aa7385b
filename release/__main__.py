"""Build what a release would be into dist/, and say what keeps this commit from being one.

python -m release             a dry run: exit code 1 if anything keeps it
python -m release --record    keeps the interface of this version; commit it with the date in CHANGELOG.md
python -m release --tag       the same as the dry run, and makes the tag if nothing keeps it; pushing it is yours
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys

from lab import recorded_states
from lab.paths import REPOSITORY
from pulumi_istio_mesh import __version__

from . import artifacts
from .artifacts import git
from .changelog import newest, untold
from .interface import breaks, present
from .readiness import Commit, distribution_version, obstacles
from .recorded import interface_of, record, released

DIST = REPOSITORY / "dist"


def main() -> None:
    """Do what the options say."""
    options = argparse.ArgumentParser(prog="python -m release", description="A dry run of a release, into dist/.")
    options.add_argument("--record", action="store_true", help="keep the interface of this version, and end")
    options.add_argument("--built", action="store_true", help="build, and end")
    options.add_argument("--tag", action="store_true", help="make the tag, if nothing keeps this commit from it")
    given = options.parse_args()
    if given.record:
        if f"v{__version__}" in lines("tag", "--list"):
            sys.exit(f"v{__version__} is out: its interface is what its users have. Give the package its next version.")
        record(__version__)
        return
    write_all()
    if given.built:
        return
    if found := list(obstacles(present_commit())):
        sys.exit("\n".join(["", f"{__version__} can't be released from here:", *(f"  {one}" for one in found)]))
    if given.tag:
        git("tag", "--annotate", f"v{__version__}", "--message", f"pulumi-istio-mesh {__version__}")
    print(f"v{__version__} {'is made; push it' if given.tag else 'can be made: python -m release --tag'}")


def write_all() -> None:
    """Build sdist and wheel, and what is said of them, into dist/."""
    shutil.rmtree(DIST, ignore_errors=True)
    files = artifacts.build(DIST)
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, files)], check=True)
    (wheel,) = (file for file in files if file.suffix == ".whl")
    bill = DIST / f"{wheel.name}.cdx.json"
    artifacts.write_bill_of_materials(wheel, bill)
    artifacts.write_statements([*files, bill], DIST)
    print(artifacts.checksums([*files, bill]), end="")


def present_commit() -> Commit:
    """Return what decides about a release, as it is in this repository."""
    entry = newest((REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8"))
    kept = released()
    last = [version for version in kept if version != __version__][-1:]
    return Commit(
        changed=(*lines("diff", "--name-only", "HEAD"), *lines("ls-files", "--others", "--exclude-standard")),
        tags=tuple(lines("tag", "--list")),
        distribution=distribution_version(REPOSITORY / "pyproject.toml"),
        package=__version__,
        newest=entry,
        meshes=frozenset(recorded_states.SOURCES),
        states=frozenset(recorded_states.recorded(__version__) if __version__ in recorded_states.versions() else ()),
        interface_kept=__version__ in kept and interface_of(__version__) == present(),
        untold=tuple(str(one) for version in last for one in untold(breaks(interface_of(version), present()), entry)),
    )


def lines(*arguments: str) -> list[str]:
    """Return what git lists."""
    return git(*arguments).splitlines()


if __name__ == "__main__":
    main()
