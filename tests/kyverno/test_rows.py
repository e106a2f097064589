"""Every row of the decision table (docs/decision.md) through Kyverno, in both forms that ask the gate."""

import re
from collections.abc import Iterator

import pytest

from tests.chart.rendering import Chart
from tests.kyverno.policies import BOTH, Policies, enforce, say
from tests.plane.control_plane import Plane
from tests.plane.manifests import pod
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
    UNLISTED,
    WORKER,
)
from tests.world import digest

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture(scope="module", params=BOTH)
def policies(request: pytest.FixtureRequest, plane: Plane, chart: Chart, url: str) -> Iterator[Policies]:
    with enforce(plane, chart, request.param, url) as enforced:
        yield enforced


@pytest.mark.parametrize(
    ("image", "message"),
    [
        pytest.param(
            "nginx@sha256:zz",
            "nginx@sha256:zz: not an image reference: a digest is sha256: and 64 lower-case hexadecimal digits",
            id="1",
        ),
        pytest.param(PINNED, rf"{PINNED}: must be named by digest; use {PINNED}@{digest('source')}", id="5"),
        pytest.param(
            STALE,
            rf"{STALE}: its approval is stale, last verified {TIME}; the patcher must verify it again, see its record's"
            " message",
            id="6",
        ),
        pytest.param(
            BASE,
            f"{BASE}: a node may hold an older copy of this tag: name the digest, or set imagePullPolicy: Always;"
            f" use {BASE}@{digest('source')}",
            id="7",
        ),
        pytest.param(API, f"{API}: a patched image is available; use {API_USE}", id="8"),
        pytest.param(
            FRONTEND,
            rf"{FRONTEND}: not approved within 24 h of {TIME}: the package mirror does not carry the fix yet; fix that"
            " or request an exception",
            id="11",
        ),
        pytest.param(
            UNLISTED,
            f"{UNLISTED}: not listed, though its repository is tracked: list it or use an approved image",
            id="13",
        ),
    ],
)
def test_a_row_is_refused_in_the_gates_words(policies: Policies, image: str, message: str) -> None:
    said = policies.namespace.create(pod(image))
    assert not said.is_admitted
    assert "block-unpatched-images" in said.errors
    assert re.search(message, say(said)), said.errors


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(EXCEPTED, id="2"),
        pytest.param(NOT_TRACKED, id="3"),
        pytest.param(f"{API.partition(':')[0]}@{digest('patched')}", id="4"),
        pytest.param(f"{PINNED}@{digest('source')}", id="5, by digest"),
        pytest.param(API_PATCHED, id="7"),
        pytest.param(END_OF_LIFE, id="9"),
        pytest.param(WORKER, id="10"),
        pytest.param(NEW, id="12"),
    ],
)
def test_a_row_is_admitted(policies: Policies, image: str) -> None:
    said = policies.namespace.create(pod(image))
    assert said.is_admitted, said.errors


def test_the_pull_policy_is_seen(policies: Policies) -> None:
    always = pod("", containers=[{"name": "main", "image": BASE, "imagePullPolicy": "Always"}])
    assert policies.namespace.create(always).is_admitted
