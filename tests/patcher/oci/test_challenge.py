"""What a 401 asks for: several challenges in a header, several headers, quotes and commas (RFC 9110, section 11)."""

import pytest
from urllib3 import HTTPHeaderDict

from patchgate.patcher.oci.challenge import HEADER_CHARACTERS, Basic, Bearer, read_challenge

REALM = "https://auth.example.com/token"
WHOLE = Bearer(REALM, "registry", "repository:shop/api:pull")


def read(*headers: str) -> Basic | Bearer | None:
    return read_challenge(HTTPHeaderDict([("WWW-Authenticate", header) for header in headers]))


@pytest.mark.parametrize(
    ("header", "challenge"),
    [
        (f'Basic realm="registry", Bearer realm="{REALM}",service="registry",scope="repository:shop/api:pull"', WHOLE),
        (f'Negotiate, Bearer realm="{REALM}",service="registry",scope="repository:shop/api:pull"', WHOLE),
        ('Negotiate, Basic realm="x"', Basic()),
        (f'Bearer realm="{REALM}",service="registry", Basic realm="registry"', Bearer(REALM, "registry", "")),
    ],
)
def test_the_cases(header: str, challenge: Basic | Bearer) -> None:
    assert read(header) == challenge


@pytest.mark.parametrize(
    ("header", "challenge"),
    [
        (f"bearer realm={REALM} , service=registry", Bearer(REALM, "registry", "")),
        (f'BEARER Realm = "{REALM}" , Service = "a, \\"b\\""', Bearer(REALM, 'a, "b"', "")),
        (f'Negotiate YII+abc/def==, Bearer realm="{REALM}"', Bearer(REALM, "", "")),
        ('Digest realm="a, Basic b", nonce="n", qop="auth"', None),
        ('NTLM, Digest realm="x", Basic realm="y", charset="UTF-8"', Basic()),
        ("Basic", Basic()),
        (f',, Bearer realm="{REALM}",', Bearer(REALM, "", "")),
        (
            f'Bearer realm="{REALM}",scope="repository:a:pull,push repository:b:pull"',
            Bearer(REALM, "", "repository:a:pull,push repository:b:pull"),
        ),
        ('Bearer service="registry"', None),
        ('Bearer realm=""', None),
        ('Bearer realm="', None),
        ("", None),
    ],
)
def test_their_relatives(header: str, challenge: Basic | Bearer | None) -> None:
    assert read(header) == challenge


def test_of_several_headers_a_token_is_taken() -> None:
    assert read('Basic realm="x"', f'Bearer realm="{REALM}"') == Bearer(REALM, "", "")
    assert read("Negotiate", 'Basic realm="x"') == Basic()


def test_a_hostile_header_is_read_to_its_limit() -> None:
    assert read('"' + '\\"' * HEADER_CHARACTERS + f', Bearer realm="{REALM}"') is None
