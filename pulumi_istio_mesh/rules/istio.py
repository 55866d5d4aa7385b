"""Rules about Istio itself: its version, its charts, and the Helm values a user lays over ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from ..istio import charts, known_bugs, names, values, versions
from ..topology.models import Topology
from ..topology.names import (
    DEFAULT_REVISION,
    is_dns_label,
    is_host_name,
    is_image_repository,
    is_label_key,
    is_label_value,
    is_mesh_id,
    is_object_name,
)
from ..topology.problems import Problem, near
from ..topology.versions import numbers

_LONGEST_REVISION = 40
"""So that what the charts name by it stays within Kubernetes' 63 characters."""


def the_versions_are_supported(topology: Topology) -> Iterator[Problem]:
    """Refuse a version that is no full version, or of a minor this package was not built for."""
    yield from _unsupported("istio_version", topology.istio_version)
    for name, revision in topology.revisions.items():
        if revision.istio_version is not None:
            yield from _unsupported(f"revisions.{name}.istio_version", revision.istio_version)
    for name, cluster in topology.clusters.items():
        if cluster.istio_version is not None:
            yield from _unsupported(f"clusters.{name}.istio_version", cluster.istio_version)


def _unsupported(where: str, version: str) -> Iterator[Problem]:
    known = ", ".join(f"{name} (Kubernetes {minor.kubernetes})" for name, minor in versions.SUPPORTED.items())
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", version):
        what = f"{version!r} is not a full version"
    elif versions.minor_of(version) not in versions.SUPPORTED:
        what = f"{version} is not supported; supported are {known}"
    else:
        return
    yield Problem(
        where=where,
        what=what,
        why="charts and images are pinned to one version, and the values this package writes were read "
        "from the charts of the supported ones",
        fix=f'{where.rpartition(".")[2]}: "{versions.NEWEST}"',
        slug="istio-version",
    )


def versions_fit_together(topology: Topology) -> Iterator[Problem]:
    """Refuse a remote of another version than its primary's, and minors further apart than Istio supports."""
    for name, cluster in topology.clusters.items():
        primary = topology.primary_of(name)
        if cluster.istio_version is not None and primary != name and cluster.istio_version != topology.version_of(name):
            yield Problem(
                where=f"clusters.{name}.istio_version",
                what=f"{name} is served by the istiod of {primary}, which is of {topology.version_of(name)}",
                why="proxies get their image and their config of the istiod that serves them",
                fix=f"remove clusters.{name}.istio_version",
                slug="istio-skew",
            )
    running = [
        (version, f"revisions.{revision}" if topology.revisions else f"clusters.{name}")
        for name in topology.clusters
        for revision, version in topology.versions_of(name).items()
        if versions.minor_number(version) is not None
    ]
    (oldest, old), (newest, new) = (
        end(running, key=lambda found: numbers(found[0]), default=("1.0.0", "")) for end in (min, max)
    )
    if (versions.minor_number(newest) or 0) - (versions.minor_number(oldest) or 0) > 1:
        yield Problem(
            where=f"{old}.istio_version",
            what=f"{old.rpartition('.')[2]} is of {oldest}, {new.rpartition('.')[2]} of {newest}",
            why="proxies may be one minor version behind the istiods that they hear of services from "
            "(istio.io, supported releases)",
            fix="upgrade the oldest by one minor version first",
            slug="istio-skew",
        )


def no_known_bug_is_met(topology: Topology) -> Iterator[Problem]:
    """Refuse what a version is known to break under."""
    for name in topology.clusters:
        if topology.is_remote(name):
            continue
        for bug, version in product(known_bugs.BUGS, dict.fromkeys(topology.versions_of(name).values())):
            if bug.concerns(version) and (told := bug.met(topology, name)):
                yield Problem(
                    where=told,
                    what=f"Istio {version} in {name}: {bug.what}",
                    why=f"{bug.why} ({bug.source})",
                    fix=f"upgrade {name} to {bug.fixed[versions.minor_of(version)]} first",
                    slug="istio-known-bug",
                )


