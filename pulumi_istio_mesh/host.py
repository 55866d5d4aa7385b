"""The package as a component plugin: what TypeScript, Go, C#, Java and YAML programs talk to."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any, Optional

import grpc
import pulumi
from pulumi.provider import server
from pulumi.provider.experimental import component, component_provider_host, host
from pulumi.provider.experimental.analyzer import Analyzer, ComponentDefinition, PropertyDefinition
from typing_extensions import get_original_bases

from . import __version__
from .components.mesh import Mesh
from .components.meshes import Meshes
from .istio.names import PACKAGE
from .parts.control_plane import IstioControlPlane, IstioRemote
from .parts.federation import IstioFederation
from .parts.gateways import IstioEastWestGateway, IstioExposure
from .parts.gke import GkeFlatCluster, GkeFlatNetwork
from .parts.remote_secret import IstioReader, IstioRemoteSecret
from .parts.trust import IstioTrust

COMPONENTS = [
    Mesh,
    Meshes,
    IstioTrust,
    IstioControlPlane,
    IstioRemote,
    IstioEastWestGateway,
    IstioExposure,
    IstioReader,
    IstioRemoteSecret,
    IstioFederation,
    GkeFlatNetwork,
    GkeFlatCluster,
]
"""Every component that can be declared in a program, whatever its language."""


class DescribingAnalyzer(Analyzer):
    """Pulumi's analyzer, which looks for the words of an argument into its own class only, with those of its bases."""

    def get_docstring(self, typ: type, name: str) -> Optional[str]:
        """Return what is said of an argument where it is declared."""
        bases = (base for base in get_original_bases(typ) if hasattr(base, "__orig_bases__"))
        own = _words(typ.__module__).get(typ.__name__, {}).get(name)
        return own or next(filter(None, (self.get_docstring(base, name) for base in bases)), None)


@cache
def _words(module: str) -> Mapping[str, Mapping[str, str]]:
    """Return the words under each declaration of a module's classes; Pulumi's analyzer parses the file once a class."""
    classes = [
        node for node in ast.parse(inspect.getsource(sys.modules[module])).body if isinstance(node, ast.ClassDef)
    ]
    return {
        found.name: {
            declared.target.id: said.value.value
            for declared, said in pairwise(found.body)
            if isinstance(declared, ast.AnnAssign) and isinstance(declared.target, ast.Name)
            if isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant) and isinstance(said.value.value, str)
        }
        for found in classes
    }


class LenientProvider(component.ComponentProvider):
    """Pulumi's provider of components, which leaves it to a component to say what is wrong with its arguments.

    Pulumi's own tells of the first argument that is missing, drops those that it does not know, and makes an empty
    mapping of one that is late.
    """

    def map_inputs(self, inputs: Any, component_def: ComponentDefinition) -> Any:
        """Return the arguments by their Python names, as they were given."""
        return self._by_python_names(inputs, component_def.inputs, component_def.inputs_mapping)

    def _by_python_names(
        self, given: Mapping[str, Any], kinds: Mapping[str, PropertyDefinition], names: Mapping[str, str]
    ) -> dict[str, Any]:
        return {names.get(key, key): self._value(value, kinds.get(key)) for key, value in given.items()}

    def _value(self, value: Any, kind: Optional[PropertyDefinition]) -> Any:
        if isinstance(value, float) and value.is_integer():
            # The wire has no other numbers.
            return int(value)
        if isinstance(value, list):
            return [self._value(item, kind and kind.items) for item in value]
        if not isinstance(value, dict):
            return value
        if kind and kind.ref and (found := self.get_type_definition(kind)):
            return self._by_python_names(value, found.properties, found.properties_mapping)
        return {key: self._value(item, kind and kind.additional_properties) for key, item in value.items()}

    def as_typed(self, text: str) -> str:
        """Return a text with the arguments that it names as programs in other languages have them."""
        mappings = [found.inputs_mapping for found in self._component_defs.values()]
        mappings += [found.properties_mapping for found in self._type_defs.values()]
        typed = {name: key for mapping in mappings for key, name in mapping.items()}
        return re.sub(r"\w+", lambda word: typed.get(word[0], word[0]), text)


class PlainServicer(server.ProviderServicer):
    """Pulumi's server of a provider, whose refusals are sentences alone: without a traceback, or a class's name."""

    provider: LenientProvider

    async def Construct(self, request: Any, context: Any) -> Any:
        """Return what a component registered; refuse it with what the component says."""
        try:
            return await self._construct(request, context)
        except Exception as error:
            inner = error.inner if isinstance(error, server.ComponentInitError) else error
            if not isinstance(inner, pulumi.RunError):
                # A mistake of this package: gRPC would keep the traceback to itself.
                raise Exception("".join(traceback.format_exception(inner))) from None
            # What is under way fails as the engine goes, and asyncio would print each as a traceback.
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            # As one message: of a problem that is told by property, the engine prints the value, secret or not.
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, self.provider.as_typed(str(inner)))


def main() -> None:
    """Serve the components until the engine ends the process."""
    component.Analyzer = DescribingAnalyzer  # type: ignore[attr-defined]
    host.ComponentProvider = LenientProvider  # type: ignore[attr-defined]
    server.ProviderServicer = PlainServicer  # type: ignore[misc]
    # By explicit name and version: without them the host takes the distribution's name, which fits no token.
    component_provider_host(COMPONENTS, PACKAGE, version=__version__)
