"""The short way: with nothing to do, an answer without reading the Pipefile.

Takes only command lines that it understands without the table of options; what it cannot answer it
hands on with what it has seen. Imports next to nothing.
"""

from __future__ import annotations

import os

from pybuild import __version__
from pybuild.engine.key import DOOR, STATE_FOLDER, flat_path, load_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybuild.engine.flat import Flat

    Glimpse = tuple[Flat, list[int]]  # a kept graph, and the rows of files that have moved

JOURNAL = f"{STATE_FOLDER}/journal"
_SAYS_LESS = ("-s", "--silent", "--quiet", "-q", "--question")
_NO_MATTER = ("-k", "--keep-going")
_DRY = ("-n", "--dry-run", "--just-print", "--recon")


def answer(words: Sequence[str]) -> tuple[int | None, Glimpse | None]:
    """Prints that all is up to date and returns the exit status, if it can be known at a glance;
    else None, and the kept graph if there is one that holds."""
    goals: list[str] = []
    variables: dict[str, str] = {}
    quiet = dry = explains = False
    for word in words:
        name, equals, value = word.partition("=")
        if not word.startswith("-") and not equals:
            goals.append(word)
        elif name.isidentifier():
            variables[name] = value
        elif word in _SAYS_LESS:
            quiet = True
        elif word in _DRY:
            dry = True
        elif word == "--explain":
            explains = True
        elif word not in _NO_MATTER and not _is_number_of_jobs(word):
            return None, None
    if explains and goals:
        return None, None  # why they are up to date
    key = load_key(__version__, ("", tuple(goals), tuple(variables.items()), "", False, ()))
    if os.path.exists(DOOR):
        from pybuild.watch.question import ask

        said = ask(key, dry=dry)
        if said is not None:
            _say(said, quiet)
            return 0, None
    glimpse = _moved(_look(key))
    if glimpse is None or glimpse[1] or _may_run(glimpse[0]):
        return None, None if dry or explains else glimpse
    from pybuild.report.brief import nothing_to_do

    flat = glimpse[0]
    _say(nothing_to_do(flat.goals, flat.jobs, dry=dry), quiet)
    flat.close()
    return 0, None


def _may_run(flat: Flat) -> bool:
    """Whether more has to be looked at than files that have moved."""
    return bool(flat.seeds or flat.has_grown or flat.seen.renewed)


def _moved(glimpse: Glimpse | None) -> Glimpse | None:
    """The same with those files only whose bytes are others, if no more has to be looked at."""
    if glimpse is None or not glimpse[1] or _may_run(glimpse[0]):
        return glimpse
    flat, moved = glimpse
    return flat, flat.compare(flat.names(), moved)


def _say(text: str, quiet: bool) -> None:
    if not quiet:
        from pybuild.report.brief import printable

        print(printable(text))


def _is_number_of_jobs(word: str) -> bool:
    return word.startswith("-j") and word[2:].isdecimal() and int(word[2:]) > 0


def look(words: Sequence[object]) -> Glimpse | None:
    """The kept graph for what a command line says of a load (`opening.words_of`), if it holds, and
    the rows of its files that have moved."""
    return _look(load_key(__version__, words))


def _look(key: bytes) -> Glimpse | None:
    from pybuild.engine.flat import glance

    return glance(flat_path(STATE_FOLDER, key), key, JOURNAL)
