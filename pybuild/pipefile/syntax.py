"""The tree of a Pipefile. Every node has a span; comments and what is wrong are nodes too.

Names have no meaning yet: that is for `resolve`. A tree is plain data and can be pickled.
"""

from __future__ import annotations

from collections.abc import Mapping

from pybuild.source import Source, Span
from pybuild.typed import NamedTuple


class Attribute(NamedTuple):
    """`.name` behind a placeholder's name."""

    name: str


class Item(NamedTuple):
    """`[index]` behind a placeholder's name."""

    number: int


class Call(NamedTuple):
    """`(argument, ...)` behind a placeholder's name."""

    arguments: tuple[Reference | str | int | float, ...]


class Reference(NamedTuple):
    """A name with what follows it: `inputs[0].basename`, `reads_of(sample)`."""

    name: str
    trailers: tuple[Attribute | Item | Call, ...] = ()

    def __str__(self) -> str:
        if not self.trailers:
            return self.name
        out = [self.name]
        for trailer in self.trailers:
            if isinstance(trailer, Attribute):
                out.append(f".{trailer.name}")
            elif isinstance(trailer, Item):
                out.append(f"[{trailer.number}]")
            else:
                inner = (
                    str(each) if isinstance(each, Reference) else repr(each)
                    for each in trailer.arguments
                )
                out.append(f"({', '.join(inner)})")
        return "".join(out)


class Placeholder(NamedTuple):
    """`<reference>`, or with `regex` the capture `<name:regex>`."""

    span: Span
    reference: Reference
    regex: str | None = None


Form = tuple[Reference, str | None]  # a placeholder wherever it stands: reference and regex


class Text(NamedTuple):
    """Literal text of a word; wildcards still stand for themselves, `\\*` for a star."""

    span: Span
    text: str


class Word(NamedTuple):
    """A word of a header: text and placeholders; `alias` is the name before `=`."""

    span: Span
    pieces: tuple[Text | Placeholder, ...]
    alias: str = ""


class PythonText(NamedTuple):
    """Python as written: an expression or the arguments of an attribute."""

    span: Span
    text: str


class Block(NamedTuple):
    """Indented lines, their common indentation taken away; `rows` are they with their distances
    from the start of the block."""

    span: Span
    rows: tuple[tuple[int, str], ...]

    @property
    def lines(self) -> tuple[tuple[int, str], ...]:
        """The lines with their offsets in the source."""
        start = self.span.start
        return tuple([(start + at, text) for at, text in self.rows])


class Comment(NamedTuple):
    """`# ...`, alone on its line or behind a statement."""

    span: Span


class Assignment(NamedTuple):
    """`name = EXPRESSION`; `operator` is `=`, `?=` or `+=`."""

    span: Span
    name: str
    operator: str
    expression: PythonText


class Include(NamedTuple):
    """`include FILE...`; `optional` for `-include`."""

    span: Span
    words: tuple[Word, ...]
    optional: bool


class PythonBlock(NamedTuple):
    """A top-level `python:` with its block."""

    span: Span
    block: Block


class Given(NamedTuple):
    """The arguments of an attribute that come from Python as they are."""

    positional: tuple[object, ...]
    named: Mapping[str, object]


class Decoration(NamedTuple):
    """`@name(arguments)` before a rule."""

    span: Span
    name: str
    arguments: PythonText | Given | None


class FunctionCall(NamedTuple):
    """A recipe that is a call of a Python function, which its author calls `title` and which is
    `name` in the file's namespace. It is given the values of `required` names, and of `optional`
    ones where there are such."""

    span: Span
    title: str
    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]


class Rule(NamedTuple):
    """A header with its decorations and its block.

    `segments` are the words between the colons: `name: targets: prerequisites` has three, `targets:
    prerequisites` two. `kind` is "" for a plain rule.
    """

    span: Span
    decorations: tuple[Decoration, ...]
    kind: str
    segments: tuple[tuple[Word, ...], ...]
    grouped: bool
    order_only: tuple[Word, ...]
    block: Block | FunctionCall | None


class Invalid(NamedTuple):
    """A line or block that could not be parsed; the diagnostics say why. `names` are those that
    it would have defined, perhaps."""

    span: Span
    names: frozenset[str] = frozenset()


Statement = Assignment | Include | PythonBlock | Rule | Decoration | Comment | Invalid


class Tree(NamedTuple):
    """A whole file. `placeholders` are those of recipes and attributes, by their text; None for
    what only looks like one."""

    source: Source
    statements: tuple[Statement, ...]
    placeholders: Mapping[str, Form | None]
