"""Wheel and sdist hold what belongs and nothing else, work where nothing else is, and can be built again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from email import message_from_bytes
from pathlib import Path

from packaging.utils import canonicalize_name
from syrupy.assertion import SnapshotAssertion

from pulumi_istio_mesh import __version__
from release import artifacts

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "split-horizon"


def names(file: Path) -> list[str]:
    """What is in an archive."""
    if file.suffix == ".whl":
        return zipfile.ZipFile(file).namelist()
    with tarfile.open(file) as archive:
        return archive.getnames()


def run(python: Path, *arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the environment's Python where nothing of the repository can be imported."""
    usual: Mapping[str, str] = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command = [str(python), *arguments]
    return subprocess.run(
        command, cwd=folder, env={**usual, **environment}, capture_output=True, text=True, timeout=120
    )


def test_wheel_and_sdist_hold_exactly_this(built: list[Path], golden_text: SnapshotAssertion) -> None:
    sdist, wheel = built
    listed = [f"{file.name}\n" + "".join(f"  {name}\n" for name in sorted(names(file))) for file in (wheel, sdist)]
    assert "\n".join(listed) == golden_text


def test_the_wheel_has_every_file_of_the_package(built: list[Path]) -> None:
    _, wheel = built
    tracked = artifacts.git("ls-files", "pulumi_istio_mesh").splitlines()
    assert {name for name in names(wheel) if ".dist-info/" not in name} == set(tracked)


def test_the_engine_is_told_that_the_wheel_has_no_provider_to_download(built: list[Path]) -> None:
    """Or `pulumi install` looks for a plugin of the package's name and fails."""
    _, wheel = built
    told = json.loads(zipfile.ZipFile(wheel).read("pulumi_istio_mesh/pulumi-plugin.json"))
    assert told == {"resource": False}


def test_metadata_is_what_an_index_takes(built: list[Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *map(str, built)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    _, wheel = built
    (name,) = (name for name in names(wheel) if name.endswith("/METADATA"))
    told = message_from_bytes(zipfile.ZipFile(wheel).read(name))
    assert (told["Name"], told["Version"], told["License-Expression"]) == (
        "pulumi-istio-mesh",
        __version__,
        "Apache-2.0",
    )


def test_built_again_from_another_place_they_are_the_same_bytes(built: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "copy"
    tracked = artifacts.git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for name in tracked:
        if (ROOT / name).is_file() and (name.startswith("pulumi_istio_mesh/") or "/" not in name):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            # The bytes and the mode alone: times, owners and places are another machine's.
            (copy / name).write_bytes((ROOT / name).read_bytes())
            (copy / name).chmod((ROOT / name).stat().st_mode)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": artifacts.git("log", "-1", "--format=%ct"), "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "again"), str(copy)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    again = sorted((tmp_path / "again").iterdir(), key=lambda file: file.suffix)
    assert [artifacts.digest(file) for file in again] == [artifacts.digest(file) for file in built]


# The wheel where nothing else is


def test_the_command_works(python: Path, tmp_path: Path) -> None:
    command = python.parent / "istio-mesh"
    done = subprocess.run([str(command), "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: istio-mesh")


def test_an_import_loads_neither_pulumi_nor_a_cloud(python: Path, tmp_path: Path) -> None:
    program = (
        "import sys, pulumi_istio_mesh as p; print(p.__file__, *(m for m in sys.modules if m.startswith('pulumi')))"
    )
    place, *loaded = run(python, "-c", program, folder=tmp_path).stdout.split()
    assert Path(place).is_relative_to(python.parents[1])
    assert loaded == ["pulumi_istio_mesh"]


PREVIEW = """
import runpy, sys
import pulumi
from pulumi.runtime import mocks

class Nothing(mocks.Mocks):
    registered = []

    def new_resource(self, args):
        self.registered.append(f"{args.typ} {args.name}")
        return "", args.inputs

    def call(self, args):
        return {}, None

mocks.set_mocks(Nothing(), project="istio-mesh-flagship", preview=True)
pulumi.runtime.set_all_config({f"istio-mesh-flagship:{key}": value for key, value in %r.items()})
pulumi.runtime.test(lambda: runpy.run_path(%r) and None)()
print("\\n".join(Nothing.registered))
"""


def test_the_flagship_example_previews(python: Path, tmp_path: Path) -> None:
    from ..builders import a_kubeconfig

    for name in ("mesh.yaml", "__main__.py"):
        (tmp_path / name).write_bytes((EXAMPLE / name).read_bytes())
    config = {"chartSource": "https://charts.example", "imageHub": "registry.example/istio"}
    config |= {f"c{number}": a_kubeconfig(f"https://192.0.2.{number}:6443") for number in (1, 2, 3)}
    done = run(python, "-c", PREVIEW % (config, "__main__.py"), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = done.stdout.splitlines()
    assert "istio-mesh:index:Mesh horizon" in found
    for cluster in ("c1", "c2", "c3"):
        assert f"kubernetes:helm.sh/v4:Chart horizon-{cluster}-istiod" in found


def test_the_plugin_of_an_unpacked_sdist_serves(built: list[Path], python: Path, tmp_path: Path) -> None:
    """What `pulumi package add FOLDER` runs: the engine waits for a port on the first line."""
    with tarfile.open(built[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    assert (folder / "PulumiPlugin.yaml").read_text(encoding="utf-8") == "runtime: python\n"
    with subprocess.Popen(
        [str(python), str(folder), "127.0.0.1:1"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as plugin:
        try:
            assert plugin.stdout is not None
            assert int(plugin.stdout.readline()) > 0
        finally:
            plugin.terminate()


def test_the_bill_of_materials_is_what_is_installed(python: Path, tmp_path: Path) -> None:
    artifacts.bill_of_materials(python, tmp_path / "bill.json")
    bill = json.loads((tmp_path / "bill.json").read_text(encoding="utf-8"))
    assert bill["metadata"]["component"]["name"] == "pulumi-istio-mesh"
    assert bill["metadata"]["component"]["version"] == __version__
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    metadata = [message_from_bytes(file.read_bytes()) for file in packages.glob("*.dist-info/METADATA")]
    installed = {(canonicalize_name(told["Name"]), told["Version"]) for told in metadata}
    listed = {(canonicalize_name(component["name"]), component["version"]) for component in bill["components"]}
    assert listed == installed - {("pulumi-istio-mesh", __version__)}
    assert {"pulumi", "pulumi-kubernetes", "cryptography"} <= {name for name, _ in listed}
    assert all(component["purl"].startswith("pkg:pypi/") for component in bill["components"])


def test_checksums_and_provenance_name_the_bytes(built: list[Path], tmp_path: Path) -> None:
    artifacts.write_statements(built, tmp_path)
    for file in built:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    checked = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    statement = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert [one["digest"]["sha256"] for one in statement["subject"]] == [artifacts.digest(file) for file in built]
    source, lock = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source["digest"]["gitCommit"] == artifacts.git("rev-parse", "HEAD")
    assert lock["digest"]["sha256"] == artifacts.digest(ROOT / "requirements.lock")
