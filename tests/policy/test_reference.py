"""References: the grammar's own test cases (distribution/reference v0.6), and what is folded past it.

The second opinion is docker-image-py, an independent port of the same grammar. It differs in five documented ways: it
lets one line feed at the end pass (`$` of a regular expression); it takes brackets with anything of an IPv6 address's
characters in them, and hosts that end in a number; as Go's parser does, it reads an image ID such as `sha256:3b52` as a
name with a tag; and it refuses a host with `_`, which Go's parser takes as the beginning of a path. It folds no names
but `index.docker.io`.
"""

import re

import pytest
from docker_image import reference as second
from docker_image.digest import InvalidDigest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from patchgate.errors import InvalidReferenceError
from patchgate.policy.reference import Reference, is_digest, is_tag, normalise_registry

SHA256 = "sha256:" + "f" * 64
SHA384 = "sha384:" + "f" * 96
SHA512 = "sha512:" + "f" * 128
IDENTIFIER = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"

ACCEPTED = [
    ("test_com", "docker.io/library/test_com:latest"),
    ("test.com:tag", "docker.io/library/test.com:tag"),
    ("test.com:5000", "docker.io/library/test.com:5000"),
    ("test.com/repo:tag", "test.com/repo:tag"),
    (f"test:5000/repo:tag@{SHA256}", f"test:5000/repo:tag@{SHA256}"),
    (f"repo@{SHA384}", f"docker.io/library/repo@{SHA384}"),
    (f"xn--7o8h.com/myimage:xn--7o8h.com@{SHA512}", f"xn--7o8h.com/myimage:xn--7o8h.com@{SHA512}"),
    ("lowercase:Uppercase", "docker.io/library/lowercase:Uppercase"),
    ("b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io/test.example.com/my-app:test.example.com"),
    ("foo_bar.com:8080", "docker.io/library/foo_bar.com:8080"),
    ("[2001:db8::1]/repo", "[2001:db8::1]/repo:latest"),
    (f"[2001:db8::1]:5000/repo:tag@{SHA256}", f"[2001:db8::1]:5000/repo:tag@{SHA256}"),
    ("[::1]:5000/repo", "[::1]:5000/repo:latest"),
    ("127.0.0.1:5000/library/debian", "127.0.0.1:5000/library/debian:latest"),
    (f"docker.io/{IDENTIFIER}", f"docker.io/library/{IDENTIFIER}:latest"),
    (f"{IDENTIFIER}:1", f"docker.io/library/{IDENTIFIER}:1"),
    (IDENTIFIER[:-1], f"docker.io/library/{IDENTIFIER[:-1]}:latest"),
    ("dock__er/docker", "docker.io/dock__er/docker:latest"),
    ("library/foo/bar", "docker.io/library/foo/bar:latest"),
    ("registry.io/foo/pro--id.mod--name.ver---sion", "registry.io/foo/pro--id.mod--name.ver---sion:latest"),
    ("nginx:" + "a" * 128, "docker.io/library/nginx:" + "a" * 128),
    ("example.com/" + "a" * 255 + ":tag", "example.com/" + "a" * 255 + ":tag"),
]

