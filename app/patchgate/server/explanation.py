"""An explanation as JSON: for the ops listener and the command line."""

from patchgate.policy.explain import Explanation
from patchgate.server.decision_json import describe_verdict


def describe_explanation(explanation: Explanation) -> dict[str, object]:
    """Describe how a verdict came about: the item of `/v1/decisions`, the rows, and where what counted stands."""
    return describe_verdict(explanation.verdict) | {
        "reference": explanation.reference,
        "row": explanation.decided_by,
        "rows": [
            {"row": row.number, "question": row.question, "answer": row.answer, "why": row.why}
            for row in explanation.rows
        ],
        "origins": [
            {"kind": origin.kind, "configmap": origin.configmap, "place": origin.place}
            for origin in explanation.origins
        ],
    }
