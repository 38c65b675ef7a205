"""What is shown in the text without being there: numbers of jobs, values, and lenses that run."""

from __future__ import annotations

import ast

from lsprotocol import types

from pybuild.lsp.commands import DRY_RUN, EXPLAIN, GRAPH, RUN
from pybuild.lsp.hover import value_of
from pybuild.lsp.names import extent, goal_of
from pybuild.lsp.projects import Here
from pybuild.lsp.settings import Settings
from pybuild.pipefile import syntax

_LONGEST = 40  # characters of a value
_LENSES = ((RUN, "run"), (DRY_RUN, "dry run"), (EXPLAIN, "why"), (GRAPH, "graph"))


def inlay_hints(here: Here, within: types.Range, settings: Settings) -> list[types.InlayHint]:
    """Behind each header how many jobs the rule has, behind an expression that is more than a
    literal its value."""
    lines = here.sheet.lines
    first, last = lines.offset(within.start), lines.offset(within.end)
    found = []
    for statement in here.sheet.tree.statements:
        if not first <= statement.span.end <= last:
            continue
        text = ""
        if isinstance(statement, syntax.Rule) and settings.job_hints:
            text = _jobs(here, statement)
        elif isinstance(statement, syntax.Assignment) and settings.value_hints:
            text = _value(here, statement)
        if text:
            found.append(
                types.InlayHint(lines.position(statement.span.end), text, padding_left=True)
            )
    return found


def _jobs(here: Here, rule: syntax.Rule) -> str:
    facts = here.facts(rule)
    is_plain = rule.block is None or not any(
        isinstance(piece, syntax.Placeholder)
        for segment in rule.segments
        for word in segment
        for piece in word.pieces
    )
    if facts is None or is_plain:
        return ""
    return "1 job" if facts.total == 1 else f"{facts.total} jobs"


def _value(here: Here, node: syntax.Assignment) -> str:
    value = value_of(here, node.name)
    if not value or _is_literal(node.expression.text):
        return ""
    return f"= {value}" if len(value) <= _LONGEST else f"= {value[: _LONGEST - 3]}..."


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def lenses(here: Here) -> list[types.CodeLens]:
    """Above each rule that can be asked for: to run it, to see what would run and why, and to draw
    what it needs."""
    lines = here.sheet.lines
    uri = here.uri(here.sheet)
    found = []
    for _, rule in here.sheet.rules:
        goal = goal_of(rule)
        if not goal or goal.startswith("."):
            continue
        start = extent(rule).start
        where = lines.range(start, start)
        for command, title in _LENSES:
            arguments: list[types.LSPAny] = [uri, goal]
            found.append(types.CodeLens(where, types.Command(title, command, arguments=arguments)))
    return found
