"""The reference pages say what is, and their examples do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic.fields import FieldInfo

from pulumi_istio_mesh import Mesh
from pulumi_istio_mesh.checks.outcome import READS
from pulumi_istio_mesh.checks.registry import CHECKS
from pulumi_istio_mesh.gates.manifests import SCRIPT
from pulumi_istio_mesh.pictures.mermaid import mermaid
from pulumi_istio_mesh.plan.mesh_plan import plan_mesh
from pulumi_istio_mesh.topology import dialled, federation, gke, models
from pulumi_istio_mesh.topology.credentials import OF_A_CLUSTER
from pulumi_istio_mesh.topology.load import parse_links, parse_topology, read_mesh_file
from pulumi_istio_mesh.topology.problems import SLUGS, TopologyError

from .builders import mesh_tree, problems_of

ROOT = Path(__file__).parents[1]
CHECKS_PAGE = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
TOPOLOGY = (ROOT / "docs" / "topology.md").read_text(encoding="utf-8")

SEEN_IN_A_PROGRAM = {
    "late-value",
    "trust-given",
    "trust-mixed",
    "kubeconfig-missing",
    "kubeconfig-invalid",
    "gke-provider",
    "registry-credentials",
    "adopted-objects",
}
"""Checks that no file can show: they are about late values and credentials."""

BETWEEN_MESHES = {
    "link-meshes", "not-offered", "offer-shape", "offer-mesh", "offer-networks", "offer-gateways", "foreign-roots",
    "foreign-roots-unconstrained", "foreign-roots-same-name",
}  # fmt: skip
"""Checks that the file of one mesh can't show."""

BEFORE_THE_FILE = {"inputs-differ"}
"""Checks of what a mesh.yaml is translated from."""

PREFLIGHT = {
    "cluster-unreachable",
    "kubernetes-version",
    "clock-skew",
    "cluster-taken",
    "root-step",
    "istio-foreign",
    "revision-step",
    "revision-in-use",
    "revision-unknown",
    "existing-istiod",
    "existing-differs",
    "existing-root",
    "existing-parts",
    "adopted-fields",
    "crds-foreign",
    "helm-pending",
    "install-differs",
    "pod-cidr-differs",
    "load-balancer-pending",
    "pod-security",
    "istiod-authority",
}
"""Checks of live clusters that a program makes before anything in them changes."""

LIVE = [slug for slug in SLUGS if slug in CHECKS]


def sections(page: str, level: str) -> dict[str, str]:
    """The page's sections by their headings."""
    parts = re.split(rf"^{level} (.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def told(folder: Path, text: str) -> set[str]:
    """Slugs of the problems with a part of a mesh.yaml, laid over the usual mesh."""
    path = folder / "mesh.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        tree = read_mesh_file(path).meshes[""]
    except TopologyError as error:
        return {problem.slug for problem in error.problems}
    return {problem.slug for problem in problems_of(mesh_tree(**tree))}


def fences(section: str) -> list[str]:
    """The YAML examples of a section."""
    return re.findall(r"^```yaml\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)


# docs/checks.md


def test_every_slug_has_its_section_and_there_are_no_others() -> None:
    assert list(sections(CHECKS_PAGE, "##")) == list(SLUGS)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_section_begins_with_its_rule(slug: str) -> None:
    rule = SLUGS[slug]
    assert sections(CHECKS_PAGE, "##")[slug].startswith(f"\n\n**{rule[0].upper()}{rule[1:]}.**\n\n")


@pytest.mark.parametrize("slug", SLUGS)
def test_every_slug_is_used(slug: str) -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "pulumi_istio_mesh").rglob("*.py")
        if path.name != "problems.py"
    )
    assert f'"{slug}"' in source


@pytest.mark.parametrize(
    "slug", sorted(SLUGS.keys() - SEEN_IN_A_PROGRAM - BETWEEN_MESHES - BEFORE_THE_FILE - CHECKS.keys())
)
def test_the_examples_of_a_check_are_refused_for_it_and_allowed(slug: str, tmp_path: Path) -> None:
    refused, *allowed = fences(sections(CHECKS_PAGE, "##")[slug])
    assert slug in told(tmp_path, refused)
    assert allowed
    for example in allowed:
        assert told(tmp_path, example) == set()


def found_by(slug: str) -> str:
    """The places that look for it, as the page names them."""
    places = {
        "preflight": slug in PREFLIGHT,
        # Of another mesh: whether it answers must not decide whether this one is up.
        "up": not slug.startswith("import-") and re.search(rf'"{slug} \$(CLUSTER|pair)\b', SCRIPT),
        "verify": slug in READS,
    }
    return ", ".join(place for place, looks in places.items() if looks)


def explained_by(slug: str) -> str:
    """What follows from it, as the page lists it."""
    return ", ".join(follows for follows in SLUGS if follows in CHECKS[slug].explains)


