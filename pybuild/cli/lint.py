"""`--lint`: all that is wrong with a Pipefile, as far as one can see without running anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pybuild.cli.listing import Silent, judge
from pybuild.cli.opening import open_with_errors, wish_of
from pybuild.cli.options import Arguments, UsageError
from pybuild.engine.events import Complaint, Event
from pybuild.graph import Job
from pybuild.pipefile.resolve import PATTERN
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
    wish = wish_of(arguments)._replace(question=True, keep_going=True, dry=False, touch=False)
    found: list[Diagnostic] = []
    matched = True
    try:
        project = open_with_errors(arguments)
        found += project.loaded.diagnostics
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
        project.make_includes(Wish(dry=True), Silent())
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


class _Complaints:
    """A report that keeps the diagnostics which it is told of."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def handle(self, event: Event) -> None:
        """Keeps a complaint; takes no note of other events."""
        if isinstance(event, Complaint):
            self.found.append(event.diagnostic)


def _plan_complaints(project: Project, wish: Wish) -> Sequence[Diagnostic]:
    """What a build of everything would refuse before it runs its first job."""
    from pybuild.engine.build import NotUpToDate

    report = _Complaints()
    try:
        judge(project, _everything(project), wish, report)
    except NotUpToDate:
        pass
    except BuildError as error:
        report.found += error.diagnostics
    return report.found


def _everything(project: Project) -> list[Job]:
    """Jobs that stand for all that the Pipefile can make, but for what is made on demand."""
    world = project.loaded.world
    found = []
    for rule in project.loaded.pipeline.rules:
        if rule.flavour == PATTERN or not rule.settings.active:
            continue
        try:
            found.append(world.whole_rule(rule))
        except BuildError:
            found += world.jobs_of[rule.index]  # that it matches nothing is said elsewhere
    return found


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
