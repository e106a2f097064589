"""The routes beside admission keep what their OpenAPI says, whatever they are asked (schemathesis)."""

import re
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from patchgate.server.decisions import DecisionRequest
from patchgate.server.gatekeeper import ProviderRequest
from patchgate.server.schemas import DECISION_REQUEST, PROVIDER_REQUEST
from tests.conftest import SHOP, Doors, make_doors

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

OPS_PATHS = {"/metrics", "/v1/images", "/openapi.json"}
CONFORMS = [content_type_conformance, response_schema_conformance, status_code_conformance]


def join(doors: Doors) -> "ASGIApp":
    """Answer as whichever listener has the path."""

    async def answer(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await (doors.ops if scope["path"] in OPS_PATHS else doors.main)(scope, receive, send)

    return answer


READY = schemathesis.openapi.from_asgi("/openapi.json", join(make_doors(*SHOP)))
COLD = schemathesis.openapi.from_asgi("/openapi.json", join(make_doors()))


def test_the_openapi_is_valid_and_refers_to_nothing_that_is_not_there() -> None:
    READY.validate()
    schemas = READY.raw_schema["components"]["schemas"]
    assert {f"#/components/schemas/{name}" for name in schemas} >= set(
        re.findall(r"'(#/[^']+)'", str(READY.raw_schema))
    )


def test_the_openapi_names_every_field_that_is_read_of_a_question() -> None:
    assert list(DECISION_REQUEST["properties"]) == list(DecisionRequest.__struct_fields__)
    assert list(PROVIDER_REQUEST["properties"]) == list(ProviderRequest.__struct_fields__)


def test_the_openapi_has_every_route_beside_admission() -> None:
    assert {(method.upper(), path) for path, item in READY.raw_schema["paths"].items() for method in item} == {
        ("POST", "/v1/decisions"),
        ("POST", "/v1/gatekeeper"),
        ("GET", "/v1/catalog"),
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/v1/images"),
        ("GET", "/openapi.json"),
    }


@READY.parametrize()
@settings(derandomize=True, max_examples=100)
def test_a_ready_gate_answers_as_the_openapi_says_and_without_a_fault(case: "schemathesis.Case[Any]") -> None:
    case.call_and_validate(checks=[not_a_server_error, *CONFORMS])


@COLD.parametrize()
@settings(derandomize=True, max_examples=20)
def test_a_cold_gate_answers_as_the_openapi_says(case: "schemathesis.Case[Any]") -> None:
    response = case.call_and_validate(checks=CONFORMS)
    assert response.status_code in {200, 400, 405, 413, 415, 422, 503}
