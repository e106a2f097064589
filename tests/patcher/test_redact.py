"""Secrets do not reach a message, whoever said them."""

import pytest

from patchgate.limits import SHOWN_ERROR_CHARACTERS
from patchgate.patcher.redact import READ_CHARACTERS, quote_error, redact

SECRET = "c0rrect-h0rse"  # noqa: S105 -- what is looked for


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://robot:{SECRET}@registry.example.com/v2/",
        f"GET https://robot:p@{SECRET}@registry.example.com/v2/",
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"Authorization: Basic {SECRET}=",
        f"GET https://r.example/token?account=robot&token={SECRET}&x=1",
        f'{{"access_token":"{SECRET}","expires_in":60}}',
        f'{{"refresh_token": "{SECRET}"}}',
        f"password={SECRET}",
        f"PASSWORD: {SECRET}",
        f"https://s3.example/blob?X-Amz-Signature={SECRET}&X-Amz-Date=1",
        f"https://s3.example/blob?X-Amz-Credential={SECRET}/x&X-Amz-Date=1",
        f"https://blob.example/x?sv=1&sig={SECRET}",
        f"client_secret: {SECRET}",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    hidden = redact(text)
    assert SECRET not in hidden
    assert "***" in hidden


def test_a_json_web_token_is_hidden() -> None:
    assert redact("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl here") == "got *** here"


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    assert redact(f"so {SECRET}: it was", {SECRET}) == "so ***: it was"


def test_a_secret_that_holds_another_is_hidden_whole() -> None:
    assert redact(f"{SECRET}-and-more", {SECRET, f"{SECRET}-and-more"}) == "***"


@pytest.mark.parametrize(
    "text",
    [
        "downloaded package libexpat1 version 2.5.0-1 lower than required 2.5.0-2 for update",
        "pull access denied: insufficient_scope: authorization failed",
        "http://registry.example.com/v2/shop/api/manifests/1.0 has no token",
        "unexpected status from HEAD request to https://registry.example.com/v2/: 401 Unauthorized",
        "registry.example.com/shop/api:1.0@sha256:3b52617de25a92a1a02cb200ca2d6f0e",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_an_empty_secret_hides_nothing() -> None:
    assert redact("as it was", {"", "a"}) == "as it was"


def test_a_quoted_error_is_one_line_of_bounded_length() -> None:
    assert quote_error("\x1b[31mred\x1b[0m\n\tand\x00 white") == "red and white"
    assert len(quote_error("x" * 10_000)) == 300


@pytest.mark.parametrize("word", ["a-", "eyJ-", "token", "x", "://", "Release file "])
def test_words_without_end_are_quoted_at_the_cost_of_their_beginning(word: str) -> None:
    assert len(quote_error(word * 200_000)) <= SHOWN_ERROR_CHARACTERS


def test_a_secret_at_the_cut_is_not_shown_in_part() -> None:
    text = f"{SECRET} " * (READ_CHARACTERS // (len(SECRET) + 1) + 2)
    assert set(quote_error(text, {SECRET}).removesuffix("…").split()) <= {"***", "**", "*"}
