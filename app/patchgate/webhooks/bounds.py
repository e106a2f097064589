"""What the ConfigMap of webhooks may say: only our own Service, and only the resources that the gate judges. Pure.

The gate may write its ValidatingWebhookConfiguration; a person who may write the ConfigMap usually may not. So the
ConfigMap must not be a way to send objects of the cluster elsewhere (a `url`, a foreign Service, foreign resources),
nor to have kube-apiserver ask about less (no Pods, an objectSelector, another path than the webhook's mode). Which
namespaces are left out, and what matchConditions say, only the checksum holds in place.

The fields are those of admissionregistration.k8s.io/v1, ValidatingWebhook. A field that is not named here is refused.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from patchgate.policy.decision import Mode
from patchgate.validation import say_first_error
from patchgate.webhooks.plan import Webhook

RESOURCES: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"pods", "pods/ephemeralcontainers", "replicationcontrollers"}),
    "apps": frozenset({"daemonsets", "deployments", "replicasets", "statefulsets"}),
    "batch": frozenset({"cronjobs", "jobs"}),
}
"""API group → resources that the gate judges: each of them must be asked about, and no other may be."""
_OPERATIONS: Final = ("CREATE", "UPDATE")
_NAMESPACE_KEY: Final = "kubernetes.io/metadata.name"
_MODE_KEY: Final = "patchgate.io/mode"
_TIMEOUT_SECONDS: Final = 30
"""The longest that the API allows."""
_CONDITIONS: Final = 64
"""The most that the API allows."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What holds for the webhooks of one gate.

    Attributes:
        service: name of the gate's own Service.
        namespace: of that Service.
        sha256: of the text that the webhooks must have, in hexadecimal digits; empty for any text within the bounds.
    """

    service: str
    namespace: str
    sha256: str = ""

    def find_fault(self, text: str, webhooks: Sequence[Webhook]) -> str:
        """Say why these webhooks must not be applied; empty if they may. text: what they were read from."""
        return next(self._list_faults(text, webhooks), "")

    def _list_faults(self, text: str, webhooks: Sequence[Webhook]) -> Iterator[str]:
        for webhook in webhooks:
            if fault := self._find_fault_of(webhook):
                yield f"{webhook.get('name')}: {fault}"
        names = sorted(str(each.get("name")) for each in webhooks)
        if names != sorted(_NAMES):
            yield f"there must be one webhook each of {', '.join(_NAMES)}, and no other"
        if sum(map(_takes_unlabelled, webhooks)) > 1:
            yield "namespaceSelector: more than one webhook would be asked about namespaces without a label"
        if self.sha256 and hashlib.sha256(text.encode()).hexdigest() != self.sha256:
            yield (
                "it is not what this gate was installed with (--webhooks-sha256): an upgrade under way ends this; "
                "otherwise change the chart's values instead"
            )

    def _find_fault_of(self, webhook: Webhook) -> str:
        client = webhook.get("clientConfig")
        if isinstance(client, Mapping) and "url" in client:
            return "clientConfig.url: only the gate's own Service may be asked"
        try:
            shape = _SHAPE.validate_python(webhook)
        except ValidationError as error:
            return say_first_error(error)
        return next(self._list_faults_of(shape), "")

    def _list_faults_of(self, webhook: "_Webhook") -> Iterator[str]:
        mode = Mode(webhook.name.partition(".")[0])
        service = webhook.client_config.service
        if (service.name, service.namespace) != (self.service, self.namespace):
            own = f"{self.service} in {self.namespace}"
            yield f"clientConfig.service must be the gate's own, {own}, not {service.name} in {service.namespace}"
        if service.path != f"/validate/{mode}":
            yield f"clientConfig.service.path must be /validate/{mode}, not {service.path}"
        if mode is not Mode.ENFORCE and webhook.failure_policy != "Ignore":
            yield "failurePolicy must be Ignore: this mode refuses nothing"
        if fault := _find_rule_fault(webhook.rules):
            yield fault
        yield from _list_selector_faults(mode, webhook.namespace_selector.match_expressions)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class _Service(_Strict):
    name: str
    namespace: str
    path: str
    port: int = 443


class _ClientConfig(_Strict):
    service: _Service


class _Rule(_Strict):
    api_groups: list[Literal["", "apps", "batch"]]
    api_versions: list[Literal["v1"]]
    operations: list[Literal["CREATE", "UPDATE"]]
    resources: list[str]
    scope: Literal["Namespaced"]


class _Expression(_Strict):
    key: Literal["kubernetes.io/metadata.name", "patchgate.io/mode"]
    operator: Literal["In", "NotIn"]
    values: list[str]


class _Selector(_Strict):
    match_expressions: list[_Expression]


class _Condition(_Strict):
    name: str
    expression: str


class _Webhook(_Strict):
    name: Literal["enforce.patchgate.io", "warn.patchgate.io", "audit.patchgate.io"]
    client_config: _ClientConfig
    failure_policy: Literal["Ignore", "Fail"]
    side_effects: Literal["None"]
    admission_review_versions: list[Literal["v1"]]
    namespace_selector: _Selector
    rules: list[_Rule]
    match_policy: Literal["Equivalent"] = "Equivalent"
    timeout_seconds: Annotated[int, Field(ge=1, le=_TIMEOUT_SECONDS)] = 10
    match_conditions: Annotated[list[_Condition], Field(max_length=_CONDITIONS)] = []


_SHAPE: Final = TypeAdapter(_Webhook)
_NAMES: Final = tuple(f"{mode}.patchgate.io" for mode in Mode)


def _find_rule_fault(rules: Iterable[_Rule]) -> str:
    """Say what the rules ask about and must not, or must ask about and do not; empty if they are right."""
    asked = {each for rule in rules for each in product(rule.api_groups, rule.resources, rule.operations)}
    wanted = {
        (group, resource, operation)
        for group, resources in RESOURCES.items()
        for resource, operation in product(resources, _OPERATIONS)
    }
    if foreign := sorted(asked - wanted):
        return f"rules must not ask about {_format_rule(foreign[0])}: the gate does not judge it"
    if missing := sorted(wanted - asked):
        return f"rules must ask about {_format_rule(missing[0])}"
    return ""


def _format_rule(rule: tuple[str, str, str]) -> str:
    group, resource, operation = rule
    return f"{operation} of {resource} in the {group or 'core'} group"


def _list_selector_faults(mode: Mode, expressions: Sequence[_Expression]) -> Iterator[str]:
    """Say what of a namespaceSelector would have nobody asked, or the wrong mode."""
    by_key = {each.key: each for each in expressions}
    if len(by_key) != len(expressions):
        yield "namespaceSelector must have one expression for each key"
    names, modes = by_key.get(_NAMESPACE_KEY), by_key.get(_MODE_KEY)
    if names and names.operator != "NotIn":
        yield f"namespaceSelector may only leave out namespaces by {_NAMESPACE_KEY}"
    others = set(Mode) - {mode}
    if modes is None or set(modes.values) != ({mode} if modes.operator == "In" else others):
        yield f"namespaceSelector must choose mode {mode} by {_MODE_KEY}: In itself, or NotIn the others"


def _takes_unlabelled(webhook: Webhook) -> bool:
    """Tell whether a webhook whose shape is right is asked about namespaces without a mode label."""
    shape = _SHAPE.validate_python(webhook)
    return any(
        each.key == _MODE_KEY and each.operator == "NotIn" for each in shape.namespace_selector.match_expressions
    )
