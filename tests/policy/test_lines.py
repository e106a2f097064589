"""Where lines end, and which characters make one wrong."""

import sys
import unicodedata

import pytest

from patchgate.policy.lines import Line, read_lines


def test_a_line_ends_at_lf_or_crlf_alone() -> None:
    assert [line.text for line in read_lines("a\r\n\tb \n\nc")] == ["a", "b", "", "c"]
    ends = {chr(code) for code in range(sys.maxunicode + 1) if len(f"a{chr(code)}b".splitlines()) > 1}
    for end in ends - {"\n"}:
        fault = f"delete U+{ord(end):04X} from it, a character that editors do not show"
        assert list(read_lines(f"a{end}b")) == [Line(1, f"a{end}b", fault)]


def test_a_byte_order_mark_is_left_out_at_the_beginning_alone() -> None:
    first, second = read_lines("\ufeffa\n\ufeffb")
    assert (first, second.number) == (Line(1, "a"), 2)
    assert second.note == "delete U+FEFF from it, a character that editors do not show"


@pytest.mark.parametrize("text", ["", "registry.example.com/x:1", "a\t# über uns, 東京", "a\u00a0b"])
def test_what_editors_show_is_no_fault(text: str) -> None:
    assert list(read_lines(text)) == [Line(1, text)]


def test_every_character_that_reorders_text_is_noted() -> None:
    reordering = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    found = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.bidirectional(chr(code)) in reordering]
    assert found
    for character in [*found, "\u200f", "\u00ad", "\u200d"]:
        (line,) = read_lines(f"a{character}b")
        assert (line.fault, bool(line.note)) == ("", True)
