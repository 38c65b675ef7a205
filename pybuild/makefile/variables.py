"""Variables of a makefile: what they hold, where that came from, and who sees them.

Knows nothing of how texts are expanded: what has to be expanded is given expanded.
"""

from __future__ import annotations

from pybuild.makefile.errors import Place
from pybuild.typed import Iterator, Sequence


class Origin:
    """Where a value came from; a later one is not replaced by an earlier one. Plain numbers, as
    `enum` would take longer to import than a small makefile to read."""

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


class Export:
    """Whether recipes find a variable in their environment."""

    DEFAULT = 0  # if it came from there, or all are exported
    YES = 1
    NO = 2


class Variable:
    """A name and its value. `recursive`: the value is expanded at each use. `appends`: of a target
    or pattern; the value goes behind the one that is inherited. `is_conditional`: of a target or
    pattern, by `?=`. `is_postponed`: of a pattern, by `:::=`,
    which is expanded for each target that matches."""

    __slots__ = (
        "appends",
        "expanding",
        "export",
        "is_conditional",
        "is_postponed",
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
        origin: int,
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
        self.is_postponed = False
        self.expanding = False  # a value that mentions itself is found by this

    def guard(self, environment_wins: bool) -> None:
        """Makes a value from the environment count for more, if that is to win."""
        if environment_wins and self.origin == Origin.ENVIRONMENT:
            self.origin = Origin.ENVIRONMENT_OVERRIDE


class Scope:
    """Variables by name, and the scope that is looked into for others. `texts` is empty: what it
    has are variables."""

    __slots__ = ("environment_wins", "has_private", "outer", "texts", "variables")

    def __init__(self, outer: Scope | None = None) -> None:
        self.environment_wins = False  # `-e`
        self.has_private = False  # some are not seen from inner scopes
        self.variables: dict[str, Variable] = {}
        self.texts: dict[str, str] = {}
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
        origin: int,
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
        old.guard(self.environment_wins)
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


_NUMBERS = tuple(map(str, range(64)))


class Frame:
    """The variables of `$(call)`, `$(foreach)` and `$(let)`, and automatic ones, over those of the
    scope `base`. It holds what the frames outside of it hold too, so that names are found in one
    step. `texts` are their values, which are not expanded; `arguments`: how many numbers calls have
    set."""

    __slots__ = ("arguments", "base", "texts")

    def __init__(self, outer: Scope | Frame) -> None:
        self.base: Scope
        self.texts: dict[str, str]
        self.arguments: int
        if isinstance(outer, Frame):
            self.base = outer.base
            self.texts = outer.texts.copy()
            self.arguments = outer.arguments
        else:
            self.base = outer
            self.texts = {}
            self.arguments = 0

    def number(self, arguments: Sequence[str]) -> None:
        """Sets `0`, `1` and so on. Further numbers that an outer call has set are empty."""
        count = len(arguments)
        numbers = _NUMBERS if count <= len(_NUMBERS) else map(str, range(count))
        self.texts.update(zip(numbers, arguments))  # noqa: B905 (there are more numbers)
        for number in range(count, self.arguments):
            self.texts[str(number)] = ""
        if count > self.arguments:
            self.arguments = count

    def find(self, name: str) -> Variable | None:
        """The variable that the name means here, private ones of `base` too."""
        text = self.texts.get(name)
        if text is not None:
            return Variable(name, text, Origin.AUTOMATIC, False)
        return self.base.find(name)
