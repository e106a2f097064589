"""What is built, and from what: a Go module of ours a project, as projects must not share versions of dependencies.

`go.mod` and `go.sum` beside a module are the pins; this file adds what they cannot say. To add one: a folder with a
`go.mod` that names the program in a `tool` line, or with a `main.go`, `go mod tidy` in it, and a `Module` here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_TOOLS: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module with the programs that are built from it.

    Attributes:
        folder: where its go.mod, go.sum and, if it has any, sources are.
        upstream: module path of what is built; its version in go.mod is the programs' version.
        programs: file name of a program → Go package.
        stamps: Go variable → what the linker sets it to, with `{version}` (v1.37.2), `{number}` (1.37.2), `{major}`
            and `{minor}` in it.
        environment: what Go needs to be told to build it.
        files: name beside the programs → folder of upstream's, copied.
    """

    folder: Path
    upstream: str
    programs: Mapping[str, str]
    stamps: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its folder's name, which it has in the cache too."""
        return self.folder.name

    @property
    def version(self) -> str:
        """The version that go.mod requires, such as v1.37.2."""
        text = (self.folder / "go.mod").read_text(encoding="utf-8")
        found = re.search(rf"^(?:require)?\s+{re.escape(self.upstream)} (v\S+)", text, re.MULTILINE)
        if found is None:
            raise ValueError(f"{self.folder}/go.mod does not require {self.upstream}")
        return found[1]

    @property
    def linker_flags(self) -> str:
        """No symbol tables (half of a program's size), and the stamps."""
        version = self.version
        number = version.removeprefix("v")
        major, minor = number.split(".")[:2]
        known = {"version": version, "number": number, "major": major, "minor": minor}
        stamps = (text.format(**known) for text in self.stamps.values())
        return " ".join(["-s -w", *(f"-X {name}={text}" for name, text in zip(self.stamps, stamps, strict=True))])


ETCD: Final = Module(
    _TOOLS / "etcd",
    upstream="go.etcd.io/etcd/server/v3",
    programs={"etcd": "go.etcd.io/etcd/server/v3"},
)
_KUBERNETES_STAMPS: Final = {  # without them it calls itself v0.0.0-master, and refuses feature gates by version
    "k8s.io/component-base/version.gitVersion": "{version}",
    "k8s.io/component-base/version.gitMajor": "{major}",
    "k8s.io/component-base/version.gitMinor": "{minor}",
}
KUBERNETES: Final = Module(
    _TOOLS / "kubernetes",
    upstream="k8s.io/kubernetes",
    programs={name: f"k8s.io/kubernetes/cmd/{name}" for name in ("kube-apiserver", "kube-controller-manager")},
    stamps=_KUBERNETES_STAMPS,
)
NODE: Final = Module(  # the same version, beside it: who runs a control plane alone need not wait for these
    _TOOLS / "node",
    upstream="k8s.io/kubernetes",
    programs={name: f"k8s.io/kubernetes/cmd/{name}" for name in ("kubelet", "kube-proxy", "kube-scheduler")},
    stamps=_KUBERNETES_STAMPS,
)
COREDNS: Final = Module(
    _TOOLS / "coredns",
    upstream="github.com/coredns/coredns",
    programs={"coredns": "."},
)
HELM: Final = Module(
    _TOOLS / "helm",
    upstream="helm.sh/helm/v3",
    programs={"helm": "helm.sh/helm/v3/cmd/helm"},
    stamps={"helm.sh/helm/v3/internal/version.version": "{version}"},
)
_KYVERNO_COMMANDS: Final = "github.com/kyverno/kyverno/cmd"
KYVERNO: Final = Module(  # its module replaces one of Kubernetes', so `go install` refuses it
    _TOOLS / "kyverno",
    upstream="github.com/kyverno/kyverno",
    programs={
        "kyverno": f"{_KYVERNO_COMMANDS}/cli/kubectl-kyverno",
        "kyverno-admission": f"{_KYVERNO_COMMANDS}/kyverno",
        "kyverno-reports": f"{_KYVERNO_COMMANDS}/reports-controller",
    },
    stamps={"github.com/kyverno/kyverno/pkg/version.BuildVersion": "{version}"},
)
COPA: Final = Module(
    _TOOLS / "copa",
    upstream="github.com/project-copacetic/copacetic",
    programs={"copa": "github.com/project-copacetic/copacetic"},
    stamps={"main.version": "{number}"},  # as its releases are; without it there is no --version
)
BUILDKIT: Final = Module(  # from v0.33.1 on it asks for a Go that PyPI does not have: tools/go.py
    _TOOLS / "buildkit",
    upstream="github.com/moby/buildkit",
    programs={name: f"github.com/moby/buildkit/cmd/{name}" for name in ("buildkitd", "buildctl")},
    stamps={"github.com/moby/buildkit/version.Version": "{version}"},
)
TRIVY: Final = Module(  # never v0.69.4: a malicious release; later ones ask for Go 1.27
    _TOOLS / "trivy",
    upstream="github.com/aquasecurity/trivy",
    programs={"trivy": "github.com/aquasecurity/trivy/cmd/trivy"},
    stamps={"github.com/aquasecurity/trivy/pkg/version/app.ver": "{number}"},
    environment={"GOEXPERIMENT": "jsonv2"},
)
TRIVY_DATABASE: Final = Module(
    _TOOLS / "trivy_database",
    upstream="github.com/aquasecurity/bolt-fixtures",
    programs={"trivy-database": "."},
)
CERT_MANAGER: Final = Module(  # its own programs are modules that the Go proxy does not have: main.go
    _TOOLS / "cert_manager",
    upstream="github.com/cert-manager/cert-manager",
    programs={"cert-manager": "."},
    files={"chart": "deploy/charts/cert-manager"},
)
GATEKEEPER: Final = Module(
    _TOOLS / "gatekeeper",
    upstream="github.com/open-policy-agent/gatekeeper/v3",
    programs={"gatekeeper": "github.com/open-policy-agent/gatekeeper/v3"},  # its images call it manager
    stamps={"github.com/open-policy-agent/gatekeeper/v3/pkg/version.Version": "{version}"},
)
FLUX: Final = Module(  # the image-automation-controller is a module that the Go proxy does not have
    _TOOLS / "flux",
    upstream="github.com/fluxcd/image-reflector-controller",
    programs={"image-reflector-controller": "github.com/fluxcd/image-reflector-controller"},
)
FLUX_CRDS: Final = Module(
    _TOOLS / "flux_crds",
    upstream="sigs.k8s.io/controller-tools",
    programs={"controller-gen": "sigs.k8s.io/controller-tools/cmd/controller-gen"},
)
MODULES: Final = (
    *(ETCD, KUBERNETES, NODE, COREDNS, COPA, BUILDKIT, TRIVY, TRIVY_DATABASE, HELM),
    *(GATEKEEPER, KYVERNO, FLUX, FLUX_CRDS, CERT_MANAGER),
)
"""Those that `make tools` builds."""
