"""Rules of another language that a Pipefile takes in: what is asked of those who know them.

A makefile decides how a file is made when somebody asks for it, so its rules are no `Rule`s: they
give jobs by name. For those who list and draw, each is told of as a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pybuild.graph import Header, Job
from pybuild.names import Anything
from pybuild.pipefile.attributes import Settings
from pybuild.pipefile.recipe import RecipeTemplate
from pybuild.pipefile.rules import LITERAL, PATTERN, Rule
from pybuild.pipefile.template import Template
from pybuild.source import Span
from pybuild.typed import Protocol


class Needs(Protocol):
    """What a job needs, by name: what it reads, and what only has to be there."""

    @property
    def inputs(self) -> tuple[str, ...]: ...

    @property
    def order_only(self) -> tuple[str, ...]: ...


class Guest(Protocol):
    """The rules of all makefiles that a Pipefile includes. All methods may raise BuildError."""

    def included(self) -> Iterable[str]:
        """The makefiles that were read and may be made."""

    def missing(self) -> Iterable[tuple[str, Span, bool]]:
        """Makefiles that are not there: their names, who wants them, whether they need not be."""

    def default(self) -> str:
        """The goal where none is given, or ""."""

    def pools(self) -> Mapping[str, int]:
        """Pools of jobs, and how many of each may run at once."""

    def owns(self, name: str) -> bool:
        """Whether there is a rule with a recipe for this very name."""

    def planned(self) -> Iterable[str]:
        """The files that are made by rules which name them."""

    def job(self, name: str, *, is_outside: bool) -> Job | None:
        """A new job that makes a file; `is_outside`: it is none of the makefiles that needs it."""

    def needs(self, job: Job) -> Needs:
        """What a job needs."""

    def behind(self, name: str) -> Needs:
        """What a file needs besides, whose recipe is in the Pipefile."""

    def header_of(self, job: Job) -> Header:
        """The rule that a job belongs to."""

    def header(self, name: str) -> Header:
        """What is said of a target by its name."""

    def headers(self) -> Iterable[Header]:
        """All rules."""


class Makefiles(Protocol):
    """Reads makefiles."""

    def is_makefile(self, name: str) -> bool:
        """Whether a file is a makefile, by its name."""

    def read(
        self, names: Sequence[str], span: Span | None
    ) -> Callable[[Callable[[str], bool]], Guest]:
        """Reads makefiles, one after the other, as one. The result gives their rules; it is told
        which files an earlier build made. `span` is who includes them. Raises BuildError."""


def rule_of(header: Header, index: int) -> Rule:
    """A rule of a makefile as one of a Pipefile, to be listed and drawn."""
    span = header.origin
    texts = (header.targets, header.prerequisites, header.order_only)
    targets, prerequisites, later = ([_word(text, span) for text in some] for some in texts)
    rule = Rule(
        index,
        "",
        PATTERN if header.is_pattern else LITERAL,
        False,
        span,
        targets,
        [],
        prerequisites,
        later,
        (),
        Settings(span),
        header.traits,
        RecipeTemplate((), "", "", span) if header.has_recipe else None,
        len(header.targets) > 1,
        {},
    )
    rule.is_guest = True
    if header.is_pattern:
        rule.patterns, rule.sources, rule.later = map(list, texts)
    return rule


def _word(text: str, span: Span) -> Template:
    """A word of a makefile; what is filled in later may become anything."""
    return Template(span, [Anything() if "$" in text else text])
