"""Makefiles for the engine: read by the options of a command line, and given as jobs.

What that takes is imported only when there is a makefile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from pybuild.cli.frontend import MAKE, command_of, is_makefile, typed_name
from pybuild.cli.options import Arguments
from pybuild.source import Span
from pybuild.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from pybuild.cli.make_start import Start
    from pybuild.makefile.jobs import MakeJobs


class Makefiles:
    """Reads makefiles as the arguments say. `evals` is text that is read before them; `by_time`:
    times of files alone decide what is out of date."""

    def __init__(
        self, arguments: Arguments, evals: Sequence[str] = (), *, by_time: bool = False
    ) -> None:
        self.arguments = arguments
        self.evals = evals
        self.by_time = by_time

    def is_makefile(self, name: str) -> bool:
        """Whether a file is a makefile, by its name."""
        return is_makefile(name)

    def read(
        self, names: Sequence[str], span: Span | None
    ) -> Callable[[Callable[[str], bool]], MakeJobs]:
        """Reads makefiles, one after the other, as one. The result gives their rules; it is told
        which files an earlier build made. `span` is who includes them. Raises BuildError."""
        from pybuild.cli.make_read import Reading
        from pybuild.makefile.job_recipe import Telling
        from pybuild.makefile.jobs import MakeJobs
        from pybuild.makefile.places import Places

        places = Places(span)
        reading = Reading(self._start(names), 0)
        with places.errors():
            reading.read()
            reading.set_makeflags(reading=False)
        of = self.arguments
        by_time = self.by_time or of.always_make
        telling = Telling(of.quiet, of.dry_run or of.trace, of.ignore_errors)
        return lambda was_made: MakeJobs(
            reading.reader, telling, places, None if by_time else was_made
        )

    def _start(self, names: Sequence[str]) -> Start:
        from pybuild.cli.make_start import Start
        from pybuild.makefile.flags import Assignment

        arguments = self.arguments
        called = typed_name(arguments.called) if arguments.called else "pybuild"
        start = Start((), called)
        command = command_of(called) if arguments.called else f"{sys.executable} -m pybuild"
        start.command = f"{command} {MAKE}"
        start.folder = os.getcwd()
        start.goals = list(arguments.goals)
        start.assignments = [
            Assignment(name, "=", value, f"{name}={value}")
            for name, value in arguments.variables.items()
        ]
        flags = start.flags
        flags.files = list(names)
        flags.evals = list(self.evals)
        flags.include_folders = list(arguments.include)
        flags.environment_overrides = arguments.environment_overrides
        flags.always_make = arguments.always_make
        flags.ignore_errors = arguments.ignore_errors
        flags.keep_going = arguments.keep_going or None
        flags.just_print = arguments.dry_run
        flags.question = arguments.question
        flags.silent = arguments.quiet or None
        flags.touch = arguments.touch
        return start
