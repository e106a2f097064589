"""A registry that speaks as the well-known ones do: how they ask who we are, list tags, take uploads, and refuse.

Each dialect names the public source of what is odd in it. What no source names is as the specification has it.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from patchgate.patcher.oci.manifest import MANIFEST_TYPES
from tests.patcher.http_server import Asked, HttpServer, Reply

PATH = "shop/api"
CONFIG = json.dumps({"os": "linux", "architecture": "amd64"}).encode()


def sign(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


MANIFEST = json.dumps(
    {"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": {"digest": sign(CONFIG)}, "layers": []}
).encode()
PAGES = (["1.0", "1.1"], ["1.2", "2.0"])


def error(status: int, code: str, message: str, **headers: str) -> Reply:
    """An error as the specification has it (OCI distribution specification 1.1, "Error Codes")."""
    return Reply(status, headers, json.dumps({"errors": [{"code": code, "message": message}]}).encode())


@dataclass(frozen=True)
class Dialect:
    """How one registry differs from the others.

    Attributes:
        name: of the product.
        sources: public pages that document what is odd in it.
        challenge: the WWW-Authenticate header; `{tokens}` is the host of the token server, `{here}` the registry's.
        gives: the field of the token server's answer that has the token; empty where no token is used.
        has_token_host: whether the token server is another host.
        expired: its answer to credentials that have expired; None: a challenge again.
        next_page: the Link of the next page; `{here}`, and `{query}`.
        page: the body of a page of tags.
        upload: the Location of an upload; `{here}`.
        has_head: whether a HEAD of a manifest is answered.
        names_digest: whether answers name the digest of a manifest.
        deletes_tags: the status of the deletion of a tag.
    """

    name: str
    sources: tuple[str, ...]
    challenge: str = 'Bearer realm="http://{here}/token",service="registry"'
    gives: str = "token"
    has_token_host: bool = False
    expired: Reply | None = None
    next_page: str = "/v2/shop/api/tags/list?{query}"
    page: Callable[[list[str]], dict[str, object]] = lambda tags: {"name": PATH, "tags": tags}
    upload: str = "/v2/shop/api/blobs/uploads/17?_state=x"
    has_head: bool = True
    names_digest: bool = True
    deletes_tags: int = 202

    def __str__(self) -> str:
        return self.name


def write_google_page(tags: list[str]) -> dict[str, object]:
    """All manifests of the repository, on each page."""
    details = {"imageSizeBytes": "1", "layerId": "", "mediaType": "x" * 60, "tag": ["1.0"], "timeUploadedMs": "1"}
    manifests = {sign(str(number).encode()): details for number in range(6000)}
    return {"child": [], "manifest": manifests, "name": PATH, "tags": tags}


DIALECTS = (
    Dialect(
        "Docker Hub",
        ("https://distribution.github.io/distribution/spec/auth/token/", "https://docs.docker.com/docker-hub/usage/"),
        challenge='Bearer realm="http://{tokens}/token",service="registry.docker.io",scope="repository:shop/api:pull"',
        has_token_host=True,
        deletes_tags=401,
    ),
    Dialect(
        "docker-registry 2.8, distribution 3",
        ("https://distribution.github.io/distribution/about/configuration/#http",),
        challenge='Basic realm="registry"',
        gives="",
        next_page="http://{here}/v2/shop/api/tags/list?{query}",
        upload="http://{here}/v2/shop/api/blobs/uploads/17?_state=x",
        deletes_tags=400,
    ),
    Dialect(
        "Amazon ECR",
        ("https://github.com/flipt-io/flipt/issues/3043",),
        challenge='Basic realm="https://{here}/",service="ecr.amazonaws.com"',
        gives="",
        expired=error(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again."),
        deletes_tags=405,
    ),
    Dialect(
        "Amazon ECR Public",
        ("https://github.com/aws/containers-roadmap/issues/2835", "https://github.com/dependabot/proxy/issues/157"),
        challenge='Bearer realm="http://{here}/token/",service="public.ecr.aws",scope="aws"',
        expired=error(400, "DENIED", "Your Authorization Token is invalid."),
        deletes_tags=405,
    ),
    Dialect(
        "GHCR",
        ("https://github.com/github/dependabot-action/pull/131", "https://github.com/Mic92/niks3/issues/229"),
        challenge='Bearer realm="http://{here}/token",service="ghcr.io",scope="repository:user/image:pull"',
        deletes_tags=405,
    ),
    Dialect(
        "GitLab",
        ("https://github.com/deitch/docker_registry2/issues/14", "https://docs.gitlab.com/api/container_registry/"),
        challenge='Bearer realm="http://{tokens}/jwt/auth",service="container_registry"',
        gives="access_token",
        has_token_host=True,
        next_page="http://{here}/v2/shop/api/tags/list?{query}",
        upload="http://{here}/v2/shop/api/blobs/uploads/17?_state=x",
    ),
    Dialect(
        "Harbor",
        (
            "https://github.com/goharbor/harbor/issues/17390",
            "https://goharbor.io/docs/2.13.0/build-customize-contribute/",
        ),
        challenge='Bearer realm="http://{here}/service/token",service="harbor-registry",scope="repository:shop/api:pull"',
    ),
    Dialect(
        "Artifactory",
        ("https://github.com/renovatebot/renovate/pull/20745", "https://github.com/renovatebot/renovate/issues/15080"),
        challenge='Basic realm="Artifactory Realm", Bearer realm="http://{here}/token",service="{here}"',
        next_page="/v2/api/tags/list?{query}",
        upload="http://{here}/artifactory/api/docker/shop/v2/api/blobs/uploads/17?_state=x",
    ),
    Dialect(
        "Nexus",
        ("https://github.com/sonatype/nexus-public/issues/1011", "https://github.com/sonatype/nexus-public/issues/921"),
        challenge='BASIC realm="Sonatype Nexus Repository Manager"',
        gives="",
        next_page="http://{here}/repository/docker-hosted/v2/shop/api/tags/list?{query}",
        upload="http://{here}/repository/docker-hosted/v2/shop/api/blobs/uploads/17?_state=x",
    ),
    Dialect(
        "Quay",
        ("https://github.com/deitch/docker_registry2/pull/107", "https://docs.quay.io/api/"),
        challenge='Bearer realm="http://{here}/v2/auth",service="quay.io",scope="repository:shop/api:pull"',
        names_digest=False,
    ),
    Dialect(
        "Google Artifact Registry",
        ("https://github.com/google/go-containerregistry/blob/main/pkg/v1/google/list.go",),
        challenge='Bearer realm="http://{here}/v2/token",service="docker.pkg.dev"',
        page=write_google_page,
    ),
    Dialect(
        "a proxy that knows no HEAD",
        ("https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests",),
        challenge='Basic realm="registry"',
        gives="",
        has_head=False,
    ),
)


@dataclass
class DialectRegistry:
    """One registry of a dialect, with one repository; password and tokens can be made to expire."""

    dialect: Dialect
    password: str = "first"  # noqa: S105 -- of a registry that lives for a test
    tags: dict[str, str] = field(default_factory=lambda: {"1.0": sign(MANIFEST)})
    refuses_put: Reply | None = None
    uploads: set[str] = field(default_factory=set)
    given: list[str] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    registry: HttpServer = field(init=False)
    tokens: HttpServer = field(init=False)

    @contextmanager
    def serving(self) -> Iterator["DialectRegistry"]:
        self.registry, self.tokens = HttpServer(self._answer), HttpServer(self._give)
        with self.registry.serving(), self.tokens.serving():
            yield self

    @property
    def host(self) -> str:
        return self.registry.host

    @property
    def repository(self) -> str:
        return f"{self.host}/{PATH}"

    def expire(self, password: str) -> None:
        """Let what was accepted expire; the password is another one from now on."""
        self.dead |= {f"Bearer {token}" for token in self.given} | {self._basic}
        self.password = password

    @property
    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"robot:{self.password}".encode()).decode()

    def _answer(self, asked: Asked) -> Reply:  # noqa: PLR0911 -- one for each kind of request
        path = urlsplit(asked.path).path
        if not path.startswith("/v2/shop/"):
            return self._give(asked) if "token" in path or path.endswith("/auth") else Reply(404)
        if not self._is_known(asked.headers.get("Authorization", "")):
            return self._challenge(asked)
        rest = path.removeprefix(f"/v2/{PATH}/")
        match rest.split("/"):
            case ["tags", "list"]:
                return self._list(asked)
            case ["blobs", "uploads", *upload]:
                return self._upload(asked, "/".join(upload))
            case ["blobs", _]:
                return Reply(body=CONFIG)
            case ["manifests", reference]:
                return self._manifest(asked, reference)
            case _:
                return Reply(404)

    def _is_known(self, authorization: str) -> bool:
        if self.dialect.gives:
            return authorization.removeprefix("Bearer ") in self.given and authorization not in self.dead
        return authorization == self._basic

    def _challenge(self, asked: Asked) -> Reply:
        if asked.headers.get("Authorization") and self.dialect.expired:
            return self.dialect.expired
        header = self.dialect.challenge.format(here=self.host, tokens=self.tokens.host)
        return error(401, "UNAUTHORIZED", "authentication required", **{"WWW-Authenticate": header})

    def _give(self, asked: Asked) -> Reply:
        if asked.headers.get("Authorization") != self._basic:
            return error(403, "DENIED", "denied")
        self.given.append(f"token-{len(self.given)}")
        return Reply(body=json.dumps({self.dialect.gives or "token": self.given[-1]}).encode())

    def _list(self, asked: Asked) -> Reply:
        number = int(parse_qs(urlsplit(asked.path).query).get("page", ["0"])[0])
        body = json.dumps(self.dialect.page(PAGES[number])).encode()
        if number + 1 == len(PAGES):
            return Reply(body=body)
        link = self.dialect.next_page.format(here=self.host, query=f"n=1000&last=1.1&page={number + 1}")
        return Reply(200, {"Link": f'<{link}>; rel="next"'}, body)

    def _upload(self, asked: Asked, upload: str) -> Reply:
        if asked.method == "POST":
            self.uploads.add("17")
            return Reply(202, {"Location": self.dialect.upload.format(here=self.host)})
        if asked.method == "DELETE" and upload in self.uploads:
            self.uploads.discard(upload)
            return Reply(204)
        return Reply(404)

    def _manifest(self, asked: Asked, reference: str) -> Reply:
        if asked.method == "PUT":
            if self.refuses_put:
                return self.refuses_put
            self.tags[reference] = sign(asked.body)
            return Reply(201, {"Docker-Content-Digest": sign(asked.body)})
        if asked.method == "DELETE":
            if self.dialect.deletes_tags == 202:
                self.tags.pop(reference, None)
            return Reply(self.dialect.deletes_tags)
        if asked.method == "HEAD" and not self.dialect.has_head:
            return Reply(405)
        if self.tags.get(reference, reference) != sign(MANIFEST):
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        headers = {"Docker-Content-Digest": sign(MANIFEST)} if self.dialect.names_digest else {}
        return Reply(200, headers, MANIFEST)
