"""`pybuild`: reads the command line, calls one command, ends with make's exit status."""

from __future__ import annotations

import gc
import os
import sys

from pybuild.cli.streams import CannotWrite, open_streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from pybuild.cli.options import Arguments
    from pybuild.cli.short import Glimpse
    from pybuild.pipefile.program import Program

OK, OUT_OF_DATE, ERROR = 0, 1, 2
MAKE_NAMES = ("make", "gmake")  # called by one of these, pybuild reads makefiles only


def main(
    words: Sequence[str] | None = None,
    unready: Sequence[str] = (),
    program: Program | None = None,
) -> NoReturn:
    """The console script. Ends the process. `unready` are the only folders of the search path, if
    Python was started without `site`; `program` is a pipeline to be read instead of a Pipefile."""
    _restore_environment()
    _run_to_end(sys.argv[1:] if words is None else words, unready, program)


def _run_to_end(
    words: Sequence[str], unready: Sequence[str], program: Program | None = None
) -> NoReturn:
    """Does what the command line says, and ends the process."""
    open_streams()
    status = ERROR
    # A load makes hundreds of thousands of objects that stay: looking for rubbish among them
    # takes a third of its time. The engine switches the collector on when it starts jobs.
    gc.disable()
    try:
        status = _run(words, None, program) if program else run(words, unready)
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except CannotWrite as error:
        status = ERROR
        _tell_at_last(f"pybuild: cannot write: {error}\n")
    except KeyboardInterrupt:
        _die_by(2)
    # Nothing is left to tidy up, and taking the interpreter apart takes milliseconds.
    os._exit(status)


def _restore_environment() -> None:
    """Takes away what was not given to us: Python sets `LC_CTYPE` where the locale is plain C
    (PEP 538), and recipes would have it from us."""
    if os.environ.get("LC_CTYPE") not in ("C.UTF-8", "C.utf8", "UTF-8"):
        return
    try:
        with open("/proc/self/environ", "rb") as file:
            if b"\0LC_CTYPE=" not in b"\0" + file.read():
                del os.environ["LC_CTYPE"]
    except OSError:
        pass  # nothing tells who has set it


def run(words: Sequence[str], unready: Sequence[str] = ()) -> int:
    """Does what the command line says; returns the exit status."""
    if words[:1] == ["--complete"]:
        from pybuild.cli.complete import complete

        return complete(words[1:])
    called = os.environ.pop("PYBUILD_CALLED", "") or sys.argv[0]
    if os.path.basename(called) in MAKE_NAMES or words[:1] == ["--make"]:
        return _make(words, called, unready)
    from pybuild.cli.short import answer

    try:
        status, glimpse = answer(words)
    except ImportError:
        if not unready:
            raise
        # A package that we need lies where only `site` knows.
        _get_ready(unready)
        unready = ()
        status, glimpse = answer(words)
    if status is not None:
        return status
    if glimpse is None:
        from pybuild.cli.frontend import reads_makefiles

        if reads_makefiles(words):
            return _make(words, called, unready)
    if unready:
        _get_ready(unready)
    return _run(words, glimpse, called=called)


def _make(words: Sequence[str], called: str, unready: Sequence[str]) -> int:
    """Does what `make` does; needs nothing of what was put off."""
    from pybuild.cli.make_kept import kept_of

    kept = kept_of(words, called)
    if kept is not None and kept.replay():
        return OK
    from pybuild.cli.make import make
    from pybuild.makefile.ports import Interrupted

    try:
        return make(words, called, lambda inner: _run_to_end(inner, unready), kept)
    except Interrupted as stop:
        _die_by(stop.signum)


def _get_ready(unready: Sequence[str]) -> None:
    """Does what Python does at a start, which was put off."""
    import site

    sys.path[:] = [each for each in sys.path if each not in unready]
    site.main()


