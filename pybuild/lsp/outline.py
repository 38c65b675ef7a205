"""The shape of a file: symbols, folds, growing selections, links."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from lsprotocol import types

from pybuild.lsp.buffers import uri_of
from pybuild.lsp.names import (
    FILE,
    PYTHON,
    RULE,
    VARIABLE,
    Sheet,
    extent,
    label_of,
    name_word,
    targets_of,
)
from pybuild.lsp.projects import EditedProject, Here
from pybuild.pipefile import syntax
from pybuild.source import Span

_KINDS = {
    VARIABLE: types.SymbolKind.Variable,
    RULE: types.SymbolKind.Function,
    PYTHON: types.SymbolKind.Method,
}


def document_symbols(sheet: Sheet) -> list[types.DocumentSymbol]:
    """Variables, rules with their targets, blocks with what they define, includes."""
    found = []
    for statement in sheet.tree.statements:
        if isinstance(statement, syntax.Assignment):
            start = statement.span.start
            name = Span(statement.span.source, start, start + len(statement.name))
            found.append(
                _symbol(sheet, statement.name, types.SymbolKind.Variable, statement.span, name)
            )
        elif isinstance(statement, syntax.Rule):
            found.append(_rule_symbol(sheet, statement))
        elif isinstance(statement, syntax.PythonBlock):
            whole = extent(statement)
            symbol = _symbol(sheet, "python", types.SymbolKind.Namespace, whole, statement.span)
            symbol.children = [
                _symbol(sheet, each.name, _KINDS[PYTHON], inner, inner)
                for each in sheet.definitions
                if each.kind == PYTHON and whole.start <= each.start < whole.end
                for inner in [Span(whole.source, each.start, each.end)]
            ]
            found.append(symbol)
        elif isinstance(statement, syntax.Include):
            text = sheet.text[statement.span.start : statement.span.end]
            found.append(
                _symbol(sheet, text, types.SymbolKind.Module, statement.span, statement.span)
            )
    return found


def _rule_symbol(sheet: Sheet, rule: syntax.Rule) -> types.DocumentSymbol:
    name = name_word(rule)
    at = name.span if name else rule.span
    symbol = _symbol(sheet, label_of(rule) or "rule", types.SymbolKind.Function, extent(rule), at)
    symbol.detail = rule.kind or None
    if name:
        symbol.children = [
            _symbol(
                sheet,
                sheet.text[word.span.start : word.span.end],
                types.SymbolKind.File,
                word.span,
                word.span,
            )
            for word in targets_of(rule)
        ]
    return symbol


def _symbol(
    sheet: Sheet, name: str, kind: types.SymbolKind, whole: Span, at: Span
) -> types.DocumentSymbol:
    lines = sheet.lines
    return types.DocumentSymbol(
        name, kind, lines.range(whole.start, whole.end), lines.range(at.start, at.end)
    )


def workspace_symbols(projects: Iterable[EditedProject], query: str) -> list[types.WorkspaceSymbol]:
    """Rules, variables and functions of all projects whose names have the letters of a query in
    their order."""
    found = []
    for project in projects:
        for sheet in project.analysis().sheets.values():
            uri = project.uri(sheet.name)
            for each in sheet.definitions:
                if _has_in_order(each.name.lower(), query.lower()):
                    place = types.Location(uri, sheet.lines.range(each.start, each.end))
                    found.append(types.WorkspaceSymbol(place, each.name, _KINDS[each.kind]))
    return found


def _has_in_order(name: str, letters: str) -> bool:
    rest = iter(name)
    return all(letter in rest for letter in letters)


def folds(sheet: Sheet) -> list[types.FoldingRange]:
    """Rules, blocks, expressions of several lines, and comments that stand together."""
    lines = sheet.lines
    found = []
    comments: list[int] = []
    for statement in sheet.tree.statements:
        if isinstance(statement, syntax.Comment):
            number = lines.line_of(statement.span.start)
            if comments and number != comments[-1] + 1:
                found += _comment_fold(comments)
                comments = []
            comments.append(number)
            continue
        whole = extent(statement)
        first, last = lines.line_of(whole.start), lines.line_of(whole.end)
        if isinstance(statement, syntax.Rule):
            first = lines.line_of(statement.span.start)
        if last > first:
            found.append(types.FoldingRange(first, last, kind=types.FoldingRangeKind.Region))
    return [*found, *_comment_fold(comments)]


def _comment_fold(numbers: list[int]) -> list[types.FoldingRange]:
    if len(numbers) < 2:
        return []
    return [types.FoldingRange(numbers[0], numbers[-1], kind=types.FoldingRangeKind.Comment)]


def selection(here: Here, offset: int) -> types.SelectionRange:
    """What grows around a place: name, placeholder, word, line, block, rule, file."""
    sheet = here.sheet
    spans = sorted(set(_around(here, offset)), key=lambda each: each[1] - each[0])
    outer: types.SelectionRange | None = None
    for start, end in reversed(spans):
        outer = types.SelectionRange(sheet.lines.range(start, end), outer)
    return outer or types.SelectionRange(sheet.lines.range(offset, offset))


def _around(here: Here, offset: int) -> Iterator[tuple[int, int]]:
    """All that a place lies in. Two of them never overlap without one being in the other."""
    sheet = here.sheet
    yield 0, len(sheet.text)
    number = sheet.lines.line_of(offset)
    row = sheet.lines.line(number)
    start = sheet.lines.line_start(number) + len(row) - len(row.lstrip())
    if start <= offset and row.strip():
        yield start, sheet.lines.line_start(number) + len(row.rstrip())
    statement = sheet.statement_at(offset)
    if statement is None:
        return
    whole = extent(statement)
    yield whole.start, whole.end
    if isinstance(statement, syntax.Rule):
        yield from _in_rule(statement, offset)
    one = here.analysis.names.at(sheet, offset)
    if one is not None:
        yield one.start, one.end
        before, behind = sheet.text[one.start - 1 : one.start], sheet.text[one.end : one.end + 1]
        if before == "<" and behind == ">":
            yield one.start - 1, one.end + 1


def _in_rule(rule: syntax.Rule, offset: int) -> Iterator[tuple[int, int]]:
    spans = [rule.span]
    if isinstance(rule.block, syntax.Block):
        spans.append(rule.block.span)
    spans += [word.span for segment in rule.segments for word in segment]
    spans += [word.span for word in rule.order_only]
    for span in spans:
        if span.start <= offset <= span.end:
            yield span.start, span.end


def links(here: Here) -> list[types.DocumentLink]:
    """Included files, and files that are named and are there."""
    place, sheet = here.project.place, here.sheet
    found = []
    for each in here.analysis.names.occurrences(sheet):
        if each.kind != FILE:
            continue
        path = place.path(each.name)
        if os.path.isfile(path):
            found.append(types.DocumentLink(sheet.lines.range(each.start, each.end), uri_of(path)))
    return found
