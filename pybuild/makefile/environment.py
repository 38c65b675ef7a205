"""What a recipe or `$(shell)` finds in its environment."""

from __future__ import annotations

from pybuild.makefile.variables import Export, Frame, Origin, Scope, Variable
from pybuild.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from pybuild.makefile.expand import Expander

_AUTH = "--jobserver-auth="
_CLOSED = f" {_AUTH}-2,-2"  # what comes later counts
_OF_MAKE = frozenset({"MAKEFLAGS", "MFLAGS"})  # exported unless a makefile says that they are not
_NEVER_BY_ITSELF = frozenset({"MAKE_RESTARTS", "SHELL"})
_NEVER_BY_ALL = frozenset({"MAKE", "MAKE_COMMAND", "MAKEOVERRIDES", "SUFFIXES"})


def child_environment(
    scope: Scope | Frame, expander: Expander, is_recursive: bool = False
) -> dict[str, str]:
    """The environment of a command. `scope` is that of the target that it is for, or the global
    one. `is_recursive`: it gets the pipe of the jobserver; others are told that they do not.
    `SHELL` is as make was given it, unless a makefile exports it. Raises MakeError when a value
    cannot be expanded."""
    given = expander.environment
    made: dict[str, str] = {}
    outer = expander.scope
    expander.scope = scope
    try:
        for name, (variable, export) in _variables(scope).items():
            if _is_exported(variable, export, expander):
                made[name] = expander.value(name)
    finally:
        expander.scope = outer
    shell = scope.find("SHELL")
    if (shell is None or shell.export != Export.YES) and "SHELL" in given:
        made["SHELL"] = given["SHELL"]
    for name in () if is_recursive else _OF_MAKE & made.keys():
        made[name] = _without_pipe(made[name])
    # A makefile that sets MAKELEVEL does not change how deep this make is.
    level = given.get("MAKELEVEL", "")
    made["MAKELEVEL"] = str((int(level) if level.isdecimal() else 0) + 1)
    return made


def _without_pipe(text: str) -> str:
    """The text of options for those that do not get the pipe that it names."""
    if not any(each[:1].isdecimal() for each in text.split(_AUTH)[1:]):
        return text
    options, dashes, variables = text.partition(" -- ")
    return options + _CLOSED + dashes + variables


def _variables(scope: Scope | Frame) -> dict[str, tuple[Variable, int]]:
    """All that can be seen from a scope. One that does not say whether it is exported does as the
    one that it hides."""
    if isinstance(scope, Frame):
        found = _variables(scope.base)
        for name in scope.texts:
            variable = scope.find(name)
            if variable is not None:
                found[name] = (variable, found[name][1] if name in found else Export.DEFAULT)
        return found
    scopes = list(scope.chain())
    if len(scopes) == 1:
        return {name: (each, each.export) for name, each in scope.variables.items()}
    found = {}
    for each in reversed(scopes):
        for name, variable in each.variables.items():
            if variable.is_private and each is not scope:
                continue
            export = variable.export
            if export == Export.DEFAULT and name in found:
                export = found[name][1]
            found[name] = (variable, export)
    return found


def _is_exported(variable: Variable, export: int, expander: Expander) -> bool:
    if export != Export.DEFAULT:
        return export == Export.YES
    name = variable.name
    if name in _NEVER_BY_ITSELF:
        return False
    if name in expander.environment or name in _OF_MAKE:
        return True
    origin = variable.origin
    if origin in (Origin.DEFAULT, Origin.AUTOMATIC):
        return False
    if origin != Origin.COMMAND and (not expander.export_all or name in _NEVER_BY_ALL):
        return False
    return name.isascii() and name.isidentifier()
