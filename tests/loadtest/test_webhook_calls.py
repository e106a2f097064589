"""kube-apiserver's count of calls tells whether a side's webhook was asked about each Pod, and nobody else."""

import pytest

from loadtest.admission.webhook_calls import check_calls, read_calls
from loadtest.servers import ServerError

SERIES = "apiserver_admission_webhook_request_total"
METRICS = f"""\
# TYPE {SERIES} counter
{SERIES}{{code="200",name="gate.load.patchgate.io",operation="CREATE",rejected="false",type="validating"}} 7
{SERIES}{{code="200",name="gate.load.patchgate.io",operation="CREATE",rejected="true",type="validating"}} 2
{SERIES}{{code="200",name="gate.load.patchgate.io",operation="UPDATE",rejected="false",type="validating"}} 5
{SERIES}{{code="200",name="monitor.kyverno.svc",operation="CREATE",rejected="false",type="admit"}} 3
{SERIES}{{code="200",name="validate.kyverno.svc-fail",operation="CREATE",rejected="false",type="validating"}} 1e+06
apiserver_admission_webhook_rejection_count{{name="gate.load.patchgate.io"}} 2
"""


def test_calls_of_validating_webhooks_for_creates_are_counted() -> None:
    assert read_calls(METRICS) == {"gate.load.patchgate.io": 9, "validate.kyverno.svc-fail": 1_000_000}


@pytest.mark.parametrize(
    ("webhook", "after"),
    [
        pytest.param("gate.load", {"gate.load.patchgate.io": 19, "other": 4}, id="each"),
        pytest.param("gate.load", {"gate.load.patchgate.io": 25, "other": 4}, id="and those that were on their way"),
        pytest.param("", {"gate.load.patchgate.io": 9, "other": 4}, id="nobody is to be asked"),
        pytest.param("", {"gate.load.patchgate.io": 9, "other": 6}, id="of the turn before, one a client"),
    ],
)
def test_the_sides_own_webhook_was_asked(webhook: str, after: dict[str, int]) -> None:
    check_calls(webhook, 10, 2, {"gate.load.patchgate.io": 9, "other": 4}, after)


@pytest.mark.parametrize(
    ("webhook", "after"),
    [
        pytest.param("gate.load", {"gate.load.patchgate.io": 18}, id="not about each"),
        pytest.param("gate.load", {"gate.load.patchgate.io": 19, "other": 3}, id="another one too"),
        pytest.param("", {"gate.load.patchgate.io": 12}, id="nobody is to be asked"),
        pytest.param("kyverno", {}, id="not in force"),
    ],
)
def test_other_calls_are_an_error(webhook: str, after: dict[str, int]) -> None:
    with pytest.raises(ServerError, match="10 Pods"):
        check_calls(webhook, 10, 2, {"gate.load.patchgate.io": 9}, after)
