"""What the rounds of a watch have done last, for whoever asks for it by a key."""

from __future__ import annotations

from pybuild.engine.events import Event, Finished, Judged, Message, Output, Started
from pybuild.engine.staleness import Reason, Stale
from pybuild.graph import Job
from pybuild.report.reasons import sentence


class Past:
    """Remembers the job that was started last, with its reasons, and the one that failed last."""

    def __init__(self) -> None:
        self._reasons: dict[int, tuple[Reason, ...]] = {}  # of jobs of this round, by number
        self._last: tuple[Job, tuple[Reason, ...]] | None = None
        self._failed: Finished | None = None

    def begin_round(self) -> None:
        """The numbers of jobs begin anew."""
        self._reasons.clear()

    def note(self, event: Event) -> None:
        """Something has happened in a round."""
        if isinstance(event, Judged):
            if isinstance(event.verdict, Stale):
                self._reasons[event.job.number] = event.verdict.reasons
        elif isinstance(event, Started):
            self._last = event.job, self._reasons.get(event.job.number, ())
        elif isinstance(event, Finished):
            if event.error and not event.again:
                self._failed = event
            elif self._failed is not None and self._failed.job.name == event.job.name:
                self._failed = None

    def why(self) -> list[Event]:
        """Why the last job ran, as events to be told."""
        if self._last is None:
            return [Message("no job has run yet")]
        job, reasons = self._last
        return [Message(f"`{job.name}` ran: {sentence(each)}") for each in reasons]

    def log(self) -> list[Event]:
        """What the job printed that failed last, as events to be told."""
        failed = self._failed
        if failed is None:
            return [Message("no job has failed")]
        name = failed.job.name
        try:
            with open(failed.log, "rb") as handle:
                text = handle.read()
        except OSError:
            return [Message(f"`{name}` failed ({failed.error}) and has printed nothing")]
        return [
            Message(f"the log of `{name}` ({failed.error}): {failed.log}"),
            Output(failed.job, text if text.endswith(b"\n") else text + b"\n"),
        ]