def _run(
    words: Sequence[str],
    glimpse: Glimpse | None,
    program: Program | None = None,
    called: str = "",
) -> int:
    """The long way; `glimpse` is what the short one has seen. `called` is the name that pybuild
    was started by, "" if that was a program with a pipeline."""
    from pybuild.cli.options import UsageError, help_text, parse
    from pybuild.source import BuildError

    try:
        arguments = parse(words)
    except UsageError as error:
        print(f"pybuild: {error}", file=sys.stderr)
        print("pybuild: `pybuild --help` lists all options", file=sys.stderr)
        return ERROR
    arguments.program = program
    arguments.called = called
    if arguments.help:
        print(help_text())
        return OK
    if arguments.version:
        from pybuild import __version__

        print(f"pybuild {__version__} (Python {sys.version.split()[0]})")
        return OK
    entered = ""
    try:
        if arguments.completion:
            from pybuild.cli.completion import completion

            return completion(arguments.completion)
        entered = _enter(arguments)
        return _command(arguments, words, glimpse)
    except BuildError as error:
        from pybuild.report.diagnostics import render

        sys.stdout.flush()
        for diagnostic in error.diagnostics:
            print(render(diagnostic), file=sys.stderr)
        return ERROR
    except UsageError as error:
        print(f"pybuild: {error}", file=sys.stderr)
        return ERROR
    finally:
        if entered:
            print(f"pybuild: Leaving directory '{entered}'")


def _enter(arguments: Arguments) -> str:
    """Goes to the folders of `-C`; returns the folder to speak of, if it is to be spoken of."""
    from pybuild.cli.options import UsageError

    for folder in arguments.folders:
        try:
            os.chdir(folder)
        except OSError as error:
            raise UsageError(f"cannot go to `{folder}`: {error.strerror}") from None
    try:
        folder = os.getcwd()
    except OSError as error:
        raise UsageError(f"the working folder is gone: {error.strerror}") from None
    if not arguments.print_directory:
        return ""
    print(f"pybuild: Entering directory '{folder}'")
    return folder


def _command(arguments: Arguments, words: Sequence[str], glimpse: Glimpse | None) -> int:
    if arguments.lsp:
        from pybuild.cli.lsp import lsp

        return lsp()
    if arguments.format is None or arguments.check or arguments.diff:
        from pybuild.cli.format import format_files

        return format_files(arguments)
    if arguments.lint:
        from pybuild.cli.lint import lint

        return lint(arguments)
    if arguments.list_rules or arguments.print_data_base:
        from pybuild.cli.listing import listing

        return listing(arguments)
    if arguments.migrate or arguments.write:
        from pybuild.cli.migrate import migrate

        return migrate(arguments)
    if arguments.compdb:
        from pybuild.cli.compdb import compdb

        return compdb(arguments)
    if arguments.flowchart:
        from pybuild.cli.flowchart import flowchart

        return flowchart(arguments)
    from pybuild.cli.build import Killed, build

    try:
        if arguments.watch:
            from pybuild.cli.watch import watch

            return watch(arguments, words)
        if _asks_for_state(arguments):
            from pybuild.cli.state import state

            return state(arguments, words)
        return build(arguments, words, glimpse)
    except Killed as death:
        _die_by(death.signum)


def _asks_for_state(arguments: Arguments) -> bool:
    """Whether the records are to be looked at or changed, and nothing is to be built."""
    of = arguments
    return bool(of.adopt or of.forgotten or of.stale or of.remove or of.history)


def _tell_at_last(line: str) -> None:
    """Past the streams, which may hold what cannot be written."""
    try:
        os.write(2, line.encode())
    except OSError:
        pass


def _die_by(signum: int) -> NoReturn:
    """Ends as make does after a signal: by that signal."""
    import signal

    try:
        sys.stdout.flush()
    except (OSError, CannotWrite):
        pass
    signal.signal(signum, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signum,))
    os.kill(os.getpid(), signum)
    os._exit(128 + signum)
