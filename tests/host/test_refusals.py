"""What programs in other languages are told where something is wrong: the product's sentences, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import grpc
import pytest

from pulumi_istio_mesh.host import COMPONENTS

from ..builders import a_kubeconfig
from .engine import Constructed, Plugin, Refused
from .programs import MARKS, PROGRAMS, Late, arguments_of, camel, secret
from .test_components import NAMES, asked, every_component

REQUIRED = {
    (component, key)
    for component in NAMES
    for key in next(found for found in COMPONENTS if found.__name__ == component)
    .__init__.__annotations__["args"]
    .__required_keys__
}
PLAIN = [
    (component, key)
    for component in NAMES
    for key, value in PROGRAMS.get(component, {}).items()
    if not isinstance(value, Late)
]
"""Arguments that are known from the start."""


def refused(plugin: Plugin, component: str, arguments: Mapping[str, Any], **options: Any) -> Refused:
    """The refusal of a component, which is sentences in every case."""
    found = asked(plugin, component, arguments, **options)
    assert isinstance(found, Refused), "it was not refused"
    assert found.code == grpc.StatusCode.INVALID_ARGUMENT
    assert re.fullmatch(
        r"\w+ '[\w-]+': \d+ problems?(\n\n  [^\n]+: [^\n]+\n    why: .+\n    fix: .+\n    see: .+)+", found.said
    )
    assert not [mark for mark in MARKS if mark in str(found)]
    return found


def places(found: Refused) -> list[str]:
    """Where a refusal says that something is wrong."""
    return re.findall(r"^  (\S+): ", found.said, re.MULTILINE)


def test_every_required_argument_is_here() -> None:
    """So that the tests below are of something."""
    assert ("Mesh", "clusters") in REQUIRED


# Each component


@every_component
def test_an_argument_that_is_unknown_is_refused_with_the_nearest_of_those_there_are(
    plugin: Plugin, component: str
) -> None:
    first = camel(next(iter(arguments_of(component))))
    found = refused(plugin, component, {**arguments_of(component), f"{first}s": "a"})
    assert places(found) == [f"{first}s"]
    assert f"did you mean '{first}'?" in found.said


@pytest.mark.parametrize(("component", "key"), sorted(REQUIRED))
def test_an_argument_that_is_missing_is_refused(plugin: Plugin, component: str, key: str) -> None:
    arguments = {name: value for name, value in arguments_of(component).items() if name != key}
    found = refused(plugin, component, arguments)
    assert camel(key) in places(found)
    assert list(found.recording) == []


@pytest.mark.parametrize(("component", "key"), PLAIN)
def test_an_argument_of_a_wrong_type_is_refused(plugin: Plugin, component: str, key: str) -> None:
    given = arguments_of(component)
    found = refused(plugin, component, {**given, key: "seven" if isinstance(given[key], int) else 7})
    assert camel(key) in places(found)
    assert list(found.recording) == []


@every_component
def test_a_component_without_arguments_is_refused(plugin: Plugin, component: str) -> None:
    assert list(refused(plugin, component, {}).recording) == []


# What the host of Pulumi would say in its own way


def mesh(**east: Any) -> dict[str, Any]:
    """The arguments of a mesh with other facts of one cluster."""
    arguments = dict(PROGRAMS["Mesh"])
    return {**arguments, "clusters": {**arguments["clusters"], "east": {**arguments["clusters"]["east"], **east}}}


def test_an_argument_inside_of_others_is_refused_by_the_name_that_was_typed(plugin: Plugin) -> None:
    found = refused(plugin, "Mesh", mesh(podCidrs="10.8.0.0/14"))
    assert "clusters.east.podCidrs: 'podCidrs' is not known here; did you mean 'podCidr'?" in found.said


@pytest.mark.parametrize("fact", ["east_west_gateway", "values", "pod_cidr", "discovers", "protect"])
def test_a_late_value_that_shapes_the_mesh_is_refused(plugin: Plugin, fact: str) -> None:
    """Pulumi's own host makes an empty mapping of a late one, and the mesh would be another one in silence."""
    found = refused(plugin, "Mesh", mesh(**{fact: Late({})}))
    assert f"clusters.east.{camel(fact)}: it is an Output, known only while the program runs" in found.said
    assert list(found.recording) == []


def test_a_whole_mapping_that_is_late_is_refused(plugin: Plugin) -> None:
    assert places(refused(plugin, "Mesh", {**PROGRAMS["Mesh"], "clusters": Late({"east": {}})})) == ["clusters"]


def test_a_refusal_of_many_clusters_arrives_whole(plugin: Plugin) -> None:
    """gRPC carries it where headers are, which many take 8 KiB of."""
    clusters = {f"site-{number}": {"kubeconfig": secret("no kubeconfig"), "podCidr": "a"} for number in range(60)}
    found = refused(plugin, "Mesh", {**PROGRAMS["Mesh"], "clusters": clusters})
    # Twenty of a kind are told, and the others are counted.
    assert len(places(found)) == 21
    assert "and 40 more of topology-shape" in found.said


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_what_is_wrong_with_a_value_known_late_arrives_as_sentences_too(plugin: Plugin, preview: bool) -> None:
    before = plugin.printed()
    kubeconfig = secret(a_kubeconfig().replace("here", "elsewhere", 1))
    found = refused(plugin, "Mesh", mesh(kubeconfig=kubeconfig), preview=preview)
    assert places(found) == ["clusters.east.kubeconfig"]
    printed = plugin.printed().removeprefix(before)
    assert "Traceback" not in printed
    assert not [mark for mark in MARKS if mark in printed]


def test_after_a_refusal_the_plugin_makes_what_is_right(plugin: Plugin) -> None:
    refused(plugin, "Mesh", mesh(kubeconfig=secret("~/.kube/config")))
    assert isinstance(asked(plugin, "Mesh", PROGRAMS["Mesh"]), Constructed)


def test_nothing_is_told_by_property(plugin: Plugin) -> None:
    """Of a problem with a property the engine prints the value, and with a cluster's its kubeconfig."""
    details = refused(plugin, "Mesh", {**PROGRAMS["Mesh"], "mtls": "off"}).details
    assert "grpc-status-details-bin" not in {key for key, _ in details}
