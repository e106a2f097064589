"""Every row of the decision table (docs/decision.md), refused and admitted, as a person with kubectl sees it."""

import re
from collections.abc import Iterator

import pytest

from tests.conftest import write_configmaps
from tests.plane.control_plane import Plane
from tests.plane.kubectl import Said
from tests.plane.manifests import pod
from tests.plane.webhooks import Webhook, guard
from tests.plane.world import (
    API,
    API_PATCHED,
    API_USE,
    BASE,
    END_OF_LIFE,
    EXCEPTED,
    FRONTEND,
    NEW,
    NOT_TRACKED,
    PINNED,
    STALE,
    STRICT_WORLD,
    UNLISTED,
    WORKER,
)
from tests.world import digest

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
API_DIGEST = f"{API.partition(':')[0]}@{digest('patched')}"


@pytest.fixture(scope="module")
def strict(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    """The same world under a policy that is set the other way round."""
    with guard(plane, "strict", write_configmaps(tmp_path_factory.mktemp("strict"), *STRICT_WORLD)) as guarded:
        yield guarded.webhook


def pulled(image: str, policy: str) -> dict[str, object]:
    return pod("", containers=[{"name": "main", "image": image, "imagePullPolicy": policy}])


def check_refused(said: Said, reason: str, message: str) -> None:
    assert said.code == 1
    assert said.refusal[0] == reason
    assert re.fullmatch(message, said.refusal[1]), said.refusal[1]


def check_warned(said: Said, *warnings: str) -> None:
    assert said.is_admitted, said.errors
    assert len(said.warnings) == len(warnings)
    assert all(map(re.fullmatch, warnings, said.warnings)), said.warnings


def test_a_refusal_is_printed_whole_and_says_what_to_use(webhook: Webhook) -> None:
    assert webhook.enforce.create(pod(API)).errors == (
        'Error from server (PatchAvailable): error when creating "STDIN": admission webhook "enforce.gate.patchgate.io"'
        f" denied the request: {API}: a patched image is available; use {API_USE}"
    )
    assert webhook.enforce.create(pod(API_USE)).is_admitted


@pytest.mark.parametrize(
    ("image", "reason", "message"),
    [
        pytest.param(
            "nginx@sha256:zz",
            "InvalidReference",
            "nginx@sha256:zz: not an image reference: a digest is sha256: and 64 lower-case hexadecimal digits",
            id="1",
        ),
        pytest.param(
            PINNED, "DigestRequired", rf"{PINNED}: must be named by digest; use {PINNED}@{digest('source')}", id="5"
        ),
        pytest.param(
            STALE,
            "Stale",
            rf"{STALE}: its approval is stale, last verified {TIME}; the patcher must verify it again, see its record's"
            " message",
            id="6",
        ),
        pytest.param(
            BASE,
            "CachedCopy",
            f"{BASE}: a node may hold an older copy of this tag: name the digest, or set imagePullPolicy: Always;"
            f" use {BASE}@{digest('source')}",
            id="7",
        ),
        pytest.param(API, "PatchAvailable", f"{API}: a patched image is available; use {API_USE}", id="8"),
        pytest.param(
            FRONTEND,
            "SlaBreached",
            rf"{FRONTEND}: not approved within 24 h of {TIME}: the package mirror does not carry the fix yet; fix that"
            " or request an exception",
            id="11",
        ),
        pytest.param(
            UNLISTED,
            "Unlisted",
            f"{UNLISTED}: not listed, though its repository is tracked: list it or use an approved image",
            id="13",
        ),
    ],
)
def test_a_row_refuses(webhook: Webhook, image: str, reason: str, message: str) -> None:
    check_refused(webhook.enforce.create(pod(image)), reason, message)


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(pod(NOT_TRACKED), id="3"),
        pytest.param(pod(API_DIGEST), id="4"),
        pytest.param(pod(f"{PINNED}@{digest('source')}"), id="5, by digest"),
        pytest.param(pod(API_PATCHED), id="7"),
        pytest.param(pulled(BASE, "Always"), id="7, always pulled"),
    ],
)
def test_a_row_admits_without_a_word(webhook: Webhook, manifest: dict[str, object]) -> None:
    said = webhook.enforce.create(manifest)
    assert (said.code, said.errors, said.warnings) == (0, "", ())


@pytest.mark.parametrize(
    ("image", "warning"),
    [
        pytest.param(
            EXCEPTED, rf"{EXCEPTED}: excepted until {TIME}: replaced next week \(platform@example.com\)", id="2"
        ),
        pytest.param(
            END_OF_LIFE,
            f"{END_OF_LIFE}: cannot be patched: debian 7 is old; rebuild it on a newer base or ask for an exception",
            id="9",
        ),
        pytest.param(WORKER, rf"{WORKER}: not approved yet; it will be refused in 2[23] h( \d+ min)?", id="10"),
        pytest.param(NEW, f"{NEW}: the patcher has not looked at it yet", id="12"),
    ],
)
def test_a_row_admits_and_warns(webhook: Webhook, image: str, warning: str) -> None:
    check_warned(webhook.enforce.create(pod(image)), warning)


class TestTheOtherPolicy:
    def test_an_approved_tag_must_carry_its_digest(self, strict: Webhook) -> None:
        message = f"{API_PATCHED}: must be named by digest; use {API_USE}"
        check_refused(strict.enforce.create(pod(API_PATCHED)), "DigestRequired", message)
        check_warned(strict.enforce.create(pod(API_USE)))

    def test_what_the_patcher_has_not_looked_at_is_refused(self, strict: Webhook) -> None:
        check_refused(strict.enforce.create(pod(NEW)), "Unscanned", f"{NEW}: the patcher has not looked at it yet")

    def test_what_cannot_be_patched_is_refused(self, strict: Webhook) -> None:
        message = (
            f"{END_OF_LIFE}: cannot be patched: debian 7 is old; rebuild it on a newer base or ask for an exception"
        )
        check_refused(strict.enforce.create(pod(END_OF_LIFE)), "Unpatchable", message)

    def test_what_is_stale_or_not_listed_is_warned_about(self, strict: Webhook) -> None:
        stale = f"{STALE.partition(':')[0]}@{digest('source')}"
        check_warned(strict.enforce.create(pod(stale)), rf"…\S+: its approval is stale, last verified {TIME}")
        warning = f"{UNLISTED}: not listed, though its repository is tracked: list it or use an approved image"
        check_warned(strict.enforce.create(pod(UNLISTED)), warning)
