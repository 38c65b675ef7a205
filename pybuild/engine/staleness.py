"""Whether a job must run, and why: facts in, verdict out.

The rules are those of docs/reference.md, "What is out of date". Nothing is decided without a
reason, and no reason is words: `report` makes sentences of them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from enum import IntEnum

from pybuild.engine.traces import DIGEST_SIZE, Journal, Stamp, Trace, stamp_of, stand_in
from pybuild.files import Files, Pretending, Status
from pybuild.graph import Graph, Job
from pybuild.source import BuildError, Diagnostic
from pybuild.typed import NamedTuple


class Level(IntEnum):
    """`--checksum-level`: how much of the record counts."""

    TIME = 0
    HISTORY = 1
    RECIPE = 2
    PARAMS = 3
    CONTENT = 4


class Reason(NamedTuple):
    """Why a job is stale. `kind` is one of the words below; `name` the file or value concerned.

    always, forced, phony, phony-input, check, missing, missing-input, input-made, no-record,
    interrupted, recipe, values,
    value, input-added, input-removed, inputs-moved, input-newer, input-changed,
    output-added, output-changed, discovered, assumed-new, wanted (a temporary file that a stale
    job needs)
    """

    kind: str
    name: str = ""
    old: str = ""
    new: str = ""


class UpToDate(NamedTuple):
    """Nothing to do. `absent`: the outputs are temporary files that need not be there; `because`:
    `record` (all is as it was recorded), `time` (nothing is newer), `check` (`@uptodate_if` says
    so) or `old` (`-o`). `exact`: every digest is the recorded one."""

    absent: bool = False
    because: str = "record"
    exact: bool = False


class Stale(NamedTuple):
    """The job must run, for at least one reason."""

    reasons: tuple[Reason, ...]


Verdict = UpToDate | Stale

_CLOCK_TICK_NS = 10_000_000  # times of files may be so much behind the clock
NOT_THERE = bytes(DIGEST_SIZE)
# A folder whose name does not end in a slash counts by being there, not by what is in it.
ANY_FOLDER = b"a folder".ljust(DIGEST_SIZE)


class Rules(NamedTuple):
    """What a judge goes by: the level, what is forced (rules or files), and `-B`, `-o`, `-W`."""

    level: Level = Level.CONTENT
    everything: bool = False
    forced: Collection[str] = frozenset()
    old: Collection[str] = frozenset()
    new: Collection[str] = frozenset()


class Judge:
    """Judges jobs one by one, when all before them is done. Looks at each file once."""

    def __init__(self, graph: Graph, files: Files, journal: Journal, rules: Rules) -> None:
        self.graph = graph
        self.files = files
        self.journal = journal
        self.rules = rules
        self.pretended = files.made if isinstance(files, Pretending) else frozenset()
        self._statuses: dict[str, Status | None] = {}
        self._stamps: dict[str, Stamp] = {}
        self._absent: dict[str, bytes] = {}
        self._absent_since: dict[str, int] = {}

    # -- facts -----------------------------------------------------------------------------

    def status(self, name: str) -> Status | None:
        """The status of a file, looked up once until `look_again`. Raises BuildError."""
        try:
            return self._statuses[name]
        except KeyError:
            pass
        try:
            found = self.files.status(name)
        except OSError as error:
            raise BuildError(unreadable(name, error)) from None
        self._statuses[name] = found
        return found

    def look_again(self, names: Collection[str]) -> None:
        """Forgets what was seen of some files: a job may have changed them."""
        for name in names:
            self._statuses.pop(name, None)
            self._stamps.pop(name, None)
            self._absent.pop(name, None)

    def digest(self, name: str) -> bytes:
        """The digest of a file that exists (or of an absent temporary one). Raises BuildError."""
        status = self._statuses.get(name) or self.status(name)
        if status is None:
            return self._absent.get(name, NOT_THERE)
        if status.is_folder and not name.endswith("/"):
            return ANY_FOLDER
        stamp = self.journal.stamp(name)
        if stamp is not None and stamp.fits(status) and not status.is_folder:
            return stamp.digest
        return self.look(name, status).digest

    def look(self, name: str, status: Status) -> Stamp:
        """Reads a file and remembers its stamp; a known file with the same bytes is renewed."""
        seen = self._stamps.get(name)
        if seen is not None:
            return seen
        now = time.time_ns()
        try:
            stamp = stamp_of(status, self.files.digest(name), now)
        except OSError as error:
            raise BuildError(unreadable(name, error)) from None
        known = self.journal.stamp(name)
        if known is not None and known.digest == stamp.digest and known != stamp:
            self.journal.renew(name, stamp)
        self._stamps[name] = stamp
        return stamp

    def stamp(self, name: str, status: Status) -> Stamp | None:
        """The stamp of a file that looks as it does, settled or not, if there is one."""
        stamp = self._stamps.get(name) or self.journal.stamp(name)
        return stamp if stamp is not None and stamp[:3] == status[:3] else None

    def record_digest(self, name: str, stamps: dict[str, Stamp]) -> bytes:
        """What to record for a file: its digest, or at the lower levels what stands for it. A
        temporary file is always recorded by its digest: it goes, and when it is made again only
        its bytes can be the same. Adds the file's stamp to `stamps`. Raises BuildError."""
        status = self.status(name)
        if status is None:
            return self._absent.get(name, NOT_THERE)
        if status.is_folder and not name.endswith("/"):
            return ANY_FOLDER
        if self.rules.level < Level.CONTENT and not self._is_temporary(name):
            return stand_in(status)
        stamp = self.journal.stamp(name)
        if stamp is None or not stamp.fits(status) or status.is_folder:
            stamp = self.look(name, status)
            stamps[name] = stamp
        return stamp.digest

    def _is_temporary(self, name: str) -> bool:
        maker = self.graph.producer.get(name)
        return maker is not None and maker.traits.temporary

    def is_same(self, name: str, recorded: bytes) -> bool:
        """Whether a file is as it was recorded. Raises BuildError."""
        if recorded == self.digest(name):
            return True
        status = self.status(name)
        return status is not None and recorded == stand_in(status)

    def is_as_recorded(self, trace: Trace) -> bool:
        """Whether the outputs of a job are those that it was recorded with. Raises BuildError."""
        digests = cut(trace.output_digests)
        return all(map(self.is_same, trace.outputs, digests))

    # -- judging ---------------------------------------------------------------------------

    def judge(self, job: Job) -> Verdict:
        """Whether the job must run. Its prerequisites are done (in minimal mode: as they are).
        Raises BuildError if a file cannot be looked at or a check of the user's fails."""
        return self.judge_by(self.journal.trace(job.name), job)

    def judge_by(self, trace: Trace | None, job: Job) -> Verdict:
        """The same by a trace of the job that is at hand."""
        traits = job.traits
        if not job.outputs and not job.patterns:
            return Stale((Reason("phony"),))
        if self.rules.old and any(name in self.rules.old for name in job.outputs):
            return UpToDate(because="old")
        reasons = self._imposed(job, trace)
        if trace is not None and not reasons and self._unchanged(job, trace):
            return UpToDate(exact=True)
        missing = [name for name in self._expected(job, trace) if self.status(name) is None]
        if traits.check is not None:
            return self._checked(job, reasons, missing)
        by_time = traits.optional and self.rules.level == Level.TIME
        if not (missing and traits.temporary and (trace or by_time)):
            reasons += [Reason("missing", name) for name in missing]
        reasons += self._from_record(job, trace)
        # Without all its targets there is no oldest one, unless they are ones that may be absent.
        if (trace is None or self.rules.level < Level.CONTENT) and not (
            missing and not traits.temporary
        ):
            reasons += self._from_times(job)
        if reasons:
            return Stale(tuple(reasons))
        if missing:
            self._remember_absent(job, missing, trace)
            return UpToDate(absent=True)
        return UpToDate(because="record" if self.rules.level >= Level.HISTORY else "time")

    def _unchanged(self, job: Job, trace: Trace) -> bool:
        """The short way to the usual answer: everything is as it was recorded. False says only
        that somebody has to look closer."""
        recipe = job.recipe
        return bool(
            self.rules.level == Level.CONTENT
            and recipe is not None
            and job.inputs == trace.inputs
            and (job.patterns or job.outputs == trace.outputs)
            and recipe.text_digest == trace.text
            and recipe.values_digest == trace.values
            and job.traits.check is None
            and not (job.traits.optional and any(self.status(name) is None for name in job.outputs))
            and self.journal.started(job.name) is None
            and self._joined(trace.outputs) == trace.output_digests
            and self._joined(trace.inputs) == trace.input_digests
            and self._joined(trace.discovered) == trace.discovered_digests
            and not self._phony_inputs(job)
        )

    def _joined(self, names: tuple[str, ...]) -> bytes:
        if len(names) == 1:
            return self.digest(names[0])
        return b"".join([self.digest(name) for name in names])

    def _imposed(self, job: Job, trace: Trace | None) -> list[Reason]:
        rules = self.rules
        reasons = []
        if rules.everything:
            reasons.append(Reason("always", "-B"))
        if job.traits.always:
            reasons.append(Reason("always", job.traits.always))
        if rules.forced and any(
            name in rules.forced for name in (job.traits.rule, job.name, *job.outputs)
        ):
            reasons.append(Reason("forced"))
        if rules.new:
            names = (*job.inputs, *(trace.discovered if trace else ()))
            reasons += [Reason("assumed-new", name) for name in names if name in rules.new]
        if job.traits.optional:
            reasons += [Reason("missing-input", name) for name in job.inputs if self._is_lost(name)]
        return reasons

    def _is_lost(self, name: str) -> bool:
        """Whether a prerequisite that is done is no file: its rule makes none. Tasks are told of as
        such, and temporary files need not be there."""
        if self.status(name) is not None or name in self._absent_since:
            return False
        maker = self.graph.producer.get(name)
        return maker is None or not maker.traits.phony

    def _expected(self, job: Job, trace: Trace | None) -> Sequence[str]:
        if not job.patterns:
            return job.outputs
        return trace.outputs if trace else ()

    def _checked(self, job: Job, reasons: list[Reason], missing: list[str]) -> Verdict:
        from pathlib import Path

        reasons += [Reason("missing", name) for name in missing]
        if self.journal.started(job.name) is not None:
            reasons.append(Reason("interrupted"))
        check = job.traits.check
        if not reasons and check is not None:
            inputs, outputs = list(map(Path, job.inputs)), list(map(Path, job.outputs))
            try:
                if not check(inputs, outputs):
                    reasons.append(Reason("check", getattr(check, "__name__", "check")))
            except (Exception, SystemExit) as error:
                raise BuildError(
                    Diagnostic(
                        "PB403",
                        f"`@uptodate_if` failed for `{job.name}`: {type(error).__name__}: {error}",
                        job.origin,
                    )
                ) from error
        return Stale(tuple(reasons)) if reasons else UpToDate(because="check")

    def _from_record(self, job: Job, trace: Trace | None) -> list[Reason]:
        """What the record of the last run says, as far as the level lets it count."""
        level = self.rules.level
        if self.journal.started(job.name) is not None:
            return [Reason("interrupted")]
        if level < Level.HISTORY and not (job.patterns and trace is None):
            return self._phony_inputs(job)
        if trace is None:
            return [Reason("no-record"), *self._phony_inputs(job)]
        reasons = self._phony_inputs(job)
        recipe = job.recipe
        if recipe is not None and level >= Level.RECIPE and recipe.text_digest != trace.text:
            reasons.append(Reason("recipe"))
        if recipe is not None and level >= Level.PARAMS and recipe.values_digest != trace.values:
            reasons += self.changed_values(job, trace)
        if job.inputs != trace.inputs:
            reasons += self._from_lists(job, trace)
        if not job.patterns and job.outputs != trace.outputs:
            added = [name for name in job.outputs if name not in trace.outputs]
            reasons += [Reason("output-added", name) for name in added if self.status(name)]
        if level >= Level.CONTENT:
            reasons += self._from_content(job, trace)
        return reasons

    def _from_lists(self, job: Job, trace: Trace) -> list[Reason]:
        """The prerequisites are others than were recorded. If they are told by what the recipe
        wrote, they are known only now: what it makes of their names is among its values, so one
        that is new counts if it may have changed since the recipe ran."""
        if not job.traits.told_by_itself or self.rules.level < Level.PARAMS:
            return _changed_list(trace.inputs, job.inputs)
        known = frozenset(trace.inputs)
        since = trace.started_ns - _CLOCK_TICK_NS
        return [
            Reason("input-added", name)
            for name in job.inputs
            if name not in known and (status := self.status(name)) and status.mtime_ns >= since
        ]

    def _phony_inputs(self, job: Job) -> list[Reason]:
        if not self.graph.has_tasks:
            return []
        producer = self.graph.producer
        return [
            Reason("phony-input", name)
            for name in job.inputs
            if (maker := producer.get(name)) is not None and maker.traits.phony
        ]

    def changed_values(self, job: Job, trace: Trace) -> list[Reason]:
        """Which values of the recipe are others than were recorded."""
        old: Mapping[str, str] = self.journal.blob(trace.value_set) or {}
        new = job.recipe.values() if job.recipe else {}
        found = [
            Reason("value", name, old.get(name, ""), new.get(name, ""))
            for name in dict.fromkeys((*old, *new))
            if old.get(name) != new.get(name)
        ]
        return found or [Reason("values")]

    def _from_content(self, job: Job, trace: Trace) -> list[Reason]:
        reasons = []
        recorded = dict(zip(trace.inputs, cut(trace.input_digests), strict=True))
        for name in job.inputs:
            old = recorded.get(name)
            if old is not None and name not in self.rules.old and not self.is_same(name, old):
                kind = "input-made" if name in self.pretended else "input-changed"
                reasons.append(Reason(kind, name, old.hex(), self.digest(name).hex()))
        for name, old in zip(trace.discovered, cut(trace.discovered_digests), strict=True):
            if name not in self.rules.old and not self.is_same(name, old):
                reasons.append(Reason("discovered", name, old.hex(), self.digest(name).hex()))
        for name, old in zip(trace.outputs, cut(trace.output_digests), strict=True):
            if self.status(name) is not None and not self.is_same(name, old):
                reasons.append(Reason("output-changed", name, old.hex(), self.digest(name).hex()))
        return reasons

    def _from_times(self, job: Job) -> list[Reason]:
        """Make's rule: a prerequisite that is newer than the oldest target."""
        trace = self.journal.trace(job.name)
        names = self._expected(job, trace)
        if not names:
            return self._inputs_moved_on(trace) if trace is not None else []
        times = [self._time(name) for name in names]
        if None not in times:
            oldest = min(each for each in times if each is not None)
        elif job.traits.temporary and trace is not None:
            oldest = trace.started_ns
        else:
            return []
        discovered = trace.discovered if trace else ()
        reasons = [Reason("discovered", name) for name in discovered if self.status(name) is None]
        for name in (*job.inputs, *discovered):
            time_ns = self._time(name)
            if time_ns is None or time_ns <= oldest or name in self.rules.old:
                continue
            if name in self.pretended:
                reasons.append(Reason("input-made", name))
            else:
                reasons.append(Reason("input-newer", name, str(oldest), str(time_ns)))
        return reasons

    def _inputs_moved_on(self, trace: Trace) -> list[Reason]:
        """For a split that made nothing there is no target to compare times with: what its
        prerequisites looked like then has to do."""
        recorded = zip(trace.inputs, cut(trace.input_digests), strict=True)
        return [
            Reason("input-changed", name, old.hex(), self.digest(name).hex())
            for name, old in recorded
            if self.status(name) is not None and not self.is_same(name, old)
        ]

    def _time(self, name: str) -> int | None:
        status = self.status(name)
        if status is None:
            return self._absent_since.get(name)
        maker = self.graph.producer.get(name)
        if maker is not None and maker.traits.temporary:
            # One that was only made again is no newer than it was, there or not.
            trace = self.journal.trace(maker.name)
            if trace is not None and self.is_as_recorded(trace):
                return trace.started_ns
        return status.mtime_ns

    def discarded(self, job: Job) -> None:
        """The outputs of a job were deleted; what is recorded of them stands for them."""
        self._remember_absent(job, job.outputs, self.journal.trace(job.name))

    def _remember_absent(self, job: Job, gone: Sequence[str], trace: Trace | None) -> None:
        if trace is None:  # made without a record; it was no older than what it is made of
            since = max((self._time(name) or 0 for name in job.inputs), default=0)
            self._absent_since.update((name, since) for name in gone)
            return
        for name, digest in zip(trace.outputs, cut(trace.output_digests), strict=True):
            if self.status(name) is None:
                self._absent[name] = digest
                self._absent_since[name] = trace.started_ns

    def changed(self, job: Job) -> list[str]:
        """The prerequisites that are newer than the job's outputs, or all if one is missing:
        make's `$?`."""
        times = [self._time(name) for name in job.outputs]
        if not times or None in times:
            return list(job.inputs)
        oldest = min(each for each in times if each is not None)
        return [name for name in job.inputs if (self._time(name) or oldest + 1) > oldest]


def cut(digests: bytes) -> list[bytes]:
    """Digests that are written one behind the other."""
    return [digests[i : i + DIGEST_SIZE] for i in range(0, len(digests), DIGEST_SIZE)]


def _changed_list(old: Sequence[str], new: Sequence[str]) -> list[Reason]:
    before, after = frozenset(old), frozenset(new)
    reasons = [Reason("input-added", name) for name in new if name not in before]
    reasons += [Reason("input-removed", name) for name in old if name not in after]
    return reasons or [Reason("inputs-moved")]


def unreadable(name: str, error: OSError) -> Diagnostic:
    """The complaint about a file that cannot be looked at."""
    return Diagnostic(
        "PB404",
        f"cannot read `{name}`: {error.strerror or error}",
        help="check the permissions of the file and of the folders above it",
    )
