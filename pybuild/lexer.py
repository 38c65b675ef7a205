"""A Pygments lexer for Pipefiles: what the parser sees, with Python and shell left to their lexers.

Found by Pygments through the entry point `pygments.lexers`, under the name `pipefile`. Nothing else
of pybuild imports this module, and Pygments is no dependency.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Operator,
    Punctuation,
    String,
    Text,
    Whitespace,
    _TokenType,
)
from pygments.util import ClassNotFound

from pybuild.pipefile import syntax
from pybuild.pipefile.parse import cut_text, parse, parse_placeholder
from pybuild.pipefile.recipe import cut_recipe, flags_size
from pybuild.pipefile.shelltext import spots
from pybuild.pipefile.template import RESERVED
from pybuild.pipefile.usercode import Row
from pybuild.regex import regex
from pybuild.source import Source, Span
from pybuild.typed import NamedTuple

# What stands between the nodes of a tree.
_BETWEEN = regex(r"(?P<blank>\s+)|(?P<comment>#[^\n]*)|(?P<mark>&:|[:|@])|(?P<rest>[^\s#:|@&]+|&)")
_BETWEEN_TYPES = {"blank": Whitespace, "comment": Comment.Single, "mark": Punctuation, "rest": Text}
_PROGRAM = regex(r"#![ \t]*(?:\S*/env[ \t]+(?:-S[ \t]+)?)?(?:\S*/)?([A-Za-z]+)")
_ALIASES = {"Rscript": "r"}


class Paint(NamedTuple):
    """Characters `start` to `end` of a text are tokens of this type."""

    start: int
    end: int
    token: _TokenType


class PipefileLexer(Lexer):
    """Pipefiles of pybuild. Lines that do not parse are `Error` tokens."""

    name = "Pipefile"
    aliases = ["pipefile"]  # noqa: RUF012  Pygments wants a list in the class
    filenames = ["Pipefile", "*.pipe"]  # noqa: RUF012
    mimetypes = ["text/x-pipefile"]  # noqa: RUF012

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, _TokenType, str]]:
        """Each token as its offset, type and text. Joined they are the text."""
        tree, _ = parse(Source("Pipefile", text))
        found = sorted(each for node in tree.statements for each in _statement(node))
        position = 0
        for start, end, token in found:
            begin = max(start, position)
            yield from _between(text, position, begin)
            if begin < end:
                yield begin, token, text[begin:end]
            position = max(position, end)
        yield from _between(text, position, len(text))


def _between(text: str, start: int, end: int) -> Iterator[tuple[int, _TokenType, str]]:
    for found in _BETWEEN.finditer(text, start, end):
        yield found.start(), _BETWEEN_TYPES[str(found.lastgroup)], found[0]


def _statement(node: syntax.Statement) -> Iterator[Paint]:
    start, end = node.span.start, node.span.end
    if isinstance(node, syntax.Comment):
        yield Paint(start, end, Comment.Single)
    elif isinstance(node, syntax.Invalid):
        yield Paint(start, end, Error)
    elif isinstance(node, syntax.Assignment):
        yield from _assignment(node)
    elif isinstance(node, syntax.Include):
        size = len("-include" if node.optional else "include")
        yield Paint(start, start + size, Keyword.Namespace)
        yield from _words(node.words, Text)
    elif isinstance(node, syntax.PythonBlock):
        yield Paint(start, start + len("python"), Keyword)
        yield from _painted("python", node.block.lines)
    elif isinstance(node, syntax.Decoration):
        yield from _decoration(node)
    else:
        yield from _rule(node)


def _assignment(node: syntax.Assignment) -> Iterator[Paint]:
    start = node.span.start
    operator = node.span.source.text.index(node.operator, start)
    yield Paint(start, start + len(node.name), Name.Variable)
    yield Paint(operator, operator + len(node.operator), Operator)
    yield from _python_text(node.expression)


def _decoration(node: syntax.Decoration) -> Iterator[Paint]:
    start = node.span.start
    yield Paint(start, start + 1 + len(node.name), Name.Decorator)
    if isinstance(node.arguments, syntax.PythonText):
        at, text = node.arguments.span.start, node.arguments.text
        holes = [
            hole
            for begin, end, is_placeholder in cut_text(text)
            if is_placeholder
            for hole in _hole(Span(node.span.source, at + begin, at + end))
        ]
        yield from _overlaid(_python_text(node.arguments), holes)


def _rule(node: syntax.Rule) -> Iterator[Paint]:
    for each in node.decorations:
        yield from _decoration(each)
    start = node.span.start
    if node.kind:
        word = node.kind.partition("(")[0]
        yield Paint(start, start + len(word), Keyword.Declaration)
        rest = (start + len(word), node.kind.removeprefix(word))
        yield from _painted("python", [rest])
    first, *between, last = node.segments
    yield from _words(first, Name.Function if _is_named(node) else Name.Label)
    for segment in between:
        yield from _words(segment, Name.Label)
    yield from _words((*last, *node.order_only), Text)
    if isinstance(node.block, syntax.Block):
        yield from _recipe(node.block)


def _is_named(node: syntax.Rule) -> bool:
    """Whether a header begins with the rule's name. With a `%` in the middle it is make's static
    pattern rule."""
    if len(node.segments) < 3:
        return node.kind == "value"
    pieces = (piece for word in node.segments[1] for piece in word.pieces)
    return not any(isinstance(each, syntax.Text) and "%" in each.text for each in pieces)


# -- words and placeholders --------------------------------------------------------------------


def _words(words: Iterable[syntax.Word], token: _TokenType) -> Iterator[Paint]:
    for word in words:
        start, end = word.span.start, word.span.end
        text = word.span.source.text
        if word.alias:
            equals = start + len(word.alias)
            yield Paint(start, equals, Name.Attribute)
            yield Paint(equals, equals + 1, Operator)
            start = equals + 1
        whole = Paint(start, end, String.Double if '"' in text[start:end] else token)
        holes = (each.span for each in word.pieces if isinstance(each, syntax.Placeholder))
        yield from _overlaid([whole], [paint for span in holes for paint in _hole(span)])


def _hole(span: Span) -> Iterator[Paint]:
    """A placeholder; nothing if the text has not the form of one."""
    start, end = span.start, span.end
    text = span.source.text[start:end]
    form = parse_placeholder(text, span)
    if form is None:
        return
    name = form.reference.name
    name_end = start + 1 + len(name)
    yield Paint(start, start + 1, String.Interpol)
    yield Paint(start + 1, name_end, Name.Variable.Magic if name in RESERVED else Name.Variable)
    if form.regex is not None:
        yield Paint(name_end, end - 1, String.Regex)
    elif name_end < end - 1:
        yield from _painted("python", [(name_end, text[name_end - start : -1])])
    yield Paint(end - 1, end, String.Interpol)


def _overlaid(below: Iterable[Paint], above: Sequence[Paint]) -> Iterator[Paint]:
    """Both, where those above hide what is below. Each is in order."""
    yield from above
    index = 0
    for start, end, token in below:
        while index < len(above) and above[index].end <= start:
            index += 1
        position, other = start, index
        while other < len(above) and above[other].start < end:
            if position < above[other].start:
                yield Paint(position, above[other].start, token)
            position = above[other].end
            other += 1
        if position < end:
            yield Paint(position, end, token)


# -- other languages ---------------------------------------------------------------------------


def _python_text(python: syntax.PythonText) -> Iterator[Paint]:
    return _painted("python", [(python.span.start, python.text)])


def _recipe(block: syntax.Block) -> Iterator[Paint]:
    rows = list(block.lines)
    while rows and not rows[0][1].strip():
        rows.pop(0)
    if not rows:
        return
    offset, first = rows[0]
    size = flags_size(first)
    if size:
        yield Paint(offset, offset + size, Operator)
        rows[0] = (offset + size, first[size:])
    program = _PROGRAM.match(rows[0][1])
    if program:
        yield from _shell(_ALIASES.get(program[1], program[1]), rows, block.span.source)
        return
    for head, inner in cut_recipe(rows):
        if head is None:
            yield from _shell("bash", inner, block.span.source)
        else:
            yield Paint(head[0], head[0] + len("python"), Keyword)
            yield from _painted("python", inner)


def _shell(language: str, rows: Sequence[Row], source: Source) -> Iterator[Paint]:
    """Shell text or a script with placeholders, each of which is one word to its lexer."""
    joined = _Joined(rows)
    holes = [(spot.start, spot.end) for spot in spots(joined.text) if spot.closed]
    masked = joined.masked(holes)
    places = [
        paint
        for start, end in holes
        for at, stop in joined.places(start, end)
        for paint in _hole(Span(source, at, stop))
    ]
    yield from _overlaid(_by_lexer(language, joined, masked), places)


def _painted(language: str, rows: Sequence[Row]) -> Iterator[Paint]:
    """What the lexer of a language makes of rows that stand one below the other."""
    joined = _Joined(rows)
    return _by_lexer(language, joined, joined.text)


def _by_lexer(language: str, joined: _Joined, text: str) -> Iterator[Paint]:
    """What the lexer of a language makes of a text, in the places of the joined rows. Some lexers
    know a comment only by the newline behind it."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return
    for start, token, value in lexer.get_tokens_unprocessed(text + "\n"):
        for at, end in joined.places(start, start + len(value)):
            yield Paint(at, end, token)


class _Joined:
    """Rows as one text, of which it is known where in the source each character stands."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.text = "\n".join(row for _, row in rows)
        self.starts = [0, *accumulate(len(row) + 1 for _, row in rows)]

    def places(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where characters stand in the source, row by row, without the newlines."""
        index = bisect_right(self.starts, start) - 1
        while index < len(self.rows) and self.starts[index] < end:
            offset, row = self.rows[index]
            position = self.starts[index]
            first, last = max(start, position), min(end, position + len(row))
            if first < last:
                yield offset + first - position, offset + last - position
            index += 1

    def masked(self, holes: Iterable[tuple[int, int]]) -> str:
        """The text with a word of the same size in place of each hole."""
        out: list[str] = []
        position = 0
        for start, end in holes:
            out += [self.text[position:start], "_" * (end - start)]
            position = end
        return "".join([*out, self.text[position:]])
