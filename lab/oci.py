"""Writes container images as OCI archives, from files of this machine, byte for byte the same each time."""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class Files:
    """What is in an image: path to a file of this machine, to bytes, or to the target of a link."""

    copied: dict[str, Path] = field(default_factory=dict)
    written: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    """Folders anybody may write to, as /tmp."""

    def fingerprint(self) -> str:
        """Changes when a source does, without reading hundreds of megabytes."""
        sources = [
            f"{target} {source} {source.stat().st_size} {source.stat().st_mtime_ns}"
            for target, source in sorted(self.copied.items())
        ]
        parts = [*sources, repr(sorted(self.written.items())), repr(sorted(self.links.items())), repr(self.folders)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Image:
    """An image under all of its names."""

    names: tuple[str, ...]
    files: Files
    entrypoint: tuple[str, ...]
    user: str = ""
    environment: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """Changes when anything in the image may have."""
        parts = [*self.names, *self.entrypoint, self.user, *self.environment, self.files.fingerprint()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def write_image(image: Image, archive: Path) -> None:
    """Writes the image as an OCI layout in a tar file, which `ctr images import` reads."""
    layer = _layer(image.files)
    config = _encode(_configuration(image, layer))
    manifest = _encode(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
        }
    )
    references = [
        {**_descriptor(_MANIFEST, manifest), "annotations": {"io.containerd.image.name": name}} for name in image.names
    ]
    index = _encode({"schemaVersion": 2, "manifests": references})
    blobs = {f"blobs/sha256/{_digest(blob)}": blob for blob in (config, manifest, layer)}
    content = {"oci-layout": _encode({"imageLayoutVersion": "1.0.0"}), "index.json": index, **blobs}
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w") as tar:
        for path, blob in content.items():
            _add(tar, path, blob)


def _configuration(image: Image, layer: bytes) -> Mapping[str, Any]:
    return {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Env": [_PATH, *image.environment],
            "WorkingDir": "/",
            "User": image.user,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest(layer)}"]},
        "history": [{"created_by": "lab/oci.py"}],
    }


def _layer(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        paths = [*files.copied, *files.written, *files.links, *(f"{folder}/x" for folder in files.folders)]
        for folder in _parents(paths):
            _add_folder(tar, folder, 0o1777 if folder in files.folders else 0o755)
        for path, source in sorted(files.copied.items()):
            _add(tar, path, source.read_bytes(), 0o755 if source.stat().st_mode & 0o100 else 0o644)
        for path, content in sorted(files.written.items()):
            _add(tar, path, content, 0o644)
        for path, target in sorted(files.links.items()):
            link = tarfile.TarInfo(path.lstrip("/"))
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return buffer.getvalue()


def _parents(paths: Sequence[str]) -> list[str]:
    return sorted({str(parent) for path in paths for parent in PurePosixPath(path).parents} - {"/", "."})


def _add_folder(tar: tarfile.TarFile, path: str, mode: int) -> None:
    folder = tarfile.TarInfo(path.lstrip("/"))
    folder.type, folder.mode = tarfile.DIRTYPE, mode
    tar.addfile(folder)


def _add(tar: tarfile.TarFile, path: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{_digest(blob)}", "size": len(blob)}


def _digest(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def _encode(tree: Mapping[str, Any]) -> bytes:
    return json.dumps(tree, sort_keys=True).encode()
