"""Rules that come from a Python program instead of a file: the same statements, put together by
whoever writes `from pybuild import Pipeline`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pybuild.pipefile import syntax
from pybuild.source import Span
from pybuild.typed import Any, NamedTuple, Protocol


class Reading(NamedTuple):
    """What a program comes to: statements, the values that their Python names, and the files that
    it has read to find its rules, each with the place that asks for it. They are made before the
    program is read if rules can make them."""

    tree: syntax.Tree
    names: Mapping[str, Any]
    files: Sequence[tuple[str, Span]] = ()


class Program(Protocol):
    """A pipeline that is written in Python."""

    def read(self) -> Reading:
        """What it comes to now. Raises BuildError."""
