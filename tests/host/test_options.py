"""Options that a program in another language gives a component.

Decided here: that each is on the component when it is registered, and on its children where the SDK puts it there.
From a component the engine passes protect, retainOnDelete, deletedWith and providers on to what is inside of it, and
it applies transforms itself: neither goes over the wire to the plugin.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pulumi.runtime.proto import alias_pb2

from .engine import Constructed, Plugin
from .programs import arguments_of
from .test_components import asked, every_component

OTHER = "urn:pulumi:s::p::test:index:Cluster::other"
PROVIDER = "urn:pulumi:s::p::pulumi:providers:kubernetes::mine"


@cache
def with_options(plugin: Plugin, component: str) -> Constructed:
    """A component with every option that goes over the wire."""
    found = asked(
        plugin,
        component,
        {key: value for key, value in arguments_of(component).items() if key != "kubeconfig"},
        protect=True,
        retainOnDelete=True,
        deletedWith=OTHER,
        dependencies=[OTHER],
        ignoreChanges=["someInput"],
        replaceOnChanges=["otherInput"],
        providers={"kubernetes": f"{PROVIDER}::an-id"},
        aliases=[alias_pb2.Alias(spec=alias_pb2.Alias.Spec(name="former"))],
    )
    assert isinstance(found, Constructed), found
    return found


@every_component
def test_a_component_is_registered_with_the_options_that_it_was_given(plugin: Plugin, component: str) -> None:
    own = with_options(plugin, component).own
    assert (own.protect, own.retainOnDelete, own.deletedWith) == (True, True, OTHER)
    assert (list(own.dependencies), list(own.ignoreChanges), list(own.replaceOnChanges)) == (
        [OTHER],
        ["someInput"],
        ["otherInput"],
    )
    assert dict(own.providers) == {"kubernetes": f"{PROVIDER}::an-id"}
    assert [alias.spec.name for alias in own.aliases] == ["former"]


@every_component
def test_what_the_engine_passes_on_reaches_everything_inside(plugin: Plugin, component: str) -> None:
    """Everything is inside: what stood beside the component would be out of reach."""
    rows = with_options(plugin, component).recording
    assert rows.reaching("protect") == rows.reaching("retain_on_delete") == {row.short for row in rows}


def kubernetes(found: Constructed) -> dict[str, set[str]]:
    """The providers of the objects of clusters, by type."""
    providers: dict[str, set[str]] = {}
    for row in found.recording:
        if row.of_kubernetes:
            providers.setdefault(row.type, set()).add(row.provider)
    return providers


@every_component
def test_a_part_uses_the_provider_among_its_options_and_a_mesh_those_of_its_clusters(
    plugin: Plugin, component: str
) -> None:
    used = {name for names in kubernetes(with_options(plugin, component)).values() for name in names}
    of_clusters = {
        "Mesh": {"kubernetes prod-east", "kubernetes prod-west"},
        "Meshes": {"kubernetes a-east", "kubernetes a-west", "kubernetes b-plant"},
        "IstioTrust": set[Any](),
        "GkeFlatNetwork": set(),
        "GkeFlatCluster": set(),
    }
    assert used == of_clusters.get(component, {"kubernetes mine"})


@every_component
def test_what_a_component_waits_for_is_not_waited_for_by_each_thing_inside(plugin: Plugin, component: str) -> None:
    """As for every component of Pulumi: `after` of a part, and outputs, are what its children wait for."""
    found = with_options(plugin, component)
    assert not [row.short for row in found.recording if "Cluster other" in row.after and row.parent != "Stack p-s"]
