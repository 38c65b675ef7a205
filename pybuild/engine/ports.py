"""What the engine needs from others: small protocols, real in other rooms, faked in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pybuild.engine.events import Event
from pybuild.graph import Job, Script
from pybuild.typed import NamedTuple, Protocol


class Outcome(NamedTuple):
    """How a job ended. `error` is empty if it went well; `output` is all that is not yet told,
    `tail` the end of all that it printed. `seconds` is how long it took, if the runner knows that
    and can run such jobs in a batch."""

    job: Job
    error: str = ""
    output: bytes = b""
    tail: bytes = b""
    log: str = ""
    seconds: float | None = None


class Begun(NamedTuple):
    """A job of a batch runs, and takes longer than one would have thought."""

    job: Job


class Returned(NamedTuple):
    """A job of a batch has not begun, and will not: it is to be started again."""

    job: Job


class Chunk(NamedTuple):
    """A running job has printed something, and nobody else is running."""

    job: Job
    data: bytes


Happening = Outcome | Chunk | Begun | Returned


class Runner(Protocol):
    """Does what a script says. Several jobs at a time; hands back through `wait`."""

    def start(self, batch: Sequence[tuple[Job, Script]]) -> None:
        """Starts a job; or several that are expected to take no time, one after the other in the
        place of one. What goes wrong becomes the outcome of the job. A job that fails or takes
        long gives the rest of its batch back."""

    def recall(self) -> None:
        """What is in a batch and has not begun comes back through `wait`."""

    def cancel(self, job: Job) -> None:
        """Ends a job that runs, with everything it started; its outcome comes through `wait`. One
        of a batch may be left alone, as it does not take long."""

    def wait(self, timeout: float | None) -> Sequence[Happening]:
        """What has happened; waits up to `timeout` seconds (None: until something does)."""

    def wake(self) -> None:
        """Makes `wait` return soon; may be called by a signal handler."""

    def stop(self, signum: int) -> Sequence[Outcome]:
        """Ends all that runs, with everything it started; returns what had ended well."""

    def call(self, hook: Callable[[], object] | str) -> str:
        """Runs a hook, a function or a shell command, to its end; returns what went wrong."""

    def close(self) -> None:
        """Lets go of workers and files."""


class Report(Protocol):
    """Is told each event, in order, from one thread.

    `interval` is how often `tick` wants to be called while nothing happens, in seconds, or None.
    """

    interval: float | None = None

    def handle(self, event: Event) -> None: ...

    def tick(self) -> None:
        """Some time has passed."""
        return

    def close(self) -> None:
        """The build is over, one way or another."""
        return


class Grow(Protocol):
    """The front end's part in a build: names that become known late."""

    def close(self, job: Job) -> Sequence[Job]:
        """Fills in the inputs of a job, or returns the splits that have to be done first.
        May add jobs to the graph. Raises BuildError."""

    def resolve(self, job: Job, outputs: Iterable[str]) -> None:
        """A split is done: these are its files. May add jobs to the graph. Raises BuildError."""

    def strangers(self, job: Job) -> Sequence[str]:
        """Files on disk that match the globs of a split, in order."""

    def claimable(self, job: Job) -> Sequence[str]:
        """Those of them that the split may have made, as far as one can see: no other job makes
        them, and no rule names them as a prerequisite."""
