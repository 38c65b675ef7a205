"""What checks know of a Pipefile: its trees, and what its names and rules came to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pybuild.pipefile import syntax
from pybuild.pipefile.load import Loaded
from pybuild.pipefile.recipe import SHELL, Stretch, span_in, written_parts
from pybuild.pipefile.rules import Pipeline, Rule
from pybuild.regex import regex
from pybuild.source import Span
from pybuild.typed import Any, NamedTuple

_POSIX_SHELL = regex(r"""[^"']*["'](?:\S*/)?(?:sh|bash|dash|ash|ksh|zsh)\b""")
NAME = regex(r"[A-Za-z_]\w*")


class Known(NamedTuple):
    """A Pipefile as it was loaded. `rules` are the rules in which there is no mistake, by file and
    offset of their headers; `nodes` all that are written; `assignments` those of each name, in
    their order; `mistakes` the places of errors."""

    trees: Sequence[syntax.Tree]
    pipeline: Pipeline
    nodes: Sequence[syntax.Rule]
    rules: Mapping[tuple[str, int], Rule]
    assignments: Mapping[str, Sequence[syntax.Assignment]]
    mistakes: Sequence[Span]

    def rule_of(self, node: syntax.Rule) -> Rule | None:
        """What a rule as written came to; None if there is a mistake in it."""
        return self.rules.get((node.span.source.name, node.span.start))

    def variable(self, name: str) -> Any:
        """The value of a variable; None if it is none, or if nobody knows."""
        return self.pipeline.variables.get(name)

    def has_mistake(self, start: Span, end: Span) -> bool:
        """Whether there is an error between the start of one place and the end of another."""
        return any(
            each.source is start.source and start.start <= each.start < max(end.end, start.end)
            for each in self.mistakes
        )

    def blocks(self) -> Iterator[syntax.PythonBlock]:
        """The `python:` blocks outside of recipes."""
        for tree in self.trees:
            for statement in tree.statements:
                if isinstance(statement, syntax.PythonBlock):
                    yield statement


def known_of(loaded: Loaded) -> Known:
    """What is known of what was loaded."""
    nodes = [
        each for tree in loaded.trees for each in tree.statements if isinstance(each, syntax.Rule)
    ]
    rules = {(each.span.source.name, each.span.start): each for each in loaded.pipeline.rules}
    assignments: dict[str, list[syntax.Assignment]] = {}
    for tree in loaded.trees:
        for statement in tree.statements:
            if isinstance(statement, syntax.Assignment):
                assignments.setdefault(statement.name, []).append(statement)
    mistakes = [each.span for each in loaded.diagnostics if each.span and each.severity == "error"]
    return Known(loaded.trees, loaded.pipeline, nodes, rules, assignments, mistakes)


class Script(NamedTuple):
    """A part of a recipe for a shell. `text` is its rows joined by newlines, as written."""

    node: syntax.Rule
    rows: tuple[tuple[int, str], ...]
    text: str

    def span(self, start: int, end: int) -> Span:
        """Where characters of the text stand in the source."""
        return span_in(self.rows, self.node.span.source, start, end)


def parts(node: syntax.Rule) -> list[Stretch]:
    """The parts of the recipe of a rule as they are written."""
    return written_parts(node.block)[1] if isinstance(node.block, syntax.Block) else []


def scripts(node: syntax.Rule) -> list[Script]:
    """The parts of a recipe that a shell of the family of `sh` reads."""
    if not _has_posix_shell(node):
        return []
    return [
        Script(node, each.rows, "\n".join(row for _, row in each.rows))
        for each in parts(node)
        if each.kind == SHELL
    ]


def _has_posix_shell(node: syntax.Rule) -> bool:
    for each in node.decorations:
        if each.name == "shell":
            arguments = each.arguments
            is_text = isinstance(arguments, syntax.PythonText)
            return is_text and _POSIX_SHELL.match(arguments.text) is not None  # type: ignore[union-attr]
    return True


def identifiers(text: str) -> list[str]:
    """All that could be a name in a text of Python, those in strings included."""
    return NAME.findall(text)


def word_before(text: str, position: int) -> str:
    """The first word of the simple command that a place of a script belongs to."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    command = re.split(r"[;&|({]", line)[-1].split()
    return command[0] if command else ""
