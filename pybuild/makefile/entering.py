"""Puts rules that were read into the database, and does what special targets say.

A rule takes effect when its line is read, and is entered when its recipe is complete.
"""

from __future__ import annotations

from pybuild.makefile.errors import MakeError, Place
from pybuild.makefile.expand import Expander
from pybuild.makefile.patterns import fill_pattern, match_pattern, split_pattern, split_words
from pybuild.makefile.rules import (
    Database,
    Entry,
    Later,
    PatternRule,
    Prerequisite,
    Recipe,
)
from pybuild.makefile.search import add_pattern_rule
from pybuild.makefile.variables import Origin, Scope
from pybuild.typed import Callable


def say(expander: Expander, text: str, place: Place | None) -> None:
    """Tells of something at a place."""
    before = expander.program if place is None else place
    expander.services.console.err(f"{before}: {text}\n")


def is_pattern(name: str) -> bool:
    """Whether a target has a `%` that no backslash stands before."""
    return "%" in name and split_pattern(name)[1] is not None


def plain_name(name: str) -> str:
    """The name of a target that is no pattern: a backslash before its `%` goes."""
    if "%" not in name:
        return name
    before, behind = split_pattern(name)
    return before if behind is None else name


class ReadRule:
    """A rule whose recipe is still being read."""

    __slots__ = (
        "has_recipe",
        "is_double",
        "is_grouped",
        "is_said_before",
        "laters",
        "lines",
        "pattern",
        "place",
        "prefix",
        "prerequisites",
        "recipe_place",
        "targets",
    )

    def __init__(self, place: Place | None) -> None:
        self.place = place
        self.targets: list[str] = []
        self.prerequisites: list[Prerequisite] = []
        self.laters: str | None = None  # text for a second expansion
        self.pattern: str | None = None  # of a static pattern rule
        self.is_double = False
        self.is_grouped = False
        self.lines: list[str] = []
        self.has_recipe = False
        self.recipe_place: Place | None = None
        self.prefix = "\t"
        self.is_said_before = False  # nothing but a recipe could add to what is known

    def begin_recipe(self, place: Place | None, prefix: str) -> None:
        """Its recipe begins there: lines are added to `lines`."""
        self.has_recipe = True
        self.recipe_place = place
        self.prefix = prefix

    def recipe(self) -> Recipe | None:
        """Its recipe. Lines are counted from the first, as make counts them, however many lines
        of the makefile are between."""
        if not self.has_recipe:
            return None
        place = self.recipe_place
        if place is None:
            made = Recipe(self.lines, None, (), self.prefix)
            made.is_builtin = False
            return made
        file, first = place
        places = [Place(file, first + number) for number in range(len(self.lines))]
        return Recipe(self.lines, place, places, self.prefix)


