"""What `-d` and `--debug` tell of the work, each line as far to the right as its file is away from
its goal."""

from __future__ import annotations

from pybuild.makefile.node import Node
from pybuild.makefile.ports import Console


class Debug:
    """Tells what is of one of the `levels` (those of `Flags.debug_levels`). `base`: how far to the
    right goals are; `searched`: the file for which a rule is searched."""

    def __init__(self, console: Console, levels: frozenset[str] = frozenset()) -> None:
        self.console = console
        self.base = 0
        self.searched = 0
        self.set_levels(levels)

    def set_levels(self, levels: frozenset[str]) -> None:
        """From now on these are told."""
        self.levels = levels
        self.is_basic = "basic" in levels
        self.is_verbose = "verbose" in levels
        self.is_implicit = "implicit" in levels
        self.is_jobs = "jobs" in levels

    def basic(self, depth: int, text: str) -> None:
        """Tells what is of the level `basic`, at a depth."""
        if self.is_basic:
            self._tell(depth, text)

    def verbose(self, depth: int, text: str) -> None:
        """Tells what is of the level `verbose`, at a depth."""
        if self.is_verbose:
            self._tell(depth, text)

    def implicit(self, depth: int, text: str) -> None:
        """Tells what is of the level `implicit`, at a depth."""
        if self.is_implicit:
            self._tell(depth, text)

    def jobs(self, text: str) -> None:
        """Tells what is of the level `jobs`."""
        if self.is_jobs:
            self._tell(0, text)

    def depth(self, node: Node) -> int:
        """How far a file is away from its goal."""
        depth = self.base
        while node.parent is not None:
            node = node.parent
            depth += 1
        return depth

    def _tell(self, depth: int, text: str) -> None:
        self.console.out(f"{' ' * depth}{text}\n")
