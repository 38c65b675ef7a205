"""Plain lines: for pipes, logs and everybody without a terminal.

What recipes print goes to stdout as they print it; what pybuild says of failures goes to stderr.
"""

from __future__ import annotations

import sys

from pybuild.engine.events import (
    Changed,
    Complaint,
    Event,
    Failure,
    Finished,
    Judged,
    Message,
    Output,
    Removed,
    Said,
    ServiceChanged,
    Started,
    Summary,
    Unknown,
    Watching,
)
from pybuild.engine.staleness import Reason, Stale
from pybuild.report.brief import counted, printable, up_to_date
from pybuild.report.diagnostics import render
from pybuild.report.reasons import WHY_NOT, sentence
from pybuild.typed import NamedTuple, TextIO

_MOST_SKIPPED = 10
_MOST_CHANGED = 5


class Tone(NamedTuple):
    """How much is said: `quiet` nothing but failures (`-s`), `explain` reasons of what runs,
    `everything` also of what does not (`-d`); and when: `prompt` each line at once, because what
    runs may take its time or write beside us."""

    quiet: bool = False
    explain: bool = False
    everything: bool = False
    prompt: bool = True


class PlainReport:
    """Writes events as lines to two streams."""

    interval: float | None = None

    def __init__(self, tone: Tone, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.tone = tone
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self._reasons: dict[int, tuple[Reason, ...]] = {}

    def tick(self) -> None:
        """Time passes, and plain lines do not mind."""

    def close(self) -> None:
        """There is nothing to take away."""

    def handle(self, event: Event) -> None:
        if isinstance(event, Judged):
            self._judged(event)
        elif isinstance(event, Started):
            self._started(event)
        elif isinstance(event, Finished):
            self._finished(event)
        elif isinstance(event, Output):
            self._write_bytes(event.data)
        elif isinstance(event, Unknown):
            rules = dict.fromkeys(each.traits.rule for each in event.splits)
            names = " and ".join(f"`{rule}`" for rule in rules)
            self._say(f"{event.job.name}: unknown until {names} has run")
        elif isinstance(event, Removed):
            if self.tone.everything:
                self._say(f"removed {' '.join(event.names)}")
        elif isinstance(event, Message):
            self._tell(f"pybuild: {event.text}")
        elif isinstance(event, Complaint):
            self._tell(render(event.diagnostic))
        elif isinstance(event, Summary):
            self._summary(event)
        elif isinstance(event, Watching):
            self._aside(f"pybuild: watching {counted(event.files, 'file')}")
        elif isinstance(event, Changed):
            self._aside(f"pybuild: {_changes(event)}")
        elif isinstance(event, ServiceChanged):
            note = f": {event.note}" if event.note else ""
            self._aside(f"pybuild: service `{event.name}` {event.state}{note}")
        elif isinstance(event, Said):
            prefix = f"{event.name} | ".encode("utf-8", "surrogateescape")
            lines = event.data.splitlines(keepends=True)
            self._write_bytes(b"".join([prefix + line for line in lines]))

    # -- the pieces ------------------------------------------------------------------------

    def _say(self, line: str) -> None:
        self.out.write(printable(line) + "\n")
        if self.tone.prompt:
            self.out.flush()

    def _aside(self, line: str) -> None:
        """Says a line that is of no use to those who want quiet."""
        if not self.tone.quiet:
            self._say(line)
            self.out.flush()

    def _tell(self, line: str) -> None:
        self.out.flush()
        self.err.write(printable(line) + "\n")
        self.err.flush()

    def _write_bytes(self, data: bytes) -> None:
        self.out.flush()
        raw = getattr(self.out, "buffer", None)
        if raw is None:
            self.out.write(data.decode("utf-8", "replace"))
        else:
            raw.write(data)
        self.out.flush()

    def _judged(self, event: Judged) -> None:
        verdict = event.verdict
        if isinstance(verdict, Stale):
            if self.tone.explain:
                self._reasons[event.job.number] = verdict.reasons
        elif self.tone.everything:
            inputs = counted(len(event.job.inputs), "prerequisite")
            outputs = counted(event.outputs, "target")
            why = WHY_NOT[verdict.because].format(inputs=inputs, outputs=outputs)
            self._say(f"{event.job.name}: up to date: {why}")

    def _started(self, event: Started) -> None:
        job = event.job
        if self.tone.explain:
            reasons = self._reasons.pop(job.number, ())
            if reasons:
                self._say("\n".join([f"{job.name}: {sentence(each)}" for each in reasons]))
        if (event.script.silent and not self.tone.explain) or self.tone.quiet:
            return
        if event.attempt > 1:
            self._say(f"{job.name}: try {event.attempt}")
        echo = event.script.echo.rstrip("\n")
        if echo:
            self._say(echo)

    def _finished(self, event: Finished) -> None:
        if event.output:
            self._write_bytes(event.output)
            if not event.output.endswith(b"\n"):
                self._say("")
        if event.error:
            kind = "failed (ignored)" if event.ignored else "failed"
            again = "; it will be tried again" if event.again else ""
            severity = "warning" if event.ignored or event.again else "error"
            name = f"`{event.job.name}`"
            self._tell(f"{event.job.origin}: {severity}: {name} {kind}: {event.error}{again}")
            if event.help:
                self._tell(f"  help: {event.help}")

    def _summary(self, event: Summary) -> None:
        for failure in event.failures:
            self._failure(failure)
        if event.skipped:
            names = [f"`{job.name}`" for job in event.skipped[:_MOST_SKIPPED]]
            more = len(event.skipped) - len(names)
            rest = f" and {more} more" if more else ""
            self._tell(f"pybuild: not made because of that: {', '.join(names)}{rest}")
        if not self.tone.quiet:
            (self._tell if event.failures else self._say)(f"pybuild: {tally(event)}")

    def _failure(self, failure: Failure) -> None:
        if not failure.log:
            return
        self._tell(f"pybuild: the last lines of `{failure.job.name}` ({failure.log}):")
        for line in failure.tail:
            self._tell(f"  {line}")


def _changes(event: Changed) -> str:
    names = ", ".join(event.names[:_MOST_CHANGED])
    more = len(event.names) - _MOST_CHANGED
    rest = f" and {more} more" if more > 0 else ""
    return f"changed: {names}{rest}" + ("; what ran is stopped" if event.stopped else "")


def tally(event: Summary) -> str:
    """The outcome of a build in one line."""
    if event.dry:
        parts = [f"{event.touched} would be touched"] if event.touched else []
        if event.ran or not parts:
            parts.append(f"{event.ran} would run")
        parts.append(f"{event.up_to_date} up to date")
        if event.unknown:
            parts.append(f"{event.unknown} unknown until others have run")
        return ", ".join(parts)
    if not (event.ran or event.touched or event.failures):
        return up_to_date(event.goals, event.up_to_date)
    parts = [f"{event.touched} touched"] if event.touched else []
    if event.ran or not parts:
        parts.append(f"{event.ran} ran")
    parts.append(f"{event.up_to_date} up to date")
    if event.failures:
        parts.append(f"{len(event.failures)} failed")
    if event.skipped:
        parts.append(f"{len(event.skipped)} skipped")
    return f"{', '.join(parts)} in {duration(event.seconds)}"


def duration(seconds: float) -> str:
    """A time span for people: `0.3 s`, `12 s`, `3 min 5 s`, `2 h 7 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
