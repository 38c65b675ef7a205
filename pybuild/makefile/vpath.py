"""Which files there are, and in which folders they are looked for: `vpath`, VPATH, `-lNAME`.

Knows nothing of rules but that a target counts as a file.
"""

from __future__ import annotations

import os
import time

from pybuild.kinds import is_settled
from pybuild.makefile.looks import Looks, time_of
from pybuild.makefile.patterns import match_pattern, split_pattern
from pybuild.makefile.rules import Database
from pybuild.typed import Callable, Iterable, Iterator

# Looks at single names before a changed folder is listed anew, per name in it.
_LOOKS = 1 / 16


class _Folder:
    """What was in a folder when it was listed."""

    __slots__ = ("checked", "is_changed", "looks", "mtime", "names")

    def __init__(self) -> None:
        self.names: frozenset[str] = frozenset()
        self.mtime = -1  # in ns; -1 if there was no folder, or if its time says nothing
        self.checked = -1  # when it was looked at last, counted in calls of `refresh`
        self.is_changed = True  # since it was listed, as far as was known at that moment
        self.looks = 0.0


class Folders:
    """Tells whether files exist, from lists of folders: a search for rules asks for dozens of names
    in the same few. A link that leads nowhere exists."""

    def __init__(self, looks: Looks) -> None:
        self.looks = looks
        self._folders: dict[str, _Folder] = {}
        self.moment = 0  # how often it was refreshed; what was found out counts for one moment

    def refresh(self) -> None:
        """To be called when a recipe or a shell may have made or removed files."""
        self.moment += 1

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        folder, slash, last = name.rpartition("/")
        if last in ("", ".", ".."):
            return bool(name) and self.looks.exists(name)
        if slash and not folder:
            folder = "/"
        known = self._known(folder)
        if known.is_changed:
            return self._look(folder, known, name, last)
        return last in known.names

    def names(self, folder: str) -> frozenset[str] | None:
        """What is in a folder ("" or with a slash at its end), if it need not be listed anew."""
        known = self._known(folder if folder == "/" else folder[:-1])
        return None if known.is_changed else known.names

    def listed(self) -> Iterator[tuple[str, frozenset[str]]]:
        """The folders that were looked into, and what was in them."""
        for folder, known in self._folders.items():
            yield folder, known.names

    def _known(self, folder: str) -> _Folder:
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = _Folder()
        if known.checked != self.moment:
            self._check(folder, known)
        return known

    def _check(self, folder: str, known: _Folder) -> None:
        first = known.checked < 0
        known.checked = self.moment
        if first or len(known.names) < 1 / _LOOKS:
            self._list(folder, known)
        elif not known.is_changed:
            known.is_changed = known.mtime < 0 or known.mtime != time_of(folder or ".")

    def _look(self, folder: str, known: _Folder, name: str, last: str) -> bool:
        known.looks += 1
        if known.looks > len(known.names) * _LOOKS:
            self._list(folder, known)
            return last in known.names
        self.looks.doubt()
        return os.path.lexists(name)

    def _list(self, folder: str, known: _Folder) -> None:
        mtime = time_of(folder or ".")
        try:
            known.names = frozenset(self.looks.names(folder))
        except (FileNotFoundError, NotADirectoryError):
            known.names = frozenset()
        except OSError:
            # What may not be listed can be looked at by name.
            known.is_changed = True
            known.looks = float("-inf")
            return
        known.mtime = mtime if mtime >= 0 and is_settled(mtime, time.time_ns()) else -1
        known.is_changed = False
        known.looks = 0.0


class Directories:
    """Directory search. `general` are the folders of VPATH, `kept` those of GPATH, `libraries` the
    patterns of .LIBPATTERNS, `warn` is told of one that is none."""

    # Where libraries are looked for in the end.
    system = ("/lib", "/usr/lib", "/usr/local/lib")

    def __init__(
        self,
        folders: Folders,
        database: Database,
        *,
        general: Iterable[str] = (),
        kept: Iterable[str] = (),
        libraries: Iterable[str] = (),
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self.folders = folders
        self._targets = database.targets
        self._selective = [(pattern, _cleaned(places)) for pattern, places in database.vpaths]
        self._general = _cleaned(general)
        self.are_searched = bool(self._general or self._selective)
        self._kept = frozenset(_cleaned(kept))
        self._libraries = list(libraries)
        self._warn = warn

    def find(self, name: str) -> str | None:
        """The name that a file is found by: its own, or that in the first folder which has it or
        for which a makefile has it as a target. None if there is none. `-lNAME` is a library."""
        if self.folders.exists(name):
            return name
        return self.library(name[2:]) if name.startswith("-l") else self.elsewhere(name)

    def elsewhere(self, name: str) -> str | None:
        """The name in the first of the folders that are searched for it, not its own."""
        if not self.are_searched:
            return None
        found = self._ranked(name)
        return found[1] if found is not None else None

    def is_kept(self, found: str, name: str) -> bool:
        """Whether a file that was found elsewhere is made there when it has to be made (GPATH)."""
        return found[: -len(name)].rstrip("/") in self._kept if found != name else True

    def _ranked(self, name: str) -> tuple[int, str] | None:
        """With the place of its folder among all of them."""
        if name.startswith("/"):
            return None
        rank = 0
        for pattern, places in self._selective:
            if match_pattern(pattern, name) is not None:
                for place in places:
                    rank += 1
                    if self._has(found := f"{place}/{name}"):
                        return rank, found
            else:
                rank += len(places)
        for place in self._general:
            rank += 1
            if self._has(found := f"{place}/{name}"):
                return rank, found
        return None

    def _has(self, name: str) -> bool:
        target = self._targets.get(name)
        return (target is not None and target.is_target) or self.folders.exists(name)

    def library(self, name: str) -> str | None:
        """Where `-lNAME` is: here, in the folders searched, in those of the system. One in an
        earlier folder counts, whatever its pattern."""
        best: tuple[int, str] | None = None
        for text in self._libraries:
            prefix, suffix = split_pattern(text)
            if suffix is None:
                if self._warn is not None:
                    self._warn(f".LIBPATTERNS element '{prefix}' is not a pattern")
                continue
            file = f"{prefix}{name}{suffix}"
            if self.folders.exists(file):
                return file
            found = self._ranked(file) or self._of_system(file)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        return best[1] if best is not None else None

    def _of_system(self, file: str) -> tuple[int, str] | None:
        for number, place in enumerate(self.system):
            if self.folders.exists(f"{place}/{file}"):
                return 1_000_000 + number, f"{place}/{file}"
        return None


def split_path(text: str) -> list[str]:
    """The folders of a search path: colons or blanks stand between them."""
    return text.replace(":", " ").split()


def _cleaned(places: Iterable[str]) -> list[str]:
    """Without a slash at the end, and without the folder where names are looked for anyway."""
    made = []
    for place in places:
        if len(place) > 1 and place.endswith("/"):
            place = place[:-1]
        if place != ".":
            made.append("" if place == "/" else place)
    return made
