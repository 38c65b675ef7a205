"""What checks know of a Pipefile: its trees, and what its names and rules came to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pybuild.lint.scans import Scan, Scans, Script
from pybuild.pipefile import syntax
from pybuild.pipefile.load import Loaded
from pybuild.pipefile.recipe import Stretch
from pybuild.pipefile.rules import Pipeline, Rule
from pybuild.source import Diagnostic, Span
from pybuild.typed import Any, NamedTuple


class Written(NamedTuple):
    """A rule as it is written, with the parts of its recipe and those of them that a shell of the
    family of `sh` reads; `rule` is what it came to, None if there is a mistake in it."""

    node: syntax.Rule
    rule: Rule | None
    parts: Sequence[Stretch]
    scripts: Sequence[Script]


class Known(NamedTuple):
    """A Pipefile as it was loaded. `scans` are its statements as they are written, `written` its
    rules; `assignments` those of each name, in their order; `mistakes` what is wrong with it."""

    trees: Sequence[syntax.Tree]
    pipeline: Pipeline
    scans: Sequence[Scan]
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


def known_of(loaded: Loaded, scanned: Scans) -> Known:
    """What is known of what was loaded; what was scanned of it before is taken as it is."""
    rules = {each.span: each for each in loaded.pipeline.rules}
    scans = [scanned.of(each) for tree in loaded.trees for each in tree.statements]
    scanned.turn()
    written = []
    assignments: dict[str, list[syntax.Assignment]] = {}
    for scan in scans:
        node = scan.node
        if isinstance(node, syntax.Rule):
            written.append(Written(node, rules.get(node.span), scan.parts, scan.scripts))
        elif isinstance(node, syntax.Assignment):
            assignments.setdefault(node.name, []).append(node)
    mistakes = [each for each in loaded.diagnostics if each.severity == "error"]
    return Known(loaded.trees, loaded.pipeline, scans, written, assignments, mistakes)


def word_before(text: str, position: int) -> str:
    """The first word of the simple command that a place of a script belongs to."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    command = re.split(r"[;&|({]", line)[-1].split()
    return command[0] if command else ""
