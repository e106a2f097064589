"""The version annotation of a patched index: its source's, and never the tag that Copa was told to push."""

import json

from patchgate.patcher.oci.manifest import restore_version

VERSION = "org.opencontainers.image.version"
COPAS = {"manifests": [], "annotations": {VERSION: "1.0-candidate-20260509", "org.opencontainers.image.source": "git"}}


def restore(source: dict[str, object]) -> object:
    restored = restore_version(json.dumps(COPAS).encode(), json.dumps({"manifests": [], **source}).encode())
    return None if restored is None else json.loads(restored)["annotations"]


def test_the_source_s_version_is_restored_and_all_else_stays() -> None:
    assert restore({"annotations": {VERSION: "1.0"}}) == {
        VERSION: "1.0",
        "org.opencontainers.image.source": "git",
    }


def test_what_had_no_version_gets_none() -> None:
    for source in ({}, {"annotations": None}, {"annotations": {"other": "x"}}):
        assert restore(source) == {"org.opencontainers.image.source": "git"}  # type: ignore[arg-type]


def test_an_index_whose_version_is_right_stays_as_it_is() -> None:
    same = json.dumps({"manifests": [], "annotations": {VERSION: "1.0"}}).encode()
    assert restore_version(same, same) is None
    assert restore_version(b'{"manifests": []}', b'{"manifests": []}') is None
