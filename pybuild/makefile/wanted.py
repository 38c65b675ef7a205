"""How each file that a makefile can make would be made: a walk in which no recipe runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from pybuild.files import Disk
from pybuild.makefile.debugging import Debug
from pybuild.makefile.errors import MakeError
from pybuild.makefile.execution import Executor, Telling
from pybuild.makefile.expand import Expander
from pybuild.makefile.node import Node
from pybuild.makefile.ports import Command, Ended, Mute, Slots
from pybuild.makefile.rules import Database, PatternRule, Prerequisite
from pybuild.makefile.search import Search, directories_of
from pybuild.makefile.times import Times
from pybuild.makefile.update import Manner, Walk

SPECIAL_TARGETS = frozenset(
    """
    .PHONY .SUFFIXES .DEFAULT .PRECIOUS .INTERMEDIATE .NOTINTERMEDIATE .SECONDARY .SECONDEXPANSION
    .DELETE_ON_ERROR .IGNORE .LOW_RESOLUTION_TIME .SILENT .EXPORT_ALL_VARIABLES .NOTPARALLEL
    .ONESHELL .POSIX .WAIT
    """.split()
)


class _NoCommands:
    """Starts nothing."""

    def start(self, number: int, command: Command) -> int:  # noqa: ARG002
        return 0

    def say(self, number: int, text: str, to_error: bool = False) -> None: ...

    def wait(self, block: bool, slots: Slots | None = None) -> Sequence[Ended]:  # noqa: ARG002
        return ()

    def finish(self, number: int) -> None: ...

    def stop(self, signum: int) -> None: ...


class _OneSlot:
    """There is always one, as nothing runs."""

    def take(self) -> bool:
        return True

    def give_back(self) -> None: ...

    def fileno(self) -> int:
        return -1

    def retry_after(self) -> float | None:
        return None

    def inherited(self) -> tuple[int, ...]:
        return ()


class _Noting(Executor):
    """Takes each recipe for done, and says nothing."""

    def __init__(self, database: Database, expander: Expander, times: Times) -> None:
        telling = Telling(dry=True, silent=True, keep_going=True)
        debug = Debug(Mute())
        super().__init__(
            database, expander, times, _NoCommands(), _OneSlot(), Disk(), debug, telling
        )

    def start(self, node: Node, linear: bool) -> None:  # noqa: ARG002
        node.has_run = True
        self.finished(node)

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def complain(self, text: str) -> None: ...


class Wanted:
    """The nodes of all targets of a makefile, and of what they need. `goals` are walked first:
    what is wanted by several targets has the variables of the first."""

    def __init__(
        self,
        database: Database,
        expander: Expander,
        goals: Sequence[str],
        prerequisites: Callable[[str], list[Prerequisite]],
    ) -> None:
        self.database = database
        directories = directories_of(database, expander)
        search = Search(database, directories, expander)
        times = Times(database, directories, lambda _: None, time.time_ns, expander.services.looks)
        executor = _Noting(database, expander, times)
        manner = Manner(keep_going=True, always=True, dry=True)
        self._walk = Walk(
            database, expander, search, times, executor, manner, prerequisites, executor.debug
        )
        names = [name for name, target in database.targets.items() if target.is_target]
        for name in dict.fromkeys([*goals, *names]):
            if name not in SPECIAL_TARGETS and not self.is_suffix_rule(name):
                try:
                    self._walk.update([name])
                except MakeError:
                    pass  # what make cannot make is no matter of the language

    def is_suffix_rule(self, name: str) -> bool:
        """Whether a target is no file but a rule such as `.c.o`."""
        suffixes = self.database.suffixes
        return name in suffixes or any(
            name == first + second for first in suffixes for second in suffixes
        )

    def nodes(self) -> Iterator[Node]:
        """All of them, in the order in which they came up."""
        for nodes in self._walk.known.nodes.values():
            yield from nodes

    def of(self, name: str) -> list[Node]:
        """The nodes of a name; none if nothing wants it."""
        return self._walk.known.nodes.get(name, [])

    def is_removed(self, node: Node) -> bool:
        """Whether make removes the file at the end, as it is only on the way to others."""
        return node.is_intermediate and node.recipe is not None and self._walk.known.may_go(node)

    def pattern_rule(self, node: Node) -> PatternRule | None:
        """The rule that makes a node that is made by a pattern."""
        return node.rule if node.is_by_pattern else None
