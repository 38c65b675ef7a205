"""The real program, watching a real folder: tests read its events and never sleep."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_PATIENCE = 30.0  # seconds until a test gives up

Event = dict[str, Any]

COPY = """
all: out/*.o
out/<n>.o: src/<n>.c
    cp <input> <output>
"""


class Watcher:
    """`pybuild --watch --format=json` in a folder, or another `command`."""

    def __init__(self, folder: Path, *words: str, command: list[str] | None = None) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            command or [sys.executable, "-m", "pybuild", "--watch", "--format=json", *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.events: list[Event] = []
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def next(self) -> Event:
        """The next event; other output is an event with `text`."""
        try:
            line = self._lines.get(timeout=_PATIENCE)
        except queue.Empty:
            pytest.fail(f"nothing happens; so far: {self.events}")
        try:
            event = json.loads(line)
        except ValueError:
            event = {"event": "line", "text": line}
        self.events.append(event)
        return event

    def until(self, *kinds: str) -> list[Event]:
        """All events up to one of a kind."""
        found = [self.next()]
        while found[-1]["event"] not in kinds:
            found.append(self.next())
        return found

    def until_started(self, job: str) -> list[Event]:
        """All events up to the start of a job."""
        found = self.until("started")
        while found[-1]["job"] != job:
            found += self.until("started")
        return found

    def settle(self) -> list[Event]:
        """All events until it waits again."""
        return self.until("watching")

    def started(self) -> list[str]:
        """The jobs that start until it waits again."""
        return jobs_of(self.settle())

    def stop(self, signum: int = signal.SIGINT) -> int:
        """Ends it by a signal; returns the exit status, negative for a signal."""
        self.process.send_signal(signum)
        return self.process.wait(_PATIENCE)


def jobs_of(events: list[Event]) -> list[str]:
    """The names of the jobs that start, sorted."""
    return sorted(each["job"] for each in events if each["event"] == "started")


class Box:
    """A folder for a project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.watchers: list[Watcher] = []

    def put(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def watch(self, *words: str) -> Watcher:
        """Starts watching."""
        self.watchers.append(Watcher(self.folder, *words))
        return self.watchers[-1]


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits until something that pybuild does not tell is so."""
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end
        os.sched_yield()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """An empty project; what watches it is ended with the test."""
    folder = tmp_path / "project"
    folder.mkdir()
    found = Box(folder)
    yield found
    for each in found.watchers:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
