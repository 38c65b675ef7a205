"""Files of one or several sets, taken together: pairs, triples and so on, each a job.

The kinds are those of Python's `itertools`. Files arrive one after the other, in any order; each
makes the tuples that are possible by it, so that every tuple is made once. Which comes first in a
tuple is said by the names, sorted, not by who arrived first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from pybuild.typed import NamedTuple

PRODUCT = "product"
COMBINATIONS = "combinations"
PERMUTATIONS = "permutations"
WITH_REPLACEMENT = "combinations_with_replacement"
KINDS = (PRODUCT, COMBINATIONS, PERMUTATIONS, WITH_REPLACEMENT)


class Way(NamedTuple):
    """How files are taken together. `size` files make a tuple; `captures` are the names that are
    captured in each of its places. In a product each place has files of its own; in the others all
    come out of one set."""

    kind: str
    size: int
    captures: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return self.kind if self.kind == PRODUCT else f"{self.kind}({self.size})"

    @property
    def shared(self) -> frozenset[str]:
        """Captures that several places of a product have: they go together where these agree."""
        if self.kind != PRODUCT:
            return frozenset()
        names = [name for place in self.captures for name in set(place)]
        return frozenset(name for name in names if names.count(name) > 1)


class Member(NamedTuple):
    """A file in a tuple, and the texts of the captures of its place."""

    name: str
    captured: tuple[str, ...]


class Members:
    """The files of one rule that have arrived."""

    def __init__(self, way: Way) -> None:
        self.way = way
        sets = way.size if way.kind == PRODUCT else 1
        self._sets: list[dict[str, Member]] = [{} for _ in range(sets)]
        self._shared = way.shared
        # Of each set the members by the texts of their shared captures.
        self._by_key: list[dict[tuple[str, ...], list[Member]]] = [{} for _ in range(sets)]

    def sizes(self) -> list[int]:
        """How many files each set has."""
        return [len(each) for each in self._sets]

    def add(self, place: int, member: Member) -> Iterator[tuple[Member, ...]]:
        """A file arrives in a set: the tuples that are possible by it. A file that is there
        already makes none."""
        known = self._sets[place]
        if member.name in known:
            return
        if self.way.kind == PRODUCT:
            known[member.name] = member
            key = tuple(self._key(place, member).values())
            self._by_key[place].setdefault(key, []).append(member)
            yield from self._agreeing(0, place, member, {})
            return
        others = list(known.values()) if self.way.size > 1 else []
        known[member.name] = member
        yield from self._of_one_set(member, others)

    def _of_one_set(self, member: Member, others: list[Member]) -> Iterator[tuple[Member, ...]]:
        rest = self.way.size - 1
        if self.way.kind == PERMUTATIONS:
            for some in itertools.permutations(others, rest):
                for at in range(rest + 1):
                    yield (*some[:at], member, *some[at:])
        elif self.way.kind == COMBINATIONS:
            for some in itertools.combinations(others, rest):
                yield tuple(sorted((member, *some)))
        else:
            for some in itertools.combinations_with_replacement([member, *others], rest):
                yield tuple(sorted((member, *some)))

    def _agreeing(
        self, place: int, fixed: int, member: Member, bound: dict[str, str]
    ) -> Iterator[tuple[Member, ...]]:
        """Tuples from a place on, with a given member in its place, whose shared captures are the
        same wherever they stand and as they are bound."""
        if place == self.way.size:
            yield ()
            return
        for each in [member] if place == fixed else self._candidates(place, bound):
            own = self._key(place, each)
            if all(bound.get(name, text) == text for name, text in own.items()):
                for rest in self._agreeing(place + 1, fixed, member, bound | own):
                    yield (each, *rest)

    def _candidates(self, place: int, bound: dict[str, str]) -> Sequence[Member]:
        names = self._names(place)
        if all(name in bound for name in names):
            return self._by_key[place].get(tuple(bound[name] for name in names), ())
        return list(self._sets[place].values())

    def _names(self, place: int) -> list[str]:
        names = self.way.captures[place]
        return [name for name in dict.fromkeys(names) if name in self._shared]

    def _key(self, place: int, member: Member) -> dict[str, str]:
        """The texts of the shared captures of a member."""
        texts = dict(zip(self.way.captures[place], member.captured, strict=True))
        return {name: texts[name] for name in self._names(place)}
