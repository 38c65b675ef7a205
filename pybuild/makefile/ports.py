"""What a makefile needs from the world: small protocols, real elsewhere, faked in tests."""

from __future__ import annotations

from pybuild.makefile.looks import Looks
from pybuild.typed import Mapping, NamedTuple, Protocol, Sequence


class Console(Protocol):
    """Where make speaks. Texts end in their newline if they are to have one."""

    def out(self, text: str) -> None:
        """To standard output, before anything that is started later."""

    def err(self, text: str) -> None:
        """To standard error."""


class Mute:
    """A console that nobody hears."""

    def out(self, text: str) -> None:
        """Says nothing."""

    def err(self, text: str) -> None:
        """Says nothing."""


class Shell(Protocol):
    """`$(shell ...)` and `!=`."""

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> tuple[bytes, int]:
        """Standard output and exit status (128 + number for a signal, 127 if it cannot be started:
        then standard error has been told why). Standard error is not caught."""


class Command(NamedTuple):
    """One line of a recipe, to be started as it is. `is_recursive`: it runs another make, so the
    jobserver is passed on. `environment` is all that the child gets. `inner` is what the shell that
    `argv` starts would do, if that is only to go to a folder and to start something there."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    is_recursive: bool = False
    inner: Inner | None = None


class Inner(NamedTuple):
    """A command, and the folder to go to before ("" for none)."""

    folder: str
    argv: tuple[str, ...]


class Ended(NamedTuple):
    """A command has ended. `status` is what it exited with, or minus the number of the signal that
    ended it. `error` says why it could not be started ("" if it was)."""

    number: int
    status: int
    error: str = ""
    has_core: bool = False


class Interrupted(Exception):
    """A signal asked make to stop. Children may still run."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class Commands(Protocol):
    """Runs lines of recipes. `number` is the caller's, one for each target that runs: its commands
    come one after the other, and what they print is one piece with `-O`."""

    def start(self, number: int, command: Command) -> int:
        """Starts it; what becomes of it is told by `wait`. Returns the number of its process, -1 if
        there is none. The environment of a command is not
        changed afterwards: the same one may be given to many."""

    def say(self, number: int, text: str, to_error: bool = False) -> None:
        """What make says of that target (its commands, that one failed): before and behind what
        they print, and in the same piece."""

    def wait(self, block: bool, slots: Slots | None = None) -> Sequence[Ended]:
        """Those that have ended; at least one if `block` and one runs, unless `slots` are given and
        one may be had before. Raises Interrupted."""

    def finish(self, number: int) -> None:
        """The target's recipe is over: with `-O` its output is written now."""

    def stop(self, signum: int) -> None:
        """Sends a signal to all that runs."""


class Slots(Protocol):
    """How many commands may run at once, here and in the makes above and below."""

    def take(self) -> bool:
        """Takes a slot for one more target, if there is one to be had now. The first is always
        there."""

    def give_back(self) -> None:
        """A target's recipe is over."""

    def fileno(self) -> int:
        """What can be read when a slot may be had that there was not; -1 if nothing tells."""

    def retry_after(self) -> float | None:
        """Seconds after which to ask again, if the last `take` failed for what nobody tells."""

    def inherited(self) -> tuple[int, ...]:
        """Handles that another make is to have."""


class Services(NamedTuple):
    """All of them that reading and expanding need."""

    console: Console
    shell: Shell
    looks: Looks
