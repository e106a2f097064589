"""What is asked of a registry, and what is believed of its answers."""

import hashlib
import itertools
import json
from collections.abc import Mapping

import pytest

from patchgate.errors import RegistryError
from patchgate.patcher.image import Manifest
from patchgate.patcher.oci.manifest import ACCEPT, INDEX_TYPES, MANIFEST_TYPES
from patchgate.patcher.oci.tags import LINK_CHARACTERS, find_next_page
from tests.patcher.http_server import Asked, Reply
from tests.patcher.oci.conftest import Opened, Servers
from tests.world import digest


def name(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def write(**fields: object) -> bytes:
    return json.dumps(fields).encode()


CONFIG = write(os="linux", architecture="amd64")
MANIFEST = write(schemaVersion=2, mediaType=MANIFEST_TYPES[0], config={"digest": name(CONFIG), "size": 3}, layers=[])
ARM_CONFIG = write(os="linux", architecture="arm64", variant="v8")
ARM_MANIFEST = write(schemaVersion=2, mediaType=MANIFEST_TYPES[1], config={"digest": name(ARM_CONFIG)}, layers=[])
INDEX = write(
    schemaVersion=2,
    mediaType=INDEX_TYPES[0],
    manifests=[
        {"digest": digest("gone"), "platform": {"os": "linux", "architecture": "s390x"}},
        {"digest": name(MANIFEST), "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": digest("second"), "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": name(ARM_MANIFEST), "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {"digest": digest("v7"), "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}},
        {"digest": digest("attestation"), "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": digest("no platform")},
    ],
)


class Stored:
    """A repository `shop/api` that holds manifests and blobs by digest."""

    def __init__(self, *bodies: bytes, tags: Mapping[str, bytes] | None = None) -> None:
        self.bodies = {name(body): body for body in bodies}
        self.tags = {tag: name(body) for tag, body in (tags or {}).items()}

    def __call__(self, asked: Asked) -> Reply:
        reference = asked.path.rsplit("/", 1)[1]
        if asked.method == "PUT":
            assert asked.headers["Content-Type"] == json.loads(asked.body)["mediaType"]
            self.tags[reference] = name(asked.body)
            return Reply(201, {"Docker-Content-Digest": name(asked.body)})
        found = self.tags.get(reference, reference)
        if found not in self.bodies or (asked.path.split("/")[-2] == "manifests" and asked.headers["Accept"] != ACCEPT):
            return Reply(404)
        return Reply(200, {"Docker-Content-Digest": found}, self.bodies[found])


def test_a_digest_costs_one_head(serve: Servers, open_registry: Opened) -> None:
    server = serve(Stored(MANIFEST, tags={"1.0": MANIFEST}))
    registry = open_registry(server.host)
    assert registry.find_digest(f"{server.host}/shop/api", "1.0") == name(MANIFEST)
    assert registry.find_digest(f"{server.host}/shop/api", name(MANIFEST)) == name(MANIFEST)
    assert server.seen == [f"HEAD /v2/shop/api/manifests/{each}" for each in ("1.0", name(MANIFEST))]


def test_what_is_not_there_has_no_digest(serve: Servers, open_registry: Opened) -> None:
    server = serve(Stored())
    assert open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0") is None
    assert open_registry(server.host).find_digest(f"{server.host}/shop/api", digest("x")) is None


def test_a_registry_that_keeps_the_digest_to_itself_is_asked_for_the_manifest(
    serve: Servers, open_registry: Opened
) -> None:
    server = serve(Reply(200, body=MANIFEST))
    assert open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0") == name(MANIFEST)
    assert [each.method for each in server.asked] == ["HEAD", "GET"]


def test_another_digest_than_the_one_asked_for_is_not_believed(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(200, {"Docker-Content-Digest": digest("other")}))
    with pytest.raises(RegistryError, match="by another digest: the registry is broken"):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", digest("api"))


def test_a_manifest_says_its_platform(serve: Servers, open_registry: Opened) -> None:
    server = serve(Stored(MANIFEST, CONFIG))
    assert open_registry(server.host).describe(f"{server.host}/shop/api", name(MANIFEST)) == Manifest(
        name(MANIFEST), is_index=False, platforms={"linux/amd64": name(MANIFEST)}
    )


def test_the_eighth_version_of_arm64_goes_without_saying(serve: Servers, open_registry: Opened) -> None:
    server = serve(Stored(ARM_MANIFEST, ARM_CONFIG))
    described = open_registry(server.host).describe(f"{server.host}/shop/api", name(ARM_MANIFEST))
    assert described.platforms == {"linux/arm64": name(ARM_MANIFEST)}


