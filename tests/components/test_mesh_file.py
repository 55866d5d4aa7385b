"""A mesh.yaml that is wrong, as a program meets it."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from pulumi_istio_mesh import TopologyError, load_mesh, load_meshes


@pytest.mark.parametrize("loader", [load_mesh, load_meshes])
def test_a_file_that_is_wrong_stops_the_program_with_its_sentences_alone(loader: object, tmp_path: Path) -> None:
    """Pulumi prints a traceback of every error but its own."""
    file = tmp_path / "mesh.yaml"
    file.write_text('mesh_id: prod\nistio_version: "1.31.1"\nclusters: {east: {netwrok: vpc}}\n')
    with pytest.raises(TopologyError) as wrong:
        loader(file)  # type: ignore[operator]
    assert isinstance(wrong.value, pulumi.RunError)
    assert f"{file}:3:" in str(wrong.value)
    assert "netwrok" in str(wrong.value)
