"""A Secret's values understood: what is good, and what is said of what is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from patchgate.pki.contents import Contents, read_contents
from patchgate.pki.lives import is_due, is_valid
from patchgate.pki.pem import covers, find_issuers, read_certificates, read_keys
from tests.pki.material import LIVES, NAME, NOW, days_ago, hold, make_ca, make_contents

CA, OTHER = make_ca(), make_ca(2)
GOOD = make_contents(CA)


def test_what_belongs_together_is_whole() -> None:
    held = hold(GOOD)
    assert held.leaf
    assert (held.fault, held.trusted) == ("", (CA.certificate,))
    assert [pair.certificate for pair in held.authorities] == [CA.certificate]
    assert held.leaf.expires == days_ago(1) + LIVES.leaf


@pytest.mark.parametrize(
    ("contents", "fault"),
    [
        (Contents(), "tls.crt is empty"),
        (replace(GOOD, certificate=b"\n"), "tls.crt is empty"),
        (replace(GOOD, certificate=b"garbage"), "tls.crt is no certificate in PEM"),
        (replace(GOOD, certificate=GOOD.certificate[:200]), "tls.crt is no certificate in PEM"),
        (replace(GOOD, key=b""), "tls.key is not the key of tls.crt"),
        (replace(GOOD, key=CA.key_pem), "tls.key is not the key of tls.crt"),
        (replace(GOOD, ca=OTHER.certificate_pem), "tls.crt is of no CA in ca.crt"),
        (replace(GOOD, ca=b"garbage"), "tls.crt is of no CA in ca.crt"),
        (make_contents(CA, name="other.svc"), f"tls.crt is not good for {NAME}"),
        (make_contents(CA, leaf_age_days=91), "tls.crt expired on 2026-05-08T12:00:00Z"),
        (make_contents(CA, leaf_age_days=-1), "tls.crt is not valid before 2026-05-10T12:00:00Z"),
    ],
)
def test_what_is_wrong_is_said(contents: Contents, fault: str) -> None:
    held = hold(contents)
    assert (held.leaf, held.fault) == (None, fault)


def test_without_ca_crt_nobody_can_say_that_the_ca_is_wrong() -> None:
    assert hold(replace(GOOD, ca=b"")).fault == ""


def test_a_ca_that_nobody_can_read_harms_no_other() -> None:
    garbled = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert hold(replace(GOOD, ca=garbled + GOOD.ca + garbled)).trusted == (CA.certificate,)


def test_a_chain_by_way_of_an_intermediate_is_of_its_root() -> None:
    root = trustme.CA()
    between = root.create_child_ca()
    leaf = between.issue_cert(NAME, not_after=datetime.now(UTC) + timedelta(days=9))
    chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
    contents = Contents(chain, leaf.private_key_pem.bytes(), root.cert_pem.bytes())
    held = read_contents(contents, [NAME], datetime.now(UTC))
    assert held.fault == ""
    assert held.leaf
    assert len(held.leaf.chain) == 2
    (trusted,) = read_certificates(root.cert_pem.bytes())
    assert find_issuers(held.leaf.chain, [trusted]) == {trusted}
    assert find_issuers(held.leaf.chain[:1], [trusted]) == frozenset()


def test_an_expired_ca_is_trusted_no_more() -> None:
    old = make_ca(901)
    assert hold(make_contents(CA, old)).trusted == (CA.certificate,)


@pytest.mark.parametrize("text", [b"", b"yesterday", b"2026-05-09", b"2026-05-09T12:00:00", b"\xff"])
def test_a_time_that_is_none_is_not_known(text: bytes) -> None:
    assert hold(replace(GOOD, changed=text)).changed is None


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("a.example.com", True),
        ("A.EXAMPLE.com", True),
        ("one.wild.example.com", True),
        ("two.one.wild.example.com", False),
        ("wild.example.com", False),
        ("10.0.0.1", True),
        ("10.0.0.2", False),
        ("example.com", False),
    ],
)
def test_a_name_is_covered_as_clients_see_it(name: str, *, good: bool) -> None:
    leaf = trustme.CA().issue_cert("a.example.com", "*.wild.example.com", "10.0.0.1")
    (certificate,) = read_certificates(leaf.cert_chain_pems[0].bytes())
    assert covers(certificate, name) is good


def test_keys_and_certificates_of_a_bundle_are_read_in_order_whatever_stands_between() -> None:
    assert read_certificates(CA.certificate_pem + OTHER.certificate_pem + CA.certificate_pem) == (
        CA.certificate,
        OTHER.certificate,
    )
    keys = read_keys(
        b"a comment\n" + CA.key_pem + b"-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----\n" + OTHER.key_pem
    )
    assert [key.private_numbers() for key in keys] == [pair.key.private_numbers() for pair in (CA, OTHER)]


@given(
    st.lists(st.binary(max_size=300) | st.sampled_from([GOOD.certificate, GOOD.key, GOOD.ca]), min_size=5, max_size=5)
)
def test_nothing_in_a_secret_is_an_error(values: list[bytes]) -> None:
    held = hold(Contents(*values))
    assert (held.leaf is None) == bool(held.fault)


def test_two_thirds_of_a_life_are_when_it_is_due() -> None:
    (leaf,) = read_certificates(make_contents(CA, leaf_age_days=0).certificate)
    assert [is_due(leaf, NOW + timedelta(days=day)) for day in (59, 60)] == [False, True]
    assert [is_valid(leaf, NOW + timedelta(days=day)) for day in (-1, 0, 90, 91)] == [False, True, True, False]


def test_what_is_shown_of_a_secret_holds_no_key() -> None:
    contents = make_contents(make_ca())
    assert "PRIVATE KEY" in repr(contents.key + contents.ca_keys)
    assert "PRIVATE KEY" not in repr(contents) + repr(hold(contents))
