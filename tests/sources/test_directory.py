"""A directory of YAML files as a source: what of it is read, and what costs what."""

from pathlib import Path

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.errors import SourceError
from patchgate.sources.directory import DirectorySource


def write(directory: Path, **files: str) -> None:
    """Write files; in a name `__` stands for the dot of its ending."""
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(text, encoding="utf-8")


def configmap(name: str, data: str = "{}") -> str:
    """A ConfigMap in YAML."""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {data}\n"


def read_whole(directory: Path) -> tuple[dict[str, ConfigMap], list[str]]:
    """The ConfigMaps of the directory, and its problems."""
    taken: list[ConfigMap] = []
    reading = DirectorySource(directory).read(taken.append)
    configmaps = {configmap.name: configmap for configmap in taken}
    assert len(configmaps) == len(taken)
    assert set(configmaps) == reading.names
    return configmaps, [str(problem) for problem in reading.problems]


def read(directory: Path) -> tuple[list[str], list[str]]:
    """The names of the ConfigMaps of the directory, and its problems."""
    configmaps, problems = read_whole(directory)
    return list(configmaps), problems


def test_every_yaml_and_json_file_is_read_in_the_order_of_the_names(tmp_path: Path) -> None:
    write(
        tmp_path,
        c__yaml=configmap("three"),
        b__json='{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}}',
        a__yml=configmap("one"),
    )
    assert read(tmp_path) == (["one", "two", "three"], [])


def test_a_configmap_comes_with_its_labels_and_data(tmp_path: Path) -> None:
    write(tmp_path, a__yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {l: 'true'}}\ndata: {k: ä}\n")
    assert read_whole(tmp_path)[0] == {"a": ConfigMap("a", {"l": "true"}, {"k": "ä"})}


def test_a_file_may_hold_many_documents_and_lists(tmp_path: Path) -> None:
    items = "kind: ConfigMapList\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n"
    write(tmp_path, all__yaml=f"---\n{configmap('a')}---\n{configmap('b')}---\n{items}")
    assert read(tmp_path) == (["a", "b", "c"], [])


