"""A decision as JSON: what `/v1/decisions` answers, and `patchgate check -o json` prints. Needs no HTTP framework."""

from patchgate.policy.decision import Decision
from patchgate.policy.verdict import Verdict


def describe_decision(decision: Decision) -> dict[str, object]:
    """Give a decision as the flat object that is answered."""
    return {
        "allowed": decision.allowed,
        "reason": decision.reason,
        "message": decision.message,
        "images": [describe_verdict(verdict) for verdict in decision.verdicts],
    }


def describe_verdict(verdict: Verdict) -> dict[str, object]:
    """Give one image's item."""
    return {
        "image": verdict.image,
        "allowed": verdict.allowed,
        "reason": verdict.reason,
        "message": verdict.message,
        "use": verdict.use,
        "warnings": list(verdict.warnings),
    }
