"""Lines to copy: how kubectl, Flux and Kyverno take the approved image, or keep taking the newest one."""

import json
import re
from dataclasses import dataclass
from shlex import quote
from typing import Final

from patchgate.flux.objects import Followed, make_marker
from patchgate.policy.record import Approval, Record
from patchgate.policy.reference import DOCKER_HUB

_NOT_A_NAME: Final = re.compile(r"[^a-z0-9]+")
_LATEST: Final = ":latest"
_FLUX_NAMESPACE: Final = "flux-system"
"""Where Flux itself is, unless its people put it elsewhere."""
_NAME_CHARACTERS: Final = 63
"""A name that every tool takes (RFC 1123, a label)."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines for one tool.

    Attributes:
        tool: its name.
        purpose: what the lines do, in a sentence.
        text: the lines.
    """

    tool: str
    purpose: str
    text: str


def write_lines(image: str, record: Record | None, approval: Approval | None) -> tuple[Lines, ...]:
    """Write the lines for one image. image: as listed, normalised; approval: what to use now."""
    tagged = image.partition("@")[0]
    lines = [Lines("kubectl", "Which Pods run it:", _find_pods(tagged))]
    if approval and record:
        lines.append(Lines("kubectl", "Use the approved one, by digest:", _set_image(approval)))
        if approval.tag != record.tag:
            lines.append(Lines("Flux", "In Git, for the policy of patchgate flux:", _mark(record, approval)))
            lines.append(Lines("Kyverno", "Put the approved one in its place:", _write_mutation(tagged, approval)))
    return tuple(lines)


def _find_pods(tagged: str) -> str:
    """Write what finds at least the Pods that name the image, in whichever spelling."""
    columns = (
        "NAMESPACE:.metadata.namespace,POD:.metadata.name,"
        "IMAGES:.spec.containers[*].image,INIT:.spec.initContainers[*].image"
    )
    shortest = min(_spell(tagged), key=len)
    return f"kubectl get pods -A -o custom-columns={quote(columns)} | grep -F {quote(shortest)}"


def _spell(tagged: str) -> list[str]:
    """Spell a normalised REPO:TAG as people do: Docker Hub's need neither host nor `library/`, none needs `:latest`."""
    registry, _, path = tagged.partition("/")
    names = [tagged]
    if registry == DOCKER_HUB:
        short = path.removeprefix("library/")
        names = list(dict.fromkeys((tagged, f"{registry}/{short}", path, short)))
    return names + [name.removesuffix(_LATEST) for name in names if name.endswith(_LATEST)]


def _set_image(approval: Approval) -> str:
    return f"kubectl -n NAMESPACE set image deployment/NAME CONTAINER={quote(str(approval))}"


def _mark(record: Record, approval: Approval) -> str:
    """Write the line of a manifest in Git that Flux keeps up to date."""
    return f"image: {approval} {make_marker(Followed(approval.repository, record.tag), _FLUX_NAMESPACE)}"


def _write_mutation(tagged: str, approval: Approval) -> str:
    """Write a rule of a ClusterPolicy that replaces the image in Pods that are made."""
    return f"""\
- name: {_make_name(tagged)}
  match:
    any:
    - resources:
        kinds: [Pod]
        operations: [CREATE]
  mutate:
    foreach:
    - list: request.object.spec.containers
      preconditions:
        all:
        - key: "{{{{ element.image }}}}"
          operator: AnyIn
          value: {json.dumps(_spell(tagged))}
      patchStrategicMerge:
        spec:
          containers:
          - name: "{{{{ element.name }}}}"
            image: {json.dumps(str(approval))}
"""


def _make_name(text: str) -> str:
    """Make a name of Kubernetes' of an image's: its end, which tells it from others."""
    path = text.partition("/")[2] or text
    return _NOT_A_NAME.sub("-", path.lower())[-_NAME_CHARACTERS:].strip("-")
