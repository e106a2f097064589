"""A registry that refuses, fails, is slow or gone (a proxy before the real one): that image's failure, tried enough."""

import re
from dataclasses import dataclass, field
from functools import partial

import pytest

from tests.patch_faults.http_proxy import Action, Answer, Asked, Proxy, Reset, Silence, Wait
from tests.patch_faults.scene import SOON_SECONDS, Scene

LOGIN = 'WWW-Authenticate: Basic realm="tests"'
REFUSED = Answer("401 Unauthorized", (LOGIN,), '{"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]}')
DENIED = Answer("403 Forbidden", (), '{"errors": [{"code": "DENIED", "message": "not yours"}]}')
BUSY = Answer("429 Too Many Requests", ("Retry-After: 1",))
BUSY_FOR_LONG = Answer("429 Too Many Requests", ("Retry-After: 3600",))
BROKEN = Answer("500 Internal Server Error")
TRIES = 5
BUILT_SECONDS = "90"  # for an image that is built meanwhile


@dataclass(frozen=True, slots=True)
class Fault:
    """What a registry does to which requests.

    Attributes:
        action: instead of what is asked.
        words: of the message.
        ours: whether patchgate's requests or those of the programs; None: both.
        pushes: whether those that change something.
        path: of those that are meant.
        most: how often patchgate may ask such a thing.
        limit_seconds: the image's, where it is not the usual one.
    """

    action: Action
    words: tuple[str, ...]
    ours: bool | None = None
    pushes: bool = False
    path: str = ""
    most: int | None = None
    limit_seconds: str = ""

    def choose(self, asked: Asked) -> Action | None:
        is_meant = self.ours in {None, asked.is_ours} and asked.is_push >= self.pushes
        return self.action if is_meant and re.search(self.path, asked.path) else None


HEAD = "/manifests/1.0$"
FAULTS = {
    "401 to our push": Fault(REFUSED, ("push refused: 401", "no credentials"), ours=True, pushes=True, most=1),
    "401 to BuildKit's push": Fault(
        REFUSED, ("refused its credentials (401)", "docker config"), ours=False, pushes=True
    ),
    "403": Fault(DENIED, ("pull refused: 403", "give the credentials the right"), ours=True, most=1),
    "403 to BuildKit's push": Fault(DENIED, ("refused it (403)", "the right to do it"), ours=False, pushes=True),
    "403 to the tag": Fault(
        DENIED, ("push refused: 403", "not yours"), path="/manifests/1.0-patched-", pushes=True, most=1
    ),
    "429 with Retry-After": Fault(BUSY, ("429", "ask less often"), ours=True, path=HEAD, most=TRIES),
    "429 for an hour": Fault(BUSY_FOR_LONG, ("429", "asks to wait 3600 s"), ours=True, path=HEAD, most=1),
    "500": Fault(BROKEN, ("500", "look at its log"), ours=True, path=HEAD, most=TRIES),
    "500 to the scanner": Fault(BROKEN, ("Trivy: the registry fails (5xx); look at its log",), ours=False),
    "silent to the scanner": Fault(
        Silence(), ("Trivy", "give an image more time"), ours=False, limit_seconds=SOON_SECONDS
    ),
    "silent to BuildKit's push": Fault(
        Silence(), ("Copa", "give an image more time"), ours=False, pushes=True, limit_seconds=BUILT_SECONDS
    ),
    "cut off": Fault(Reset(), ("closed the connection",), ours=True, path=HEAD, most=TRIES),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_registry_that_does_not_serve_fails_its_image_alone(scene: Scene, proxy: Proxy, fault: str) -> None:
    case = FAULTS[fault]
    struck = len(proxy.asked)
    flags = ["--image-limit-seconds", case.limit_seconds] if case.limit_seconds else []
    with proxy.following(case.choose):
        run = scene.site.patch(*flags)
    asked = [each for each in proxy.asked[struck:] if case.choose(each)]
    assert asked
    assert case.most is None or len(asked) <= case.most
    scene.expect_failed(run, *case.words)


def test_a_registry_that_takes_no_connection_fails_its_image_alone(scene: Scene, proxy: Proxy) -> None:
    with proxy.following(lambda _: None):
        proxy.end()
        run = scene.site.patch()
    scene.expect_failed(run, "takes no connection", proxy.address)


def test_a_registry_that_goes_away_before_the_push_fails_its_image_alone(scene: Scene, proxy: Proxy) -> None:
    with proxy.following(partial(leave_at_the_push, proxy)):
        run = scene.site.patch()
    scene.expect_failed(run, "Copa", "cannot be reached")


def leave_at_the_push(proxy: Proxy, asked: Asked) -> Action | None:
    if asked.is_ours or not asked.is_push:
        return None
    proxy.end()
    return Reset()


@dataclass
class FirstTime:
    """Does something to the first request of each kind."""

    action: Action
    seen: set[tuple[str, str]] = field(default_factory=set)

    def choose(self, asked: Asked) -> Action | None:
        kind = (asked.method, asked.path)
        if not asked.is_ours or kind in self.seen:
            return None
        self.seen.add(kind)
        return self.action


@pytest.mark.parametrize("action", [BUSY, BROKEN, Wait(2), Reset()], ids=["429", "500", "slow", "cut off"])
def test_what_passes_by_itself_is_waited_for(scene: Scene, proxy: Proxy, action: Action) -> None:
    with proxy.following(FirstTime(action).choose):
        run = scene.site.patch()
    scene.expect_patched(run)
