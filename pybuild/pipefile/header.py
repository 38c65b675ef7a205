"""Words of headers: what they show by themselves, and what those that drive a rule capture."""

from __future__ import annotations

from collections.abc import Sequence

from pybuild.pipefile import syntax
from pybuild.pipefile.template import Template
from pybuild.source import BuildError, Diagnostic, Span


def plain(word: syntax.Word) -> str | None:
    """The text of a word that is nothing but text."""
    if len(word.pieces) == 1 and isinstance(word.pieces[0], syntax.Text) and not word.alias:
        return word.pieces[0].text
    return None


def has_percent(words: Sequence[syntax.Word]) -> bool:
    """Whether there is a `%` in any of some words that is meant as one."""
    for word in words:
        for piece in word.pieces:
            if isinstance(piece, syntax.Text) and "%" in piece.text.replace("\\%", ""):
                return True
    return False


def percent_text(template: Template) -> str:
    """A word of a rule with `%` as it stands. Raises BuildError for what only jobs can fill in."""
    if template.literal is None:
        raise BuildError(
            Diagnostic(
                "PB205",
                f"`{template}` can't stand in a rule with `%`",
                template.span,
                help="such a rule takes plain names, variables and `%`",
            )
        )
    return template.literal


def capture_span(words: Sequence[syntax.Word], name: str, otherwise: Span) -> Span:
    """Where a name is captured first."""
    for word in words:
        for piece in word.pieces:
            if isinstance(piece, syntax.Placeholder) and piece.reference.name == name:
                return piece.span
    return otherwise


def captured(template: Template) -> tuple[str, ...]:
    """The names that a driver captures, in the order in which its matches give their texts."""
    return template.reach().fields if not (template.rule or template.call) else ()


def check_alike(drivers: Sequence[Template]) -> None:
    """Words that drive a rule one like the other have to capture the same names in the same order.
    Raises BuildError."""
    for each in drivers[1:]:
        if captured(each) != captured(drivers[0]):
            raise BuildError(
                Diagnostic(
                    "PB205",
                    f"`{drivers[0]}` and `{each}` do not capture the same names",
                    each.span,
                    help="each word of `@for_each` has to, in the same order",
                )
            )
