"""Every row of the decision table (docs/decision.md), as a person with kubectl sees it."""

from tests.plane.manifests import pod
from tests.plane.webhooks import Webhook
from tests.plane.world import API, API_PATCHED, API_USE


def test_a_refusal_says_what_to_use_instead(webhook: Webhook) -> None:
    said = webhook.enforce.create(pod(API))
    assert said.errors == (
        'Error from server (PatchAvailable): error when creating "STDIN": admission webhook "enforce.gate.patchgate.io"'
        f" denied the request: {API}: a patched image is available; use {API_USE}"
    )
    assert webhook.enforce.create(pod(API_PATCHED)).is_admitted
