"""Texts in the one style, and the indentation of a line that begins."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import partial

from lsprotocol import types

from pybuild.lsp.names import Sheet
from pybuild.pipefile import syntax
from pybuild.pipefile.format import format_text
from pybuild.pipefile.recipe import PYTHON_LINE
from pybuild.pipefile.ruff import find_ruff, run_ruff
from pybuild.source import BuildError

_INDENT = "    "


def formatted(sheet: Sheet, within: types.Range | None = None) -> list[types.TextEdit]:
    """The edits that bring a file, or the lines of a range, into the one style; none for a text
    with mistakes of form."""
    ruff = find_ruff()
    tidy = partial(_tidied, ruff, sheet.name) if ruff else None
    try:
        after = format_text(sheet.text, sheet.name, tidy)
    except BuildError:
        return []
    old, new = sheet.text.splitlines(keepends=True), after.splitlines(keepends=True)
    edits = []
    # Lines that stand hundreds of times, such as empty ones, begin no match: that takes seconds.
    for how, start, end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        if how == "equal" or not _touches(start, end, within):
            continue
        where = sheet.lines.range(_offset(old, start), _offset(old, end))
        edits.append(types.TextEdit(where, "".join(new[new_start:new_end])))
    return edits


def _tidied(ruff: str, name: str, text: str) -> str | None:
    return run_ruff(ruff, text, name)


def _offset(rows: list[str], number: int) -> int:
    return sum(map(len, rows[:number]))


def _touches(start: int, end: int, within: types.Range | None) -> bool:
    if within is None:
        return True
    last = within.end.line - (within.end.character == 0 and within.end.line > within.start.line)
    return start <= last and max(end - 1, start) >= within.start.line


def indented(sheet: Sheet, position: types.Position) -> list[types.TextEdit]:
    """The indentation of a line that was just begun: below a header that of a recipe, below
    `python:` one step more, else that of the line above."""
    lines = sheet.lines
    row, above = lines.line(position.line), lines.line(position.line - 1)
    if row.strip() or position.line == 0:
        return []
    indent = above[: len(above) - len(above.lstrip(" \t"))]
    if PYTHON_LINE.match(above.strip()) or (not indent and _is_header(sheet, position.line - 1)):
        indent += _step(sheet)
    if row == indent:
        return []
    start = lines.line_start(position.line)
    return [types.TextEdit(lines.range(start, start + len(row)), indent)]


def _is_header(sheet: Sheet, number: int) -> bool:
    start, row = sheet.lines.line_start(number), sheet.lines.line(number)
    end = start + len(row.rstrip())
    return any(start <= rule.span.end <= end or rule.span.end == end for _, rule in sheet.rules)


def _step(sheet: Sheet) -> str:
    """How far this file indents: as its first block does."""
    for _, rule in sheet.rules:
        if isinstance(rule.block, syntax.Block):
            number = sheet.lines.line_of(rule.block.span.start)
            row = sheet.lines.line(number)
            indent = row[: len(row) - len(row.lstrip(" \t"))]
            if indent:
                return indent
    return _INDENT
