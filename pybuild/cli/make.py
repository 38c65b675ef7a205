"""`make`: reads makefiles and brings goals up to date, as GNU make does."""

from __future__ import annotations

import os
import sys
import time

from pybuild import __version__, signals
from pybuild.cli.frontend import MAKE, typed_name
from pybuild.cli.make_kept import Kept
from pybuild.cli.make_read import Reading
from pybuild.cli.make_remake import Restart, Unmade, remake
from pybuild.cli.make_start import ERROR, OK, OUT_OF_DATE, Start
from pybuild.files import Disk
from pybuild.makefile import flags
from pybuild.makefile.debugging import Debug
from pybuild.makefile.errors import MakeError
from pybuild.makefile.execution import Executor, Telling
from pybuild.makefile.flags import UsageError
from pybuild.makefile.node import Status
from pybuild.makefile.ports import Interrupted
from pybuild.makefile.rules import Recipe
from pybuild.makefile.search import Search, directories_of
from pybuild.makefile.times import Times
from pybuild.makefile.update import Manner, Walk
from pybuild.makefile.vpath import Folders, split_path
from pybuild.runners.again import Again
from pybuild.runners.commands import CommandRunner, OutputLock
from pybuild.runners.jobserver import OwnSlots, SharedSlots, join, serve
from pybuild.typed import Any, Callable, NoReturn, Sequence


def make(
    words: Sequence[str],
    called: str,
    run: Callable[[Sequence[str]], NoReturn],
    kept: Kept | None = None,
) -> int:
    """Does what a command line of make says; returns the exit status. `called` is the name that it
    was started by; `run` does what another command line says, and ends the process; `kept` takes
    what may be said again. Raises Interrupted."""
    again = Again(called, run)
    called = typed_name(called)
    start = Start(words, called)
    if kept is not None:
        start.ran_ahead, start.earlier = kept.ahead, kept.earlier
        start.console.is_out = kept.is_out
    if words[:1] == [MAKE]:
        start.words, start.command = words[1:], f"{start.command} {MAKE}"
    try:
        status = start.prepare()
        if status is not None:
            return status
    except UsageError as error:
        for message in error.messages:
            start.console.err(f"{message}\n")
        start.console.err(flags.usage(os.path.basename(called)))
        return ERROR
    except MakeError as error:
        status = start.tell(error)
        start.leave()
        return status
    try:
        status, last = _all_runs(start, again)
    except Interrupted as stop:
        if stop.signum == signals.SIGQUIT:
            return OUT_OF_DATE  # no core of a program that is well
        raise
    start.leave()
    if kept is not None and status == OK and last.may_be_told_again():
        ran, seen = last.reading.shell.ran, last.reading.looks
        kept.keep(start.flags.folders, start.folder, start.console.said(), ran, seen)
    return status


def _all_runs(start: Start, again: Again) -> tuple[int, _Run]:
    """Reads makefiles and updates goals, as often as makefiles are made anew. Returns the exit
    status, and the last run."""
    restarts = 0
    while True:
        run = _Run(start, again, restarts)
        status: int | None = None
        try:
            status = run.run()
        except Restart:
            restarts += 1
            words = " ".join([start.called, *start.words])
            run.reading.debug(f"Re-executing[{restarts}]: {words}")
        except MakeError as error:
            status = run.tell(error)
        if run.flags.print_data_base:
            run.print_data_base()
        if status is not None:
            return status, run


