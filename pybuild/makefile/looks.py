"""The one way in which make looks at files, which notes what it has seen: while that is so, another
run would find the same."""

from __future__ import annotations

import os
import stat
import time

from pybuild.kinds import ABSENT, FOLDER, is_settled, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    _Seen = TypeVar("_Seen", int, tuple[int, ...])

Identity = tuple[int, ...]
_NOTHING: Identity = ()


class Earlier:
    """What a run is to see until it has come to where commands of it were run ahead: all that one
    like it has looked at, as it was before them. None stands for what cannot be read."""

    __slots__ = ("_files", "_folders", "files", "folders", "kinds", "times")

    def __init__(
        self,
        files: Mapping[str, Identity],
        folders: Mapping[str, Identity],
        kinds: Mapping[str, int],
        times: Mapping[str, int],
    ) -> None:
        self.files = files
        self.folders = folders
        self.kinds = kinds
        self.times = times
        self._files = {name: _content_of(name) for name in files}
        self._folders = {name: _names_in(name) for name in folders}

    def content(self, name: str) -> bytes:
        """What is in a file. Raises OSError."""
        found = self._files[name]
        if found is None:
            return _read(name)[0]
        return found

    def names(self, folder: str) -> list[str]:
        """What is in a folder. Raises OSError."""
        found = self._folders[folder]
        if found is None:
            return os.listdir(folder or ".")
        return list(found)


class Looks:
    """`times` are those of files (-1: there is none), in ns; `kinds` tell what a name is; `folders`
    and `files` by what those that were listed and read can be told from later states of
    theirs. `is_unsure`: something counted that is not noted, or that may change unnoticed, or has
    changed meanwhile. `earlier` is what is seen instead of what there is now."""

    __slots__ = ("earlier", "files", "folders", "is_unsure", "kinds", "times")

    def __init__(self) -> None:
        self.times: dict[str, int] = {}
        self.kinds: dict[str, int] = {}
        self.folders: dict[str, Identity] = {}
        self.files: dict[str, Identity] = {}
        self.is_unsure = False
        self.earlier: Earlier | None = None

    def doubt(self) -> None:
        """Something counts that is not noted."""
        self.is_unsure = True

    def time(self, name: str) -> int:
        """The modification time of a file, links followed; -1 if there is none."""
        earlier = self.earlier
        known = earlier.times.get(name) if earlier is not None else None
        found = time_of(name) if known is None else known
        self._note(self.times, name, found)
        return found

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder, links followed."""
        return self._kind(name) != ABSENT

    def is_folder(self, name: str) -> bool:
        """Whether it is a folder, or a link to one."""
        return self._kind(name) == FOLDER

    def names(self, folder: str) -> list[str]:
        """What is in a folder, "" for the current one. Raises OSError."""
        earlier = self.earlier
        if earlier is not None and folder in earlier.folders:
            self._note(self.folders, folder, earlier.folders[folder])
            return earlier.names(folder)
        before = _folder_at(folder)
        self._note(self.folders, folder, before)
        if before and not is_settled(before[0], time.time_ns()):
            self.is_unsure = True
        return os.listdir(folder or ".")

    def read(self, name: str) -> bytes:
        """What is in a file. Raises OSError."""
        earlier = self.earlier
        if earlier is not None and name in earlier.files:
            self._note(self.files, name, earlier.files[name])
            return earlier.content(name)
        try:
            content, found = _read(name)
        except OSError:
            self._note(self.files, name, _NOTHING)
            raise
        self._note(self.files, name, _identity_of(found))
        is_whole = stat.S_ISREG(found.st_mode) and len(content) == found.st_size
        if not (is_whole and is_settled(found.st_ctime_ns, time.time_ns())):
            self.is_unsure = True
        return content

    def _kind(self, name: str) -> int:
        earlier = self.earlier
        known = earlier.kinds.get(name) if earlier is not None else None
        found = kind_of(name) if known is None else known
        self._note(self.kinds, name, found)
        return found

    def _note(self, noted: dict[str, _Seen], name: str, found: _Seen) -> None:
        """What counts is what was seen each time: only one of them can be noted."""
        if noted.setdefault(name, found) != found:
            self.is_unsure = True


def reads_the_same(
    files: Mapping[str, Identity], folders: Mapping[str, Identity], kinds: Mapping[str, int]
) -> bool:
    """Whether all but times is as it was when it was noted."""
    return (
        all(_file_at(name) == known for name, known in files.items())
        and all(_folder_at(name) == known for name, known in folders.items())
        and all(kind_of(name) == known for name, known in kinds.items())
    )


def has_the_same_times(times: Mapping[str, int]) -> bool:
    """Whether files have the times that were noted."""
    return all(time_of(name) == known for name, known in times.items())


def time_of(name: str) -> int:
    """The modification time of a file, links followed; -1 if there is none."""
    try:
        return os.stat(name).st_mtime_ns
    except OSError:
        return -1


def _read(name: str) -> tuple[bytes, os.stat_result]:
    """What is in a file, and its status before that was read. Raises OSError."""
    with open(os.fsencode(name), "rb") as file:
        found = os.fstat(file.fileno())
        return file.read(), found


def _content_of(name: str) -> bytes | None:
    try:
        return _read(name)[0]
    except OSError:
        return None


def _names_in(folder: str) -> list[str] | None:
    try:
        return os.listdir(folder or ".")
    except OSError:
        return None


def _folder_at(name: str) -> Identity:
    try:
        found = os.stat(name or ".")
    except OSError:
        return _NOTHING
    # Of files that are unpacked or copied, the folder gets the time that it had elsewhere.
    return found.st_ctime_ns, found.st_ino, found.st_dev


def _file_at(name: str) -> Identity:
    try:
        return _identity_of(os.stat(os.fsencode(name)))
    except OSError:
        return _NOTHING


def _identity_of(found: os.stat_result) -> Identity:
    # The time of the last change of any kind: unlike the other it cannot be set.
    return found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev
