"""`--format`: Pipefiles in one style, written in place, compared, or passed through."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from pybuild.cli.frontend import is_makefile
from pybuild.cli.options import Arguments, UsageError
from pybuild.pipefile.format import format_text
from pybuild.pipefile.inline import Tidy
from pybuild.pipefile.load import decoded
from pybuild.pipefile.ruff import find_ruff, run_ruff
from pybuild.report.brief import counted
from pybuild.report.diagnostics import render
from pybuild.source import BuildError, Diagnostic
from pybuild.typed import NamedTuple

OK, WOULD_CHANGE, ERROR = 0, 1, 2
_INPUT = "-"  # standard input as a file
_ENDS = ".pipe"
_PRINTED = ("text", "json")
_ANOTHER_COMMAND = (
    "lint list_rules print_data_base migrate write flowchart adopt forgotten stale remove "
    "history watch compdb"
).split()


class _Formatted(NamedTuple):
    """A file, or standard input, as it is and as it would be."""

    name: str
    before: bytes
    after: bytes

    @property
    def changes(self) -> bool:
        return self.before != self.after

    @property
    def shown(self) -> str:
        """What it is called in messages."""
        return _shown(self.name)


def _shown(name: str) -> str:
    return "standard input" if name == _INPUT else name


def format_files(arguments: Arguments) -> int:
    """Formats what the arguments name. Returns 0; with `--check` 1 if something would change; 2 if
    a file has mistakes or cannot be read, of which it says why. Raises UsageError."""
    _refuse_mixtures(arguments)
    names = list(_files(arguments.goals or arguments.files or ["."]))
    if not names:
        raise UsageError("--format: there is no Pipefile here; name the files to be formatted")
    ruff = find_ruff()
    found: list[_Formatted] = []
    status = OK
    for name in names:
        try:
            one = _formatted(name, ruff)
            _put(one, arguments)
            found.append(one)
        except BuildError as error:
            status = ERROR
            sys.stdout.flush()
            for diagnostic in error.diagnostics:
                print(render(diagnostic), file=sys.stderr)
    if names != [_INPUT] and not arguments.quiet:
        _tell(found, len(names) - len(found), arguments)
    if arguments.check and status == OK:
        return WOULD_CHANGE if any(one.changes for one in found) else OK
    return status


def _refuse_mixtures(arguments: Arguments) -> None:
    """Raises UsageError for words that mean something else than what they seem to."""
    if arguments.format is not None:
        given = "--check" if arguments.check else "--diff"
        raise UsageError(f"{given} goes with --format, which has no value then")
    for field in _ANOTHER_COMMAND:
        if getattr(arguments, field):
            raise UsageError(
                "--format without a value formats files, and goes with no other command; how "
                "something is printed is said by `--format=json` or `--format=text`"
            )
    if arguments.dry_run or arguments.question or arguments.touch:
        raise UsageError("-n, -q and -t are for builds: `--format --check` says what would change")
    if arguments.variables:
        name = next(iter(arguments.variables))
        raise UsageError(f"--format takes files and folders: `{name}=...` is a variable")
    for name in arguments.goals:
        if name in _PRINTED and not os.path.exists(name):
            raise UsageError(
                f"`--format {name}` would format a file `{name}`, which is not there; "
                f"`--format={name}` says how something is printed"
            )


def _files(names: Sequence[str]) -> Iterator[str]:
    """The files that are named, each once, and the Pipefiles in folders that are. Raises
    UsageError."""
    found: dict[str, None] = {}
    for name in names:
        if name != _INPUT and os.path.isdir(name):
            found.update(dict.fromkeys(_pipefiles(name)))
        elif is_makefile(name):
            raise UsageError(f"--format: `{name}` is a makefile: only Pipefiles are formatted")
        else:
            found[name] = None
    return iter(found)


def _pipefiles(folder: str) -> Iterator[str]:
    """The Pipefiles in a folder and those below it, but for hidden ones and virtual
    environments."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".") and not _is_environment(os.path.join(place, each))
        )
        for name in sorted(names):
            if name == "Pipefile" or (name.endswith(_ENDS) and not name.startswith(".")):
                yield os.path.normpath(os.path.join(place, name))


