"""Writing records: what was read from the contract's example is written back field for field."""

import json

import yaml

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.records import read_records
from patchgate.configmaps.write_records import write_records
from patchgate.policy.part import RecordsPart
from tests.world import FIXTURES, NOW, digest, hours_ago, patched, record, records, snapshot

IMAGE = "registry.example.com/myapp/api:1.4.2"


def read_example(name: str) -> ConfigMap:
    """A ConfigMap of the contract's example."""
    obj = yaml.safe_load((FIXTURES / "configmaps" / f"{name}.yaml").read_text(encoding="utf-8"))
    return ConfigMap(name, {}, obj["data"])


EXAMPLE = read_example("copa-patched-digests")


def read(configmap: ConfigMap) -> RecordsPart:
    return read_records(configmap, None, NOW)


def test_the_contracts_example_is_read_without_a_problem() -> None:
    world = snapshot(read_example("copa-image-list"), EXAMPLE, read_example("copa-exceptions"))
    assert list(world.list_problems(NOW)) == []
    assert world.is_complete
    assert world.generation == 17


def test_the_contracts_records_are_written_field_for_field_and_in_its_order() -> None:
    written = json.loads(write_records(read(EXAMPLE))["records.json"])
    example = json.loads(EXAMPLE.data["records.json"])
    assert written == example
    assert list(written) == list(example)
    for key, fields in example["records"].items():
        assert list(written["records"][key]) == list(fields)


def test_the_contracts_digests_are_written_line_for_line() -> None:
    assert write_records(read(EXAMPLE))["digests.txt"] == EXAMPLE.data["digests.txt"]


def test_what_was_written_is_read_as_an_equal_part() -> None:
    part = read(EXAMPLE)
    assert read(ConfigMap("copa-patched-digests", {}, write_records(part))) == part


def test_a_record_of_which_little_is_known_survives_being_written() -> None:
    part = read(
        records({IMAGE: {"state": "failed", "first_seen": hours_ago(1), "updated": hours_ago(1)}}, last_run=None)
    )
    written = write_records(part)
    assert json.loads(written["records.json"])["last_run"] is None
    assert json.loads(written["records.json"])["records"][IMAGE]["scanner"] is None
    assert read(ConfigMap("copa-patched-digests", {}, written)) == part


def test_records_are_written_in_the_order_of_their_keys() -> None:
    part = read(records({"b.io/b:1": record(), "a.io/a:1": record()}))
    assert list(json.loads(write_records(part)["records.json"])["records"]) == ["a.io/a:1", "b.io/b:1"]


def test_a_line_of_the_articles_script_is_kept_until_its_image_has_a_record() -> None:
    line = f"registry.example.com/myapp/api@{digest('old')}  # patched from {IMAGE} on 20260508"
    assert write_records(read(records(digests=[line])))["digests.txt"] == f"{line}\n"
    with_record = records({IMAGE: patched(f"{IMAGE}-patched-20260509.02")}, digests=[line])
    assert write_records(read(with_record))["digests.txt"] == (
        f"registry.example.com/myapp/api@{digest('patched')}  # patched from {IMAGE} on 20260509\n"
    )


def test_a_record_without_an_approval_has_no_line() -> None:
    assert write_records(read(records({IMAGE: record()})))["digests.txt"] == ""


def test_an_approval_whose_tag_carries_no_date_is_dated_by_its_verification() -> None:
    part = read(records({IMAGE: patched("registry.example.com/myapp/api:stable")}))
    assert write_records(part)["digests.txt"] == (
        f"registry.example.com/myapp/api@{digest('patched')}  # patched from {IMAGE} on 20260509\n"
    )
