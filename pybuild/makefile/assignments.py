"""Assignments of a makefile as assignments of a Pipefile.

A Pipefile works expressions out where they stand, once; rules see what variables are worth in the
end. So what make expands at each use is written where all that it mentions has its last value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pybuild.makefile.expand import Expander
from pybuild.makefile.expressions import (
    AUTOMATIC,
    PLAIN,
    Names,
    Translator,
    Untold,
    list_literal,
    quoted,
)
from pybuild.makefile.references import Call, Ref, is_pure, names_in, take_apart
from pybuild.makefile.search import later_words
from pybuild.makefile.statements import Assigned, Ruled, Statement
from pybuild.makefile.variables import Origin

_NOT_WRITTEN = frozenset(("SHELL", "VPATH", "GPATH", "MAKEFILES"))  # rules say what they mean


class Assignments:
    """Writes assignments. `expander` is in the state after all was read."""

    def __init__(self, statements: Sequence[Statement], names: Names, expander: Expander) -> None:
        self.names = names
        self.expander = expander
        self._by_name: dict[str, list[Assigned]] = {}
        for each in statements:
            if isinstance(each, Assigned) and not _is_special(each.name):
                self._by_name.setdefault(each.name, []).append(each)
        self._postponed: dict[str, int] = {}  # names, and how many assignments are to come
        self._set_final()
        self._choose_lists(statements)

    # -- beforehand --------------------------------------------------------------------------

    def _set_final(self) -> None:
        variables = self.expander.variables
        for name in self._by_name:
            if self._is_put_in(name, frozenset()):
                self.names.left_in_place.add(name)
        for name in self._by_name:
            found = variables.find(name)
            if name in self.names.left_in_place or found is None:
                continue
            if not found.recursive:
                self.names.final[name] = found.value
            elif is_pure(found.value, self.expander):
                self.names.final[name] = self.expander.expand(found.value)
            else:
                self.names.final[name] = f"\0{name}"  # nothing else is worth that

    def _is_put_in(self, name: str, outer: frozenset[str]) -> bool:
        """Whether a variable has no value by itself: it is of recipes, or of `$(call)`."""
        found = self.expander.variables.find(name)
        if found is None or name in outer or not found.recursive:
            return found is not None and "\n" in found.value and name not in outer
        if "\n" in found.value:
            return True
        return any(
            each in AUTOMATIC or each.isdigit() or self._is_put_in(each, outer | {name})
            for each in names_in(found.value)
        )

    def _choose_lists(self, statements: Iterable[Statement]) -> None:
        """What is named in headers and is several words is a list."""
        todo: list[str] = []
        for each in statements:
            if isinstance(each, Ruled):
                for words in (each.targets, each.normal, each.order_only):
                    todo += [word.raw for word in words or () if "$" in word.raw]
        seen = set()
        while todo:
            for name in _lists_in(todo.pop()):
                if name not in seen and name in self.names.final:
                    seen.add(name)
                    todo += [each.text for each in self._by_name[name]]
        for name in seen:
            if self._can_be_list(name):
                self.names.lists.add(name)

    def _can_be_list(self, name: str) -> bool:
        assigned = self._by_name[name]
        values = [each.value for each in assigned if not each.recursive]
        words = " ".join([*values, self.names.final[name]]).split()
        if not all(PLAIN.fullmatch(word) for word in words):
            return False
        is_one = len(self.names.final[name].split()) == 1 and len(assigned) == 1
        return not is_one or any(
            isinstance(part, Call) or part.old is not None or part.name in self.names.lists
            for part in take_apart(assigned[0].text)
            if not isinstance(part, str)
        )

    # -- one by one --------------------------------------------------------------------------

    def write(self, statement: Assigned) -> tuple[list[str], str]:
        """The lines for an assignment, and of whatever has waited for it; and why it is no
        translation of what was written ("" if it is one)."""
        name = statement.name
        if _is_special(name) or name in self.names.left_in_place or name not in self.names.final:
            return [], ""
        to_come = self._by_name[name]
        to_come.remove(statement)
        lines: list[str] = []
        why = ""
        found = self.expander.variables.find(name)
        is_recursive = found is not None and found.recursive
        if name not in self._postponed:
            if is_recursive:
                lines, why = self._recursive(statement)
            else:
                lines, why = self._simple(statement)
        return lines + self._flush(), why

    def _simple(self, statement: Assigned) -> tuple[list[str], str]:
        name = statement.name
        translator = Translator(
            self.names, lambda each: self._same(each, statement.seen.get(each, ""))
        )
        operator = {"+=": "+=", "?=": "?="}.get(statement.operator, "=")
        text = statement.text
        if statement.operator == "!=":
            text = f"$(shell {text})"
        try:
            if statement.by_eval or (operator == "+=" and name not in self.names.current):
                raise Untold("")
            line = f"{self.names.identifier(name)} {operator} {self._value(name, text, translator)}"
            why = ""
        except Untold as problem:
            line, why = self._literal(name, statement.value), str(problem)
        self.names.current[name] = statement.value
        return [line], why

    def _recursive(self, statement: Assigned) -> tuple[list[str], str]:
        name = statement.name
        text = statement.text
        operator = {"+=": "+=", "?=": "?="}.get(statement.operator, "=")
        if operator == "?=" and statement.value != text:
            found = self.expander.variables.find(name)
            if found is not None and found.origin is Origin.DEFAULT:
                text = found.value  # make has set it before
        translator = Translator(self.names, self._is_final)
        try:
            if statement.by_eval or (operator == "+=" and name not in self.names.current):
                raise Untold("")
            value = self._value(name, text, translator)
        except Untold:
            self._postponed[name] = 1
            return [], ""
        made = self.expander.expand(text) if is_pure(text, self.expander) else f"\0{name}"
        if operator == "+=":
            before = self.names.current[name]
            made = f"{before} {made}" if before and made else before or made
        if "\0" in made or operator == "?=":
            made = self.names.final[name]
        self.names.current[name] = made
        return [f"{self.names.identifier(name)} {operator} {value}"], ""

    def _value(self, name: str, text: str, translator: Translator) -> str:
        made = translator.words if name in self.names.lists else translator.text
        return made(text.strip() if name in self.names.lists else text)

    def _literal(self, name: str, value: str) -> str:
        if "\0" in value:
            raise Untold(f"`{name}`")
        literal = list_literal(value.split()) if name in self.names.lists else quoted(value)
        return f"{self.names.identifier(name)} = {literal}"

    def _same(self, name: str, value: str | None) -> bool:
        current = self.names.current.get(name)
        if current is None or value is None:
            return False
        return current == value or (name in self.names.lists and current.split() == value.split())

    def _is_final(self, name: str) -> bool:
        return self._same(name, self.names.final.get(name))

    # -- what waits --------------------------------------------------------------------------

    def _flush(self) -> list[str]:
        lines: list[str] = []
        again = True
        while again:
            again = False
            for name in list(self._postponed):
                if self._by_name[name]:
                    continue
                variable = self.expander.variables.find(name)
                assert variable is not None
                try:
                    translator = Translator(self.names, self._is_final)
                    value = self._value(name, variable.value, translator)
                except Untold:
                    continue
                lines.append(f"{self.names.identifier(name)} = {value}")
                self.names.current[name] = self.names.final[name]
                del self._postponed[name]
                again = True
        return lines

    def finish(self) -> tuple[list[str], list[str]]:
        """The lines that make all values what they are in the end, and the names of variables that
        have no form."""
        lines = []
        missing = []
        for name, value in self.names.final.items():
            if name not in self.names.outer and not self._is_final(name):
                try:
                    lines.append(self._literal(name, value))
                    self.names.current[name] = value
                except Untold:
                    missing.append(name)
        return lines, missing


def _is_special(name: str) -> bool:
    return name[:1] == "." or name.startswith("MAKE") or name in _NOT_WRITTEN


def _lists_in(text: str) -> set[str]:
    """The names of variables whose words are words of a text."""
    found = set()
    for word in later_words(text):
        parts = take_apart(word)
        if len(parts) != 1:
            continue
        part = parts[0]
        if isinstance(part, Ref) and "$" not in part.name:
            found.add(part.name)
        elif isinstance(part, Call) and part.function not in ("shell", "call", "if"):
            number = 1 if part.function == "foreach" else -1
            if len(part.arguments) > number:
                found |= _lists_in(part.arguments[number])
    return found
