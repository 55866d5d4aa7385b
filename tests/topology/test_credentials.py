"""What is taken for a credential wherever a plain fact stands, what isn't, and that none of it is repeated.

Each value is planted where a fact can bring it; through the loader, as files, programs and parts take it.
"""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from typing_extensions import is_typeddict

from pulumi_istio_mesh import cli
from pulumi_istio_mesh.components import arguments as mesh_arguments
from pulumi_istio_mesh.parts import arguments as parts_arguments
from pulumi_istio_mesh.topology.credentials import GIVEN, OF_A_CLUSTER, OF_A_MESH, credential_in
from pulumi_istio_mesh.topology.load import load_mesh, parse_links, parse_topology, read_mesh_file
from pulumi_istio_mesh.topology.problems import Problem, TopologyError

from ..builders import CA, mesh_tree, problems_of

PASSWORD = "not-a-real-password"
KEY = "-----BEGIN EC PRIVATE KEY-----\nnot-a-real-key\n-----END EC PRIVATE KEY-----\n"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"
HEX = "9f86d081884c7d659a2feaa0c55ad015"


def at(path: str, value: Any, **mesh: Any) -> dict[str, Any]:
    """The usual mesh with a fact at a path."""
    tree: dict[str, Any] = json.loads(json.dumps(mesh_tree(**mesh)))
    *parents, leaf = path.split("/")
    here = tree
    for part in parents:
        here = here.setdefault(part, {})
    here[leaf] = value
    return tree


CREDENTIALS: dict[str, tuple[str, Any]] = {
    "charts behind a password": ("chart_source", f"https://robot:{PASSWORD}@charts.example/istio"),
    "charts behind a password with a slash": ("chart_source", f"https://robot:a/{PASSWORD}@charts.example/istio"),
    "charts behind a token as a user": ("chart_source", f"https://{PASSWORD}@charts.example"),
    "charts of a registry with a password": ("chart_source", f"oci://robot:{PASSWORD}@registry.example/charts"),
    "charts with a password and no scheme": ("chart_source", f"robot:{PASSWORD}@registry.example/charts"),
    "charts by an upper-case scheme": ("chart_source", f"HTTPS://robot:{PASSWORD}@charts.example"),
    "charts by git": ("chart_source", f"git+https://robot:{PASSWORD}@git.example/charts"),
    "charts with a token": ("chart_source", f"https://charts.example/istio?token={PASSWORD}"),
    "charts with a signature of another name": ("chart_source", f"https://charts.example/istio?x={PASSWORD}"),
    "charts with a fragment": ("chart_source", f"https://charts.example/istio#{PASSWORD}"),
    "a hub with a password": ("image_hub", f"robot:{PASSWORD}@registry.example/istio"),
    "gates' image with a password": ("verify/image", f"robot:{PASSWORD}@registry.example/gate:1"),
    "gates' image by digest with a password": (
        "verify/image", f"robot:{PASSWORD}@registry.example/gate@sha256:{'0' * 64}",
    ),
    "gates' image by a URL": ("verify/image", f"https://robot:{PASSWORD}@registry.example/gate:1"),
    "a hub in Helm values": ("values/istiod/global/hub", f"robot:{PASSWORD}@registry.example/istio"),
    "an image in Helm values": ("clusters/east/values/istiod/image", f"robot:{PASSWORD}@registry.example/pilot:1"),
    "a proxy with a password in Helm values": (
        "values/istiod/env/HTTPS_PROXY", f"http://robot:{PASSWORD}@proxy.example:3128",
    ),
    "a key in Helm values": ("values/istiod/pilot", {"a": [{"b": KEY}]}),
    "a key in base64 in Helm values": ("values/istiod/pilot/a", base64.b64encode(KEY.encode()).decode()),
    "an API server with a token": ("clusters/east/api_server", f"https://east.example/k8s/{JWT}"),
    "an API server with a hexadecimal token": ("clusters/east/api_server", f"https://east.example/k8s/{HEX}"),
    "an API server with a bootstrap token": ("clusters/east/api_server", "https://a.example/abcdef.0123456789abcdef"),
    "an API server with a password": ("clusters/east/api_server", f"https://admin:{PASSWORD}@192.0.2.9"),
    "an API server with a query": ("clusters/east/api_server", f"https://192.0.2.9/?access_token={PASSWORD}"),
    "a name in a certificate": ("clusters/east/api_server_tls_name", KEY),
    "a gateway's address": ("clusters/east/east_west_gateway/address", f"https://a:{PASSWORD}@gateway.example"),
    "a gateway's annotation": ("clusters/east/east_west_gateway/annotations/example.com~1key", KEY),
    "a gateway's class": ("clusters/east/istiod_service/load_balancer_class", JWT),
    "an annotation of gates": ("verify/annotations/team", "ghp_0123456789abcdef0123"),
    "a range": ("clusters/east/pod_cidr", f"https://a:{PASSWORD}@ranges.example"),
    "a network": ("clusters/east/network", "glpat-0123456789abcdef0123"),
    "a trust domain": ("trust_domain", f"spiffe://a:{PASSWORD}@corp.example"),
    "a VPC": ("gke_networks", {"vpc": {"project": "acme-prod", "vpc": KEY}}),
    "a GKE label": ("clusters/east/gke", {"region": "europe-west1", "labels": {"a": "AKIAABCDEFGHIJKLMNOP"}}),
    "a name of an import": (
        "peers", {"shop": {"imports": {"a.b": {"ports": {"http": 80}, "namespaces": ["a"], "host": KEY}}}},
    ),
    "a folder": ("render_to", f"https://a:{PASSWORD}@files.example"),
    "a key of a mapping": ("clusters", {"east": {}, KEY: {}}),
    "a fact that nobody knows": ("clusters/east/passwrod", KEY),
}  # fmt: skip

