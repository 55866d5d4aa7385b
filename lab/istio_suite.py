"""Istio's own integration suite: which of its tests are run here, on which clusters, and how.

It is built from the published module and run against a mesh that is there (`deploy=false`); it makes its own
namespaces, workloads and Istio objects, and removes them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from lab.build import module_folder
from lab.cluster import Cluster
from lab.environment import shell_environment
from lab.errors import LabError
from lab.istioctl import HUB, TAG
from lab.process import last_lines
from lab.programs import HELM_BUILD, ISTIO_TESTS_BUILD, MORE_ISTIO_TESTS_BUILD, TEST2JSON_BUILD
from lab.progress import Progress
from lab.suite_results import counted, events, group_of, in_words

_AROUND_SECONDS = 300
"""What a run gets beside its tests: to make workloads, and to remove them."""
_NAMESPACES = "istio-testing=istio-test"
"""The label that the suite gives its namespaces."""


@dataclass(frozen=True)
class Group:
    """Tests that share one process of the suite, and so one set of workloads."""

    name: str
    tests: str
    """As `go test -run` takes them."""
    minutes: int
    """The tests' time limit."""
    without: str = ""
    """Those of them that are left out, as `go test -skip` takes them."""
    suite: str = "pilot"
    """The folder of `tests/integration` that they are in."""

    @property
    def file(self) -> str:
        """How files about it are called."""
        return self.name.replace(",", "").replace(" ", "-")


def _traffic(*parts: str) -> str:
    return f"^TestTraffic$/^({'|'.join(parts)})$"


_PLAINTEXT = "|".join(
    f"^TestTraffic$/{part}"
    for part in ("^gateway$/^(client_protocol_-_http[12]_use_client_with|HTTPS_re-encrypt)", "^host$/^ip")
)
"""Tests that call without mTLS: by a DestinationRule of their own, or by an address that no Service has.

Workloads that refuse that fail them, whoever made the mesh: half a minute each, sixty of them.
"""

_UNSAID_HTTP = "^TestTraffic$/^host$/./^auto-http"
"""Tests that look for mTLS in HTTP on a port whose protocol nobody said.

Istio's ALPN filter tells a server that it is HTTP; the lab's Envoy lacks it, and takes it for TCP. Half a minute each,
54 of them; `externalname` has six of the kind, which are asked.
"""

SLICE = Group("the slice", "^TestClusterLocal$|^TestTraffic$/^(sniffing|instanceip|loop)$", 5)
"""Calls that stay in their cluster where they should, and cross where they may; for the lab's core."""

ACROSS = Group(
    "several clusters",
    "^(TestClusterLocal|TestBadRemoteSecret|TestMirroring.*|TestRemoteClusters|TestMultiClusterWith.*|TestLabelChanges)$",
    10,
)
SERVICES = Group(
    "services",
    _traffic("loop", "tls-origination", "instanceip", "services", "externalname", "host", "destinationrule", "dns"),
    15,
    f"{_UNSAID_HTTP}|{_PLAINTEXT}",
)
STRICT = (
    ACROSS,
    Group("routing", _traffic("jwt-claim-route", "virtualservice", "selfcall", "serverfirst", "sniffing"), 10),
    Group("gateways", _traffic("gateway", "autopassthrough"), 10, _PLAINTEXT),
    SERVICES,
)
"""For a mesh whose workloads refuse plaintext."""
PERMISSIVE = (
    Group("calls without mTLS", _PLAINTEXT, 10, _UNSAID_HTTP),
    Group(
        "filters and protocols",
        _traffic(
            "envoyfilter", "consistent-hash", "use-client-protocol", "externalservice", "upstreamproxy", "service-.*"
        ),
        10,
    ),
    Group(
        "ingress, headers, probes",
        "^Test(Gateway|Ingress|CustomGateway|HTTPRoute.*|XFFGateway|ProxyProtocol.*|ProxyHeaders|XfccHeaders|PreserveHTTP.*"
        "|TcpProbe|GRPCProbe|DNSAutoAllocation|Tunneling.*|WorkloadEntryGateway|Validation|EnsureNoMissingCRDs)$",
        15,
    ),
    Group("reachability", "^(TestReachability|TestMtlsHealthCheck|TestPassThroughFilterChain)$", 20, suite="security"),
    Group("authorization", "^TestAuthz_", 20, suite="security"),
    Group(
        "tokens, certificates at gateways",
        "^Test(RequestAuthentication|Ingress.*|Single.*|Tls.*|Mtls.*|Multi.*|Normalization|Simple.*|Mutual.*|Sidecar.*)$",
        20,
        suite="security",
    ),
    Group("names and roots", "", 10, suite="security/ca_custom_root"),
)
"""For a mesh whose workloads take plaintext, and that has the last suite's authority and these former trust domains."""
TRUST_DOMAIN_ALIASES = ["some-other", "trust-domain-foo"]
EXPORTED = Group("exported services", "", 8, suite="pilot/mcs/discoverability")
"""For a mesh in which Services are called from other clusters only if a ServiceExport says so."""
EXPORTS = Group("automatic exports", "", 5, suite="pilot/mcs/autoexport")
"""For a mesh whose istiods write a ServiceExport for each Service."""


