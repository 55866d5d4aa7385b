"""A real run of examples/gke-flat in a Google project: up, verify, a preview without changes, destroy.

    make cloud-test PROJECT=<project ID>

Not a test of CI: it costs money and about an hour. Needs gcloud's application default credentials, the rights in
docs/gke.md, gke-gcloud-auth-plugin and pulumi on the PATH. Asserts that `up` ends well (so that calls arrived between
all clusters), that `istio-mesh verify` finds nothing wrong, that a second preview has no changes, and that destroy
leaves no network, cluster, address, firewall rule or forwarding rule of the mesh. Takes everything down in the
end, also when something failed; what it could not take down is listed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

EXAMPLE = Path(__file__).parents[1] / "examples" / "gke-flat"
STACK = "cloud-test"
LEFTOVERS = {
    "clusters": ("container", "clusters"),
    "networks": ("compute", "networks"),
    "firewall rules": ("compute", "firewall-rules"),
    "addresses": ("compute", "addresses"),
    "forwarding rules": ("compute", "forwarding-rules"),
}


def run(folder: Path, *command: str, check: bool = True) -> str:
    """Run a command in the program's folder, its output shown; return it."""
    print("==>", " ".join(command), flush=True)
    environment = {**os.environ, "PULUMI_CONFIG_PASSPHRASE": os.environ.get("PULUMI_CONFIG_PASSPHRASE", "cloud-test")}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, flush=True)
    if check and done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with exit code {done.returncode}")
    return done.stdout


def declare(folder: Path, project: str) -> None:
    """Write the example's mesh.yaml for this project, its clusters so that they can be deleted again."""
    tree = yaml.safe_load((EXAMPLE / "mesh.yaml").read_text(encoding="utf-8"))
    for network in tree["gke_networks"].values():
        network["project"] = project
    for cluster in tree["clusters"].values():
        cluster["gke"]["deletion_protection"] = False
    (folder / "mesh.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")


def left(folder: Path, project: str) -> dict[str, list[str]]:
    """Return what Google still has of the mesh, by kind."""
    found: dict[str, list[str]] = {}
    for kind, words in LEFTOVERS.items():
        text = run(folder, "gcloud", *words, "list", f"--project={project}", "--format=json", check=False)
        rows: list[dict[str, Any]] = json.loads(text or "[]")
        names = [row["name"] for row in rows if "gke-flat" in json.dumps(row)]
        if names:
            found[kind] = names
    return found


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", help="ID of a Google project that may be charged")
    project: str = parser.parse_args().project
    missing = [name for name in ("pulumi", "gcloud", "gke-gcloud-auth-plugin") if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"not on the PATH: {', '.join(missing)} (docs/gke.md)")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "gke-flat"
        shutil.copytree(EXAMPLE, folder)
        declare(folder, project)
        run(folder, "pulumi", "stack", "select", "--create", STACK)
        try:
            run(folder, "pulumi", "up", "--yes", "--skip-preview", "--non-interactive")
            run(folder, str(Path(sys.executable).parent / "istio-mesh"), "verify", "--stack", STACK)
            run(folder, "pulumi", "preview", "--expect-no-changes", "--non-interactive")
        finally:
            run(folder, "pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive", check=False)
            remains = left(folder, project)
            if remains:
                print(json.dumps(remains, indent=2))
                raise SystemExit(
                    f"left in {project}: gcloud compute|container <kind> delete <name>, and see docs/gke.md"
                )
            run(folder, "pulumi", "stack", "rm", "--yes", STACK)
    print("all as expected: up, verify, no changes, destroy, nothing left")


if __name__ == "__main__":
    main()
