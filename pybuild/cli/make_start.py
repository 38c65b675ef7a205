"""What a run of `make` knows before it reads a makefile: options, goals, where it is, and how it
speaks."""

from __future__ import annotations

import os
import sys
from itertools import pairwise

from pybuild import __version__
from pybuild.cli.frontend import command_of
from pybuild.files import Disk
from pybuild.makefile import flags
from pybuild.makefile.errors import MakeError
from pybuild.makefile.flags import Flags
from pybuild.makefile.looks import Earlier
from pybuild.makefile.patterns import short_name
from pybuild.runners.commands import Ran
from pybuild.typed import Sequence

OK, OUT_OF_DATE, ERROR = 0, 1, 2


class Terminal:
    """The console: both streams of the process, in the order of what is written. `opening` is
    written before all else, once there is something else. `has_complained`: something went to
    standard error. The first `is_out` characters of what goes to standard output are there."""

    def __init__(self) -> None:
        self.opening = ""
        self.is_out = 0
        self.has_complained = False
        self.has_begun = False
        self._said: list[str] = []
        self._turns: list[int] = []  # how many were said before each command of a shell

    def begin(self) -> None:
        """Something is written now, here or by somebody else."""
        if not self.has_begun:
            self.has_begun = True
            if self.opening:
                self.out(self.opening)

    def give_turn(self) -> None:
        """A shell begins a command."""
        self.begin()
        self._turns.append(len(self._said))

    def said(self) -> list[str]:
        """What went to standard output, split where shells began commands."""
        bounds = [0, *self._turns, len(self._said)]
        return ["".join(self._said[one:two]) for one, two in pairwise(bounds)]

    def out(self, text: str) -> None:
        self.begin()
        self._said.append(text)
        if self.is_out:
            text, self.is_out = text[self.is_out :], max(0, self.is_out - len(text))
        sys.stdout.write(text)
        sys.stdout.flush()

    def err(self, text: str) -> None:
        self.begin()
        self.has_complained = True
        sys.stderr.write(text)
        sys.stderr.flush()


class Start:
    """What is known before a makefile is read."""

    def __init__(self, words: Sequence[str], called: str) -> None:
        self.words = words
        self.called = called
        self.command = command_of(called)  # what `$(MAKE)` is
        self.console = Terminal()
        self.environment = dict(os.environ)
        self._set_level(self.environment.get("MAKELEVEL", ""))
        self.flags = Flags()
        self.goals: list[str] = []
        self.assignments: list[flags.Assignment] = []
        self.stdin = ""  # the file with what standard input had
        self.around = ("", "")
        self.folder = ""
        self.ran_ahead: list[Ran] = []
        self.earlier: Earlier | None = None  # what there was before those

    def prepare(self) -> int | None:
        """Reads options, and goes to the folder. Returns an exit status if that is all."""
        for name in ("GNUMAKEFLAGS", "MAKEFLAGS"):
            text = self.environment.get(name, "")
            if text:
                text = text.replace("$$", "$")
                parsed = flags.parse_makeflags(text, self.program, flags=self.flags)
                self.assignments += parsed.assignments
        self.environment.pop("GNUMAKEFLAGS", None)
        parsed = flags.parse_words(
            self.words, self.program, called=self.called, flags=self.flags, from_command=True
        )
        self.goals = [short_name(goal) for goal in parsed.goals]
        self.assignments += parsed.assignments
        for each in self.assignments:
            if each.name == "MAKELEVEL":
                self._set_level(each.value)
                self.environment["MAKELEVEL"] = each.value
        if self.flags.help:
            self.console.out(flags.usage(os.path.basename(self.called)))
            return OK
        if self.flags.version:
            self.console.out(flags.version(__version__))
            return OK
        here = self._here()
        for folder in self.flags.folders:
            try:
                os.chdir(folder)
            except OSError as error:
                self._enter(here)
                raise MakeError(f"{folder}: {error.strerror}") from None
        self._enter(self._here() if self.flags.folders else here)
        return None

    def _set_level(self, text: str) -> None:
        """How many makes are above this one."""
        self.level = _number(text)
        self.program = os.path.basename(self.called) + (f"[{self.level}]" if self.level else "")

    def _here(self) -> str:
        """The folder that it is in; "" if that has been removed."""
        try:
            return os.getcwd()
        except OSError as error:
            self.warn(f"getcwd: {error.strerror}")
            return ""

    def _enter(self, folder: str) -> None:
        self.folder = folder
        shows = self.flags.print_directory
        if shows is None:
            shows = bool(self.flags.folders or self.level) and not self.flags.silent
        if shows:
            self.around = (
                f"{self.program}: Entering directory '{self.folder}'\n",
                f"{self.program}: Leaving directory '{self.folder}'\n",
            )
        if shows and not self.syncs:
            self.console.opening = self._comment + self.around[0]

    @property
    def _comment(self) -> str:
        """What is before lines that have a data base between them."""
        return "# " if self.flags.print_data_base else ""

    @property
    def syncs(self) -> bool:
        """Whether what recipes print is kept together."""
        sync = self.flags.output_sync
        return bool(sync) and sync != "none" and self.flags.jobs not in (None, 1)

    def leave(self) -> None:
        """The end. Says that the folder is left, if it was said that it was entered."""
        if self.stdin:
            Disk().remove(self.stdin)
        if self.console.opening and self.console.has_begun:
            self.console.out(self._comment + self.around[1])

    def warn(self, text: str) -> None:
        """Says something on standard error."""
        self.console.err(f"{self.program}: {text}\n")

    def tell(self, error: MakeError) -> int:
        """Says what make died of."""
        where = self.program if error.place is None else error.place
        self.console.err(f"{where}: *** {error.message}.  Stop.\n")
        return ERROR


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
