"""`pybuild [goal ...]`: builds, or says what a build would do."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pybuild.cli.opening import (
    head_of,
    makefile_of,
    open_with_errors,
    project_of,
    wish_of,
    words_of,
)
from pybuild.cli.options import Arguments, UsageError
from pybuild.engine.events import Complaint, Message
from pybuild.engine.ports import Report
from pybuild.engine.staleness import Level
from pybuild.kept import Head
from pybuild.phases import Phases
from pybuild.project import Project, Wish
from pybuild.report.plain import PlainReport, Tone
from pybuild.source import BuildError
from pybuild.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from pybuild.cli.short import Glimpse
    from pybuild.report.profile import JobTimes

OK, OUT_OF_DATE, ERROR = 0, 1, 2


class Killed(Exception):
    """A signal has ended the build; pybuild is to end by it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def build(arguments: Arguments, words: Sequence[str], glimpse: Glimpse | None = None) -> int:
    """Returns the exit status. `glimpse` is what the short way has seen, if it was taken. Raises
    BuildError, UsageError, Killed."""
    from pybuild.engine.build import Interrupted, NotUpToDate

    wish = wish_of(arguments)
    report = report_of(arguments)
    phases = Phases()
    times = _job_times(arguments, report)
    command = " ".join(["pybuild", *words])
    try:
        if is_kept(arguments, wish) and not _explains_all(arguments):
            status = _build_part(arguments, wish, times or report, command, glimpse, phases)
            if status is not None:
                return status
        return build_all(arguments, wish, times or report, command, phases)
    except NotUpToDate:
        return OUT_OF_DATE
    except Interrupted as stop:
        print("pybuild: interrupted", file=sys.stderr)
        raise Killed(stop.signum) from None
    finally:
        if times is not None:
            _tell_times(arguments, phases, times)


def _job_times(arguments: Arguments, report: Report) -> JobTimes | None:
    if not (arguments.profile or arguments.stats):
        return None
    from pybuild.report.profile import JobTimes

    return JobTimes(report)


def _tell_times(arguments: Arguments, phases: Phases, times: JobTimes) -> None:
    from pybuild.report.profile import print_stats, write_trace

    if arguments.stats:
        sys.stdout.flush()
        print_stats(phases, times, sys.stderr)
    if arguments.profile:
        try:
            write_trace(arguments.profile, phases, times)
        except OSError as error:
            raise UsageError(f"cannot write `{arguments.profile}`: {error.strerror}") from None


def is_kept(arguments: Arguments, wish: Wish) -> bool:
    """Whether the graph is kept, and one that was kept can be used: it is that of a Pipefile, and
    what is out of date is decided in the usual way, by the record of all that is wanted."""
    if arguments.program is not None or makefile_of(arguments):
        return False
    imposed = wish.everything or wish.touch or wish.forced or wish.new or wish.old
    return wish.level == Level.CONTENT and not wish.minimal and not imposed


def _build_part(
    arguments: Arguments,
    wish: Wish,
    report: Report,
    command: str,
    glimpse: Glimpse | None,
    phases: Phases,
) -> int | None:
    """Builds what a kept graph shows to be out of date. None if there is none that would do."""
    from pybuild.cli.short import look

    words = words_of(arguments, arguments.goals)
    if glimpse is None:
        with phases("look at the files"):
            glimpse = look(words)
    if glimpse is None:
        return None
    try:
        return build_revived(project_of(arguments, phases), glimpse, wish, report, command)
    finally:
        glimpse[0].close()


def build_revived(
    project: Project, glimpse: Glimpse, wish: Wish, report: Report, command: str
) -> int | None:
    """Builds what a kept graph shows to be out of date, in a project that is not open yet. Returns
    the exit status; None, and the project is let go of, if only a whole load can tell. Raises what
    `Build.run` raises."""
    from pybuild.engine.build import Known

    flat, moved = glimpse
    records = not (wish.dry or wish.question)
    if records and not project.lock_at_once(command):
        return None
    part = project.revive(flat, moved)
    if part is None:
        return None
    try:
        known = Known(part.others, flat.goals)
        summary = project.build(list(part.numbers.values()), wish, report, known)
        project.head = Head(flat.path, flat.key)
        return ERROR if summary.failures else OK
    finally:
        if records:
            project.close()


def build_all(
    arguments: Arguments, wish: Wish, report: Report, command: str, phases: Phases
) -> int:
    """Loads the project and builds what is wanted. Returns the exit status. Raises what `build`
    does, and what `Build.run` raises."""
    return build_opened(open_with_errors(arguments, phases), arguments, wish, report, command)


def build_opened(
    project: Project, arguments: Arguments, wish: Wish, report: Report, command: str
) -> int:
    """Builds what is wanted in a project that was loaded. Returns and raises what `build_all`
    does."""
    project.refuse_errors(after_includes=False)
    if project.journal.complaint:
        report.handle(Message(project.journal.complaint))
    for diagnostic in project.loaded.diagnostics:
        if diagnostic.severity != "error":
            report.handle(Complaint(diagnostic))
    try:
        if not (wish.dry or wish.question):
            project.lock_and_reread(command, report)
        goals = list(arguments.goals)
        if wish.touch and goals:
            goals = project.adopt(goals, report)
            if not goals:
                return OK
        report = project.make_includes(wish, report)
        project.refuse_errors()
        project.check_forced(wish.forced)
        jobs, sources, complaints = project.goals(goals)
        if complaints and not wish.keep_going:
            raise BuildError(*complaints)
        for complaint in complaints:
            report.handle(Complaint(complaint))
        if not arguments.quiet:
            for name in sources:
                report.handle(Message(f"nothing to be done for `{name}`: no rule makes it"))
        if not jobs:
            return ERROR if complaints else OK
        summary = project.build(jobs, wish._replace(forced_needed=True), report)
        if is_kept(arguments, wish) and not (complaints or sources or project.include_makers()):
            project.head = head_of(arguments, [job.name for job in jobs])
            seen = project.watch.seen if project.watch and arguments.explain else None
            for reason in seen.unknowable if seen else ():
                report.handle(Message(f"the graph is not kept for the next start: {reason}"))
        return ERROR if summary.failures or complaints else OK
    finally:
        if not (wish.dry or wish.question):
            try:
                project.leave_offers()
            finally:
                project.close()


def _explains_all(arguments: Arguments) -> bool:
    """Whether also jobs that do not run are to be spoken of."""
    return arguments.debug or (arguments.explain and bool(arguments.goals))


def report_of(arguments: Arguments) -> Report:
    """Who tells the user what a build does. Raises UsageError."""
    if arguments.format not in ("text", "json"):
        raise UsageError(f"`--format={arguments.format}`: it is `text` or `json`")
    if arguments.format == "json":
        from pybuild.report.jsonlines import JsonReport

        return JsonReport()
    explain = (
        arguments.explain
        or arguments.trace
        or arguments.debug
        or arguments.verbose
        or arguments.dry_run
    )
    runs_nothing = arguments.dry_run or arguments.question
    tone = Tone(
        arguments.quiet or arguments.question,
        explain and not arguments.question,
        _explains_all(arguments),
        prompt=not runs_nothing,
    )
    if sys.stdout.isatty() and not (tone.quiet or runs_nothing):
        import os

        if os.environ.get("TERM", "dumb") not in ("", "dumb"):
            from pybuild.report.terminal import TerminalReport

            return TerminalReport(tone)
    return PlainReport(tone)
