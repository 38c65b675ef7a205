"""A text of a makefile taken apart into literal texts and references, without expanding any."""

from __future__ import annotations

import re

from pybuild.makefile.expand import Expander
from pybuild.makefile.functions import FUNCTIONS
from pybuild.makefile.lines import after_reference
from pybuild.typed import NamedTuple

_FUNCTION = re.compile(r"([a-z-]+)(?:[ \t\n]+|\Z)")
_EFFECTS = frozenset(("shell", "eval", "error", "warning", "info", "file"))


class Ref(NamedTuple):
    """`$(NAME)` or `$(NAME:old=new)`; the texts are not expanded. `raw` is all of it."""

    raw: str
    name: str
    old: str | None = None
    new: str = ""


class Call(NamedTuple):
    """`$(function argument,...)`; the arguments are not expanded. `raw` is all of it."""

    raw: str
    function: str
    arguments: tuple[str, ...]


Part = str | Ref | Call


def take_apart(text: str) -> list[Part]:
    """Literal texts, in which `$$` is `$` already, and references, in their order."""
    parts: list[Part] = []
    literal = ""
    start = 0
    while (at := text.find("$", start)) >= 0:
        literal += text[start:at]
        if text[at + 1 : at + 2] in ("$", ""):
            literal += "$"
            start = at + 2
            continue
        if literal:
            parts.append(literal)
            literal = ""
        start = after_reference(text, at)
        parts.append(_reference(text[at:start]))
    literal += text[start:]
    if literal:
        parts.append(literal)
    return parts


def _reference(raw: str) -> Ref | Call:
    if raw[1] not in "({":
        return Ref(raw, raw[1:])
    inner = raw[2:-1]
    called = _FUNCTION.match(inner)
    if called is not None and (function := FUNCTIONS.get(called[1])) is not None:
        return Call(raw, called[1], _arguments(inner[called.end() :], function.most))
    name, colon, rest = inner.partition(":")
    old, equals, new = rest.partition("=")
    if colon and equals and "$" not in name:
        return Ref(raw, name, old, new)
    return Ref(raw, inner)


def _arguments(text: str, most: int) -> tuple[str, ...]:
    found: list[str] = []
    depth = start = 0
    for at, char in enumerate(text):
        if char in "({":
            depth += 1
        elif char in ")}":
            depth -= 1
        elif char == "," and not depth and len(found) + 1 != most:
            found.append(text[start:at])
            start = at + 1
    return (*found, text[start:])


def names_in(text: str) -> set[str]:
    """The names of variables that a text refers to, also inside of other references."""
    found: set[str] = set()
    for part in take_apart(text) if "$" in text else ():
        if isinstance(part, Ref):
            found |= names_in(part.name) if "$" in part.name else {part.name}
            found |= names_in(part.old or "") | names_in(part.new)
        elif isinstance(part, Call):
            for argument in part.arguments:
                found |= names_in(argument)
            if part.function in ("call", "value", "foreach", "origin", "flavor"):
                found.add(part.arguments[0].strip())
    return found


def is_pure(text: str, expander: Expander, depth: int = 0) -> bool:
    """Whether a text can be expanded once more without anybody noticing: it runs no command, says
    nothing and defines nothing, and neither do the variables in it."""
    if "$" not in text:
        return True
    if depth > 50:
        return False
    for part in take_apart(text):
        if isinstance(part, Call):
            if part.function in _EFFECTS:
                return False
            if not all(is_pure(each, expander, depth + 1) for each in part.arguments):
                return False
    for name in names_in(text):
        variable = expander.scope.find(name)
        if variable is None or not variable.recursive:
            continue
        if not is_pure(variable.value, expander, depth + 1):
            return False
    return True
