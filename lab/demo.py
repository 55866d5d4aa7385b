"""`make demo`: three clusters become one mesh, calls cross it, and what breaks it is told, for real.

What it is going to make is shown first, then what that needs is built.
"""

from __future__ import annotations

import io
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from lab import lifecycle, opening, provision, sample
from lab.cluster import Cluster
from lab.errors import LabError
from lab.paths import REPOSITORY
from lab.programs import FOR_DEMO
from lab.progress import Progress, Step
from lab.shape import Shape
from lab.stack import Stack

EXAMPLE: Path = REPOSITORY / "examples" / "split-horizon"
CALLER, SERVING = "c1", ("c2", "c3")
CALLS = 12
_CLUSTERS = Shape(3)
_MESH = Step("pulumi up of examples/split-horizon", usually=40)
_SAMPLE = Step("a client in c1, a service in c2 and c3", usually=10)
_TRIES = Step("calls across the mesh, and around it", usually=10)
_BREAKAGE = Step("a gateway deleted, missed and repaired", usually=50)


def main() -> None:
    """Show the mesh, build and start what it needs, make and break it; exit code 0 when all is as it should be."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # In a log, too, the lines of all programs stand in their order.
        sys.stdout.reconfigure(line_buffering=True)
    ahead = [*provision.ahead(FOR_DEMO), *lifecycle.ahead(_CLUSTERS), _MESH, _SAMPLE, _TRIES, _BREAKAGE]
    opening.show(EXAMPLE, ahead)
    progress = Progress(ahead=ahead)
    provision.provision(FOR_DEMO, _CLUSTERS.clusters, progress)
    started = time.monotonic()
    lifecycle.up(_CLUSTERS, progress)
    clusters = {name: Cluster(name) for name in (CALLER, *SERVING)}
    stack = Stack(EXAMPLE, "demo", show=True)
    stack.configure(clusters.values())
    with progress.step(*_MESH, speaks=True):
        stack.up()
    _show_gates(clusters.values())
    with progress.step(*_SAMPLE):
        sample.deploy(clusters.values(), SERVING)
    with progress.step(*_TRIES, speaks=True):
        right = _show_calls(clusters) & _show_refusals(clusters)
    with progress.step(*_BREAKAGE, speaks=True):
        right &= _show_breakage(clusters[SERVING[-1]], stack)
    print(
        f"\n{'All of it as it should be' if right else 'NOT as it should be'}, {time.monotonic() - started:.0f} s.\n\n"
        "Look around:\n"
        "  make lab-shell\n"
        "  kubectl --kubeconfig $(python -m lab kubeconfig c1 --path) get pods -A\n"
        "  cd examples/split-horizon && pulumi stack select demo && pulumi preview\n"
        "Tear down:\n"
        "  make demo-down"
    )
    sys.exit(0 if right else 1)


def _show_gates(clusters: Iterable[Cluster]) -> None:
    """Print the last words of each cluster's gate: `up` ended well because of them."""
    print("\nThe gates of this up, Jobs that called from each cluster to each other one:")
    for cluster in clusters:
        words = cluster.kubectl("-n", "istio-mesh-verify", "logs", "job/mesh", "--container=gate").strip()
        print(f"  {cluster.name}: {words}")


def _show_calls(clusters: Mapping[str, Cluster]) -> bool:
    """Call a service that runs only in the other clusters; return whether both of them answered, and nothing failed."""
    print(f"\n{CALLS} calls from {CALLER} to hello.{sample.NAMESPACE}, which runs in {' and '.join(SERVING)} only:")
    _first_answer(clusters[CALLER])
    counted: Counter[str] = Counter()
    for _ in range(CALLS):
        answer = sample.call(clusters[CALLER])
        counted[answer.cluster or answer.error] += 1
        print(f"  {answer.status} from {answer.cluster or '-'}   {_identities(answer)}")
    print("  " + ", ".join(f"{count} from {cluster}" for cluster, count in sorted(counted.items())))
    return set(counted) == set(SERVING)


def _show_refusals(clusters: Mapping[str, Cluster]) -> bool:
    """Try the ways around the mesh; return whether all of them were refused."""
    target = clusters[SERVING[0]]
    gateway = target.kubectl(
        "-n", "istio-system", "get", "service", "istio-eastwestgateway",
        "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}",
    )  # fmt: skip
    tries = {
        f"plaintext to the gateway of {target.name}": f"http://{gateway}:15443/",
        f"straight to a pod of {target.name}": f"http://{sample.pod_address(target)}:{sample.PORT}/",
    }
    print(f"\nRefused, from a pod of {CALLER} without a proxy:")
    refused = True
    for what, url in tries.items():
        answer = sample.call(clusters[CALLER], url, client="plain")
        refused &= answer.status == 0
        print(f"  {what}: {answer.error or answer.status}")
    return refused


def _show_breakage(cluster: Cluster, stack: Stack) -> bool:
    """Break one thing, show who notices, repair it; return whether all three went as they should."""
    print(f"\nNow somebody deletes the gateway of {cluster.name}. `pulumi up`, the gate of c1 run again:")
    gateway = ("-n", "istio-system", "delete", "--selector=istio=eastwestgateway")
    # Pods that go with their Deployment serve those that are connected for another 90 s.
    cluster.kubectl(*gateway, "deployments", "--cascade=orphan")
    cluster.kubectl(*gateway, "replicasets", "--cascade=orphan")
    cluster.kubectl(*gateway, "pods", "--grace-period=1")
    gates = ("--replace", "**::horizon-c1-mesh")
    try:
        stack.run("up", "--yes", "--skip-preview", "--non-interactive", *gates)
        failed = False
    except LabError as error:
        failed = True
        told = str(error).partition("Diagnostics:")[2]
        told = told[told.find("error: c1 to") :].partition("\n    error: update failed")[0]
        print(re.sub(r"(?m)^ *", "  ", told))
    print("\n`istio-mesh verify --stack demo` looks at everything, and tells the cause first:")
    broken = stack.command("istio-mesh", "verify", "--stack", stack.name)
    print(re.sub(r"(?m)^", "  ", broken.stdout.rstrip()))
    print("\nRepaired by `pulumi up --refresh`, which sees that the gateway is not as recorded:")
    stack.run("up", "--yes", "--skip-preview", "--non-interactive", "--refresh", *gates)
    healed = stack.command("istio-mesh", "verify", "--stack", stack.name)
    print(f"  {healed.stdout.strip().splitlines()[-1]}")
    return failed and broken.returncode == 1 and healed.returncode == 0


def _first_answer(cluster: Cluster) -> None:
    """Wait until the client's proxy has heard of the new service: at most 30 s."""
    deadline = time.monotonic() + 30
    while sample.call(cluster).status != 200:
        if time.monotonic() > deadline:
            raise LabError("hello.sample did not answer within 30 s")
        time.sleep(0.5)


def _identities(answer: sample.Answer) -> str:
    """Return who called and as whom the service answered, from the header its own proxy wrote."""
    found = dict(re.findall(r"(By|URI)=([^;,]+)", answer.certificate))
    return f"{found['URI']} -> {found['By']}" if len(found) == 2 else answer.error


if __name__ == "__main__":
    try:
        main()
    except LabError as error:
        sys.exit(str(error))