def revisions_have_names(topology: Topology) -> Iterator[Problem]:
    """Refuse revisions and tags whose names can't be labels of namespaces, or are taken."""
    given = [("revisions", list(topology.revisions)), ("revision_tags", list(topology.revision_tags))]
    given += [(f"clusters.{name}.revision_tags", list(own.revision_tags)) for name, own in topology.clusters.items()]
    for where, found in given:
        for name in found:
            taken = where == "revisions" and name in names.NO_REVISIONS
            clash = where != "revisions" and name != DEFAULT_REVISION and name in topology.revisions
            if is_dns_label(name) and len(name) <= _LONGEST_REVISION and not taken and not clash:
                continue
            what = f"{name!r} is a revision, too" if clash else f"{name!r} cannot be the name of a revision or a tag"
            yield Problem(
                where=f"{where}.{name}",
                what=what,
                why=f"namespaces name it as {names.REVISION_LABEL}, and Services of istio-system end with it",
                fix="give the tag a name of its own, such as stable"
                if clash
                else f"use lower-case letters, digits and inner hyphens, at most {_LONGEST_REVISION} characters, not "
                f"{' or '.join(names.NO_REVISIONS)}, such as v1-31-1",
                slug="revisions",
            )


def tags_lead_to_revisions(topology: Topology) -> Iterator[Problem]:
    """Refuse tags of no revision, a mesh of which nobody could say who serves what names none, and two ways at once."""
    why = "a pod that names a tag, or nothing, gets its proxy of the istiod of the revision behind it"
    known = ", ".join(topology.revision_names)
    layers = [("revision_tags", topology.revision_tags)]
    layers += [(f"clusters.{name}.revision_tags", own.revision_tags) for name, own in topology.clusters.items()]
    for where, tags in layers:
        for tag, revision in tags.items():
            if revision not in topology.revision_names:
                what = f"{revision!r} is no revision of this mesh ({known})"
                fix = f"name one of {known}, or add it to revisions"
                yield Problem(where=f"{where}.{tag}", what=what, why=why, fix=fix, slug="revisions")
    if len(topology.revisions) > 1 and not {DEFAULT_REVISION} & {*topology.revisions, *topology.revision_tags}:
        what = "none of the revisions serves what names none, such as the mesh's gateways"
        fix = (
            f"call the one that runs without a revision {DEFAULT_REVISION}; in a new mesh, "
            f"revision_tags: {{default: {topology.revision_names[0]}}}"
        )
        yield Problem(where="revision_tags", what=what, why=why, fix=fix, slug="revisions")
    for name, own in topology.clusters.items():
        if own.revision_tags and topology.is_remote(name):
            yield Problem(
                where=f"clusters.{name}.revision_tags",
                what=f"{name} is served by the istiods of {topology.primary_of(name)}",
                why="a remote has the tags of its primary",
                fix=f"move them to clusters.{topology.primary_of(name)}.revision_tags",
                slug="revisions",
            )
        if own.istio_version is not None and topology.revisions:
            yield Problem(
                where=f"clusters.{name}.istio_version",
                what="there are revisions, and each has a version",
                why="a cluster takes another version when its tags lead to another revision",
                fix=f"remove clusters.{name}.istio_version; choose by clusters.{name}.revision_tags",
                slug="revisions",
            )


def a_fixed_address_is_of_one_istiod(topology: Topology) -> Iterator[Problem]:
    """Refuse one address for the load balancers of several istiods."""
    for name, own in topology.clusters.items():
        by_service = topology.remotes_of(name) and not topology.has_gateway(name)
        if len(topology.revision_names) > 1 and by_service and own.istiod_service.address is not None:
            yield Problem(
                where=f"clusters.{name}.istiod_service.address",
                what=f"remote clusters reach {len(topology.revision_names)} istiods of {name} at one address",
                why="the istiod of each revision has a load balancer of its own, on the same ports",
                fix=f"remove clusters.{name}.istiod_service.address while there are several revisions",
                slug="revisions",
            )


