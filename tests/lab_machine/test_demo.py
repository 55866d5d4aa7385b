"""What `make demo` shows first. The rest of it is made on real clusters."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import demo
from lab.programs import FOR_DEMO, FOR_TESTS


class Building(Exception):
    """Building would begin now."""


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> str:
    """What is printed on a machine on which nothing is built and no program is found, until building begins."""

    def stop(*arguments: object) -> None:
        raise Building

    monkeypatch.setenv("PULUMI_ISTIO_MESH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ISTIO_MESH_LAB_DIR", str(tmp_path / "lab"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(demo.provision, "provision", stop)
    with pytest.raises(Building):
        demo.main()
    return capfd.readouterr().out


def test_the_mesh_is_shown_before_anything_is_built(shown: str, tmp_path: Path):
    page = tmp_path / "cache" / "demo" / "mesh.html"
    for what in ("c1 calls c2 and c3: through their gateways", "Ports to open", "network_c2 ==>|mTLS| gateway_c1"):
        assert what in shown
    assert str(page) in shown
    assert "<svg" in page.read_text()
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [page]


def test_all_that_is_ahead_is_told_with_its_time_and_nothing_else(shown: str):
    ahead = shown.partition("\nAhead, about ")[2].splitlines()[1:]
    built = {program for line in ahead if "  build " in line for program in line.partition(" build ")[2].split(", ")}
    assert built == {program for build in FOR_DEMO for program in build.programs}
    assert not [line for line in ahead for build in FOR_TESTS for program in build.programs if program in line]
    assert [line.split()[1] for line in ahead if " clusters" in line or "pulumi up" in line] == ["s", "s"]
