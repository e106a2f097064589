"""The ops listener: the status page, metrics, the tracked images, the documentation of the doors.

On an address of its own, plain HTTP: what is not yet patched is a gift to whoever sits in a container.
"""

import json
from collections.abc import Callable
from functools import cache
from itertools import islice
from typing import Annotated, Final

from fastapi import FastAPI, Query, Request, Response
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import PlainTextResponse

from patchgate.limits import IMAGES_OFFSET_MOST, PAGE_IMAGES, PAGE_IMAGES_MOST
from patchgate.policy.overview import list_tracked_images
from patchgate.policy.pace import Pace
from patchgate.server.app import add_refusals, take_snapshot
from patchgate.server.images import describe_image
from patchgate.server.judge import Judge
from patchgate.server.own_names import OwnNames
from patchgate.server.page.health import Health
from patchgate.server.page.routes import add_status_page
from patchgate.server.schemas import ImagesAnswer, refusals
from patchgate.server.turns import Turns

_JSON: Final = "application/json"


def make_ops_app(
    judge: Judge, registry: CollectorRegistry, doors: FastAPI, find_health: Callable[[], Health] | None = None
) -> FastAPI:
    """Make the application of the ops listener.

    registry: what `/metrics` gives.
    doors: the main listener's application, documented at `/openapi.json`.
    find_health: gives how the gate itself stands, for the status page; None for no such page.
    """
    app = FastAPI(title="patchgate ops", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(OwnNames)
    add_refusals(app)
    turns = Turns()
    if find_health:
        add_status_page(app, judge, find_health, turns)

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Give the metrics in Prometheus' text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/v1/images", response_model=ImagesAnswer, responses=refusals(503))
    async def images(
        request: Request,
        offset: Annotated[int, Query(ge=0, le=IMAGES_OFFSET_MOST, description="images to pass over")] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE_IMAGES_MOST, description="images to give")] = PAGE_IMAGES,
    ) -> Response:
        """List the tracked images with their records and time left, a page at a time."""
        take_snapshot(judge)
        return Response(
            await turns.take(lambda pace: _write_images(judge, offset, limit, pace), request.is_disconnected),
            media_type=_JSON,
        )

    @cache
    def write_openapi() -> bytes:
        return json.dumps(get_openapi(title="patchgate", version="1", routes=[*doors.routes, *app.routes])).encode()

    @app.get("/openapi.json")
    async def openapi() -> Response:
        """Describe the doors beside admission and this listener (OpenAPI 3.1)."""
        return Response(write_openapi(), media_type=_JSON)

    return app


def _write_images(judge: Judge, offset: int, limit: int, pace: Pace) -> bytes:
    """Write one page of the images, each by itself."""
    now = judge.clock()
    listed = islice(list_tracked_images(take_snapshot(judge), now, offset, pace), limit)
    page = [json.dumps(describe_image(image, now)) for image in pace(listed)]
    following = json.dumps(offset + limit if len(page) == limit else None)
    return f'{{"images": [{", ".join(page)}], "next": {following}}}'.encode()
