"""YAML documents: which objects they hold, and what is a ConfigMap among them."""

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.documents import (
    LIST_FAULTS,
    decode_text,
    load_documents,
    load_good_documents,
    read_configmap,
    unfold,
    unfold_good,
)
from patchgate.errors import InvalidManifestError


def read(**fields: object) -> tuple[ConfigMap, list[tuple[str, str]]]:
    """Read a ConfigMap of those fields."""
    return read_configmap({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}} | fields)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", []),
        ("# nothing\n", []),
        ("---\n---\n", []),
        ("kind: Pod", ["Pod"]),
        ('{"kind": "Pod"}', ["Pod"]),
        ("\ufeffkind: Pod\r\n---\r\nkind: Job\r\n", ["Pod", "Job"]),
        ("---\nkind: Pod\n---\n---\nkind: Job\n...\n", ["Pod", "Job"]),
        ("kind: List\nitems: [{kind: Pod}, {kind: Job}]", ["Pod", "Job"]),
        ("kind: PodList\nitems: [{kind: Pod}]\n---\nkind: Job", ["Pod", "Job"]),
        ("kind: List\nitems: [{kind: List, items: [{kind: Pod}]}]", ["Pod"]),
        ("kind: List\nitems: []", []),
        ('{"kind": "Pod"}{"kind": "Job"}', ["Pod", "Job"]),
        ('\n {"kind": "Pod"}\n\n{"kind": "Job"}\n', ["Pod", "Job"]),
        ('{"kind": "Pod"}\n---\n{"kind": "Job"}', ["Pod", "Job"]),
        ("apiVersion: apps/v1\nkind: DeploymentList\nitems: [{metadata: {}}, {kind: Pod}]", ["Deployment", "Pod"]),
        ("kind: WaitingList\nspec: {}", ["WaitingList"]),
        ("kind: WaitingList\nitems: {}", ["WaitingList"]),
    ],
)
def test_every_object_of_every_document_is_given_in_order(text: str, kinds: list[str]) -> None:
    assert [obj["kind"] for document in load_documents(text) for obj in unfold(document)] == kinds


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("{", "not YAML: while parsing", id="cut off"),
        pytest.param("\x00", "not YAML: unacceptable character", id="binary"),
        pytest.param("a: b: c", "not YAML: mapping values are not allowed", id="a colon too many"),
        pytest.param("a: *b", "not YAML: found undefined alias", id="an alias of nothing"),
        pytest.param("kind: !!python/name:os.system", "not YAML: could not determine a constructor", id="code"),
        pytest.param("kind: !!float " + ":".join(["1"] * 200) + ":1.5", "not YAML: ", id="base 60 beyond a float"),
        pytest.param("kind: !!int " + "9" * 5000, "not YAML: no number of 18 digits", id="a number of 5,000 digits"),
        pytest.param(
            "a: &a [1]\nb: &b "
            + str(["*a"] * 99).replace("'", "")
            + "\n"
            + "".join(f"k{n}: &k{n} [{', '.join(['*' + ('b' if n == 0 else f'k{n - 1}')] * 99)}]\n" for n in range(4)),
            "nested deeper than 100 levels, or of more than 1000000 values",
            id="a bomb of aliases",
        ),
        pytest.param(
            "a: &a {"
            + ", ".join(f"k{n}: 1" for n in range(99))
            + "}\n"
            + "".join(
                f"m{n}: &m{n} {{<<: [{', '.join(['*' + (f'm{n - 1}' if n else 'a')] * 99)}]}}\n" for n in range(4)
            ),
            "nested deeper than 100 levels, or of more than 1000000 values",
            id="a bomb of merge keys",
        ),
        pytest.param("<<: 1", "not YAML: while constructing a mapping", id="a merge of what is no mapping"),
        pytest.param("a: &a {<<: *a}", "an alias of what holds it", id="a merge of itself"),
        pytest.param('{"kind": "Pod"}{', "not YAML: ", id="a second JSON value that is cut off"),
        pytest.param("kind: ''", "a document without `kind`", id="an empty kind"),
        pytest.param("{[]: 1}", "not YAML: while constructing a mapping", id="a key that is a list"),
        pytest.param("kind: !!bool maybe", "not YAML: ", id="a tag that its value does not fit: bool"),
        pytest.param("kind: !!int ''", "not YAML: ", id="a tag that its value does not fit: int"),
        pytest.param("kind: !!timestamp soon", "not YAML: ", id="a tag that its value does not fit: timestamp"),
        pytest.param("kind: !!timestamp 2026-05-09", "not YAML: a time must be a text", id="a time"),
        pytest.param("kind: !!int 1:1:1", "not YAML: no number of 18 digits", id="base 60 with a tag"),
        pytest.param("kind: !!int " + ":1" * 500_000, "not YAML: no number of 18 digits", id="half a million of them"),
        pytest.param("? !!int 0x1fffffffffffffff\n: 1", "not YAML: no number", id="keys that hash alike"),
        pytest.param("text", "a document without `kind`", id="a text"),
        pytest.param("[]", "a document without `kind`", id="a list"),
        pytest.param("apiVersion: v1", "a document without `kind`", id="no kind"),
        pytest.param("kind: 1", "a document without `kind`", id="a kind that is a number"),
        pytest.param(
            "kind: List\nitems: [1]", "item 1 of the List: a document without `kind`", id="an item that is no object"
        ),
        pytest.param(
            "kind: List\nitems: &me [{kind: List, items: *me}]",
            "an alias of what holds it",
            id="a List that holds itself",
        ),
    ],
)
def test_what_is_no_object_of_the_api_is_refused_in_one_line(text: str, fault: str) -> None:
    with pytest.raises(InvalidManifestError) as refused:
        [list(unfold(document)) for document in load_documents(text)]
    assert str(refused.value).startswith(fault)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", {"x": 1, "y": 3}),
        ("a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a}", {"x": 1, "y": 2}),
        ("a: &a {x: 1}\nc: &c {x: 2, z: 4}\nb: {<<: *a, <<: *c}", {"x": 2, "z": 4}),
        ("b: {x: 1, <<: {x: 2}, <<: [{x: 3}, {x: 4, y: 5}]}", {"x": 3, "y": 5}),
        ("a: [&a {x: 1}, &c {x: 2, z: 4}]\nb: {<<: [*a, *c]}", {"x": 1, "z": 4}),
        ("a: &a {x: &x {y: 1}}\nb: {<<: *a, x: {<<: *x, z: 2}}", {"x": {"y": 1, "z": 2}}),
        ("b: {'<<': {x: 1}}", {"<<": {"x": 1}}),
        ("b: {x: <<}", {"x": "<<"}),
    ],
)
def test_merge_keys_are_resolved_as_kubectl_does(text: str, value: object) -> None:
    (document,) = load_documents(text)
    assert isinstance(document, dict)
    assert document["b"] == value