def _is_environment(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "pyvenv.cfg"))


def _formatted(name: str, ruff: str) -> _Formatted:
    """A file formatted. Raises BuildError."""
    before = _read(name)
    decoded(before, _shown(name))  # says what is wrong with it
    text = before.decode("utf-8")
    after = format_text(text, _shown(name), _tidy(ruff, name) if ruff else None)
    return _Formatted(name, before, after.encode("utf-8"))


def _tidy(ruff: str, name: str) -> Tidy:
    beside = "Pipefile" if name == _INPUT else name
    return lambda text: run_ruff(ruff, text, beside)


def _read(name: str) -> bytes:
    try:
        if name == _INPUT:
            return sys.stdin.buffer.read()
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise BuildError(Diagnostic("PB404", f"cannot read `{name}`: {error.strerror}")) from None


def _put(one: _Formatted, arguments: Arguments) -> None:
    """Writes a file that has changed, or prints what would change. Raises UsageError."""
    if arguments.diff:
        if one.changes:
            _print_difference(one)
    elif arguments.check:
        pass
    elif one.name == _INPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(one.after)
    elif one.changes:
        _replace(one)


def _print_difference(one: _Formatted) -> None:
    from difflib import diff_bytes, unified_diff

    name = os.fsencode(one.shown)
    rows = diff_bytes(
        unified_diff,
        one.before.splitlines(keepends=True),
        one.after.splitlines(keepends=True),
        name,
        name + b" (formatted)",
    )
    sys.stdout.flush()
    for row in rows:
        sys.stdout.buffer.write(row)
        if not row.endswith(b"\n"):
            sys.stdout.buffer.write(b"\n\\ No newline at end of file\n")
    sys.stdout.buffer.flush()


def _replace(one: _Formatted) -> None:
    """Writes a file so that at every moment it is there whole, as it was or as it is to be.
    Raises UsageError."""
    from tempfile import mkstemp

    path = os.path.realpath(one.name)
    beside = ""
    try:
        handle, beside = mkstemp(prefix=".Pipefile.", dir=os.path.dirname(path))
        with os.fdopen(handle, "wb") as file:
            _take_over(path, handle)
            file.write(one.after)
            file.flush()
            os.fsync(handle)
        os.replace(beside, path)
    except OSError as error:
        if beside and os.path.exists(beside):
            os.unlink(beside)
        raise UsageError(f"cannot write `{one.name}`: {error.strerror}") from None


def _take_over(path: str, handle: int) -> None:
    """Gives a new file the mode of another, and its owner as far as that is allowed. Raises
    OSError."""
    of = os.stat(path)
    try:
        os.fchown(handle, of.st_uid, of.st_gid)
    except PermissionError:
        pass  # it belongs to whoever formats it, as with any editor that writes a new file
    os.fchmod(handle, of.st_mode & 0o7777)


def _tell(found: Sequence[_Formatted], refused: int, arguments: Arguments) -> None:
    """Says what has become of the files; beside a difference on standard error."""
    out = sys.stderr if arguments.diff or _INPUT in arguments.goals else sys.stdout
    changed = [one for one in found if one.changes]
    would = arguments.check or arguments.diff
    for one in changed if not arguments.diff else ():
        print(f"pybuild: {one.shown} {'would change' if would else 'formatted'}", file=out)
    parts = []
    if changed:
        parts.append(f"{counted(len(changed), 'file')} {'would change' if would else 'formatted'}")
    if len(found) > len(changed):
        parts.append(f"{counted(len(found) - len(changed), 'file')} as it should be")
    if refused:
        parts.append(f"{counted(refused, 'file')} left alone, with mistakes")
    print(f"pybuild: {', '.join(parts)}", file=out)
