"""What checks know of a Pipefile: its trees, and what its names and rules came to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from pybuild.pipefile import syntax
from pybuild.pipefile.load import Loaded
from pybuild.pipefile.recipe import SHELL, Stretch, span_in, written_parts
from pybuild.pipefile.rules import Pipeline, Rule
from pybuild.pipefile.shelltext import Spot, dollars, line_starts, spots
from pybuild.regex import regex
from pybuild.source import Diagnostic, Span
from pybuild.typed import Any, NamedTuple

_POSIX_SHELL = regex(r"""[^"']*["'](?:\S*/)?(?:sh|bash|dash|ash|ksh|zsh)\b""")
_NAME = regex(r"[A-Za-z_]\w*")


class Marks(NamedTuple):
    """What a scan of a script finds: placeholders, where a `$` means something to the shell, and
    where lines start that are not inside of anything."""

    spots: tuple[Spot, ...]
    dollars: tuple[int, ...]
    lines: tuple[int, ...]


class Script(NamedTuple):
    """A part of a recipe for a shell of the family of `sh`. `text` is its rows joined by newlines,
    as written."""

    node: syntax.Rule
    rows: tuple[tuple[int, str], ...]
    text: str
    marks: Marks

    def span(self, start: int, end: int) -> Span:
        """Where characters of the text stand in the source."""
        return span_in(self.rows, self.node.span.source, start, end)


class Written(NamedTuple):
    """A rule as it is written, with the parts of its recipe and those of them that a shell of the
    family of `sh` reads; `rule` is what it came to, None if there is a mistake in it."""

    node: syntax.Rule
    rule: Rule | None
    parts: Sequence[Stretch]
    scripts: Sequence[Script]


class Known(NamedTuple):
    """A Pipefile as it was loaded. `written` are its rules; `assignments` those of each name, in
    their order; `mistakes` what is wrong with it."""

    trees: Sequence[syntax.Tree]
    pipeline: Pipeline
    written: Sequence[Written]
    assignments: Mapping[str, Sequence[syntax.Assignment]]
    mistakes: Sequence[Diagnostic]

    def variable(self, name: str) -> Any:
        """The value of a variable; None if it is none, or if nobody knows."""
        return self.pipeline.variables.get(name)

    def meant_by(self, name: str) -> str:
        """The variable that one of make's was written for, perhaps in small letters; "" if there is
        none."""
        known = self.pipeline.variables
        return next((n for n in (name, name.lower()) if n in known or n in self.assignments), "")

    def has_mistake(self, start: Span, end: Span) -> bool:
        """Whether there is an error between the start of one place and the end of another."""
        stop = max(end.end, start.end)
        return any(
            each.span.source.name == start.source.name and start.start <= each.span.start < stop
            for each in self.mistakes
            if each.span is not None
        )

    def is_told_of(self, name: str) -> bool:
        """Whether some error is about a name, or proposes it."""
        quoted = f"`{name}`"
        return any(quoted in each.message or quoted in each.help for each in self.mistakes)

    def blocks(self) -> Iterator[syntax.PythonBlock]:
        """The `python:` blocks outside of recipes."""
        for tree in self.trees:
            for statement in tree.statements:
                if isinstance(statement, syntax.PythonBlock):
                    yield statement


def known_of(loaded: Loaded) -> Known:
    """What is known of what was loaded."""
    rules = {(each.span.source.name, each.span.start): each for each in loaded.pipeline.rules}
    written = [
        _written(each, rules.get((tree.source.name, each.span.start)))
        for tree in loaded.trees
        for each in tree.statements
        if isinstance(each, syntax.Rule)
    ]
    assignments: dict[str, list[syntax.Assignment]] = {}
    for tree in loaded.trees:
        for statement in tree.statements:
            if isinstance(statement, syntax.Assignment):
                assignments.setdefault(statement.name, []).append(statement)
    mistakes = [each for each in loaded.diagnostics if each.severity == "error"]
    return Known(loaded.trees, loaded.pipeline, written, assignments, mistakes)


def _written(node: syntax.Rule, rule: Rule | None) -> Written:
    parts = written_parts(node.block)[1] if isinstance(node.block, syntax.Block) else []
    scripts = []
    for each in parts if _has_posix_shell(node) else ():
        if each.kind == SHELL:
            text = "\n".join(row for _, row in each.rows)
            scripts.append(Script(node, each.rows, text, marks_of(text)))
    return Written(node, rule, parts, scripts)


@lru_cache(maxsize=4096)
def marks_of(text: str) -> Marks:
    """What a scan of a script finds; kept, as an editor asks again at each keystroke."""
    return Marks(tuple(spots(text)), tuple(dollars(text)), tuple(line_starts(text)))


def _has_posix_shell(node: syntax.Rule) -> bool:
    for each in node.decorations:
        if each.name == "shell":
            arguments = each.arguments
            return isinstance(arguments, syntax.PythonText) and bool(
                _POSIX_SHELL.match(arguments.text)
            )
    return True


def identifiers(text: str) -> list[str]:
    """All that could be a name in a text of Python, those in strings included."""
    return _NAME.findall(text)


def word_before(text: str, position: int) -> str:
    """The first word of the simple command that a place of a script belongs to."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    command = re.split(r"[;&|({]", line)[-1].split()
    return command[0] if command else ""
