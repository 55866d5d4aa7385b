"""What the example in TypeScript has from npm, fetched into npm's own cache: a lab may have no way to a registry."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from lab.errors import LabError
from lab.paths import REPOSITORY, cache
from lab.process import run
from lab.progress import Progress

_PROGRAM = REPOSITORY / "examples" / "split-horizon-typescript"
_SDK = "sdks/istio-mesh"
"""Generated in the lab; what it depends on is in the lock file."""


def fetch_packages(progress: Progress) -> None:
    """Does nothing once this lock file's packages are there."""
    lock = _PROGRAM / "package-lock.json"
    fetched = cache() / "npm-packages" / hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    if fetched.exists():
        return
    if shutil.which("npm") is None:
        raise LabError("npm is not installed: `make browser`, or apt-get install nodejs npm")
    with progress.step("fetch npm packages", usually="15 s"), tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", lock.name):
            shutil.copy(_PROGRAM / name, folder)
        sdk = Path(folder, _SDK)
        sdk.mkdir(parents=True)
        (sdk / "package.json").write_text(json.dumps(json.loads(lock.read_text())["packages"][_SDK]))
        run(["npm", "install", "--ignore-scripts", "--silent", "--prefix", folder], timeout_seconds=300)
    fetched.parent.mkdir(parents=True, exist_ok=True)
    fetched.touch()
