"""Pointing at text: where something stands, and what is wrong there.

Knows nothing of any language. Offsets count characters of `Source.text`; lines and columns
are worked out only when somebody wants to print them.
"""

from __future__ import annotations

from _operator import itemgetter
from bisect import bisect_right
from collections.abc import Callable, Iterable

from pybuild.typed import NamedTuple


class Source:
    """The text of one build file. `name` is shown to the user: `Pipefile`, `rules/align.pipe`.

    `base` is where the text starts that spans are fixed to: 0, but for a `Section`.
    """

    __slots__ = ("_starts", "base", "name", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.base = 0
        self._starts: list[int] | None = None

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            starts = [0]
            position = self.text.find("\n")
            while position >= 0:
                starts.append(position + 1)
                position = self.text.find("\n", position + 1)
            self._starts = starts
        return self._starts

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1."""
        starts = self._line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (counted from 1) without its newline."""
        starts = self._line_starts()
        start = starts[number - 1]
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[start:end].rstrip("\r")

    def offset(self, line: int, column: int) -> int:
        """The place of a character by its line (counted from 1) and the bytes before it in that
        line, as in Python's syntax trees; the end of the text for one beyond."""
        starts = self._line_starts()
        if line > len(starts):
            return len(self.text)
        before = self.line(line).encode("utf-8", "surrogatepass")[:column]
        return starts[line - 1] + len(before.decode("utf-8", "ignore"))

    def line_span(self, number: int) -> Span:
        """A line (counted from 1) without its indentation; the last one for a number beyond."""
        starts = self._line_starts()
        number = max(1, min(number, len(starts)))
        text, start = self.line(number), starts[number - 1]
        indent = len(text) - len(text.lstrip())
        return Span(self, start + indent, start + max(len(text.rstrip()), indent))

    def __reduce__(self) -> tuple[type[Source], tuple[str, str]]:
        return Source, (self.name, self.text)


class Section(Source):
    """A part of a text that may move, as lines above it come and go in an editor. To all who look
    it is the whole text; but spans of it move with it, and with them all that was made of it."""

    __slots__ = ()

    def __init__(self, whole: Source, start: int) -> None:
        super().__init__(whole.name, whole.text)
        self.move(whole, start)

    def move(self, whole: Source, start: int) -> None:
        """It stands in this text now, from this character on."""
        self.text = whole.text
        self.base = start
        self._starts = whole._line_starts()


class Span(tuple[Source, int, int]):
    """The characters `start` up to but not including `end` of a source."""

    __slots__ = ()

    def __new__(cls, source: Source, start: int, end: int) -> Span:
        base = source.base
        return tuple.__new__(cls, (source, start - base, end - base))

    source: Source = property(itemgetter(0))  # type: ignore[assignment]

    @property
    def start(self) -> int:
        """The first character."""
        return self[1] + self[0].base

    @property
    def end(self) -> int:
        """The character behind the last one."""
        return self[2] + self[0].base

    def but(self, start: int | None = None, end: int | None = None) -> Span:
        """The same with another start or end."""
        return Span(
            self[0], self.start if start is None else start, self.end if end is None else end
        )

    def __reduce__(self) -> tuple[type[Span], tuple[Source, int, int]]:
        return Span, (self.source, self.start, self.end)

    def __repr__(self) -> str:
        return f"Span({self.source.name!r}, {self.start}, {self.end})"

    @property
    def place(self) -> tuple[int, int]:
        """Line and column of the first character, counted from 1."""
        return self.source.place(self.start)

    def __str__(self) -> str:
        line, column = self.place
        return f"{self.source.name}:{line}:{column}"


class Note(NamedTuple):
    """A second place or fact that belongs to a diagnostic."""

    message: str
    span: Span | None = None


class Edit(NamedTuple):
    """The characters of `span` give way to `text`; an empty span is a place to put it in."""

    span: Span
    text: str


class Fix(NamedTuple):
    """A change that cures what a diagnostic complains of; `title` says what it does. No two of its
    edits overlap."""

    title: str
    edits: tuple[Edit, ...]


UNUSED, DEPRECATED = "unused", "deprecated"  # tags of diagnostics


class Diagnostic(NamedTuple):
    """One complaint. `code` is stable (`PB101`), `severity` is `error` or `warning`. `tags` say how
    an editor may show the place (`UNUSED`: faded, `DEPRECATED`: struck through). `fixes` are cures
    that are certain, the best first."""

    code: str
    message: str
    span: Span | None = None
    notes: tuple[Note, ...] = ()
    help: str = ""
    severity: str = "error"
    tags: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()


class BuildError(Exception):
    """One or more diagnostics that stop the work; only the command line prints them."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(each.message for each in diagnostics))
        self.diagnostics = diagnostics

    def at(self, span: Span) -> BuildError:
        """The same complaints, with this place where they have none."""
        return BuildError(
            *(each if each.span else each._replace(span=span) for each in self.diagnostics)
        )


def joined(errors: Iterable[BuildError]) -> BuildError:
    """All complaints of several errors as one."""
    return BuildError(*(each for error in errors for each in error.diagnostics))


def same_ends(before: str, now: str) -> tuple[int, int]:
    """How many characters two texts have in common at their starts, and behind that at their
    ends."""
    head = _in_common(
        len(before), len(now), lambda low, high: before.startswith(now[low:high], low)
    )
    size, other = len(before), len(now)
    tail = _in_common(
        size - head,
        other - head,
        lambda low, high: before.endswith(now[other - high : other - low], 0, size - low),
    )
    return head, tail


def _in_common(one: int, other: int, is_same: Callable[[int, int], bool]) -> int:
    """How far two texts of these sizes are the same, told from which place to which they are."""
    low, high = 0, min(one, other)
    while low < high:
        middle = (low + high + 1) // 2
        if is_same(low, middle):
            low = middle
        else:
            high = middle - 1
    return low


def nearest(word: str, known: list[str], count: int = 3) -> list[str]:
    """The known words that are most like `word`, best first; none if nothing is near."""
    from difflib import get_close_matches  # only a mistake pays for this import

    return get_close_matches(word, list(dict.fromkeys(known)), count, 0.6)


def nearest_fixes(word: str, known: list[str], span: Span) -> tuple[Fix, ...]:
    """To write one of the nearest known words instead of `word`, which stands once in `span`; none
    if nothing is near, or if it does not."""
    text = span.source.text[span.start : span.end]
    if text.count(word) != 1:
        return ()
    start = span.start + text.index(word)
    at = Span(span.source, start, start + len(word))
    return tuple([Fix(f"write `{near}`", (Edit(at, near),)) for near in nearest(word, known)])


def did_you_mean(word: str, known: list[str], before: str = "") -> str:
    """A help text with the nearest known words, each with `before` before it, or nothing."""
    near = nearest(word, known)
    return "did you mean " + " or ".join(f"`{before}{each}`" for each in near) + "?" if near else ""
