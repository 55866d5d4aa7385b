"""What a JSON text may be, and take of the machine."""

from __future__ import annotations

import json

import pytest

from pulumi_istio_mesh.topology.docker_config import docker_config_problems
from pulumi_istio_mesh.topology.json_text import read_json
from pulumi_istio_mesh.topology.limits import MOST_BYTES, MOST_LEVELS, MOST_VALUES, UnreadableText


def nested(levels: int) -> str:
    """A list of so many levels."""
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{hunter2", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        ("1" * 5_000, "it is not JSON"),
        ('{"a": NaN}', "it is not JSON, which has no NaN"),
        ("[-Infinity]", "it is not JSON, which has no -Infinity"),
        ("1e400", "it holds a number that is too large for any program"),
        (nested(101), "it is 101 levels deep; at most 100 are read"),
        (nested(100_000), "it is more than 100 levels deep"),
        (f"[{'1,' * MOST_VALUES}1]", "it holds 250,002 values, aliases unfolded; at most 250,000 are read"),
        (" " * (MOST_BYTES + 1), "it holds more than 4,194,304 bytes"),
    ],
    ids=range(10),
)
def test_what_is_not_taken_is_told_with_its_limit_and_never_quoted(text: str | bytes, why: str) -> None:
    with pytest.raises(UnreadableText) as caught:
        read_json(text)
    assert str(caught.value) == why


def test_what_is_at_the_limits_is_read() -> None:
    assert read_json(nested(MOST_LEVELS)) == json.loads(nested(MOST_LEVELS))
    assert len(read_json(f"[{'1,' * (MOST_VALUES - 2)}1]")) == MOST_VALUES - 1
    assert read_json('{"a": 1.5}') == {"a": 1.5}


def test_registry_credentials_nested_without_end_are_refused() -> None:
    (problem,) = docker_config_problems("registry_credentials.mirror", nested(100_000))
    assert problem.slug == "registry-credentials"
    assert problem.what.endswith("with auths: it is more than 100 levels deep")
    assert not list(docker_config_problems("x", '{"auths": {"registry.example": {}}}'))
