"""Which language a command line is about: Pipefiles, or makefiles as make reads them."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
# Options that make does not have: with one of them the engine builds, also by a makefile.
OURS = frozenset(
    """
    --adopt --check --checksum-level --checksum_file_name --checksum_level --compdb --completion
    --diff --explain --flowchart --flowchart-jobs --force --forced_tasks --forget --format
    --history --just_print --lint --list --lsp --migrate --minimal --minimal_rebuild_mode
    --multiprocess
    --poll --profile --rebuild --remove --resources --stale --stats --target_tasks
    --touch_files_only --use_threads --verbose --watch --write -M -T
    """.split()
)
MAKE = "--make"
"""The option, before all others, by which pybuild reads makefiles only, as under make's name."""
_SUFFIXES = (".mk", ".mak", ".make")
_FOLDER = ("-C", "--directory")
_FILE = ("-f", "--file", "--makefile")


def reads_makefiles(words: Sequence[str]) -> bool:
    """Whether makefiles are read: `-f` names one, or the folder has one and no Pipefile."""
    if any(word.partition("=")[0] in OURS for word in words):
        return False
    folder, files = places(words)
    if files:
        return all(map(is_makefile, files))
    return bool(usual_makefile(folder))


def usual_makefile(folder: str = "") -> str:
    """The makefile that is read in a folder where nothing is named; "" if there is none, or if
    there is a Pipefile."""
    if os.path.exists(os.path.join(folder, "Pipefile")):
        return ""
    found = (name for name in MAKEFILES if os.path.isfile(os.path.join(folder, name)))
    return next(found, "")


def typed_name(called: str) -> str:
    """The name that pybuild was called by, as it was typed: without its folder if it is found on
    the search path."""
    folder, name = os.path.split(called)
    if name in ("__main__.py", "pybuild-python"):
        return "pybuild"
    for place in os.environ.get("PATH", "").split(os.pathsep) if folder else ():
        if os.access(os.path.join(place, name), os.X_OK):
            return name if place == folder else called
    return called


def command_of(called: str) -> str:
    """What starts another pybuild in a recipe (`$(MAKE)`)."""
    if os.path.basename(sys.argv[0]) == "__main__.py":
        return f"{sys.executable} -m pybuild"
    return called


def places(words: Sequence[str]) -> tuple[str, list[str]]:
    """The folder that the words lead to, and the files that they name."""
    folder = ""
    files = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            break
        for options in (_FOLDER, _FILE):
            value = _value(word, options, rest)
            if value is None:
                continue
            if options is _FOLDER:
                folder = os.path.join(folder, value)
            else:
                files.append(value)
    return folder, files


def _value(word: str, options: tuple[str, ...], rest: Iterator[str]) -> str | None:
    """What an option is given, if the word is one of these options."""
    if word in options:
        return next(rest, "")
    name, equals, value = word.partition("=")
    if equals and name in options[1:]:
        return value
    return word[2:] if word.startswith(options[0]) else None


def is_makefile(name: str) -> bool:
    """Whether a file is a makefile, by its name."""
    base = os.path.basename(name)
    return base.startswith(MAKEFILES) or base.endswith(_SUFFIXES)
