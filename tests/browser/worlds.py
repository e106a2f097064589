"""Worlds for the browser: one with 10,000 images, one whose every text a stranger wrote."""

from pathlib import Path

from tests.conftest import write_configmaps
from tests.world import digest, exceptions, hours_ago, image_list, patched, record, records

IMAGES = 10_000
_RECORDED = 3_000
_RECORDS_OF_A_CONFIGMAP = 600
SCRIPT = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
LONG = "x" * 4096
HEBREW = "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"
OVERRIDE = "safe \u202egpj.exe"
EVIL, QUIET = "registry.example.com/team/evil:1", "registry.example.com/team/quiet:1"


def name_image(number: int) -> str:
    return f"registry.example.com/team-{number // 1000}/app-{number:05}:1.0"


def write_many(directory: Path) -> Path:
    """Write 10,000 images; of the first 3,000 a third each is past the SLA, within it, and patched."""
    numbers = range(_RECORDED)
    parts = [
        records(
            {name_image(number): _make_record(number) for number in numbers[start : start + _RECORDS_OF_A_CONFIGMAP]},
            name="copa-patched-digests" + (f"-{part}" if part else ""),
        )
        for part, start in enumerate(range(0, _RECORDED, _RECORDS_OF_A_CONFIGMAP))
    ]
    return write_configmaps(directory, image_list(*map(name_image, range(IMAGES))), *parts)


def _make_record(number: int) -> dict[str, object]:
    own = {"source_digest": digest(f"source {number}"), "source_platforms": {}}
    if number % 3 != 2:
        return record(**own, first_vulnerable=hours_ago(2 if number % 3 else 25 + number / 100))
    name = f"{name_image(number)}-patched-20260509"
    return patched(name, hours_ago(1), **own, approved_digest=digest(f"patched {number}"), approved_platforms={})


def write_hostile(directory: Path) -> Path:
    """Write what strangers may."""
    named = {"name": SCRIPT, "version": LONG, "database": hours_ago(1)}
    return write_configmaps(
        directory,
        image_list(EVIL, QUIET, f"registry.example.com/{SCRIPT}:1", LONG, HEBREW, OVERRIDE, patch_sla_hours=SCRIPT),
        records(
            {
                EVIL: record(message=f"{SCRIPT} {HEBREW} {OVERRIDE}", threshold=SCRIPT, scanner=named),
                QUIET: record(message=LONG, source_digest=digest("quiet"), source_platforms={}),
            }
        ),
        exceptions(
            f"- image: '{QUIET}'\n  reason: {_quote(SCRIPT + HEBREW)}\n  owner: {_quote(OVERRIDE)}\n"
            f"  expires: '{hours_ago(-24)}'\n"
            f"- image: {_quote(SCRIPT)}\n  reason: a\n  owner: b\n  expires: '{hours_ago(-24)}'\n"
        ),
    )


def _quote(text: str) -> str:
    """Quote for YAML: single quotes, doubled within."""
    return "'" + text.replace("'", "''") + "'"
