"""YAML documents: which objects they hold, and what is a ConfigMap among them."""

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.documents import load_documents, read_configmap, unfold
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
        pytest.param("kind: !!int " + "9" * 5000, "not YAML: Exceeds the limit", id="a number of 5,000 digits"),
        pytest.param(
            "a: &a [1]\nb: &b "
            + str(["*a"] * 99).replace("'", "")
            + "\n"
            + "".join(f"k{n}: &k{n} [{', '.join(['*' + ('b' if n == 0 else f'k{n - 1}')] * 99)}]\n" for n in range(4)),
            "nested deeper than 100 levels, or of more than 1000000 values",
            id="a bomb of aliases",
        ),
        pytest.param("{[]: 1}", "not YAML: while constructing a mapping", id="a key that is a list"),
        pytest.param("kind: !!bool maybe", "not YAML: ", id="a tag that its value does not fit: bool"),
        pytest.param("kind: !!int ''", "not YAML: ", id="a tag that its value does not fit: int"),
        pytest.param("kind: !!timestamp soon", "not YAML: ", id="a tag that its value does not fit: timestamp"),
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


def test_a_configmap_is_its_name_its_labels_and_its_texts() -> None:
    configmap, faults = read(metadata={"name": "a", "labels": {"b": "true"}}, data={"c": "d"}, binaryData={"e": "f"})
    assert configmap == ConfigMap("a", {"b": "true"}, {"c": "d"})
    assert faults == []


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
        ({"data": ["a"]}, "a: data must be a mapping of texts"),
        ({"data": "a"}, "a: data must be a mapping of texts"),
    ],
)
def test_what_is_no_configmap_is_refused(fields: dict[str, object], fault: str) -> None:
    with pytest.raises(InvalidManifestError) as refused:
        read(**fields)
    assert str(refused.value) == fault
