"""The ConfigMaps of the gate behind the plane: an image for every row of the decision table, a repository each."""

from tests.world import clean, digest, exceptions, hours_ago, image_list, patched, record, records

REGISTRY = "registry.example.com/plane"
API = f"{REGISTRY}/api:1.4.2"
API_PATCHED = f"{API}-patched-20260509"
API_USE = f"{API_PATCHED}@{digest('patched')}"
BASE = f"{REGISTRY}/base:1.25.3"
END_OF_LIFE = f"{REGISTRY}/old:7"
EXCEPTED = f"{REGISTRY}/legacy:0.9"
FRONTEND = f"{REGISTRY}/frontend:3.0.1"
NEW = f"{REGISTRY}/new:0.1"
NOT_TRACKED = "docker.io/library/busybox:1.37"
PINNED = f"{REGISTRY}/pinned:1.0"
ROLLED_OUT = f"{REGISTRY}/rolled:1.0"
ROLLED_OUT_USE = f"{ROLLED_OUT}-patched-20260509@{digest('patched')}"
STALE = f"{REGISTRY}/stale:1.0"
UNLISTED = f"{REGISTRY}/api:1.3.0"
WORKER = f"{REGISTRY}/worker:2.1.0"

LINES = (API, BASE, END_OF_LIFE, EXCEPTED, FRONTEND, NEW, f"{PINNED}@{digest('source')}", ROLLED_OUT, STALE, WORKER)
RECORDS = records(
    {
        API: patched(API_PATCHED, patched=hours_ago(48)),
        BASE: clean(BASE, earlier_sources=[digest("base before")]),
        END_OF_LIFE: record(state="unpatchable", message="debian 7 is old"),
        EXCEPTED: record(first_vulnerable=hours_ago(72)),
        FRONTEND: record(first_vulnerable=hours_ago(72)),
        PINNED: clean(PINNED),
        ROLLED_OUT: patched(f"{ROLLED_OUT}-patched-20260509", patched=hours_ago(2)),
        STALE: clean(STALE, verified=hours_ago(30)),
        WORKER: record(first_vulnerable=hours_ago(1)),
    }
)
EXCEPTIONS = exceptions(
    f"- {{image: '{EXCEPTED}', reason: replaced next week, owner: platform@example.com, expires: '{hours_ago(-48)}'}}\n"
)
WORLD = (image_list(*LINES), RECORDS, EXCEPTIONS)
STRICT_WORLD = (
    image_list(*LINES, require_digest="tracked", unscanned="deny", unpatchable="deny", stale="warn", unlisted="warn"),
    RECORDS,
    EXCEPTIONS,
)
