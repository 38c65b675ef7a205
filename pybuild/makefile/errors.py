"""What goes wrong in a makefile, in make's words."""

from __future__ import annotations

from pybuild.typed import NamedTuple


class Place(NamedTuple):
    """A line of a makefile, as messages name it. `file` is the name that it was read by."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class MakeError(Exception):
    """Make stops here. `message` is without its full stop: `Makefile:3: *** MESSAGE.  Stop.`"""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
