"""`copa-exceptions`: time-bound exceptions. One without reason, owner or expiry is refused, the others count."""

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.documents import load_documents
from patchgate.configmaps.fields import Text, Time, convert_to_utc
from patchgate.configmaps.unknown_keys import report_unknown_keys, suggest
from patchgate.errors import InvalidManifestError, InvalidPatternError
from patchgate.policy.exception import ImageException
from patchgate.policy.lines import read_lines
from patchgate.policy.part import ExceptionsPart, Problem
from patchgate.policy.pattern import Pattern
from patchgate.validation import say_fault

KEY: Final = "exceptions.yaml"
_UNSEEN_ENDS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]|\r(?!\n)")
"""What ends a line in YAML 1.1 (5.4) and in no editor, or is no text there: no comment with it must become an entry."""


class _Exception(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One entry. Unknown keys are refused: a misspelt `namespaces` would widen it."""

    image: Text
    namespaces: Annotated[tuple[Text, ...], Meta(min_length=1)] | None = None
    reason: Text
    owner: Text
    expires: Time

    def to_exception(self) -> ImageException:
        return ImageException(
            Pattern.parse(self.image),
            self.namespaces or (),
            self.reason,
            self.owner,
            convert_to_utc(self.expires, "expires"),
        )


def _strip(entry: object) -> object:
    """Leave out the blanks around each text of an entry."""
    match entry:
        case str():
            return entry.strip()
        case list():
            return [_strip(each) for each in entry]
        case dict():
            return {key: _strip(each) for key, each in entry.items()}
        case _:
            return entry


def read_exceptions(configmap: ConfigMap, previous: ExceptionsPart | None) -> ExceptionsPart:
    """Read the exceptions. A text that is no YAML list keeps the last good ones."""
    name, text = configmap.name, configmap.data.get(KEY, "")
    if KEY in configmap.unread:
        return _keep(name, "is no text", previous)
    unknown = report_unknown_keys(configmap, {KEY}, f"exceptions are in {KEY}")
    faults = ((line.number, line.fault or line.note) for line in read_lines(text))
    hidden = [Problem(name, f"{KEY} line {number}", fault) for number, fault in faults if fault]
    try:
        documents = load_documents(_UNSEEN_ENDS.sub(" ", text))
    except InvalidManifestError as error:
        return _keep(name, str(error), previous)
    entries = documents[0] if documents else []
    if not isinstance(entries, list) or len(documents) > 1:
        return _keep(name, "is not one list of exceptions", previous)
    exceptions, problems = [], []
    for number, entry in enumerate(entries, 1):
        try:
            exceptions.append(msgspec.convert(_strip(entry), _Exception).to_exception())
        except msgspec.ValidationError as error:
            problems.append(Problem(name, f"entry {number}", f"refused: {_say_fault(error, entry)}"))
        except (ValueError, InvalidPatternError) as error:
            reason = f"image: {error}" if isinstance(error, InvalidPatternError) else str(error)
            problems.append(Problem(name, f"entry {number}", f"refused: {reason}"))
    return ExceptionsPart(name, tuple(exceptions), (*unknown, *hidden, *problems))


def _say_fault(error: msgspec.ValidationError, entry: object) -> str:
    """Say the first fault; of an unknown key also which one was probably meant."""
    fields = _Exception.__struct_fields__
    unknown = next((str(key) for key in entry if key not in fields), "") if isinstance(entry, dict) else ""
    fault = say_fault(error)
    return fault + (suggest(unknown, fields) if unknown and fault.startswith(f"{unknown}: ") else "")


def _keep(name: str, fault: str, previous: ExceptionsPart | None) -> ExceptionsPart:
    problem = Problem(name, KEY, f"{fault}{'; the last good ones stay in force' if previous else ''}")
    return ExceptionsPart(name, previous.exceptions if previous else (), (problem,))
