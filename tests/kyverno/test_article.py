"""The article's two policies (its steps 5 and 6, word for word), which ours stand for: Kyverno refuses them."""

from pathlib import Path

import pytest
import yaml

from tests.kyverno.controllers import Kyverno
from tests.kyverno.policies import apply, say
from tests.plane.control_plane import Plane
from tests.plane.manifests import pod
from tests.plane.world import API

ARTICLE = Path(__file__).parent / "article"
NAMES = ("block-unpatched-images", "require-copa-approved-digest")


@pytest.mark.usefixtures("kyverno")
@pytest.mark.parametrize("name", NAMES)
def test_it_is_refused_as_it_is_printed(plane: Plane, name: str) -> None:
    said = plane.kubectl.ask("create", "-f", str(ARTICLE / f"{name}.yaml"))
    assert not said.is_admitted
    assert "variable 'element.image' present outside of foreach at path /validate/message" in say(said)


def test_with_that_mended_it_admits_everything(plane: Plane, kyverno: Kyverno, image_lists: None) -> None:
    """`contains` gives a boolean, which never equals the string "false"; and it looks at containers alone."""
    assert image_lists is None
    mended = [yaml.safe_load((ARTICLE / f"{name}.yaml").read_text(encoding="utf-8")) for name in NAMES]
    for each in mended:
        each["spec"]["rules"][0]["validate"]["message"] = "mended"
        each["spec"]["validationFailureAction"] = "Enforce"
    namespace = plane.make_namespace("article")
    with apply(plane, (*mended, REFUSES_A_MARK)):
        kyverno.wait_until_refused(namespace, pod("example.com/refused:1"))
        said = namespace.create(pod(API))
        assert said.is_admitted, said.errors


REFUSES_A_MARK = {
    "apiVersion": "kyverno.io/v1",
    "kind": "ClusterPolicy",
    "metadata": {"name": "zz-refuses-a-mark"},
    "spec": {
        "rules": [
            {
                "name": "mark",
                "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
                "validate": {
                    "failureAction": "Enforce",
                    "message": "the mark",
                    "pattern": {"spec": {"containers": [{"image": "!example.com/refused:*"}]}},
                },
            }
        ]
    },
}
"""A policy that does refuse, made after the two: once it does, they are in force too."""
