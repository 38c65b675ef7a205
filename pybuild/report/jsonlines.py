"""Each event a line of JSON on stdout, for editors and scripts."""

from __future__ import annotations

import json
import sys

from pybuild.engine.events import (
    Changed,
    Complaint,
    Event,
    Finished,
    Judged,
    Message,
    Output,
    Removed,
    Said,
    ServiceChanged,
    Started,
    Summary,
    Watching,
)
from pybuild.engine.staleness import Stale
from pybuild.report.diagnostics import render
from pybuild.report.reasons import sentence
from pybuild.typed import Any, TextIO


class JsonReport:
    """Writes events as objects, each with its kind under `event`. Names that are no UTF-8 are
    written as Python writes them (surrogate escapes)."""

    interval: float | None = None

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self._reasons: dict[int, list[str]] = {}

    def tick(self) -> None:
        """Time passes, and lines do not mind."""

    def close(self) -> None:
        """There is nothing to take away."""

    def handle(self, event: Event) -> None:
        if isinstance(event, Judged):
            if isinstance(event.verdict, Stale):
                self._reasons[event.job.number] = [sentence(each) for each in event.verdict.reasons]
            return
        fields = self._fields(event)
        if fields:
            self.out.write(json.dumps(fields) + "\n")
            self.out.flush()

    def _fields(self, event: Event) -> dict[str, Any]:
        if isinstance(event, Started):
            return {
                "event": "started",
                "job": event.job.name,
                "attempt": event.attempt,
                "reasons": self._reasons.pop(event.job.number, []),
            }
        if isinstance(event, Output):
            return {"event": "output", "job": event.job.name, "text": _text(event.data)}
        if isinstance(event, Finished):
            return {
                "event": "finished",
                "job": event.job.name,
                "seconds": event.seconds,
                "error": event.error,
                "output": _text(event.output),
                "log": event.log,
                "again": event.again,
            }
        if isinstance(event, Summary):
            return {
                "event": "summary",
                "ran": event.ran,
                "up_to_date": event.up_to_date,
                "failed": [each.job.name for each in event.failures],
                "skipped": [each.name for each in event.skipped],
                "seconds": event.seconds,
                "goals": event.goals,
            }
        return _others(event)


def _others(event: Event) -> dict[str, Any]:
    """The fields of an event that is not about one job's run; none if it is not told."""
    if isinstance(event, Watching):
        return {"event": "watching", "files": event.files}
    if isinstance(event, Changed):
        return {"event": "changed", "files": event.names, "stopped": event.stopped}
    if isinstance(event, Removed):
        return {"event": "removed", "job": event.job.name, "files": event.names}
    if isinstance(event, Message):
        return {"event": "message", "text": event.text}
    if isinstance(event, ServiceChanged):
        return {"event": "service", "name": event.name, "state": event.state, "note": event.note}
    if isinstance(event, Said):
        return {"event": "said", "name": event.name, "text": _text(event.data)}
    if isinstance(event, Complaint):
        return {
            "event": "complaint",
            "code": event.diagnostic.code,
            "severity": event.diagnostic.severity,
            "text": render(event.diagnostic),
        }
    return {}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