REFUSED = {
    "empty": "",
    "only a tag": ":justtag",
    "only a digest": f"@{SHA256}",
    "a short digest": "repo@sha256:ffffffffffffffffffffffffffffffffff",
    "a digest one digit too long": f"repo@{SHA256}f",
    "an upper-case digest": f"repo@{SHA256.replace('f', 'F')}",
    "an upper-case algorithm": f"repo@{SHA256.upper()}",
    "an unknown algorithm": "validname@invaliddigest:" + "f" * 64,
    "md5": "repo@md5:" + "f" * 32,
    "another algorithm's length": "repo@sha512:" + "f" * 64,
    "a digest without a value": "repo@sha256:",
    "@ twice": f"repo@{SHA256}@{SHA256}",
    "two tags": "repo:a:b",
    "an upper-case name": "Uppercase:tag",
    "an upper-case path": "test:5000/Uppercase/lowercase:tag",
    "a path too long": "domain/" + "a" * 256 + ":tag",
    "a path too long with library/": "a" * 248,
    "a host with a leading hyphen": "-docker.io/docker/docker",
    "a trailing hyphen": "docker-/docker",
    "a host with a trailing dot": "docker.io./library/nginx",
    "a host with a name for a port": "foo.com:http/bar",
    "a host with an empty port": "foo.com:/bar",
    "a user before the host": "user@docker.io/library/nginx",
    "no repository": "docker/",
    "two kinds of separator": "dock_.er/docker",
    "three underscores": "dock___er/docker",
    "an IPv6 address alone": "[fc00::1]:5000",
    "an IPv6 address without brackets": "fc00::1:5000/debian",
    "an IPv6 address with a zone": "[fe80::1%eth0]:5000/debian",
    "an IPv6 address with an IPv4 tail": "[2001:db8:3:4::192.0.2.33]:5000/debian",
    "brackets without an address": "[fd00123123123]:5000/debian",
    "64 hexadecimal digits": IDENTIFIER,
    "an empty tag": "nginx:",
    "a tag that begins with a dot": "nginx:.1",
    "a tag too long": "nginx:" + "a" * 129,
    "a star": "nginx:*",
    "a line feed behind": "nginx:1.25\n",
    "a line feed inside": "nginx:1.25\nnginx",
    "NUL": "registry.example.com/myapp/api\x00:1.4.2",
    "a Cyrillic letter": "ngin\u0445",
    "a Cyrillic host": "d\u043ecker.io/library/nginx",
    "Arabic digits in a port": "registry.example.com:\u0665000/x",
    "a letter that folds to ASCII": "\u212aube.example.com/x",
    "a lone surrogate": "nginx\ud800",
    "an IPv4 address of three numbers": "10.0.5:5000/x",
    "an IPv4 address with a leading zero": "010.0.0.5:5000/x",
    "an IPv4 address with a leading zero, without a port": "10.0.0.05/x",
    "a hexadecimal IPv4 address": "0x0a000005:5000/x",
    "a hexadecimal last part": "10.0.0.0x5/x",
    "an IPv4 address as one number": "167772165:5000/x",
    "an IPv4 address of five numbers": "10.0.0.5.1/x",
    "an IPv4 address beyond 255": "10.0.0.256/x",
    "a host name that ends in a number": "registry.example.5/x",
    "an IPv4 address with a trailing dot": "10.0.0.5./x",
    "an IPv6 address made of an IPv4 one": "[::a00:5]:5000/x",
    "an address of NAT64": "[64:ff9b::a00:5]:5000/x",
    "an address of a network's own NAT64": "[64:ff9b:1:ffff::a00:5]:5000/x",
    "an address of 6to4": "[2002:a00:5::1]:5000/x",
    "a mapped address in decimals": "[::ffff:10.0.0.5]:5000/x",
    "4 KiB": "a/" * 2048 + "a",
    "4 KiB of host": "a." * 2048 + "a/x",
}

DOCKER_HUB = [
    "nginx",
    "library/nginx",
    "docker.io/nginx",
    "docker.io/library/nginx",
    "index.docker.io/nginx",
    "index.docker.io/library/nginx",
    "registry-1.docker.io/library/nginx",
    "registry.hub.docker.com/library/nginx",
    "registry.hub.docker.com/nginx",
    "Docker.IO/nginx",
    "docker.io:443/nginx",
    "docker.io:0443/library/nginx",
    "index.docker.io:443/library/nginx",
    "Registry-1.Docker.io:000443/library/nginx",
    "nginx:latest",
]

