"""Editing a ConfigMap where it stands in a file: nothing else of the file changes, and no file is spoilt."""

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from patchgate.configmaps.documents import load_documents
from patchgate.configmaps.edit_document import edit_document, make_document
from patchgate.errors import InvalidManifestError

PLAIN = """\
# people's own words
apiVersion: v1
kind: ConfigMap
metadata:
  name: other   # stays
data:
  records.json: "not ours"
---
# before
apiVersion: v1
kind: ConfigMap
metadata:
  name: records
  labels: {team: a}
data:
  # first key
  digests.txt: ''   # to come
  records.json: |
    {"schema": 1}

  # another key
  notes: >
    kept
    as it is
# the end
---
kind: Pod
"""


def edit(text: str, **data: str) -> str:
    return edit_document(text, "records", {key.replace("_", "."): value for key, value in data.items()})


def test_only_the_value_changes_and_comments_other_keys_and_other_documents_stay() -> None:
    edited = edit(PLAIN, records_json='{\n  "schema": 1,\n\n  "x": 2\n}\n', digests_txt="one\ntwo\n")
    assert edited == PLAIN.replace(
        "  digests.txt: ''   # to come\n", "  digests.txt: |   # to come\n    one\n    two\n"
    ).replace('    {"schema": 1}\n\n', '    {\n      "schema": 1,\n\n      "x": 2\n    }\n')


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: records}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: records}\ndata: {}\n",
        "apiVersion: v1\nkind: ConfigMap\ndata: {}  # none yet\nmetadata: {name: records}",
        "apiVersion: v1\nkind: ConfigMap\ndata:\nmetadata: {name: records}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: records}\ndata:\n  records.json:\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: records}\ndata:\n      other: x\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: records}\ndata:\n  records.json: |-\n    {}",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: records\n",
        "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: records}}\n--- {kind: Pod}\n",
        "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: records}, data: {records.json: x}} # flow\n",
        "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: records}, data: {}}\n",
        '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "records"}, "data": {"other": "é"}}',
        '{"apiVersion": "v1", "kind": "ConfigMap",\n\t"metadata": {"name": "records"}}',
        "kind: nothing\n---\nno mapping\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: records\n",
    ],
)
def test_a_key_is_put_into_whatever_shape_the_configmap_has(text: str) -> None:
    edited = edit(text, records_json='{\n  "schema": 1\n}\n', digests_txt="a  # b\n")
    twice = edit(edited, records_json="{}\n", digests_txt="")
    found = [
        each["data"]
        for document in load_documents(twice)
        if isinstance(document, dict)
        for each in document.get("items", [document])
        if each.get("metadata", {}).get("name") == "records"
    ]
    assert [{key: data[key] for key in ("records.json", "digests.txt")} for data in found] == [
        {"records.json": "{}\n", "digests.txt": ""}
    ]


def test_of_two_of_one_name_the_first_is_written() -> None:
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: records}\ndata: {a: x}\n"
    assert edit(f"{one}---\n{one}", a="y").endswith(f"---\n{one}")


def test_a_file_that_holds_none_of_that_name_is_refused() -> None:
    with pytest.raises(InvalidManifestError, match="holds no ConfigMap records"):
        edit("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n", a="y")


def test_a_value_that_stands_elsewhere_by_alias_is_refused_not_spoilt() -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: ConfigMap, metadata: {name: records}, data: &same {a: x}}\n"
        "- {apiVersion: v1, kind: ConfigMap, metadata: {name: other}, data: *same}\n"
    )
    with pytest.raises(InvalidManifestError, match="edited in place"):
        edit(text, a="y")


@example("\tindented")
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t "), max_size=40))
def test_any_text_is_read_back_as_it_was_written(value: str) -> None:
    made = make_document("records", {"a": value, "b": "x\n"})
    assert yaml.safe_load(made)["data"] == {"a": value, "b": "x\n"}
    assert yaml.safe_load(edit(made, b=value))["data"] == {"a": value, "b": value}
