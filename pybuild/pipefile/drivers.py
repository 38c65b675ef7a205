"""Which rules a file could drive: an index of the patterns that drive rules.

A file is held only against patterns whose literal start and end it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pybuild.names import Affixes, Pattern, folder_of
from pybuild.pipefile.rules import Rule
from pybuild.pipefile.universe import Universe
from pybuild.typed import NamedTuple

# A rule that a file drives, the texts of its captures, and its place where rules take tuples.
Match = tuple[Rule, tuple[str, ...], int]


class Driver(NamedTuple):
    """A pattern each match of which is a job of a rule, or part of one; `place` is that of its
    matches in a tuple of files."""

    rule: Rule
    pattern: Pattern
    place: int = 0


class Drivers:
    """All drivers that are patterns. Iterates them by folder, the deep ones last."""

    def __init__(self) -> None:
        self._in_folder: dict[str, list[Driver]] = {}
        self._near: dict[str, Affixes[Driver]] = {}
        self._deep: list[Driver] = []
        self._anywhere: Affixes[Driver] = Affixes()

    def add(self, driver: Driver) -> None:
        """Adds a driver; its rule comes behind those that were added before."""
        pattern = driver.pattern
        if pattern.deep:
            self._deep.append(driver)
            index = self._anywhere
        else:
            self._in_folder.setdefault(pattern.folder, []).append(driver)
            index = self._near.setdefault(pattern.folder, Affixes())
        index.add(pattern.prefix, pattern.suffix, driver)

    def __iter__(self) -> Iterator[Driver]:
        for drivers in self._in_folder.values():
            yield from drivers
        yield from self._deep

    def matches(self, name: str) -> list[Match]:
        """The rules that a file drives."""
        near = self._near.get(folder_of(name))
        found = near.find(name) if near is not None else []
        if self._deep:
            found += self._anywhere.find(name)
        return [
            (rule, captured, place)
            for rule, pattern, place in found
            if (captured := pattern.match(name)) is not None
        ]


def sources(
    drivers: Iterable[Driver],
    universe: Universe,
    guarded: Callable[[Callable[[Driver], None], Driver], None],
) -> list[str]:
    """The files on disk that could drive a rule, the shortest names first: each has the start and
    the end of some driver that looks into its folder. What goes wrong with one driver is kept by
    `guarded`, which is given a function and a driver to call it with."""
    found: dict[str, None] = {}
    looking: dict[str, list[Driver]] = {}

    def look(driver: Driver) -> None:
        if driver.pattern.is_literal:
            found.update(dict.fromkeys(universe.on_disk(driver.pattern)))
            return
        folders = universe.folders(driver.pattern)
        for folder in folders:
            universe.names_in(folder)
        for folder in folders:
            looking.setdefault(folder, []).append(driver)

    for driver in drivers:
        guarded(look, driver)
    indexes: dict[tuple[int, ...], Affixes[Driver]] = {}
    for folder, those in looking.items():
        key = tuple(map(id, those))
        if key not in indexes:
            indexes[key] = _index(those)
        index = indexes[key]
        found.update(dict.fromkeys(filter(index.concerns, universe.names_in(folder))))
    return sorted(sorted(found), key=len)


def _index(drivers: Sequence[Driver]) -> Affixes[Driver]:
    index: Affixes[Driver] = Affixes()
    for driver in drivers:
        index.add(driver.pattern.prefix, driver.pattern.suffix, driver)
    return index
