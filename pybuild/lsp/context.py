"""What a place in a text is for, by the characters before it: a line that is being typed has no
tree yet."""

from __future__ import annotations

import re

from pybuild.lsp.names import Sheet
from pybuild.pipefile import syntax
from pybuild.pipefile.recipe import PYTHON_LINE
from pybuild.typed import NamedTuple

# Kinds of places.
START = "start of a line"
ATTRIBUTE_NAME = "attribute name"
ARGUMENT = "argument of an attribute"
ARGUMENT_TEXT = "text in an attribute"
EXPRESSION = "expression"
EXPRESSION_TEXT = "text in an expression"
TARGET = "target"
PREREQUISITE = "prerequisite"
INCLUDE = "include"
PLACEHOLDER = "placeholder"
PART = "part of a placeholder"
SHELL = "shell"
PYTHON = "python"
NOWHERE = "nowhere"

_OPEN = re.compile(r"(?<!\\)<(?:([A-Za-z_]\w*)((?:\[-?\d+\])*\.)?)?([A-Za-z_]?\w*)$")
_CALL = re.compile(r"(?<!\\)<[A-Za-z_]\w*\([^<>\n]*?([A-Za-z_]?\w*)$")
_ATTRIBUTE = re.compile(r"@(\w*)$")
_ARGUMENTS = re.compile(r"@(\w+)\(")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*[ \t]*[?+]?=(?!=)")
_INCLUDE = re.compile(r"-?include[ \t]+")
_WORD = re.compile(r"[A-Za-z_]?\w*$")
_IN_QUOTES = re.compile(r"""[^"'\s]*$""")
_FILE_WORD = re.compile(r"""[^\s:|<>"'=,()]*$""")


class Context(NamedTuple):
    """A place: its kind, the part of the word before it, and what it belongs to: the rule (None
    above the first), the name of an attribute, the name before a dot."""

    kind: str
    prefix: str
    rule: syntax.Rule | None = None
    of: str = ""


def context_at(sheet: Sheet, offset: int) -> Context:
    """What a place is for."""
    number = sheet.lines.line_of(offset)
    start = _logical_start(sheet, number)
    before = sheet.text[sheet.lines.line_start(start) : offset]
    if before[:1] in (" ", "\t"):
        return _in_block(sheet, number, offset)
    rule = _rule_at(sheet, offset)
    attribute = _ATTRIBUTE.fullmatch(before)
    if attribute:
        return Context(ATTRIBUTE_NAME, attribute[1], rule)
    arguments = _ARGUMENTS.match(before)
    if arguments:
        below = rule or _rule_below(sheet, number)
        return _in_python(before, below, ARGUMENT, ARGUMENT_TEXT, arguments[1])
    if before.startswith("#"):
        return Context(NOWHERE, "")
    if _ASSIGNMENT.match(before):
        return _in_python(before, None, EXPRESSION, EXPRESSION_TEXT, "")
    if _INCLUDE.match(before):
        return Context(INCLUDE, _end(_FILE_WORD, before))
    return _in_header(before, rule)


def _end(pattern: re.Pattern[str], text: str) -> str:
    """What of a text a pattern that is anchored at its end matches; it may match nothing."""
    found = pattern.search(text)
    return found[0] if found else ""


def _logical_start(sheet: Sheet, number: int) -> int:
    """The first of the lines that make one with a line: by backslashes, or a statement."""
    first = number
    while first > 0 and sheet.lines.line(first - 1).endswith("\\"):
        first -= 1
    offset = sheet.lines.line_start(number)
    statement = sheet.statement_at(offset)
    if isinstance(statement, syntax.Rule):
        spans = [each.span for each in statement.decorations] + [statement.span]
    elif isinstance(statement, syntax.Assignment | syntax.Include | syntax.Decoration):
        spans = [statement.span]
    else:
        spans = []
    for span in spans:
        if span.start <= offset <= span.end:
            first = min(first, sheet.lines.line_of(span.start))
    return first


def _rule_at(sheet: Sheet, offset: int) -> syntax.Rule | None:
    statement = sheet.statement_at(offset)
    return statement if isinstance(statement, syntax.Rule) else None


def _rule_below(sheet: Sheet, number: int) -> syntax.Rule | None:
    """The rule that attributes at a line belong to, when it is not known yet that they do."""
    for below in range(number + 1, len(sheet.lines)):
        row = sheet.lines.line(below)
        if row.strip() and not row.startswith("@"):
            return _rule_at(sheet, sheet.lines.line_start(below))
    return None


def _in_block(sheet: Sheet, number: int, offset: int) -> Context:
    """A place in an indented line."""
    above = number - 1
    while above >= 0 and (
        not sheet.lines.line(above).strip() or sheet.lines.line(above)[0] in " \t#"
    ):
        above -= 1
    if above < 0:
        return Context(NOWHERE, "")
    before = sheet.text[sheet.lines.line_start(number) : offset]
    if PYTHON_LINE.match(sheet.lines.line(above)):
        return Context(PYTHON, _end(_WORD, before))
    rule = _rule_at(sheet, sheet.lines.line_start(above))
    if _in_python_part(sheet, above, number):
        return Context(PYTHON, _end(_WORD, before), rule)
    inner = _placeholder(before, rule)
    return inner or Context(SHELL, _end(_FILE_WORD, before), rule)


def _in_python_part(sheet: Sheet, header: int, number: int) -> bool:
    """Whether a line of a recipe belongs to a `python:` above it."""
    row = sheet.lines.line(number)
    indent = len(row) - len(row.lstrip())
    for above in range(number - 1, header, -1):
        text = sheet.lines.line(above)
        own = len(text) - len(text.lstrip())
        if text.strip() and own < indent and PYTHON_LINE.match(text.strip()):
            return True
    return False


def _placeholder(before: str, rule: syntax.Rule | None) -> Context | None:
    found = _OPEN.search(before)
    if found is not None:
        if found[2]:
            return Context(PART, found[3], rule, found[1])
        return Context(PLACEHOLDER, (found[1] or "") + found[3], rule)
    call = _CALL.search(before)
    return Context(PLACEHOLDER, call[1], rule, "call") if call else None


def _in_python(
    before: str, rule: syntax.Rule | None, outside: str, inside: str, of: str
) -> Context:
    """A place in an expression or among arguments, in a text or not."""
    quote = _open_quote(before)
    if not quote:
        return Context(outside, _end(_WORD, before), rule, of)
    if outside == ARGUMENT:
        inner = _placeholder(before, rule)
        if inner is not None:
            return inner
    return Context(inside, _end(_IN_QUOTES, before), rule, of)


def _open_quote(text: str) -> str:
    """The quote that is open at the end of a text; "" if none is."""
    quote = ""
    position = 0
    while position < len(text):
        char = text[position]
        if quote and char == "\\":
            position += 1
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        position += 1
    return quote


def _quoted_part(text: str) -> str:
    """What a word in quotes, with blanks perhaps, has so far at the end of a text."""
    return text[text.rindex('"') + 1 :] if _open_quote(text) == '"' else ""


def _in_header(before: str, rule: syntax.Rule | None) -> Context:
    inner = _placeholder(before, rule)
    if inner is not None:
        return inner
    word = _quoted_part(before) or _end(_FILE_WORD, before)
    if ":" not in before:
        return Context(START if word == before else TARGET, word, rule)
    return Context(PREREQUISITE, word, rule)