HARMLESS: dict[str, tuple[str, Any]] = {
    "charts of a registry": ("chart_source", "oci://registry.example:5000/charts"),
    "charts of a repository with a port and a scope": ("chart_source", "https://charts.example:8443/@scope/istio"),
    "gates' image by digest": ("verify/image", f"registry.example:5000/gate:1@sha256:{'0' * 64}"),
    "an image by digest in Helm values": ("values/istiod/image", f"registry.example/pilot@sha256:{'1' * 64}"),
    "a hub with a port": ("image_hub", "registry.example:5000/istio"),
    "a certificate in Helm values": ("values/istiod/env/CA", CA),
    "a certificate in base64": ("values/istiod/env/CA", base64.b64encode(CA.encode()).decode()),
    "a proxy without a password in Helm values": ("values/istiod/env/HTTPS_PROXY", "http://proxy.example:3128"),
    "a placeholder in a query": ("values/istiod/env/URL", "https://a.example/?token=$(TOKEN)"),
    "a mail address": ("verify/annotations/owner", "mesh-team@corp.example"),
    "a URL with a query": ("verify/annotations/docs", "https://docs.example/mesh?page=2&view=all"),
    "a name that begins like a token": ("clusters/east/network", "sk-production-europe"),
    "the connect gateway of GKE": (
        "clusters/east/api_server",
        "https://connectgateway.googleapis.com/v1/projects/123456789012/locations/global/gkeMemberships/east-1",
    ),
    "a cluster behind Rancher": ("clusters/east/api_server", "https://rancher.example/k8s/clusters/c-m-abcdefgh"),
    "a cluster with a UUID": (
        "clusters/east/api_server", "https://proxy.example/k8s/0b7a3c7e-8f0e-4a5e-9d7e-1f2a3b4c5d6e",
    ),
    "a cluster of EKS": (
        "clusters/east/api_server", "https://ABCDEF0123456789ABCDEF0123456789.gr7.eu-west-1.eks.amazonaws.com",
    ),
}  # fmt: skip

FORMS = {
    "a header with a token": "Authorization: Bearer 0123456789abcdef0123",
    "a header with a name and a password": f"authorization: basic {base64.b64encode(b'robot:not-a-real').decode()}",
    "a header of another scheme": "Api-Token dt0c01.ABCDEFGHIJKLMNOPQRSTUVWX",
    "a certificate and its key in base64": base64.b64encode((CA + KEY).encode()).decode(),
    "a fragment": "https://a.example/#access_token=abcdef",
    "a parameter with a hyphen": "https://a.example/?api-key=abcdef",
    "a connection string": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={'A' * 86}==",
    "a passing key of a cloud": "ASIAABCDEFGHIJKLMNOP",
    "a token of npm": f"npm_{'a' * 36}",
    "a token of Docker": "dckr_pat_0123456789abcdefghijklmnopq",
    "a token of Pulumi": f"pul-{'0' * 40}",
    "a token of NATS": "nats://0123456789abcdef@nats.example:4222",
}
LOOKALIKES = (
    "https://a.example/?auth=none",
    "https://a.example/?auth=disabled&page=2",
    "https://grafana.example/d/mesh?var-token=All",
    "http://[::1]:15000/@x",
    "nats://nats.example:4222",
    "Basic authentication-and-authorization is done by the ingress",
    "Bearer %REQ(authorization)%",
    "AccountKey=$(ACCOUNT_KEY)",
    base64.b64encode((CA + CA).encode()).decode(),
)


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_each_form_of_a_credential_is_known_in_any_fact(text: str) -> None:
    assert credential_in("", text)


