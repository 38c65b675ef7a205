"""That all jobs of a kept graph are up to date, for whoever asks: once by a look at every file,
from then on by what the system tells of changes.

The system tells of what is changed in the folders that are watched. Files elsewhere, links, and
files that have another name somewhere are looked at whenever somebody asks, and so are those that
something was told of, and the folders themselves: another one may be mounted there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence

from pybuild.engine.flat import Flat
from pybuild.names import folder_of
from pybuild.watch.events import Batch, is_plain

Place = tuple[int, int]  # of a folder: device and inode number


class Proof:
    """Of the files of a graph: `rows` has all that count."""

    def __init__(self, flat: Flat, names: Sequence[bytes], rows: Mapping[bytes, int]) -> None:
        self.flat = flat
        self.names = names
        self.rows = rows
        self.is_whole = False
        self._apart: frozenset[int] = frozenset()  # rows whose changes we are not told of
        self._places: dict[str, Place | None] = {}
        self._touched: set[int] = set()

    def note(self, batch: Batch) -> None:
        """Something has happened to these names."""
        if batch.everything:
            self.is_whole = False
        rows = (self.rows.get(os.fsencode(name)) for name in batch.names)
        self._touched.update(row for row in rows if row is not None)

    def holds(self) -> bool:
        """Whether no file has changed: all files are looked at if nothing is proved yet, else those
        that may have changed. What happens meanwhile is told of later."""
        if not self.is_whole:
            return self._prove()
        if self._places != _places(self._places):
            self.is_whole = False
            return False
        unsettled = self.flat.array("unsettled", "I")
        known = self._apart.union(self._touched, unsettled)
        if self._changed(self.flat.moved_of(self.names, known)):
            return False
        self._settle(self._touched)
        return True

    def _prove(self) -> bool:
        places = _places({folder_of(os.fsdecode(name)) for name in self.rows})
        if self._changed(self.flat.moved(self.names)):
            return False
        self._places = places
        plain = {folder for folder in places if is_plain(folder)}
        self._apart = frozenset(
            row
            for name, row in self.rows.items()
            if folder_of(os.fsdecode(name)) not in plain or _is_apart(name)
        )
        self._touched.clear()
        self.is_whole = True
        return True

    def _changed(self, moved: Collection[int]) -> list[int]:
        counted = frozenset(self.rows.values())
        return self.flat.compare(self.names, [row for row in moved if row in counted])

    def _settle(self, touched: set[int]) -> None:
        self._apart -= touched
        self._apart |= {row for row in touched if self._is_row_apart(row)}
        touched.clear()

    def _is_row_apart(self, row: int) -> bool:
        name = self.names[row]
        return not is_plain(folder_of(os.fsdecode(name))) or _is_apart(name)


def _places(folders: Iterable[str]) -> dict[str, Place | None]:
    return {folder: _place(folder) for folder in folders}


def _place(folder: str) -> Place | None:
    """None if it is not there, or nobody may look into it."""
    try:
        found = os.stat(f"{folder or '.'}/.")
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_apart(name: bytes) -> bool:
    """Whether a file may change without anything being told of its name."""
    try:
        found = os.lstat(name)
    except OSError:
        return False
    return not stat.S_ISREG(found.st_mode) or found.st_nlink > 1
