"""The one loop: scheduler, judge, runner, traces and report meet here and nowhere else."""

from __future__ import annotations

import errno
import gc
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import pairwise

from pybuild.content import digest_of
from pybuild.engine import scheduler as act
from pybuild.engine.depfile import read_depfile
from pybuild.engine.events import (
    Complaint,
    Failure,
    Finished,
    Judged,
    Output,
    Progress,
    Removed,
    Started,
    Summary,
    Unknown,
)
from pybuild.engine.ports import Begun, Chunk, Grow, Outcome, Report, Returned, Runner
from pybuild.engine.scheduler import Capacity, Scheduler, State
from pybuild.engine.staleness import Judge, Level, Reason, Rules, Stale, UpToDate, Verdict
from pybuild.engine.traces import DIGEST_SIZE, NOT_RUN, Journal, Stamp, Trace
from pybuild.files import Files, Pretending, Status
from pybuild.graph import Graph, Job, Part, Script, ShellPart
from pybuild.names import glob_text, split_extension
from pybuild.source import BuildError, Diagnostic, Note
from pybuild.typed import NamedTuple

_TAIL_LINES = 10
_LOAD_PAUSE = 0.2
_NAP = 0.1
_LOOK_EVERY = 0.0005  # seconds between two looks at what runs while there is other work
_LONGEST_NAME = 255  # bytes, of one part of a path, on nearly all file systems
_LONGEST_CHAIN = 20


