"""A registry that asks for a login: what a right one opens, what is said without one, and that it is never shown."""

import base64
from pathlib import Path

import pytest

from tests.patch.bench import Bench
from tests.patch.registry import PASSWORD, USER, Registry
from tests.patch.site import Run, Site

SECRETS = tuple(
    text.encode() for text in (PASSWORD, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(), "wrong-of-wrongs")
)
LOGINS = {"a wrong one": (USER, "wrong-of-wrongs"), "none": None}


@pytest.fixture
def guarded(site: Site, guarded_registry: Registry) -> Site:
    """A site that reaches the registry with a login, and writes all that a run can write."""
    site.flags = ["--plain-http", guarded_registry.address]
    for flag in ("--metrics-file", "--termination-log", "--vex-directory"):
        site.flags += [flag, str(site.temporary / flag.removeprefix("--"))]
    (site.temporary / "termination-log").touch()
    (site.temporary / "vex-directory").mkdir()
    return site


def find_secrets(site: Site, run: Run, *logs: Path) -> list[str]:
    """Find where a secret stands: in what the run printed, in a file that it wrote, in a log of somebody else's."""
    folders = (site.source, site.temporary)
    files = [*logs, *(file for folder in folders for file in folder.rglob("*") if file.is_file())]
    texts = {"the output": run.text.encode()} | {str(file): file.read_bytes() for file in files}
    return [name for name, text in texts.items() if any(secret in text for secret in SECRETS)]


def test_a_right_login_pulls_and_pushes_and_is_shown_nowhere(
    guarded: Site, bench: Bench, guarded_registry: Registry
) -> None:
    image = bench.push("text", "logins/right", "1.0", to=guarded_registry)
    guarded.list_images(image)
    guarded.log_in(guarded_registry, (USER, PASSWORD))
    run = guarded.patch()
    assert (run.exit_code, run.results) == (0, {image: "patched"}), run.text
    written = {file.name for file in guarded.temporary.rglob("*") if file.is_file()}
    assert {"metrics-file", "termination-log"} < written
    assert any(name.endswith(".vex.json") for name in written)
    assert (guarded.temporary / "termination-log").read_text(encoding="utf-8").startswith("1 image: 1 patched")
    assert find_secrets(guarded, run, bench.buildkit.program.log, guarded_registry.program.log) == []


@pytest.mark.parametrize("login", LOGINS)
def test_without_a_right_login_the_image_fails_with_what_to_do(
    guarded: Site, bench: Bench, guarded_registry: Registry, login: str
) -> None:
    image = bench.push("text", "logins/refused", "1.0", to=guarded_registry)
    other = bench.push("text", "logins/open", "1.0")
    guarded.list_images(image, other)
    if given := LOGINS[login]:
        guarded.log_in(guarded_registry, given)
    run = guarded.patch()
    assert (run.exit_code, run.results) == (1, {image: "failed", other: "patched"}), run.text
    assert "401" in run.messages[image]
    assert guarded_registry.address in run.messages[image]
    assert guarded.read_record(image)["message"] == run.messages[image]
    assert find_secrets(guarded, run, bench.buildkit.program.log) == []


def test_the_right_to_push_is_looked_at_before_anything_is_built(
    guarded: Site, bench: Bench, guarded_registry: Registry
) -> None:
    image = bench.push("text", "logins/nowhere", "1.0")
    host = bench.registry.address
    guarded.list_images(image, push_to=f"{host}/logins = {guarded_registry.address}/ours")
    run = guarded.patch()
    assert (run.exit_code, run.results, run.builds) == (1, {image: "failed"}, set()), run.text
    assert "push" in run.messages[image]
    assert guarded_registry.address in run.messages[image]