def test_an_index_has_its_platforms_without_attestations(serve: Servers, open_registry: Opened) -> None:
    server = serve(Stored(INDEX, MANIFEST, CONFIG))
    described = open_registry(server.host).describe(f"{server.host}/shop/api", name(INDEX))
    assert described == Manifest(
        name(INDEX),
        is_index=True,
        platforms={
            "linux/s390x": digest("gone"),
            "linux/amd64": name(MANIFEST),
            "linux/arm64": name(ARM_MANIFEST),
            "linux/arm/v7": digest("v7"),
        },
        unnamed=described.unnamed,
    )
    assert len(described.unnamed) == 1, "one entry has no platform"


def test_content_that_is_not_what_its_digest_names_is_not_believed(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(200, body=MANIFEST + b" "))
    with pytest.raises(RegistryError, match="gives other content than sha256:"):
        open_registry(server.host).describe(f"{server.host}/shop/api", name(MANIFEST))


def test_a_configuration_that_is_another_is_not_believed(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(200, body=MANIFEST), Reply(200, body=ARM_CONFIG))
    with pytest.raises(RegistryError, match="gives other content than sha256:"):
        open_registry(server.host).describe(f"{server.host}/shop/api", name(MANIFEST))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        write(schemaVersion=1, fsLayers=[]),
        write(schemaVersion=2, config={"digest": "x"}, manifests=[]),
        write(schemaVersion=2, config={"digest": "x"}),
    ],
)
def test_what_is_no_image_is_refused(serve: Servers, open_registry: Opened, body: bytes) -> None:
    server = serve(Stored(body))
    with pytest.raises(RegistryError, match=r"is not a manifest|no image that can be patched|has no digest"):
        open_registry(server.host).describe(f"{server.host}/shop/api", name(body))


@pytest.mark.parametrize("config", [b"{}", b"[]", write(os="linux")])
def test_a_manifest_that_hides_its_platform_is_refused(serve: Servers, open_registry: Opened, config: bytes) -> None:
    manifest = write(schemaVersion=2, config={"digest": name(config)})
    server = serve(Stored(manifest, config))
    with pytest.raises(RegistryError, match=r"does not say which platform|no configuration that can be read"):
        open_registry(server.host).describe(f"{server.host}/shop/api", name(manifest))


def test_tags_are_followed_from_page_to_page(serve: Servers, open_registry: Opened) -> None:
    server = serve(
        Reply(200, {"Link": '</v2/shop/api/tags/list?last=1.1&n=2>; rel="next"'}, b'{"tags": ["1.0", "1.1"]}'),
        Reply(200, {"Link": "</v2/shop/api/tags/list?last=1.2>; rel=next"}, b'{"tags": ["1.2", "not a tag"]}'),
        Reply(200, body=b'{"tags": null}'),
    )
    assert list(open_registry(server.host).list_tags(f"{server.host}/shop/api")) == ["1.0", "1.1", "1.2"]
    assert server.seen == [
        "GET /v2/shop/api/tags/list?n=1000",
        "GET /v2/shop/api/tags/list?last=1.1&n=2",
        "GET /v2/shop/api/tags/list?last=1.2",
    ]


@pytest.mark.parametrize(
    "link",
    [
        "http://{here}/v2/shop/api/tags/list?n=1000&last=a",  # docker-registry 2.8 and 3, absolute
        "http://{elsewhere}/v2/shop/api/tags/list?n=1000&last=a",  # behind a proxy that it does not know
        "/artifactory/api/docker/local/v2/shop/api/tags/list?n=1000&last=a",  # a prefix added
        "/shop/api/tags/list?n=1000&last=a",  # a prefix lacking
        "?n=1000&last=a",
    ],
)
def test_pages_follow_by_their_query_on_the_host_and_path_that_was_asked(
    serve: Servers, open_registry: Opened, link: str
) -> None:
    elsewhere = serve(Reply(200))

    def answer(asked: Asked) -> Reply:
        if "last=a" in asked.path:
            return Reply(200, body=b'{"tags":["b"]}')
        next_page = link.format(here=server.host, elsewhere=elsewhere.host)
        return Reply(200, {"Link": f'<{next_page}>; rel="next"'}, b'{"name":"shop/api","tags":["a"]}')

    server = serve(answer)
    assert list(open_registry(server.host).list_tags(f"{server.host}/shop/api")) == ["a", "b"]
    assert server.seen[1] == "GET /v2/shop/api/tags/list?n=1000&last=a"
    assert not elsewhere.asked


@pytest.mark.parametrize("link", ["<" * 60_000, "<a>" * 3000, ";" * 60_000, '<?last=a>; rel="next"' + " " * 60_000])
def test_a_link_that_is_longer_than_any_names_no_page(serve: Servers, open_registry: Opened, link: str) -> None:
    server = serve(Reply(200, {"Link": link}, b'{"tags": ["a"]}'))
    with pytest.raises(RegistryError, match=r"a Link header of \d+ characters names no page of tags"):
        list(open_registry(server.host).list_tags(f"{server.host}/shop/api"))


