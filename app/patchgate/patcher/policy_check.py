"""Refuses to run on a wrong policy. The gate keeps a last good value; a run has none, and a default could be laxer."""

from collections.abc import Iterable

from patchgate.configmaps.policy_keys import KEYS
from patchgate.errors import SourceError
from patchgate.policy.part import Problem


def refuse_wrong_policy(image_list: str, problems: Iterable[Problem]) -> None:
    """Refuse where a problem is one of a policy's key, or of a line of one.

    image_list: the main list's ConfigMap, which carries the policy.

    Raises:
        SourceError: says which keys, and what to write.
    """
    own = (problem for problem in problems if problem.configmap == image_list)
    wrong = [str(problem) for problem in own if problem.place.partition(" ")[0] in KEYS]
    if wrong:
        raise SourceError("; ".join(dict.fromkeys(wrong)))