@dataclass(frozen=True)
class Member:
    """A cluster as the suite is told of it."""

    cluster: Cluster
    network: str
    primary: str = ""
    """The cluster whose istiod serves it, unless it has one of its own."""


def gateway_api() -> Path:
    """The file of the Gateway API's CRDs, which Istio's test clusters have."""
    return _source() / "tests" / "integration" / "pilot" / "testdata" / "gateway-api-crd.yaml"


def its_authority() -> Path:
    """The folder of the certificate authority that the suite puts into every cluster, in the four files of Istio's."""
    return _source() / "samples" / "certs"


def _source() -> Path:
    return module_folder(ISTIO_TESTS_BUILD, "istio.io/istio")


def topology(members: Sequence[Member]) -> str:
    """The suite's topology file."""
    return json.dumps(
        [
            {
                "kind": "Kubernetes",
                "clusterName": member.cluster.name,
                "network": member.network,
                **({"primaryClusterName": member.primary} if member.primary else {}),
                "meta": {"kubeconfig": str(member.cluster.kubeconfig_path), "fakeVM": False},
            }
            for member in members
        ],
        indent=2,
    )


def run(group: Group, members: Sequence[Member], folder: Path, progress: Progress) -> dict[str, str]:
    """Results of a group's tests by name; all that was printed is `folder`/<group>.log.

    Raises LabError when the suite began none of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "topology.json").write_text(topology(members))
    log = folder / f"{group.file}.log"
    with _started(group, folder) as process, log.open("w") as output:
        # The suite's own limit doesn't count what it does before and after its tests.
        limit = threading.Timer(group.minutes * 60 + _AROUND_SECONDS, _end, [process])
        limit.start()
        try:
            results = _followed(process, output, progress)
        finally:
            limit.cancel()
            _end(process)
    _remove_leftovers(members)
    if not results:
        raise LabError(f"Istio's suite began no test of {group.name}; {log} ends with:\n{last_lines(log)}")
    return results


def _followed(process: subprocess.Popen[str], log: TextIO, progress: Progress) -> dict[str, str]:
    """The results once the process has ended; says how each row went as soon as another one begins."""
    began, row, results = time.monotonic(), "", dict[str, str]()
    for event in events(process.stdout or ()):
        log.write(event.output)
        if not event.result:
            continue
        results[event.test] = event.result
        if group_of(event.test) != row:
            if not row:
                progress.say(f"  workloads are there ({time.monotonic() - began:.0f} s)")
            _say_of(row, results, began, progress)
            row = group_of(event.test)
    _say_of(row, results, began, progress)
    return results


def _started(group: Group, folder: Path) -> subprocess.Popen[str]:
    # Where the suite finds its manifests and charts: built with -trimpath, it doesn't know where it came from.
    istio = _source()
    environment = {**os.environ, **shell_environment(), "REPO_ROOT": str(istio)}
    environment["PATH"] += f"{os.pathsep}{HELM_BUILD.output}"
    environment.pop("KUBECONFIG", None)
    command: list[str | Path] = [
        TEST2JSON_BUILD.output / "test2json",
        _program(group.suite),
        "-test.v=test2json",
        f"-test.run={group.tests}",
        f"-test.skip={group.without}",
        f"-test.timeout={group.minutes}m",
        *_settings(folder),
    ]
    return subprocess.Popen(
        command,
        cwd=istio / "tests" / "integration" / group.suite,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _program(suite: str) -> Path:
    for build in (ISTIO_TESTS_BUILD, MORE_ISTIO_TESTS_BUILD):
        for package, program in zip(build.packages, build.programs, strict=True):
            if package.endswith(f"/tests/integration/{suite}"):
                return build.output / program
    raise LabError(f"tests/integration/{suite} is not built: lab/programs.py names what is")


def _settings(folder: Path) -> list[str]:
    """What the suite must know of the lab: there is no registry, no virtual machine, and the mesh isn't its own."""
    settings = {
        "kube.deploy": "false",
        "kube.topology": str(folder / "topology.json"),
        "kube.loadbalancer": "true",
        "hub": HUB,
        "tag": TAG,
        "pullpolicy": "IfNotPresent",
        "skipVM": "true",
        "skipTProxy": "true",
        "maxDumps": "0",
        "work_dir": str(folder),
    }
    return [f"--istio.test.{name}={value}" for name, value in settings.items()]


def _end(process: subprocess.Popen[str]) -> None:
    """Sees to it that nothing of a run is left, also when it was interrupted."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _remove_leftovers(members: Sequence[Member]) -> None:
    """A run that its limit ended, ended without removing its namespaces."""
    for member in members:
        member.cluster.kubectl(
            "delete", "namespaces", f"--selector={_NAMESPACES}", "--ignore-not-found", timeout_seconds=300
        )


def _say_of(row: str, results: Mapping[str, str], began: float, progress: Progress) -> None:
    """Say how a row went, if any of it counts by itself."""
    if counts := counted(results).get(row):
        progress.say(f"  {row}: {in_words(counts)} ({time.monotonic() - began:.0f} s)")
