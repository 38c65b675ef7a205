"""All files that a rule can see: those on disk and those that rules will make.

Each folder is listed once. Files that an earlier build made and that no rule makes now are left
out (docs/design.md, "Leftovers").
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence

from pybuild.files import Files, Status
from pybuild.names import Pattern, Wild, folder_of, starting_with
from pybuild.source import BuildError, Diagnostic


class Universe:
    """`made` tells whether an earlier build made a file; such a file counts only when planned,
    or when `is_ours` says that its bytes are not those that were made. `outputs_of` are the files
    that a job made when it last ran."""

    def __init__(
        self,
        files: Files,
        made: Callable[[str], bool],
        is_ours: Callable[[str], bool],
        outputs_of: Callable[[str], Sequence[str]] = lambda _: (),
    ) -> None:
        self.files = files
        self.made = made
        self.is_ours = is_ours
        self.outputs_of = outputs_of
        self.planned: dict[str, dict[str, None]] = {}
        self._owned: set[str] = set()
        self._sorted: dict[str, list[str]] = {}  # the planned names of a folder
        # The names of all files in a folder, sorted, and of the folders in it without their path.
        self._listings: dict[str, tuple[list[str], list[str]]] = {}
        self._ours: dict[str, bool] = {}
        self.deep: dict[str, Pattern] = {}  # what was looked for in folders that wildcards reach

    def plan(self, name: str) -> None:
        """A rule will make this file."""
        self.planned.setdefault(folder_of(name), {})[name] = None

    def own(self, names: Iterable[str]) -> None:
        """A split made these files last time: they are its own, whatever is in them, until it says
        what it makes this time."""
        self._owned.update(names)

    def is_planned(self, name: str) -> bool:
        return name in self.planned.get(folder_of(name), ())

    def is_leftover(self, name: str) -> bool:
        """Whether it is a file of an earlier build, unchanged, that no rule makes now."""
        if not self.made(name) or self.is_planned(name):
            return False
        if name in self._owned:
            return True
        if name not in self._ours:
            self._ours[name] = self.is_ours(name)
        return self._ours[name]

    def examined(self) -> Collection[str]:
        """The files whose bytes decided whether they are leftovers."""
        return self._ours.keys()

    def look_again(self, pattern: Pattern) -> None:
        """A job has written where the pattern looks: what was listed there is forgotten."""
        for folder in [each for each in self._listings if each.startswith(pattern.folder)]:
            del self._listings[folder]

    def names_in(self, folder: str) -> list[str]:
        """The names of the files in a folder on disk, sorted; listed once."""
        return self._listing(folder)[0]

    def listing(self, folder: str) -> tuple[list[str], list[str]]:
        """Files and folders in a folder on disk, without its path."""
        names, folders = self._listing(folder)
        cut = len(_base(folder))
        return [name[cut:] for name in names], folders

    def _listing(self, folder: str) -> tuple[list[str], list[str]]:
        found = self._listings.get(folder)
        if found is None:
            try:
                files, folders = self.files.listing(folder)
            except OSError as error:
                raise _unreadable(error.filename or folder, error) from None
            base = _base(folder)
            names = [base + each for each in files] if base else files
            found = self._listings[folder] = names, folders
        return found

    def status(self, name: str) -> Status | None:
        """The status of a file, None if it is not there. Raises BuildError, without a place, if
        it can't be looked at."""
        try:
            return self.files.status(name)
        except OSError as error:
            raise _unreadable(name, error) from None

    def was_listed(self, name: str) -> bool:
        """Whether a listing has shown the file to be on disk (False: not known)."""
        listed = self._listings.get(folder_of(name))
        if listed is None:
            return False
        names = listed[0]
        place = bisect_left(names, name)
        return place < len(names) and names[place] == name

    def on_disk(self, pattern: Pattern) -> list[str]:
        """The files on disk that match, leftovers among them."""
        if pattern.is_literal:
            name = str(pattern)
            return [name] if self.status(name) is not None else []
        found: list[str] = []
        for folder in self.folders(pattern):
            names: Iterable[str] = self.names_in(folder)
            if pattern.prefix.startswith(_base(folder)):
                names = starting_with(self.names_in(folder), pattern.prefix)
            found += [name for name in names if pattern.match(name) is not None]
        return found

    def sources(self, pattern: Pattern) -> list[str]:
        """The files on disk that match and are no leftovers and not planned."""
        return [
            name
            for name in self.on_disk(pattern)
            if not (self.made(name) and (self.is_planned(name) or self.is_leftover(name)))
        ]

    def matches(self, pattern: Pattern) -> list[str]:
        """All files that match, on disk or planned, sorted."""
        found = dict.fromkeys(self.sources(pattern))
        for name in self._planned_near(pattern):
            if pattern.match(name) is not None:
                found[name] = None
        return sorted(found)

    def _planned_near(self, pattern: Pattern) -> Iterable[str]:
        if not pattern.deep:
            return starting_with(self._planned_in(pattern.folder), pattern.prefix)
        return [
            name
            for folder, names in self.planned.items()
            if folder.startswith(pattern.folder)
            for name in names
        ]

    def _planned_in(self, folder: str) -> list[str]:
        """The planned names of a folder, sorted."""
        names = self.planned.get(folder, {})
        found = self._sorted.get(folder)
        if found is None or len(found) < len(names):
            found = self._sorted[folder] = sorted(names)
        return found

    def folders(self, pattern: Pattern) -> list[str]:
        """The folders that hold matches: one, or those that wildcards in the folder part reach."""
        if not pattern.deep:
            return [pattern.folder]
        self.deep[str(pattern)] = pattern
        steps = _folder_steps(pattern)
        folders = [pattern.folder]
        for step in steps:
            if step is None:
                return self._below(folders)
            folders = [
                f"{folder}/{each}".lstrip("/") if folder != "/" else f"/{each}"
                for folder in folders
                for each in self._listing(folder)[1]
                if step.match(each) is not None
            ]
        return folders

    def _below(self, folders: list[str]) -> list[str]:
        """The folders and all folders below them, but for hidden ones. A link to a folder that
        it stands in, directly or further up, is not followed."""
        todo = [(folder, frozenset([self.status(folder or "./")])) for folder in folders]
        for folder, above in todo:
            for each in self._listing(folder)[1]:
                if not each.startswith("."):
                    name = f"{folder}/{each}" if folder not in ("", "/") else f"{folder}{each}"
                    status = self.status(name)
                    if status not in above:
                        todo.append((name, above | {status}))
        return [folder for folder, _ in todo]


def _base(folder: str) -> str:
    """What a name in a folder starts with."""
    return folder + "/" if folder and not folder.endswith("/") else folder


def _unreadable(name: str, error: OSError) -> BuildError:
    return BuildError(Diagnostic("PB404", f"cannot read `{name}`: {error.strerror}"))


def _folder_steps(pattern: Pattern) -> list[Pattern | None]:
    """One pattern for each folder behind the literal one; None where any depth may follow."""
    parts: list[list[object]] = [[]]
    for piece in pattern.pieces:
        if isinstance(piece, str):
            first, *others = piece.split("/")
            parts[-1].append(first)
            parts.extend([each] for each in others)
        else:
            parts[-1].append(piece)
    skip = pattern.prefix.count("/") if pattern.prefix else 0
    steps: list[Pattern | None] = []
    for part in parts[skip:-1]:
        wild = [each for each in part if not isinstance(each, str)]
        if any(getattr(each, "crosses", False) for each in wild):
            return [*steps, None]
        steps.append(
            Pattern([each if isinstance(each, str) else Wild("*") for each in part if each != ""])
        )
    if any(getattr(each, "crosses", False) for each in parts[-1]):
        steps.append(None)
    return steps
