"""Images that nobody can scan are never called clean: no list of packages (deleted, to be small), an unknown OS."""

import pytest

from tests.patch.bench import Bench
from tests.patch.oci_layout import write_layout
from tests.patch.second_layer import add_layer
from tests.patch.site import Site

DELETED = {"var/lib/dpkg/.wh.status": b""}  # a whiteout (OCI image specification, layer)
EMPTIED = {"var/lib/dpkg/status": b""}
UNKNOWN = {"etc/os-release": b'ID=debian\nVERSION_ID="99"\n', "etc/debian_version": b"99.1\n"}


@pytest.mark.parametrize(("name", "files"), [("deleted", DELETED), ("emptied", EMPTIED)])
def test_an_image_without_its_list_of_packages_is_never_clean(
    site: Site, bench: Bench, name: str, files: dict[str, bytes]
) -> None:
    layout = write_layout(bench.make_folder() / "layout", bench.debian.roots["tls"])
    image = bench.registry.push(add_layer(layout, files), f"unlisted-packages/{name}", "1.0")
    site.list_images(image)
    run = site.patch()
    assert run.results == {image: "failed"}, run.text
    assert "none of its packages: the image's list of them was deleted" in run.messages[image]
    assert site.read_record(image)["approved_digest"] is None


def test_a_version_of_an_os_that_trivy_does_not_know_is_a_failure_and_never_clean(site: Site, bench: Bench) -> None:
    layout = write_layout(bench.make_folder() / "layout", bench.debian.roots["tls"])
    image = bench.registry.push(add_layer(layout, UNKNOWN), "unknown-os/debian", "1.0")
    site.list_images(image)
    run = site.patch()
    assert run.results == {image: "failed"}, run.text
    assert "does not know debian 99" in run.messages[image]
    assert site.read_record(image)["approved_digest"] is None
