"""`--lint`: all that is wrong with a Pipefile, as far as one can see without running anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pybuild.cli.listing import dry_wish, everything, judge, settle_splits
from pybuild.cli.opening import open_with_errors
from pybuild.cli.options import Arguments, UsageError
from pybuild.engine.events import Complaint, Event, Judged
from pybuild.engine.ports import Report
from pybuild.project import Project, Wish
from pybuild.report.diagnostics import as_data, render
from pybuild.source import BuildError, Diagnostic

OK, ERROR = 0, 2


def lint(arguments: Arguments) -> int:
    """Prints every mistake and warning, as text or as JSON.

    Returns 0 if there is no mistake, else 2. Raises UsageError for a format that is not known.
    """
    if arguments.format not in ("text", "json"):
        raise UsageError(f"`--format={arguments.format}`: it is `text` or `json`")
    wish = dry_wish(arguments)
    found: list[Diagnostic] = []
    matched = True
    try:
        project = open_with_errors(arguments)
        project.loaded.world.tell_guest()
        found += project.diagnostics
        matched = _files_were_matched(project)
        if matched:
            found += _include_complaints(project)
            found += _rule_complaints(project)
            found += _plan_complaints(project, wish)
        found = _in_order(found, project)
    except BuildError as error:
        found += error.diagnostics  # there is no Pipefile that could be read
    if arguments.format == "json":
        _print_data(found)
    else:
        _print_text(found, matched)
    return ERROR if any(each.severity == "error" for each in found) else OK


def _files_were_matched(project: Project) -> bool:
    """Whether loading came so far as to hold files against rules: mistakes in the text or in the
    names stop it before, and no rule has a job then."""
    return not project.loaded.pipeline.errors() and not any(
        each.code.startswith("PB1") for each in project.errors
    )


def _include_complaints(project: Project) -> Sequence[Diagnostic]:
    """Included files that are not there and that no rule makes."""
    try:
        project.refuse_missing_includes()
    except BuildError as error:
        return error.diagnostics
    return ()


def _rule_complaints(project: Project) -> Iterator[Diagnostic]:
    """Rules that match nothing, but for those about whose files something is said already."""
    places = [each.span for each in project.errors if each.span]
    for rule in project.loaded.pipeline.rules:
        span = rule.span
        if any(span.source is at.source and span.start <= at.start < span.end for at in places):
            continue
        try:
            project.loaded.world.check_matched(rule)
        except BuildError as error:
            yield from error.diagnostics


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


def _plan_complaints(project: Project, wish: Wish) -> Sequence[Diagnostic]:
    """What a build of everything would refuse before it runs its first job."""
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


def _in_order(found: Sequence[Diagnostic], project: Project) -> list[Diagnostic]:
    """Each once, by its place: files in the order of their reading, what has no place last."""
    order = {source.name: number for number, source in enumerate(project.loaded.sources)}
    unique = {(each.code, each.message, each.span): each for each in found}.values()
    return sorted(
        unique,
        key=lambda each: (
            (order.get(each.span.source.name, -1), each.span.start)
            if each.span
            else (len(order), 0)
        ),
    )


def _print_data(found: Sequence[Diagnostic]) -> None:
    from json import dumps

    print(dumps(as_data(found), indent=2))


def _print_text(found: Sequence[Diagnostic], matched: bool) -> None:
    for each in found:
        print(render(each))
    print(f"pybuild: {_tally(found)}")
    if not matched:
        print("pybuild: what the rules match was not looked at because of that")


def _tally(found: Sequence[Diagnostic]) -> str:
    """How many mistakes and warnings there are."""
    errors = sum(each.severity == "error" for each in found)
    parts = [_counted(errors, "error")] if errors else []
    if len(found) > errors:
        parts.append(_counted(len(found) - errors, "warning"))
    return ", ".join(parts) or "no errors"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