FOLDED = [
    ("registry.example.com:443", "registry.example.com"),
    ("REGISTRY.Example.com", "registry.example.com"),
    ("registry.example.com:0443", "registry.example.com"),
    ("registry.example.com:05000", "registry.example.com:5000"),
    ("registry.example.com:80", "registry.example.com:80"),
    ("registry.example.com:4430", "registry.example.com:4430"),
    ("LocalHost:443", "localhost"),
    ("localhost:5000", "localhost:5000"),
    ("Registry", "registry:443"),
    ("REGISTRY:443", "registry:443"),
    ("registry:5000", "registry:5000"),
    ("[2001:DB8::1]:443", "[2001:db8::1]"),
    ("[2001:0db8:0000:0000:0000:0000:0000:0001]", "[2001:db8::1]"),
    ("[0:0:0:0:0:0:0:1]:05000", "[::1]:5000"),
    ("[::ffff:7f00:1]:5000", "127.0.0.1:5000"),
    ("[::ffff:a00:5]:5000", "10.0.0.5:5000"),
    ("[::FFFF:0A00:0005]:05000", "10.0.0.5:5000"),
    ("[0:0:0:0:0:ffff:a00:5]:443", "10.0.0.5"),
    ("[0000:0000:0000:0000:0000:FFFF:0a00:0005]", "10.0.0.5"),
    ("10.0.0.5:0443", "10.0.0.5"),
    ("1password.example.com", "1password.example.com"),
    ("registry.3com", "registry.3com"),
    ("0xfeed.example.com", "0xfeed.example.com"),
]

LOOK_ALIKES = [
    "docker.io.evil.io/library/nginx",
    "docker.io:5000/library/nginx",
    "evil.docker.io/library/nginx",
    "docker-io/library/nginx",
    "localhost/docker.io/library/nginx",
    "evil/nginx",
]


@pytest.mark.parametrize(("text", "expected"), ACCEPTED)
def test_what_the_grammar_accepts_is_written_out_whole(text: str, expected: str) -> None:
    assert str(Reference.parse(text)) == expected


@pytest.mark.parametrize("text", REFUSED.values(), ids=list(REFUSED))
def test_what_the_grammar_refuses_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidReferenceError):
        Reference.parse(text)


@pytest.mark.parametrize("text", DOCKER_HUB)
def test_every_spelling_of_a_docker_hub_image_is_one(text: str) -> None:
    assert Reference.parse(text) == Reference("docker.io", "library/nginx", "latest", None)


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_a_look_alike_is_another_repository(text: str) -> None:
    assert Reference.parse(text).repository != "docker.io/library/nginx"


@pytest.mark.parametrize(("host", "expected"), FOLDED)
def test_spellings_of_a_host_fold_to_one(host: str, expected: str) -> None:
    assert Reference.parse(f"{host}/team/app:1").registry == expected
    assert str(Reference.parse(f"{expected}/team/app:1")) == f"{expected}/team/app:1"


def test_a_registry_with_an_underscore_is_one_as_containerd_pulls_from_it() -> None:
    assert str(Reference.parse("my_registry.example.com/team/app:1")) == "my_registry.example.com/team/app:1"


@pytest.mark.parametrize("text", [IDENTIFIER, SHA256, SHA384, SHA512, "sha256:3b52617de25a", "sha384:3b52", "sha512:3"])
def test_an_image_id_is_no_reference_as_containerd_runs_what_the_node_has_by_it(text: str) -> None:
    with pytest.raises(InvalidReferenceError, match=r"^an image ID is not a reference: name a repository$"):
        Reference.parse(text)


def test_neither_tag_nor_digest_stays_so_when_parsed_bare() -> None:
    assert Reference.parse_bare("nginx") == Reference("docker.io", "library/nginx", None, None)


