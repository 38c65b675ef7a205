"""What a build of everything would refuse before it runs its first job: sources that are missing,
patterns that match nothing, cycles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pybuild.dryrun import as_dry, everything, judge, settle_splits
from pybuild.engine.events import Complaint, Event, Judged
from pybuild.engine.ports import Report
from pybuild.project import Project, Wish
from pybuild.source import BuildError, Diagnostic, Span


def was_planned(project: Project) -> bool:
    """Whether loading came so far as to hold files against rules: mistakes in the text or in the
    names stop it before, and no rule has a job then."""
    return not project.loaded.pipeline.errors() and not any(
        each.code.startswith("PB1") for each in project.errors
    )


def plan_complaints(project: Project, wish: Wish) -> list[Diagnostic]:
    """The complaints about files, in no order and perhaps more than once. The project has to be
    one that `was_planned`."""
    return [
        *_of_includes(project),
        *_of_rules(project),
        *_of_plan(project, as_dry(wish)),
    ]


def _of_includes(project: Project) -> Sequence[Diagnostic]:
    """Included files that are not there and that no rule makes."""
    try:
        project.refuse_missing_includes()
    except BuildError as error:
        return error.diagnostics
    return ()


def _of_rules(project: Project) -> Iterator[Diagnostic]:
    """Rules that match nothing, but for those about whose files something is said already."""
    places = [each.span for each in project.errors if each.span]
    for rule in project.loaded.pipeline.rules:
        span = rule.span
        if any(_is_within(at, span) for at in places):
            continue
        try:
            project.loaded.world.check_matched(rule)
        except BuildError as error:
            yield from error.diagnostics


def _is_within(place: Span, other: Span) -> bool:
    """Whether one place starts in another."""
    return place.source.name == other.source.name and other.start <= place.start < other.end


class _PlanStands(Exception):
    """The plan of a build is complete: from here on it would judge and run."""


class _Complaints(Report):
    """A report that keeps the diagnostics which it is told of; `plan_only` ends the build, by
    `_PlanStands`, when the first job has been judged."""

    def __init__(self, *, plan_only: bool) -> None:
        self.plan_only = plan_only
        self.found: list[Diagnostic] = []

    def handle(self, event: Event) -> None:
        """Keeps a complaint. Raises _PlanStands."""
        if isinstance(event, Complaint):
            self.found.append(event.diagnostic)
        elif isinstance(event, Judged) and self.plan_only:
            raise _PlanStands


def _of_plan(project: Project, wish: Wish) -> Sequence[Diagnostic]:
    """What the plan of a build of everything lacks."""
    splits = _Complaints(plan_only=False)
    settle_splits(project, wish, splits)
    plan = _Complaints(plan_only=True)
    try:
        judge(project, everything(project), wish, plan)
    except _PlanStands:
        pass
    except BuildError as error:
        plan.found += error.diagnostics
    return [*splits.found, *plan.found]
