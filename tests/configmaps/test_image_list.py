"""What an image list says, line by line, and what stays in force when it is emptied."""

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.image_list import read_labelled_list, read_main_list
from patchgate.policy.part import ImageListPart
from tests.world import NOW, digest, image_list, snapshot, team_list

API = "registry.example.com/myapp/api"
PINNED = digest("pinned")


def read(text: str, previous: ImageListPart | None = None) -> ImageListPart:
    """Read a main list."""
    return read_main_list(ConfigMap("copa-image-list", {}, {"images.txt": text}), previous)


def list_lines(part: ImageListPart) -> list[tuple[str, str, str | None, int]]:
    """Each line as (repository, tag, digest, number)."""
    return [(line.repository, line.tag, line.digest, line.number) for lines in part.lines.values() for line in lines]


def say_problems(part: ImageListPart) -> list[str]:
    return [str(problem) for problem in part.problems]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(f"{API}:1.4.2", [(API, "1.4.2", None, 1)], id="a tag"),
        pytest.param(f"{API}:1.4.2@{PINNED}", [(API, "1.4.2", PINNED, 1)], id="a tag with its digest"),
        pytest.param("nginx:1.25", [("docker.io/library/nginx", "1.25", None, 1)], id="a short name is written out"),
        pytest.param("REGISTRY.example.com:443/api:1", [("registry.example.com/api", "1", None, 1)], id="host folded"),
        pytest.param("localhost:5000/api:1", [("localhost:5000/api", "1", None, 1)], id="a registry with a port"),
        pytest.param(f"{API}:1.4.*", [(API, "1.4.*", None, 1)], id="a pattern of tags"),
        pytest.param(f"{API}:*", [(API, "*", None, 1)], id="every tag"),
        pytest.param(f"# why\n{API}:1", [(API, "1", None, 2)], id="a line that is a comment"),
        pytest.param(f"  # why\n{API}:1", [(API, "1", None, 2)], id="a comment that is indented"),
        pytest.param(f"{API}:1 # why\n", [(API, "1", None, 1)], id="a comment after a space"),
        pytest.param(f"{API}:1\t# why\n", [(API, "1", None, 1)], id="a comment after a tab"),
        pytest.param(f"\n\n  \n  {API}:1  \n", [(API, "1", None, 4)], id="blank lines, and spaces around"),
        pytest.param(f"{API}:1\r\n{API}:2\r\n", [(API, "1", None, 1), (API, "2", None, 2)], id="lines of Windows"),
        pytest.param(f"{API}:1\n{API}:1\n", [(API, "1", None, 1)], id="equal lines are one"),
        pytest.param("nginx:1\ndocker.io/library/nginx:1", [("docker.io/library/nginx", "1", None, 1)], id="spelling"),
        pytest.param(f"\ufeff{API}:1\n", [(API, "1", None, 1)], id="a byte order mark"),
        pytest.param(f"{API}:1 # über uns, 東京", [(API, "1", None, 1)], id="a comment in any script"),
        pytest.param("", [], id="empty at the start"),
    ],
)
def test_a_list_that_is_well_formed_is_read_without_a_problem(
    text: str, lines: list[tuple[str, str, str | None, int]]
) -> None:
    part = read(text)
    assert list_lines(part) == lines
    assert part.problems == ()


