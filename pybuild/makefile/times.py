"""Modification times of targets, looked up once, and again when a recipe has run."""

from __future__ import annotations

import os

from pybuild.makefile.archive import member_time
from pybuild.makefile.automatic import split_member
from pybuild.makefile.looks import Looks
from pybuild.makefile.node import MISSING, NEW, OLD, UNKNOWN, Node
from pybuild.makefile.rules import Database
from pybuild.makefile.vpath import Directories
from pybuild.typed import Callable

_SECOND = 1_000_000_000


class Times:
    """`follow_links`: of a symbolic link the later of its own time and that of what it points to
    counts (`-L`). `warn` is told of times in the future."""

    def __init__(
        self,
        database: Database,
        directories: Directories,
        warn: Callable[[str], None],
        now_ns: Callable[[], int],
        looks: Looks,
        follow_links: bool = False,
    ) -> None:
        self._looks = looks
        self.database = database
        self.directories = directories
        self.warn = warn
        self.now_ns = now_ns
        self.follow_links = follow_links
        self.is_skewed = False
        self._warned: set[str] = set()

    def time(self, node: Node) -> int:
        """Its time in ns, or MISSING. A file that is not where it should be is looked for in other
        folders; it goes by that name then."""
        if node.time == UNKNOWN:
            node.time = self._look(node)
        return node.time

    def forget(self, node: Node) -> None:
        """It has to be looked at anew."""
        node.time = UNKNOWN

    def is_kept(self, node: Node) -> bool:
        """Whether a file that was found elsewhere is made there, too (`GPATH`)."""
        return self.directories.is_kept(node.found, node.target.name)

    def _look(self, node: Node) -> int:
        if node.is_phony:
            return MISSING
        if split_member(node.name)[0]:
            self._looks.doubt()
            found = member_time(node.name)
            # One of no date is made anew each time; others have whole seconds.
            return found + _SECOND - 1 if found else MISSING
        time = self._stat(node.name)
        if time == MISSING and not (node.found or node.has_run or node.target.is_makefile):
            elsewhere = self.directories.find(node.target.name)
            if elsewhere is not None and elsewhere != node.name:
                node.found = node.name = elsewhere
                time = self._stat(elsewhere)
        if time > OLD and node.target.name in self.database.low_resolution:
            if time % _SECOND:
                self.warn(
                    f"*** Warning: .LOW_RESOLUTION_TIME file '{node.name}' has a high resolution"
                    " time stamp"
                )
            time = time - time % _SECOND + _SECOND - 1
        return time

    def _stat(self, name: str) -> int:
        time = self._looks.time(name)
        if time == MISSING:
            return MISSING
        if self.follow_links:
            self._looks.doubt()
            time = max(time, os.lstat(name).st_mtime_ns)
        time = min(max(time, OLD + 1), NEW - 1)
        ahead = time - self.now_ns()
        if ahead > 0 and name not in self._warned:
            self._told_ahead(name, ahead)
        return time

    def _told_ahead(self, name: str, ahead_ns: int) -> None:
        # The clock of a file system may be a tick ahead of ours.
        if ahead_ns < _SECOND // 100:
            return
        self._warned.add(name)
        if not self.is_skewed:
            seconds = ahead_ns / _SECOND
            shown = str(int(seconds)) if seconds >= 100 else f"{seconds:.2g}"
            self.warn(f"Warning: File '{name}' has modification time {shown} s in the future")
        self.is_skewed = True
