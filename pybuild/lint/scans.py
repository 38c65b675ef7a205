"""Statements as they are written: the parts of their recipes, and all words that may be names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from pybuild.pipefile import syntax
from pybuild.pipefile.recipe import PYTHON, SHELL, Stretch, span_in, written_parts
from pybuild.pipefile.shelltext import Spot, dollars, line_starts, spots
from pybuild.regex import regex
from pybuild.source import Span
from pybuild.typed import NamedTuple

_POSIX_SHELL = regex(r"""[^"']*["'](?:\S*/)?(?:sh|bash|dash|ash|ksh|zsh)\b""")
_NAME = regex(r"[A-Za-z_]\w*")
# `$name` of the shell and `$(name)` of make: what they should have been is told elsewhere.
_SHELL_NAME = regex(r"\$[({]?([A-Za-z_]\w*)")
_UNFINISHED = regex(r"<([A-Za-z_]\w*)")  # a placeholder that is never closed


class Marks(NamedTuple):
    """What a scan of a script finds: placeholders, where a `$` means something to the shell, and
    where lines start that are not inside of anything."""

    spots: tuple[Spot, ...]
    dollars: tuple[int, ...]
    lines: tuple[int, ...]


class Script(NamedTuple):
    """A part of a recipe for a shell of the family of `sh`. `text` is its rows joined by newlines,
    as written; they stand in the source at their distances from the start of `block`."""

    node: syntax.Rule
    block: syntax.Block
    rows: tuple[tuple[int, str], ...]
    text: str
    marks: Marks

    def span(self, start: int, end: int) -> Span:
        """Where characters of the text stand in the source."""
        base = self.block.span.start
        rows = [(base + at, text) for at, text in self.rows]
        return span_in(rows, self.node.span.source, start, end)


class Scan(NamedTuple):
    """A statement: the parts of its recipe, whose rows have their distances from the start of the
    block; those of them that a shell of the family of `sh` reads; and all words of it that may name
    something of the file. In shell text those are in placeholders and behind a `$`."""

    node: syntax.Statement
    parts: Sequence[Stretch]
    scripts: Sequence[Script]
    names: Sequence[str]


class Scans:
    """The statements of one reading, for the next one: in an editor nearly all come again."""

    def __init__(self) -> None:
        self._before: dict[int, Scan] = {}
        self._now: dict[int, Scan] = {}

    def of(self, node: syntax.Statement) -> Scan:
        """What is known of a statement."""
        found = self._before.get(id(node))
        if found is None or found.node is not node:
            found = _scan(node)
        self._now[id(node)] = found
        return found

    def turn(self) -> None:
        """All statements of a reading are known; those that were not among them are gone."""
        self._before, self._now = self._now, {}


def _scan(node: syntax.Statement) -> Scan:
    block = node.block if isinstance(node, syntax.Rule) else None
    parts = written_parts(block.rows)[1] if isinstance(block, syntax.Block) else []
    texts = [*_texts(node), *_in_recipe(block, parts)]
    return Scan(node, parts, list(_scripts(node, parts)), identifiers("\n".join(texts)))


def _scripts(node: syntax.Statement, parts: Sequence[Stretch]) -> Iterator[Script]:
    if isinstance(node, syntax.Rule) and isinstance(node.block, syntax.Block):
        for each in parts if _has_posix_shell(node) else ():
            if each.kind == SHELL:
                text = "\n".join(row for _, row in each.rows)
                yield Script(node, node.block, each.rows, text, marks_of(text))


def _has_posix_shell(node: syntax.Rule) -> bool:
    for each in node.decorations:
        if each.name == "shell":
            arguments = each.arguments
            return isinstance(arguments, syntax.PythonText) and bool(
                _POSIX_SHELL.match(arguments.text)
            )
    return True


@lru_cache(maxsize=4096)
def marks_of(text: str) -> Marks:
    """What a scan of a script finds; kept, as an editor asks again at each keystroke."""
    return Marks(tuple(spots(text)), tuple(dollars(text)), tuple(line_starts(text)))


def identifiers(text: str) -> list[str]:
    """All that could be a name in a text of Python, those in strings included."""
    return _NAME.findall(text)


def _texts(statement: syntax.Statement) -> Iterator[str]:
    """All text of a statement, but for recipes, in which a name is a use of what it stands for."""
    if isinstance(statement, syntax.Assignment):
        yield statement.expression.text
    elif isinstance(statement, syntax.PythonBlock):
        yield "\n".join(row for _, row in statement.block.rows)
    elif isinstance(statement, syntax.Include):
        yield from _in_words(statement.words)
    elif isinstance(statement, syntax.Rule):
        yield statement.kind
        for segment in (*statement.segments, statement.order_only):
            yield from _in_words(segment)
        for each in statement.decorations:
            yield from _texts(each)
    elif isinstance(statement, syntax.Decoration):
        if isinstance(statement.arguments, syntax.PythonText):
            yield statement.arguments.text
    elif isinstance(statement, syntax.Invalid):
        yield statement.span.source.text[statement.span.start : statement.span.end]


def _in_words(words: tuple[syntax.Word, ...]) -> Iterator[str]:
    for word in words:
        for piece in word.pieces:
            if isinstance(piece, syntax.Placeholder):
                yield str(piece.reference)
            elif "$" in piece.text or "<" in piece.text:
                yield from _SHELL_NAME.findall(piece.text)
                yield from _UNFINISHED.findall(piece.text)


def _in_recipe(
    block: syntax.Block | syntax.FunctionCall | None, parts: Sequence[Stretch]
) -> Iterator[str]:
    if isinstance(block, syntax.FunctionCall):
        yield " ".join((block.name, *block.required, *block.optional))
    for part in parts:
        text = "\n".join(row for _, row in part.rows)
        if part.kind == PYTHON:
            yield text
            continue
        for spot in marks_of(text).spots:
            yield text[spot.start : spot.end]
        if "$" in text:
            yield from _SHELL_NAME.findall(text)
