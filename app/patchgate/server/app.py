"""The gate's HTTP application: FastAPI with the doors on it, the admission door before its middleware."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from patchgate.errors import RequestError
from patchgate.policy.decision import Mode
from patchgate.policy.part import Problem
from patchgate.policy.snapshot import Snapshot
from patchgate.server.admission import PREFIX, AdmissionApp
from patchgate.server.body import check_is_not_packed, read_body
from patchgate.server.catalog import Catalog
from patchgate.server.decisions import decide_request, write_decision
from patchgate.server.gatekeeper import decide_keys, write_items, write_system_error
from patchgate.server.judge import Judge
from patchgate.server.probes import describe
from patchgate.server.readiness import DRAINING, Readiness
from patchgate.server.refusal import NotReadyError, refuse
from patchgate.server.reporting import Reporter
from patchgate.server.schemas import (
    DECISION_REQUEST,
    PROVIDER_REQUEST,
    CatalogAnswer,
    DecisionAnswer,
    ProviderAnswer,
    refusals,
)

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class MainApp(FastAPI):
    """FastAPI, and the admission door before its middleware, which would be a quarter of the cost (docs/adr/0004)."""

    def __init__(self, admission: AdmissionApp) -> None:
        super().__init__(title="patchgate", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
        self.admission = admission

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request (ASGI 3)."""
        if scope["path"].startswith(PREFIX):
            await self.admission(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def make_app(
    judge: Judge,
    reporter: Reporter,
    readiness: Readiness,
    source_problems: Callable[[], Iterable[Problem]],
) -> MainApp:
    """Make the application of the main listener.

    judge: the core behind every door.
    reporter: told of each answer.
    readiness: what `/readyz` answers.
    source_problems: gives what the source could not read, for `/readyz?verbose`.
    """
    app = MainApp(AdmissionApp(judge, reporter))
    _add_decisions(app, judge, reporter)
    _add_gatekeeper(app, judge, reporter)
    _add_catalog(app, judge)
    _add_probes(app, judge, readiness, source_problems)
    add_refusals(app)
    return app


def add_refusals(app: FastAPI) -> None:
    """Answer what cannot be answered in one shape."""

    @app.exception_handler(HTTPException)
    async def answer_http_exception(_: Request, error: HTTPException) -> Response:
        return refuse(RequestError(error.status_code, error.detail, allow=(error.headers or {}).get("Allow", "")))

    @app.exception_handler(RequestError)
    async def answer_request_error(_: Request, error: RequestError) -> Response:
        return refuse(error)


def take_snapshot(judge: Judge) -> Snapshot:
    """Take the snapshot in force.

    Raises:
        NotReadyError: there is none yet.
    """
    snapshot = judge.take_snapshot()
    if snapshot is None:
        raise NotReadyError
    return snapshot


def _add_decisions(app: FastAPI, judge: Judge, reporter: Reporter) -> None:
    schema = {"requestBody": {"content": {"application/json": {"schema": DECISION_REQUEST}}}}

    @app.post(
        "/v1/decisions",
        openapi_extra=schema,
        response_model=DecisionAnswer,
        responses=refusals(400, 413, 415, 503),
    )
    async def decide(request: Request) -> Response:
        """Decide images, or an object as a review would be."""
        check_is_not_packed(dict(request.scope["headers"]))
        body = await read_body(request.scope, request.receive)
        snapshot = take_snapshot(judge)
        try:
            decision = decide_request(body, judge, snapshot)
        except RequestError:
            raise
        except Exception as error:  # noqa: BLE001 -- a defect of ours: the caller is answered, the process lives
            reporter.tell_failure(error, "decision")
            decision = judge.conclude_failed(Mode.ENFORCE)
        reporter.tell_decision(decision)
        return Response(write_decision(decision), media_type="application/json")


def _add_gatekeeper(app: FastAPI, judge: Judge, reporter: Reporter) -> None:
    schema = {"requestBody": {"content": {"application/json": {"schema": PROVIDER_REQUEST}}}}
    undecided: dict[int | str, dict[str, Any]] = {
        status: {"model": ProviderAnswer, "description": "Not decided."} for status in (400, 413, 415, 500, 503)
    }

    @app.post("/v1/gatekeeper", openapi_extra=schema, response_model=ProviderAnswer, responses=undecided)
    async def answer_provider_request(request: Request) -> Response:
        """Decide images as an external data provider of Gatekeeper."""
        try:
            check_is_not_packed(dict(request.scope["headers"]))
            items = decide_keys(await read_body(request.scope, request.receive), judge, take_snapshot(judge))
        except RequestError as error:
            return refuse(error, write_system_error(error))
        except Exception as error:  # noqa: BLE001 -- a defect of ours: the caller is answered, the process lives
            reporter.tell_failure(error, "decision")
            failure = RequestError(500, "patchgate failed to decide, its log says why")
            return refuse(failure, write_system_error(failure))
        for item in items:
            reporter.tell_decision(item.decision)
        return Response(write_items(items), media_type="application/json")


def _add_catalog(app: FastAPI, judge: Judge) -> None:
    catalog = Catalog(judge.clock)

    @app.get("/v1/catalog", response_model=CatalogAnswer, responses=refusals(503))
    async def list_catalog() -> Response:
        """List what is tracked, and what is approved now."""
        return Response(await catalog.write(take_snapshot(judge)), media_type="application/json")


def _add_probes(
    app: FastAPI,
    judge: Judge,
    readiness: Readiness,
    source_problems: Callable[[], Iterable[Problem]],
) -> None:
    @app.get("/livez", response_class=PlainTextResponse)
    async def livez() -> Response:
        """Answer that the event loop turns."""
        return PlainTextResponse("ok\n")

    @app.get("/readyz", response_class=PlainTextResponse, responses={503: {"content": {"text/plain": {}}}})
    async def readyz(request: Request) -> Response:
        """Answer whether reviews are decided; `?verbose` says by what."""
        reasons = readiness.list_reasons()
        lines = [DRAINING if DRAINING in reasons else "not ready" if reasons else "ok"]
        if "verbose" in request.query_params:
            lines += [f"not ready: {reason}" for reason in reasons]
            lines += describe(judge.current(), source_problems(), judge.clock())
        return PlainTextResponse("\n".join(lines) + "\n", 503 if reasons else 200)