@pytest.mark.parametrize("text", LOOKALIKES)
def test_what_has_nearly_such_a_form_is_none(text: str) -> None:
    assert credential_in("", text) == ""


SAID = ("not-a-real", JWT, HEX, "abcdef.0123", "ghp_", "glpat-", "AKIA")


def credentials(tree: dict[str, Any]) -> list[Problem]:
    return [problem for problem in problems_of(tree) if problem.slug == "credential-in-fact"]


@pytest.mark.parametrize(("path", "value"), CREDENTIALS.values(), ids=CREDENTIALS)
def test_a_credential_in_a_fact_is_refused_at_its_place_and_never_repeated(path: str, value: Any) -> None:
    tree = at(path, value)
    (problem,) = credentials(tree)
    assert problem.where.startswith(path.replace("/", "."))
    said = repr(problems_of(tree))
    assert not [word for word in SAID if word in said]


@pytest.mark.parametrize(("path", "value"), HARMLESS.values(), ids=HARMLESS)
def test_what_only_resembles_one_is_allowed(path: str, value: Any) -> None:
    assert problems_of(at(path, value)) == []


def test_all_of_them_are_told_at_once_with_all_that_is_misshapen() -> None:
    tree = at("verify/image", f"robot:{PASSWORD}@a/b", chart_source=f"https://a:{PASSWORD}@b", mtls="strickt")
    tree["clusters"]["east"] = {"pod_cidr": f"https://a:{PASSWORD}@b", "netwrok": 1}
    assert {(problem.slug, problem.where) for problem in problems_of(tree)} == {
        ("credential-in-fact", "verify.image"),
        ("credential-in-fact", "chart_source"),
        ("credential-in-fact", "clusters.east.pod_cidr"),
        ("topology-shape", "mtls"),
        ("unknown-key", "clusters.east.netwrok"),
    }


def test_links_are_judged_as_well() -> None:
    link = {"exporter": "a", "importer": "b", "service": "c.d", "host": f"https://a:{PASSWORD}@b"}
    with pytest.raises(TopologyError) as refused:
        parse_links([link])
    assert [problem.where for problem in refused.value.problems] == ["links.0.host"]
    assert PASSWORD not in str(refused.value)


def test_a_mesh_of_any_depth_can_be_judged() -> None:
    deep: Any = KEY
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(TopologyError, match="a private key"):
        parse_topology(mesh_tree(values=1, verify=deep))