def test_files_of_other_endings_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, README__md="{", a__yaml__bak="{", b__YAML="{", __hidden__yaml="{", noending="{")
    (tmp_path / "deeper").mkdir()
    write(tmp_path / "deeper", a__yaml=configmap("deeper"))
    assert read(tmp_path) == ([], [])


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\xff\xfe\x00", "cannot be read: not UTF-16 text: save it as UTF-8"),
        (b"{", "cannot be read: not YAML: while parsing"),
        (b"kind: !!bool maybe", "cannot be read: not YAML: "),
        (b"text", "a document without `kind` is no object of the Kubernetes API"),
        (b"kind: List\nitems: &me [{kind: List, items: *me}]", "cannot be read: an alias of what holds it"),
        (b"apiVersion: v1\nkind: Secret\n", "a Secret (v1) is no ConfigMap (v1)"),
        (b"apiVersion: v1\nkind: ConfigMap\n", "a ConfigMap without metadata.name"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported_and_costs_no_other(tmp_path: Path, content: bytes, fault: str) -> None:
    write(tmp_path, a__yaml=configmap("one"), c__yaml=configmap("three"))
    (tmp_path / "b.yaml").write_bytes(content)
    names, (problem,) = read(tmp_path)
    assert names == ["one", "three"]
    assert problem.startswith(f"b.yaml: {fault}")


def test_a_directory_and_a_link_to_nowhere_that_are_named_like_files_are_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    (tmp_path / "b.yaml").symlink_to(tmp_path / "nowhere")
    assert read(tmp_path) == (
        [],
        ["a.yaml: cannot be read: not a file", "b.yaml: cannot be read: No such file or directory"],
    )


@pytest.mark.parametrize("other", ["apiVersion: v1\nkind: Secret\n", "text: but no object\n", "just text\n"])
def test_a_document_that_is_no_configmap_costs_no_other_of_its_file(tmp_path: Path, other: str) -> None:
    # as the source promises: "A file or document that cannot be read is a problem of its own and costs no other"
    write(tmp_path, a__yaml=f"{configmap('one')}---\n{other}---\n{configmap('two')}")
    names, problems = read(tmp_path)
    assert names == ["one", "two"]
    assert len(problems) == 1


def test_of_two_configmaps_of_one_name_the_first_counts(tmp_path: Path) -> None:
    write(
        tmp_path,
        a__yaml=configmap("same", "{k: first}") + "---\n" + configmap("same", "{k: second}"),
        b__yaml=configmap("same", "{k: third}"),
    )
    configmaps, problems = read_whole(tmp_path)
    assert configmaps["same"].data == {"k": "first"}
    assert problems == [
        "a.yaml: same stands in it twice; the first counts",
        "b.yaml: same stands in a.yaml too, which counts",
    ]


def test_the_second_of_one_name_counts_once_the_first_is_gone(tmp_path: Path) -> None:
    write(tmp_path, a__yaml=configmap("same", "{k: first}"), b__yaml=configmap("same", "{k: second}"))
    source, taken = DirectorySource(tmp_path), list[ConfigMap]()
    source.read(taken.append)
    (tmp_path / "a.yaml").unlink()
    assert source.read(taken.append).names == {"same"}
    assert [each.data["k"] for each in taken] == ["first", "second"]


def test_only_what_changed_is_handed_over_again_or_what_was_to_be_forgotten(tmp_path: Path) -> None:
    write(tmp_path, a__yaml=configmap("a"), b__yaml=configmap("b"))
    source, taken = DirectorySource(tmp_path), list[ConfigMap]()
    source.read(taken.append)
    source.read(taken.append)
    assert [each.name for each in taken] == ["a", "b"]
    write(tmp_path, b__yaml=configmap("b", "{k: v}"))
    source.read(taken.append)
    source.forget(["a", "unknown"])
    source.read(taken.append)
    assert [each.name for each in taken] == ["a", "b", "b", "a"]


def test_data_that_is_no_text_is_reported_under_its_configmap_and_key(tmp_path: Path) -> None:
    write(tmp_path, a__yaml=configmap("copa-image-list", "{patch_sla_hours: 24, stale: warn}"))
    configmaps, problems = read_whole(tmp_path)
    assert configmaps["copa-image-list"].data == {"patch_sla_hours": "", "stale": "warn"}
    assert problems == ["copa-image-list: patch_sla_hours: must be a text: put it in quotes"]


def test_an_empty_directory_is_read_as_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) == ([], [])


def test_a_missing_directory_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as refused:
        DirectorySource(tmp_path / "missing").list_paths()
    assert str(refused.value) == (
        f"--source {tmp_path}/missing: No such file or directory; name a directory of ConfigMaps"
    )


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    write(tmp_path, a__yaml=configmap("one"))
    with pytest.raises(SourceError, match="Not a directory; name a directory of ConfigMaps"):
        DirectorySource(tmp_path / "a.yaml").list_paths()


def test_a_mounted_configmap_is_read_once_and_follows_the_kubelets_swap(tmp_path: Path) -> None:
    for version, name in (("..2026_05_09_12_00_00.1", "before"), ("..2026_05_09_12_01_00.2", "after")):
        (tmp_path / version).mkdir()
        write(tmp_path / version, a__yaml=configmap(name))
    (tmp_path / "..data").symlink_to("..2026_05_09_12_00_00.1")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    source = DirectorySource(tmp_path)
    taken: list[ConfigMap] = []
    assert source.read(taken.append).names == {"before"}
    (tmp_path / "..data_tmp").symlink_to("..2026_05_09_12_01_00.2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert source.read(taken.append).names == {"after"}
    assert [each.name for each in taken] == ["before", "after"]
