"""The variables that a target sees: its own, those of patterns that it matches, those of what
wanted it first, and the global ones."""

from __future__ import annotations

from pybuild.makefile.expand import Expander
from pybuild.makefile.node import Node
from pybuild.makefile.patterns import match_pattern
from pybuild.makefile.rules import Database
from pybuild.makefile.variables import Scope, Variable


def scope_of(node: Node, expander: Expander, database: Database) -> Scope:
    """The scope of a node, kept with it. Raises MakeError for what `:::=` of a pattern expands."""
    waiting = []
    each: Node | None = node
    while each is not None and each.scope is None:
        waiting.append(each)
        each = each.parent
    scope = each.scope if each is not None and each.scope is not None else expander.variables
    for each in reversed(waiting):
        scope = each.scope = _inside(each, scope, expander, database)
    return scope


def _inside(node: Node, outer: Scope, expander: Expander, database: Database) -> Scope:
    """A scope within another; where the node adds nothing, that one itself."""
    own = Scope(outer)
    if node.target.scope is not None:
        own.variables = node.target.scope.variables
        own.has_private = any(each.is_private for each in own.variables.values())
    if database.pattern_variables:
        _add_patterns(node.target.name, own, expander, database)
    if own.variables or own.outer is not outer:
        return own
    return own if outer.has_private else outer


def _add_patterns(name: str, own: Scope, expander: Expander, database: Database) -> None:
    """Puts scopes for what patterns say between the own one and the outer one. What is private
    there is the target's own."""
    matching = []
    for number, (pattern, variable) in enumerate(database.pattern_variables):
        stem = match_pattern(pattern, name)
        if stem:
            matching.append((-len(stem), number, variable))
    outer = own.outer
    assert outer is not None
    # What is expanded here sees neither the target's own variables nor those of others.
    seen = Scope(expander.variables)
    for _, _, variable in sorted(matching, key=lambda each: each[:2]):
        if variable.is_conditional and outer.find(variable.name) is not None:
            continue
        made = _copy(variable)
        if variable.is_postponed:
            made.value = _expanded_now(variable, seen, expander)
        outer = Scope(outer)
        outer.variables[variable.name] = seen.variables[variable.name] = made
        if variable.is_private and variable.name not in own.variables:
            own.variables = {**own.variables, variable.name: outer.variables.pop(variable.name)}
            own.has_private = True
    own.outer = outer


def _expanded_now(variable: Variable, scope: Scope, expander: Expander) -> str:
    before = expander.scope, expander.place
    expander.scope, expander.place = scope, None  # make forgets where it was read
    try:
        return expander.expand(variable.value).replace("$", "$$")
    finally:
        expander.scope, expander.place = before


def _copy(variable: Variable) -> Variable:
    made = Variable(
        variable.name, variable.value, variable.origin, variable.recursive, variable.place
    )
    made.export = variable.export
    made.is_private = variable.is_private
    made.appends = variable.appends
    return made
