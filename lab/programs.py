"""The programs of the lab: which published Go module each comes from, and how it is built.

Every version is fixed by a committed go.mod and verified by a committed go.sum (lab/go). Flags that change
what is compiled are the upstream projects' own, or leave out tracing that the lab has no use for.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lab.paths import GO_PROGRAMS, cache

ISTIO = "1.31.0"
"""What the module of 2026-08-27 calls itself, and the tag of its images and charts in the lab."""
NEXT_ISTIO = "1.31.1"
"""What upgrades lead to: the same programs under another tag, in charts of another version; there is one module."""
KUBERNETES = "1.36.3"
PULUMI = "3.259.0"
KUBERNETES_PROVIDER = "4.25.0"
TLS_PROVIDER = "5.6.2"

_KUBERNETES_VERSION = "k8s.io/component-base/version"
_ISTIO_VERSION = "istio.io/istio/pkg/version"
_STRIP = ("-s", "-w")


@dataclass(frozen=True)
class GoBuild:
    """One `go build` or `go test -c`: a folder of lab/go, the packages built there, and with what."""

    folder: str
    packages: tuple[str, ...]
    usually: int
    """How many seconds it takes from nothing on two idle cores, downloads included."""
    tags: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    """Linker variables, `package.name=value`."""
    rename: str = ""
    """The program's name where the package's last element isn't it."""
    tests: bool = False
    """The packages' tests as programs, instead of the packages."""

    @property
    def programs(self) -> tuple[str, ...]:
        """The names of what is built."""
        ending = ".test" if self.tests else ""
        return (self.rename,) if self.rename else tuple(p.rsplit("/", 1)[1] + ending for p in self.packages)

    @property
    def source(self) -> Path:
        """The folder with go.mod and go.sum."""
        return GO_PROGRAMS / self.folder

    @property
    def command(self) -> list[str]:
        """What `go` is asked for."""
        # Without `go vet`, which takes as long as the compiler: another project's code is not judged here.
        return ["test", "-c", "-vet=off"] if self.tests else ["build"]

    @property
    def flags(self) -> list[str]:
        """The flags of `command`."""
        linker = " ".join([*_STRIP, *(f"-X {variable}" for variable in self.variables)])
        tags = ["-tags", ",".join(self.tags)] if self.tags else []
        return ["-trimpath", "-mod=readonly", *tags, "-ldflags", linker]

    @property
    def output(self) -> Path:
        """Where the programs are kept: another go.sum or another flag means another folder."""
        digest = hashlib.sha256()
        for file in sorted(self.source.iterdir()):
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        digest.update("\0".join([*self.flags, *self.packages]).encode())
        return cache() / "go" / f"{self.folder}-{digest.hexdigest()[:12]}"

    @property
    def missing(self) -> list[str]:
        """The programs that aren't in `output`."""
        return [program for program in self.programs if not (self.output / program).exists()]


KUBERNETES_BUILD = GoBuild(
    folder="k8s",
    packages=tuple(
        f"k8s.io/kubernetes/cmd/{name}"
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
    ),
    tags=("grpcnotrace", "notest"),
    variables=(
        f"{_KUBERNETES_VERSION}.gitVersion=v{KUBERNETES}",
        f"{_KUBERNETES_VERSION}.gitMajor=1",
        f"{_KUBERNETES_VERSION}.gitMinor=36",
        f"{_KUBERNETES_VERSION}.gitCommit=lab",
        f"{_KUBERNETES_VERSION}.gitTreeState=clean",
        f"{_KUBERNETES_VERSION}.buildDate=2026-11-23T00:00:00Z",
    ),
    usually=290,
)
ETCD_BUILD = GoBuild("k8s", ("go.etcd.io/etcd/server/v3",), rename="etcd", usually=12)
PULUMI_BUILD = GoBuild(
    folder="pulumi",
    packages=("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",),
    tags=("osusergo", "grpcnotrace"),
    variables=(f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI}",),
    usually=200,
)
YAML_HOST_BUILD = GoBuild(
    folder="pulumi-yaml",
    packages=("github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",),
    tags=PULUMI_BUILD.tags,
    usually=20,
)
"""Upstream's own. It is pinned to an older pkg/v3, which newer ones don't fit."""
NODE_HOST_BUILD = GoBuild(
    folder="pulumi-nodejs",
    packages=(".",),
    rename="pulumi-language-nodejs",
    tags=PULUMI_BUILD.tags,
    variables=PULUMI_BUILD.variables,
    usually=10,
)
"""After `PULUMI_BUILD`, with the same tags: nearly all of it is compiled by then."""
_ISTIO_VARIABLES = (
    f"{_ISTIO_VERSION}.buildVersion={ISTIO}",
    f"{_ISTIO_VERSION}.buildTag={ISTIO}",
    f"{_ISTIO_VERSION}.buildGitRevision=eed52ebb66ad",
    f"{_ISTIO_VERSION}.buildStatus=Clean",
    f"{_ISTIO_VERSION}.buildHub=docker.io/istio",
)
ISTIOD_BUILD = GoBuild(
    folder="istio",
    packages=("istio.io/istio/pilot/cmd/pilot-discovery",),
    tags=("vtprotobuf", "disable_pgv"),
    variables=_ISTIO_VARIABLES,
    usually=195,
)
ISTIOCTL_BUILD = GoBuild(
    folder="istio",
    packages=("istio.io/istio/istioctl/cmd/istioctl",),
    tags=ISTIOD_BUILD.tags,
    variables=_ISTIO_VARIABLES,
    usually=35,
)
"""After `ISTIOD_BUILD`, with the same tags: five of six packages are compiled by then."""
AGENT_BUILD = GoBuild(
    folder="istio",
    packages=("istio.io/istio/pilot/cmd/pilot-agent",),
    tags=("agent", "disable_pgv", "grpcnotrace", "retrynotrace"),
    variables=_ISTIO_VARIABLES,
    usually=10,
)
KUBERNETES_PROVIDER_BUILD = GoBuild(
    folder="pulumi-kubernetes",
    packages=(".",),
    rename="pulumi-resource-kubernetes",
    variables=("github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version=" + KUBERNETES_PROVIDER,),
    usually=375,
)
HELM_BUILD = GoBuild("helm", ("helm.sh/helm/v3/cmd/helm",), usually=60)
"""What a team has that installed Istio by itself; of the version that the Kubernetes provider renders charts with."""
PAUSE_BUILD = GoBuild("pause", (".",), rename="pause", usually=2)

