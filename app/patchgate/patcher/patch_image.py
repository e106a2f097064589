"""One image, from top to bottom: resolve, scan, patch, verify, tag, record (docs/patcher.md).

Carries out what `plan` decides, and has `transition` say what that makes of the record. One resolve, digests from then
on; nothing is tagged `-patched-` that a scan of that very digest has not passed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from patchgate.errors import ImageError, SetupError
from patchgate.patcher import transition
from patchgate.patcher.answer import (
    Approve,
    Clean,
    Fail,
    Patch,
    Pending,
    Refresh,
    RescanApproved,
    ScanSource,
    Unpatchable,
)
from patchgate.patcher.attempt import Attempt
from patchgate.patcher.candidate import Build, Candidate, build_candidate, delete_candidate, tag_patched
from patchgate.patcher.finding import Finding, Report, count_by_severity
from patchgate.patcher.image import Manifest, Target
from patchgate.patcher.messages import say_clean, say_patched
from patchgate.patcher.plan import (
    Facts,
    has_counting,
    judge_approved,
    judge_candidate,
    judge_source,
    list_left_out,
    plan_first,
    say_findings,
    select_platforms,
)
from patchgate.patcher.progress import Outcome, Result, Step
from patchgate.patcher.record_step import round_time
from patchgate.patcher.resolve import resolve
from patchgate.patcher.resume import find_interrupted
from patchgate.patcher.side_by_side import leave
from patchgate.patcher.store import Change
from patchgate.patcher.tools import Basis, Deadline, Tools
from patchgate.policy.record import Approval, Record, State, Unverified


def patch_image(target: Target, deadline: Deadline, tools: Tools, basis: Basis) -> Outcome:
    """Do what an image needs and record it. Whatever goes wrong is said in the outcome, and in the record if it can be.

    An image that the end of the run finds half done is left as it was before; that its source is vulnerable is recorded
    before anything is built of it, so that the SLA's clock runs however the run ends.
    """
    image = _Image(target, tools, basis, deadline)
    try:
        with TemporaryDirectory(dir=tools.directory) as directory:
            return image.bring_forward(Path(directory))
    except (SetupError, OSError) as error:  # the disk may be full
        return image.leave() if tools.stop.is_asked else image.fail(_say(error))


class _Image:
    """An image in one run; `_attempt` is what is known of it by now."""

    def __init__(self, target: Target, tools: Tools, basis: Basis, deadline: Deadline) -> None:
        self._target = target
        self._tools = tools
        self._basis = basis
        self._deadline = deadline
        self._directory = tools.directory
        self._reports: dict[tuple[str, str], Report] = {}
        self._attempt = Attempt(target, basis.policy, basis.scanner, tools.clock())
        self._is_noted = False

    def bring_forward(self, directory: Path) -> Outcome:
        """Do what the plan says. directory: for its files."""
        self._directory = directory
        self._begin(Step.RESOLVE, self._target.digest or self._target.tag)
        facts = resolve(self._target, self._tools.registry, self._basis.scanner)
        match plan_first(self._target.record, facts, self._basis.policy, self._tools.clock()):
            case Fail(message):
                return self.fail(message)
            case Refresh():
                return self._refresh(tuple(self._approved.platforms))
            case RescanApproved(platforms):
                return self._rescan_approved(facts, platforms)
            case ScanSource():
                return self._scan_source(facts)

    def fail(self, message: str) -> Outcome:
        """Record a failure; where not even that can be done, say both."""
        change = partial(transition.record_failure, attempt=self._attempt, message=message, now=self._tools.clock())
        try:
            return self._record(Result.FAILED, change)
        except (SetupError, OSError) as error:
            return self._end(Result.FAILED, f"{message}; nor could that be recorded: {_say(error)}")

    def leave(self) -> Outcome:
        """Leave the image for the next run, as it was before."""
        if self._is_noted:
            change = partial(transition.record_left, attempt=self._attempt, now=self._tools.clock())
            with suppress(SetupError, OSError):
                self._tools.store.change_record(self._target.key, change)
        return leave(self._target, self._tools.stop)

    @property
    def _known(self) -> Record:
        """The record, where the plan rests on there being one."""
        assert self._target.record  # noqa: S101 -- plan_first has seen it
        return self._target.record

    @property
    def _approved(self) -> Approval:
        """What it approves."""
        assert self._known.approved  # noqa: S101 -- the same
        return self._known.approved

    def _refresh(self, platforms: tuple[str, ...]) -> Outcome:
        """Record that what is approved is verified still, for these platforms."""
        self._attempt = replace(self._attempt, platforms=platforms)
        change = partial(transition.record_refresh, digest=self._approved.digest)
        return self._conclude(Result.UNCHANGED, change, "")

    def _rescan_approved(self, facts: Facts, platforms: tuple[str, ...]) -> Outcome:
        approved = self._approved
        reports = self._scan(Step.SCAN, str(approved), approved.digest, platforms)
        match judge_approved(self._known, reports, self._basis.policy):
            case Refresh():
                self._attempt = replace(self._attempt, fixable_after=_count(reports))
                return self._refresh(platforms)
            case Unpatchable(message):
                return self._conclude(Result.UNPATCHABLE, transition.record_unpatchable, message)
            case ScanSource():
                return self._scan_source(facts)

    def _scan_source(self, facts: Facts) -> Outcome:
        target, policy = self._target, self._basis.policy
        source = self._tools.registry.describe(target.repository, facts.source_digest or "")
        platforms = select_platforms(policy.platforms, source.platforms)
        self._attempt = replace(self._attempt, source=source, platforms=platforms)
        reports = self._scan(Step.SCAN, f"{target.key}@{source.digest}", source.digest, platforms)
        if reports:
            vulnerable = tuple(report.platform for report in reports if has_counting([report], policy))
            self._attempt = replace(
                self._attempt,
                is_vulnerable=bool(vulnerable),
                vulnerable_platforms=vulnerable,
                fixable_before=_count(reports),
            )
        match judge_source(reports, platforms, policy, self._tools.fixer.can_patch):
            case Clean():
                message = say_clean(reports, list_left_out(platforms, source.platforms), policy.severity_threshold)
                return self._conclude(Result.CLEAN, transition.record_clean, message)
            case Patch(with_findings):
                self._note_vulnerable(reports)
                return self._patch(source, reports, with_findings)
            case Unpatchable(message):
                return self._conclude(Result.UNPATCHABLE, transition.record_unpatchable, message)
            case Fail(message):
                return self.fail(message)

    def _note_vulnerable(self, reports: Sequence[Report]) -> None:
        message = f"{say_findings(reports, self._basis.policy)} found; no patched image is verified yet"
        change = partial(transition.record_vulnerable, attempt=self._attempt, message=message, now=self._tools.clock())
        self._tools.store.change_record(self._target.key, change)

    def _patch(self, source: Manifest, reports: Sequence[Report], with_findings: Sequence[Report]) -> Outcome:
        target, tools = self._target, self._tools
        self._begin(Step.PATCH, f"to {target.push_repository}")
        tools.registry.check_push(target.push_repository)
        with self._open_candidate(source, with_findings) as candidate:
            return self._verify(source, reports, candidate)

    @contextmanager
    def _open_candidate(self, source: Manifest, with_findings: Sequence[Report]) -> Iterator[Candidate]:
        """Go on from the candidate of an interrupted run, or build one and note that."""
        target, tools = self._target, self._tools
        left = find_interrupted(target, source.digest, self._basis.scanner, tools.registry)
        if left:
            self._begin(Step.PATCH, f"goes on from {left.tag}, which a run built that was interrupted")
            yield left
            delete_candidate(left, tools.registry)
            return
        tools.fixer.wait_until_ready(self._deadline.find_seconds_left())
        self._heed_stop()
        build = Build(source, target, with_findings, tools.clock(), self._deadline)
        with build_candidate(build, tools.fixer, tools.registry, tools.store) as candidate:
            self._note_built(candidate, source)
            yield candidate

    def _note_built(self, candidate: Candidate, source: Manifest) -> None:
        database = self._basis.scanner.database
        assert database  # noqa: S101 -- plan_first fails an image without one
        digest = candidate.manifest.digest
        built = Unverified(candidate.repository, candidate.tag, digest, source.digest, round_time(database))
        change = partial(transition.record_built, attempt=self._attempt, unverified=built, now=self._tools.clock())
        self._tools.store.change_record(self._target.key, change)

    def _verify(self, source: Manifest, before: Sequence[Report], candidate: Candidate) -> Outcome:
        """Scan a candidate; tag and approve it where nothing counts any more. before: the reports of the source."""
        policy, tools = self._basis.policy, self._tools
        platforms = [report.platform for report in before]
        reports = self._scan(Step.VERIFY, str(candidate), candidate.manifest.digest, platforms)
        verified = tools.clock()
        self._attempt = replace(self._attempt, fixable_after=_count(reports))
        match judge_candidate(source, candidate.manifest, reports, platforms, policy):
            case Pending(message):
                return self._conclude(Result.PENDING, transition.record_pending, message)
            case Approve(digests):
                self._begin(Step.TAG, candidate.manifest.digest)
                tag = tag_patched(candidate, self._target.tag, tools.registry, tools.store, verified)
                approval = Approval(candidate.repository, tag, candidate.manifest.digest, digests, verified)
                message = say_patched(before, list_left_out(platforms, source.platforms), policy.severity_threshold)
                return self._conclude(Result.PATCHED, partial(transition.record_patched, approval=approval), message)

    def _scan(self, step: Step, image: str, digest: str, platforms: Sequence[str]) -> list[Report]:
        """Scan platforms of `REPO:TAG@DIGEST`, one after the other; what was scanned already is not scanned again."""
        reports = []
        for platform in platforms:
            if (digest, platform) not in self._reports:
                self._heed_stop()
                self._note_attempt()
                self._begin(step, platform)
                file = self._directory / f"{step}-{platform.replace('/', '-')}.json"
                seconds = self._deadline.find_seconds_left()
                self._reports[digest, platform] = self._tools.scanner.scan(image, platform, file, seconds)
            reports.append(self._reports[digest, platform])
        return reports

    def _note_attempt(self) -> None:
        """Note the attempt before a scan: an image may need more memory than there is, and take the patcher along."""
        if not self._is_noted:
            change = partial(transition.record_attempt, attempt=self._attempt, now=self._tools.clock())
            self._tools.store.change_record(self._target.key, change)
            self._is_noted = True

    def _conclude(self, result: Result, transit: Callable[..., Record], message: str) -> Outcome:
        change = partial(transit, attempt=self._attempt, message=message, now=self._tools.clock())
        return self._record(result, change)

    def _record(self, result: Result, change: Change) -> Outcome:
        self._begin(Step.RECORD, result)
        record = self._tools.store.change_record(self._target.key, change)
        was_refused = result is Result.UNPATCHABLE and record.state is State.FAILED  # by what it was before
        return self._end(Result.FAILED if was_refused else result, record.message)

    def _end(self, result: Result, message: str) -> Outcome:
        before, after = self._attempt.fixable_before or {}, self._attempt.fixable_after or {}
        return Outcome(self._target.key, result, message, before, after)

    def _begin(self, step: Step, detail: str) -> None:
        self._tools.progress.begin_step(self._target.key, step, detail)

    def _heed_stop(self) -> None:
        """Begin nothing that takes long once the run is to end."""
        if self._tools.stop.is_asked:
            raise ImageError(self._tools.stop.reason)


def _say(error: Exception) -> str:
    return f"here: {error.strerror or error}" if isinstance(error, OSError) else str(error)


def _list_findings(reports: Sequence[Report]) -> list[Finding]:
    return [finding for report in reports for finding in report.findings]


def _count(reports: Sequence[Report]) -> Mapping[str, int]:
    return count_by_severity(_list_findings(reports))
