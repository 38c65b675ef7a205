"""Rules of a makefile, as they were read: targets, patterns, and what the special targets say.

Data only; `evaluate` fills it, `search` and `update` read it.
"""

from __future__ import annotations

from pybuild.makefile.errors import Place
from pybuild.makefile.variables import Scope, Variable
from pybuild.typed import NamedTuple, Sequence


class Recipe:
    """The lines of a recipe, unexpanded and without their prefix character; a backslash and newline
    within a line are kept. `places` has where each begins; `place` is where the recipe begins.
    `prefix` is the recipe prefix in force (a tab). `is_builtin`: nobody wrote it."""

    __slots__ = ("is_builtin", "lines", "place", "places", "prefix")

    def __init__(
        self,
        lines: Sequence[str],
        place: Place | None,
        places: Sequence[Place] = (),
        prefix: str = "\t",
    ) -> None:
        self.lines = list(lines)
        self.place = place
        self.places = list(places)
        self.prefix = prefix
        self.is_builtin = place is None


class Prerequisite(NamedTuple):
    """A prerequisite by name. `wait`: a `.WAIT` stands before it. `is_explicit`: it was written
    with a target, not found by a pattern rule. `is_named`: a pattern rule has it without a `%`."""

    name: str
    order_only: bool = False
    wait: bool = False
    is_explicit: bool = True
    is_named: bool = False


class Later(NamedTuple):
    """Prerequisites whose text is expanded a second time when their target is looked at
    (`.SECONDEXPANSION`). `stem` is that of a static pattern rule: in its words `%` is `$*` already.
    `position` says before which of the entry's prerequisites they come."""

    text: str
    place: Place | None
    stem: str | None = None
    position: int = 0


class Entry:
    """One rule of one target. A target of `:` has a single one, into which all its rules go; one of
    `::` has one for each rule. `group` are all targets of a `&:` rule. `stem` is that of a static
    pattern rule."""

    __slots__ = ("group", "later", "place", "prerequisites", "recipe", "stem")

    def __init__(self, place: Place | None = None) -> None:
        self.prerequisites: list[Prerequisite] = []
        self.later: list[Later] = []
        self.recipe: Recipe | None = None
        self.stem: str | None = None
        self.group: tuple[str, ...] = ()
        self.place = place


class Target:
    """A name that a makefile mentions. `is_target`: it stands left of a colon; else it is only a
    prerequisite somewhere."""

    __slots__ = (
        "entries",
        "is_double",
        "is_explicit",
        "is_ignored",
        "is_intermediate",
        "is_makefile",
        "is_not_intermediate",
        "is_phony",
        "is_precious",
        "is_secondary",
        "is_serial",
        "is_silent",
        "is_target",
        "name",
        "scope",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[Entry] = []
        self.scope: Scope | None = None  # its own variables, outside of which the global ones are
        self.is_target = False
        self.is_double = False
        self.is_explicit = False  # a makefile mentions it, on either side of a colon
        self.is_phony = False
        self.is_precious = False
        self.is_intermediate = False
        self.is_not_intermediate = False
        self.is_secondary = False
        self.is_silent = False
        self.is_ignored = False
        self.is_serial = False  # `.NOTPARALLEL: t`: its prerequisites are made one by one
        self.is_makefile = False


class PatternRule:
    """`%.o: %.c`. `prerequisites` have the `%` in them; with `.SECONDEXPANSION` `later` holds their
    text instead. `number` is the order of definition; a suffix rule has the number of its line."""

    __slots__ = (
        "is_builtin",
        "is_grouped",
        "is_terminal",
        "later",
        "place",
        "prerequisites",
        "recipe",
        "targets",
    )

    def __init__(
        self,
        targets: tuple[str, ...],
        prerequisites: Sequence[Prerequisite],
        recipe: Recipe | None,
        is_terminal: bool = False,
        place: Place | None = None,
    ) -> None:
        self.targets = targets
        self.prerequisites = list(prerequisites)
        self.later: Later | None = None
        self.recipe = recipe
        self.is_terminal = is_terminal
        self.is_grouped = False  # `&:`
        self.place = place
        self.is_builtin = place is None


class PatternVariable(NamedTuple):
    """`%.o: NAME = value`. Those that match a target count in order of their fixed part's length,
    then of definition."""

    pattern: str
    variable: Variable


class Database:
    """All that the makefiles say of rules."""

    def __init__(self) -> None:
        self.targets: dict[str, Target] = {}  # in the order in which they were first mentioned
        self.patterns: list[PatternRule] = []
        self.pattern_variables: list[PatternVariable] = []
        self.suffixes: list[str] = []
        self.vpaths: list[tuple[str, list[str]]] = []  # `vpath PATTERN DIRS`
        self.default_recipe: Recipe | None = None  # `.DEFAULT`
        self.precious_patterns: list[str] = []
        self.not_intermediate_patterns: list[str] = []
        self.all_secondary = False
        self.none_intermediate = False
        self.all_silent = False
        self.all_ignored = False
        self.export_all = False
        self.not_parallel = False
        self.one_shell = False
        self.is_posix = False
        self.second_expansion = False
        self.delete_on_error = False
        self.low_resolution: set[str] = set()

    def enter(self, name: str) -> Target:
        """The target of that name, made if there is none."""
        found = self.targets.get(name)
        if found is None:
            found = self.targets[name] = Target(name)
        return found
