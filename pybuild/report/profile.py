"""Where the time of a start went: a trace for a viewer, a table for the eye.

The format of the trace is the "Trace Event Format" that Chromium's and Perfetto's viewers read:
complete events (`"ph": "X"`) with times in microseconds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence

from pybuild.engine.events import Event, Finished, Judged, Started
from pybuild.engine.ports import Report
from pybuild.phases import Phases
from pybuild.typed import Any, TextIO

_OURS, _JOBS = 1, 2  # the two "processes" of the trace


class JobTimes:
    """Stands before another report and notes when each job ran, and how many were judged."""

    def __init__(self, inner: Report) -> None:
        self.inner = inner
        self.interval = inner.interval
        self.judged = 0
        self.jobs: list[tuple[str, str, float, float, str]] = []
        self._running: dict[int, float] = {}

    def handle(self, event: Event) -> None:
        if isinstance(event, Judged):
            self.judged += 1
        elif isinstance(event, Started):
            self._running[event.job.number] = time.monotonic()
        elif isinstance(event, Finished):
            now = time.monotonic()
            began = self._running.pop(event.job.number, now - event.seconds)
            name, rule = event.job.name, event.job.traits.rule
            self.jobs.append((name, rule, began, now, event.error))
        self.inner.handle(event)

    def tick(self) -> None:
        self.inner.tick()

    def close(self) -> None:
        self.inner.close()


def write_trace(path: str, phases: Phases, times: JobTimes) -> None:
    """Writes the trace of a build. Raises OSError."""
    events: list[dict[str, Any]] = [
        {"ph": "M", "pid": pid, "name": "process_name", "args": {"name": name}}
        for pid, name in ((_OURS, "pybuild"), (_JOBS, "jobs"))
    ]
    for span in phases.spans():
        events.append(_event(phases, _OURS, 0, span.name, span.began, span.ended, {}))
    free: list[float] = []  # when the last job on each line ended
    for name, rule, began, ended, error in sorted(times.jobs, key=lambda job: job[2]):
        line = next((line for line, end in enumerate(free) if end <= began), len(free))
        free[line : line + 1] = [ended]
        notes = {"rule": rule} | ({"error": error} if error else {})
        events.append(_event(phases, _JOBS, line, name, began, ended, notes))
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump({"traceEvents": events, "displayTimeUnit": "ms"}, file)


def _event(
    phases: Phases,
    pid: int,
    line: int,
    name: str,
    began: float,
    ended: float,
    notes: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "ph": "X",
        "pid": pid,
        "tid": line,
        "name": name,
        "ts": round((began - phases.began) * 1e6),
        "dur": round((ended - began) * 1e6),
        "args": dict(notes),
    }


def print_stats(phases: Phases, times: JobTimes, out: TextIO) -> None:
    """Prints the phases as a table, and what jobs took together."""
    from tabulate import tabulate

    total = time.monotonic() - phases.began
    rows: list[Sequence[object]] = [["start of Python (CPU)", phases.before, ""]]
    rows += [
        ["> " * span.depth + span.name, span.ended - span.began, ""] for span in phases.spans()
    ]
    rows.append(["jobs, one after the other", sum(job[3] - job[2] for job in times.jobs), ""])
    rows[-1] = [*rows[-1][:2], f"{len(times.jobs)} ran, {times.judged} judged"]
    rows.append(["all but the start", total, ""])
    out.write(
        tabulate(rows, ["phase", "seconds", ""], floatfmt=".3f", disable_numparse=[0, 2]) + "\n"
    )
