"""What each name in a text is, for colours that only a reading of the whole project can tell."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

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


class Told:
    """The tokens that an editor has of each text, so that it need be told only what has changed."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, Sequence[int]]] = {}  # by address: number, data
        self._numbers = itertools.count(1)

    def whole(self, uri: str, found: types.SemanticTokens) -> types.SemanticTokens:
        """The tokens of a text with a number, by which the editor may ask for the next change."""
        number = str(next(self._numbers))
        self._last[uri] = number, found.data
        return types.SemanticTokens(found.data, number)

    def change(
        self, uri: str, before: str, found: types.SemanticTokens
    ) -> types.SemanticTokens | types.SemanticTokensDelta:
        """What has changed since the tokens of a number; all of them if that was another time."""
        number, old = self._last.get(uri, ("", ()))
        told = self.whole(uri, found)
        if number != before:
            return told
        return types.SemanticTokensDelta(_edits(old, told.data), told.result_id)

    def close(self, uri: str) -> None:
        """A text is not shown any more."""
        self._last.pop(uri, None)


def _edits(old: Sequence[int], new: Sequence[int]) -> list[types.SemanticTokensEdit]:
    """What makes new numbers of old ones: one edit between what they begin and end with alike."""
    if old == new:
        return []
    most = min(len(old), len(new))
    head = next((at for at in range(most) if old[at] != new[at]), most)
    tail = next((at for at in range(most - head) if old[-1 - at] != new[-1 - at]), most - head)
    data = new[head : len(new) - tail]
    return [types.SemanticTokensEdit(head, len(old) - tail - head, data)]


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
