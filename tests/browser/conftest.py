"""A real Chromium that reads the status page of real gates. Every page that a test opens must stay clean."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, expect, sync_playwright

from tests.browser.demo import write_demo
from tests.browser.worlds import write_hostile, write_many
from tests.conftest import Gate, GateRunner
from tests.groups import leave_out

_PATIENCE_MILLISECONDS = 60_000
_NAME = (
    "gate.test"  # a name, so that Chromium takes it for another machine: plain HTTP from there is not a secure context
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", action="store_true", help="take the pictures of docs/images anew")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        leave_out("no Chromium here: make browser installs Debian's")
    with sync_playwright() as playwright:
        # As root Chromium has no sandbox, and /dev/shm may be small in a container.
        flags = ["--no-sandbox", "--disable-dev-shm-usage", f"--host-resolver-rules=MAP {_NAME} 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        expect.set_options(timeout=_PATIENCE_MILLISECONDS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a page did that none should: a console's error, an exception, a request to another host, a dialog."""

    wrong: list[str] = field(default_factory=list)
    _host: str = ""

    def follow(self, page: Page, url: str) -> None:
        self._host = urlsplit(url).netloc
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", self._dismiss)
        page.on("request", self._look_at_host)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.wrong.append(said.text)

    def _dismiss(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _look_at_host(self, asked: Request) -> None:
        if urlsplit(asked.url).netloc != self._host:
            self.wrong.append(asked.url)


Opener = Callable[..., Page]


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.wrong == []


@pytest.fixture
def open_page(chromium: Browser, watch: Watch) -> Iterator[Opener]:
    """Opens a page of a gate in a browser of its own: `open_page(gate, "path", **options of new_context)`."""
    contexts = []

    def open_one(gate: Gate, path: str = "", *, by_name: bool = False, **options: Any) -> Page:  # noqa: ANN401
        url = f"http://{_NAME if by_name else '127.0.0.1'}:{gate.ops_port}/"
        context = chromium.new_context(base_url=url, **({"viewport": {"width": 1280, "height": 800}} | options))
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        watch.follow(page, url)
        page.goto(f"./{path}")
        return page

    yield open_one
    for context in contexts:
        context.close()


@contextmanager
def _run(self_signed: GateRunner, world: Path) -> Iterator[Gate]:
    with self_signed(world) as gate:
        yield gate


@pytest.fixture(scope="session")
def demo(self_signed: GateRunner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """The gate of `make run`: an image in every state."""
    with _run(self_signed, write_demo(tmp_path_factory.mktemp("demo"), datetime.now(UTC))) as gate:
        yield gate


@pytest.fixture(scope="session")
def many(self_signed: GateRunner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate with 10,000 images, each third of them past the SLA."""
    with _run(self_signed, write_many(tmp_path_factory.mktemp("many"))) as gate:
        yield gate


@pytest.fixture(scope="session")
def hostile(self_signed: GateRunner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate whose data strangers wrote."""
    with _run(self_signed, write_hostile(tmp_path_factory.mktemp("hostile"))) as gate:
        yield gate