def test_a_lone_digest_gets_no_tag() -> None:
    assert Reference.parse(f"nginx@{SHA256}").tag is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "the image is empty"),
        (IDENTIFIER, "an image ID is not a reference: name a repository"),
        ("a" * 1025, "a reference has at most 1024 characters"),
        ("a" * 248, "a repository's path has at most 255 characters"),
        ("-x.io/nginx", "the registry is not a host name"),
        ("[12345]:5000/x", "the registry is not an IP address"),
        (
            "010.0.0.5/x",
            "the registry is not an IP address: write '010.0.0.5' as four decimal numbers, such as 10.0.0.5",
        ),
        ("Nginx", "a repository has lower-case letters"),
        ("nginx@sha256:1", "a digest is sha256: and 64 lower-case hexadecimal digits"),
        ("nginx:-", "a tag has letters, digits, _ . and -, at most 128"),
        ("nginx:", "a tag has letters, digits, _ . and -, at most 128, and is not empty"),
    ],
)
def test_a_refusal_says_which_part_is_wrong(text: str, fault: str) -> None:
    with pytest.raises(InvalidReferenceError) as refusal:
        Reference.parse(text)
    assert str(refusal.value).startswith(fault)


def test_a_digest_is_of_a_known_algorithm_and_of_its_length() -> None:
    candidates = [SHA256, SHA384, SHA512, SHA256 + "\n", "md5:" + "f" * 32, "sha256:", "f" * 64]
    assert [text for text in candidates if is_digest(text)] == [SHA256, SHA384, SHA512]


def test_a_tag_has_one_to_128_characters_of_its_alphabet() -> None:
    candidates = ["1", "_1.-", "a" * 128, "a" * 129, "", ".1", "1\n", "1:2", "1/2", "\u0661"]
    assert [text for text in candidates if is_tag(text)] == ["1", "_1.-", "a" * 128]


_SEEDS = ["docker.io/library/nginx:1", f"a.io:50/b__c/d--e:T@{SHA256}", "[::1]:50/x", "Foo/x", "localhost/x", "a_b.c/d"]
_PIECES = st.one_of(st.sampled_from(_SEEDS), st.text("aB0._-:/@[]", max_size=8), st.sampled_from([SHA512, "@", "\n"]))


@settings(max_examples=300)
@example("registry.hub.docker.com", "nginx")
@example("a.b", f"c@{SHA256}")
@given(
    st.one_of(st.sampled_from(["registry.example.com", "10.0.0.1", "docker.io"]), st.text("a0-.", max_size=6)),
    st.text("aB0._-:/@", max_size=12),
)
def test_a_usual_name_is_read_as_its_unusual_spelling_is(host: str, rest: str) -> None:
    assume("." in host)
    assert _ask_first(f"{host}/{rest}") == _ask_first(f"{host.upper()}:0443/{rest}")


def _ask_second(text: str) -> second.Reference | None:
    try:
        return second.Reference.parse_normalized_named(text)
    except (second.InvalidReference, InvalidDigest):
        return None


def _ask_first(text: str) -> Reference | None:
    try:
        return Reference.parse_bare(text)
    except InvalidReferenceError:
        return None


@settings(max_examples=300)
@example("nginx\n")
@example("[12]/x")
@example("docker.io:443/nginx")
@example(SHA512)
@example("sha256:3b52617de25a")
@example("a_b.c/d")
@example("10.5/x")
@given(st.lists(_PIECES, min_size=1, max_size=4).map("".join))
def test_a_second_parser_agrees(text: str) -> None:
    ours, theirs = _ask_first(text), _ask_second(text)
    if theirs is None:
        assert ours is None or "_" in ours.registry
    elif ours is None:
        is_numeric = re.match(r"(?:[^/]*\.)?(?:[0-9]+|0x[0-9a-f]*)(?::[0-9]+)?/", text.lower())
        is_identifier = re.fullmatch(r"sha(256|384|512):[a-f0-9]+", text)
        assert text.endswith("\n") or text.startswith("[") or is_identifier or is_numeric
    else:
        assert (ours.tag, ours.digest) == (theirs["tag"], theirs["digest"])
        assert ours.registry == normalise_registry(theirs.domain())
        assert ours.path.removeprefix("library/") == theirs.path().removeprefix("library/")
