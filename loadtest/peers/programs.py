"""The built programs that a measurement beside Kyverno needs."""

from dataclasses import dataclass
from pathlib import Path

from loadtest.servers import ServerError
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import ETCD, HELM, KUBERNETES, KYVERNO


@dataclass(frozen=True, slots=True)
class Programs:
    """Folders of the built programs."""

    kubernetes: Path
    etcd: Path
    helm: Path
    kyverno: Path


def find_all_programs() -> Programs:
    """Find the programs.

    Raises:
        ServerError: one of them is not built.
    """
    found = [find_programs(module, find_cache()) for module in (KUBERNETES, ETCD, HELM, KYVERNO)]
    programs = [each for each in found if each]
    if len(programs) < len(found):
        raise ServerError("kube-apiserver, etcd, helm or Kyverno are not built here; make tools does")
    return Programs(*programs)
