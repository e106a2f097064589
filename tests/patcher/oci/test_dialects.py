"""Dialect by request: what the patcher asks of each registry, in the words that registry answers in."""

import json
from collections.abc import Iterator

import pytest

from patchgate.errors import RegistryError
from patchgate.patcher.oci.registry import OciRegistry
from tests.patcher.http_server import Reply
from tests.patcher.oci.conftest import Opened, login
from tests.patcher.oci.dialects import DIALECTS, MANIFEST, PAGES, Dialect, DialectRegistry, error, sign

pytestmark = pytest.mark.parametrize("dialect", DIALECTS, ids=str)


@pytest.fixture
def speaker(dialect: Dialect) -> Iterator[DialectRegistry]:
    with DialectRegistry(dialect).serving() as speaking:
        yield speaking


def open_as(open_registry: Opened, speaker: DialectRegistry, password: str) -> OciRegistry:
    config = login(speaker.host, password=password)
    return open_registry(speaker.host, speaker.tokens.host, config=config)


def renew(open_registry: Opened, speaker: DialectRegistry, password: str) -> None:
    """Renew the Secret, as an operator or a CronJob does while a run lasts."""
    (open_registry.directory / "config.json").write_text(json.dumps(login(speaker.host, password=password)))


def test_every_dialect_names_a_public_source(dialect: Dialect) -> None:
    assert dialect.sources
    assert all(source.startswith("https://") for source in dialect.sources)


def test_a_tag_has_a_digest(open_registry: Opened, speaker: DialectRegistry) -> None:
    registry = open_as(open_registry, speaker, "first")
    assert registry.find_digest(speaker.repository, "1.0") == sign(MANIFEST)
    assert registry.find_digest(speaker.repository, sign(MANIFEST)) == sign(MANIFEST)
    assert registry.find_digest(speaker.repository, "gone") is None


def test_an_image_is_described(open_registry: Opened, speaker: DialectRegistry) -> None:
    described = open_as(open_registry, speaker, "first").describe(speaker.repository, sign(MANIFEST))
    assert described.platforms == {"linux/amd64": sign(MANIFEST)}


def test_tags_are_listed_to_the_last_page(open_registry: Opened, speaker: DialectRegistry) -> None:
    tags = open_as(open_registry, speaker, "first").list_tags(speaker.repository)
    assert list(tags) == [tag for page in PAGES for tag in page]


def test_the_right_to_push_is_tried_and_the_upload_given_up(open_registry: Opened, speaker: DialectRegistry) -> None:
    open_as(open_registry, speaker, "first").check_push(speaker.repository)
    assert any(asked.startswith("POST") for asked in speaker.registry.seen)
    assert not speaker.uploads


def test_a_tag_is_given(open_registry: Opened, speaker: DialectRegistry) -> None:
    open_as(open_registry, speaker, "first").tag(speaker.repository, sign(MANIFEST), "1.0-patched-20260509")
    assert speaker.tags["1.0-patched-20260509"] == sign(MANIFEST)


def test_a_tag_is_deleted_where_the_registry_lets_tags_be_deleted(
    open_registry: Opened, speaker: DialectRegistry, dialect: Dialect
) -> None:
    assert open_as(open_registry, speaker, "first").delete_tag(speaker.repository, "1.0") is (
        dialect.deletes_tags == 202
    )


def test_credentials_that_expire_while_a_run_lasts_are_read_anew(
    open_registry: Opened, speaker: DialectRegistry
) -> None:
    registry = open_as(open_registry, speaker, "first")
    registry.check_push(speaker.repository)
    assert registry.find_digest(speaker.repository, "1.0") == sign(MANIFEST)
    speaker.expire("second")
    renew(open_registry, speaker, "second")
    assert registry.find_digest(speaker.repository, "1.0") == sign(MANIFEST)
    registry.check_push(speaker.repository)
    asked = len(speaker.registry.asked)
    assert registry.find_digest(speaker.repository, sign(MANIFEST)) == sign(MANIFEST)
    assert len(speaker.registry.asked) <= asked + 2, "and are remembered"


def test_credentials_that_expired_and_were_not_renewed_fail_with_what_to_do(
    open_registry: Opened, speaker: DialectRegistry
) -> None:
    registry = open_as(open_registry, speaker, "first")
    assert registry.find_digest(speaker.repository, "1.0") == sign(MANIFEST)
    speaker.expire("second")
    asked = len(speaker.registry.asked) + len(speaker.tokens.asked)
    with pytest.raises(RegistryError, match=r"^pull refused: 40[013] from "):
        registry.find_digest(speaker.repository, "1.0")
    assert len(speaker.registry.asked) + len(speaker.tokens.asked) <= asked + 4, "asked for once more, not for ever"


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (
            error(403, "DENIED", "adding 1.3 GiB of storage will exceed the configured upper limit of 10.0 GiB."),
            "no room left for it (quota): raise the quota, or delete images",
        ),
        (
            error(400, "TAG_INVALID", "The image tag '1' already exists and cannot be overwritten: it is immutable."),
            "the registry lets no tag be changed (immutable tags)",
        ),
        (
            error(412, "PRECONDITION", "Failed to process request due to 'api:1' configured as immutable."),
            "the registry lets no tag be changed (immutable tags)",
        ),
        (error(403, "DENIED", "requested access to the resource is denied"), "give the credentials the right to push"),
    ],
)
def test_a_push_that_is_refused_says_why(
    open_registry: Opened, speaker: DialectRegistry, refusal: Reply, says: str
) -> None:
    speaker.refuses_put = refusal
    with pytest.raises(RegistryError) as caught:
        open_as(open_registry, speaker, "first").tag(speaker.repository, sign(MANIFEST), "1")
    assert says in str(caught.value)
