"""A world with an image in every standing, for the page's tests."""

from typing import Any

from patchgate.policy.snapshot import Snapshot
from patchgate.server.page.index import Index
from tests.world import NOW, clean, digest, hours_ago, image_list, patched, record, records, snapshot

TEAM = "registry.example.com/team"
LATE, LATER, SOON, FAILED = f"{TEAM}/late:1", f"{TEAM}/later:1", f"{TEAM}/soon:1", f"{TEAM}/failed:1"
STALE, OLD, DONE, CLEAN = f"{TEAM}/stale:1", f"{TEAM}/old:1", f"{TEAM}/done:1", f"{TEAM}/clean:1"
SCRATCH, NEW = f"{TEAM}/scratch:1", f"{TEAM}/new:1"
BY_URGENCY = [LATER, LATE, STALE, FAILED, SOON, SCRATCH, NEW, OLD, CLEAN, DONE]


def sources(name: str) -> dict[str, Any]:
    return {"source_digest": digest(name), "source_platforms": {"linux/amd64": digest(f"{name} amd64")}}


def approves(name: str) -> dict[str, Any]:
    return {"approved_digest": digest(f"{name} done"), "approved_platforms": {}} | sources(name)


def every_standing() -> Snapshot:
    """Two past the SLA, two within it, one stale, three approved (one whose last run failed), two others."""
    by_key = {
        LATE: record(**sources("late"), first_vulnerable=hours_ago(25)),
        LATER: record(**sources("later"), first_vulnerable=hours_ago(80), message="push refused: 403"),
        SOON: record(**sources("soon"), first_vulnerable=hours_ago(1)),
        FAILED: record(**sources("failed"), state="failed", first_vulnerable=hours_ago(20)),
        STALE: patched(f"{STALE}-patched-20260501", **approves("stale"), verified=hours_ago(30)),
        OLD: patched(f"{OLD}-patched-20260508", **approves("old"), state="failed", verified=hours_ago(20)),
        DONE: patched(f"{DONE}-patched-20260509", **approves("done"), fixable_before={"CRITICAL": 2, "LOW": 5}),
        CLEAN: clean(
            CLEAN,
            **sources("clean"),
            approved_digest=digest("clean"),
            approved_platforms={},
            fixable_before={},
            verified=hours_ago(2),
        ),
        SCRATCH: record(**sources("scratch"), state="unpatchable", fixable_before={}, message="no OS packages"),
    }
    return snapshot(image_list(*BY_URGENCY), records(by_key))


def index_of(world: Snapshot) -> Index:
    return Index.build(world, NOW)
