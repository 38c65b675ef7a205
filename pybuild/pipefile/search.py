"""`%` rules: made when something needs them, chains included, as in make.

Of the rules that match a name, the one with the shortest stem (a folder that is put back counts
with it) wins, then the first in the file; it
counts if all its prerequisites exist or can be made; no rule is used twice in a chain.
"""

from __future__ import annotations

from pybuild.graph import Job
from pybuild.names import Affixes, normalise
from pybuild.pipefile.rules import Rule
from pybuild.typed import NamedTuple, Protocol


class Maker(Protocol):
    """What a search asks of the instantiation that it belongs to."""

    def exists(self, name: str) -> bool:
        """Whether a file is there, or a rule without `%` makes it."""

    def add_pattern_job(
        self, rule: Rule, targets: list[str], sources: list[str], later: list[str], stem: str
    ) -> Job: ...

    def guest_job(self, name: str) -> Job | None:
        """The job of a makefile that makes a name, if there is one."""

    def guest_owns(self, name: str) -> bool:
        """Whether a makefile has a rule with a recipe for that very name."""


class _Text(NamedTuple):
    """A target text of a rule; the numbers of the rule and of the text in it say which is first."""

    number: int
    place: int
    text: str
    rule: Rule


class Search:
    """The pattern rules of a pipeline, and what was found for each name."""

    def __init__(self, world: Maker) -> None:
        self.world = world
        self._count = 0
        # The texts of targets, by what is before and behind their `%`: those with a slash are held
        # against whole names, the others against the last part.
        self._whole: Affixes[_Text] = Affixes()
        self._last: Affixes[_Text] = Affixes()
        self._found: dict[str, Job | None] = {}

    def add(self, rule: Rule) -> None:
        for place, text in enumerate(rule.patterns):
            start, _, end = text.partition("%")
            index = self._whole if "/" in text else self._last
            index.add(start, end, _Text(self._count, place, text, rule))
        self._count += 1

    def find(self, name: str) -> Job | None:
        """The job that makes a name by `%` rules, or by those of a makefile, made now if need be;
        None if none can."""
        if not self._count:
            return self.world.guest_job(name)
        if name not in self._found:
            job = None if self.world.guest_owns(name) else self._search(name, frozenset())
            self._found[name] = job or self.world.guest_job(name)
        return self._found[name]

    def _search(self, name: str, used: frozenset[int]) -> Job | None:
        for rule, stem, folder in self._candidates(name):
            if rule.index in used:
                continue
            deeper = used | {rule.index}
            sources = [fill(text, stem, folder) for text in rule.sources]
            if all(self._can_have(each, deeper) for each in sources):
                later = [fill(text, stem, folder) for text in rule.later]
                targets = [fill(text, stem, folder) for text in rule.patterns]
                job = self.world.add_pattern_job(rule, targets, sources, later, stem)
                for target in targets:
                    self._found[target] = job
                return job
        return None

    def rivals(self, name: str) -> list[Rule]:
        """The rules that could make a name as well as the one that does, which is the first: with
        as short a stem, and with prerequisites that are there or will be made."""
        fits = self._candidates(name)
        found = []
        for rule, stem, folder in fits:
            if len(stem) + len(folder) > len(fits[0][1]) + len(fits[0][2]):
                break
            sources = [fill(text, stem, folder) for text in rule.sources]
            if all(self.world.exists(each) or self._found.get(each) for each in sources):
                found.append(rule)
        return found

    def _candidates(self, name: str) -> list[tuple[Rule, str, str]]:
        """Rules that match, with stem and folder, the best first."""
        texts = self._last.find(name.rpartition("/")[2]) + self._whole.find(name)
        if len(texts) > 1:
            texts.sort(key=lambda each: each[:2])
        found: dict[int, tuple[int, Rule, str, str]] = {}
        for number, _, text, rule in texts:
            fit = match(text, name) if number not in found else None
            if fit is not None:
                found[number] = (len(fit[0]) + len(fit[1]), rule, *fit)
        return [each[1:] for each in sorted(found.values(), key=lambda each: each[0])]

    def _can_have(self, name: str, used: frozenset[int]) -> bool:
        if self.world.exists(name):
            return True
        if name in self._found:
            return self._found[name] is not None
        job = self._search(name, used) or self.world.guest_job(name)
        if job is not None:
            self._found[name] = job
        return job is not None


def match(pattern: str, name: str) -> tuple[str, str] | None:
    """Stem and folder if the name fits a `%` text. A pattern without a slash is held against the
    last part of the name, and the folder is put back later."""
    folder = ""
    if "/" not in pattern and "/" in name:
        head, _, name = name.rpartition("/")
        folder = head + "/"
    prefix, _, suffix = pattern.partition("%")
    if len(name) > len(prefix) + len(suffix) and name.startswith(prefix) and name.endswith(suffix):
        return name[len(prefix) : len(name) - len(suffix)], folder
    return None


def fill(text: str, stem: str, folder: str) -> str:
    """A `%` text of a rule for a stem; a text without `%` stays as it is."""
    if "%" not in text:
        return text
    return normalise(folder + text.replace("%", stem, 1))
