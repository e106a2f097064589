"""The ConfigMap of webhooks: a slip in it must not take the webhooks away."""

import pytest

from patchgate.configmaps.webhooks import KEY, read_webhooks
from patchgate.errors import InvalidManifestError


def test_webhooks_are_read_as_they_are_written() -> None:
    text = "- name: enforce.patchgate.io\n  timeoutSeconds: 3\n- {name: warn.patchgate.io}\n"
    assert read_webhooks({KEY: text}) == (
        {"name": "enforce.patchgate.io", "timeoutSeconds": 3},
        {"name": "warn.patchgate.io"},
    )


@pytest.mark.parametrize(
    "data", [{}, {KEY: ""}, {KEY: "[]"}, {KEY: "{}"}, {KEY: "- a\n"}, {KEY: "- {x: 1}"}, {KEY: "[: "}]
)
def test_what_names_no_webhook_is_refused(data: dict[str, str]) -> None:
    with pytest.raises(InvalidManifestError):
        read_webhooks(data)
