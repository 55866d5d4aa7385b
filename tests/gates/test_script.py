"""The gates' script, run by this machine's shell with a curl and a getent that say what a cluster's would."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from pulumi_istio_mesh.checks.report import findings_in
from pulumi_istio_mesh.gates.expectations import Target, api_server_line, import_lines
from pulumi_istio_mesh.gates.manifests import SCRIPT
from pulumi_istio_mesh.topology.load import parse_topology

from ..builders import mesh_tree

ME = "spiffe://mesh.internal/ns/istio-mesh-verify/sa/probe"
HOST = "probe-c2.istio-mesh-verify.svc.cluster.local"
XFCC = f'By={ME};Hash=0;Subject="";URI={ME}'
SYNCED = 'istiod_remote_cluster_sync_status{cluster="c2",cluster_type="remote",status="synced"} 1\n'
TIMED_OUT = 'istiod_remote_cluster_sync_status{cluster="c2",cluster_type="remote",status="timeout"} 1\n'
STRANGER = 'istiod_remote_cluster_sync_status{cluster="c9",cluster_type="remote",status="synced"} 1\n'

CURL = """#!/bin/sh
for last; do :; done
while [ $# -gt 0 ]; do
  case $1 in
    --output) body=$2 ;;
    --dump-header) headers=$2 ;;
    --write-out) shape=$2 ;;
  esac
  shift
done
case $last in
  http://localhost:15000/clusters) cat "$FAKE/clusters"; exit 0 ;;
  http://localhost:15000/config_dump*) cat "$FAKE/config-dump"; exit 0 ;;
  http://*:15014/metrics) cat "$FAKE/metrics" >"$body"; exit 0 ;;
  https://*:15443/) exit "$(cat "$FAKE/gateway")" ;;
  https://*/readyz) exit "$(cat "$FAKE/api-server")" ;;
  http://probe-*)
    cat "$FAKE/body" >"$body"; cat "$FAKE/headers" >"$headers"; cat "$FAKE/status"; exit "$(cat "$FAKE/call")" ;;
  *) cat "$FAKE/plaintext"; exit 0 ;;
esac
"""
GETENT = """#!/bin/sh
case $2 in
  istiod-replicas*) cat "$FAKE/replicas" ;;
  *) echo "$2 STREAM $2" ;;
