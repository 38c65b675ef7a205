"""The variables that a target sees: its own, those of patterns that it matches, those of what
wanted it first, and the global ones."""

from __future__ import annotations

from pybuild.makefile.expand import Expander
from pybuild.makefile.node import Node
from pybuild.makefile.patterns import match_pattern
from pybuild.makefile.rules import Database
from pybuild.makefile.variables import Export, Origin, Scope, Variable


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
    """Puts a scope for what patterns say between the own one and the outer one. What is private
    there is the target's own."""
    matching = []
    for number, (pattern, variable) in enumerate(database.pattern_variables):
        stem = match_pattern(pattern, name)
        if stem:
            matching.append((-len(stem), number, variable))
    if not matching:
        return
    # What is expanded here sees neither the target's own variables nor those of others.
    said = Scope(expander.variables)
    for _, _, variable in sorted(matching, key=lambda each: each[:2]):
        _say(variable, said, expander)
    for each in [each for each in said.variables.values() if each.is_private]:
        del said.variables[each.name]
        if each.name not in own.variables:
            own.variables = {**own.variables, each.name: each}
            own.has_private = True
    if said.variables:
        said.outer, own.outer = own.outer, said


def _say(variable: Variable, said: Scope, expander: Expander) -> None:
    """Does an assignment of a pattern. Of one name the last says whether it is exported."""
    name, value, recursive = variable.name, variable.value, variable.recursive
    before = said.variables.get(name)
    appends = variable.appends
    known = said.find(name) if variable.is_conditional else None
    if known is not None:
        # As make does, also of a global one, which forgets that it was in the environment.
        given = known.origin in (Origin.ENVIRONMENT, Origin.ENVIRONMENT_OVERRIDE, Origin.COMMAND)
        told = variable.export != Export.DEFAULT or given or expander.export_all
        known.export = variable.export if told else Export.NO
        return
    if variable.is_postponed:
        value = _expanded_now(value, said, expander).replace("$", "$$")
    elif variable.appends and before is not None:
        appends, recursive = before.appends, before.recursive
        added = value if recursive else _expanded_now(value, said, expander)
        value = f"{before.value} {added}" if before.value and added else before.value or added
    made = said.define(name, value, variable.origin, recursive=recursive, place=variable.place)
    made.appends = appends
    made.export = variable.export
    made.is_private = variable.is_private


def _expanded_now(value: str, scope: Scope, expander: Expander) -> str:
    before = expander.scope, expander.place
    expander.scope, expander.place = scope, None  # make forgets where it was read
    try:
        return expander.expand(value)
    finally:
        expander.scope, expander.place = before
