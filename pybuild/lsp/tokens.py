"""What each name in a text is, for colours that only a reading of the whole project can tell."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from pybuild.lsp.names import (
    ATTRIBUTE,
    CAPTURE,
    JOB,
    NAMED_FILE,
    PARAM,
    PYTHON,
    RULE,
    VARIABLE,
    Sheet,
)
from pybuild.lsp.projects import Here
from pybuild.pipefile import syntax
from pybuild.typed import NamedTuple

_TYPES = {
    VARIABLE: types.SemanticTokenTypes.Variable,
    RULE: types.SemanticTokenTypes.Function,
    CAPTURE: types.SemanticTokenTypes.TypeParameter,
    NAMED_FILE: types.SemanticTokenTypes.Parameter,
    PARAM: types.SemanticTokenTypes.Property,
    PYTHON: types.SemanticTokenTypes.Method,
    JOB: types.SemanticTokenTypes.Macro,
    ATTRIBUTE: types.SemanticTokenTypes.Decorator,
}
_KEYWORD = types.SemanticTokenTypes.Keyword
_ORDER = [*dict.fromkeys(_TYPES.values()), _KEYWORD]
LEGEND = types.SemanticTokensLegend(
    [each.value for each in _ORDER], [types.SemanticTokenModifiers.Definition.value]
)
_IS_DEFINITION = 1  # the first modifier of the legend


class _Token(NamedTuple):
    start: int
    end: int
    kind: types.SemanticTokenTypes
    modifiers: int = 0


def tokens(here: Here, within: types.Range | None = None) -> types.SemanticTokens:
    """The names and keywords of a file, or of a part of it, in the protocol's numbers: each place
    is told by its distance from the one before."""
    lines = here.sheet.lines
    first = lines.offset(within.start) if within else 0
    last = lines.offset(within.end) if within else len(here.sheet.text)
    data: list[int] = []
    line = column = 0
    end = -1
    for token in sorted(_tokens(here)):
        if token.start < max(first, end) or token.end > last:
            continue
        end = token.end
        place, stop = lines.position(token.start), lines.position(token.end)
        if place.line != stop.line:
            continue
        data += [
            place.line - line,
            place.character - (column if place.line == line else 0),
            stop.character - place.character,
            _ORDER.index(token.kind),
            token.modifiers,
        ]
        line, column = place.line, place.character
    return types.SemanticTokens(data)


def _tokens(here: Here) -> Iterator[_Token]:
    yield from _keywords(here.sheet)
    for each in here.analysis.names.occurrences(here.sheet):
        kind = _TYPES.get(each.kind)
        if kind is not None and each.name:
            yield _Token(each.start, each.end, kind, _IS_DEFINITION * each.is_definition)


def _keywords(sheet: Sheet) -> Iterator[_Token]:
    for statement in sheet.tree.statements:
        start = statement.span.start
        if isinstance(statement, syntax.Rule) and statement.kind:
            word = statement.kind.partition("(")[0]
        elif isinstance(statement, syntax.Include):
            word = "-include" if statement.optional else "include"
        elif isinstance(statement, syntax.PythonBlock):
            word = "python"
        else:
            continue
        yield _Token(start, start + len(word), _KEYWORD)
