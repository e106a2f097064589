"""Twins: what pydantic explains, and accepts where msgspec does not, is what msgspec reads."""

import json
from dataclasses import fields

import msgspec
import pytest
from pydantic import TypeAdapter, ValidationError

from patchgate.policy.workload import Object, Spec
from patchgate.server.review import read_review
from patchgate.server.twin import make_twin
from tests.conftest import change, read_recorded


@pytest.mark.parametrize("review", ["pod-create", "deployment-create", "cronjob-create", "pod-ephemeral-container"])
def test_a_twin_reads_what_the_struct_reads(review: str) -> None:
    obj = json.loads(read_recorded(review))["request"]["object"]
    twin: TypeAdapter[object] = TypeAdapter(make_twin(Object))
    assert msgspec.convert(twin.dump_python(twin.validate_python(obj)), Object) == msgspec.convert(obj, Object)


def test_a_twin_has_the_fields_of_its_struct_those_of_its_base_included() -> None:
    assert [each.name for each in fields(make_twin(Spec))] == list(Spec.__struct_fields__)


def test_a_field_without_default_must_be_there() -> None:
    class Named(msgspec.Struct):
        name: str
        kind: str | None = None

    with pytest.raises(ValidationError, match="name"):
        TypeAdapter(make_twin(Named)).validate_python({"kind": "Pod"})


def test_a_review_that_msgspec_alone_refuses_is_read_as_any_other() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod"}  # a small one: of a large review msgspec alone says what is wrong
    lax, strict = (
        read_review(json.dumps(change("pod-create", object=pod, dryRun=said)).encode()) for said in ("true", True)
    )
    assert lax == strict
    assert lax.is_dry_run