def test_an_anchor_that_was_merged_stays_as_it_is() -> None:
    assert load_documents("a: &a {x: 1}\nb: {<<: *a, x: 2}") == [{"a": {"x": 1}, "b": {"x": 2}}]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_text_is_decoded_by_its_byte_order_mark_or_its_nuls(encoding: str, mark: str) -> None:
    text = decode_text((mark + "kind: Pöd").encode(encoding))
    assert load_documents(text) == [{"kind": "Pöd"}]


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("-7", -7), ("010", 8), ("089", 89), ("!!int 5", 5), ("1.50", 1.5), ("!!float 2", 2.0)],
)
def test_numbers_are_read_as_kubectl_does(text: str, value: object) -> None:
    assert load_documents(f"a: {text}") == [{"a": value}]


@pytest.mark.parametrize(
    ("content", "encoding"), [(b"\xc3(", "UTF-8"), (b"\xff\xfe\x00", "UTF-16"), (b"\xff\xfe\x00\x00\x01", "UTF-32")]
)
def test_what_is_no_text_says_how_to_save_it(content: bytes, encoding: str) -> None:
    with pytest.raises(InvalidManifestError, match=f"not {encoding} text: save it as UTF-8"):
        decode_text(content)


def test_one_broken_document_costs_no_other() -> None:
    text = "# head\n%YAML 1.1\n---\nkind: Pod\n--- # two\nkind: [\n---\na: &a 1\n---\nb: *a\n---\nkind: Job\n"
    first, broken, other, undefined, last = load_good_documents(text)
    assert (first, other, last) == ({"kind": "Pod"}, {"a": 1}, {"kind": "Job"})
    assert str(broken).startswith("document 2: not YAML: while parsing")
    assert str(undefined).startswith("document 4: not YAML: found undefined alias")