esac
"""
OPENSSL = """#!/bin/sh
cat "$FAKE/openssl-says"
"""

WELL = {
    "clusters": f"outbound|80||{HOST}::10.0.0.9:15443::health_flags::healthy\n",
    "metrics": SYNCED,
    "gateway": "35",
    "api-server": "0",
    "body": "",
    "headers": f"HTTP/1.1 200 OK\r\nx-mesh-cluster: c2\r\nx-mesh-certificate: {XFCC}\r\n",
    "status": "200",
    "call": "0",
    "plaintext": "000",
    "replicas": "10.1.0.4 STREAM istiod\n10.1.0.4 DGRAM\n",
    "config-dump": '  "name": "ROOTCA",\n  "trusted_ca": {\n   "inline_bytes": "cm9vdHM="\n',
    "openssl-says": "    Verify return code: 0 (ok)\n",
}
FULL = {
    "CLUSTER": "c1", "SECONDS_AT_MOST": "0", "REMOTES": "c2", "IDENTITY": ME, "PLAINTEXT": "refused",
    "TARGET_0": f"c2|{HOST}|gateway|10.0.0.9", "API_SERVER_0": "c2|https://10.0.0.2:6443||",
}  # fmt: skip


@pytest.fixture
def script(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A function that runs the script in a cluster of which some things are not well; returns (exit code, findings)."""
    for name, text in (("curl", CURL), ("getent", GETENT), ("openssl", OPENSSL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    def run(environment: dict[str, str] | None = None, **seen: str) -> tuple[int, list[str]]:
        for name, text in {**WELL, **{name.replace("_", "-"): text for name, text in seen.items()}}.items():
            (tmp_path / name).write_text(text)
        variables = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "FAKE": str(tmp_path)}
        variables |= {"LAST_WORDS": str(tmp_path / "last-words"), **(environment or FULL)}
        done = subprocess.run(
            ["sh", "-c", SCRIPT], env=variables, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stderr == ""
        found = findings_in(done.stdout)
        assert len(found) == (0 if done.returncode == 0 else len(done.stdout.splitlines()))
        return done.returncode, [f"{finding.slug} {finding.where}" for finding in found]

    return run


def test_the_script_is_one_that_a_plain_shell_reads() -> None:
    done = subprocess.run(["sh", "-n"], input=SCRIPT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_line_that_the_script_can_say_is_one_that_is_read() -> None:
    said = re.findall(r'say "([a-z-]+ .*? seen=)', SCRIPT)
    assert len(said) == len(re.findall(r'say "[a-z]', SCRIPT)) > 20
    for line in said:
        found = findings_in(re.sub(r"\$\w+", "c1", line) + "this")
        assert [finding.slug for finding in found] == [line.split()[0]], line


def test_a_mesh_that_works_passes(script) -> None:  # type: ignore[no-untyped-def]
    assert script() == (0, [])


FLAT = f"outbound|80||{HOST}::10.2.0.7:8080::health_flags::healthy\n"
BROKEN: dict[str, tuple[dict[str, str], str]] = {
    "the name is unknown": ({"call": "6", "status": "000"}, "service-unknown"),
    "no route": ({"status": "404"}, "service-unknown"),
    "no endpoints": ({"status": "503", "body": "no healthy upstream"}, "no-endpoints"),
    "another root": (
        {"status": "503", "body": "upstream connect error or disconnect/reset before headers. retried and the latest "
         "reset reason: remote connection failure, transport failure reason: TLS_error:|268435581:SSL routines:"
         "OPENSSL_internal:CERTIFICATE_VERIFY_FAILED"},
        "certificate-refused",
    ),
    "TLS ended before the gateway": (
        {"status": "503", "body": "TLS_error CERTIFICATE_VERIFY_FAILED", "gateway": "0"}, "gateway-tls-ended",
    ),
    "the gateway refuses": ({"status": "503", "body": "connection failure", "gateway": "7"}, "gateway-unreachable"),
    "the gateway says nothing": ({"call": "28", "status": "000", "gateway": "28"}, "gateway-unreachable"),
    "another root behind the gateway": (
        {"status": "503", "body": "connection termination",
         "openssl_says": "    Verify return code: 19 (self-signed certificate in certificate chain)\n"},
        "certificate-refused",
    ),
    "the gateway closes": ({"status": "503", "body": "connection termination"}, "call-broken"),
    "no certificate": ({"headers": "x-mesh-cluster: c2\r\nx-mesh-certificate: \r\n"}, "mtls-missing"),
    "another identity": (
        {"headers": f"x-mesh-cluster: c2\r\nx-mesh-certificate: By=spiffe://x/ns/a/sa/b;URI={ME}\r\n"},
        "identity-differs",
    ),
    "somebody else answers": (
        {"headers": f"x-mesh-cluster: c3\r\nx-mesh-certificate: {XFCC}\r\n"}, "call-broken",
    ),
    "forbidden": ({"status": "403", "body": "RBAC: access denied"}, "call-forbidden"),
    "a pod's address": ({"clusters": FLAT}, "raw-pod-address"),
    "plaintext is answered": ({"plaintext": "200"}, "plaintext-answered"),
    "istiod does not know it": ({"metrics": ""}, "istiod-not-synced"),
    "the API server does not answer": ({"api_server": "28"}, "api-server-unreachable"),
    "the API server is somebody else": ({"api_server": "60"}, "api-server-untrusted"),
}  # fmt: skip


@pytest.mark.parametrize("breakage", BROKEN)
def test_what_does_not_work_gets_its_own_slug(script, breakage: str) -> None:  # type: ignore[no-untyped-def]
    seen, slug = BROKEN[breakage]
    assert script(**seen) == (1, [f"{slug} c1 to c2"])


def test_an_ipv6_gateway_is_known_by_its_address(script) -> None:  # type: ignore[no-untyped-def]
    six = {**FULL, "TARGET_0": f"c2|{HOST}|gateway|2001:db8::9"}
    endpoint = f"outbound|80||{HOST}::[2001:db8::9]:15443::health_flags::healthy\n"
    assert script(six, clusters=endpoint) == (0, [])
    refused = {"status": "503", "body": "connection failure", "gateway": "7"}
    assert script(six, clusters=endpoint, **refused) == (1, ["gateway-unreachable c1 to c2"])


def test_a_flat_network_without_a_route_is_named(script) -> None:  # type: ignore[no-untyped-def]
    flat = {**FULL, "TARGET_0": f"c2|{HOST}|direct|"}
    assert script(flat, clusters=FLAT) == (0, [])
    found = script(flat, clusters=FLAT, call="28", status="000")
    assert found == (1, ["pods-unreachable c1 to c2"])


def test_clusters_on_one_network_that_go_through_a_gateway_are_named(script) -> None:  # type: ignore[no-untyped-def]
    assert script({**FULL, "TARGET_0": f"c2|{HOST}|direct|"}) == (1, ["path-differs c1 to c2"])


def test_a_gateway_that_has_no_address_means_raw_addresses(script) -> None:  # type: ignore[no-untyped-def]
    assert script({**FULL, "TARGET_0": f"c2|{HOST}|gateway|"}, clusters=FLAT) == (1, ["raw-pod-address c1 to c2"])


def test_a_cluster_that_no_istiod_should_read_is_named(script) -> None:  # type: ignore[no-untyped-def]
    assert script(metrics=SYNCED + STRANGER) == (1, ["istiod-reads-stranger c1 to c9"])


def test_a_cluster_that_leaves_may_still_be_read_and_one_that_is_evicted_may_not(script) -> None:  # type: ignore[no-untyped-def]
    """What leaves the program is deleted last; what is evicted is gone before the gate looks."""
    leaving = {**FULL, "LEAVING": "clusters may still be read"}
    assert script(leaving, metrics=SYNCED + STRANGER) == (0, [])
    evicted = {**leaving, "EVICTED_0": "c9|probe-c9.istio-mesh-verify.svc.cluster.local"}
    assert script(evicted) == (0, [])
    assert script(evicted, metrics=SYNCED + STRANGER) == (1, ["istiod-reads-stranger c1 to c9"])


def test_a_credential_that_was_replaced_counts_as_synced_and_one_that_was_taken_away_does_not(script) -> None:  # type: ignore[no-untyped-def]
    """istiod notes the end of the old client last."""
    closed = SYNCED.replace("synced", "closed")
    managed = 'istiod_managed_clusters{cluster_type="local"} 1\nistiod_managed_clusters{cluster_type="remote"} %d\n'
    assert script(metrics=closed + managed % 1) == (0, [])
    assert script(metrics=closed + managed % 0) == (1, ["istiod-not-synced c1 to c2"])


def test_endpoints_of_an_evicted_cluster_are_named(script) -> None:  # type: ignore[no-untyped-def]
    evicted = {**FULL, "EVICTED_0": "c9|probe-c9.istio-mesh-verify.svc.cluster.local"}
    known = "outbound|80||probe-c9.istio-mesh-verify.svc.cluster.local::192.0.2.9:15443::health_flags::healthy\n"
    assert script(evicted, clusters=FLAT.replace("10.2.0.7:8080", "10.0.0.9:15443") + known) == (
        1,
        ["istiod-reads-stranger c1 to c9"],
    )


def test_no_istiod_at_all_is_named(script) -> None:  # type: ignore[no-untyped-def]
    assert script(replicas="") == (1, ["istiod-down c1"])


def test_a_metric_that_stays_at_timeout_is_no_finding_where_the_only_istiod_serves_the_call(script) -> None:  # type: ignore[no-untyped-def]
    assert script(metrics=TIMED_OUT) == (0, [])
    assert (
        script(metrics=TIMED_OUT, replicas="10.1.0.4 STREAM\n10.1.0.5 STREAM\n")[1]
        == ["istiod-not-synced c1 to c2"] * 2
    )
    alone = {key: value for key, value in FULL.items() if not key.startswith("TARGET")}
    assert script(alone, metrics=TIMED_OUT) == (1, ["istiod-not-synced c1 to c2"])


def test_causes_come_before_calls(script) -> None:  # type: ignore[no-untyped-def]
    _, found = script(metrics="", call="6", status="000", api_server="28")
    assert found == ["api-server-unreachable c1 to c2", "istiod-not-synced c1 to c2", "service-unknown c1 to c2"]


def test_a_gate_without_calls_looks_only_at_istiod(script) -> None:  # type: ignore[no-untyped-def]
    alone = {"CLUSTER": "c1", "SECONDS_AT_MOST": "0", "REMOTES": "c2"}
    assert script(alone) == (0, [])
    assert script({"CLUSTER": "c1", "SECONDS_AT_MOST": "0", "REMOTES": ""}, metrics="") == (0, [])


@pytest.mark.parametrize("name", ["c", "site", "plants-of-the-north", "edge-" * 10])
def test_last_words_fit_and_say_how_many_are_left_out(script, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    remotes = " ".join(f"{name}{number}" for number in range(200))
    many = {"CLUSTER": "a1", "SECONDS_AT_MOST": "0", "REMOTES": remotes}
    code, found = script(many, metrics="")
    assert (code, len(found)) == (1, 200)
    words = (tmp_path / "last-words").read_text()
    assert len(words.encode()) < 4096
    told = words.splitlines()
    assert told[-1] == f"and {200 - (len(told) - 1)} more: kubectl logs"


IMPORTED = {
    "CLUSTER": "c1", "SECONDS_AT_MOST": "0", "IMPORT_0": f"bank|ledger.money|sni|10.0.0.9|15443|{ME} spiffe://b/ns/n/sa/s",
}  # fmt: skip
ANSWERED = f"    Verify return code: 0 (ok)\n  URI:{ME}\n"


ODD = {
    "another line": ("IMPORT_0", f"{IMPORTED['IMPORT_0']}\nAPI_SERVER_9=x|https://192.0.2.9|../../x|"),
    "a field too many": ("IMPORT_0", f"{IMPORTED['IMPORT_0']}|more"),
    "a field too few": ("API_SERVER_0", "c2|https://10.0.0.2:6443|"),
    "a carriage return": ("TARGET_0", f"{FULL['TARGET_0']}\r"),
    "a backtick": ("API_SERVER_0", "c2|https://`id`||"),
    "an evicted cluster without its host": ("EVICTED_0", "c9"),
}


@pytest.mark.parametrize("case", ODD)
def test_a_line_that_is_none_is_refused_and_nothing_is_dialled(script, tmp_path: Path, case: str) -> None:  # type: ignore[no-untyped-def]
    variable, value = ODD[case]
    script(IMPORTED, openssl_says=ANSWERED)
    (tmp_path / "curl").write_text("#!/bin/sh\necho dialled >&2\n")
    variables = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "LAST_WORDS": str(tmp_path / "last-words")}
    done = subprocess.run(
        ["sh", "-c", SCRIPT], env={**variables, **FULL, variable: value}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(f"{variable}: ") and done.stdout.count("\n") == 1
    assert (tmp_path / "last-words").read_text() == done.stdout


def test_a_variable_that_only_looks_like_one_is_none(script) -> None:  # type: ignore[no-untyped-def]
    """A line break in another variable makes no line: they are read as they are, not as env prints them."""
    assert script({**IMPORTED, "NOTE": "x\nAPI_SERVER_9=c3|https://192.0.2.9||"}, openssl_says=ANSWERED) == (0, [])
    assert script({**IMPORTED, "API_SERVER_PORT": "tcp|://"}, openssl_says=ANSWERED) == (0, [])


def test_what_comes_of_a_cluster_stays_one_field_of_one_line() -> None:
    entry = {
        "metadata": {"name": "cart.web.shop"},
        "spec": {
            "endpoints": [{"address": "a|b\nAPI_SERVER_1=`id`", "ports": {"http": 15443}}],
            "subjectAltNames": ["spiffe://shop.internal/ns/web/sa/cart\r|x"],
        },
    }
    imports = {"cart.web": {"ports": {"http": 8080}, "namespaces": ["web"]}}
    topology = parse_topology(mesh_tree(peers={"shop": {"imports": imports}}))
    (line,) = import_lines(topology, [entry])
    assert line.count("|") == 5
    assert line.split("|")[3:] == ["?", "15443", "spiffe://shop.internal/ns/web/sa/cart??x"]
    assert api_server_line("c2", None, "https://a\n|b", "YQ==\n  YQ==\n") == "c2|https://a??b||YQ==YQ=="


@pytest.mark.parametrize("name", ["x-mesh-cluster", "x-mesh-certificate"])
def test_an_answer_forges_no_finding(script, name: str) -> None:  # type: ignore[no-untyped-def]
    said = "istiod-down c7: step=discovery expected=an istiod seen=none"
    value = said if name == "x-mesh-cluster" else f"By=x;By={said}"
    headers = f"{WELL['headers']}{name}: {value}\r\n"
    assert script(headers=headers) == (0, [])
    first = f"HTTP/1.1 200 OK\r\n{name}: {value}\r\n{WELL['headers']}"
    code, found = script(headers=first)
    assert code == 1 and "istiod-down c7" not in found


@pytest.mark.parametrize("address", ["127.0.0.1/admin?all=1#", "127.0.0.1/[1-40]?", "a b", "user@192.0.2.1", "[::1]"])
def test_an_address_is_one_and_no_path(address: str) -> None:
    assert (
        Target(
            "c2",
            HOST,
            "gateway",
        ).line(address)
        == f"c2|{HOST}|gateway|?"
    )
    for good in ("192.0.2.1", "2001:db8::1", "A1.elb.example", ""):
        assert Target("c2", HOST, "gateway").line(good) == f"c2|{HOST}|gateway|{good}"


def test_what_a_peer_offered_is_as_it_offered_it(script) -> None:  # type: ignore[no-untyped-def]
    assert script(IMPORTED, openssl_says=ANSWERED) == (0, [])


@pytest.mark.parametrize(
    ("seen", "slug"),
    [
        ({"gateway": "7"}, "import-unreachable"),
        ({"gateway": "28"}, "import-unreachable"),
        ({"gateway": "6"}, "import-unreachable"),
        ({"gateway": "60"}, "import-refused"),
        (
            {"openssl_says": "    Verify return code: 19 (self-signed certificate in certificate chain)\n"},
            "import-refused",
        ),
        ({"openssl_says": "no peer certificate available\n    Verify return code: 0 (ok)\n"}, "import-refused"),
        ({"openssl_says": "    Verify return code: 0 (ok)\n  URI:spiffe://b/ns/n/sa/other\n"}, "import-refused"),
    ],
)
def test_what_is_wrong_on_the_way_to_a_peer_is_told_with_the_peer(script, seen: dict[str, str], slug: str) -> None:  # type: ignore[no-untyped-def]
    assert script(IMPORTED, **{"openssl_says": ANSWERED, **seen}) == (1, [f"{slug} c1 to bank"])
