"""The policies that `make load-peers` measures: on the real Kyverno they refuse what is listed, wherever it stands."""

import pytest

from loadtest.peers.kyverno_lists import make_lists
from loadtest.peers.kyverno_policy import POLICIES, Policy
from loadtest.worlds import name_approved, name_image
from tests.kyverno.controllers import WAIT_SECONDS
from tests.kyverno.policies import apply, say
from tests.kyverno.site import Site
from tests.plane.control_plane import wait_until
from tests.plane.manifests import pod
from tests.plane.webhooks import SYSTEM
from tests.plane.world import NOT_TRACKED

REFUSED = "an image is on the list, and is not approved"
LISTED, APPROVED = name_image(0), name_approved(0)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_listed_image_is_refused_and_an_approved_one_is_not(site: Site, policy: Policy) -> None:
    inside = site.plane.kubectl.inside(SYSTEM)
    namespace = site.plane.make_namespace(f"measured-{policy.name.lower()}")

    def say_of(image: str, **spec: object) -> str:
        return say(namespace.create(pod(image, **spec), "--dry-run=server"))

    for each in make_lists(100, name_approved):
        assert inside.create(each).is_admitted
    try:
        with apply(site.plane, tuple(policy.read_objects())):
            wait_until(lambda: REFUSED in say_of(LISTED), f"{policy.name} in force", WAIT_SECONDS)
            assert REFUSED in say_of(NOT_TRACKED, initContainers=[{"name": "init", "image": LISTED}])
            assert say_of(APPROVED) == say_of(NOT_TRACKED) == ""
    finally:
        inside.do("delete", "configmap", *(each["metadata"]["name"] for each in make_lists(100, name_approved)))
