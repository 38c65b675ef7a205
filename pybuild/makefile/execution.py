"""Recipes as they run: their lines expanded, told, started one after the other, and their end."""

from __future__ import annotations

from pybuild import signals
from pybuild.files import Files
from pybuild.makefile import archive
from pybuild.makefile.automatic import automatic_scope, split_member
from pybuild.makefile.command import (
    POSIX_SHELL_FLAGS,
    SHELL_FLAGS,
    argv_of,
    inner_of,
    one_shell_text,
    split_prefix,
)
from pybuild.makefile.debugging import Debug
from pybuild.makefile.environment import child_environment
from pybuild.makefile.errors import MakeError, Place
from pybuild.makefile.expand import Expander
from pybuild.makefile.node import MISSING, Node, Status
from pybuild.makefile.ports import Command, Commands, Ended, Slots
from pybuild.makefile.recipes import Line, expanded_lines, is_always, place_of
from pybuild.makefile.rules import Database, Recipe
from pybuild.makefile.scopes import scope_of
from pybuild.makefile.times import Times
from pybuild.makefile.variables import Frame
from pybuild.typed import Callable, Mapping, NamedTuple


class Failed(Exception):
    """A recipe has failed, and that is the end."""


class Telling(NamedTuple):
    """What is told, and how a recipe is carried out: options. `echoes` also silent lines."""

    dry: bool = False
    question: bool = False
    touch: bool = False
    silent: bool = False
    ignore: bool = False
    keep_going: bool = False
    trace: bool = False
    echoes: bool = False
    suffix: str = ""  # put behind messages of failure (` shuffle=SEED`)


class _Run:
    """A recipe that is being carried out."""

    __slots__ = (
        "environment",
        "ifs",
        "line",
        "lines",
        "node",
        "number",
        "process",
        "scope",
        "shell",
        "shell_flags",
        "touches",
    )

    def __init__(self, node: Node, number: int, lines: list[Line], scope: Frame) -> None:
        self.node = node
        self.number = number
        self.process = 0
        self.lines = lines
        self.line: Line | None = None
        self.scope = scope
        self.shell = ""
        self.shell_flags = ""
        self.ifs: str | None = None
        self.environment: Mapping[str, str] | None = None
        # How often its file is touched instead of running lines that were left out: once more, as
        # make does, if that was after all that ran.
        self.touches = 0


