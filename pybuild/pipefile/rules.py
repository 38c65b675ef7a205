"""Rules with all their names known: what `resolve` gives and `instantiate` takes. Data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pybuild.graph import Traits
from pybuild.pipefile.attributes import Settings
from pybuild.pipefile.recipe import RecipeTemplate
from pybuild.pipefile.template import Template
from pybuild.pipefile.tuples import Way
from pybuild.source import Diagnostic, Span
from pybuild.typed import Any

LITERAL = "literal"  # targets are plain names: one job for each, or one for all
EACH = "each"  # one job for each match of the driver
COLLATE = "collate"  # matches that give the same targets make one job
TUPLE = "tuple"  # matches are taken together; each tuple of them makes a job
PATTERN = "pattern"  # `%`: made when something needs it
STATIC = "static"  # make's static pattern rule
VALUE = "value"  # of kinds: what its recipe returns is its outcome


class Rule:
    """A rule with all its names known. `flavour` says how matches become jobs; `splits` that the
    outputs are globs, known after the run. `drivers` is the first prerequisite (several names if
    it is a list), of each match of which a job is made; `prerequisites` are the others, or all
    where nothing drives. Where tuples of files make a job, `way` says which, and `places` the place
    in it of each driver's matches. `captures` are the names that the driver binds, in the order of
    the groups of its pattern; `for_each` says that the files of the drivers are no inputs.
    `grouped` says that one job makes all targets. Rules with `%` have their texts in `patterns`
    (targets), `sources` and `later` (prerequisites, order-only). `params` are the values of
    `@params`, texts with placeholders as templates. The outcome of a `value` is no file of the
    user's but an object."""

    __slots__ = (
        "captures",
        "drivers",
        "flavour",
        "for_each",
        "grouped",
        "index",
        "is_guest",
        "later",
        "name",
        "order_only",
        "params",
        "patterns",
        "places",
        "prerequisites",
        "recipe",
        "settings",
        "sources",
        "span",
        "splits",
        "targets",
        "traits",
        "value",
        "way",
    )

    def __init__(
        self,
        index: int,
        name: str,
        flavour: str,
        splits: bool,
        span: Span,
        targets: list[Template],
        drivers: list[Template],
        prerequisites: list[Template],
        order_only: list[Template],
        captures: tuple[str, ...],
        settings: Settings,
        traits: Traits,
        recipe: RecipeTemplate | None,
        grouped: bool,
        params: Mapping[str, Any],
    ) -> None:
        self.index = index
        self.name = name
        self.flavour = flavour
        self.splits = splits
        self.span = span
        self.targets = targets
        self.drivers = drivers
        self.prerequisites = prerequisites
        self.order_only = order_only
        self.captures = captures
        self.settings = settings
        self.traits = traits
        self.recipe = recipe
        self.grouped = grouped
        self.params = params
        self.for_each = bool(settings.driving)
        self.value = False
        self.is_guest = False  # of a makefile
        self.way: Way | None = None
        self.places: Sequence[int] = ()
        self.patterns: list[str] = []
        self.sources: list[str] = []
        self.later: list[str] = []

    @property
    def label(self) -> str:
        return self.traits.rule


class Pipeline:
    """A whole Pipefile, its includes among it, resolved. `lost` are places of rules that are not
    among `rules`, as something in their headers is wrong or not known; `unclear` places of rules
    with attributes of which only running the user's code could tell what they come to. `is_open`
    says that what could not be read may have defined anything."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.named: dict[str, Rule] = {}
        self.values: frozenset[str] = frozenset()  # names of rules whose outcome is an object
        self.namespace: dict[str, Any] = {}
        self.variables: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.phony: dict[str, Span] = {}
        self.pools: dict[str, int] = {}
        self.diagnostics: list[Diagnostic] = []
        self.lost: list[Span] = []
        self.unclear: list[Span] = []
        self.missing: list[tuple[str, Span, bool]] = []
        self.included: list[str] = []
        self.makefiles: dict[str, Span] = {}  # those included, with who includes them
        self.default: Rule | None = None
        self.is_open = False

    @property
    def is_partial(self) -> bool:
        """Whether there may be rules that are not among `rules`, or not as they stand there."""
        return bool(self.lost or self.unclear or self.is_open)

    def errors(self) -> list[Diagnostic]:
        return [each for each in self.diagnostics if each.severity == "error"]
