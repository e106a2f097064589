"""Exceptions: which entries hold, which are refused, and what stays when the text breaks."""

from datetime import UTC, datetime

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.exceptions import read_exceptions
from patchgate.policy.part import ExceptionsPart
from tests.world import NOW, exceptions, image_list, snapshot, verdict

GOOD = "{image: 'registry.example.com/good:*', reason: due soon, owner: platform, expires: 2026-05-15T00:00:00Z}"


def read(text: str, previous: ExceptionsPart | None = None) -> ExceptionsPart:
    """Read the text of the exceptions."""
    return read_exceptions(exceptions(text), previous)


def say_patterns(part: ExceptionsPart) -> list[str]:
    return [str(exception.pattern) for exception in part.exceptions]


LAST_GOOD = read(f"- {GOOD}")


def test_an_entry_says_image_namespaces_reason_owner_and_expiry() -> None:
    part = read(
        "- image: registry.example.com/myapp/frontend:*\n"
        "  namespaces: [staging, 'preview-*']\n"
        "  reason: ' vendor fix due on the 14th '\n"
        "  owner: platform@example.com\n"
        "  expires: 2026-05-15T00:00:00Z\n"
    )
    (entry,) = part.exceptions
    assert str(entry.pattern) == "registry.example.com/myapp/frontend:*"
    assert entry.namespaces == ("staging", "preview-*")
    assert (entry.reason, entry.owner) == ("vendor fix due on the 14th", "platform@example.com")
    assert part.problems == ()


@pytest.mark.parametrize(
    "expires",
    [
        "2026-05-15T00:00:00Z",
        "'2026-05-15T00:00:00Z'",
        "2026-05-15 00:00:00Z",
        "2026-05-15T02:00:00+02:00",
        "'2026-05-15T02:00:00+02:00'",
    ],
)
def test_an_expiry_needs_no_quotes_and_may_be_of_any_zone(expires: str) -> None:
    part = read(f"- {{image: a.io/b, reason: r, owner: o, expires: {expires}}}")
    assert [entry.expires for entry in part.exceptions] == [datetime(2026, 5, 15, tzinfo=UTC)]
    assert part.problems == ()


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("{image: a.io/b, owner: o, expires: 2026-05-15T00:00:00Z}", "reason: is missing"),
        ("{image: a.io/b, reason: r, expires: 2026-05-15T00:00:00Z}", "owner: is missing"),
        ("{image: a.io/b, reason: r, owner: o}", "expires: is missing"),
        ("{reason: r, owner: o, expires: 2026-05-15T00:00:00Z}", "image: is missing"),
        (
            "{image: a.io/b, reason: ' ', owner: o, expires: 2026-05-15T00:00:00Z}",
            "reason: must not be empty",
        ),
        ("{image: a.io/b, reason: r, owner: '', expires: 2026-05-15T00:00:00Z}", "owner: must not be empty"),
        (
            "{image: a.io/b, reason: r, owner: 7, expires: 2026-05-15T00:00:00Z}",
            "owner: must be a text",
        ),
        ("{image: a.io/b, reason: r, owner: o, expires: }", "expires: must be a text in RFC 3339"),
        ("{image: a.io/b, reason: r, owner: o, expires: never}", "expires: must be a text in RFC 3339"),
        ("{image: a.io/b, reason: r, owner: o, expires: 2026-05-15}", "expires: must be a text in RFC 3339"),
        ("{image: a.io/b, reason: r, owner: o, expires: 1778846400}", "expires: must be a text in RFC 3339"),
        ("{image: a.io/b, reason: r, owner: o, expires: '1778846400'}", "expires: "),
        (
            "{image: a.io/b, reason: r, owner: o, expires: 2026-05-15T00:00:00}",
            "expires: must be a text in RFC 3339",
        ),
        (
            "{image: a.io/b, namespace: [x], reason: r, owner: o, expires: 2026-05-15T00:00:00Z}",
            "namespace: is not allowed here",
        ),
        (
            "{image: a.io/b, namespaces: [], reason: r, owner: o, expires: 2026-05-15T00:00:00Z}",
            "namespaces: must not be empty",
        ),
        (
            "{image: a.io/b, namespaces: staging, reason: r, owner: o, expires: 2026-05-15T00:00:00Z}",
            "namespaces: must be a list",
        ),
        (
            "{image: a.io/b, namespaces: [''], reason: r, owner: o, expires: 2026-05-15T00:00:00Z}",
            "namespaces.0: must not be empty",
        ),
        ("{image: nginx, reason: r, owner: o, expires: 2026-05-15T00:00:00Z}", "image: write the registry out"),
        ("{image: '*/b', reason: r, owner: o, expires: 2026-05-15T00:00:00Z}", "image: write the registry out"),
        ("{image: a.io/**/b, reason: r, owner: o, expires: 2026-05-15T00:00:00Z}", "image: ** stands alone"),
        ("{image: a.io/B, reason: r, owner: o, expires: 2026-05-15T00:00:00Z}", "image: a repository has lower-case"),
        ("text", "must be an object"),
        ("[1]", "must be an object"),
    ],
)
def test_an_entry_that_is_not_whole_is_refused_with_its_number_and_the_others_stay_in_force(
    entry: str, fault: str
) -> None:
    part = read(f"- {GOOD}\n- {entry}\n")
    assert say_patterns(part) == ["registry.example.com/good:*"]
    assert [problem.place for problem in part.problems] == ["entry 2"]
    assert part.problems[0].reason.startswith(f"refused: {fault}")


