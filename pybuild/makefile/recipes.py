"""The lines of a recipe when they are expanded, and what the characters at their starts say."""

from __future__ import annotations

from pybuild.makefile.command import prepared, split_prefix
from pybuild.makefile.errors import Place
from pybuild.makefile.expand import Expander
from pybuild.makefile.rules import Recipe
from pybuild.makefile.variables import Frame, Scope
from pybuild.typed import NamedTuple

_MAKES = ("$(MAKE)", "${MAKE}")


class Line(NamedTuple):
    """A line to be run: its text without prefix characters, and what these say. `number` is its
    place in the recipe, from 0; `always`: it runs another make, or counts as if it did."""

    text: str
    number: int
    silent: bool
    ignore: bool
    always: bool


def expanded_lines(
    recipe: Recipe, scope: Scope | Frame, expander: Expander, one_shell: bool
) -> list[Line]:
    """All lines of a recipe, expanded in a scope. `one_shell`: they are one. Raises MakeError."""
    found = []
    texts = ["\n".join(recipe.lines)] if one_shell else recipe.lines
    for number, text in enumerate(texts):
        with expander.inside(scope, place_of(recipe.place, number)):
            expanded = expander.expand(prepared(text, ""))
        head = split_prefix(text)
        always = is_always(text)
        for piece in [expanded] if one_shell else _pieces(expanded):
            prefixed = split_prefix(piece)
            found.append(
                Line(
                    prefixed.rest,
                    number,
                    head.silent or prefixed.silent,
                    head.ignore or prefixed.ignore,
                    always or prefixed.always,
                )
            )
    return found


def is_always(line: str) -> bool:
    """Whether a line, unexpanded, is run also with `-n`, `-q` and `-t`."""
    return split_prefix(line).always or any(each in line for each in _MAKES)


def place_of(place: Place | None, lines: int) -> Place | None:
    """The place of a line of a recipe that begins at a place."""
    return Place(place.file, place.line + lines) if place and lines else place


def _pieces(text: str) -> list[str]:
    """The lines that an expanded line has become, at newlines without a backslash before them."""
    if "\n" not in text:
        return [text]
    found, current = [], ""
    for line in text.split("\n"):
        current += line
        backslashes = len(current) - len(current.rstrip("\\"))
        if backslashes % 2:
            current += "\n"
        else:
            found.append(current)
            current = ""
    return [*found, current] if current else found
