"""What the example in TypeScript has from npm, fetched into npm's own cache: a lab may have no way to a registry."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from lab.errors import LabError
from lab.paths import REPOSITORY, cache
from lab.process import run
from lab.progress import Progress, Step

_PROGRAM = REPOSITORY / "examples" / "split-horizon-typescript"
_LOCK = _PROGRAM / "package-lock.json"
_FETCH = Step("fetch npm packages", usually=10)
_SDK = "sdks/istio-mesh"
"""Generated in the lab; what it depends on is in the lock file."""


def ahead() -> list[Step]:
    """The step of `fetch_packages`, if there is anything to do."""
    return [] if _fetched().exists() else [_FETCH]


def fetch_packages(progress: Progress) -> None:
    """Does nothing once this lock file's packages are there."""
    if not ahead():
        return
    if shutil.which("npm") is None:
        raise LabError("npm is not installed: `make browser`, or apt-get install nodejs npm")
    with progress.step(*_FETCH), tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", _LOCK.name):
            shutil.copy(_PROGRAM / name, folder)
        sdk = Path(folder, _SDK)
        sdk.mkdir(parents=True)
        (sdk / "package.json").write_text(json.dumps(json.loads(_LOCK.read_text())["packages"][_SDK]))
        run(["npm", "install", "--ignore-scripts", "--silent", "--prefix", folder], timeout_seconds=300)
    _fetched().parent.mkdir(parents=True, exist_ok=True)
    _fetched().touch()


def _fetched() -> Path:
    """Says that the lock file's packages are in npm's cache."""
    return cache() / "npm-packages" / hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]