class RuleBook:
    """What makefiles say of rules, into a database. `sets_goal`: the first target becomes the
    default goal."""

    def __init__(self, database: Database, expander: Expander) -> None:
        self.database = database
        self.expander = expander
        self.variables: Scope = expander.variables
        self.sets_goal = True

    def take_effect(self, rule: ReadRule) -> None:
        """What a rule does as soon as its line is read: special targets, and the default goal."""
        name = rule.targets[0]
        if name[0] == "." or len(rule.targets) > 1:
            for each in rule.targets:
                if each[0] == "." and each in _SPECIALS:
                    names = [item.name for item in rule.prerequisites]
                    _SPECIALS[each](self, names)
                    if each == ".WAIT" and names:
                        say(self.expander, ".WAIT should not have prerequisites", rule.place)
        if self.wants_goal():
            for each in rule.targets:
                if "%" not in each and (each[0] != "." or "/" in each):
                    self.variables.define(".DEFAULT_GOAL", each, Origin.FILE, recursive=False)
                    break

    def wants_goal(self) -> bool:
        """Whether the next target becomes the default goal."""
        goal = self.variables.variables.get(".DEFAULT_GOAL")
        return self.sets_goal and (goal is None or not goal.value)

    def _posix(self, _: list[str]) -> None:
        self.database.is_posix = self.expander.is_posix = True
        for name, value in _POSIX_VARIABLES:
            self.variables.define(name, value, Origin.DEFAULT)

    def _suffixes(self, names: list[str]) -> None:
        suffixes = self.database.suffixes
        if not names:
            suffixes.clear()
        for name in names:
            if name not in suffixes:
                suffixes.append(name)

    def _mark(self, attribute: str, names: list[str], patterns: list[str] | None = None) -> None:
        """Sets it for targets. Those that are patterns are put among `patterns`, too."""
        for name in names:
            setattr(self.database.enter(name), attribute, True)
        if patterns is not None:
            patterns += [name for name in names if "%" in name]

    def _phony(self, names: list[str]) -> None:
        self._mark("is_phony", names)

    def _precious(self, names: list[str]) -> None:
        self._mark("is_precious", names, self.database.precious_patterns)

    def _intermediate(self, names: list[str]) -> None:
        self._mark("is_intermediate", names)

    def _not_intermediate(self, names: list[str]) -> None:
        if not names:
            self.database.none_intermediate = True
        patterns = self.database.not_intermediate_patterns
        self._mark("is_not_intermediate", names, patterns)

    def _secondary(self, names: list[str]) -> None:
        if not names:
            self.database.all_secondary = True
        self._mark("is_secondary", names)

    def _ignore(self, names: list[str]) -> None:
        if not names:
            self.database.all_ignored = True
        self._mark("is_ignored", names)

    def _silent(self, names: list[str]) -> None:
        if not names:
            self.database.all_silent = True
        self._mark("is_silent", names)

    def _not_parallel(self, names: list[str]) -> None:
        if not names:
            self.database.not_parallel = True
        self._mark("is_serial", names)

    def _low_resolution(self, names: list[str]) -> None:
        self.database.low_resolution.update(names)

    def _second_expansion(self, _: list[str]) -> None:
        self.database.second_expansion = True

    def _delete_on_error(self, _: list[str]) -> None:
        self.database.delete_on_error = True

    def _export_all(self, _: list[str]) -> None:
        self.database.export_all = self.expander.export_all = True

    def _one_shell(self, _: list[str]) -> None:
        self.database.one_shell = True

    def _nothing(self, _: list[str]) -> None:
        """What acts when the rule is entered, or says nothing by itself."""

    def enter(self, rule: ReadRule) -> None:
        """Puts a rule into the database: its recipe is complete. Raises MakeError."""
        if rule.is_said_before and not rule.has_recipe:
            return
        recipe = rule.recipe()
        if rule.pattern is None and is_pattern(rule.targets[0]):
            self._enter_pattern(rule, recipe)
            return
        if rule.is_grouped and recipe is None:
            raise MakeError("grouped targets must provide a recipe", rule.place)
        group: tuple[str, ...] = ()
        if rule.is_grouped:
            group = tuple(plain_name(name) for name in rule.targets)
        if rule.pattern is None:
            enter = self.database.enter
            for prerequisite in rule.prerequisites:
                enter(prerequisite.name).is_explicit = True
        for name in rule.targets:
            self._enter_target(rule, name, recipe, group)

    def _enter_target(
        self, rule: ReadRule, name: str, recipe: Recipe | None, group: tuple[str, ...]
    ) -> None:
        prerequisites = rule.prerequisites
        stem: str | None = None
        laters = rule.laters
        if "%" in name:
            name = plain_name(name)
        if rule.pattern is not None:
            stem = match_pattern(rule.pattern, name)
            if stem is None:
                say(self.expander, f"target '{name}' doesn't match the target pattern", rule.place)
                prerequisites = []
                laters = None
            else:
                if laters is not None:
                    laters = " ".join(fill_pattern(word, "$*") for word in split_words(laters))
                filled = [fill_pattern(item.name, stem) for item in prerequisites]
                prerequisites = [
                    item._replace(name=made)
                    for item, made in zip(prerequisites, filled, strict=True)
                ]
                for made in filled:
                    self.database.enter(made).is_explicit = True
        target = self.database.enter(name)
        target.is_explicit = True
        if target.is_target and target.is_double != rule.is_double:
            raise MakeError(f"target file '{name}' has both : and :: entries", rule.place)
        if name[0] == "." and name in _SPECIALS:
            self._enter_special(rule, name, recipe)
        if rule.is_double or not target.entries:
            entry = Entry(rule.place)
            entry.prerequisites = list(prerequisites)
            target.entries.append(entry)
            at = 0
        else:
            entry = target.entries[0]
            at = self._merge(entry, rule, name, prerequisites, recipe, bool(group))
        target.is_target = True
        target.is_double = rule.is_double
        if laters is not None:
            later = Later(laters, rule.place, stem, at)
            if recipe is None:
                entry.later.append(later)
            else:
                entry.later.insert(0, later)
        if recipe is not None:
            entry.recipe = recipe
        if stem is not None:
            entry.stem = stem
        if group:
            entry.group = group

    def _merge(
        self,
        entry: Entry,
        rule: ReadRule,
        name: str,
        prerequisites: list[Prerequisite],
        recipe: Recipe | None,
        is_group: bool,
    ) -> int:
        """Adds prerequisites to those that a target has: before them if the rule has the recipe.
        Returns where a text for a second expansion goes among them."""
        if recipe is None:
            entry.prerequisites += prerequisites
            return len(entry.prerequisites)
        old = entry.recipe
        if old is recipe:
            say(self.expander, f"target '{name}' given more than once in the same rule", rule.place)
        elif old is not None:
            say(self.expander, f"warning: overriding recipe for target '{name}'", recipe.place)
            say(self.expander, f"warning: ignoring old recipe for target '{name}'", old.place)
            if entry.group and is_group:
                say(
                    self.expander,
                    f"warning: overriding group membership for target '{name}'",
                    recipe.place,
                )
        entry.prerequisites = prerequisites + entry.prerequisites
        if entry.later:
            moved = len(prerequisites)
            entry.later = [each._replace(position=each.position + moved) for each in entry.later]
        return 0

    def _enter_special(self, rule: ReadRule, name: str, recipe: Recipe | None) -> None:
        if name == ".DEFAULT":
            self.database.default_recipe = recipe
        elif name == ".WAIT" and recipe is not None:
            say(self.expander, ".WAIT should not have commands", rule.place)

    def _enter_pattern(self, rule: ReadRule, recipe: Recipe | None) -> None:
        made = PatternRule(
            tuple(rule.targets), rule.prerequisites, recipe, rule.is_double, rule.place
        )
        made.is_builtin = False
        made.is_grouped = rule.is_grouped
        if rule.laters is not None:
            made.later = Later(rule.laters, rule.place)
        add_pattern_rule(self.database, made)

    def finish(self) -> None:
        """All has been read: what the special targets say is looked at together. Raises
        MakeError."""
        self._warn_of_suffix_rules()
        database = self.database
        if database.none_intermediate and database.all_secondary:
            raise MakeError(".NOTINTERMEDIATE and .SECONDARY are mutually exclusive")
        for target in database.targets.values():
            if not target.is_not_intermediate:
                continue
            for is_other, other in (
                (target.is_intermediate, ".INTERMEDIATE"),
                (target.is_secondary, ".SECONDARY"),
            ):
                if is_other:
                    raise MakeError(f"{target.name} cannot be both .NOTINTERMEDIATE and {other}")

    def _warn_of_suffix_rules(self) -> None:
        """Suffix rules take no prerequisites; those that have some are told of, once for each."""
        targets = self.database.targets
        suffixes = self.database.suffixes
        for target in (targets.get(first + second) for first in suffixes for second in suffixes):
            entry = target.entries[0] if target is not None and target.entries else None
            if entry is None or entry.recipe is None or not entry.prerequisites:
                continue
            if not self.database.is_posix:
                text = "warning: ignoring prerequisites on suffix rule definition"
                say(self.expander, text, entry.recipe.place)


