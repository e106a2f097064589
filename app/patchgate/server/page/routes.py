"""The status page over HTTP: its addresses, and the headers that let nothing but itself run in it.

Pages lie beside each other and name each other relatively, so that they work behind a proxy that adds a prefix.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from fastapi import FastAPI, Request, Response

from patchgate.errors import RequestError
from patchgate.limits import PAGE_ASSET_SECONDS, PAGE_INDEX_SECONDS, SHOWN_LINE_CHARACTERS
from patchgate.policy.case import Asker
from patchgate.policy.explain import explain
from patchgate.policy.overview import find_tracked_image
from patchgate.policy.pace import Pace
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import show
from patchgate.policy.workload import ASSUMED_PULL_POLICY, Image
from patchgate.server.judge import Judge
from patchgate.server.page.answer import make_answer
from patchgate.server.page.entry import make_entry
from patchgate.server.page.headline import make_headline, say_not_ready
from patchgate.server.page.health import Health, make_foundation
from patchgate.server.page.image_view import make_image_view
from patchgate.server.page.index import Index
from patchgate.server.page.query import Query
from patchgate.server.page.render import Renderer, make_renderer
from patchgate.server.page.table import make_table
from patchgate.server.turns import HasLeft, Turns

_CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HTML: Final = "text/html; charset=utf-8"


@dataclass(slots=True)
class StatusPage:
    """Answers the page's addresses.

    Attributes:
        judge: the core behind every door; asked on the event loop, as others do.
        find_health: gives how the gate itself stands.
        turns: what is computed waits for its own.
        index_seconds: how long after a page the order of images is kept.
    """

    judge: Judge
    find_health: Callable[[], Health]
    turns: Turns = field(default_factory=Turns)
    index_seconds: float = PAGE_INDEX_SECONDS
    _renderer: Renderer = field(default_factory=make_renderer)
    _index: Index | None = None
    _forgetting: asyncio.Task[None] | None = None

    @property
    def has_index(self) -> bool:
        """Whether the order of images is kept."""
        return self._index is not None

    async def show_status(self, query: Query, has_left: HasLeft) -> Response:
        """Show headline, table, box and foundation; 503 while the gate is not ready."""
        health = self.find_health()
        content = await self.turns.take(lambda pace: self._render_status(query, health, pace), has_left)
        self._forget_later()
        return _answer(content, 503 if health.obstacles else 200)

    async def show_image(self, name: str, has_left: HasLeft) -> Response:
        """Show one image; 404 where it is not listed."""
        content = await self.turns.take(lambda pace: self._render_image(name, pace), has_left)
        return _answer(content) if content else await self._show_fault("No such image is listed.", name, 404)

    async def show_decision(self, image: str, namespace: str, has_left: HasLeft) -> Response:
        """Show what the gate decides of an image, and by which row."""
        snapshot = self.judge.take_snapshot()
        if snapshot is None:
            return await self._show_fault(say_not_ready().text, image, 503)
        decision = self.judge.judge_images(
            [image], namespace or None, snapshot, ASSUMED_PULL_POLICY
        )  # here: it remembers, without a lock
        verdict, now = decision.verdicts[0], self.judge.clock()

        def render(pace: Pace) -> bytes:
            explanation = explain(Image(image, ASSUMED_PULL_POLICY), snapshot, Asker(namespace or None), now)
            view = make_answer(verdict, explanation, namespace)
            asked = show(image, SHOWN_LINE_CHARACTERS)
            return self._renderer.render("decision.html", pace, answer=view, asked=asked, namespace=show(namespace))

        return _answer(await self.turns.take(render, has_left))

    def give_asset(self, name: str) -> Response:
        """Give a file that pages load."""
        asset = self._renderer.assets.get(name)
        if asset is None:
            return Response(status_code=404, headers=_HEADERS)
        headers = {**_HEADERS, "Cache-Control": f"public, max-age={PAGE_ASSET_SECONDS}, immutable"}
        return Response(asset.content, media_type=asset.media_type, headers=headers)

    def _render_status(self, query: Query, health: Health, pace: Pace) -> bytes:
        snapshot, now = self.judge.take_snapshot(), self.judge.clock()
        index = self._find_index(snapshot, now, pace) if snapshot else None
        return self._renderer.render(
            "status.html",
            pace,
            headline=make_headline(index, now) if index else say_not_ready(),
            table=make_table(index, query, now, pace) if index else None,
            foundation=make_foundation(snapshot or self.judge.current(), health, now, pace),
            asked="",
            namespace="",
        )

    def _render_image(self, name: str, pace: Pace) -> bytes:
        snapshot, now = self.judge.take_snapshot(), self.judge.clock()
        tracked = find_tracked_image(name, snapshot, now, pace) if snapshot else None
        if snapshot is None or tracked is None:
            return b""
        entry = make_entry(tracked, snapshot.policy.stale_after, now)
        return self._renderer.render("image.html", pace, view=make_image_view(entry, snapshot, now))

    async def _show_fault(self, text: str, subject: str, status: int) -> Response:
        content = await self.turns.take(
            lambda pace: self._renderer.render("fault.html", pace, text=text, subject=show(subject))
        )
        return _answer(content, status)

    def _find_index(self, snapshot: Snapshot, now: datetime, pace: Pace) -> Index:
        """Find the index of the snapshot; turns are taken one at a time, so nobody else makes it meanwhile."""
        if self._index is None or self._index.snapshot is not snapshot:
            self._drop_index(pace)  # so that there are never two
            self._index = Index.build(snapshot, now, pace)
        return self._index

    def _drop_index(self, pace: Pace) -> None:
        index, self._index = self._index, None
        if index:
            index.clear(pace)

    def _forget_later(self) -> None:
        """Forget the index once no page has been asked for some time; that of an old snapshot holds all of it."""
        if self._forgetting:
            self._forgetting.cancel()
        self._forgetting = asyncio.get_running_loop().create_task(self._forget())

    async def _forget(self) -> None:
        while self.has_index:
            await asyncio.sleep(self.index_seconds)
            with contextlib.suppress(RequestError):  # too many wait: tried again
                await self.turns.take(self._drop_index)


def add_status_page(app: FastAPI, judge: Judge, find_health: Callable[[], Health], turns: Turns) -> None:
    """Add the status page to the ops listener's application. turns: shared with what else is computed there."""
    page = StatusPage(judge, find_health, turns)

    @app.get("/", include_in_schema=False)
    async def show_status(request: Request) -> Response:
        return await page.show_status(Query.read(request.query_params), request.is_disconnected)

    @app.get("/image", include_in_schema=False)
    async def show_image(request: Request, name: str = "") -> Response:
        return await page.show_image(name, request.is_disconnected)

    @app.get("/decision", include_in_schema=False)
    async def show_decision(request: Request, image: str = "", namespace: str = "") -> Response:
        return await page.show_decision(image.strip(), namespace.strip(), request.is_disconnected)

    @app.get("/assets/{name}", include_in_schema=False)
    async def give_asset(name: str) -> Response:
        return page.give_asset(name)


def _answer(content: bytes, status: int = 200) -> Response:
    return Response(content, status, headers=_HEADERS, media_type=_HTML)