class _Run:
    """One reading of all makefiles, and what follows."""

    def __init__(self, start: Start, again: Again, restarts: int) -> None:
        self.start = start
        self.again = again
        self.reading = Reading(start, restarts)
        self.flags = self.reading.flags
        self.walk: Walk | None = None

    def run(self) -> int:
        """Returns the exit status. Raises MakeError, Restart, Interrupted."""
        self.reading.read()
        self._open_slots()
        self._open_output()
        self.reading.set_makeflags(reading=False)
        walk = self.walk = self._walk()
        try:
            return self._update_and_tidy(walk)
        except Interrupted as stop:
            walk.executor.interrupt(stop.signum)
            for name in walk.removable():
                walk.executor.warn(f"*** Deleting intermediate file '{name}'")
                Disk().remove(name)
            raise
        finally:
            if walk.times.is_skewed:
                text = "warning:  Clock skew detected.  Your build may be incomplete."
                walk.executor.warn(text)
            self.commands.close()
            self.slots.close()
            if self.lock is not None:
                self.lock.close()

    def _open_slots(self) -> None:
        """The jobserver: that of a make above, an own one, or none."""
        options = self.flags
        self.slots: OwnSlots | SharedSlots = OwnSlots(1, options.load)
        if options.jobserver_auth and options.jobs != self.start.flags.jobs:
            self.start.warn(
                f"warning: -j{options.jobs or 0} forced in makefile: resetting jobserver mode."
            )
            options.jobserver_auth = ""
        elif options.jobserver_auth and not options.jobs_from_command:
            shared, why = join(options.jobserver_auth, options.load)
            if shared is not None:
                self.slots = shared
                return
            if why:
                self.start.warn(why)
            self.start.warn(
                "warning: jobserver unavailable: using -j1.  Add '+' to parent make rule."
            )
            options.jobs = 1
            options.jobserver_auth = ""
        elif options.jobserver_auth:
            self.start.warn(
                f"warning: -j{options.jobs or ''} forced in submake: resetting jobserver mode."
            )
            options.jobserver_auth = ""
        if options.jobs is not None and options.jobs > 1:
            self.slots = serve(options.jobs, options.jobserver_style, options.load)
            options.jobserver_auth = self.slots.auth
        elif options.jobs == 0:
            self.slots = OwnSlots(0, options.load)

    def _open_output(self) -> None:
        """What `-O` needs, and what starts commands."""
        options, start = self.flags, self.start
        sync = options.output_sync
        self.lock = None
        if start.syncs:
            self.lock = OutputLock(options.sync_mutex)
            options.sync_mutex = self.lock.name
        self.commands = CommandRunner(
            begin=start.console.begin,
            sync=sync,
            lock=self.lock,
            around=start.around,
            inherited=self.slots.inherited(),
            again=self.again,
        )
        self.commands.catch_signals()
        shell, commands = self.reading.shell, self.commands
        shell.holding, shell.waiting = commands.holding, commands.interruptible

    def _walk(self) -> Walk:
        reading, options = self.reading, self.flags
        expander, database = reading.expander, reading.database
        levels = options.debug_levels()
        debug = Debug(self.start.console, levels)
        search = self._search(debug)
        times = Times(
            database,
            search.directories,
            self.start.warn,
            time.time_ns,
            reading.looks,
            options.check_symlinks,
        )
        executor = Executor(
            database,
            expander,
            times,
            self.commands,
            self.slots,
            Disk(),
            debug,
            Telling(
                dry=options.just_print,
                question=options.question,
                touch=options.touch,
                silent=bool(options.silent),
                ignore=options.ignore_errors,
                keep_going=bool(options.keep_going),
                trace="why" in levels,
                echoes="print" in levels,
                suffix=f" shuffle={options.shuffle}" if options.shuffle else "",
            ),
        )
        manner = Manner(
            keep_going=bool(options.keep_going),
            always=options.always_make,
            dry=options.just_print,
            question=options.question,
            old=options.old_files,
            new=options.new_files,
            shuffle=_shuffle(options.shuffle),
            slots=1 if isinstance(self.slots, OwnSlots) and options.jobs in (None, 1) else 2,
        )
        executor.expanding = self._note_running
        prerequisites = reading.reader.prerequisites
        return Walk(database, expander, search, times, executor, manner, prerequisites, debug)

    def _search(self, debug: Debug) -> Search:
        database, expander = self.reading.database, self.reading.expander
        directories = directories_of(database, expander)
        if not debug.is_implicit:
            return Search(database, directories, expander)
        from pybuild.makefile.told_search import ToldSearch

        return ToldSearch(database, directories, expander, debug)

    def _note_running(self, recipe: Recipe | None) -> None:
        self.reading.reader.running = recipe

    def _update_and_tidy(self, walk: Walk) -> int:
        try:
            status = self._update(walk)
        except Unmade:
            status = ERROR
        except MakeError as error:
            status = self.tell(error)
        except Restart:
            self._finish(walk)
            raise
        self._finish(walk)
        return status

    def _finish(self, walk: Walk) -> None:
        walk.executor.drain()
        self._remove_intermediates(walk)

    def _update(self, walk: Walk) -> int:
        self.reading.debug("Updating makefiles....")
        remake(walk, self.reading)
        self.reading.debug("Updating goal targets....")
        goals = self.start.goals or self.reading.default_goal()
        return {
            Status.SUCCESS: OK,
            Status.QUESTION: OUT_OF_DATE,
            Status.FAILED: ERROR,
        }[walk.update(goals)]

    # -- the end ---------------------------------------------------------------------------

    def may_be_told_again(self) -> bool:
        """Whether all that it did was to say something, by what it has seen."""
        options, walk = self.flags, self.walk
        if walk is None or walk.executor.started or walk.times.is_skewed or self.reading.restarts:
            return False
        if options.touch or options.shuffle or options.print_data_base or options.debug_levels():
            return False
        return not (self.start.stdin or self.start.console.has_complained)

    def _remove_intermediates(self, walk: Walk) -> None:
        if self.flags.touch:
            return
        names = walk.removable()
        if names:
            walk.debug.basic(0, "Removing intermediate files...")
        if names and not walk.executor.is_silent:
            self.start.console.out(f"rm {' '.join(names)}\n")
        if not self.flags.just_print:
            for name in names:
                Disk().remove(name)

    def tell(self, error: MakeError) -> int:
        """Says what make died of; at a terminal with the line, and what may help."""
        status = self.start.tell(error)
        if sys.stderr.isatty():
            from pybuild.cli.make_hints import hint_lines

            lines = hint_lines(error, self.reading.database, os.listdir())
            self.start.console.err("".join([f"{line}\n" for line in lines]))
        return status

    def print_data_base(self) -> None:
        """What `-p` is for."""
        from pybuild.makefile.printing import Known, data_base

        reading, walk = self.reading, self.walk
        known = Known(
            reading.database,
            reading.variables,
            walk.search.folders if walk is not None else Folders(reading.looks),
            walk.times.time if walk is not None else lambda node: node.time,
            split_path(reading.expander.value("VPATH")),
            walk.known.nodes if walk is not None else {},
            frozenset(self.start.goals),
            [each.name for each in reading.reader.makefiles],
            not self.flags.no_builtin_rules,
        )
        version = [f"# {each}" for each in flags.version(__version__).splitlines()]
        self.start.console.out("\n".join([*version, *data_base(known)]) + "\n")


def _shuffle(mode: str) -> Callable[[Sequence[Any]], list[Any]] | None:
    """How goals and prerequisites are put in another order; None if they are not. What stands on
    two sides of a `.WAIT` stays there."""
    if mode in ("", "none", "identity"):
        return None
    import random

    chance = random.Random(mode)

    def shuffle(items: Sequence[Any]) -> list[Any]:
        found = list(items)
        if any(getattr(each, "wait", False) for each in found):
            return found
        if mode == "reverse":
            found.reverse()
        else:
            chance.shuffle(found)
        return found

    return shuffle