def waves_name_clusters(topology: Topology) -> Iterator[Problem]:
    """Refuse waves that name what is no cluster, one twice, or a remote before its primary."""
    wave_of: dict[str, int] = {}
    for number, wave in enumerate(topology.waves):
        for index, name in enumerate(wave):
            why = "each cluster is changed once, in the first wave that names it"
            if name not in topology.clusters:
                known = f"({', '.join(topology.clusters)}){near(name, topology.clusters)}"
                what, why = f"{name!r} is not a cluster of this mesh {known}", "a wave is of clusters of the list"
            elif name in wave_of:
                what = f"{name} is in two waves"
            else:
                wave_of[name] = number
                continue
            yield Problem(
                where=f"waves.{number}.{index}",
                what=what,
                why=why,
                fix=f"remove {name} from this wave",
                slug="waves",
            )
    last = len(topology.waves)
    for name in topology.clusters:
        primary = topology.primary_of(name)
        if wave_of.get(name, last) < wave_of.get(primary, last):
            yield Problem(
                where=f"waves.{wave_of[name]}",
                what=f"{name} comes before {primary}, whose istiod serves it",
                why="proxies may be older than their istiod, and never newer",
                fix=f"put {name} into the wave of {primary}, or a later one",
                slug="waves",
            )
    if topology.waves and topology.verify.level != "traffic":
        yield Problem(
            where="verify.level",
            what=f"there are waves, and pulumi up proves {'nothing' if topology.verify.level == 'off' else 'no calls'}",
            why="a wave is over when calls arrive as they did before it",
            fix="verify: {level: traffic}",
            slug="waves",
        )


def the_charts_are_there(topology: Topology) -> Iterator[Problem]:
    """Refuse a chart folder that lacks one of the charts; repositories are looked at by the provider."""
    if topology.chart_source is None:
        return
    if (place := charts.misread(topology.chart_source)) is not None:
        yield place
    else:
        for version in sorted(
            {version for name in topology.clusters for version in topology.versions_of(name).values()}
        ):
            yield from charts.chart_source_problems(topology.chart_source, version)


def images_lie_under_the_hub(topology: Topology) -> Iterator[Problem]:
    """Refuse a hub that no image can be named by: every pod would wait for its image for ever."""
    hub = topology.image_hub
    if hub is None or is_image_repository(hub):
        return
    bare = hub.rpartition("://")[2].strip("/").lower()
    # What has an "@" may be a password: it is in no message.
    meant = bare if is_image_repository(bare) else "registry.example/istio"
    yield Problem(
        where="image_hub",
        what="it is no registry and path, as images are named by: without a scheme, in lower case, with no '/' "
        "at the end, no tag and no user",
        why="Istio's images are <image_hub>/pilot:<version> and <image_hub>/proxyv2:<version>",
        fix=f"image_hub: {meant}",
        slug="image-hub",
    )


def pull_secrets_are_secrets(topology: Topology) -> Iterator[Problem]:
    """Refuse names that no Secret can have, that the mesh's own Secrets have, and that stand there twice."""
    listed = topology.image_pull_secrets
    for index, name in enumerate(listed):
        if not is_object_name(name):
            what = f"{name!r} is no name of a Secret: lower-case letters, digits, '-' and '.', at most 253 characters"
        elif name in listed[:index]:
            what = f"{name} stands there twice"
        elif name == names.CACERTS or name.startswith((names.READER_TOKEN, names.remote_secret(""))):
            what = f"{name} is a Secret of the mesh's own"
        else:
            continue
        yield Problem(
            where=f"image_pull_secrets.{index}",
            what=what,
            why="each pod lists these Secrets of its namespace, each once, and finds a registry's credentials in them",
            fix="image_pull_secrets: [registry]",
            slug="image-pull-secrets",
        )