@pytest.mark.parametrize(
    ("link", "page"),
    [
        ('<?last=a>; rel="prev", <?last=b>; rel="next"', "/v2/x?last=b"),
        ('<?last=b>; rel="next", <?last=a>; rel="prev"', "/v2/x?last=b"),
        ('<?last=b>;title="x; y";REL=next;a=b', "/v2/x?last=b"),
        ('<?last=b>; rel="nextfoo"', None),
        ('<?last=b>; rel="previous"', None),
        ("<" * LINK_CHARACTERS, None),
        ("<a>;" + " " * (LINK_CHARACTERS - 4), None),
    ],
)
def test_the_link_of_the_next_page_is_found(link: str, page: str | None) -> None:
    assert find_next_page("/v2/x", link) == page


def test_strings_of_a_page_that_are_no_tags_are_left_out(serve: Servers, open_registry: Opened) -> None:
    page = json.dumps({"tags": ["1.0", 'a"1.1"', "\\" * 100_000, "", "-x", "1.2"]}).encode()
    server = serve(Reply(200, body=page))
    assert set(open_registry(server.host).list_tags(f"{server.host}/shop/api")) <= {"1.0", "1.2", "1.1"}


def test_a_page_is_asked_for_when_the_one_before_is_used_up(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(200, {"Link": '<?last=b>; rel="next"'}, b'{"tags": ["a", "b"]}'))
    tags = open_registry(server.host).list_tags(f"{server.host}/shop/api")
    assert [next(tags), next(tags)] == ["a", "b"]
    assert len(server.asked) == 1


def test_a_stop_ends_a_list_between_two_pages(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(200, {"Link": '<?last=a>; rel="next"'}, b'{"tags": ["a"]}'))
    tags = open_registry(server.host).list_tags(f"{server.host}/shop/api")
    assert next(tags) == "a"
    open_registry.stop.set()
    with pytest.raises(RegistryError, match=f"^stopped before {server.host}/shop/api had listed its tags$"):
        next(tags)
    assert len(server.asked) == 1


def test_a_list_has_a_time_of_its_own(serve: Servers, open_registry: Opened) -> None:
    numbers = itertools.count()
    server = serve(lambda _: Reply(200, {"Link": f'<?last={next(numbers)}>; rel="next"'}, b'{"tags": ["a"]}'))
    seconds = iter(range(0, 1000, 100))
    tags = open_registry(server.host, clock=lambda: next(seconds)).list_tags(f"{server.host}/shop/api")
    with pytest.raises(RegistryError, match=r"takes longer than 300 s to list its tags"):
        list(tags)
    assert len(server.asked) == 3


def test_a_page_of_many_megabytes_is_read(serve: Servers, open_registry: Opened) -> None:
    tags = [f"{'long-' * 20}{number}" for number in range(15_000)]
    details = {digest(str(number)): {"tag": [], "timeUploadedMs": "1", "mediaType": "x" * 60} for number in range(5000)}
    page = json.dumps({"child": [], "manifest": details, "name": "shop/api", "tags": tags}).encode()
    server = serve(Reply(200, body=page))
    assert len(page) > 2_000_000
    assert list(open_registry(server.host).list_tags(f"{server.host}/shop/api")) == tags


