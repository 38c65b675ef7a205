"""What rules came to in an earlier reading: a port of the resolver, for texts that are read again
and again (`recollection`)."""

from __future__ import annotations

from pybuild.pipefile.rules import Rule
from pybuild.pipefile.syntax import Rule as Node
from pybuild.source import Diagnostic
from pybuild.typed import Any, NamedTuple, Protocol


class Outcome(NamedTuple):
    """What a rule as it is written came to, None if there is a mistake in it, and what was said."""

    rule: Rule | None
    diagnostics: tuple[Diagnostic, ...]


class Meaning(NamedTuple):
    """What a name means to rules: its value (`NOTHING` if it has none), and whether it is that of a
    variable, of a rule, of something whose value is not known."""

    value: Any
    is_variable: bool
    is_rule: bool
    is_lost: bool


NOTHING = object()


class Meanings(Protocol):
    """What names mean where a rule is resolved. With its own text, that is all that an outcome
    depends on, but for the disk."""

    def meaning(self, name: str) -> Meaning:
        """What one name means."""

    def any_means(self, names: frozenset[str]) -> bool:
        """Whether any of some names means something."""

    def all_names(self) -> tuple[str, ...]:
        """All that are known, in an order: complaints propose some of them."""

    def in_common(self) -> tuple[object, ...]:
        """What counts for all rules."""


class Memory(Protocol):
    """Keeps what rules came to."""

    def recall(self, node: Node, meanings: Meanings) -> Outcome | None:
        """What would come of a rule now; None if that is not known."""

    def keep(self, node: Node, outcome: Outcome, meanings: Meanings) -> None:
        """A rule has come to this, and has had no other effect."""

    def turn(self) -> None:
        """All rules of a reading are known; those that were not among them are gone."""
