"""`pybuild [goal ...]`: builds, or says what a build would do."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pybuild.cli.opening import open_with_errors, wish_of
from pybuild.cli.options import Arguments
from pybuild.engine.events import Complaint, Message
from pybuild.engine.ports import Report
from pybuild.report.plain import PlainReport, Tone
from pybuild.source import BuildError

OK, OUT_OF_DATE, ERROR = 0, 1, 2


class Killed(Exception):
    """A signal has ended the build; pybuild is to end by it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def build(arguments: Arguments, words: Sequence[str]) -> int:
    """Returns the exit status. Raises BuildError, UsageError, Killed."""
    from pybuild.engine.build import Interrupted, NotUpToDate

    wish = wish_of(arguments)
    report = _report(arguments)
    project = open_with_errors(arguments)
    project.refuse_errors(after_includes=False)
    if project.journal.complaint:
        report.handle(Message(project.journal.complaint))
    for diagnostic in project.loaded.diagnostics:
        if diagnostic.severity != "error":
            report.handle(Complaint(diagnostic))
    try:
        if not (wish.dry or wish.question):
            project.lock_and_reread(" ".join(["pybuild", *words]), report)
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
        return ERROR if summary.failures or complaints else OK
    except NotUpToDate:
        return OUT_OF_DATE
    except Interrupted as stop:
        print("pybuild: interrupted", file=sys.stderr)
        raise Killed(stop.signum) from None
    finally:
        if not (wish.dry or wish.question):
            project.close()


def _report(arguments: Arguments) -> Report:
    explain = (
        arguments.explain
        or arguments.trace
        or arguments.debug
        or arguments.verbose
        or arguments.dry_run
    )
    tone = Tone(
        arguments.quiet or arguments.question,
        explain and not arguments.question,
        arguments.debug or (arguments.explain and bool(arguments.goals)),
    )
    runs_nothing = arguments.dry_run or arguments.question
    if sys.stdout.isatty() and not (tone.quiet or runs_nothing):
        import os

        if os.environ.get("TERM", "dumb") not in ("", "dumb"):
            from pybuild.report.terminal import TerminalReport

            return TerminalReport(tone)
    return PlainReport(tone)
