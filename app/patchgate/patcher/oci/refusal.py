"""Says what a registry's refusal means, and what to do. Pure."""

import re
from collections.abc import Iterable
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from patchgate.errors import RegistryError
from patchgate.patcher.oci.answer import Answer
from patchgate.patcher.oci.destination import name_host
from patchgate.patcher.oci.retry import PASSING_STATUSES, read_retry_after_seconds
from patchgate.patcher.redact import quote_error

QUOTA: Final = (
    re.compile(r"exceed the configured upper limit|quota|storage (?:limit|space) (?:is )?exceeded", re.IGNORECASE),
    "the registry has no room left for it (quota): raise the quota, or delete images",
)
"""Harbor's refusal of a project that is full: 403 DENIED with the sizes in words."""
IMMUTABLE: Final = (
    re.compile(
        r"TAG_INVALID|ImageTagAlreadyExists|\bimmutable\b|(?:enabled|has) (?:tag )?immutab|immutable ?tag",
        re.IGNORECASE,
    ),
    "the tag exists, and the registry lets no tag be changed (immutable tags): delete it, or exempt -candidate- tags",
)
"""ECR's (400 TAG_INVALID), Harbor's (412, `configured as immutable`) and Google's (`has enabled tag immutability`)."""


class Action(StrEnum):
    """What was asked for."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


def refuse(  # noqa: PLR0913 -- all that is said
    action: Action, host: str, path: str, answer: Answer, *, has_login: bool, secrets: Iterable[str]
) -> RegistryError:
    """Make the error of an answer that is none of those hoped for.

    host, path: of the repository.
    has_login: whether the docker config has a login of the host.
    secrets: what a registry may say back to us, and nobody is shown.
    """
    way = f" by way of the proxy {answer.proxy}" if answer.proxy else ""
    refused = f"{action} refused: {answer.status} from {host}{way}"
    preposition = "from" if action is Action.PULL else "to"
    if answer.is_of_another_host:
        return _refuse_elsewhere(action, host, answer, secrets)
    match answer.status:
        case _ if cause := _find_cause(answer):
            does = cause
        case HTTPStatus.UNAUTHORIZED if has_login:
            does = f"the credentials for {host} are wrong, expired, or lack the right to {action} {preposition} {path}"
        case HTTPStatus.UNAUTHORIZED:
            does = f"the docker config has no credentials for {host}: add them (or {path} does not exist)"
        case HTTPStatus.FORBIDDEN:
            does = f"give the credentials the right to {action} {preposition} {path}"
        case HTTPStatus.NOT_FOUND:
            does = f"there is no {path}: make the repository, or mend its name"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            does = f"it does not let anybody {action}; is it a mirror, or read-only?"
        case HTTPStatus.TOO_MANY_REQUESTS:
            does = f"too many requests{_say_wait(answer)}: ask less often" + ("" if has_login else ", or log in")
        case status if status in PASSING_STATUSES:
            does = f"it fails{_say_wait(answer)}: look at its log"
        case _:
            does = "it does not answer as a registry"
    says = quote_error(answer.says, secrets)
    return RegistryError(f"{refused}; {does}" + (f" (it says: {says})" if says else ""))


def _find_cause(answer: Answer) -> str:
    """Find what a registry says of its own settings, whatever status it says it with."""
    if answer.status in PASSING_STATUSES:
        return ""
    return next((means for pattern, means in (QUOTA, IMMUTABLE) if pattern.search(answer.says)), "")


def _refuse_elsewhere(action: Action, host: str, answer: Answer, secrets: Iterable[str]) -> RegistryError:
    """Make the error of an answer that came after a redirect to another host: that one never gets credentials."""
    elsewhere = name_host(answer.url)
    does = f"{host} redirects to {elsewhere}: look at that host, or at the registry's storage settings"
    if answer.status == HTTPStatus.UNAUTHORIZED:
        does = f"{host} redirects to {elsewhere}, which asks for credentials; those of {host} are for {host} alone"
    says = quote_error(answer.says, secrets)
    return RegistryError(
        f"{action} refused: {answer.status} from {elsewhere}; {does}" + (f" (it says: {says})" if says else "")
    )


def _say_wait(answer: Answer) -> str:
    seconds = read_retry_after_seconds(answer)
    return f", it asks to wait {seconds:.0f} s" if seconds else ""
