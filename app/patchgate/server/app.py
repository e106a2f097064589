"""The gate's HTTP application: FastAPI with the doors on it, the admission door mounted as it is."""

from collections.abc import Callable, Iterable

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse

from patchgate.errors import RequestError
from patchgate.policy.part import Problem
from patchgate.policy.snapshot import Snapshot
from patchgate.server.admission import AdmissionApp
from patchgate.server.body import check_is_not_packed, read_body
from patchgate.server.catalog import list_catalog
from patchgate.server.decisions import DecisionRequest, decide_request, write_decision
from patchgate.server.judge import Judge
from patchgate.server.probes import describe
from patchgate.server.refusal import NotReadyError, refuse


def make_app(judge: Judge, source_problems: Callable[[], Iterable[Problem]]) -> FastAPI:
    """Make the application.

    judge: the core behind every door.
    source_problems: gives what the source could not read, for `/readyz?verbose`.
    """
    app = FastAPI(title="patchgate", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.mount("/validate", AdmissionApp(judge))
    _add_decisions(app, judge)
    _add_catalog(app, judge)
    _add_probes(app, judge, source_problems)

    @app.exception_handler(HTTPException)
    async def answer_http_exception(_: Request, error: HTTPException) -> Response:
        return refuse(RequestError(error.status_code, error.detail))

    @app.exception_handler(RequestError)
    async def answer_request_error(_: Request, error: RequestError) -> Response:
        return refuse(error)

    return app


def _take_snapshot(judge: Judge) -> Snapshot:
    snapshot = judge.take_snapshot()
    if snapshot is None:
        raise NotReadyError
    return snapshot


def _add_decisions(app: FastAPI, judge: Judge) -> None:
    schema = {"requestBody": {"content": {"application/json": {"schema": DecisionRequest.model_json_schema()}}}}

    @app.post("/v1/decisions", openapi_extra=schema)
    async def decide(request: Request) -> Response:
        """Decide images, or an object as a review would be."""
        check_is_not_packed(request.headers)
        body = await read_body(request.headers, request.receive)
        decision = decide_request(body, judge, _take_snapshot(judge))
        return Response(write_decision(decision), media_type="application/json")


def _add_catalog(app: FastAPI, judge: Judge) -> None:
    @app.get("/v1/catalog")
    async def catalog() -> Response:
        """List what is tracked, and what is approved now."""
        return JSONResponse(list_catalog(_take_snapshot(judge), judge.clock()))


def _add_probes(app: FastAPI, judge: Judge, source_problems: Callable[[], Iterable[Problem]]) -> None:
    @app.get("/livez")
    async def livez() -> Response:
        """Answer that the event loop turns."""
        return PlainTextResponse("ok\n")

    @app.get("/readyz")
    async def readyz(request: Request) -> Response:
        """Answer whether reviews are decided; `?verbose` says by what."""
        is_ready = judge.take_snapshot() is not None
        lines = ["ok" if is_ready else "not ready"]
        if "verbose" in request.query_params:
            lines += describe(judge.current(), source_problems(), judge.clock())
        return PlainTextResponse("\n".join(lines) + "\n", 200 if is_ready else 503)
