"""What each mode's namespace sees of a refusal, and what the audit log keeps of it."""

from typing import Any

from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import deployment, name_of, pod
from tests.plane.webhooks import Guarded, Webhook
from tests.plane.world import API, API_PATCHED, EXCEPTED, WORKER
from tests.world import digest

USE = f"use {API.partition(':')[0]}@{digest('patched')}"


def read_annotations(plane: Plane, kubectl: Kubectl, name: str) -> dict[str, str]:
    """What the audit log keeps of the making of an object, of our annotations."""

    def find() -> list[dict[str, Any]]:
        return [event for event in plane.read_audit(kubectl.namespace, name) if event["verb"] == "create"]

    wait_until(find, f"{name} in the audit log")
    annotations = find()[0].get("annotations", {})
    return {key: text for key, text in annotations.items() if ".patchgate.io/" in key}


class TestEnforce:
    def test_a_refusal_is_in_the_audit_log(self, plane: Plane, webhook: Webhook) -> None:
        manifest = pod(API)
        assert webhook.enforce.create(manifest).refusal[0] == "PatchAvailable"
        assert read_annotations(plane, webhook.enforce, name_of(manifest)) == {
            "enforce.gate.patchgate.io/mode": "enforce",
            "enforce.gate.patchgate.io/decision": "deny",
            "enforce.gate.patchgate.io/reason": "PatchAvailable",
            "enforce.gate.patchgate.io/images": f"{API} PatchAvailable",
        }

    def test_the_use_of_an_exception_is_in_the_audit_log(self, plane: Plane, webhook: Webhook) -> None:
        manifest = pod(EXCEPTED)
        said = webhook.enforce.create(manifest)
        assert read_annotations(plane, webhook.enforce, name_of(manifest)) == {
            "enforce.gate.patchgate.io/excepted": said.warnings[0].replace(": excepted", " excepted", 1)
        }

    def test_what_is_simply_allowed_is_not(self, plane: Plane, webhook: Webhook) -> None:
        manifest = pod(API_PATCHED)
        assert webhook.enforce.create(manifest).is_admitted
        assert read_annotations(plane, webhook.enforce, name_of(manifest)) == {}


class TestWarn:
    def test_what_would_be_refused_is_admitted_with_warnings(self, plane: Plane, webhook: Webhook) -> None:
        manifest = pod(API)
        said = webhook.warn.create(manifest)
        assert said.out == f"pod/{name_of(manifest)} created\n"
        assert said.warnings == (f"{API}: a patched image is available", USE)
        assert read_annotations(plane, webhook.warn, name_of(manifest)) == {
            "warn.gate.patchgate.io/mode": "warn",
            "warn.gate.patchgate.io/decision": "deny",
            "warn.gate.patchgate.io/reason": "PatchAvailable",
            "warn.gate.patchgate.io/images": f"{API} PatchAvailable",
        }

    def test_a_template_is_warned_about_and_its_pods_run(self, webhook: Webhook) -> None:
        assert webhook.warn.apply(deployment(API)).warnings == (f"{API}: a patched image is available", USE)
        wait_until(
            lambda: webhook.warn.ask("get", "pods", "--selector=app=web", "-o", "name").out, "the Deployment's Pod"
        )


class TestAudit:
    def test_what_would_be_refused_is_admitted_without_a_word(self, plane: Plane, guarded: Guarded) -> None:
        manifest = pod(API, initContainers=[{"name": "init", "image": WORKER}])
        said = guarded.webhook.audit.create(manifest)
        assert (said.code, said.warnings) == (0, ())
        assert read_annotations(plane, guarded.webhook.audit, name_of(manifest)) == {
            "audit.gate.patchgate.io/mode": "audit",
            "audit.gate.patchgate.io/decision": "deny",
            "audit.gate.patchgate.io/reason": "PatchAvailable",
            "audit.gate.patchgate.io/images": f"{API} PatchAvailable",
        }

        def find_logged() -> list[tuple[str, str, str]]:
            lines = (line for line in guarded.gate.events("would deny") if line["object"] == f"Pod/{name_of(manifest)}")
            return [(line["mode"], line["reason"], line["user"]) for line in lines]

        guarded.gate.wait_until(lambda: bool(find_logged()))
        assert find_logged() == [("audit", "PatchAvailable", "admin")]
