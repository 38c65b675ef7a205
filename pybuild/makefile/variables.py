"""Variables of a makefile: what they hold, where that came from, and who sees them.

Knows nothing of how texts are expanded: what has to be expanded is given expanded.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from pybuild.makefile.errors import Place


class Origin(IntEnum):
    """Where a value came from; a later one is not replaced by an earlier one."""

    DEFAULT = 0
    ENVIRONMENT = 1
    FILE = 2
    ENVIRONMENT_OVERRIDE = 3
    COMMAND = 4
    OVERRIDE = 5
    AUTOMATIC = 6


ORIGIN_WORDS = {
    Origin.DEFAULT: "default",
    Origin.ENVIRONMENT: "environment",
    Origin.FILE: "file",
    Origin.ENVIRONMENT_OVERRIDE: "environment override",
    Origin.COMMAND: "command line",
    Origin.OVERRIDE: "override",
    Origin.AUTOMATIC: "automatic",
}


class Export(IntEnum):
    """Whether recipes find a variable in their environment."""

    DEFAULT = 0  # if it came from there, or all are exported
    YES = 1
    NO = 2


class Variable:
    """A name and its value. `recursive`: the value is expanded at each use. `appends`: of a target
    or pattern; the value goes behind the one that is inherited. `is_conditional`: of a target or
    pattern, by `?=`."""

    __slots__ = (
        "appends",
        "expanding",
        "export",
        "is_conditional",
        "is_private",
        "name",
        "origin",
        "place",
        "recursive",
        "value",
    )

    def __init__(
        self,
        name: str,
        value: str,
        origin: Origin,
        recursive: bool = True,
        place: Place | None = None,
    ) -> None:
        self.name = name
        self.value = value
        self.origin = origin
        self.recursive = recursive
        self.place = place
        self.export = Export.DEFAULT
        self.is_private = False
        self.appends = False
        self.is_conditional = False
        self.expanding = False  # a value that mentions itself is found by this


class Scope:
    """Variables by name, and the scope that is looked into for others."""

    __slots__ = ("environment_wins", "has_private", "outer", "variables")

    def __init__(self, outer: Scope | None = None) -> None:
        self.environment_wins = False  # `-e`
        self.has_private = False  # some are not seen from inner scopes
        self.variables: dict[str, Variable] = {}
        self.outer = outer

    def find(self, name: str) -> Variable | None:
        """The variable that the name means here. Private ones of outer scopes are not seen."""
        found = self.variables.get(name)
        if found is not None:
            return found
        scope = self.outer
        while scope is not None:
            found = scope.variables.get(name)
            if found is not None and not found.is_private:
                return found
            scope = scope.outer
        return None

    def define(
        self,
        name: str,
        value: str,
        origin: Origin,
        *,
        recursive: bool = True,
        place: Place | None = None,
    ) -> Variable:
        """Sets a variable of this very scope, unless what it has counts for more. Returns what the
        name means then."""
        old = self.variables.get(name)
        if old is None:
            made = self.variables[name] = Variable(name, value, origin, recursive, place)
            return made
        if old.origin is Origin.ENVIRONMENT and self.environment_wins:
            old.origin = Origin.ENVIRONMENT_OVERRIDE
        if origin >= old.origin:
            old.value = value
            old.recursive = recursive
            old.origin = origin
            old.place = place
            old.appends = old.is_conditional = False
        return old

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer


class Frame(Scope):
    """The variables of `$(call)`, `$(foreach)` and `$(let)`, over those of `base`. It holds what
    the frames outside of it hold too, so that names are found in one step. `arguments`: how many
    numbers calls have set."""

    __slots__ = ("arguments", "base")

    def __init__(self, outer: Scope) -> None:
        super().__init__(outer)
        self.base: Scope = outer
        self.arguments = 0
        if isinstance(outer, Frame):
            self.base = self.outer = outer.base
            self.arguments = outer.arguments
            self.variables.update(outer.variables)

    def find(self, name: str) -> Variable | None:
        """The variable that the name means here, private ones of `base` too."""
        found = self.variables.get(name)
        return found if found is not None else self.base.find(name)

    def set(self, name: str, value: str) -> Variable:
        """A new variable that hides outer ones of that name."""
        made = self.variables[name] = Variable(name, value, Origin.AUTOMATIC, False)
        return made
