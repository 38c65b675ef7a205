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

Identity = tuple[int, ...]
_NOTHING: Identity = ()


class Looks:
    """`times` are those of files (-1: there is none), in ns; `kinds` tell what a name is; `folders`
    and `files` by what those that were listed and read can be told from later states of
    theirs. `is_unsure`: something counted that is not noted, or that may change unnoticed."""

    __slots__ = ("files", "folders", "is_unsure", "kinds", "times")

    def __init__(self) -> None:
        self.times: dict[str, int] = {}
        self.kinds: dict[str, int] = {}
        self.folders: dict[str, Identity] = {}
        self.files: dict[str, Identity] = {}
        self.is_unsure = False

    def doubt(self) -> None:
        """Something counts that is not noted."""
        self.is_unsure = True

    def time(self, name: str) -> int:
        """The modification time of a file, links followed; -1 if there is none."""
        found = self.times[name] = time_of(name)
        return found

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder, links followed."""
        found = self.kinds[name] = kind_of(name)
        return found != ABSENT

    def is_folder(self, name: str) -> bool:
        """Whether it is a folder, or a link to one."""
        found = self.kinds[name] = kind_of(name)
        return found == FOLDER

    def names(self, folder: str) -> list[str]:
        """What is in a folder, "" for the current one. Raises OSError."""
        before = self.folders[folder] = _folder_at(folder)
        if before and not is_settled(before[0], time.time_ns()):
            self.is_unsure = True
        return os.listdir(folder or ".")

    def read(self, name: str) -> bytes:
        """What is in a file. Raises OSError."""
        self.files[name] = _NOTHING
        with open(os.fsencode(name), "rb") as file:
            found = os.fstat(file.fileno())
            self.files[name] = _identity_of(found)
            is_file = stat.S_ISREG(found.st_mode)
            if not (is_file and is_settled(found.st_ctime_ns, time.time_ns())):
                self.is_unsure = True
            return file.read()


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


def _folder_at(name: str) -> Identity:
    try:
        found = os.stat(name or ".")
    except OSError:
        return _NOTHING
    return found.st_mtime_ns, found.st_ino, found.st_dev, found.st_mode


def _file_at(name: str) -> Identity:
    try:
        return _identity_of(os.stat(os.fsencode(name)))
    except OSError:
        return _NOTHING


def _identity_of(found: os.stat_result) -> Identity:
    # The time of the last change of any kind: unlike the other it cannot be set.
    return found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev
