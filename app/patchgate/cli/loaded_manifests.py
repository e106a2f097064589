"""What was read of manifests: workloads to judge, faults, and what there is nothing to judge in."""

from dataclasses import dataclass, field

from patchgate.policy.workload import Object


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that could not be judged, and what to do.

    Attributes:
        where: the file or directory.
        reason: what is wrong with it.
    """

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something that there is nothing to judge in.

    Attributes:
        what: a file, or objects of one kind.
        count: how many.
        reason: why.
    """

    what: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Workload:
    """An object of a manifest.

    Attributes:
        name: `Kind NAMESPACE/NAME` of it, or of what made it, for people.
        namespace: its own, else the one that was given.
        obj: what it is, or the Pod that its controller makes.
        is_made: whether a controller made it: what it shares with its maker is the maker's.
    """

    name: str
    namespace: str
    obj: Object
    is_made: bool = False


@dataclass(slots=True)
class LoadedManifests:
    """What was read.

    Attributes:
        workloads: what is judged; those that a controller made come last.
        faults: what could not be judged.
        passed_over: what there is nothing to judge in.
        mode_labels: namespace among the objects → the value of its mode label.
    """

    workloads: list[Workload] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)
    mode_labels: dict[str, str] = field(default_factory=dict)
