"""Verdicts: what is decided about one image, with a stable reason code and a sentence that says what to do."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from patchgate.limits import SHOWN_REFERENCE_CHARACTERS, WARNING_CHARACTERS
from patchgate.policy.record import Approval

_UNPRINTABLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u061c\u2060-\u2069\ud800-\udfff\ufeff]"
)

_TWO_DAYS_SECONDS: Final = 2 * 86400
_UNITS: Final = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 60, "min"))
"""Seconds and name of a unit, and of the one below it."""


class Reason(StrEnum):
    """Why, as a code that people and alerts may rely on: those of the decision table, in its order."""

    INVALID_REFERENCE = "InvalidReference"
    EXCEPTED = "Excepted"
    UNQUALIFIED = "Unqualified"
    NOT_TRACKED = "NotTracked"
    APPROVED = "Approved"
    DIGEST_REQUIRED = "DigestRequired"
    STALE = "Stale"
    CACHED_COPY = "CachedCopy"
    PATCH_AVAILABLE = "PatchAvailable"
    UNPATCHABLE = "Unpatchable"
    WITHIN_SLA = "WithinSla"
    SLA_BREACHED = "SlaBreached"
    UNSCANNED = "Unscanned"
    UNLISTED = "Unlisted"
    # Next to the table: a placeholder in a template, no image, an object that cannot be read, a bug in patchgate.
    NO_IMAGE_YET = "NoImageYet"
    NO_IMAGES = "NoImages"
    INVALID_OBJECT = "InvalidObject"
    INTERNAL_ERROR = "InternalError"


class Verdict(Struct, frozen=True, gc=False):
    """What is decided about one image.

    Attributes:
        image: as asked, made fit to show.
        allowed: whether it may run.
        reason: the code.
        text: why, and what to do; without the image.
        approval: what to use instead, by digest, which is `Approved` now; None where there is none.
        warns: whether an allowed image is warned about.
        audit: what the audit log must keep; empty for nothing.
        until: to when the same snapshot gives the same verdict, this instant included; None where nobody reckoned it.
    """

    image: str
    allowed: bool
    reason: Reason
    text: str
    approval: Approval | None = None
    warns: bool = False
    audit: str = ""
    until: datetime | None = None

    @property
    def use(self) -> str | None:
        """The reference to use instead: REPO:TAG@DIGEST."""
        return str(self.approval) if self.approval else None

    @property
    def message(self) -> str:
        """One sentence for people, whole."""
        return f"{self.image.strip() or 'empty image'}: {self.text}" + (f"; use {self.use}" if self.use else "")

    @property
    def warnings(self) -> tuple[str, ...]:
        """The same in lines as kube-apiserver takes them; none for an image that is simply allowed."""
        if self.allowed and not self.warns:
            return ()
        line = fit_beside(self.image.strip() or "empty image", f": {self.text}")
        return (line, f"use {_shorten(self.approval)}") if self.approval else (line,)


def _shorten(approval: Approval) -> str:
    """Name the approval in one warning, whole: a reference that lost its end helps nobody."""
    names = (str(approval), f"{approval.repository}@{approval.digest}", f"its digest {approval.digest}")
    short_enough = (name for name in names if len(name) <= WARNING_CHARACTERS - len("use "))
    return next(short_enough, "the approved digest of its record")


def show(text: str, characters: int = SHOWN_REFERENCE_CHARACTERS) -> str:
    """Make a stranger's text fit to show: without control or direction characters, cut where it is too long."""
    if text.isascii() and text.isprintable() and len(text) <= characters:
        return text
    clean = _UNPRINTABLE.sub("�", text[: characters + 1])
    return clean if len(clean) <= characters else f"{clean[: characters - 1]}…"


def fit_bytes(text: str, size_bytes: int) -> str:
    """Cut a text to so many bytes of UTF-8, and show that it was cut."""
    encoded = text.encode()
    return text if len(encoded) <= size_bytes else encoded[: size_bytes - 3].decode(errors="ignore") + "…"


def fit_beside(name: str, text: str) -> str:
    """Join a name and a text in one warning: the name loses its beginning first, then the text its end."""
    room = max(WARNING_CHARACTERS - len(text), WARNING_CHARACTERS // 3)
    shown = name if len(name) <= room else f"…{name[-(room - 1) :]}"
    return show(f"{shown}{text}", WARNING_CHARACTERS)


def say_duration(duration: timedelta) -> str:
    """Say a duration in its two largest units: `2 d 3 h`, `23 h 5 min`, `24 h`, `4 min`, `12 s`."""
    seconds = max(int(duration.total_seconds()), 0)
    for size, unit, smaller_size, smaller_unit in _UNITS:
        if seconds >= (_TWO_DAYS_SECONDS if unit == "d" else size):  # up to two days people count in hours
            rest = seconds % size // smaller_size
            return f"{seconds // size} {unit}" + (f" {rest} {smaller_unit}" if rest else "")
    return f"{seconds} s"


def say_time(time: datetime) -> str:
    """Say a UTC time as RFC 3339 (section 5.6: with seconds, and a year of four digits), in whole seconds."""
    return f"{time.replace(microsecond=0, tzinfo=None).isoformat()}Z"