def row(slug: str) -> str:
    """Its row in the table of live checks."""
    kind = "fatal" if CHECKS[slug].fatal else "warning"
    cells = [f"[{slug}](#{slug})", kind, found_by(slug), explained_by(slug)]
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def told_as(label: str, slug: str) -> str:
    """What a section says in its paragraph `<label>: ...`, however its lines are broken; empty where it has none."""
    found = re.findall(rf"^{label}: (.+?)\n\n", sections(CHECKS_PAGE, "##")[slug], flags=re.MULTILINE | re.DOTALL)
    assert len(found) <= 1
    return " ".join("".join(found).split())


def test_every_live_check_is_one_of_the_slugs_and_somebody_looks_for_it() -> None:
    assert set(LIVE) == set(CHECKS)
    assert [slug for slug in LIVE if not found_by(slug)] == []


def test_the_table_of_live_checks_is_the_registry() -> None:
    (table,) = re.findall(
        r"^<!-- live checks: begin -->\n(.*?)^<!-- live checks: end -->$", CHECKS_PAGE, flags=re.MULTILINE | re.DOTALL
    )
    head = ["| check | fatal or warning | found by | what follows from it |", "|---|---|---|---|"]
    assert table.splitlines() == [*head, *map(row, LIVE)]


@pytest.mark.parametrize("slug", LIVE)
def test_a_live_section_says_who_finds_it_and_what_follows_from_it(slug: str) -> None:
    assert told_as("Found by", slug) == found_by(slug)
    assert told_as("Explains", slug) == explained_by(slug)


@pytest.mark.parametrize("slug", LIVE)
def test_a_live_section_shows_how_to_see_it_and_how_to_repair_it(slug: str) -> None:
    section = sections(CHECKS_PAGE, "##")[slug]
    by_hand, repair = section.find("**See it by hand**"), section.find("**Repair**")
    assert 0 < by_hand < repair
    assert re.search(r"^```sh\n.+?^```$", section[by_hand:repair], flags=re.MULTILINE | re.DOTALL)
    assert section[repair:].strip() != "**Repair**"
    assert fences(section) == []


# docs/topology.md

TABLES: dict[str, dict[str, FieldInfo]] = {
    "Mesh": dict(models.Topology.model_fields),
    "Cluster": dict(models.Cluster.model_fields),
    "Revision": dict(models.Revision.model_fields),
    "Dialled service": dict(dialled.DialledService.model_fields),
    "East-west gateway": dict(dialled.EastWestGateway.model_fields),
    "Gateway port": dict(dialled.GatewayPort.model_fields),
    "Federation gateway": dict(dialled.FederationGateway.model_fields),
    "Export": dict(federation.Export.model_fields),
    "Peer": dict(federation.Peer.model_fields),
    "Import": dict(federation.Import.model_fields),
    "Fallback": dict(federation.Fallback.model_fields),
    "Link": dict(federation.Link.model_fields),
    "GKE network": dict(gke.GkeNetwork.model_fields),
    "GKE cluster": dict(gke.GkeCluster.model_fields),
    "GKE ranges": dict(gke.GkeRanges.model_fields),
    "GKE node pool": dict(gke.GkeNodePool.model_fields),
    "GKE taint": dict(gke.GkeTaint.model_fields),
    "GKE control plane": dict(gke.GkeControlPlane.model_fields),
    "GKE maintenance": dict(gke.GkeMaintenance.model_fields),
    "Verify": dict(models.Verify.model_fields),
    "Trust": dict(models.Trust.model_fields),
    "Root": dict(models.Root.model_fields),
    "Intermediates": dict(models.Intermediates.model_fields),
}


def made(inner: str) -> str:
    """A GKE cluster in a tree that is formatted once more."""
    return "{{clusters: {{east: {{gke: {{region: europe-west1, " + inner + "}}}}}}}}"


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of a section's tables by their keys: type, default, meaning, example."""
    section = sections(TOPOLOGY, "##+")[heading]
    found = [re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines() if line.startswith("| `")]
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]] for cells in found}


@pytest.mark.parametrize("heading", TABLES)
def test_every_fact_is_documented_and_nothing_else_is(heading: str) -> None:
    only_in_programs = {"Cluster": set(OF_A_CLUSTER), "Peer": {"offer"}}.get(heading, set())
    assert set(rows(heading)) == set(TABLES[heading]) | only_in_programs


