"""Cures for what is complained of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from pybuild.lsp.diagnostics import as_told
from pybuild.lsp.projects import Here
from pybuild.pipefile import syntax
from pybuild.source import Diagnostic, Edit, Fix, Span

_WITHOUT_COLLATE = "PB302"  # two matches of a rule make the same file
FIX_ALL = types.CodeActionKind.SourceFixAll


def actions(
    here: Here, within: types.Range, wanted: Sequence[str] | None
) -> list[types.CodeAction]:
    """The cures of the complaints in a range; for a client that asks for all at once, those of the
    whole file that do not get in each other's way."""
    lines = here.sheet.lines
    first, last = lines.offset(within.start), lines.offset(within.end)
    of_file = [
        each
        for each in here.project.diagnostics()
        if each.span and each.span.source.name == here.sheet.name
    ]
    found: list[types.CodeAction] = []
    if _is_wanted(types.CodeActionKind.QuickFix, wanted):
        for diagnostic in of_file:
            span = diagnostic.span
            if span and span.start <= last and span.end >= first:
                found += _cures(here, diagnostic)
    if _is_wanted(FIX_ALL, wanted):
        found += _all_at_once(here, of_file)
    return found


def _is_wanted(kind: str, wanted: Sequence[str] | None) -> bool:
    """Whether a kind of action is asked for: kinds are hierarchies, with dots."""
    return wanted is None or any(kind == each or kind.startswith(f"{each}.") for each in wanted)


def _cures(here: Here, diagnostic: Diagnostic) -> Iterator[types.CodeAction]:
    for number, fix in enumerate((*diagnostic.fixes, *_more_fixes(here, diagnostic))):
        yield types.CodeAction(
            fix.title,
            types.CodeActionKind.QuickFix,
            [as_told(diagnostic, here.analysis)],
            is_preferred=number == 0 or None,
            edit=_edit(here, fix.edits),
        )


def _more_fixes(here: Here, diagnostic: Diagnostic) -> Iterator[Fix]:
    """Cures that are known by the tree alone."""
    if diagnostic.code == _WITHOUT_COLLATE and diagnostic.span:
        rule = here.sheet.statement_at(diagnostic.span.start)
        if isinstance(rule, syntax.Rule) and not rule.kind:
            place = Span(rule.span.source, rule.span.start, rule.span.start)
            yield Fix("make one job of these matches: `collate`", (Edit(place, "collate "),))


def _all_at_once(here: Here, of_file: Sequence[Diagnostic]) -> list[types.CodeAction]:
    edits: list[Edit] = []
    end = -1
    cured = [each.fixes[0] for each in of_file if each.fixes]
    for fix in sorted(cured, key=lambda each: min(edit.span.start for edit in each.edits)):
        inner = sorted(fix.edits, key=lambda each: each.span.start)
        if inner[0].span.start > end:
            edits += inner
            end = inner[-1].span.end
    if not edits:
        return []
    return [types.CodeAction("cure all that can be", FIX_ALL, edit=_edit(here, edits))]


def _edit(here: Here, edits: Sequence[Edit]) -> types.WorkspaceEdit:
    changes: dict[str, list[types.TextEdit]] = {}
    for each in edits:
        sheet = here.analysis.sheets.get(each.span.source.name, here.sheet)
        where = sheet.lines.range(each.span.start, each.span.end)
        changes.setdefault(here.uri(sheet), []).append(types.TextEdit(where, each.text))
    return types.WorkspaceEdit(changes=changes)