def labels_of_probes_are_the_users(topology: Topology) -> Iterator[Problem]:
    """Refuse labels and annotations that Kubernetes would not take, and those by which the mesh and Istio work."""
    for kind, given in (("labels", topology.verify.labels), ("annotations", topology.verify.annotations)):
        for key, value in given.items():
            domain = key.rpartition("/")[0]
            if not is_label_key(key) or (kind == "labels" and not is_label_value(value)):
                what = f"Kubernetes takes no such {kind.removesuffix('s')}"
            elif key == "app" or domain in _RESERVED or domain.endswith(".istio.io"):
                what = "it decides what happens to probes and gates"
            else:
                continue
            yield Problem(
                where=f"verify.{kind}.{key}",
                what=what,
                why="Services select probes by labels, and labels and annotations say what is injected and awaited",
                fix=f"verify: {{{kind}: {{example.com/team: mesh}}}}",
                slug="verify-labels",
            )


_RESERVED = ("istio.io", "istio-mesh", "pulumi.com", "pod-security.kubernetes.io")


def the_trust_domain_is_a_host_name(topology: Topology) -> Iterator[Problem]:
    """Refuse a trust domain that is no lower-case host name; one that follows from the mesh ID is told of there."""
    if topology.trust_domain is None and not is_mesh_id(topology.mesh_id):
        return
    if not is_host_name(topology.identity_domain):
        yield Problem(
            where="trust_domain",
            what=f"{topology.identity_domain!r} is not a lower-case host name",
            why="it is the host of every SPIFFE identity, and certificate name constraints match host names only",
            fix=f"trust_domain: {topology.mesh_id}.internal",
            slug="trust-domain",
        )


def cluster_local_hosts_are_services(topology: Topology) -> Iterator[Problem]:
    """Refuse hosts that match no Service, or all of them."""
    for index, host in enumerate(topology.cluster_local):
        service, _, rest = host.partition(".")
        namespace, _, domain = rest.partition(".")
        if (service == "*" or is_dns_label(service)) and is_dns_label(namespace) and domain == "svc.cluster.local":
            continue
        yield Problem(
            where=f"cluster_local.{index}",
            what=f"{host!r} is no Service, and not all Services of a namespace",
            why="istiod compares it with full host names; one that matches nothing would keep nothing in its cluster, "
            "and a bare * would take calls to hosts outside the mesh with it (istio/istio#55798)",
            fix='cluster_local: ["metrics.monitoring.svc.cluster.local", "*.kube-public.svc.cluster.local"]',
            slug="cluster-local",
        )


def values_leave_the_wiring_alone(topology: Topology) -> Iterator[Problem]:
    """Refuse Helm values for charts that aren't installed, and values that would change the mesh's own wiring."""
    seen: set[tuple[str, str]] = set()
    for cluster, declared in topology.clusters.items():
        layers = (("values", topology.values), (f"clusters.{cluster}.values", declared.values))
        for where, layer in layers:
            for problem in _layer_problems(where, layer, topology, cluster):
                if (problem.where, problem.what) not in seen:
                    seen.add((problem.where, problem.what))
                    yield problem


def _layer_problems(
    where: str, layer: Mapping[str, Mapping[str, Any]], topology: Topology, cluster: str
) -> Iterator[Problem]:
    for chart, given in layer.items():
        if chart not in charts.CHARTS:
            yield Problem(
                where=f"{where}.{chart}",
                what=f"{chart!r} is not a chart of the mesh{near(chart, charts.CHARTS)}",
                why="values are given per chart",
                fix=f"use one of {', '.join(charts.CHARTS)}",
                slug="values-conflict",
            )
            continue
        for path, reason in values.conflicts(given, topology, cluster, chart):
            yield Problem(
                where=f"{where}.{chart}.{path}",
                what="this value would change the mesh's own wiring",
                why=reason,
                fix=f"remove {where}.{chart}.{path}; the mesh's own arguments decide it",
                slug="values-conflict",
            )


RULES = (
    the_versions_are_supported,
    versions_fit_together,
    no_known_bug_is_met,
    revisions_have_names,
    tags_lead_to_revisions,
    a_fixed_address_is_of_one_istiod,
    waves_name_clusters,
    the_charts_are_there,
    images_lie_under_the_hub,
    pull_secrets_are_secrets,
    labels_of_probes_are_the_users,
    the_trust_domain_is_a_host_name,
    cluster_local_hosts_are_services,
    values_leave_the_wiring_alone,
)