def test_broken_documents_share_one_budget() -> None:
    bomb = "a: &a [1, 1]\n" + "".join(f"k{n}: &k{n} [{', '.join([f'*{chr(97)}'] * 90)}]\n" for n in range(90))
    *good, last = load_good_documents("---\nkind: [\n" + f"---\n{bomb}" * 100)
    assert str(last).startswith("document 101: nested deeper than 100 levels, or of more than")
    assert len(good) == 100


def test_many_faults_of_one_list_are_counted() -> None:
    *named, last = unfold_good({"kind": "List", "items": [1] * 1000})
    assert len(named) == LIST_FAULTS
    assert str(last) == "990 more faults in items of the List"


def test_lists_within_lists_are_bounded() -> None:
    text = '{"kind":"List","items":[' * 300 + "]}" * 300
    (fault,) = unfold_good(load_documents(text)[0])
    assert str(fault).endswith("Lists within Lists, deeper than 100 levels")


def test_a_configmap_is_its_name_its_labels_and_its_texts() -> None:
    configmap, faults = read(metadata={"name": "a", "labels": {"b": "true"}}, data={"c": "d"}, binaryData={"e": "f"})
    assert configmap == ConfigMap("a", {"b": "true"}, {"c": "d"}, frozenset({"e"}))
    assert faults == [("e", "is binary: must be a text in UTF-8")]


@pytest.mark.parametrize("data", [None, {}, ""])
def test_a_configmap_may_be_empty(data: object) -> None:
    assert read(data=data) == (ConfigMap("a", {}, {}), [])


@pytest.mark.parametrize("labels", [None, [], "b"])
def test_labels_that_are_no_mapping_are_none(labels: object) -> None:
    assert read(metadata={"name": "a", "labels": labels})[0].labels == {}


def test_what_of_the_data_is_no_text_is_empty_and_named() -> None:
    configmap, faults = read(data={"patch_sla_hours": 24, "require_digest": False, 5: "five", "stale": "warn"})
    assert configmap.data == {"patch_sla_hours": "", "require_digest": "", "5": "five", "stale": "warn"}
    assert faults == [
        ("patch_sla_hours", "must be a text: put it in quotes"),
        ("require_digest", "must be a text: put it in quotes"),
    ]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"kind": "Secret"}, "a Secret (v1) is no ConfigMap (v1)"),
        ({"apiVersion": "v2"}, "a ConfigMap (v2) is no ConfigMap (v1)"),
        ({"metadata": None}, "a ConfigMap without metadata.name"),
        ({"metadata": []}, "a ConfigMap without metadata.name"),
        ({"metadata": {"generateName": "a-"}}, "a ConfigMap without metadata.name"),
        ({"metadata": {"name": 7}}, "a ConfigMap without metadata.name"),
        ({"data": ["a"]}, "a: data and binaryData must be mappings"),
        ({"data": "a"}, "a: data and binaryData must be mappings"),
    ],
)
def test_what_is_no_configmap_is_refused(fields: dict[str, object], fault: str) -> None:
    with pytest.raises(InvalidManifestError) as refused:
        read(**fields)
    assert str(refused.value) == fault