@pytest.mark.parametrize("heading", TABLES)
def test_every_default_is_the_documented_one(heading: str) -> None:
    for key, field in TABLES[heading].items():
        default = rows(heading)[key][1]
        if field.is_required():
            assert default == "required" or key == "mesh_id", key
        elif isinstance(field.default, (bool, int, str)):
            assert default == f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`", (
                key
            )
        else:
            assert default and default != "required", key


@pytest.mark.parametrize("heading", TABLES)
def test_every_example_is_yaml_that_the_key_takes(heading: str) -> None:
    where = {
        "Mesh": "{{{}}}",
        "Cluster": "{{clusters: {{east: {{{}}}, west: {{}}}}}}",
        "Revision": "{{revisions: {{a: {{{}}}}}}}",
        "Dialled service": "{{clusters: {{east: {{istiod_service: {{{}}}}}, west: {{}}}}}}",
        "East-west gateway": "{{clusters: {{east: {{east_west_gateway: {{{}}}}}, west: {{}}}}}}",
        "Gateway port": "{{clusters: {{east: {{east_west_gateway: {{ports: [{{name: a, port: 1, {}}}]}}}}}}}}",
        "Federation gateway": "{{clusters: {{east: {{federation_gateway: {{{}}}}}, west: {{}}}}}}",
        "Export": "{{exports: {{a.b: {{ports: {{http: 80}}, accounts: [a], {}}}}}}}",
        "Peer": "{{peers: {{shop: {{{}}}}}}}",
        "Import": "{{peers: {{shop: {{imports: {{a.b: {{ports: {{http: 80}}, namespaces: [a], {}}}}}}}}}}}",
        "Fallback": "{{peers: {{shop: {{imports: {{a.b: {{ports: {{http: 80}}, namespaces: [a], "
        "fallback: {{service: a.b, accounts: [a], {}}}}}}}}}}}}}",
        "Verify": "{{verify: {{{}}}}}",
        "Trust": "{{trust: {{roots: [{{issued: '2026-11-23'}}], {}}}}}",
        "Root": "{{trust: {{roots: [{{issued: '2026-11-23', {}}}]}}}}",
        "Intermediates": "{{trust: {{roots: [{{issued: '2026-11-23'}}], intermediates: {{{}}}}}}}",
        "Link": "",
        "GKE network": "{{gke_networks: {{vpc: {{project: acme-prod, {}}}}}}}",
        "GKE cluster": made("{}"),
        "GKE ranges": made(
            "ranges: {{nodes: 10.0.0.0/24, pods: 10.4.0.0/16, services: 10.5.0.0/20, control_plane: 172.16.0.0/28, {}}}"
        ),
        "GKE node pool": made("node_pools: {{all: {{{}}}}}"),
        "GKE taint": made("node_pools: {{all: {{taints: [{{key: a, {}}}]}}}}"),
        "GKE control plane": made("control_plane: {{{}}}"),
        "GKE maintenance": made(
            "maintenance: {{start_time: '2026-01-03T02:00:00Z', end_time: '2026-01-03T10:00:00Z', {}}}"
        ),
    }[heading]
    for key in TABLES[heading]:
        example = rows(heading)[key][3].strip("`")
        if heading == "Link":
            link = {"exporter": "a", "importer": "b", "service": "c.d", **yaml.safe_load(f"{{{key}: {example}}}")}
            assert parse_links([link])
            continue
        tree = yaml.safe_load(where.format(f"{key}: {example}"))
        slugs = {problem.slug for problem in problems_of(mesh_tree(**tree))}
        assert not slugs & {"topology-shape", "unknown-key", "missing-key", "values-conflict"}, (key, slugs)


def test_the_files_at_the_top_of_the_page_can_be_built(tmp_path: Path) -> None:
    one, several = fences(TOPOLOGY)
    assert told(tmp_path, one) == set()
    (tmp_path / "several.yaml").write_text(several, encoding="utf-8")
    for tree in read_mesh_file(tmp_path / "several.yaml").meshes.values():
        assert problems_of(tree) == []


def test_every_output_is_documented_and_nothing_else_is() -> None:
    names = re.findall(r"^\| `(\w+)` \|", sections(TOPOLOGY, "##")["Outputs"], flags=re.MULTILINE)
    assert names == list(Mesh.__annotations__)


# Pictures

PICTURED = [
    "README.md",
    "examples/flat-onprem/README.md",
    "examples/gitops/README.md",
    "examples/mixed/README.md",
    "examples/gke-flat/README.md",
    "examples/gke-with-onprem/README.md",
    "examples/two-meshes-one-program/README.md",
    "docs/federation.md",
]


@pytest.mark.parametrize("page", PICTURED)
def test_a_picture_is_the_plan_of_the_mesh_beside_it(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    beside = (ROOT / page).with_name("mesh.yaml")
    if not beside.exists():
        beside = tmp_path / "mesh.yaml"
        beside.write_text(fences(text)[0], encoding="utf-8")
    plans = [plan_mesh(parse_topology(tree)) for tree in read_mesh_file(beside).meshes.values()]
    (picture,) = re.findall(r"^```mermaid\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert picture == mermaid(*plans)


# Links


@pytest.mark.parametrize("page", ["checks.md", "topology.md", "operations.md", "federation.md"])
def test_every_link_to_another_page_has_its_target(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = ROOT / "docs" / (name or page)
        assert path.exists(), target
        headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert not anchor or anchor in {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}, (
            target
        )
