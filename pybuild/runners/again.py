"""A make that a recipe starts, without a start of Python: this process once more, forked.

It is only done for the very program that runs, and does what starting that would: the child has the
streams, the environment, the folder and the handles that a new process would have.
"""

from __future__ import annotations

import os
import sys

from pybuild import signals
from pybuild.makefile.ports import Command
from pybuild.typed import Any, Callable, Mapping, NoReturn, Sequence

_MOST = 8  # one within another: each begins on the stack of the one above
_HANDLES = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
_FAILED = 2
_SET_BY_DASH = frozenset(("IFS", "OPTIND", "PPID"))  # of those that it is given


class Again:
    """`program` is the name that this process was started by, `run` does what the words of a
    command line say, and ends the process."""

    def __init__(self, program: str, run: Callable[[Sequence[str]], NoReturn]) -> None:
        self._run = run
        self._identity = _identity_of(_found(program, os.environ.get("PATH", "")))

    def start(
        self, command: Command, actions: Sequence[tuple[Any, ...]], tidy: Callable[[], None]
    ) -> int:
        """Starts a command if it is this program; returns the number of its process, 0 if it is
        another one. `actions` are those of `posix_spawn`, which copy handles; `tidy` takes away in
        the child what the caller has set up."""
        words, folder, environment = command.argv, "", command.environment
        if command.inner is not None and _is_dash(words[0]):
            folder, words = command.inner
            if not _SET_BY_DASH.isdisjoint(environment):
                return 0
            try:
                environment = _by_dash(folder, environment)
            except OSError:
                return 0  # who knows where we are
        if int(environment.get("MAKELEVEL", "0")) > _MOST or not _can_be(environment):
            return 0
        program = _found(words[0], environment.get("PATH", ""))
        if not self._is_own(program):
            return 0
        if folder and not (os.path.isabs(program) and _can_go(environment)):
            return 0
        # A signal must not find a child that still has the handlers of its parent.
        mask = signals.pthread_sigmask(signals.SIG_BLOCK, signals.valid_signals())
        try:
            process = os.fork()
            if not process:
                self._become(words, folder, environment, actions, tidy, mask)
        except OSError:
            process = 0  # no more processes, or too little memory for one as large as this
        finally:
            signals.pthread_sigmask(signals.SIG_SETMASK, mask)
        return process

    def _is_own(self, program: str) -> bool:
        """Whether it is this one: now, as a recipe may put another in its place."""
        found = _identity_of(program)
        return found is not None and found == self._identity

    def _become(
        self,
        words: Sequence[str],
        folder: str,
        environment: Mapping[str, str],
        actions: Sequence[tuple[Any, ...]],
        tidy: Callable[[], None],
        mask: Any,
    ) -> NoReturn:
        """In the child: does what the new process would do."""
        try:
            for _, source, target in actions:
                os.dup2(source, target)
                os.set_inheritable(target, True)
            tidy()
            _close_others()
            if folder:
                os.chdir(environment["PWD"])
            for name in os.environ.keys() - environment.keys():
                del os.environ[name]
            os.environ.update(environment)
            sys.argv[:] = words
            signals.pthread_sigmask(signals.SIG_SETMASK, mask)
            self._run(words[1:])
        except KeyboardInterrupt:
            signals.signal(signals.SIGINT, signals.SIG_DFL)
            os.kill(os.getpid(), signals.SIGINT)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(_FAILED)


def _identity_of(program: str) -> tuple[int, int] | None:
    try:
        status = os.stat(program)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _found(name: str, path: str) -> str:
    """The program of a name, looked for on the search path if it has no folder; "" if there is
    none."""
    if "/" in name:
        return name
    for folder in path.split(os.pathsep):
        program = os.path.join(folder, name)
        if os.access(program, os.X_OK) and not os.path.isdir(program):
            return program
    return ""


def _can_be(environment: Mapping[str, str]) -> bool:
    """Whether a process can have this environment."""
    return "=" not in "".join(environment) and "\0" not in "".join(environment.values())


def _can_go(environment: Mapping[str, str]) -> bool:
    """Whether `cd` succeeds and says nothing, by the environment that it leaves."""
    if "CDPATH" in environment:
        return False
    return os.path.isdir(environment["PWD"]) and os.access(environment["PWD"], os.X_OK)


def _is_dash(shell: str) -> bool:
    """Whether a shell is the one of which it is known what it does with the environment."""
    return os.path.basename(os.path.realpath(shell)) == "dash"


def _by_dash(folder: str, environment: Mapping[str, str]) -> Mapping[str, str]:
    """The environment that the shell gives to what it starts, once it has gone to a folder if there
    is one. It goes by names, not by what links lead to, and drops what is no name of a variable."""
    here = environment.get("PWD", "")
    if not here.startswith("/") or _identity_of(here) != _identity_of("."):
        here = os.getcwd()
    made = {name: environment[name] for name in environment if _is_variable(name)}
    made["PWD"] = here
    if folder:
        made |= {"PWD": os.path.normpath(os.path.join(here, folder)), "OLDPWD": here}
    return made


def _is_variable(name: str) -> bool:
    """Whether the shell takes it for the name of a variable."""
    return name.isascii() and name.isidentifier()


def _close_others() -> None:
    """Closes the handles that a new program would not have."""
    for name in os.listdir(_HANDLES):
        handle = int(name)
        try:
            if not os.get_inheritable(handle):
                os.close(handle)
        except OSError:
            pass  # the one by which they were listed
