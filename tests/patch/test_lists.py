"""What a list may ask for: patterns, digests, repositories of others, lists of teams."""

from tests.patch.bench import Bench
from tests.patch.site import NAMES, Site, approved


def test_a_pattern_stands_for_the_tags_of_today_and_never_for_what_the_patcher_made(site: Site, bench: Bench) -> None:
    made = ("1.0-patched-20260101", "1.0-candidate-20260101", "1.0-patched-20260101.02")
    bench.push("text", "globs/app", "1.0", "1.1", "2.0", *made)
    repository = f"{bench.registry.address}/globs/app"
    site.list_images(f"{repository}:1.*")
    run = site.patch()
    assert run.results == {f"{repository}:1.0": "patched", f"{repository}:1.1": "patched"}, run.text
    assert site.check(f"{repository}:1.0", f"{repository}:2.0", f"{repository}:{made[0]}") == {
        f"{repository}:1.0": "PatchAvailable",
        f"{repository}:2.0": "Unlisted",
        f"{repository}:{made[0]}": "Unlisted",
    }


def test_a_line_with_a_digest_is_that_digest_wherever_its_tag_is_now(site: Site, bench: Bench) -> None:
    image = bench.push("text", "pinned/app", "1.0")
    digest = bench.registry.read_digest("pinned/app", "1.0")
    bench.push("pictures", "pinned/app", "1.0")
    site.list_images(f"{image}@{digest}", f"{image}@{bench.registry.read_digest('pinned/app', '1.0')}")
    run = site.patch()
    assert run.results == {image: "patched"}, run.text
    assert site.read_record(image)["source_digest"] == digest
    (told,) = [line for line in run.log if line["event"] == "does not count"]
    assert (told["configmap"], told["place"]) == (NAMES.image_list, "line 2")


def test_what_is_patched_of_others_goes_where_push_to_says(site: Site, bench: Bench) -> None:
    image = bench.push("text", "upstream/app", "1.0")
    host = bench.registry.address
    site.list_images(image, push_to=f"{host}/upstream = {host}/ours")
    run = site.patch()
    assert run.results == {image: "patched"}, run.text
    record = site.read_record(image)
    assert record["approved_reference"].startswith(f"{host}/ours/app:1.0-patched-")
    assert bench.registry.read_tags("upstream/app") == ["1.0"]
    assert bench.registry.read_digest("ours/app", record["approved_digest"]) == record["approved_digest"]
    assert site.check(image, approved(record)) == {image: "PatchAvailable", approved(record): "Approved"}


def test_a_teams_list_adds_its_images(site: Site, bench: Bench) -> None:
    ours, theirs = bench.push("text", "teams/ours", "1.0"), bench.push("text", "teams/theirs", "1.0")
    site.list_images(ours)
    site.write_configmap("team-images", {"images.txt": f"{theirs}\n{ours}\n"}, {NAMES.label: "true"})
    run = site.patch()
    assert run.results == {ours: "patched", theirs: "patched"}, run.text


def test_one_image_of_the_list_is_patched_alone(site: Site, bench: Bench) -> None:
    one, other = bench.push("text", "alone/one", "1.0"), bench.push("text", "alone/other", "1.0")
    site.list_images(one, other)
    run = site.patch(one)
    assert run.results == {one: "patched"}, run.text
    assert site.check(other) == {other: "Unscanned"}


def test_a_dry_run_says_what_a_run_would_do_and_changes_nothing(site: Site, bench: Bench) -> None:
    image = bench.push("text", "dry/app", "1.0")
    site.list_images(image)
    dry = site.patch("--dry-run")
    assert (dry.exit_code, dry.answer["dry_run"]) == (0, True), dry.text
    assert [each["image"] for each in dry.answer["images"]] == [image]
    assert {request.method for request in dry.requests} == {"HEAD"}
    assert not dry.builds
    assert [file.name for file in site.source.iterdir() if file.suffix == ".yaml"] == [f"{NAMES.image_list}.yaml"]
