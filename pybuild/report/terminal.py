"""For people at a terminal: the plain output, and below it one live line while jobs run.

The line says how far the build is, what runs for how long, and how long it may take. It is taken
away before anything else is written and put back afterwards, so that the plain output is all that
is left in the end. Control sequences are those of ECMA-48 that every terminal but a dumb one knows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from pybuild.engine.events import Complaint, Event, Finished, Progress, Started, Summary
from pybuild.graph import Job
from pybuild.report.plain import PlainReport, Tone, duration
from pybuild.source import BuildError
from pybuild.typed import TextIO

_PAUSE = 0.1  # seconds from one drawing to the next
_LEAST_ROOM = 20  # cells for the jobs, below which the estimate is left out
_ERASE = "\r\x1b[K"
_DIM, _RED, _RESET = "\x1b[2m", "\x1b[31m", "\x1b[0m"


class TerminalReport(PlainReport):
    """A `PlainReport` with a live line.

    `clock` tells seconds, `width` the cells of a line of the terminal; `colour` is for both streams
    (None: unless NO_COLOR is set, and on stderr only if it is a terminal). `interval` is how often
    `tick` is to be called while nothing happens, in seconds.
    """

    interval: float | None = 0.2

    def __init__(
        self,
        tone: Tone,
        out: TextIO | None = None,
        err: TextIO | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        width: Callable[[], int] | None = None,
        colour: bool | None = None,
    ) -> None:
        super().__init__(tone, out, err)
        self.clock = clock
        self.width = width or self._terminal_width
        allowed = not os.environ.get("NO_COLOR") if colour is None else colour
        self._colours_out = allowed
        self._colours_err = allowed and (colour is not None or self.err.isatty())
        self._running: dict[int, tuple[str, float]] = {}  # label and start, by the job's number
        self._progress: Progress | None = None
        self._progress_at = 0.0
        self._event: Event | None = None
        self._shown = ""
        self._drawn_at = -_PAUSE
        self._is_open = False  # the last line that a job printed has no end yet

    def handle(self, event: Event) -> None:
        """Tells of an event as `PlainReport` does, and keeps the live line."""
        if isinstance(event, Progress):
            self._take(event)
            return
        if isinstance(event, Started):
            self._running[event.job.number] = (_label(event.job), self.clock())
        elif isinstance(event, Finished):
            self._running.pop(event.job.number, None)
        elif isinstance(event, Summary):
            self.close()
        self._event = event
        super().handle(event)
        self._event = None
        # A start and an end are followed by the counts that go with them.
        if not isinstance(event, Started | Finished):
            self.tick()

    def tick(self) -> None:
        """Draws the live line anew if what it says has changed and the last time is not too near.

        To be called now and then while nothing happens: times go on.
        """
        now = self.clock()
        if self._progress is None or not self._running or self._is_open:
            return
        if now - self._drawn_at < _PAUSE:
            return
        text = self._text(self._progress, now)
        if text != self._shown:
            self.out.write(f"{_ERASE}{text}")
            self.out.flush()
            self._shown = text
            self._drawn_at = now

    def close(self) -> None:
        """Takes the live line away for good."""
        self._running.clear()
        self._progress = None
        self._erase()

    def _take(self, event: Progress) -> None:
        self._progress = event
        self._progress_at = self.clock()
        if event.running:
            self.tick()
        else:
            self._running.clear()
            self._erase()

    def _erase(self) -> None:
        if self._shown:
            self.out.write(_ERASE)
            self.out.flush()
            self._shown = ""

    # -- the plain output ------------------------------------------------------------------

    def _say(self, line: str) -> None:
        if self._make_way() and not line:
            return  # the open line has got the end that was asked for
        if self._colours_out and line and self._is_echo(line):
            line = f"{_DIM}{line}{_RESET}"
        super()._say(line)

    def _tell(self, line: str) -> None:
        self._make_way()
        if self._colours_err and self._is_bad() and not line.startswith(" "):
            first, newline, rest = line.partition("\n")
            line = f"{_RED}{first}{_RESET}{newline}{rest}"
        super()._tell(line)

    def _write_bytes(self, data: bytes) -> None:
        self._erase()
        super()._write_bytes(data)
        self._is_open = not data.endswith(b"\n")

    def _make_way(self) -> bool:
        """Takes the live line away, and ends the line that a job has left open, if there is one."""
        self._erase()
        if not self._is_open:
            return False
        self.out.write("\n")
        self._is_open = False
        return True

    def _is_echo(self, line: str) -> bool:
        """Whether it is the recipe of the job that is starting."""
        event = self._event
        return isinstance(event, Started) and line == event.script.echo.rstrip("\n")

    def _is_bad(self) -> bool:
        """Whether what is being told is a failure."""
        event = self._event
        if isinstance(event, Finished):
            return bool(event.error) and not event.ignored
        if isinstance(event, Complaint):
            return event.diagnostic.severity == "error"
        return isinstance(event, Summary) and bool(event.failures)

    # -- the live line ---------------------------------------------------------------------

    def _text(self, progress: Progress, now: float) -> str:
        """What the live line says, no wider than the terminal."""
        most = max(1, self.width() - 1)  # the last column makes some terminals begin a new line
        head = f"[{progress.done}/{progress.wanted}] {len(self._running)} running: "
        jobs = ", ".join(
            f"{label} {_elapsed(now - start)}" for label, start in self._running.values()
        )
        tail = ""
        if progress.remaining is not None:
            left = progress.remaining - (now - self._progress_at)
            tail = f"  about {_roughly(left)} left" if left >= 1 else ""
        room = most - cells(head) - cells(tail)
        if room < _LEAST_ROOM and room < cells(jobs):
            return fitted(head + jobs, most)
        return head + fitted(jobs, room) + tail

    def _terminal_width(self) -> int:
        try:
            return os.get_terminal_size(self.out.fileno()).columns or 80
        except (OSError, ValueError):
            return 80


def _label(job: Job) -> str:
    """What a job is called: its rule's description, or its name."""
    text = job.traits.description
    if "<" in text and job.recipe is not None:
        try:
            text = job.recipe.expand_attribute(job, text)
        except (BuildError, KeyError):
            pass  # a placeholder that this job cannot fill in is shown as it is written
    text = text or job.name
    return "".join(char if char.isprintable() else "?" for char in text)


def _elapsed(seconds: float) -> str:
    return f"{int(seconds)} s" if seconds < 60 else duration(seconds)


def _roughly(seconds: float) -> str:
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    return f"{round(seconds / 60)} min" if seconds < 3600 else duration(seconds)


def cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(char: str) -> int:
    from unicodedata import combining, east_asian_width

    if combining(char):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def fitted(text: str, room: int) -> str:
    """A text cut to a number of cells, with dots at its end if something is missing."""
    if cells(text) <= room:
        return text
    dots = "..."[: max(0, room)]
    used = len(dots)
    for index, char in enumerate(text):
        used += _cells_of(char)
        if used > room:
            return text[:index] + dots
    return text
