"""Commands: to run a target, to see what would run and why, to draw what it needs. Each is a build
of its own, by another pybuild: it runs what the user wrote, because the user said so."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence

from pybuild.lsp.analysis import Place
from pybuild.typed import Any, NamedTuple

RUN, DRY_RUN, EXPLAIN, GRAPH = "pybuild.run", "pybuild.dryRun", "pybuild.explain", "pybuild.graph"
ALL = (RUN, DRY_RUN, EXPLAIN, GRAPH)
_TITLES = {RUN: "running", DRY_RUN: "dry run of", EXPLAIN: "why", GRAPH: "graph of"}
_DRAWINGS = ("svg", "html", "dot", "mermaid")
_LONGEST_LINE = 1 << 24  # of JSON: the output of a job is in one

Tell = Callable[[str, int | None], None]  # a message, and how much is done in percent


class Result(NamedTuple):
    """How a command ended: pybuild's exit status (negative: ended by a signal), what it printed,
    and for a build how many jobs ran and which failed."""

    status: int
    output: str
    ran: int = 0
    failed: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """The result as the client gets it."""
        return {
            "status": self.status,
            "output": self.output,
            "ran": self.ran,
            "failed": list(self.failed),
        }


def title_of(command: str, goal: str) -> str:
    """What a progress bar says."""
    return f"pybuild: {_TITLES[command]} {goal or 'the default goal'}"


async def perform(command: str, place: Place, goal: str, drawing: str, tell: Tell) -> Result:
    """Performs a command. `drawing` is the format of a graph. If the task that waits is cancelled,
    the build is interrupted, as by Ctrl-C, and its end awaited."""
    words = ["-f", place.root]
    goals = ["--", goal] if goal else []
    if command == RUN:
        return await _build([*words, "--format=json", *goals], place, tell)
    if command == GRAPH:
        return await _graph([*words, *goals], place, drawing if drawing in _DRAWINGS else "svg")
    flags = ["-n", "--explain"] if command == EXPLAIN else ["-n"]
    return await _printed([*words, *flags, *goals], place)


async def _start(words: Sequence[str], place: Place) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pybuild",
        *words,
        cwd=place.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=_LONGEST_LINE,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    """Interrupts a build that is not wanted any more."""
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
        await process.wait()


async def _printed(words: Sequence[str], place: Place) -> Result:
    process = await _start(words, place)
    try:
        data, _ = await process.communicate()
    finally:
        await _end(process)
    return Result(process.returncode or 0, data.decode("utf-8", "replace"))


async def _graph(words: Sequence[str], place: Place, drawing: str) -> Result:
    """The output is the drawing, as text."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"graph.{drawing}")
        done = await _printed([f"--flowchart={path}", *words], place)
        if done.status == 0 and os.path.exists(path):
            with open(path, encoding="utf-8") as handle:
                return done._replace(output=handle.read())
        return done


async def _build(words: Sequence[str], place: Place, tell: Tell) -> Result:
    process = await _start(words, place)
    assert process.stdout is not None
    watched = _Build(tell)
    try:
        async for line in process.stdout:
            watched.take(line.decode("utf-8", "replace"))
        await process.wait()
    finally:
        await _end(process)
    return Result(process.returncode or 0, "".join(watched.text), watched.ran, watched.failed)


class _Build:
    """What the lines of a build tell."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.text: list[str] = []
        self.ran = 0
        self.failed: tuple[str, ...] = ()

    def take(self, line: str) -> None:
        """Takes one line: an event as JSON, or anything else that was printed."""
        try:
            event = json.loads(line)
        except ValueError:
            self.text.append(line)
            return
        kind = event.get("event")
        if kind == "started":
            self.tell(event["job"], None)
        elif kind == "finished":
            self.text.append(event["output"])
            if event["error"]:
                self.text.append(f"{event['job']}: {event['error']}\n")
        elif kind in ("output", "message", "complaint"):
            self.text.append(event["text"] + ("" if kind == "output" else "\n"))
        elif kind == "summary":
            self.ran, self.failed = event["ran"], tuple(event["failed"])
