"""Names that a search treats alike: where none is found for one, none is for the others.

Most searches are for sources, which no rule makes, and each goes through chains of rules to their
end. Where all patterns are only endings, what is asked for differs from name to name in the part
before the first dot or comma alone, the root: `a.in` and `b.in` are alike if the same endings of
`a` and `b` are there.
"""

from __future__ import annotations

from itertools import islice

from pybuild.makefile.rules import Database, Target
from pybuild.makefile.vpath import Folders
from pybuild.typed import Hashable, Iterable


class Place:
    """Where a rule looks for a prerequisite with the stem: in a folder below that of the target
    (`inner`, with its slash), behind `before`. `after` is what stands behind the stem."""

    __slots__ = ("after", "before", "inner")

    def __init__(self, inner: str, before: str, after: str) -> None:
        self.inner = inner
        self.before = before
        self.after = after

    @property
    def is_beside(self) -> bool:
        """Whether the name begins as the target does."""
        return not self.inner and not self.before


class Alike:
    """Tells which names are alike, for one set of pattern rules: `suffixes` are those of all target
    patterns, `places` those of all prerequisites. Both have to be all that there is."""

    def __init__(
        self, database: Database, folders: Folders, suffixes: Iterable[str], places: Iterable[Place]
    ) -> None:
        self._targets = database.targets
        self._folders = folders
        self._elsewhere = {(each.inner, each.before) for each in places if not each.is_beside}
        beside = (each.after for each in places if each.is_beside)
        self._is_sure = all(not each or each[0] in ".," for each in (*suffixes, *beside))
        self._seen = 0  # targets that have been looked at
        self._targets_of: dict[tuple[str, str], list[Target]] = {}
        self._files_of: dict[str, tuple[frozenset[str], dict[str, list[str]] | None]] = {}

    def key(self, name: str) -> Hashable:
        """The same for names that are alike, as long as no files or targets change; None if that
        cannot be said."""
        self._look_at_targets()
        folder, slash, last = name.rpartition("/")
        root = _root(last)
        if not self._is_sure or not root or name[-1:] == ")":
            return None
        folder += slash
        files = self._files(folder)
        if files is None:
            return None
        length = len(folder) + len(root)
        targets = tuple(
            [
                (each.name[length:], each.is_target, each.is_phony, each.is_explicit)
                for each in self._targets_of.get((folder, root), ())
            ]
        )
        return folder, name[length:], tuple(files.get(root, ())), targets

    def _look_at_targets(self) -> None:
        """Notes new ones by folder and root."""
        targets = self._targets
        if self._seen == len(targets):
            return
        begins: dict[str, tuple[str, ...]] = {}  # of names that rules look for, by folder
        for name in islice(targets, self._seen, None):
            folder, slash, last = name.rpartition("/")
            folder += slash
            if folder not in begins:
                begins[folder] = tuple(
                    before for inner, before in self._elsewhere if folder.endswith(inner)
                )
            if last.startswith(begins[folder]):
                self._is_sure = False
            self._targets_of.setdefault((folder, _root(last)), []).append(targets[name])
        self._seen = len(targets)

    def _files(self, folder: str) -> dict[str, list[str]] | None:
        """The endings of what is in a folder, by root; None if something is in another place that
        rules look at."""
        names = self._folders.names(folder)
        if names is None:
            return None
        known = self._files_of.get(folder)
        if known is None or known[0] is not names:
            known = self._files_of[folder] = names, self._sorted_out(names)
        return known[1]

    def _sorted_out(self, names: frozenset[str]) -> dict[str, list[str]] | None:
        for inner, before in self._elsewhere:
            if inner and inner.partition("/")[0] in names:
                return None
            if not inner and any(each.startswith(before) for each in names):
                return None
        found: dict[str, list[str]] = {}
        for each in sorted(names):
            root = _root(each)
            found.setdefault(root, []).append(each[len(root) :])
        return found


def _root(last: str) -> str:
    return last.partition(".")[0].partition(",")[0]
