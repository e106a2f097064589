"""Lines to copy: how kubectl, Flux and Kyverno take the approved image, or keep taking the newest one."""

import re
from dataclasses import dataclass
from shlex import quote
from typing import Final

from patchgate.policy.record import Approval, Record

_NOT_A_NAME: Final = re.compile(r"[^a-z0-9]+")
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
            lines.append(Lines("Flux", "Follow the newest approved one:", _write_image_policy(record, approval)))
            lines.append(Lines("Kyverno", "Put the approved one in its place:", _write_mutation(tagged, approval)))
    return tuple(lines)


def _find_pods(tagged: str) -> str:
    columns = "NAMESPACE:.metadata.namespace,POD:.metadata.name,IMAGES:.spec.containers[*].image"
    return f"kubectl get pods -A -o custom-columns={quote(columns)} | grep -F {quote(tagged)}"


def _set_image(approval: Approval) -> str:
    return f"kubectl -n NAMESPACE set image deployment/NAME CONTAINER={quote(str(approval))}"


def _write_image_policy(record: Record, approval: Approval) -> str:
    """Write an ImagePolicy that only patched tags of this source tag match, the newest by date and number."""
    tag = record.tag.replace(".", r"\.")  # the one character of a tag that a pattern reads otherwise
    return f"""\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata:
  name: {_make_name(record.key)}
  namespace: flux-system
spec:
  imageRepositoryRef:
    name: {_make_name(approval.repository)}
  filterTags:
    pattern: '^{tag}-patched-(?P<ts>[0-9]{{8}}(?:\\.[0-9]{{2}})?)$'
    extract: '$ts'
  policy:
    numerical:
      order: asc
  digestReflectionPolicy: IfNotPresent
"""


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
          operator: Equals
          value: {tagged}
      patchStrategicMerge:
        spec:
          containers:
          - name: "{{{{ element.name }}}}"
            image: {approval}
"""


def _make_name(text: str) -> str:
    """Make a name of Kubernetes' of an image's: its end, which tells it from others."""
    path = text.partition("/")[2] or text
    return _NOT_A_NAME.sub("-", path.lower())[-_NAME_CHARACTERS:].strip("-")
