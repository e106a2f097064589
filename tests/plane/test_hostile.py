"""What kube-apiserver lets through to the gate although nobody in their right mind would ask for it."""

import pytest

from tests.plane.manifests import name_of, pod
from tests.plane.webhooks import Guarded
from tests.plane.world import API, API_PATCHED, API_USE

LARGE = [{"name": "BLOB", "value": "x" * 1_500_000}]
"""With it a Pod is as large as etcd takes: 1.5 MiB a request."""


def with_blob(image: str) -> dict[str, object]:
    return pod("", containers=[{"name": "main", "image": image, "env": LARGE}])


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ("nginx\0", "nginx�: "),
        (f"{API_PATCHED}\nnginx", f"{API_PATCHED}�nginx: "),
        ("a" * 5000, f"{'a' * 199}…: "),
        ("NGINX", "NGINX: "),
        ("nginx\x1b[2Jallowed", "nginx�[2Jallowed: "),
        ("nginx\u202ede", "nginx�de: "),
        (f"{API}@{API_USE}", f"{API}@{API_USE}: "),
    ],
    ids=["NUL", "newline", "5,000 characters", "upper case", "escape", "right to left", "two digests"],
)
def test_what_is_no_reference_is_refused_and_shown_tame(guarded: Guarded, image: str, shown: str) -> None:
    reason, message = guarded.webhook.enforce.create(pod(image)).refusal
    assert reason == "InvalidReference"
    assert message.startswith(f"{shown}not an image reference: ")
    assert message.isprintable()


def test_in_a_mode_that_only_warns_it_is_shown_tame_as_well(guarded: Guarded) -> None:
    said = guarded.webhook.warn.create(pod("nginx\n\0"))
    assert said.is_admitted
    assert [warning.startswith("nginx��: not an image reference") for warning in said.warnings] == [True]


def test_a_pod_of_one_and_a_half_megabytes_is_judged(guarded: Guarded) -> None:
    enforce = guarded.webhook.enforce
    assert enforce.create(with_blob(API)).refusal[0] == "PatchAvailable"
    manifest = with_blob(API_PATCHED)
    assert enforce.create(manifest).is_admitted
    # An update sends it twice.
    name = name_of(manifest)
    assert enforce.ask("label", "pod", name, "team=shop").is_admitted
    change = {"spec": {"containers": [{"name": "main", "image": API}]}}
    assert enforce.patch(f"pod/{name}", change).refusal[0] == "PatchAvailable"


def test_a_pod_of_a_hundred_images_is_refused_in_a_message_that_one_can_read(guarded: Guarded) -> None:
    containers = [{"name": f"c{n}", "image": f"{API.partition(':')[0]}:0.{n}"} for n in range(100)]
    reason, message = guarded.webhook.enforce.create(pod("", containers=containers)).refusal
    assert reason == "Unlisted"
    assert message.endswith("; and 90 more")
