"""The distribution's mirror goes away in the middle of a patch: that image fails, and the next run makes it good."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from tests.patch.bench import Bench
from tests.patch.debian_suites import Suite, read_suites
from tests.patch.oci_layout import write_layout
from tests.patch.second_layer import add_layer
from tests.patch.site import Site, approved
from tests.patch_faults.http_proxy import Action, Asked, Proxy, Reset, run_proxy
from tests.patch_faults.scene import Start, find_processes


def test_a_package_mirror_that_goes_away_in_a_patch_fails_its_image_alone(bench: Bench, start: Start) -> None:
    suites = read_suites()
    with ExitStack() as running:
        mirrors = {suite: running.enter_context(run_proxy(suite.uri)) for suite in (suites.first, *suites.updates)}
        image = push_with(bench, [name_source(suite, proxy) for suite, proxy in mirrors.items()])
        site = Site.make(bench, start.site.database)
        site.list_images(image, start.other)
        first = site.patch(image)
        assert first.results == {image: "patched"}, first.text
        before = approved(site.read_record(image))
        assert all(proxy.asked for proxy in mirrors.values())

        site.database = start.database
        with ExitStack() as going:
            for proxy in mirrors.values():
                going.enter_context(proxy.following(partial(leave_at_a_package, list(mirrors.values()))))
            run = site.patch()
        assert (run.exit_code, run.results) == (1, {image: "failed", start.other: "patched"}), run.text
        assert "the image's packages cannot be fetched: let BuildKit reach their mirror" in run.messages[image]
        assert approved(site.read_record(image)) == before
        assert site.check(before) == {before: "Approved"}
        assert (find_processes(site.temporary), list(site.temporary.iterdir())) == ([], [])

        assert site.patch().results == {image: "patched", start.other: "unchanged"}


def name_source(suite: Suite, proxy: Proxy) -> str:
    return f"deb http://{proxy.address}/ {suite.release} main\n"


def push_with(bench: Bench, sources: Sequence[str]) -> str:
    """Push an image that has its packages from there alone."""
    layout = write_layout(bench.make_folder() / "layout", bench.debian.roots["tls"])
    add_layer(layout, {"etc/apt/sources.list": "".join(sources).encode()})
    return bench.registry.push(layout, "faults/mirror", "1.0")


def leave_at_a_package(mirrors: Sequence[Proxy], asked: Asked) -> Action | None:
    """Answer for the lists; end once a package itself is asked for."""
    if not asked.path.endswith(".deb"):
        return None
    for mirror in mirrors:
        mirror.end()
    return Reset()