_SUITE = "istio.io/istio/tests/integration"
ECHO_BUILD = GoBuild(
    folder="istio-tests",
    packages=tuple(f"istio.io/istio/pkg/test/echo/cmd/{name}" for name in ("server", "client")),
    tags=ISTIOD_BUILD.tags,
    usually=15,
)
ISTIO_TESTS_BUILD = GoBuild(
    folder="istio-tests",
    packages=(f"{_SUITE}/pilot",),
    tags=("integ", *ISTIOD_BUILD.tags),
    tests=True,
    usually=60,
)
"""After `ISTIOD_BUILD` and `ISTIOCTL_BUILD`, with the same tags: most of it is compiled by then."""
MORE_ISTIO_TESTS_BUILD = GoBuild(
    folder="istio-tests",
    packages=tuple(
        f"{_SUITE}/{name}"
        for name in ("security", "security/ca_custom_root", "pilot/mcs/discoverability", "pilot/mcs/autoexport")
    ),
    tags=ISTIO_TESTS_BUILD.tags,
    tests=True,
    usually=60,
)
JWT_SERVER_BUILD = GoBuild(
    "istio-tests", ("istio.io/istio/samples/jwt-server/src",), tags=ISTIOD_BUILD.tags, rename="jwt-server", usually=5
)
EXT_AUTHZ_BUILD = GoBuild(
    "istio-tests", ("istio.io/istio/samples/extauthz/cmd/extauthz",), tags=ISTIOD_BUILD.tags, usually=5
)
TEST2JSON_BUILD = GoBuild("istio-tests", ("cmd/test2json",), usually=5)
"""Go's own reader of what a test program prints."""
FOR_CLUSTERS = (KUBERNETES_BUILD, ETCD_BUILD)
"""What each cluster is made of."""
FOR_IMAGES = (ISTIOD_BUILD, AGENT_BUILD, PAUSE_BUILD)
"""What nodes have in their images."""
FOR_STACKS = (PULUMI_BUILD, KUBERNETES_PROVIDER_BUILD)
"""What runs a Pulumi program in Python."""
FOR_TESTS = (NODE_HOST_BUILD, YAML_HOST_BUILD, ISTIOCTL_BUILD, HELM_BUILD)
"""What only tests and `make bench` run, and people in `lab shell`: other languages, other installers."""

FOR_SLICE = (TEST2JSON_BUILD, ECHO_BUILD, ISTIO_TESTS_BUILD)
"""Istio's own suite of traffic, and the workload that it calls."""

FOR_DEMO = FOR_CLUSTERS + FOR_IMAGES + FOR_STACKS
BUILDS = FOR_DEMO + FOR_TESTS
"""What people have on their PATH in `lab shell`."""
FOR_CONFORMANCE = (*FOR_SLICE, MORE_ISTIO_TESTS_BUILD, JWT_SERVER_BUILD, EXT_AUTHZ_BUILD)
PURPOSES = {
    "demo": FOR_DEMO,
    "everything": (*BUILDS, *FOR_SLICE),
    "conformance": (*FOR_DEMO, ISTIOCTL_BUILD, HELM_BUILD, *FOR_CONFORMANCE),
}
"""What `python -m lab build` is asked for."""


@dataclass(frozen=True)
class Acceptable:
    """How to ask a program on PATH for its version, and the start of an answer that fits."""

    arguments: tuple[str, ...]
    pattern: str
    """A regular expression that a fitting answer contains."""


_KUBERNETES_MINOR = Acceptable(("--version",), r"Kubernetes v1\.36\.")
FROM_PATH = {
    "pulumi": Acceptable(("version",), r"^v3\.(259|2[6-9]\d|[3-9]\d\d)\."),
    "etcd": Acceptable(("--version",), r"etcd Version: 3\.6\."),
    "kube-apiserver": _KUBERNETES_MINOR,
    "kube-controller-manager": _KUBERNETES_MINOR,
    "kube-scheduler": _KUBERNETES_MINOR,
    "kubelet": _KUBERNETES_MINOR,
    "kube-proxy": _KUBERNETES_MINOR,
}
"""Programs that are taken from PATH, where they fit, instead of being built."""
