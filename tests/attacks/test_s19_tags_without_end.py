"""S19: a registry whose list of tags has no end, or large pages. A run goes on, ends when told to, and stays small."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.patch_ground import Ground, open_ground
from tests.patcher.http_server import Asked, Reply

if TYPE_CHECKING:
    import subprocess

RUN_SECONDS = 120
PAGE_BYTES = 2**20
PAGES = 61
SLACK_KB = 48 * 1024
"""More than a run with one small page may take: a page, a copy of it, and what Python keeps."""


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with open_ground(tmp_path) as opened:
        yield opened


def page(number: int, *, last: bool, letter: str = "x", tag_bytes: int = 100) -> Reply:
    """A page of tags, none like another."""
    count = PAGE_BYTES // (tag_bytes + 4)
    tags = [f"{letter}{number:05d}-{each:06d}-".ljust(tag_bytes, "0") for each in range(count)]
    link = {} if last else {"Link": f'</v2/shop/api/tags/list?last={number + 1}>; rel="next"'}
    return Reply(200, link, json.dumps({"name": "shop/api", "tags": tags}).encode())


def read_number(asked: Asked) -> int:
    return int(asked.path.rpartition("last=")[2]) if "last=" in asked.path else 0


def count_pages(ground: Ground) -> int:
    return sum("/tags/list" in asked.path for asked in ground.registry.asked)


def finish(process: "subprocess.Popen[str]") -> tuple[list[dict[str, str]], int]:
    """Wait for the end; gives the answer and the most memory it had, in KiB."""
    assert process.stdout
    assert process.stderr
    with process.stdout, process.stderr:
        answer: list[dict[str, str]] = json.load(process.stdout)["images"]
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return answer, usage.ru_maxrss


def test_a_run_that_lists_tags_without_end_ends_when_it_is_told_to(ground: Ground) -> None:
    answer_image = ground.registry.answer

    def answer(asked: Asked) -> Reply:
        if "/tags/list" not in asked.path:
            return answer_image(asked)
        time.sleep(0.05)  # a registry that is slow
        return page(read_number(asked), last=False, tag_bytes=100_000)

    ground.registry.answer = answer
    ground.have_listed("1.*", "1.0")
    process = ground.start("-o", "json")
    deadline = time.monotonic() + RUN_SECONDS
    while count_pages(ground) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    said, log = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 1, log
    images = json.loads(said)["images"]
    assert {image["result"] for image in images} == {"left"}
    assert any("1.* left for the next run: told to end by SIGTERM" in image["message"] for image in images)


def test_a_pattern_that_stands_for_too_much_is_known_by_its_first_matches(ground: Ground) -> None:
    answer_image = ground.registry.answer
    ground.registry.answer = lambda asked: (
        page(read_number(asked), last=False, letter="1.") if "/tags/list" in asked.path else answer_image(asked)
    )
    ground.have_listed("1.*", "1.0")
    process = ground.start("-o", "json")
    said, log = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 1, log
    messages = {image["message"] for image in json.loads(said)["images"] if image["result"] == "failed"}
    assert [message for message in messages if "1.* stands for more than 50 tags" in message]
    assert [image["result"] for image in json.loads(said)["images"]] == ["clean", "failed"]
    assert count_pages(ground) == 1


def test_pages_of_a_mebibyte_do_not_add_up(ground: Ground) -> None:
    answer_image = ground.registry.answer
    lasts = [0]

    def answer(asked: Asked) -> Reply:
        if "/tags/list" not in asked.path:
            return answer_image(asked)
        return page(read_number(asked), last=read_number(asked) == lasts[-1])

    ground.registry.answer = answer
    ground.have_listed("1.*", "1.0")
    first, small = finish(ground.start("-o", "json"))
    lasts.append(PAGES - 1)
    again, large = finish(ground.start("-o", "json"))
    assert [image["result"] for image in (*first, *again)] == ["clean", "unchanged"]
    assert count_pages(ground) == 1 + PAGES
    assert large - small < SLACK_KB, f"{small}, {large} KiB"
