"""`pybuild --watch`: the rounds of a watch, as the command line wants them."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Sequence

from pybuild import __version__
from pybuild.cli.build import ERROR, Killed, build_opened, build_revived, report_of
from pybuild.cli.opening import project_of, wish_of, words_of
from pybuild.cli.options import Arguments, UsageError
from pybuild.engine.events import Complaint, Event, Message
from pybuild.engine.flat import Flat, Unfit
from pybuild.engine.key import STATE_FOLDER, flat_path, load_key
from pybuild.engine.ports import Report
from pybuild.phases import Phases
from pybuild.pipefile.watch import end_watch
from pybuild.project import Project, Wish
from pybuild.runners.services import Services
from pybuild.source import BuildError
from pybuild.watch.events import Events
from pybuild.watch.keys import Keys
from pybuild.watch.scope import BrokenScope, KeptScope, LoadedScope, Scope, Step
from pybuild.watch.session import Attend, Session, Stopped

_MOST_SHOWN = 3  # names of files that no rule makes any more

JOURNAL = os.path.join(STATE_FOLDER, "journal")


def watch(arguments: Arguments, words: Sequence[str]) -> int:
    """Builds and waits until a signal or a key ends it. Returns the exit status. Raises UsageError,
    Killed."""
    if arguments.watch not in ("cancel", "queue"):
        raise UsageError(f"`--watch={arguments.watch}`: it is `--watch` or `--watch=queue`")
    if arguments.format not in ("text", "json"):
        raise UsageError(f"`--format={arguments.format}`: it is `text` or `json`")
    if arguments.dry_run or arguments.question or arguments.touch or arguments.program:
        raise UsageError("`--watch` goes with builds by a Pipefile or makefile only")
    rounds = _Rounds(arguments, " ".join(["pybuild", *words]))
    has_keys = arguments.format == "text" and sys.stdin.isatty() and sys.stdout.isatty()
    session = Session(
        rounds,
        _opener(arguments),
        Keys(sys.stdin.fileno() if has_keys else None),
        rounds.services,
        queue=arguments.watch == "queue",
    )
    try:
        session.run()
    except Stopped as stop:
        raise Killed(stop.signum) from None
    return 0


def _opener(arguments: Arguments) -> Callable[[str], Events]:
    """What begins to listen for changes. Where the system cannot tell of them, for a reason that is
    found here or is the argument, the files are looked at instead, and that is said once."""
    try:
        poll = float(arguments.poll) if arguments.poll else None
    except ValueError:
        raise UsageError(f"`--poll={arguments.poll}`: that is no number of seconds") from None

    def open_events(why_not: str = "") -> Events:
        nonlocal poll
        if poll is None and not why_not:
            try:
                return Events()
            except OSError as error:
                why_not = str(error)
        if poll is None:
            poll = 1.0
            report_of(arguments).handle(
                Message(f"cannot be told of changes ({why_not}): looking every second instead")
            )
        return Events(poll)

    return open_events


class _Rounds:
    """Builds of a command line, one after the other in one process."""

    def __init__(self, arguments: Arguments, command: str) -> None:
        self.arguments = arguments
        self.command = command
        self.wish = wish_of(arguments)
        self.services = Services(STATE_FOLDER, self._tell)
        self._telling: Report | None = None  # of the round that goes on
        self.scope: Scope | None = None
        self._texts: dict[str, str] = {}  # what the load read when it was last right
        self._leftovers: frozenset[str] | None = None  # by the last load

    def _tell(self, event: Event) -> None:
        (self._telling or self.report()).handle(event)

    def report(self) -> Report:
        """A report for one round, or for what is between two."""
        return report_of(self.arguments)

    def whole(self, attend: Attend) -> None:
        """Loads and builds all. Raises Interrupted."""
        gc.disable()  # a load makes much that stays
        began_ns = time.time_ns()
        report = self._telling = self.report()
        project = None
        try:
            project = project_of(self.arguments, Phases())
            project.open()
            attended = attend(project, report)
            build_opened(project, self.arguments, self.wish, attended, self.command)
        except BuildError as error:
            _tell(error, report)
        finally:
            self._telling = None
            if project is not None:
                project.lock.release()
                self._look_around(project, began_ns)
            self.wish = _without_force(self.wish)

    def part(self, step: Step, attend: Attend) -> None:
        """Builds what is out of date by the kept graph, else all. Raises Interrupted."""
        scope = self.scope
        kept = scope.kept if isinstance(scope, BrokenScope) else scope
        assert isinstance(kept, KeptScope)
        project = project_of(self.arguments, Phases())
        if isinstance(scope, BrokenScope):
            project.opening = project.opening._replace(texts=self._texts)
        glimpse = kept.flat, list(step.rows)
        began_ns = time.time_ns()
        report = self._telling = self.report()
        status: int | None = ERROR
        try:
            attended = attend(project, report)
            status = build_revived(project, glimpse, self.wish, attended, self.command)
        except BuildError as error:
            _tell(error, report)
        finally:
            self._telling = None
            project.lock.release()
            again = self._kept(began_ns)
            if again is None or not isinstance(scope, BrokenScope):
                self._change_scope(again)
            else:
                self._change_scope(scope.over(again))
        if self.scope is None or (status is None and self.scope is again):
            self.whole(attend)

    def reopen(self) -> None:
        """Takes over the graph that another build of the same goals has left, if it has."""
        again = self._kept(time.time_ns())
        if again is not None and not again.is_behind():
            self._change_scope(again)
        elif again is not None:
            again.close()

    def _look_around(self, project: Project, began_ns: int) -> None:
        """Finds out what counts after a load; the last good graph does if that went wrong."""
        end_watch()
        loaded = getattr(project, "loaded", None)
        if loaded is None or project.errors or not loaded.pipeline.rules:
            old = self.scope.kept if isinstance(self.scope, BrokenScope) else self.scope
            kept = old if isinstance(old, KeptScope) else None
            self._change_scope(BrokenScope(kept, project))
        else:
            graph = project.graph
            self.services.keep({each.name for each in graph.jobs if each.traits.service})
            self._texts = {each.name: each.text for each in loaded.sources}
            self._tell_leftovers(project)
            kept = self._kept(began_ns) if project.head is not None else None
            self._change_scope(kept or LoadedScope(project, began_ns))
        gc.unfreeze()
        gc.enable()
        gc.collect()  # what a load has made and is in use no more has been frozen with the rest

    def _tell_leftovers(self, project: Project) -> None:
        """Says which files no rule makes any more since the last load."""
        before = self._leftovers
        now = self._leftovers = frozenset(project.leftovers().unchanged)
        names = sorted(now - before) if before is not None else []
        if names:
            shown = ", ".join(f"`{name}`" for name in names[:_MOST_SHOWN])
            more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
            self._tell(
                Message(f"no rule makes {shown}{more} any more (`pybuild --stale --remove`)")
            )

    def _kept(self, began_ns: int) -> KeptScope | None:
        """The graph that the last build has kept, if it has; it began then."""
        key = load_key(__version__, words_of(self.arguments, self.arguments.goals))
        try:
            return KeptScope(Flat(flat_path(STATE_FOLDER, key), key), JOURNAL, began_ns)
        except Unfit:
            return None

    def _change_scope(self, scope: Scope | None) -> None:
        old, self.scope = self.scope, scope
        if (
            old is not None
            and old is not scope
            and not (isinstance(scope, BrokenScope) and scope.kept is old)
        ):
            old.close()


def _tell(error: BuildError, report: Report) -> None:
    for diagnostic in error.diagnostics:
        report.handle(Complaint(diagnostic))
    report.close()


def _without_force(wish: Wish) -> Wish:
    """The same for the rounds after the first: `-B`, `-W` and `--force` count once."""
    return wish._replace(everything=False, forced=frozenset(), new=frozenset())
