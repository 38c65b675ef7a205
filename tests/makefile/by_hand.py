"""Databases for tests, from rules that need no expansion."""

from __future__ import annotations

from pybuild.makefile.errors import Place
from pybuild.makefile.looks import Looks
from pybuild.makefile.rules import Database, Entry, Later, PatternRule, Prerequisite, Recipe
from pybuild.makefile.search import Found, Search, add_pattern_rule
from pybuild.makefile.vpath import Directories, Folders


def database(text: str) -> Database:
    """Reads lines like `a b: c | d ; recipe`. After a line `.SECONDEXPANSION:` prerequisites of
    patterns are kept as text, in which `$$` is a dollar."""
    made = Database()
    for number, line in enumerate(text.strip().split("\n"), 1):
        place = Place("Makefile", number)
        head, semicolon, command = line.partition(";")
        left, _, right = head.partition(":")
        is_terminal = right.startswith(":")
        recipe = Recipe([command.strip()], place, [place]) if semicolon else None
        if left == ".SECONDEXPANSION":
            made.second_expansion = True
        elif "%" in left:
            rule = PatternRule(tuple(left.split()), (), recipe, is_terminal, place)
            if made.second_expansion:
                rule.later = Later(right.lstrip(":").replace("$$", "$"), place)
            else:
                rule.prerequisites = _prerequisites(right.lstrip(":"), False)
            add_pattern_rule(made, rule)
        elif left == ".PHONY":
            for name in right.split():
                made.enter(name).is_phony = made.enter(name).is_explicit = True
        else:
            for name in left.split():
                target = made.enter(name)
                target.is_target = target.is_explicit = True
                entry = Entry(place)
                entry.prerequisites = _prerequisites(right, True)
                entry.recipe = recipe
                target.entries.append(entry)
            for each in _prerequisites(right, True):
                made.enter(each.name).is_explicit = True
    return made


def _prerequisites(text: str, is_explicit: bool) -> list[Prerequisite]:
    plain, _, order_only = text.partition("|")
    return [
        Prerequisite(name, part is order_only, False, is_explicit)
        for part in (plain, order_only)
        for name in part.split()
    ]


def searching(text: str, folders: Folders | None = None, **places: list[str]) -> Search:
    """A search in that database and the working directory."""
    made = database(text)
    return Search(made, Directories(folders or Folders(Looks()), made, **places))


def found(search: Search, name: str) -> Found | None:
    return search.find(search.database.enter(name))


def told(search: Search, name: str) -> str:
    """How a file is made, as `recipe stem: prerequisites`; those made by patterns in brackets."""
    return _told(found(search, name))


def _told(it: Found | None) -> str:
    if it is None:
        return "no rule"
    assert it.recipe is not None
    words = [
        f"{each.name}({_told(it.made[each.name])})" if each.name in it.made else each.name
        for each in it.prerequisites
    ]
    return f"{it.recipe.lines[0]} {it.stem}: {' '.join(words)}".rstrip(": ")
