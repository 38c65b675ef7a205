"""Reading makefiles for `make`: the variables that are there first, those of the command line, the
texts, and what they say of options."""

from __future__ import annotations

import errno
import os

from pybuild import __version__
from pybuild.cli.frontend import MAKEFILES
from pybuild.cli.make_start import Start
from pybuild.makefile import builtin, flags
from pybuild.makefile.debugging import Debug
from pybuild.makefile.errors import MakeError
from pybuild.makefile.evaluate import Makefile, Reader
from pybuild.makefile.expand import Expander
from pybuild.makefile.flags import Given
from pybuild.makefile.looks import Looks
from pybuild.makefile.patterns import short_name
from pybuild.makefile.ports import Services
from pybuild.makefile.rules import Database
from pybuild.makefile.variables import Export, Origin, Scope, Variable
from pybuild.runners.commands import ShellRunner
from pybuild.runners.jobserver import temporary_folder


class Reading:
    """One reading of all makefiles: `database` and `variables` are what comes out, `flags` the
    options with what makefiles have said of them. `restarts` counts the readings before, `reads` is
    what reads."""

    def __init__(self, start: Start, restarts: int, reads: type[Reader] = Reader) -> None:
        self.start = start
        self.restarts = restarts
        self.flags = start.flags.copy()
        self.database = Database()
        self.variables = Scope()
        self.looks = Looks()
        self.shell = ShellRunner(start.warn, start.console.give_turn)
        if start.ran_ahead and not restarts:
            self.shell.ahead = start.ran_ahead
            self.looks.earlier = start.earlier
            self.shell.caught_up = self._catch_up
        self.expander = Expander(self.variables, Services(start.console, self.shell, self.looks))
        self.expander.program = start.program
        self.expander.environment = start.environment
        self.expander.warns_undefined = self.flags.warn_undefined
        self.given: dict[str, Given] = {}
        self._define_first()
        self.reader = reads(self.database, self.expander)
        self._set_include_folders()
        self.reader.told = self._tell_makefile

    def read(self) -> None:
        """Reads all. Raises MakeError."""
        self._define_given()
        self.reader.watched["MAKEFLAGS"] = self._take_makeflags
        self.debug(flags.version(__version__) + "Reading makefiles...")
        self._read()
        self.variables.define("GNUMAKEFLAGS", "", Origin.OVERRIDE, recursive=False)
        self.reader.finish()
        if self.flags.no_builtin_variables and not self.start.flags.no_builtin_variables:
            builtin.uninstall_variables(self.variables)
        builtin.complete(self.database, not self.flags.no_builtin_rules)

    def _catch_up(self) -> None:
        """From now on things are as they are."""
        self.looks.earlier = None

    def debug(self, text: str) -> None:
        """Says how far it is (`--debug=basic`)."""
        Debug(self.start.console, self.flags.debug_levels()).basic(0, text)

    def _tell_makefile(self, name: str, remarks: str) -> None:
        """Says that a makefile is read (`--debug=verbose`)."""
        Debug(self.start.console, self.flags.debug_levels()).verbose(
            0, f"Reading makefile '{name}'{remarks}..."
        )

    def default_goal(self) -> list[str]:
        """The goal where none is given. Raises MakeError if there is none, or several."""
        names = self.expander.value(".DEFAULT_GOAL").split()
        if len(names) > 1:
            raise MakeError(".DEFAULT_GOAL contains more than one target")
        if not names:
            if not any(each.found for each in self.reader.makefiles):
                raise MakeError("No targets specified and no makefile found")
            raise MakeError("No targets")
        return names

    def _define_first(self) -> None:
        """Variables from the environment, and those that make sets itself."""
        variables = self.variables
        variables.environment_wins = self.flags.environment_overrides
        builtin.install(
            self.database,
            variables,
            rules=not self.flags.no_builtin_rules,
            variables_too=not self.flags.no_builtin_variables,
        )
        for name, value in self.start.environment.items():
            if name not in ("SHELL", "MAKEFLAGS", "MFLAGS", "MAKE_RESTARTS"):
                variables.define(name, value, Origin.ENVIRONMENT)
        define = variables.define
        define("MAKELEVEL", str(self.start.level), self._environment_origin, recursive=False)
        define("MAKE_COMMAND", self.start.command, Origin.DEFAULT, recursive=False)
        define("CURDIR", self.start.folder, Origin.FILE, recursive=False)
        if self.start.goals:
            goals = " ".join(self.start.goals)
            define("MAKECMDGOALS", goals, Origin.DEFAULT, recursive=False)
        if self.restarts:
            define("MAKE_RESTARTS", str(self.restarts), Origin.ENVIRONMENT)

    def _define_given(self) -> None:
        """Variables of the command line."""
        for each in self.start.assignments:
            name = self.expander.expand(each.name)
            made = self.reader.define(
                self.variables, name, each.operator, each.value, None, Origin.COMMAND
            )
            if made is not None:
                self.given[name] = Given(name, made.recursive, made.value)
        if self.given:
            given, define = flags.given_texts(self.given.values()), self.variables.define
            define("-*-command-variables-*-", given, Origin.AUTOMATIC, recursive=False)
            define("MAKEOVERRIDES", "${-*-command-variables-*-}", Origin.DEFAULT)
        if "MAKEFLAGS" in self.given:
            self._take_makeflags()
        else:
            self.set_makeflags(reading=True)

    def set_makeflags(self, *, reading: bool) -> None:
        """Sets `MAKEFLAGS` and `MFLAGS`: as makefiles see them, or as recipes do."""
        if "MAKEFLAGS" not in self.given:
            text = flags.makeflags_text(self.flags, (), reading=reading)
            if self.given:
                text += " -- $(MAKEOVERRIDES)"
            origin = Origin.FILE
            if self.flags.environment_overrides:
                origin = Origin.ENVIRONMENT_OVERRIDE
            self._set_exported("MAKEFLAGS", text, origin)
        text = flags.mflags_text(self.flags, reading=reading)
        self._set_exported("MFLAGS", text, self._environment_origin)

    def _set_exported(self, name: str, text: str, origin: int) -> None:
        """Sets a variable that children get unless a makefile has said that they do not."""
        made = Variable(name, text, origin)
        old = self.variables.variables.get(name)
        if old is not None and old.origin == Origin.OVERRIDE:
            return
        made.export = Export.NO if old is not None and old.export == Export.NO else Export.YES
        self.variables.variables[name] = made

    @property
    def _environment_origin(self) -> int:
        if self.flags.environment_overrides:
            return Origin.ENVIRONMENT_OVERRIDE
        return Origin.ENVIRONMENT

    def _take_makeflags(self) -> None:
        """A makefile has set `MAKEFLAGS`: its options count at once."""
        text = self.expander.value("MAKEFLAGS")
        jobs = self.flags.jobs
        parsed = flags.parse_makefile_flags(text, self.flags, self.start.program)
        for complaint in parsed.complaints:
            self.start.console.err(f"{complaint}\n")
        for each in parsed.assignments:
            if each.name not in self.given:
                self.reader.define(
                    self.variables, each.name, each.operator, each.value, None, Origin.COMMAND
                )
        if self.start.flags.jobs_from_command:
            self.flags.jobs, self.flags.jobs_from_command = jobs, True
        self.expander.warns_undefined = self.flags.warn_undefined
        self._set_include_folders()
        self.set_makeflags(reading=True)

    def _set_include_folders(self) -> None:
        """Those of `-I`; `-I-` takes back what was said before, and the usual ones."""
        folders = self.flags.include_folders
        if "-" not in folders:
            self.reader.set_include_folders(folders)
        else:
            last = len(folders) - folders[::-1].index("-")
            self.reader.set_include_folders(folders[last:], ())

    def _read(self) -> None:
        for text in self.flags.evals:
            self.reader.read_text(text, None)
        self.reader.read_variable_makefiles()
        if self.flags.files:
            for name in self.flags.files:
                if not self.reader.read_file(
                    self._from_stdin() if name == "-" else short_name(name)
                ):
                    self.start.warn(f"{name}: {self.reader.makefiles[-1].error}")
            return
        for name in MAKEFILES:
            if self.looks.exists(name):
                self.reader.read_file(name)
                return
        # A rule may make one.
        error = os.strerror(errno.ENOENT)
        self.reader.makefiles += [Makefile(name, None, False, error) for name in MAKEFILES]

    def _from_stdin(self) -> str:
        """A file with what standard input has: it may have to be read again."""
        if self.flags.files.count("-") > 1:
            raise MakeError("Makefile from standard input specified twice")
        if not self.start.stdin:
            path = os.path.join(temporary_folder(), f"Gm{os.urandom(3).hex()}")
            self.start.stdin = path
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                while piece := os.read(0, 1 << 16):
                    file.write(piece)
        return self.start.stdin
