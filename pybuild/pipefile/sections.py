"""A text that changes, parsed again after each change as far as it has changed.

A *section* is a statement with the attributes above it, the block below it and the comments up to
the next one. Nothing of it depends on other sections but where it ends; so those that a change has
not touched keep their nodes, which move with the lines above them (`source.Section`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pybuild.pipefile import lines, syntax
from pybuild.pipefile.parse import Forms, parse_parts
from pybuild.source import Diagnostic, Section, Source, same_ends
from pybuild.typed import NamedTuple


class _Cut(NamedTuple):
    """A section as it was cut: characters `start` to `end`. One that `is_open` may end elsewhere
    when anything behind it changes."""

    start: int
    end: int
    parts: Sequence[lines.Part]
    is_open: bool


class _Known(NamedTuple):
    """A section of some characters with what it was parsed to."""

    source: Section
    size: int
    is_open: bool
    tree: syntax.Tree
    diagnostics: list[Diagnostic]

    @property
    def start(self) -> int:
        """Where it stands."""
        return self.source.base

    @property
    def end(self) -> int:
        """Where the next one does."""
        return self.source.base + self.size

    def moved(self, whole: Source, start: int) -> _Known:
        """The same where it stands now."""
        self.source.move(whole, start)
        return self


class Sections:
    """The sections of one text, as it was when it was parsed last. What was made of it then is over
    when it is parsed again: its nodes have moved."""

    def __init__(self, forms: Forms | None = None) -> None:
        self._forms = forms
        self._text = ""
        self._known: list[_Known] = []

    def parse(self, source: Source) -> tuple[syntax.Tree, list[Diagnostic]]:
        """What `parse.parse` gives."""
        self._known = list(self._read(source))
        self._text = source.text
        statements: list[syntax.Statement] = []
        diagnostics: list[Diagnostic] = []
        placeholders: dict[str, syntax.Form | None] = {}
        for each in self._known:
            statements += each.tree.statements
            diagnostics += each.diagnostics
            placeholders.update(each.tree.placeholders)
        return syntax.Tree(source, tuple(statements), placeholders), diagnostics

    def _read(self, source: Source) -> Iterator[_Known]:
        """The sections of a text: those before a change, those that it has touched, which are cut
        anew, and all from the first one on that stands behind it as it did."""
        before, text = self._text, source.text
        head, tail = same_ends(before, text)
        by = len(text) - len(before)
        # What is open may end elsewhere; where all else ends the first line of the next one tells.
        above = {
            each.start: each
            for each, following in pairwise(self._known)
            if following.end < head and not each.is_open
        }
        below = {
            each.start + by: place
            for place, each in enumerate(self._known)
            if each.start >= len(before) - tail
        }
        touched = {
            before[each.start : each.end]: each
            for each in self._known
            if each.start not in above and each.start + by not in below
        }
        position = 0
        cuts = _cut(text, 0)
        while position < len(text):
            if position in below:
                for each in self._known[below[position] :]:
                    yield each.moved(source, each.start + by)
                return
            known = above.get(position)
            if known is not None:
                yield known.moved(source, position)
                position = known.end
                cuts = _cut(text, position)
                continue
            cut = next(cuts)
            position = cut.end
            known = touched.pop(text[cut.start : cut.end], None)
            yield known.moved(source, cut.start) if known else self._parsed(cut, source)

    def _parsed(self, cut: _Cut, whole: Source) -> _Known:
        section = Section(whole, cut.start)
        tree, diagnostics = parse_parts(section, cut.parts, self._forms)
        return _Known(section, cut.end - cut.start, cut.is_open, tree, diagnostics)


def _cut(text: str, start: int) -> Iterator[_Cut]:
    """The sections of a text from the start of one on."""
    parts: list[lines.Part] = []
    is_open = is_complete = False
    for part in lines.cut(text, start):
        if isinstance(part, lines.Line):
            if is_complete:
                yield _Cut(start, part.start, parts, is_open)
                start, parts, is_open = part.start, [], False
            is_complete = text[part.start] != "@"  # an attribute belongs to what is below it
            is_open = is_open or part.is_open
        parts.append(part)
    yield _Cut(start, len(text), parts, is_open)