class Executor:
    """Carries out recipes. `started` counts lines that were started, or would have been."""

    def __init__(
        self,
        database: Database,
        expander: Expander,
        times: Times,
        commands: Commands,
        slots: Slots,
        files: Files,
        debug: Debug,
        telling: Telling,
    ) -> None:
        self.database = database
        self.expander = expander
        self.times = times
        self.commands = commands
        self.slots = slots
        self.files = files
        self.debug = debug
        self.telling = telling
        self.started = 0
        self.finished: Callable[[Node], None] = lambda _: None
        self.expanding: Callable[[Recipe | None], None] = lambda _: None
        self.console = expander.services.console
        self._runs: dict[int, _Run] = {}
        self._told: list[Ended] = []  # those that nothing has come of yet
        self._count = 0

    # -- telling ---------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """A message on standard output."""
        self.console.out(f"{self.expander.program}: {text}\n")

    def warn(self, text: str) -> None:
        """A message on standard error."""
        self.console.err(f"{self.expander.program}: {text}\n")

    def complain(self, text: str) -> None:
        """A message on standard error about what went wrong."""
        self.warn(text + self.telling.suffix)

    def warn_at(self, place: Place | None, text: str) -> None:
        """A message about a place on standard error."""
        self.console.err(f"{place or self.expander.program}: {text}\n")

    # -- starting --------------------------------------------------------------------------

    def start(self, node: Node, linear: bool) -> None:
        """Carries out the recipe of a node; up to its end if `linear`, else up to where something
        runs. Raises Failed, MakeError."""
        recipe = node.recipe
        assert recipe is not None
        if self.telling.touch and not any(map(is_always, recipe.lines)):
            self._touch(node)
            self.finished(node)
            return
        if not any(split_prefix(line).rest.strip() for line in recipe.lines):
            node.has_run = True
            self.finished(node)
            return
        own = scope_of(node, self.expander, self.database)
        scope = automatic_scope(node, own, self.database)
        self.expanding(recipe)
        lines = expanded_lines(recipe, scope, self.expander, self.database.one_shell)
        lines.reverse()
        self.expanding(None)
        if self.telling.trace:
            self._trace(node, recipe, scope)
        while not self.slots.take():
            self.wait(self.slots)
        self._count += 1
        run = _Run(node, self._count, lines, scope)
        with self.expander.inside(scope, recipe.place):
            run.shell = self.expander.value("SHELL") or "/bin/sh"
            run.shell_flags = self.expander.shell_flags()
            run.ifs = self.expander.value("IFS") if scope.find("IFS") else None
        self._runs[run.number] = run
        self._advance(run)
        if linear:
            while run.number in self._runs:
                self.wait()

    def _trace(self, node: Node, recipe: Recipe, scope: Frame) -> None:
        place = str(recipe.place) if recipe.place else "<builtin>"
        if node.is_phony:
            cause = "target is .PHONY"
        elif node.before == MISSING and self._is_absent(node):
            cause = "target does not exist"
        else:
            with self.expander.inside(scope, recipe.place):
                cause = self.expander.value("?") or "unknown reasons"
        self.console.out(f"{place}: update target '{node.name}' due to: {cause}\n")

    def _is_absent(self, node: Node) -> bool:
        """Whether make says of a missing target that it does not exist: of a member of an archive
        only if there is the archive."""
        library = split_member(node.name)[0]
        return not library or self.files.status(library) is not None

    # -- line by line ----------------------------------------------------------------------

    def _advance(self, run: _Run) -> None:
        """Starts the next line that has to be run; without one the recipe is over."""
        node, telling = run.node, self.telling
        while run.lines:
            line = run.line = run.lines.pop()
            text = line.text
            if self.database.one_shell:
                text = one_shell_text(text, run.shell)
            if not text.strip():
                continue
            argv = argv_of(
                text,
                run.shell,
                self._shell_flags(run, line),
                one_shell=self.database.one_shell,
                ifs=run.ifs,
            )
            if telling.question and not line.always:
                node.status = Status.QUESTION
                self._close(run)
                return
            if telling.touch and not line.always:
                run.touches = 2
                continue
            self.started += 1
            silent = line.silent or self.is_silent or node.target.is_silent
            if telling.dry or telling.echoes or not silent:
                self.commands.say(run.number, f"{text}\n")
            if argv is None or (telling.dry and not line.always):
                continue
            run.touches = min(run.touches, 1)
            try:
                environment = self._environment(run)
            except MakeError:
                self._forget(run)
                raise
            is_first = not run.process
            inner = inner_of(argv) if line.always else None
            command = Command(argv, environment, line.always, inner)
            run.process = self.commands.start(run.number, command)
            if self.debug.is_jobs:
                self._tell_started(run, is_first)
            return
        node.has_run = True
        for _ in range(run.touches):
            self._touch(node)
        self._close(run)

    def _shell_flags(self, run: _Run, line: Line) -> str:
        """`.SHELLFLAGS`. Of a POSIX makefile the shell does not end at an error that is ignored."""
        if run.shell_flags != POSIX_SHELL_FLAGS or not self._is_ignored(run.node, line):
            return run.shell_flags
        return SHELL_FLAGS

    def _is_ignored(self, node: Node, line: Line | None) -> bool:
        ignored = (
            (line is not None and line.ignore) or self.telling.ignore or node.target.is_ignored
        )
        return ignored or self.database.all_ignored

    def _environment(self, run: _Run) -> Mapping[str, str]:
        if run.environment is None:
            recipe = run.node.recipe
            with self.expander.inside(run.scope, recipe.place if recipe else None):
                is_recursive = recipe is not None and any(map(is_always, recipe.lines))
                run.environment = child_environment(run.scope, self.expander, is_recursive)
        return run.environment

    def _tell_started(self, run: _Run, is_first: bool) -> None:
        if is_first:
            who = f"child {id(run):#x} ({run.node.name}) PID {run.process}"
            self.debug.jobs(f"Putting {who} on the chain.")

    def _tell_ended(self, run: _Run, ended: Ended) -> None:
        for each in self._runs.values():
            self.debug.jobs(f"Live child {id(each):#x} ({each.node.name}) PID {each.process} ")
        how = "losing" if ended.status or ended.error else "winning"
        self.debug.jobs(f"Reaping {how} child {id(run):#x} PID {run.process} ")

    def _close(self, run: _Run) -> None:
        if run.process:
            self.debug.jobs(f"Removing child {id(run):#x} PID {run.process} from chain.")
        self._forget(run)
        self.finished(run.node)

    def _forget(self, run: _Run) -> None:
        del self._runs[run.number]
        self.commands.finish(run.number)
        self.slots.give_back()

    # -- waiting ---------------------------------------------------------------------------

    def wait(self, slots: Slots | None = None) -> bool:
        """Waits until a line has ended (or one of the slots can be had), and goes on with its
        recipe. Returns whether one has ended. Raises Failed."""
        if not self._told:
            self._told.extend(self.commands.wait(True, slots))
        has_ended = bool(self._told)
        while self._told:
            self._ended(self._told.pop(0))
        return has_ended

    def drain(self) -> None:
        """After a failure: what runs goes on to its end, and nothing else is started."""
        if self._runs:
            self.warn("*** Waiting for unfinished jobs....")
        goes_on = True
        while self._runs and goes_on:
            try:
                goes_on = self.wait()
            except Failed:
                pass

    def interrupt(self, signum: int) -> None:
        """After a signal: half-made targets go, and what runs is waited for. It has got the signal
        from the terminal, as all of the group have; the usual one of `kill` goes to one alone."""
        if signum == signals.SIGTERM:
            self.commands.stop(signum)
        for run in reversed(self._runs.values()):
            self._delete(run.node)
        while self._runs:
            self._told = self._told or list(self.commands.wait(True))
            while self._told:
                ended = self._told.pop(0)
                run = self._runs.pop(ended.number)
                if ended.status:
                    self._tell_failure(run, ended, self._is_ignored(run.node, run.line))
                self.commands.finish(ended.number)

    def _ended(self, ended: Ended) -> None:
        run = self._runs[ended.number]
        if self.debug.is_jobs:
            self._tell_ended(run, ended)
        if ended.error:
            self.commands.say(
                run.number, f"{self.expander.program}: {ended.error}\n", to_error=True
            )
        elif ended.status == 0:
            self._advance(run)
            return
        line, node = run.line, run.node
        assert line is not None
        ignored = self._is_ignored(node, line)
        if not (self.telling.question and ended.status == 1):
            self._tell_failure(run, ended, ignored)
        if ignored:
            self._advance(run)
            return
        node.has_run = True
        node.status = Status.FAILED
        if node.recipe and node.recipe.place:
            node.failed_at = place_of(node.recipe.place, line.number)
        if self.telling.question and ended.status == 1:
            node.status = Status.QUESTION
            self._close(run)
            return
        if self.database.delete_on_error or ended.status < 0:
            self._delete(node)
        self._close(run)
        if not self.telling.keep_going and not node.dont_care:
            raise Failed

    def _tell_failure(self, run: _Run, ended: Ended, ignored: bool) -> None:
        assert run.line is not None
        node = run.node
        if node.dont_care and not ignored:
            return
        if ignored and self.is_silent:
            return
        not_found = node.take_not_found()
        if not_found:
            self.commands.say(run.number, not_found, to_error=True)
        recipe = node.recipe
        place = place_of(recipe.place, run.line.number) if recipe and recipe.place else "<builtin>"
        stars, end = ("", " (ignored)") if ignored else ("*** ", self.telling.suffix)
        what = f"Error {ended.status}" if ended.status >= 0 else signals.strsignal(-ended.status)
        core = " (core dumped)" if ended.has_core else ""
        text = f"{self.expander.program}: {stars}[{place}: {node.name}] {what}{core}{end}\n"
        self.commands.say(run.number, text, to_error=True)

    def _delete(self, node: Node) -> None:
        """Removes targets that a recipe has changed before it failed."""
        for each in (node, *node.peers):
            if each.is_phony or each.target.is_precious:
                continue
            before = each.time
            self.times.forget(each)
            now = self.times.time(each)
            if now in (MISSING, before):
                continue
            because = f"[{node.name}] " if each is not node else ""
            self.warn(f"*** {because}Deleting file '{each.name}'")
            self.files.remove(each.name)

    # -- touching --------------------------------------------------------------------------

    def _touch(self, node: Node) -> None:
        """Instead of running its recipe (`-t`): gives it a new time."""
        node.has_run = True
        if not node.is_phony:
            self.started += 1
            if not self.is_silent:
                self.console.out(f"touch {node.name}\n")
            if not self.telling.dry:
                self._touch_file(node)

    def _touch_file(self, node: Node) -> None:
        try:
            if split_member(node.name)[0]:
                archive.touch(node.name)
            else:
                self.files.touch(node.name)
        except OSError as error:
            self.warn(f"touch: open: {node.name}: {error.strerror}")
            node.status = Status.FAILED
        except archive.ArchiveError as error:
            self.warn(f"touch: {error}")
            node.status = Status.FAILED

    @property
    def is_silent(self) -> bool:
        """Whether nothing is told of what is done (`-s`, `.SILENT:`)."""
        return self.telling.silent or self.database.all_silent

    def only_pretends(self, recipe: Recipe | None) -> bool:
        """Whether a recipe does not really run (`-n`, `-q`, `-t`), so that files are as they were:
        those all of whose lines are run in any case do."""
        if not (self.telling.dry or self.telling.question or self.telling.touch):
            return False
        return recipe is None or not all(map(is_always, recipe.lines))