def test_an_entry_refused_now_is_not_kept_from_before() -> None:
    part = read("- {image: 'registry.example.com/good:*', reason: due soon, owner: platform}", LAST_GOOD)
    assert part.exceptions == ()
    assert len(part.problems) == 1


BROKEN = [
    pytest.param("- {", "not YAML: while parsing", id="cut off"),
    pytest.param("- [1]\n---\n- [2]\n", "is not one list of exceptions", id="two documents"),
    pytest.param("&me [*me]", "an alias of what holds it", id="a list that holds itself"),
    pytest.param("- !!python/object:os.system {}\n", "not YAML: could not determine a constructor", id="code"),
    pytest.param("- !!bool maybe\n", "not YAML: ", id="a tag that its value does not fit: bool"),
    pytest.param("- !!int ''\n", "not YAML: ", id="a tag that its value does not fit: int"),
    pytest.param("- !!timestamp soon\n", "not YAML: ", id="a tag that its value does not fit: timestamp"),
    pytest.param("image: a.io/b", "is not one list of exceptions", id="an object"),
    pytest.param("a.io/b", "is not one list of exceptions", id="a text"),
]


@pytest.mark.parametrize(("text", "fault"), BROKEN)
def test_a_text_that_is_no_list_in_yaml_keeps_the_last_good_exceptions(text: str, fault: str) -> None:
    part = read(text, LAST_GOOD)
    assert say_patterns(part) == ["registry.example.com/good:*"]
    assert [(problem.configmap, problem.place) for problem in part.problems] == [("copa-exceptions", "exceptions.yaml")]
    assert part.problems[0].reason.startswith(fault)
    assert part.problems[0].reason.endswith("; the last good ones stay in force")
    assert "\n" not in part.problems[0].reason


@pytest.mark.parametrize(("text", "fault"), BROKEN)
def test_a_text_that_is_no_list_in_yaml_excepts_nothing_at_the_start(text: str, fault: str) -> None:
    part = read(text)
    assert part.exceptions == ()
    assert fault in part.problems[0].reason


@pytest.mark.parametrize("text", ["", "# none\n", "[]"])
def test_no_exceptions_at_all_is_valid_and_takes_away_those_before(text: str) -> None:
    assert read(text, LAST_GOOD) == ExceptionsPart("copa-exceptions", (), ())


def test_an_expired_exception_is_ignored_and_reported() -> None:
    world = snapshot(
        image_list("a.io/b:1", unscanned="deny"),
        exceptions("- {image: 'a.io/b:*', reason: r, owner: o, expires: 2026-05-09T12:00:00Z}"),
    )
    assert verdict("a.io/b:1", world).reason == "Unscanned"
    assert [str(problem) for problem in world.list_problems(NOW)] == [
        "copa-exceptions: a.io/b:*: expired at 2026-05-09T12:00:00Z"
    ]


@pytest.mark.parametrize("separator", "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", ids=lambda each: f"U+{ord(each):04X}")
def test_a_comment_does_not_become_an_entry_where_editors_show_no_new_line(separator: str) -> None:
    part = read(f"# note{separator}- {GOOD.replace('good', 'evil')}\n- {GOOD}\n")
    assert say_patterns(part) == ["registry.example.com/good:*"]
    (problem,) = part.problems
    assert problem.place == "exceptions.yaml line 1"
    assert problem.reason == f"delete U+{ord(separator):04X} from it, a character that editors do not show"


def test_entries_may_share_what_an_anchor_names() -> None:
    part = read(f"- &first {GOOD}\n- {{<<: *first, image: 'registry.example.com/other:*'}}\n")
    assert part.problems == ()
    assert say_patterns(part) == ["registry.example.com/good:*", "registry.example.com/other:*"]
    assert [each.owner for each in part.exceptions] == ["platform"] * 2


def test_an_unknown_key_is_reported_with_the_one_that_was_meant() -> None:
    (problem,) = read(f"- {GOOD[:-1]}, namespace: [shop]}}\n").problems
    assert problem.reason == "refused: namespace: is not allowed here; did you mean namespaces?"
    configmap = ConfigMap("copa-exceptions", {}, {"exception.yaml": f"- {GOOD}"})
    assert [str(each) for each in read_exceptions(configmap, None).problems] == [
        "copa-exceptions: exception.yaml: is not a key that patchgate reads; did you mean exceptions.yaml?"
    ]


def test_exceptions_that_are_no_text_keep_the_last_good_ones() -> None:
    part = read_exceptions(ConfigMap("copa-exceptions", {}, {}, frozenset({"exceptions.yaml"})), LAST_GOOD)
    assert say_patterns(part) == ["registry.example.com/good:*"]
    assert [each.reason for each in part.problems] == ["is no text; the last good ones stay in force"]


def test_a_carriage_return_alone_hides_no_second_image_of_an_entry() -> None:
    (entry,) = read(f"- {GOOD[:-1]}, # note\r image: 'registry.example.com/evil/**'\n}}\n").exceptions
    assert str(entry.pattern) == "registry.example.com/good:*"


def test_lines_of_windows_are_read_without_a_problem() -> None:
    part = read(f"# ours\r\n- {GOOD}\r\n")
    assert (say_patterns(part), part.problems) == (["registry.example.com/good:*"], ())
