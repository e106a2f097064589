"""The blocks of a document that people copy into a shell, and what they need.

A line right above a block may say `<!-- needs: helm, kube-apiserver -->` or `<!-- exits: 1 -->`. A block marked `sh` is
run; one marked `sh cloud` cannot be here, and its first line says why. A block marked `text` or `json` that follows one
shows what that prints, but for times and dates.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN, CLOUD = "sh", "sh cloud"
RUN_BY_CI = "make test\n"
"""The one block that no test runs: it runs the tests."""
SHOWN = ("text", "json")
NEEDS = {"demo", "helm", "kube-apiserver"}
"""What a page may need: the demo's world, and programs."""
OWN_TESTS = {
    "docs/flux.md": "tests/docs/test_flux_document.py",
    "docs/gatekeeper.md": "tests/gatekeeper/test_document.py",
    "docs/kyverno.md": "tests/kyverno/test_document.py",
}
"""Pages whose blocks a test of their own runs, with what else they need."""
_BLOCK = re.compile(r"(?P<marks>(?:^<!-- .* -->\n)*)^```(?P<kind>.*)\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
_MARK = re.compile(r"^<!-- (needs|exits): (.*) -->$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of a page.

    Attributes:
        page: relative to the repository.
        line: where it begins, from 1.
        kind: what stands behind the fence.
        needs: of NEEDS.
        exits: the exit code that its last command gives.
        shows: what it prints, as the page has it; empty where the page does not say.
    """

    page: str
    line: int
    kind: str
    text: str
    needs: frozenset[str]
    exits: int
    shows: str = ""

    @property
    def place(self) -> str:
        """`PAGE:LINE`."""
        return f"{self.page}:{self.line}"


def list_pages() -> list[str]:
    """List every page that may have such blocks."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "certs/README.md"]
    return sorted(str(page.relative_to(ROOT)) for page in pages)


def read_blocks(page: str) -> list[Block]:
    """Read the blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = [_make_block(page, text, match) for match in _BLOCK.finditer(text)]
    following = [*blocks[1:], None]
    return [
        replace(block, shows=after.text) if after and after.kind in SHOWN else block
        for block, after in zip(blocks, following, strict=False)
    ]


def list_runnable(*, needs_cluster: bool) -> list[str]:
    """List the pages with blocks that are run, by whether any of them needs a cluster or helm."""
    return [
        page
        for page in list_pages()
        if page not in OWN_TESTS
        and (blocks := [block for block in read_blocks(page) if block.kind == RUN])
        and bool(find_needs(blocks) - {"demo"}) is needs_cluster
    ]


def find_needs(blocks: list[Block]) -> set[str]:
    """Find what any of the blocks needs."""
    return {need for block in blocks for need in block.needs}


def write_script(blocks: list[Block]) -> str:
    """Write one script of blocks: the first that fails ends it, and says where. What the nth prints goes to `out.n`."""
    return "\n".join(
        ["set -euo pipefail", *(line for number, block in enumerate(blocks) for line in _write(number, block))]
    )


def _write(number: int, block: Block) -> Iterator[str]:
    yield f"echo 'at {block.place}' >&2"
    if block.exits:
        yield "set +e"
    yield f"{{\n{block.text}}} > out.{number}"
    if block.exits:
        yield "code=$?\nset -e"
        yield f'[ "$code" = {block.exits} ] || {{ echo "exit $code, not {block.exits}" >&2; exit 99; }}'


def _make_block(page: str, text: str, match: re.Match[str]) -> Block:
    marks = dict(_MARK.findall(match["marks"]))
    needs = frozenset(filter(None, marks.get("needs", "").split(", ")))
    assert needs <= NEEDS, f"{page}: {needs - NEEDS} is provided by nobody"
    line = text.count("\n", 0, match.start("text"))
    return Block(page, line, match["kind"], match["text"], needs, int(marks.get("exits", "0")))