_SPECIALS: dict[str, Callable[[RuleBook, list[str]], None]] = {
    ".PHONY": RuleBook._phony,
    ".SUFFIXES": RuleBook._suffixes,
    ".DEFAULT": RuleBook._nothing,
    ".PRECIOUS": RuleBook._precious,
    ".INTERMEDIATE": RuleBook._intermediate,
    ".NOTINTERMEDIATE": RuleBook._not_intermediate,
    ".SECONDARY": RuleBook._secondary,
    ".SECONDEXPANSION": RuleBook._second_expansion,
    ".DELETE_ON_ERROR": RuleBook._delete_on_error,
    ".IGNORE": RuleBook._ignore,
    ".LOW_RESOLUTION_TIME": RuleBook._low_resolution,
    ".SILENT": RuleBook._silent,
    ".EXPORT_ALL_VARIABLES": RuleBook._export_all,
    ".NOTPARALLEL": RuleBook._not_parallel,
    ".ONESHELL": RuleBook._one_shell,
    ".POSIX": RuleBook._posix,
    ".WAIT": RuleBook._nothing,
}

_POSIX_VARIABLES = (
    (".SHELLFLAGS", "-ec"),
    ("ARFLAGS", "-rv"),
    ("CC", "c99"),
    ("CFLAGS", "-O1"),
    ("FC", "fort77"),
    ("FFLAGS", "-O1"),
    ("SCCSGETFLAGS", "-s"),
)
