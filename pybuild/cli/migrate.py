"""`--migrate`: a makefile as a Pipefile."""

from __future__ import annotations

import sys

from pybuild.cli.frontend import typed_name
from pybuild.cli.make_read import Reading
from pybuild.cli.make_start import OK, OUT_OF_DATE, Start, Terminal
from pybuild.cli.options import Arguments, UsageError
from pybuild.makefile.errors import MakeError
from pybuild.makefile.migrate import Migration
from pybuild.makefile.migrate import migrate as migrated
from pybuild.makefile.statements import NotingReader


class _Aside(Terminal):
    """What a makefile says while it is read is no part of the Pipefile."""

    def out(self, text: str) -> None:
        self.err(text)


def migrate(arguments: Arguments) -> int:
    """Prints the Pipefile, or writes it; says what is missing in it. Returns 0, or 1 if something
    is. Raises UsageError."""
    start = Start([], typed_name(sys.argv[0]))
    start.console = _Aside()
    start.program = "pybuild"
    try:
        start.prepare()
        start.flags.files = _makefile(arguments)
        start.flags.include_folders = list(arguments.include)
        start.goals = []
        reading = Reading(start, 0, NotingReader)
        reading.read()
        assert isinstance(reading.reader, NotingReader)
        if not reading.reader.makefiles or not reading.reader.makefiles[0].found:
            raise UsageError("--migrate: there is no makefile")
        goals = reading.default_goal()
        result = migrated(reading.reader, goals)
    except MakeError as error:
        return start.tell(error)
    finally:
        start.leave()
    _write(result, arguments.write)
    for left in result.left:
        place = f"{left.place}: " if left.place is not None else ""
        print(f"pybuild: {place}not migrated: {left.why}", file=sys.stderr)
    return OUT_OF_DATE if result.left else OK


def _makefile(arguments: Arguments) -> list[str]:
    if not arguments.migrate:
        raise UsageError("--write goes with --migrate")
    names = [*arguments.files, *arguments.goals]
    if len(names) > 1:
        raise UsageError("--migrate takes one makefile")
    return names


def _write(result: Migration, name: str) -> None:
    if not name:
        sys.stdout.write(result.text)
        return
    try:
        with open(name, "x", encoding="utf-8", errors="surrogateescape") as file:
            file.write(result.text)
    except OSError as error:
        raise UsageError(f"--write: {name}: {error.strerror}") from None