@pytest.mark.parametrize(
    ("line", "shown", "fault"),
    [
        (API, API, "has no tag: write REPO:TAG or REPO:TAG@DIGEST"),
        (f"{API}@{PINNED}", f"{API}@{PINNED}"[:79] + "…", "has no tag: write REPO:TAG or REPO:TAG@DIGEST"),
        (
            f"{API}:1 {API}:2",
            f"{API}:1 {API}:2",
            "several images on one line: write `images.txt: |` (`>` joins lines), and one image a line",
        ),
        (f"{API}:1 why", f"{API}:1 why", "has a space in it: write one image a line, and # before a comment"),
        (f"{API}:1#2", f"{API}:1#2", "a tag has letters, digits, _ . and -, at most 128"),
        (f"{API}:1@sha256:12", f"{API}:1@sha256:12", "a digest is sha256: and 64 lower-case hexadecimal digits"),
        (f"{API}:", f"{API}:", "a tag has letters, digits, _ . and -, at most 128, and is not empty"),
        (
            f"{API}:1.*@{PINNED}",
            f"{API}:1.*@{PINNED}"[:79] + "…",
            "has * beside a digest: one digest has no pattern of tags",
        ),
        (f"{API}:\x00", f"{API}:�", "delete U+0000 from it, a character that editors do not show"),
        (f"{API}:1 # a\u2028evil:1", f"{API}:1", "delete U+2028 from it, a character that editors do not show"),
        (f"{API}:1 # a\revil:1", f"{API}:1", "delete U+000D from it, a character that editors do not show"),
        (f"{API}:1\u202e", f"{API}:1�", "a tag has letters, digits, _ . and -, at most 128"),
    ],
)
def test_a_line_that_does_not_parse_is_reported_with_its_number_and_its_repository_stays_tracked(
    line: str, shown: str, fault: str
) -> None:
    part = read(f"registry.example.com/other:1\n{line}\n")
    assert say_problems(part) == [f"copa-image-list: line 2: {shown!r}: {fault}"]
    assert part.lines[API] == ()
    assert list_lines(part) == [("registry.example.com/other", "1", None, 1)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "registry.example.com/API:1",
            "a repository has lower-case letters, digits and single separators (. _ - __) between them",
        ),
        ("registry.example.com/*/api:1", "has * outside its tag: list each repository"),
        ("-bad-.example.com/api:1", "the registry is not a host name"),
    ],
)
def test_a_line_whose_repository_does_not_parse_either_tracks_nothing(line: str, fault: str) -> None:
    part = read(line)
    assert say_problems(part) == [f"copa-image-list: line 1: {line!r}: {fault}"]
    assert part.lines == {}


def test_a_bad_line_takes_no_good_line_of_its_repository_away() -> None:
    assert list_lines(read(f"{API}:1\n{API}\n{API}:2\n")) == [(API, "1", None, 1), (API, "2", None, 3)]


def test_of_one_tag_with_two_digests_the_first_line_wins_and_the_second_is_reported() -> None:
    world = snapshot(image_list(f"{API}:1@{PINNED}", f"{API}:1@{digest('other')}", f"{API}:1"))
    assert world.repositories[API].lines["1"].digest == PINNED
    assert [str(problem) for problem in world.list_problems(NOW)] == [
        f"copa-image-list: line 2: {API}:1 stands with another digest in copa-image-list, line 1, and the first counts",
        f"copa-image-list: line 3: {API}:1 stands with another digest in copa-image-list, line 1, and the first counts",
    ]


def test_the_main_list_wins_over_a_labelled_one_that_comes_before_it_by_name() -> None:
    world = snapshot(team_list(f"{API}:1@{digest('other')}", name="a-team"), image_list(f"{API}:1@{PINNED}"))
    assert world.repositories[API].lines["1"].digest == PINNED
    assert [problem.configmap for problem in world.list_problems(NOW)] == ["a-team"]


@pytest.mark.parametrize("data", [{}, {"unlisted": "warn"}], ids=["as Helm makes it", "the policy alone"])
def test_a_main_list_without_the_key_names_no_image_yet_as_an_empty_one(data: dict[str, str]) -> None:
    part = read_main_list(ConfigMap("copa-image-list", {}, data), None)
    assert part.lines == {}
    assert part.problems == ()


def test_a_missing_images_txt_is_reported_beside_a_key_that_nobody_reads() -> None:
    part = read_main_list(ConfigMap("copa-image-list", {}, {"image.txt": f"{API}:1", "unlisted": "warn"}), None)
    assert say_problems(part) == [
        "copa-image-list: image.txt: is not a key that patchgate reads; did you mean images.txt?",
        "copa-image-list: images.txt: is missing: one REPO:TAG or REPO:TAG@DIGEST a line",
    ]
    assert part.lines == {}


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("patch_sla_hour", "did you mean patch_sla_hours?"),
        ("unlistd", "did you mean unlisted?"),
        ("patch-sla-hours", "did you mean patch_sla_hours?"),
        ("Require_Digest", "did you mean require_digest?"),
        ("mirror", "did you mean mirrors?"),
        ("README", "it has images.txt and the policy"),
        ("x" * 253, "it has images.txt and the policy"),
    ],
)
def test_an_unknown_key_is_reported_with_the_one_that_was_meant(key: str, advice: str) -> None:
    part = read_main_list(ConfigMap("copa-image-list", {}, {"images.txt": f"{API}:1", key: "4"}), None)
    (problem,) = part.problems
    assert problem.reason == f"is not a key that patchgate reads; {advice}"
    assert key.startswith(problem.place.rstrip("…"))


