"""The page over HTTP: what it answers, what it lets run in it, and that nothing of a stranger's is more than text."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from prometheus_client import CollectorRegistry

from patchgate.metrics import GateMetrics
from patchgate.policy.part import Problem
from patchgate.server.app import make_app
from patchgate.server.judge import Judge
from patchgate.server.life import Life
from patchgate.server.ops import make_ops_app
from patchgate.server.page.health import Health
from patchgate.server.readiness import NOT_READ, Readiness
from patchgate.server.reporting import Reporter
from tests.conftest import API, FRONTEND, NGINX_BASE, SHOP, WORKER, Answer, GateRunner, ask_app, make_doors
from tests.world import NOW, exceptions, hours_ago, image_list, record, records, snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

    from patchgate.configmaps.configmap import ConfigMap

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
SCRIPT = "<script>alert('x')</script>"


def make_page(*configmaps: "ConfigMap", health: Health | None = None) -> "ASGIApp":
    """The ops listener's application at NOW; without ConfigMaps, before the first snapshot."""
    standing = snapshot(*configmaps) if configmaps else None
    judge = Judge(current=lambda: standing, clock=lambda: NOW)
    metrics = GateMetrics(CollectorRegistry())
    doors = make_app(judge, Reporter(metrics, None), Readiness(judge, Life(0)), lambda: ())  # type: ignore[arg-type] # nothing is logged
    return make_ops_app(judge, metrics.registry, doors, lambda: health or Health())


@pytest.fixture(scope="module")
def page() -> "ASGIApp":
    return make_page(*SHOP)


def get(app: "ASGIApp", path: str) -> Answer:
    return ask_app(app, "GET", path)