def test_pages_of_tags_that_never_end_are_left(
    serve: Servers, open_registry: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchgate.patcher.oci.registry.TAG_PAGES", 20)
    numbers = itertools.count()
    server = serve(lambda _: Reply(200, {"Link": f'<?last={next(numbers)}>; rel="next"'}, b'{"tags": []}'))
    with pytest.raises(RegistryError, match="has more than 20 pages of tags"):
        list(open_registry(server.host).list_tags(f"{server.host}/shop/api"))
    assert len(server.asked) == 20


def test_pages_of_tags_in_a_circle_are_left_at_once(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(200, {"Link": '</v2/shop/api/tags/list?last=a>; rel="next"'}, b'{"tags": []}'))
    with pytest.raises(RegistryError, match="lists its pages of tags in a circle"):
        list(open_registry(server.host).list_tags(f"{server.host}/shop/api"))
    assert len(server.asked) == 2


@pytest.mark.parametrize("body", [b"", b"[]", b'{"tags": "1.0"}'])
def test_a_page_that_is_none_is_refused(serve: Servers, open_registry: Opened, body: bytes) -> None:
    server = serve(Reply(200, body=body))
    with pytest.raises(RegistryError, match="does not list its tags as a registry does"):
        list(open_registry(server.host).list_tags(f"{server.host}/shop/api"))


def test_a_repository_that_is_not_there_has_no_tags_to_list(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(404))
    with pytest.raises(RegistryError, match="there is no shop/api: make the repository, or mend its name"):
        list(open_registry(server.host).list_tags(f"{server.host}/shop/api"))


def test_the_right_to_push_is_tried_with_an_upload_that_is_given_up(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(202, {"Location": "/v2/shop/api/blobs/uploads/17?state=x"}), Reply(204))
    open_registry(server.host).check_push(f"{server.host}/shop/api")
    assert server.seen == ["POST /v2/shop/api/blobs/uploads/", "DELETE /v2/shop/api/blobs/uploads/17?state=x"]


@pytest.mark.parametrize(
    "location",
    [
        "http://{here}/v2/shop/api/blobs/uploads/17?_state=x",
        "http://{elsewhere}/v2/shop/api/blobs/uploads/17?_state=x",
        "/artifactory/api/docker/local/v2/shop/api/blobs/uploads/17?_state=x",
    ],
)
def test_an_upload_is_given_up_where_it_was_asked_for(serve: Servers, open_registry: Opened, location: str) -> None:
    elsewhere = serve(Reply(200))

    def answer(asked: Asked) -> Reply:
        named = location.format(here=server.host, elsewhere=elsewhere.host)
        return Reply(202, {"Location": named}) if asked.method == "POST" else Reply(204)

    server = serve(answer)
    open_registry(server.host).check_push(f"{server.host}/shop/api")
    assert server.seen[1:] == ["DELETE /v2/shop/api/blobs/uploads/17?_state=x"]
    assert not elsewhere.asked


@pytest.mark.parametrize("location", ["", "/v2/shop/api/manifests/1.0", "/v2/x/blobs/uploads/../../manifests/1.0"])
def test_nothing_but_an_upload_is_given_up(serve: Servers, open_registry: Opened, location: str) -> None:
    server = serve(Reply(202, {"Location": location}))
    open_registry(server.host).check_push(f"{server.host}/shop/api")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "says"),
    [(404, "there is no shop/api: make the repository"), (405, "does not let anybody push; is it a mirror")],
)
def test_a_push_that_cannot_be_says_why(serve: Servers, open_registry: Opened, status: int, says: str) -> None:
    server = serve(Reply(status))
    with pytest.raises(RegistryError, match=says):
        open_registry(server.host).check_push(f"{server.host}/shop/api")


def test_a_tag_is_given_to_the_very_same_bytes(serve: Servers, open_registry: Opened) -> None:
    stored = Stored(INDEX)
    server = serve(stored)
    open_registry(server.host).tag(f"{server.host}/shop/api", name(INDEX), "1.0-patched-20260509")
    assert stored.tags == {"1.0-patched-20260509": name(INDEX)}
    assert [each.body for each in server.asked] == [b"", INDEX]


def test_a_tag_that_got_another_digest_is_told(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(200, body=MANIFEST), Reply(201, {"Docker-Content-Digest": digest("other")}))
    with pytest.raises(RegistryError, match="got another digest than"):
        open_registry(server.host).tag(f"{server.host}/shop/api", name(MANIFEST), "1.0-patched-20260509")


@pytest.mark.parametrize(("status", "deleted"), [(202, True), (400, False), (403, False), (404, False), (405, False)])
def test_a_tag_is_deleted_where_the_registry_allows_it(
    serve: Servers, open_registry: Opened, status: int, *, deleted: bool
) -> None:
    server = serve(Reply(status))
    assert open_registry(server.host).delete_tag(f"{server.host}/shop/api", "1.0-candidate-20260509") is deleted
    assert server.seen == ["DELETE /v2/shop/api/manifests/1.0-candidate-20260509"]


def test_a_manifest_is_never_deleted(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(202))
    assert open_registry(server.host).delete_tag(f"{server.host}/shop/api", digest("api")) is False
    assert not server.asked


def test_a_mirror_is_pulled_from_and_never_pushed_to(serve: Servers, open_registry: Opened) -> None:
    mirror, origin = serve(Stored(MANIFEST, tags={"1.0": MANIFEST})), serve(Reply(202))
    registry = open_registry(mirror.host, origin.host, mirrors={origin.host: mirror.host})
    assert registry.find_digest(f"{origin.host}/shop/api", "1.0") == name(MANIFEST)
    assert not origin.asked
    with pytest.raises(RegistryError, match="cannot be pushed to so: take away its --registry-mirror"):
        registry.check_push(f"{origin.host}/shop/api")  # a tag that the mirror does not know would be overwritten
    assert ([each.method for each in mirror.asked], origin.asked) == (["HEAD"], [])
