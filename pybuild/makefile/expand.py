"""Expansion: `$(NAME)`, `$(NAME:a=b)`, `$(function arguments)`, `$x`, `$$`."""

from __future__ import annotations

from collections.abc import Callable

from pybuild.makefile.errors import Place
from pybuild.makefile.ports import Services
from pybuild.makefile.variables import Scope


class Expander:
    """Expands texts. `scope` is where names are looked up first (that of a target while its recipe
    or its prerequisites are expanded, else the global one); `place` is what messages point at.
    `read` reads makefile text, for `$(eval)`: it is set by whoever reads makefiles."""

    def __init__(self, variables: Scope, services: Services) -> None:
        self.variables = variables  # the global ones
        self.scope = variables
        self.services = services
        self.place: Place | None = None
        self.program = "make"  # the name that messages begin with
        self.is_posix = False
        self.warns_undefined = False
        self.read: Callable[[str, Place | None], None] | None = None

    def expand(self, text: str) -> str:
        """The text with all references replaced by what they stand for. Raises MakeError."""
        raise NotImplementedError

    def value(self, name: str) -> str:
        """The expanded value of a variable, "" if there is none. Raises MakeError."""
        raise NotImplementedError
