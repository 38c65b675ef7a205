"""All that is wrong with a Pipefile, and all that looks as if it were not meant.

Each family of checks is a module of pure functions from what was loaded to diagnostics. What is not
known (a rule in which there is a mistake, a name whose value only the user's code could tell) is
passed over: a complaint that is not true is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pybuild.lint.habits import habits
from pybuild.lint.hazards import hazards
from pybuild.lint.known import known_of
from pybuild.lint.names import names
from pybuild.lint.overlaps import rivals, unreachable
from pybuild.lint.plan import plan_complaints, was_planned
from pybuild.lint.scans import Scans
from pybuild.lint.texts import texts
from pybuild.pipefile.load import Loaded
from pybuild.project import Project, Wish
from pybuild.source import Diagnostic


def check(project: Project, wish: Wish) -> list[Diagnostic]:
    """What is wrong with an opened project: in its text, its names, and the plan of a build of all
    that it can make, each once and in the order of the places.

    Runs no recipe and takes no lock. If mistakes of form or names keep rules and files from being
    held together (`was_planned`), nothing is said of files.
    """
    found = [*project.diagnostics, *check_text(project.loaded)]
    if was_planned(project):
        found += plan_complaints(project, wish)
        found += rivals(project.loaded.world)
    return in_order(_told_once(found), project.loaded)


def check_text(loaded: Loaded, scanned: Scans | None = None) -> list[Diagnostic]:
    """The warnings that the text alone gives: no file is looked at, nothing is judged. Takes what
    was loaded, whatever is wrong with it, and what was scanned of it when it was asked last."""
    known = known_of(loaded, scanned or Scans())
    return [
        *texts(known),
        *habits(known),
        *hazards(known),
        *names(known),
        *unreachable(known),
    ]


def _told_once(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """All but the warnings that start where a mistake does: those are about the same."""
    places = {_start(each) for each in found if each.severity == "error"}
    return [each for each in found if each.severity == "error" or _start(each) not in places]


def _start(diagnostic: Diagnostic) -> tuple[str, int] | None:
    span = diagnostic.span
    return (span.source.name, span.start) if span else None


def in_order(found: Iterable[Diagnostic], loaded: Loaded) -> list[Diagnostic]:
    """Each once, by its place: files in the order of their reading, what has no place last."""
    order = {source.name: number for number, source in enumerate(loaded.sources)}
    unique: Sequence[Diagnostic] = list(
        {(each.code, each.message, each.span): each for each in found}.values()
    )
    return sorted(
        unique,
        key=lambda each: (
            (order.get(each.span.source.name, -1), each.span.start)
            if each.span
            else (len(order), 0)
        ),
    )
