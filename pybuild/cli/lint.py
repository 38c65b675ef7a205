"""`--lint`: all that is wrong with a Pipefile, as far as one can see without running anything."""

from __future__ import annotations

from collections.abc import Sequence

from pybuild.cli.opening import open_with_errors, wish_of
from pybuild.cli.options import Arguments, UsageError
from pybuild.lint.check import check
from pybuild.lint.plan import was_planned
from pybuild.report.diagnostics import as_data, render
from pybuild.report.sarif import as_log
from pybuild.source import BuildError, Diagnostic

OK, ERROR = 0, 2


def lint(arguments: Arguments) -> int:
    """Prints every mistake and warning, as text, as JSON or as SARIF.

    Returns 0 if there is no mistake, else 2. Raises UsageError for a format that is not known.
    """
    if arguments.format not in ("text", "json", "sarif"):
        raise UsageError(f"`--format={arguments.format}`: it is `text`, `json` or `sarif`")
    wish = wish_of(arguments)
    found: Sequence[Diagnostic]
    planned = True
    try:
        project = open_with_errors(arguments)
        project.loaded.world.tell_guest()
        planned = was_planned(project)
        found = check(project, wish)
    except BuildError as error:
        found = error.diagnostics  # there is no Pipefile that could be read
    if arguments.format == "json":
        _print_data(as_data(found))
    elif arguments.format == "sarif":
        _print_data(as_log(found))
    else:
        _print_text(found, planned)
    return ERROR if any(each.severity == "error" for each in found) else OK


def _print_data(data: object) -> None:
    from json import dumps

    print(dumps(data, indent=2))


def _print_text(found: Sequence[Diagnostic], planned: bool) -> None:
    for each in found:
        print(render(each))
    print(f"pybuild: {_tally(found)}")
    if not planned:
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
