"""What the last run of each job printed, kept in a folder: one file for each that printed."""

from __future__ import annotations

import os

from pybuild.content import digest_of


class Logs:
    """The log files below a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        try:
            self._there = set(os.listdir(folder))
        except OSError:
            self._there = set()

    def find(self, job: str) -> str:
        """The log of a job, by its name; "" if there is none."""
        name = _name(job)
        return os.path.join(self.folder, name) if name in self._there else ""

    def drop(self, job: str) -> None:
        """The job runs anew: what it printed last time is gone."""
        if not self._there:
            return
        name = _name(job)
        if name in self._there:
            self._there.discard(name)
            try:
                os.unlink(os.path.join(self.folder, name))
            except OSError:
                pass

    def open(self, job: str) -> tuple[str, int]:
        """A new log: its name and a handle to write to; ("", -1) if there can be none."""
        name = _name(job)
        path = os.path.join(self.folder, name)
        try:
            os.makedirs(self.folder, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        except OSError:
            return "", -1
        self._there.add(name)
        return path, handle


def _name(job: str) -> str:
    tail = "".join([c if c.isalnum() or c in "._-" else "_" for c in job[-60:]])
    key = digest_of(job.encode("utf-8", "surrogateescape")).hex()[:8]
    return f"{tail}.{key}.log"
