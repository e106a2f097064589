"""A ConfigMap of records as the patcher reads it, to change it (`edit_book`): with all that somebody wrote there.

What the gate would leave out (a bad record, an unknown field, a line of `digests.txt` without a record) is in it too.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.digests import find_image
from patchgate.configmaps.fields import read_tagged
from patchgate.configmaps.line_notes import KEY as NOTES_KEY
from patchgate.configmaps.records import DIGESTS_KEY, KEY, read_records
from patchgate.policy.part import RecordsPart
from patchgate.policy.policy import Naming

_OWN_FIELDS: Final = frozenset({"schema", "generation", "last_run", "records", NOTES_KEY})


@dataclass(frozen=True, slots=True)
class RecordBook:
    """One ConfigMap of records, and what of it counts.

    Attributes:
        name: the ConfigMap.
        fault: why it must not be written, nor be taken for empty; empty where it may.
        part: what counts, under canonical names.
        bad_records: canonical key → why its record cannot be read.
        size_bytes: its data, UTF-8; about as much once it is changed.
        other_bytes: that part of it that is under keys of others, binary ones too.
        entries: key as it stands there → the record's JSON.
        names: key as it stands there → its canonical name; none where it is no reference.
        other_fields: fields of `records.json` that we do not know.
        lines: of `digests.txt`, each with the canonical name of its image; empty where it has none.
    """

    name: str
    fault: str
    part: RecordsPart
    bad_records: Mapping[str, str]
    size_bytes: int
    other_bytes: int
    entries: Mapping[str, Any]
    names: Mapping[str, str]
    other_fields: Mapping[str, Any]
    lines: tuple[tuple[str, str], ...]

    @property
    def keys(self) -> frozenset[str]:
        """The canonical keys that have a record here that can be read."""
        return frozenset(self.part.records)


def read_book(
    configmap: ConfigMap, naming: Naming, now: datetime, fault: str = "", binary_bytes: int = 0
) -> RecordBook:
    """Read a ConfigMap of records, to write it again.

    now: aware UTC.
    fault: what is known to be wrong with it.
    binary_bytes: its `binaryData`, which counts too.
    """
    part = read_records(configmap, None, now)
    fault = fault or next((problem.reason for problem in part.problems if problem.place == KEY), "")
    content: dict[str, Any] = {}
    try:
        content = json.loads(configmap.data.get(KEY, "").strip() or "{}") if not fault else {}
    except (ValueError, RecursionError) as error:  # what the reader took all the same
        fault = f"is not to be read ({error})"
    entries: dict[str, Any] = content.get("records", {})
    names = {key: name for key in entries if (name := _name(key, naming))}
    good = part.under(naming)
    reasons = {problem.place: problem.reason for problem in part.problems}
    bad = {name: reasons.get(key, "cannot be read") for key, name in names.items() if name not in good.records}
    return RecordBook(
        name=configmap.name,
        fault=fault,
        part=good,
        bad_records=bad,
        size_bytes=count_bytes(configmap.data) + binary_bytes,
        other_bytes=count_bytes({key: text for key, text in configmap.data.items() if key not in {KEY, DIGESTS_KEY}})
        + binary_bytes,
        entries=entries,
        names=names,
        other_fields={key: value for key, value in content.items() if key not in _OWN_FIELDS},
        lines=tuple(_read_lines(configmap.data.get(DIGESTS_KEY, ""), naming)),
    )


def count_bytes(data: Mapping[str, str]) -> int:
    """Count the data as kube-apiserver does (k8s.io/kubernetes, ValidateConfigMap)."""
    return sum(len(key.encode()) + len(text.encode(errors="surrogatepass")) for key, text in data.items())


def _name(key: str, naming: Naming) -> str:
    try:
        reference = read_tagged(key)
    except ValueError:
        return ""
    return f"{naming.canonical(reference.repository)}:{reference.tag}"


def _read_lines(text: str, naming: Naming) -> Iterator[tuple[str, str]]:
    """Give each line as it is (`policy.lines` says where lines end)."""
    for line in text.split("\n"):
        image = find_image(line)
        yield line.removesuffix("\r"), _name(image, naming) if image else ""
