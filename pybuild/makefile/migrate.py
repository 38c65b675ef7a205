"""A makefile as a Pipefile that makes the same files.

What was written is kept where it can be: variables stay variables, pattern rules pattern rules,
comments stand where they stood. Where a Pipefile has no such form, the makefile is looked at as it
was evaluated, and a rule is written for each file; what cannot be had that way either is a comment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pybuild.makefile.assignments import Assignments
from pybuild.makefile.errors import Place
from pybuild.makefile.expressions import Names, Translator, Untold, quoted
from pybuild.makefile.headers import header_word
from pybuild.makefile.helpers import block
from pybuild.makefile.lines import cut
from pybuild.makefile.plan import Plan
from pybuild.makefile.rule_writer import Left, Page, RuleWriter
from pybuild.makefile.scripts import Recipes
from pybuild.makefile.statements import Assigned, Included, NotingReader, Ruled, Statement
from pybuild.makefile.variables import Origin
from pybuild.makefile.wanted import Wanted
from pybuild.typed import NamedTuple

_EFFECT = re.compile(r"\$[({](shell|file)\s")


class Migration(NamedTuple):
    """The text of a Pipefile, and what is missing in it."""

    text: str
    left: list[Left]


def migrate(reader: NotingReader, goals: Sequence[str]) -> Migration:
    """The Pipefile for what a reader has read. `goals` are the default goal. Raises MakeError for
    what is wrong with the makefile."""
    return _Writer(reader, goals).write()


class _Writer:
    def __init__(self, reader: NotingReader, goals: Sequence[str]) -> None:
        database, expander = reader.database, reader.expander
        self.reader = reader
        self.expander = expander
        self.goals = goals
        self.page = Page()
        wanted = Wanted(database, expander, goals, reader.prerequisites)
        self.names = Names(database, expander)
        self.assignments = Assignments(reader.statements, self.names, expander)
        translator = Translator(self.names, lambda name: name in self.names.final)
        recipes = Recipes(translator, expander, database.one_shell)
        self.plan = Plan(database, expander, wanted, self.names, recipes)
        self.rules = RuleWriter(self.plan, self.page)
        self.places: dict[Place, list[Statement]] = {}
        for each in reader.statements:
            if each.place is not None:
                self.places.setdefault(each.place, []).append(each)

    def write(self) -> Migration:
        """All of it."""
        for makefile in self.reader.makefiles[:1]:
            self._file(makefile.name)
        self.rules.finish()
        self._last_values()
        lines = [*self._head(), *self.page.lines]
        text = "\n".join(line.rstrip() for line in lines)
        text = re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"
        return Migration(text, self.page.left)

    def _last_values(self) -> None:
        """What variables are worth in the end, where that has not been said."""
        lines, missing = self.assignments.finish()
        self.page.lines += lines
        for name in missing:
            variable = self.expander.variables.find(name)
            self.page.leave(variable.place if variable is not None else None, f"`{name}`")

    def _head(self) -> list[str]:
        names = self.names
        lines = []
        for name, value in names.outer.items():
            identifier = names.identifier(name)
            if name == "CURDIR":
                lines.append(f"{identifier} = str(Path.cwd())")
            elif name == "MAKE":
                lines.append(f"{identifier} = {quoted(value)}")
            else:
                variable = self.expander.variables.find(name)
                is_own = variable is not None and variable.origin is Origin.DEFAULT
                lines.append(f"{identifier} ?= {quoted(value if is_own else '')}")
        lines += [f"{name} = {quoted(text)}" for name, text in names.used_texts.items()]
        if lines:
            lines = ["# What the makefile takes from make and the environment.", *lines, ""]
        lines += block(names.used)
        goals = [header_word(name) for name in self.goals]
        if goals and self._first_target() != self.goals[0]:
            lines += [*(f"{goal}:" for goal in goals[:1]), ""]
        return lines

    def _first_target(self) -> str:
        """The target of the first rule that could be the default goal."""
        for line in self.page.lines:
            if re.match(r"[^ #@.)\]]", line) and not line.startswith("python:"):
                targets, colon, _ = cut(line, ":")
                if colon and "%" not in targets and "=" not in targets:
                    first = targets.split()[0].strip('"')
                    value = first[1:-1] if first[:1] == "<" else ""
                    for name, final in self.names.final.items():
                        if value and self.names.identifier(name) == value:
                            return (final.split() or [""])[0]
                    return first
        return ""

    def _file(self, name: str) -> None:
        """What a makefile says, from its first line to its last."""
        is_read = in_definition = False
        for number, raw in self.reader.texts.lines(name).items():
            place = Place(name, number)
            statements = self.places.pop(place, [])
            bare = raw.strip()
            if raw[:1] == self.reader.prefix and not statements:
                if not is_read:
                    self.page.comment(raw)
            elif not bare or (bare[0] == "#" and not in_definition):
                self.page.lines.append(bare.replace("\\\n", "\n# "))
            else:
                is_read = any(isinstance(each, Ruled) for each in statements)
                if self._is_told_of(statements):
                    self.page.comment(raw)
                if not statements and not in_definition:
                    self._check_effects(raw, place)
                for each in statements:
                    self._statement(each, raw)
                words = bare.split()
                in_definition = (in_definition or "define" in words[:2]) and words[0] != "endef"

    def _is_told_of(self, statements: Sequence[Statement]) -> bool:
        """Whether a line stands as a comment: it defines nothing by itself."""
        return not any(
            each.was_read if isinstance(each, Included) else not each.by_eval for each in statements
        )

    def _check_effects(self, raw: str, place: Place) -> None:
        if _EFFECT.search(raw) is not None:
            self.page.leave(place, "a command that runs while the makefile is read")

    def _statement(self, statement: Statement, raw: str) -> None:
        if isinstance(statement, Assigned):
            self._assigned(statement, raw)
        elif isinstance(statement, Included):
            self._included(statement, raw)
        else:
            self.rules.write(statement, raw)

    def _included(self, statement: Included, raw: str) -> None:
        if statement.was_read:
            self.page.lines.append(f"# from {statement.name}:")
            self._file(statement.name)
            self.page.lines += [f"# end of {statement.name}", ""]
        elif raw.split()[0] == "include" and not self._has_depfiles():
            self.page.leave(statement.place, f"`{statement.name}`, a makefile that was not read")

    def _has_depfiles(self) -> bool:
        return any(line.startswith("@depfile") for line in self.page.lines) or any(
            each.startswith("@depfile")
            for script in self.plan.scripts.values()
            for each in script.attributes
        )

    def _assigned(self, statement: Assigned, raw: str) -> None:
        lines: list[str] = []
        why = ""
        try:
            lines, why = self.assignments.write(statement)
        except Untold as problem:
            self.page.leave(statement.place, str(problem))
        if not statement.by_eval and (why or statement.name not in self.names.final):
            self.page.comment(raw)
        self.page.lines += lines
