"""A translated mesh as the text of a mesh.yaml, with comments that say what to fill in."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from ..topology.scalar import scalar
from ..topology.shown import shown, shown_lines
from .clusters import UNNAMED
from .mesh import Translation

_WIDTH = 110

_TRUST = (
    "The mesh has a certificate authority already. With external, Secret cacerts must be in istio-system of each "
    "cluster with an istiod before that istiod starts. To hand it to the program: kind: given. A root that is made "
    'here, for which all workloads restart: roots: [{issued: "YYYY-MM-DD"}], with the day. '
    "See docs/how-to/bring-your-own-ca.md."
)
_ASSUMED = {
    "trust_domain": "No input names one: Istio's own. Another one changes every identity.",
    "mtls": "No input says it: Istio answers plaintext, unless a PeerAuthentication is strict. Then write strict.",
    "dns_capture": "No input captures DNS. With true, a Service resolves in clusters that have no copy of it.",
}
_CLUSTERS = (
    "To fill in: pod_cidr of each cluster, so that ranges on one network are judged; and in the program its "
    "kubeconfig: pulumi config set --secret {first} < {first}.kubeconfig"
)
_SHARED = (
    "Clusters on network {network} name none in the input: to Istio their pods dial each other. If they can't, give "
    "each its own."
)


def mesh_text(translation: Translation) -> str:
    """Return the text of the mesh.yaml."""
    tree, lines = translation.tree, [*_comment(shown(f"Translated from {', '.join(translation.sources)}."))]
    for key, value in tree.items():
        if key == "clusters":
            lines += _clusters(translation, value)
            continue
        if key == "trust":
            lines += _comment(_TRUST)
        if key in translation.assumed:
            lines += _comment(_ASSUMED[key])
        lines += _entry(key, value)
    return "\n".join(lines) + "\n"


def _clusters(translation: Translation, clusters: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if not clusters:
        yield "clusters: {}"
        return
    yield from _comment(_CLUSTERS.format(first=next(iter(clusters))))
    shared = [
        str(facts["network"])
        for name, facts in clusters.items()
        if str(facts.get("network", "")).startswith(UNNAMED) and f"clusters.{name}.network" not in translation.origins
    ]
    if shared:
        yield from _comment(_SHARED.format(network=shared[0]))
    yield "clusters:"
    for name, facts in clusters.items():
        plain = {key: value for key, value in facts.items() if key != "values"}
        if "values" not in facts:
            yield f"  {scalar(name)}: {{{', '.join(f'{key}: {scalar(value)}' for key, value in plain.items())}}}"
            continue
        yield f"  {scalar(name)}:"
        for key, value in facts.items():
            yield from (f"    {line}" for line in _entry(key, value))


def _entry(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        # Versions and the like stay quoted, as this package writes them.
        yield f"{key}: {scalar(value)}"
    elif key == "trust":
        yield f"trust: {{kind: {value['kind']}}}"
    else:
        yield from _dumped({key: value}).rstrip("\n").split("\n")


def _dumped(tree: Mapping[str, Any]) -> str:
    """Return a tree as YAML that can be printed, and still means the same."""
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=_WIDTH)
    if shown_lines(text) == text:
        return text
    # Between quotes the escapes of `shown` are YAML's own, and no line begins with what a text holds.
    return shown_lines(yaml.dump(tree, Dumper=_Quoting, sort_keys=False, width=math.inf))


class _Quoting(yaml.SafeDumper):
    """Writes every text between quotes."""


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def _comment(text: str) -> list[str]:
    wrapped = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"# {line}" for line in wrapped]
