"""What each alert is shown, in promtool's words, and whether it fires: every alert has cases of both kinds.

Series are in the form in which Prometheus has them from the gate, from kube-apiserver and from kube-state-metrics
(github.com/kubernetes/kube-state-metrics, docs/metrics/workload). `0+1x9` is 0, 1, … 9, a value a step; `_` is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass

GATE = 'namespace="copa-system",pod="patchgate-a"'
OTHER = 'namespace="copa-system",pod="patchgate-b"'
ELSEWHERE = 'namespace="elsewhere",pod="patchgate-a"'
DENIED = f'patchgate_reviews_total{{{GATE},operation="CREATE",decision="deny",reason="SlaBreached"'
CRONJOB = '{namespace="copa-system",cronjob="copa-image-patcher"}'
OPEN = 'apiserver_admission_webhook_fail_open_count{name="enforce.patchgate.io",type="validating"}'
ERROR = 'name="enforce.patchgate.io",operation="CREATE",rejection_code="0",type="validating"'
REJECTED = f'apiserver_admission_webhook_rejection_count{{{ERROR},error_type="calling_webhook_error"}}'
REFUSED = f'apiserver_admission_webhook_rejection_count{{{ERROR},error_type="no_error"}}'
CONDITION = (
    "apiserver_admission_match_condition_evaluation_errors_total"
    '{kind="webhook",name="enforce.patchgate.io",operation="UPDATE",type="validate"}'
)
UNCERTIFIED = f'patchgate_uncertified_callers_total{{{GATE},fault="none"}}'
HOUR = 60


@dataclass(frozen=True, slots=True)
class Case:
    """A world that an alert is shown.

    Attributes:
        alert: its name.
        what: the world, in words.
        series: series → values, one a step from 0 on.
        minutes: when it is looked at.
        firing: how many alerts of that name fire then.
        step_minutes: between two values, and between two looks of Prometheus.
    """

    alert: str
    what: str
    series: Mapping[str, str]
    minutes: int
    firing: int
    step_minutes: int = 1

    @property
    def name(self) -> str:
        return f"{self.alert}, {self.what}"


def gauge(name: str, of_gate: str, of_other: str | None = None, labels: str = "") -> dict[str, str]:
    """A gauge of one gate or two."""
    more = f",{labels}" if labels else ""
    series = {f"{name}{{{GATE}{more}}}": of_gate}
    return series | ({f"{name}{{{OTHER}{more}}}": of_other} if of_other is not None else {})


def job(name: str, started: int, ended: str, owner: str = "copa-image-patcher") -> dict[str, str]:
    """A Job as kube-state-metrics shows it. ended: `complete`, `failed`, or empty while it runs."""
    labels = f'namespace="copa-system",job_name="{name}"'
    series = {
        f"kube_job_status_start_time{{{labels}}}": f"{started}x600",
        f'kube_job_owner{{{labels},owner_kind="CronJob",owner_name="{owner}",owner_is_controller="true"}}': "1x600",
    }
    if ended:
        series[f'kube_job_{ended}{{{labels},condition="true"}}'] = "1x600"
    return series


CASES = (
    Case("PatchgateGateDown", "one of two is ready", gauge("patchgate_ready", "0x20", "1x20"), 20, 0),
    Case("PatchgateGateDown", "none is ready", gauge("patchgate_ready", "1x3 0x20", "0x23"), 10, 1),
    Case("PatchgateGateDown", "none is ready for a minute", gauge("patchgate_ready", "1x3 0x1 1x20", "0x23"), 6, 0),
    Case("PatchgateGateDown", "none is scraped", {}, 6, 1),
    Case("PatchgateGateDown", "one is, in another namespace", {f"patchgate_ready{{{ELSEWHERE}}}": "1x20"}, 6, 1),
    Case(
        "PatchgateNotArmed",
        "ready and not armed",
        gauge("patchgate_ready", "1x40") | gauge("patchgate_armed", "0x40"),
        20,
        1,
    ),
    Case(
        "PatchgateNotArmed",
        "one armed it",
        gauge("patchgate_ready", "1x40") | gauge("patchgate_armed", "0x40", "1x40"),
        20,
        0,
    ),
    Case(
        "PatchgateNotArmed",
        "not ready: not yet",
        gauge("patchgate_ready", "0x40") | gauge("patchgate_armed", "0x40"),
        20,
        0,
    ),
    Case("PatchgateWebhooksRefused", "as they should be", gauge("patchgate_webhooks_refused", "0x30", "0x30"), 20, 0),
    Case("PatchgateWebhooksRefused", "changed by someone", gauge("patchgate_webhooks_refused", "0x5 1x30"), 20, 1),
    Case("PatchgateWebhooksRefused", "by one of two", gauge("patchgate_webhooks_refused", "0x40", "1x40"), 20, 1),
    Case("PatchgateWebhooksRefused", "during an upgrade", gauge("patchgate_webhooks_refused", "0x5 1x2 0x30"), 20, 0),
    Case("PatchgateErrors", "none", gauge("patchgate_errors_total", "0x60", labels='where="source"'), 30, 0),
    Case("PatchgateErrors", "some", gauge("patchgate_errors_total", "0x20 5x40", labels='where="source"'), 30, 1),
    Case("PatchgateErrors", "long ago", gauge("patchgate_errors_total", "0x10 5x60", labels='where="source"'), 45, 0),
    Case(
        "PatchgateErrors",
        "since it began",
        gauge("patchgate_errors_total", "_x20 3x40", labels='where="review"'),
        30,
        1,
    ),
    Case("PatchgateWebhookFailedOpen", "never", {}, 20, 0),
    Case("PatchgateWebhookFailedOpen", "for the first time", {OPEN: "_x10 1x60"}, 12, 1),
    Case("PatchgateWebhookFailedOpen", "again", {OPEN: "4x20 5x60"}, 22, 1),
    Case("PatchgateWebhookFailedOpen", "long ago", {OPEN: "_x10 1x60"}, 40, 0),
    Case(
        "PatchgateWebhookFailedOpen",
        "of others",
        {OPEN.replace("enforce.patchgate", "mutate.kyverno"): "0+1x40"},
        30,
        0,
    ),
    Case("PatchgateWebhookUnanswered", "for the first time", {REJECTED: "_x10 2x60"}, 12, 1),
    Case("PatchgateWebhookUnanswered", "again", {REJECTED: "4x20 5x60"}, 22, 1),
    Case("PatchgateWebhookUnanswered", "long ago", {REJECTED: "_x10 1x60"}, 40, 0),
    Case("PatchgateWebhookUnanswered", "denied by the gate, as it should", {REFUSED: "0+9x60"}, 30, 0),
    Case("PatchgateConditionFailed", "never", {}, 20, 0),
    Case("PatchgateConditionFailed", "for the first time", {CONDITION: "_x10 1x60"}, 12, 1),
    Case("PatchgateConditionFailed", "again", {CONDITION: "4x20 5x60"}, 22, 1),
    Case("PatchgateConditionFailed", "long ago", {CONDITION: "_x10 1x60"}, 40, 0),
    Case(
        "PatchgateConditionFailed",
        "of others",
        {CONDITION.replace("enforce.patchgate", "mutate.kyverno"): "0+1x40"},
        30,
        0,
    ),
    Case("PatchgateCallersWithoutCertificate", "never", {UNCERTIFIED: "0x40"}, 30, 0),
    Case("PatchgateCallersWithoutCertificate", "for the first time", {UNCERTIFIED: "_x10 1x60"}, 12, 1),
    Case("PatchgateCallersWithoutCertificate", "again", {UNCERTIFIED: "4x20 5x60"}, 22, 1),
    Case("PatchgateCallersWithoutCertificate", "long ago", {UNCERTIFIED: "_x10 1x60"}, 40, 0),
    Case(
        "PatchgateCertificateEnding",
        "14 days left",
        gauge("patchgate_certificate_expiry_timestamp_seconds", f"{14 * 86400}x120"),
        90,
        1,
    ),
    Case(
        "PatchgateCertificateEnding",
        "one of two has 14 days left",
        gauge("patchgate_certificate_expiry_timestamp_seconds", f"{90 * 86400}x120", f"{14 * 86400}x120"),
        90,
        1,
    ),
    Case(
        "PatchgateCertificateEnding",
        "30 days left, when it is renewed",
        gauge("patchgate_certificate_expiry_timestamp_seconds", f"{30 * 86400}x120"),
        90,
        0,
    ),
    Case("PatchgateSnapshotStale", "one of two", gauge("patchgate_snapshot_age_seconds", "0+60x30", "3x30"), 20, 1),
    Case(
        "PatchgateSnapshotStale",
        "a restart of kube-apiserver",
        gauge("patchgate_snapshot_age_seconds", "0+60x4 3x30"),
        20,
        0,
    ),
    Case("PatchgateReplicasDiffer", "alike", gauge("patchgate_snapshot_generation", "7x30", "7x30"), 20, 0),
    Case("PatchgateReplicasDiffer", "by a generation", gauge("patchgate_snapshot_generation", "7x30", "8x30"), 20, 1),
    Case(
        "PatchgateReplicasDiffer", "for a moment", gauge("patchgate_snapshot_generation", "7x9 8x20", "7x4 8x25"), 20, 0
    ),
    Case("PatchgateReplicasDiffer", "by their lists", gauge("patchgate_images", "3x30", "4x30"), 20, 1),
    Case("PatchgateReplicasDiffer", "alone", gauge("patchgate_snapshot_generation", "7x30"), 20, 0),
    Case("PatchgateBadEntries", "one", gauge("patchgate_bad_entries", "1x30", labels='kind="records"'), 20, 1),
    Case("PatchgateBadEntries", "none", gauge("patchgate_bad_entries", "0x30", labels='kind="records"'), 20, 0),
    Case("PatchgateClockBehind", "by an hour", gauge("patchgate_clock_behind_seconds", "3600x30"), 10, 1),
    Case(
        "PatchgateClockBehind",
        "by a minute, as machines that start",
        gauge("patchgate_clock_behind_seconds", "60x30"),
        10,
        0,
    ),
    Case("PatchgateSlaBreached", "one", gauge("patchgate_sla_images", "0x5 1x30", labels='left="none"'), 7, 1),
    Case("PatchgateSlaBreached", "none", gauge("patchgate_sla_images", "0x30", labels='left="none"'), 20, 0),
    Case(
        "PatchgateSlaBreached",
        "one that has an hour left",
        gauge("patchgate_sla_images", "1x30", labels='left="under_1h"'),
        20,
        0,
    ),
    Case("PatchgateSlaNear", "within 4 hours", gauge("patchgate_sla_images", "1x30", labels='left="under_4h"'), 10, 1),
    Case("PatchgateSlaNear", "within the hour", gauge("patchgate_sla_images", "1x30", labels='left="under_1h"'), 10, 1),
    Case("PatchgateSlaNear", "tomorrow", gauge("patchgate_sla_images", "1x30", labels='left="under_24h"'), 10, 0),
    Case("PatchgateSlaNear", "breached already", gauge("patchgate_sla_images", "1x30", labels='left="none"'), 10, 0),
    Case("PatchgateApprovalsStale", "two", gauge("patchgate_stale_images", "2x30", "2x30"), 20, 1),
    Case("PatchgateApprovalsStale", "none", gauge("patchgate_stale_images", "0x30"), 20, 0),
    Case(
        "PatchgateWouldDeny",
        "the first in audit",
        {f'{DENIED},mode="audit",allowed="True",dry_run="False"}}': "_x9 1x90"},
        12,
        1,
    ),
    Case(
        "PatchgateWouldDeny",
        "more in warn",
        {f'{DENIED},mode="warn",allowed="True",dry_run="False"}}': "8x70 9x90"},
        72,
        1,
    ),
    Case(
        "PatchgateWouldDeny",
        "long ago",
        {f'{DENIED},mode="audit",allowed="True",dry_run="False"}}': "_x9 1x190"},
        150,
        0,
    ),
    Case(
        "PatchgateWouldDeny",
        "under enforce",
        {f'{DENIED},mode="enforce",allowed="False",dry_run="False"}}': "0+1x90"},
        80,
        0,
    ),
    Case(
        "PatchgateWouldDeny", "a dry run", {f'{DENIED},mode="audit",allowed="True",dry_run="True"}}': "0+1x90"}, 80, 0
    ),
    Case("PatchgateNotEnforced", "audited", {f'patchgate_reviews_total{{{GATE},mode="audit"}}': "_x9 1x90"}, 12, 1),
    Case(
        "PatchgateNotEnforced",
        "audited yesterday",
        {f'patchgate_reviews_total{{{GATE},mode="audit"}}': "_x9 1x2000"},
        1600,
        0,
    ),
    Case("PatchgateNotEnforced", "enforced", {f'patchgate_reviews_total{{{GATE},mode="enforce"}}': "0+1x90"}, 80, 0),
    Case(
        "PatchgatePatchRunOverdue",
        "a run 13 hours ago",
        gauge("patchgate_patcher_last_run_timestamp_seconds", "60x90"),
        13 * HOUR,
        1,
        10,
    ),
    Case(
        "PatchgatePatchRunOverdue",
        "a run 11 hours ago",
        gauge("patchgate_patcher_last_run_timestamp_seconds", "60x90"),
        11 * HOUR,
        0,
        10,
    ),
    Case(
        "PatchgatePatchRunOverdue",
        "never, though images are listed for 13 hours",
        gauge("patchgate_patcher_last_run_timestamp_seconds", "0x90") | gauge("patchgate_images", "3x90"),
        13 * HOUR,
        1,
        10,
    ),
    Case(
        "PatchgatePatchRunOverdue",
        "never, and images are listed for an hour",
        gauge("patchgate_patcher_last_run_timestamp_seconds", "0x90") | gauge("patchgate_images", "0x71 3x19"),
        13 * HOUR,
        0,
        10,
    ),
    Case(
        "PatchgatePatchSuccessOverdue",
        "a success 13 hours ago",
        {f"kube_cronjob_status_last_successful_time{CRONJOB}": "60x90", f"kube_cronjob_created{CRONJOB}": "0x90"},
        13 * HOUR,
        1,
        10,
    ),
    Case(
        "PatchgatePatchSuccessOverdue",
        "a success 11 hours ago",
        {f"kube_cronjob_status_last_successful_time{CRONJOB}": "60x90", f"kube_cronjob_created{CRONJOB}": "0x90"},
        11 * HOUR,
        0,
        10,
    ),
    Case(
        "PatchgatePatchSuccessOverdue",
        "never, in 13 hours",
        {f"kube_cronjob_created{CRONJOB}": "0x90"},
        13 * HOUR,
        1,
        10,
    ),
    Case(
        "PatchgatePatchSuccessOverdue",
        "suspended",
        {f"kube_cronjob_created{CRONJOB}": "0x90", f"kube_cronjob_spec_suspend{CRONJOB}": "1x90"},
        13 * HOUR,
        0,
        10,
    ),
    Case("PatchgatePatchJobFailed", "the last", job("copa-1", 100, "complete") | job("copa-2", 200, "failed"), 10, 1),
    Case("PatchgatePatchJobFailed", "the only one", job("copa-1", 100, "failed"), 10, 1),
    Case("PatchgatePatchJobFailed", "one before", job("copa-1", 100, "failed") | job("copa-2", 200, "complete"), 10, 0),
    Case(
        "PatchgatePatchJobFailed",
        "one that runs is none",
        job("copa-1", 100, "complete") | job("copa-2", 200, ""),
        10,
        0,
    ),
    Case(
        "PatchgatePatchJobFailed", "while the next runs", job("copa-1", 100, "failed") | job("copa-2", 200, ""), 10, 1
    ),
    Case("PatchgatePatchJobFailed", "somebody else's", job("backup-1", 100, "failed", owner="backup"), 10, 0),
)