class _Tags(HTMLParser):
    """Which elements a page has, with the attributes that would run or style something."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]


def read_tags(answer: Answer) -> _Tags:
    tags = _Tags()
    tags.feed(answer.text)
    return tags


def read_text(answer: Answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


PATHS = ("/", f"/image?name={API}", f"/decision?image={API}&namespace=shop", "/image?name=no", "/?search=nothing")


@pytest.mark.parametrize("path", PATHS)
def test_every_page_lets_nothing_but_its_own_files_run_in_it(page: "ASGIApp", path: str) -> None:
    answer = get(page, path)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    tags = read_tags(answer)
    assert (tags.seen.count("script"), tags.seen.count("style"), tags.inline) == (1, 0, [])


@pytest.mark.parametrize("path", PATHS)
def test_every_address_on_a_page_is_its_own_and_relative(page: "ASGIApp", path: str) -> None:
    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', get(page, path).text)
    assert addresses
    assert [address for address in addresses if not address.startswith(("./", "#"))] == []


def test_its_files_change_their_address_with_their_content(page: "ASGIApp") -> None:
    for link in set(re.findall(r'"\.(/assets/[^"]+)"', get(page, "/").text)):
        answer = get(page, link)
        assert (answer.status, "immutable" in answer.headers["cache-control"]) == (200, True)
        assert re.search(r"\?v=[0-9a-f]{12}$", link)
    assert get(page, "/assets/routes.py").status == 404
    assert get(page, "/assets/..%2froutes.py").status == 404


def test_the_table_tells_of_each_image(page: "ASGIApp") -> None:
    text = read_text(get(page, "/"))
    assert "1 of 5 images is past the patch SLA." in text
    assert "Images 1\u20135 of 5" in text
    assert "myapp/api :1.4.2 registry.example.com patched 1.4.2-patched-20260509" in text


def test_what_does_not_count_is_listed_with_its_line(page: "ASGIApp") -> None:
    text = read_text(get(page, "/"))
    assert "copa-image-list line 6" in text
    assert "1 of the data's entries does not count" in text


def test_it_says_how_the_gate_stands() -> None:
    problem = Problem("source", "", "is gone")
    health = Health(NOW, (problem,), ("the own port does not answer",), NOW.replace(year=2027))
    text = read_text(get(make_page(*SHOP, health=health), "/"))
    assert "Read just now" in text
    assert "Generation 1" in text
    assert "Certificate ends in 365 d" in text
    assert "Not ready: the own port does not answer" in text
    assert "source \u2013 is gone" in text


def test_before_the_first_list_it_says_so_and_why() -> None:
    health = Health(problems=(Problem("copa-image-list", "", "is not there"),), obstacles=(NOT_READ,))
    answer = get(make_page(health=health), "/")
    assert answer.status == 503
    assert "Not ready: the main image list has not been read yet." in read_text(answer)
    assert "is not there" in read_text(answer)
    assert get(make_page(), f"/decision?image={API}").status == 503
    assert get(make_page(), f"/image?name={API}").status == 404


def test_many_problems_are_counted_and_the_first_listed() -> None:
    lines = [f"registry.example.com/no tag {number}" for number in range(130)]
    text = read_text(get(make_page(image_list(*lines), records()), "/"))
    assert "130 of the data's entries do not count" in text
    assert "line 100 " in text
    assert "line 101 " not in text
    assert "And 30 more." in text


@pytest.mark.parametrize(
    ("image", "namespace", "word", "reason", "row"),
    [
        (API, "shop", "is refused", "PatchAvailable", 9),
        (f"{API}-patched-20260509", "", "may run", "Approved", 8),
        (WORKER, "", "may run, with a warning", "WithinSla", 11),
        (FRONTEND, "", "is refused", "SlaBreached", 12),
        (FRONTEND, "staging", "may run, with a warning", "Excepted", 2),
        ("busybox", "", "may run", "NotTracked", 4),
        ("NO IMAGE", "", "is refused", "InvalidReference", 1),
        ("", "", "is refused", "InvalidReference", 1),
    ],
)
def test_the_box_asks_the_decision_and_shows_the_row_that_answered(  # noqa: PLR0917 -- the columns of the table
    page: "ASGIApp", image: str, namespace: str, word: str, reason: str, row: int
) -> None:
    answer = get(page, f"/decision?image={quote(image)}&namespace={namespace}")
    text = read_text(answer)
    assert f"{image or 'An empty image'} {word}. {reason}" in text
    assert f"Row {row} of the table answered" in text
    decided = make_doors(*SHOP)
    body = f'{{"images": ["{image}"], "namespace": "{namespace}"}}'.encode()
    said = ask_app(decided.main, "POST", "/v1/decisions", body).json["images"][0]
    assert (said["reason"], said["allowed"]) == (reason, word != "is refused")


def test_an_images_page_has_its_history_and_its_lines(page: "ASGIApp") -> None:
    text = read_text(get(page, f"/image?name={quote(API)}"))
    assert "Listed in copa-image-list, line 1" in text
    assert "in force, fresh" in text
    assert f"CONTAINER={API}-patched-20260509@sha256:" in text
    assert read_text(get(page, f"/image?name={quote(NGINX_BASE)}"))


def test_an_image_that_is_not_listed_has_no_page(page: "ASGIApp") -> None:
    answer = get(page, f"/image?name={quote(SCRIPT)}")
    assert (answer.status, SCRIPT in read_text(answer)) == (404, True)


@pytest.fixture(scope="module")
def hostile() -> "ASGIApp":
    name = f"team{SCRIPT}"
    return make_page(
        image_list(API, f"registry.example.com/{SCRIPT}:1", "x" * 4096),
        records(
            {
                API: record(
                    message=SCRIPT,
                    threshold=SCRIPT,
                    scanner={"name": SCRIPT, "version": SCRIPT, "database": hours_ago(1)},
                )
            }
        ),
        exceptions(
            f"- {{image: '{WORKER}', reason: \"{SCRIPT}\", owner: '<img src=x>', expires: '{hours_ago(-24)}'}}\n"
            f"- {{image: '{SCRIPT.replace(chr(39), '')}', reason: a, owner: b, expires: '{hours_ago(-24)}'}}\n"
        ),
        health=Health(problems=(Problem(name, SCRIPT, SCRIPT),), obstacles=(SCRIPT,)),
    )


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"/?search={quote(SCRIPT)}",
        f"/image?name={quote(API)}",
        f"/decision?image={quote(SCRIPT)}&namespace={quote(SCRIPT)}",
        f"/decision?image={quote(WORKER)}",
        f"/decision?image={'a' * 4096}",
        f"/image?name={quote(chr(34) + '><img src=x onerror=alert(1)>')}",
    ],
)
def test_whatever_strangers_write_is_text(hostile: "ASGIApp", path: str) -> None:
    answer = get(hostile, path)
    assert SCRIPT not in answer.text
    tags = read_tags(answer)
    assert (tags.seen.count("script"), tags.seen.count("img"), tags.inline) == (1, 0, [])


def test_what_turns_the_direction_of_text_is_not_shown() -> None:
    message = "safe \u202egpj.exe\u202c \u2066x"
    app = make_page(image_list(API), records({API: record(message=message)}))
    for path in ("/", f"/image?name={API}", f"/decision?image={quote(chr(0x202E) + 'nimda')}"):
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", get(app, path).text)


def test_only_a_page_of_rows_is_written() -> None:
    lines = [f"registry.example.com/team/app-{number}:1" for number in range(3000)]
    app = make_page(image_list(*lines), records())
    assert get(app, "/?page=7").text.count('scope="row" role="rowheader"') == 50


@pytest.mark.parametrize("path", ["/", f"/image?name={API}", f"/decision?image={API}", "/v1/images"])
def test_nothing_is_computed_for_readers_who_have_left(page: "ASGIApp", path: str) -> None:
    answer = ask_app(page, "GET", path, b"")
    assert (answer.status, answer.json["message"]) == (503, "nobody waits for it any more")


@pytest.mark.parametrize(("switch", "status"), [("on", 200), ("off", 404)])
def test_a_setting_turns_it_off(shop: "Path", self_signed: GateRunner, switch: str, status: int) -> None:
    with self_signed(shop, "--status-page", switch) as gate:
        assert [gate.ask_ops(path).status for path in ("/", f"/decision?image={API}")] == [status] * 2
        assert gate.ask_ops("/v1/images").status == 200
        assert gate.ask("GET", "/").status == 404