class Interrupted(Exception):
    """A signal asked for the end; what ran has been ended and what had finished is recorded."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class NotUpToDate(Exception):
    """`-q`: something would have to run."""


class Manner(NamedTuple):
    """How to build: what the command line decides, but for what is a part of its own. `bare`: a dry
    run that does not run either what is marked to run always. `adopt`: what is there is recorded as
    made, and nothing is run or written besides. `needed` are rules and files of which some job has
    to be wanted: those of `--force`."""

    rules: Rules = Rules()
    capacity: Capacity = Capacity()
    minimal: bool = False
    keep_going: bool = False
    ignore_errors: bool = False
    dry: bool = False
    bare: bool = False
    question: bool = False
    records: bool = True
    touch: bool = False
    adopt: bool = False
    load_limit: float = 0.0
    order: Callable[[Job], float] | None = None
    needed: Collection[str] = ()


class _Run:
    """A job that runs: when it was started, how often, and what stood there before. `is_told` is
    whether the world knows that it runs."""

    __slots__ = (
        "attempt",
        "before",
        "clock",
        "input_digests",
        "is_told",
        "renames",
        "script",
        "stamps",
        "started_ns",
    )

    def __init__(
        self,
        script: Script,
        attempt: int,
        input_digests: list[bytes],
        stamps: dict[str, Stamp],
        before: dict[str, Status],
        renames: dict[str, str],
    ) -> None:
        self.script = script
        self.started_ns = time.time_ns()
        self.clock = time.monotonic()
        self.attempt = attempt
        self.input_digests = input_digests
        self.stamps = stamps
        self.before = before
        self.renames = renames
        self.is_told = False


class Known(NamedTuple):
    """What is known besides the jobs of a build: how many others are up to date, and the names of
    the goals if the jobs that are to be built are not the goals themselves."""

    up_to_date: int = 0
    goals: tuple[str, ...] = ()


class Build:
    """One build of some goals."""

    def __init__(
        self,
        graph: Graph,
        grow: Grow,
        files: Files,
        journal: Journal,
        make_runner: Callable[[], Runner],
        report: Report,
        manner: Manner,
    ) -> None:
        self.graph = graph
        self.grow = grow
        self.files = files
        self.journal = journal
        self._make_runner = make_runner
        self._runner: Runner | None = None
        self.report = report
        self.manner = manner
        self.stop_signal = 0
        self.judge = Judge(graph, files, journal, manner.rules)
        self.scheduler = Scheduler(
            graph,
            manner.capacity,
            lambda job: journal.seconds(job.name),
            minimal=manner.minimal,
            keep_going=manner.keep_going or manner.ignore_errors,
            order=manner.order,
        )
        self._runs: dict[int, _Run] = {}
        self._withdrawn: set[int] = set()  # jobs that run and are to begin anew
        self._later: list[tuple[float, int, Job]] = []
        self._attempts: dict[int, int] = {}
        self._folders: set[str] = set()  # that are there as a batch is started
        self._ran: list[Job] = []
        self._touched: list[Job] = []  # those of them whose recipe did not run (`-t`, `--adopt`)
        self._up_to_date = 0
        self._failures: list[Failure] = []
        self._unknown: dict[int, Job] = {}
        self._told_unknown = 0
        self._loud = False
        self._collected = 0.0

    @property
    def runner(self) -> Runner:
        """What runs the jobs; made when the first one starts."""
        if self._runner is None:
            self._runner = self._make_runner()
        return self._runner

    def interrupt(self, signum: int) -> None:
        """Asks the build to end; for signal handlers."""
        self.stop_signal = signum
        if self._runner is not None:
            self._runner.wake()

    def take_in(self, names: Collection[str]) -> bool:
        """Sources have changed: the jobs of this build that read them are done once more, and those
        that run are ended before; all others go on. Whether that is possible; if not, nothing is
        done. To be called between two events only."""
        changed = frozenset(names)
        if not all(map(self._is_file, changed)):
            return False
        jobs = [job for job in self.scheduler.wanted if self._has_read(job, changed)]
        running = [job for job in jobs if job.number in self._runs]
        if any(job.patterns for job in running):
            return False
        done = [job for job in jobs if self.scheduler.state(job) == State.DONE]
        if not self.scheduler.redo(jobs):
            return False
        self.judge.look_again(changed)
        for job in done:
            if job in self._ran:
                self._ran.remove(job)
            else:
                self._up_to_date -= 1
        for job in running:
            self._withdrawn.add(job.number)
            self.runner.cancel(job)
        return True

    def _is_file(self, name: str) -> bool:
        try:
            status = self.files.status(name)
        except OSError:
            return False
        return status is not None and not status.is_folder

    def _has_read(self, job: Job, names: Collection[str]) -> bool:
        trace = self.journal.trace(job.name)
        discovered = trace.discovered if trace else ()
        return any(name in names for part in (job.inputs, discovered) for name in part)

    def close(self) -> None:
        """Lets go of the runner."""
        if self._runner is not None:
            self._runner.close()

    def abandon(self) -> None:
        """Ends what runs, after an error that nobody expected."""
        if self._runner is not None:
            self._runner.stop(15)

    # -- the loop --------------------------------------------------------------------------

    def run(self, goals: Sequence[Job], known: Known | None = None) -> Summary:
        """Brings the goals up to date; `known` is what the summary has to say besides. Raises
        BuildError before anything ran if the plan is wrong (at the end for a needed name that only
        the run shows to be idle), Interrupted after a signal, NotUpToDate for a question, OSError
        if the journal cannot be written."""
        began = time.monotonic()
        self.scheduler.want(goals, goals=True)
        self._plan()
        all_is_known = not (self.manner.minimal or self.scheduler.has_open)
        if all_is_known:
            self._refuse_idle_names()
        while True:
            self._check_signal()
            self._wake_retries()
            action = self.scheduler.next_action(self._may_start())
            if action is not None:
                self._perform(action)
                if self._runs and time.monotonic() - self._collected >= _LOOK_EVERY:
                    self._collect(0)
            elif self._runs or self._later:
                self._collect(self._pause())
                self.report.tick()
            else:
                break
        self._hooks()
        summary = self._summary(goals, time.monotonic() - began)
        if known is not None:
            up_to_date = summary.up_to_date + known.up_to_date
            summary = summary._replace(up_to_date=up_to_date, goals=known.goals)
        self.report.handle(summary)
        if not (all_is_known or self._failures):
            self._refuse_idle_names()
        return summary

    def _refuse_idle_names(self) -> None:
        """Raises BuildError if no wanted job has to do with a name that is needed."""
        idle = dict.fromkeys(self.manner.needed)
        for job in self.scheduler.wanted if idle else ():
            for name in (job.traits.rule, job.name, *job.outputs):
                idle.pop(name, None)
        if idle:
            raise BuildError(
                *(
                    Diagnostic(
                        "PB305",
                        f"no goal needs `{name}`",
                        help=f"name it as a goal too: `pybuild --force {name} {name}`",
                    )
                    for name in idle
                )
            )

    def _plan(self) -> None:
        """Closes all that is wanted, so that mistakes are found before anything runs."""
        complaints: list[Diagnostic] = []
        while (job := self.scheduler.next_close()) is not None:
            try:
                self._close(job)
            except BuildError as error:
                complaints += [self._with_chain(job, each) for each in error.diagnostics]
                self.scheduler.failed(job)
                self._note_failure(job, error.diagnostics[0].message)
        cycle = self.scheduler.cycle()
        if cycle:
            complaints.append(_cycle_complaint(cycle))
        if complaints and (cycle or not self.manner.keep_going or self.manner.question):
            raise BuildError(*_unique(complaints))
        for complaint in _unique(complaints):
            self.report.handle(Complaint(complaint))

    def _with_chain(self, job: Job, diagnostic: Diagnostic) -> Diagnostic:
        """The complaint with the targets that want the job, up to the goal."""
        chain: list[str] = []
        above = self.scheduler.wanted_by.get(job.number)
        while above is not None and len(chain) < _LONGEST_CHAIN:
            chain.append(f"`{above.name}`")
            above = self.scheduler.wanted_by.get(above.number)
        if not chain:
            return diagnostic
        more = ", ..." if above is not None else ""
        note = Note(f"`{job.name}` is needed by {', by '.join(chain)}{more}")
        return diagnostic._replace(notes=(*diagnostic.notes, note))

    def _perform(self, action: act.Action) -> None:
        job = action.job
        try:
            if isinstance(action, act.Examine):
                self._examine(job, action.early)
            elif isinstance(action, act.Start):
                self._start([job, *action.follow])
            elif isinstance(action, act.Close):
                self._close(job)
            else:
                self._discard(job)
        except BuildError as error:
            self._complain(job, error)
            self.scheduler.failed(job)

    def _complain(self, job: Job, error: BuildError) -> None:
        """Tells why a job cannot be done. Raises the error again if it is a question."""
        if self.manner.question:
            raise error
        for diagnostic in _at(job, error).diagnostics:
            self.report.handle(Complaint(diagnostic))
        self._note_failure(job, error.diagnostics[0].message)

    def _may_start(self) -> bool:
        limit = self.manner.load_limit
        return not (limit and self._runs and os.getloadavg()[0] > limit)

    def _pause(self) -> float | None:
        """How long to wait for the runner: until it has something, a retry is due, the load may
        have fallen, or the report wants to tick."""
        pauses = [self.report.interval]
        if self._later:
            pauses.append(max(0.0, self._later[0][0] - time.monotonic()))
        if self.manner.load_limit and self.scheduler.has_ready:
            pauses.append(_LOAD_PAUSE)
        return min((each for each in pauses if each is not None), default=None)

    def _wake_retries(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            self.scheduler.retry(heappop(self._later)[2])

    def _check_signal(self) -> None:
        if self.stop_signal:
            if self._runner is not None:
                for outcome in self._runner.stop(self.stop_signal):
                    self._ended(outcome)
            raise Interrupted(self.stop_signal)

    def _collect(self, timeout: float | None) -> None:
        if not self._runs:
            time.sleep(min(timeout or 0, _NAP))  # a signal does not cut a sleep short
            return
        happened = self.runner.wait(timeout)
        self._collected = time.monotonic()
        several = len(happened) > 1
        if several:
            self.journal.hold()
        try:
            for each in happened:
                if isinstance(each, Outcome):
                    self._ended(each)
                elif isinstance(each, Chunk):
                    self.report.handle(Output(each.job, each.data))
                elif isinstance(each, Begun):
                    self.scheduler.took(
                        each.job, time.monotonic() - self._runs[each.job.number].clock
                    )
                    self._tell_start(each.job)
                else:
                    self._returned(each)
        finally:
            if several:
                self._release_records()

    def _release_records(self) -> None:
        try:
            self.journal.release()
        except OSError as error:
            raise journal_error(self.journal.path, error) from None

    def _returned(self, each: Returned) -> None:
        self._withdrawn.discard(each.job.number)
        del self._runs[each.job.number]
        self._attempts[each.job.number] -= 1
        self.scheduler.returned(each.job)

    def _progress(self) -> None:
        if not self._loud or self.report.interval is None:
            return
        plan = self.scheduler
        done, wanted = plan.settled - plan.settled_names, len(plan.wanted) - plan.names
        self.report.handle(Progress(done, wanted, len(self._runs), plan.outlook()))

    # -- closing and judging ---------------------------------------------------------------

    def _close(self, job: Job) -> None:
        splits = self.grow.close(job)
        if splits and self.manner.dry:
            unknown = [each for each in splits if each.patterns and each.number in self._unknown]
            if unknown:
                self._mark_unknown(job, unknown)
                return
        self.scheduler.closed(job, splits)

    def _mark_unknown(self, job: Job, splits: Sequence[Job]) -> None:
        self._unknown[job.number] = job
        self._told_unknown += 1
        self.report.handle(Unknown(job, tuple(splits)))
        self._pretend_made(job)
        self.scheduler.passed(job)

    def _examine(self, job: Job, early: bool) -> None:
        verdict = self.judge.judge(job)
        if isinstance(verdict, UpToDate) and verdict.absent and job.number in self.scheduler.goals:
            # Nobody else needs the temporary file now, but whoever names it wants it.
            gone = [name for name in job.outputs if self.judge.status(name) is None]
            verdict = Stale(tuple(Reason("missing", name) for name in gone))
        if early and isinstance(verdict, UpToDate) and not verdict.absent:
            gone = [name for name in job.inputs if self.judge.status(name) is None]
            if gone:
                verdict = Stale(tuple(Reason("missing-input", name) for name in gone))
        if not (early and isinstance(verdict, Stale)):
            self._decide(job, verdict)
        self.scheduler.judged(job, verdict, early=early)
        if not early:
            self._progress()

    def _decide(self, job: Job, verdict: Verdict) -> None:
        outputs = job.outputs
        if job.patterns:
            trace = self.journal.trace(job.name)
            outputs = trace.outputs if trace else ()
        self.report.handle(Judged(job, verdict, len(outputs)))
        if isinstance(verdict, UpToDate):
            self._up_to_date += 1
            inexact = verdict.because == "record" and not verdict.exact
            if inexact and self.manner.records:
                self._improve(job, absent=verdict.absent)
            if job.patterns:
                self.grow.resolve(job, outputs)
        elif self.manner.question:
            raise NotUpToDate(job.name)

    def _improve(self, job: Job, *, absent: bool) -> None:
        """What was recorded at a level that reads no bytes gets its digests, now that they are
        known to be the same. Outputs that are `absent` have theirs: they are temporary. Raises
        BuildError."""
        trace = self.journal.trace(job.name)
        if trace is None or self.manner.rules.level < Level.CONTENT:
            return
        stamps: dict[str, Stamp] = {}

        def digests(names: Iterable[str]) -> bytes:
            return b"".join([self.judge.record_digest(name, stamps) for name in names])

        # What is known only now of what was read then.
        inputs = job.inputs if job.traits.told_by_itself else trace.inputs
        better = trace._replace(
            inputs=inputs,
            input_digests=digests(inputs),
            discovered_digests=digests(trace.discovered),
            output_digests=trace.output_digests if absent else digests(trace.outputs),
        )
        if better != trace:
            self._amend(job, better, stamps)

    def _amend(self, job: Job, trace: Trace, stamps: Mapping[str, Stamp]) -> None:
        try:
            self.journal.finish(job.name, trace, stamps, {})
        except OSError as error:
            raise journal_error(self.journal.path, error) from None

    # -- starting --------------------------------------------------------------------------

    def _start(self, jobs: Sequence[Job]) -> None:
        """Starts a job, or a batch of them."""
        batch = []
        self._folders.clear()
        self.journal.hold()
        for job in jobs:
            try:
                script = self._prepare(job)
            except BuildError as error:
                self._cannot_start(job, error)
            else:
                if script is not None:
                    batch.append((job, script))
        try:
            self._release_records()
        except BuildError as error:
            for job, _ in batch:
                self._cannot_start(job, error)
            return
        if not batch:
            return
        if len(batch) == 1:
            self._tell_start(batch[0][0])
        self.runner.start(batch)

    def _cannot_start(self, job: Job, error: BuildError) -> None:
        self._complain(job, error)
        self._runs.pop(job.number, None)
        self.scheduler.finished(job, False)

    def _prepare(self, job: Job) -> Script | None:
        """What is to be run for a job that counts as running from now on; None in a dry run.
        Raises BuildError."""
        recipe = job.recipe
        if recipe is None:
            raise AssertionError(f"{job.name} has nothing to start")
        if self.scheduler.is_restored(job):
            if self.manner.adopt:
                self.scheduler.finished(job, True)  # nobody will read it: its record will do
                return None
            self._up_to_date -= 1
            self.report.handle(Judged(job, Stale((Reason("wanted"),))))
        if not self._loud:
            self._loud = True
            if not gc.isenabled():  # it is on in a process that is not ours alone
                gc.freeze()
                gc.enable()
        self._refuse_folders(job)
        renames = self._temporary_names(job) if job.traits.atomic else {}
        outputs = [renames.get(name, name) for name in job.outputs] if renames else job.outputs
        script = recipe.expand(job, self.judge.changed(job), outputs)
        if self._only_touches(script):
            renames = {}  # what an atomic job has left unfinished stays as it is
            script = script._replace(echo=self._touch_commands(job), silent=False)
        if self.manner.dry:
            parts = () if self.manner.bare else _parts_of_dry_run(script)
            if not parts:
                self._pretend(job, script)
                return None
            script = script._replace(parts=parts)
        stamps: dict[str, Stamp] = {}
        digests = [self.judge.record_digest(name, stamps) for name in job.inputs]
        before = self._clear_the_way(job, script) if self.manner.records else {}
        attempt = self._attempts.get(job.number, 0) + 1
        self._attempts[job.number] = attempt
        if self.manner.records and not self.manner.adopt and (job.outputs or job.patterns):
            globs = tuple([glob_text(pattern) for pattern in job.patterns])
            self.journal.start(job.name, tuple(before) if globs else (), globs)
        self._runs[job.number] = _Run(script, attempt, digests, stamps, before, renames)
        return script

    def _tell_start(self, job: Job) -> None:
        run = self._runs[job.number]
        if not run.is_told:
            run.is_told = True
            estimate = self.journal.seconds(job.name)
            self.report.handle(Started(job, run.script, run.attempt, estimate))
            self._progress()

    def _refuse_folders(self, job: Job) -> None:
        """Raises BuildError if a folder stands where a file is due: what the recipe writes would
        go into it."""
        for name in job.outputs:
            status = self.judge.status(name)
            if status is not None and self._is_wrong_folder(job, name, status):
                raise BuildError(
                    Diagnostic(
                        "PB402",
                        f"`{name}` is a folder where a file is due",
                        job.origin,
                        help=f"remove it; a target that is a folder is written `{name}/`",
                    )
                )

    def _only_touches(self, script: Script) -> bool:
        return self.manner.adopt or (self.manner.touch and not script.always)

    def _touch_commands(self, job: Job) -> str:
        """What `-t` says of a job, as make does."""
        from shlex import quote

        names = self.grow.claimable(job) if job.patterns else job.outputs
        return "\n".join(f"touch {quote(name)}" for name in names)

    def _done(self, job: Job, script: Script) -> None:
        self._ran.append(job)
        if self._only_touches(script):
            self._touched.append(job)

    def _pretend(self, job: Job, script: Script) -> None:
        self._done(job, script)
        self.report.handle(Started(job, script, 1, self.journal.seconds(job.name)))
        if job.patterns:
            self._unknown[job.number] = job
        self._pretend_made(job)
        self.scheduler.finished(job, True)

    def _pretend_made(self, job: Job) -> None:
        if isinstance(self.files, Pretending):
            self.files.pretend(job.outputs)
        self.judge.look_again(job.outputs)

    @staticmethod
    def _temporary_names(job: Job) -> dict[str, str]:
        renames = {}
        for name in job.outputs:
            folder, slash, filename = name.rpartition("/")
            key = digest_of(name.encode("utf-8", "surrogateescape")).hex()[:8]
            temporary = f".{key}.unfinished.{filename}"
            if len(os.fsencode(temporary)) > _LONGEST_NAME:
                temporary = f".{key}.unfinished{split_extension(filename)[1][:20]}"
            renames[name] = f"{folder}{slash}{temporary}"
        return renames

    def _clear_the_way(self, job: Job, script: Script) -> dict[str, Status]:
        """Makes folders, takes away what earlier runs of a split left; returns what stands
        there now and is not of our making. Raises BuildError."""
        try:
            if not self.manner.adopt:
                self._refuse_protected(job)
            for folder in script.folders:
                self._make_folder(folder)
            if not job.patterns:
                return {}
            if self._only_touches(script):
                ours = set(self.grow.claimable(job))
                return self._standing(name for name in self.grow.strangers(job) if name not in ours)
            trace = self.journal.trace(job.name)
            ours = set(trace.outputs) if trace else set()
            started = self.journal.started(job.name)
            if started is not None:
                ours.update(started.ours(self.grow.strangers(job)))
            if not job.traits.precious:
                self._remove(job, sorted(ours))
            return self._standing(self.grow.strangers(job))
        except OSError as error:
            raise BuildError(
                Diagnostic(
                    "PB405",
                    f"cannot prepare for `{job.name}`: {error.strerror}: {error.filename}",
                    job.origin,
                    help="give write permission to the folder"
                    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
                    else "something stands where a folder or file of this job has to be",
                )
            ) from None

    def _make_folder(self, name: str) -> None:
        """Raises OSError."""
        if name in self._folders:
            return
        status = self.files.status(name)
        if status is None or not status.is_folder:
            self.files.make_folder(name)
        self._folders.add(name)

    def _standing(self, names: Iterable[str]) -> dict[str, Status]:
        """The files that are there, as they are now. Raises OSError."""
        return {name: status for name in names if (status := self.files.status(name)) is not None}

    def _refuse_protected(self, job: Job) -> None:
        if not job.traits.protected:
            return
        forced = self.manner.rules
        allowed = forced.everything or not {job.traits.rule, *job.outputs}.isdisjoint(forced.forced)
        for name in job.outputs:
            if self.journal.trace(job.name) is None or self.files.status(name) is None:
                continue
            if not allowed:
                raise BuildError(
                    Diagnostic(
                        "PB406",
                        f"`{name}` is protected, and its job is out of date",
                        job.origin,
                        help=f"`--force {name}` makes it again; "
                        f"`--explain {name}` says what has changed",
                    )
                )
            self.files.set_writable(name, True)

    def _remove(self, job: Job, names: Sequence[str]) -> None:
        there = [name for name in names if self.files.status(name) is not None]
        for name in there:
            self.files.remove(name)
        self.judge.look_again(there)
        if there:
            self.report.handle(Removed(job, tuple(there)))

    def _discard(self, job: Job) -> None:
        manner = self.manner
        if not manner.records or manner.dry or manner.adopt or job.traits.precious:
            return
        try:
            self._record_digests(job)
            self._remove(job, job.outputs)
        except OSError as error:
            raise BuildError(
                Diagnostic("PB405", f"cannot remove `{job.name}`: {error.strerror}", job.origin)
            ) from None
        self.judge.discarded(job)
        self.scheduler.discarded(job)

    def _record_digests(self, job: Job) -> None:
        """Temporary files that are recorded without their digests, because they were none then or
        the level read no bytes, get them before they go. Raises BuildError."""
        trace = self.journal.trace(job.name)
        if trace is None or trace.outputs != job.outputs:
            return
        stamps: dict[str, Stamp] = {}
        made = b"".join([self.judge.record_digest(name, stamps) for name in job.outputs])
        if made != trace.output_digests and self.judge.is_as_recorded(trace):
            self._amend(job, trace._replace(output_digests=made), stamps)

    # -- finishing -------------------------------------------------------------------------

    def _ended(self, outcome: Outcome) -> None:
        job = outcome.job
        self._tell_start(job)
        run = self._runs.pop(job.number)
        if job.number in self._withdrawn:
            self._begin_anew(job, outcome, time.monotonic() - run.clock)
            return
        if self._only_touches(run.script):
            seconds = NOT_RUN
        elif outcome.seconds is None:
            seconds = time.monotonic() - run.clock
        else:
            seconds = outcome.seconds
            self.scheduler.took(job, seconds)
        error = outcome.error
        ignored = bool(error) and (
            job.traits.ignore_errors or run.script.ignore_errors or self.manner.ignore_errors
        )
        outputs: tuple[str, ...] = ()
        help = ""
        if not error or (ignored and not self.manner.adopt):
            try:
                outputs = self._outputs_of(job, run)
                if self.manner.records and (outputs or job.patterns):
                    self._record(job, run, outputs, seconds)
            except BuildError as complaint:
                if not ignored:
                    error, help = complaint.diagnostics[0].message, complaint.diagnostics[0].help
        if error:
            self.judge.look_again(job.outputs)
        if error and not ignored and self._try_again(job, outcome, run, seconds, error):
            return
        self.report.handle(
            Finished(job, seconds, error, outcome.output, outcome.log, ignored, help=help)
        )
        if error and not ignored:
            self._note_failure(job, error, outcome)
            self._record_leavings(job, run)
            self.scheduler.finished(job, False)
            if self.scheduler.stopped:
                self.runner.recall()
        else:
            self._done(job, run.script)
            if self.manner.dry and job.traits.optional:
                self._pretend_made(job)
            if job.patterns:
                self._resolve(job, outputs)
            self.scheduler.finished(job, True)
        self._progress()

    def _begin_anew(self, job: Job, outcome: Outcome, seconds: float) -> None:
        """A job that was ended for a change of what it reads is ready again."""
        self._withdrawn.discard(job.number)
        self._attempts[job.number] -= 1
        self.judge.look_again(job.outputs)
        self.report.handle(Finished(job, seconds, "", outcome.output, outcome.log, again=True))
        self.scheduler.returned(job)
        self._progress()

    def _resolve(self, job: Job, outputs: Iterable[str]) -> None:
        try:
            self.grow.resolve(job, outputs)
        except BuildError as error:
            for diagnostic in error.diagnostics:
                self.report.handle(Complaint(diagnostic))
            self._failures.append(Failure(job, error.diagnostics[0].message, (), ""))

    def _try_again(self, job: Job, outcome: Outcome, run: _Run, seconds: float, error: str) -> bool:
        if run.attempt > job.traits.retries or self.stop_signal or self.scheduler.stopped:
            return False
        self.report.handle(Finished(job, seconds, error, outcome.output, outcome.log, again=True))
        self.scheduler.again(job)
        due = time.monotonic() + job.traits.retry_delay
        heappush(self._later, (due, job.number, job))
        return True

    def _outputs_of(self, job: Job, run: _Run) -> tuple[str, ...]:
        """The files that the job made. Raises BuildError if one is missing."""
        try:
            for name, temporary in run.renames.items():
                if self.files.status(temporary) is not None:
                    self.files.rename(temporary, name)
            self.judge.look_again(job.outputs)
            if job.patterns:
                made = tuple(
                    name
                    for name in self.grow.strangers(job)
                    if self.files.status(name) != run.before.get(name)
                )
                self.judge.look_again(made)
                return made
            for name in job.outputs:
                self._require(job, name)
            if job.traits.protected and self.manner.records:
                for name in job.outputs:
                    self.files.set_writable(name, False)
        except OSError as error:
            raise BuildError(
                Diagnostic("PB404", f"cannot look at what `{job.name}` made: {error}", job.origin)
            ) from None
        return job.outputs

    def _require(self, job: Job, name: str) -> None:
        status = self.judge.status(name)
        if status is None:
            if job.traits.optional:
                return
            raise BuildError(
                Diagnostic("PB401", f"the recipe ended well but did not make `{name}`", job.origin)
            )
        if self._is_wrong_folder(job, name, status):
            raise BuildError(
                Diagnostic(
                    "PB402",
                    f"the recipe made a folder `{name}` where a file is due",
                    job.origin,
                    help=f"a target that is a folder is written `{name}/`",
                )
            )

    def _is_wrong_folder(self, job: Job, name: str, status: Status) -> bool:
        """Whether it is a folder where a file is due. One that a recipe without prerequisites
        makes for others to write into is make's way."""
        if not status.is_folder or name.endswith("/") or job.traits.folders:
            return False
        return bool(job.inputs) or self._is_read(name)

    def _is_read(self, name: str) -> bool:
        """Whether some job has the file among its inputs, and not only behind `|`."""
        return any(name in job.inputs for job in self.scheduler.wanted)

    def _record(self, job: Job, run: _Run, outputs: tuple[str, ...], seconds: float) -> None:
        recipe = job.recipe
        assert recipe is not None
        stamps = run.stamps
        discovered = self._discovered(job)
        found = b"".join([self._discovered_digest(name, run) for name in discovered])
        made = b"".join([self.judge.record_digest(name, stamps) for name in outputs])
        started_ns = run.started_ns
        before = self.journal.trace(job.name)
        if before is not None and self.scheduler.is_restored(job):
            # A temporary file that was only made again is no newer than it was: where times count,
            # its other users stay up to date.
            started_ns = before.started_ns
        values = recipe.values()
        value_set = recipe.values_key if values else b""
        trace = Trace(
            recipe.text_digest,
            recipe.values_digest,
            value_set,
            job.inputs,
            b"".join(run.input_digests),
            discovered,
            found,
            outputs,
            made,
            started_ns,
            seconds,
        )
        blobs = {value_set: dict(values)} if values else {}
        try:
            if before is not None and before.outputs != outputs:
                self._record_lost(before, outputs)
            self.journal.finish(job.name, trace, stamps, blobs)
        except OSError as error:
            raise journal_error(self.journal.path, error) from None

    def _record_lost(self, before: Trace, outputs: Collection[str]) -> None:
        """Files that a job has ceased to make are recorded under their own names: without a record
        they would pass for sources. Raises OSError."""
        for index, name in enumerate(before.outputs):
            if name in outputs or name in self.graph.producer or self.files.status(name) is None:
                continue
            start = index * DIGEST_SIZE
            digest = before.output_digests[start : start + DIGEST_SIZE]
            self.journal.finish(
                name, before._replace(outputs=(name,), output_digests=digest), {}, {}
            )

    def _record_leavings(self, job: Job, run: _Run) -> None:
        """A split that failed leaves files that are neither sources nor somebody else's."""
        if not job.patterns or not self.manner.records:
            return
        left = [
            name
            for name in self.grow.strangers(job)
            if self.files.status(name) != run.before.get(name)
        ]
        try:
            self.journal.failed(job.name, left)
        except OSError as error:
            raise journal_error(self.journal.path, error) from None

    def _discovered(self, job: Job) -> tuple[str, ...]:
        recipe = job.recipe
        if not job.traits.depfile or recipe is None:
            return ()
        name = recipe.expand_attribute(job, job.traits.depfile)
        try:
            text = self.files.read(name).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise BuildError(
                Diagnostic("PB404", f"cannot read the depfile `{name}`: {error.strerror}")
            ) from None
        declared = frozenset(job.inputs)
        return tuple(each for each in read_depfile(text) if each not in declared)

    def _discovered_digest(self, name: str, run: _Run) -> bytes:
        """What to record of a file that the job was found to read. One that changed while the job
        ran may have been read before: it counts as different next time."""
        status = self.judge.status(name)
        if status is not None and run.started_ns < status.mtime_ns <= time.time_ns():
            return bytes(DIGEST_SIZE)
        return self.judge.record_digest(name, run.stamps)

    def _note_failure(self, job: Job, error: str, outcome: Outcome | None = None) -> None:
        tail = outcome.tail if outcome else b""
        lines = tail.decode("utf-8", "replace").rstrip().splitlines()[-_TAIL_LINES:]
        log = outcome.log if outcome else ""
        self._failures.append(Failure(job, error, tuple(lines), log))

    def _hooks(self) -> None:
        """`@posttask` and `@touch`: once after the last job of a rule of which some job ran."""
        if self.manner.dry or self.manner.adopt or not self.manner.records:
            return
        unfinished = {
            job.traits.rule
            for job in self.scheduler.wanted
            if self.scheduler.state(job) not in (State.DONE, State.ABSENT)
        }
        seen: dict[str, Job] = {}
        for job in self._ran:
            traits = job.traits
            if (traits.hooks or traits.touch_last) and traits.rule not in unfinished:
                seen.setdefault(traits.rule, job)
        for job in seen.values():
            self._finish_rule(job)

    def _finish_rule(self, job: Job) -> None:
        for name in job.traits.touch_last:
            folder = os.path.dirname(name)
            try:
                if folder:
                    self.files.make_folder(folder)
                self.files.touch(name)
            except OSError as problem:
                self._complain_late(job, f"cannot touch `{name}`: {problem.strerror}")
        for hook in job.traits.hooks:
            error = self.runner.call(hook)
            if error:
                self._complain_late(job, f"`@posttask` of `{job.traits.rule}` failed: {error}")

    def _complain_late(self, job: Job, message: str) -> None:
        self.report.handle(Complaint(Diagnostic("PB407", message, job.origin)))
        self._failures.append(Failure(job, message, (), ""))

    def _summary(self, goals: Sequence[Job], seconds: float) -> Summary:
        plan = self.scheduler
        skipped = [job for job in plan.wanted if plan.state(job) == State.SKIPPED and job.recipe]
        return Summary(
            len(self._ran) - len(self._touched),
            self._up_to_date,
            tuple(self._failures),
            tuple(skipped),
            seconds,
            tuple(job.name for job in goals),
            self.manner.dry,
            plan.stopped,
            self._told_unknown,
            sum(bool(job.outputs or job.patterns) for job in self._touched),
        )


