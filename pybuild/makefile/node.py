"""What a walk knows of a target: how far it is, and what it has found out."""

from __future__ import annotations

from pybuild.makefile.errors import Place
from pybuild.makefile.rules import Entry, PatternRule, Prerequisite, Recipe, Target
from pybuild.makefile.variables import Scope
from pybuild.typed import Any, Generator, Sequence

# Times are in ns since the epoch; these stand below and above all that a file can have.
UNKNOWN = -2
MISSING = -1
OLD = 0
NEW = 1 << 62


class Status:
    """How it went. A later one outweighs an earlier one."""

    SUCCESS = 0
    QUESTION = 1  # `-q`: there is something to do
    FAILED = 2


class State:
    """Where a node is on its way."""

    NEW = 0
    UPDATING = 1  # the walk is in it, or below it
    PARKED = 2  # it waits for prerequisites that run
    RUNNING = 3
    DONE = 4


class Dependency:
    """A prerequisite of a node. `has_changed` is for `$?`: it is newer than the target, or has been
    made. `is_hidden`: no automatic variable has it (`.EXTRA_PREREQS`)."""

    __slots__ = ("has_changed", "is_explicit", "is_hidden", "node", "order_only", "wait")

    def __init__(
        self, node: Node, order_only: bool = False, wait: bool = False, is_explicit: bool = True
    ) -> None:
        self.node = node
        self.order_only = order_only
        self.wait = wait
        self.is_explicit = is_explicit
        self.has_changed = False
        self.is_hidden = False


class Node:
    """One rule of a target, in this run. `name` is what the target is called now: another than the
    target's own where directory search has found it elsewhere (`found`)."""

    __slots__ = (
        "before",
        "dependencies",
        "dont_care",
        "entry",
        "failed_at",
        "found",
        "frame",
        "has_run",
        "is_by_pattern",
        "is_grouped",
        "is_intermediate",
        "name",
        "not_found",
        "order",
        "parent",
        "pattern_prerequisites",
        "peers",
        "recipe",
        "rule",
        "scope",
        "searched",
        "state",
        "status",
        "stem",
        "target",
        "time",
        "waiters",
        "waits_for",
    )

    def __init__(self, target: Target, entry: Entry) -> None:
        self.target = target
        self.entry = entry
        self.name = target.name
        self.found = ""
        self.time = UNKNOWN
        self.before = UNKNOWN  # the time when it was first looked at
        self.recipe: Recipe | None = entry.recipe
        self.stem: str | None = entry.stem
        self.dependencies: list[Dependency] | None = None  # once they are known
        self.peers: list[Node] = []  # made by the same run of the recipe
        self.searched = False  # for a pattern rule
        self.is_by_pattern = False  # one was found
        self.rule: PatternRule | None = None  # that one
        self.is_grouped = False  # by a pattern rule with `&:`
        self.not_found = ""  # of a makefile: what is said before it is said that no rule makes it
        self.order: list[Dependency] = []  # in which prerequisites are looked at
        self.pattern_prerequisites: Sequence[Prerequisite] = ()  # what that one asks for
        self.is_intermediate = target.is_intermediate or target.is_secondary
        self.dont_care = False  # nobody wants to hear that it cannot be made
        self.state = State.NEW
        self.status = Status.SUCCESS
        self.failed_at: Place | None = None  # where the line of its recipe stands that failed
        self.has_run = False  # its recipe ran, or would have
        self.parent: Node | None = None  # what wanted it first; its variables are seen here
        self.scope: Scope | None = None
        self.frame: Generator[Any, Any, None] | None = None
        self.waits_for = 0
        self.waiters: list[Node] = []

    def take_not_found(self) -> str:
        """What is to be said first when this fails: that the makefile that wants it is not there.
        It is said once."""
        node: Node | None = self
        while node is not None and not node.not_found:
            node = node.parent
        if node is None:
            return ""
        text, node.not_found = node.not_found, ""
        return text

    @property
    def is_phony(self) -> bool:
        return self.target.is_phony

    def __repr__(self) -> str:
        return f"Node({self.name!r})"
