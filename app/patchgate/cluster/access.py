"""Which cluster is asked, and as whom, where the command line says so. Imports nothing of the Kubernetes client."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Access:
    """The way to a cluster, as kubectl's flags name it.

    Attributes:
        kubeconfig: the file to use, before KUBECONFIG, a Pod's service account and ~/.kube/config; None: those.
        context: the context in it; None: its current one.
    """

    kubeconfig: Path | None = None
    context: str | None = None