@pytest.mark.parametrize("command", [["check"], ["images"], ["plan"], ["diff", "FILE"]])
@pytest.mark.parametrize("name", ["charts behind a password", "charts with a token", "gates' image with a password"])
def test_no_command_prints_it(command: list[str], name: str, tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text(json.dumps(at(*CREDENTIALS[name])))
    place = str(tmp_path / "mesh.yaml")
    done = CliRunner().invoke(cli.main, [*(place if word == "FILE" else word for word in command), place])
    assert done.exit_code == 1
    assert "docs/checks.md#credential-in-fact" in done.output
    assert PASSWORD not in done.output


@pytest.mark.parametrize("text", ["", "east", "10.8.0.0/14", CA, "a@b", "https://a.example/x", "a:b", "?", "://", "@"])
@pytest.mark.parametrize("key", ["", "annotations", "chart_source"])
def test_plain_words_are_no_credentials(key: str, text: str) -> None:
    assert credential_in(key, text) == ""


@pytest.mark.parametrize(
    "piece", ["://a:", "eyJ-", "-----BEGIN A", "https://a", "@a:0", "?a.", "LS0tLS1CRUdJTiAA", "/a1"]
)
@pytest.mark.parametrize("key", ["", "image", "chart_source", "api_server"])
def test_a_long_text_is_judged_in_no_time(key: str, piece: str) -> None:
    started = time.process_time()
    credential_in(key, piece * 20_000)
    assert time.process_time() - started < 10


# Keys that hold credentials

IN_A_FILE = {**dict.fromkeys(GIVEN, "clusters.east."), OF_A_MESH: ""}


@pytest.mark.parametrize("key", GIVEN)
def test_an_argument_of_programs_that_holds_a_credential_stands_in_no_file(key: str) -> None:
    where = f"{IN_A_FILE[key]}{key}"
    (problem,) = problems_of(at(where.replace(".", "/"), PASSWORD))
    assert (problem.slug, problem.where) == ("unknown-key", where)
    assert problem.what == f"{key} does not belong into the file"
    assert problem.why.startswith("it holds credentials")
    assert problem.fix == f"remove it, and give it to the program: {GIVEN[key]}"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("reader_credentials", "reader_credential"), ("kube_config", "kubeconfig"), ("cacert", "cacerts")],
)
def test_one_that_is_nearly_named_is_told_the_same(typed: str, meant: str) -> None:
    (problem,) = problems_of(at(f"clusters/east/{typed}", PASSWORD))
    assert f"did you mean {meant!r}, which does not belong into the file?" in problem.what
    assert problem.fix.endswith(GIVEN[meant])


def test_a_fact_that_is_nearly_named_is_still_asked_for() -> None:
    (problem,) = problems_of(at("clusters/east/reader_tokens", "b"))
    assert "did you mean 'reader_token'?" in problem.what


FACTS = [
    "mesh_id", "mtls", "install", "waves", "trust/kind", "trust/roots", "trust/intermediates/issued", "verify/level",
    "clusters/east/pod_cidr", "clusters/east/service_cidr", "clusters/east/crds",
    "clusters/east/east_west_gateway/source_ranges", "clusters/east/gke/control_plane/authorized/office",
    "gke_networks/gcp/supernet",
]  # fmt: skip


@pytest.mark.parametrize("path", FACTS)
@pytest.mark.parametrize(
    "value", ["w0rd" * 20, "w0rd\a", "ghp_w0rdw0rdw0rdw0rdw0rd", ["w0rd" * 20], "fe80::%" + "w0rd" * 20]
)
def test_a_value_of_another_form_is_repeated_where_it_is_short_and_readable_only(path: str, value: Any) -> None:
    told = str(TopologyError([one for one in problems_of(at(path, value)) if one.slug == "topology-shape"]))
    assert "w0rd" not in told


def test_a_short_one_is_repeated() -> None:
    (problem,) = problems_of(at("clusters/east/pod_cidr", "10.8.0.0/33"))
    assert problem.what == "'10.8.0.0/33' is not an address range such as 10.8.0.0/14"


@pytest.mark.parametrize(
    "text",
    [
        "KEY: 1\nKEY: 2\n",
        "a: {KEY: {b: !x 1}}\n",
        "a: !KEY 1\n",
        "meshes: {a: {clusters: {}}}\nKEY: 1\n",
        "clusters: {east: {KEY: 1}}\n",
        "clusters: {east: {KEY: {a: 0644}}}\n",
    ],
)
def test_a_key_or_tag_that_is_one_is_not_repeated(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text(text.replace("KEY", "ghp_0123456789abcdef0123"))
    with pytest.raises(TopologyError) as caught:
        read_mesh_file(path).topologies()[1] and load_mesh(path)
    assert "ghp_" not in str(caught.value).replace(str(path), "")


PUBLIC = {
    "address", "api_server", "gateway_address", "istiod_address", "root_certs", "offer", "after", "annotations", "vpc",
}  # fmt: skip
"""Arguments that may be late because they are known late, and not because they are credentials."""


def test_every_argument_that_may_be_late_is_public_or_on_the_list() -> None:
    """So that a new credential of any component is known to all doors."""
    shapes = [shape for module in (mesh_arguments, parts_arguments) for shape in vars(module).values()]
    late = {
        key
        for shape in filter(is_typeddict, shapes)
        for key, kind in shape.__annotations__.items()
        # As `pulumi.Input` is made.
        if "Output" in repr(kind)
    }
    assert late - PUBLIC == GIVEN.keys() | {"cacerts"}
    assert {*OF_A_CLUSTER, OF_A_MESH} <= GIVEN.keys()