def test_of_unknown_keys_without_end_some_are_reported_and_the_rest_is_counted() -> None:
    part = read_main_list(
        ConfigMap("copa-image-list", {}, {"images.txt": API + ":1"} | {f"k{n}": "" for n in range(999)}), None
    )
    assert len(part.problems) == 21
    assert part.problems[-1].reason == "979 more keys that nothing reads"


def test_a_policy_in_a_labelled_list_is_reported() -> None:
    part = read_labelled_list(ConfigMap("team-list", {}, {"images.txt": f"{API}:1", "unlisted": "allow", "stail": "x"}))
    assert part.policy is None
    assert say_problems(part) == [
        "team-list: unlisted: has no effect here: the policy is that of copa-image-list alone",
        "team-list: stail: is not a key that patchgate reads; did you mean stale?",
    ]


def test_a_list_that_is_no_text_decides_nothing_at_the_start_and_keeps_the_last_good_one_later() -> None:
    binary = ConfigMap("copa-image-list", {}, {"unlisted": "allow"}, frozenset({"images.txt"}))
    assert not snapshot(binary).is_complete
    later = snapshot(binary, previous=snapshot(image_list(f"{API}:1")))
    assert later.is_complete
    assert later.find_repository(API)
    assert "images.txt: is no text; the last good list stays in force" in str(list(map(str, later.list_problems(NOW))))


def test_in_a_labelled_list_it_is_always_reported() -> None:
    part = read_labelled_list(ConfigMap("team-list", {}, {}))
    assert say_problems(part) == ["team-list: images.txt: is missing: one REPO:TAG or REPO:TAG@DIGEST a line"]


def test_the_key_taken_away_while_running_keeps_the_lines_and_is_reported() -> None:
    part = read_main_list(ConfigMap("copa-image-list", {}, {}), read(f"{API}:1\n"))
    assert list_lines(part) == [(API, "1", None, 1)]
    assert say_problems(part) == ["copa-image-list: images.txt: is gone; the last good list stays in force"]


@pytest.mark.parametrize("text", ["", "\n", "# nothing here\n"])
def test_a_main_list_emptied_while_running_keeps_its_lines_and_is_reported(text: str) -> None:
    part = read(text, previous=read(f"{API}:1\n"))
    assert list_lines(part) == [(API, "1", None, 1)]
    assert say_problems(part) == [
        "copa-image-list: images.txt: names no image any more; the last good list stays in force"
    ]


def test_a_main_list_emptied_twice_still_keeps_its_lines() -> None:
    assert list_lines(read("", previous=read("", previous=read(f"{API}:1\n")))) == [(API, "1", None, 1)]


def test_a_main_list_that_was_empty_may_stay_so() -> None:
    assert read("", previous=read("")).problems == ()


def test_a_main_list_that_lost_its_images_txt_keeps_its_lines_and_takes_the_new_policy() -> None:
    part = read_main_list(ConfigMap("copa-image-list", {}, {"patch_sla_hours": "48"}), read(f"{API}:1\n"))
    assert list_lines(part) == [(API, "1", None, 1)]
    assert part.policy
    assert part.policy.patch_sla.total_seconds() == 48 * 3600


def test_a_policy_beside_a_labelled_list_counts_for_nothing() -> None:
    configmap = ConfigMap("team-images", {}, {"images.txt": f"{API}:1\n", "unlisted": "allow"})
    part = read_labelled_list(configmap)
    assert part.policy is None
    assert list_lines(part) == [(API, "1", None, 1)]


@pytest.mark.parametrize("separator", "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", ids=lambda each: f"U+{ord(each):04X}")
def test_a_comment_ends_at_a_line_feed_alone(separator: str) -> None:
    part = read(f"# note{separator}registry.example.com/evil/x:1\n{API}:1\n")
    assert list_lines(part) == [(API, "1", None, 2)]
    assert [problem.place for problem in part.problems] == ["line 1"]
    assert f"delete U+{ord(separator):04X} from it" in part.problems[0].reason


@pytest.mark.parametrize("character", ["\u200f", "\u00ad", "\u202e", "\u200d"], ids=lambda each: f"U+{ord(each):04X}")
def test_a_formatting_character_in_a_comment_is_reported_and_the_line_keeps_its_effect(character: str) -> None:
    part = read(f"{API}:1 # ours{character}\n")
    assert list_lines(part) == [(API, "1", None, 1)]
    (problem,) = part.problems
    assert problem.reason.endswith("a character that editors do not show; the line keeps its effect")
    assert part.bad_lines == ()