def _parts_of_dry_run(script: Script) -> tuple[Part, ...]:
    """What a dry run runs all the same."""
    if script.always:
        return script.parts
    return tuple([each for each in script.parts if isinstance(each, ShellPart) and each.always])


def journal_error(path: str, error: OSError) -> BuildError:
    """The complaint when the journal can't be written: the disk is full, or may not be written."""
    return BuildError(
        Diagnostic(
            "PB408",
            f"cannot record in {path}: {error.strerror}",
            help="make room (or give write permission) and run pybuild again: "
            "what was recorded so far is kept",
        )
    )


def _at(job: Job, error: BuildError) -> BuildError:
    """The same complaints, with the job's place where they have none."""
    return BuildError(
        *(
            each
            if each.span
            else each._replace(
                span=job.origin, notes=(*each.notes, Note(f"while looking at `{job.name}`"))
            )
            for each in error.diagnostics
        )
    )


def _unique(complaints: Sequence[Diagnostic]) -> list[Diagnostic]:
    return list({(each.code, each.message): each for each in complaints}.values())


def _cycle_complaint(cycle: Sequence[Job]) -> Diagnostic:
    path = " <- ".join(f"`{job.name}`" for job in cycle)
    if len(cycle) > 12:
        shown = [f"`{job.name}`" for job in (*cycle[:6], *cycle[-5:])]
        path = " <- ".join([*shown[:6], f"... ({len(cycle) - 11} more) ...", *shown[6:]])
    notes = tuple(
        Note(f"`{job.name}` needs `{following.name}`", job.origin)
        for job, following in pairwise(cycle[:7])
    )
    return Diagnostic(
        "PB301",
        f"these need each other: {path}",
        cycle[0].origin,
        notes,
        "take one of these prerequisites away",
    )
