"""How a shell part becomes a process: directly where its text needs no shell.

That is one command with plain words, and redirections of its output and input, which `posix_spawn`
does as a shell would.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence

from pybuild.graph import ShellPart
from pybuild.regex import regex
from pybuild.typed import Any, NamedTuple

# Words with nothing in them that a shell would treat, bare or between single quotes.
_BARE = r"[A-Za-z0-9_@%+:,./^-][A-Za-z0-9_@%+=:,./^-]*"
_WORD = rf"(?:(?P<bare>{_BARE})|'(?P<quoted>[^'\n]*)')(?=[ \t]|$)"
_NEXT = regex(
    rf"(?P<copy>(?P<to>[12]?)>&(?P<of>[12]))(?=[ \t]|$)"
    rf"|(?P<handle>[012]?)(?P<operator>>>|>|<)[ \t]*{_WORD}"
)
_PLAIN = regex(_WORD)
_ALL_BARE = regex(rf"{_BARE}(?:[ \t]+{_BARE})*")
_BLANKS = regex(r"[ \t]*")
_KNOWN_SHELLS = (("bash", "-euo", "pipefail", "-c"), ("sh", "-eu", "-c"))
# Builtins and reserved words of POSIX shells and of bash; not those that are programs as well
# and behave alike (`echo`, `printf`, `true`).
_SHELL_WORDS = frozenset(
    """
    . : alias bg bind break builtin caller case cd command compgen complete continue coproc declare
    dirs disown do done elif else enable esac eval exec exit export fc fg fi for function getopts
    hash help history if in jobs let local logout mapfile popd pushd read readarray readonly return
    select set shift shopt source suspend test then time times trap type typeset ulimit umask
    unalias unset until wait while
    """.split()
)


_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_OPENING = {
    ">": (1, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ">>": (1, _APPEND),
    "<": (0, os.O_RDONLY),
}


class Simple(NamedTuple):
    """A command that needs no shell: its words, and its redirections as actions of `posix_spawn`;
    `files` are what those open."""

    words: list[str]
    actions: tuple[tuple[Any, ...], ...]
    files: tuple[str, ...]


def simple_command(part: ShellPart) -> Simple | None:
    """The command that a part is, or None if it takes a shell to understand it."""
    if part.shell not in _KNOWN_SHELLS:
        return None
    text = part.text.strip()
    simple = Simple(text.split(), (), ()) if _ALL_BARE.fullmatch(text) else _parsed(text)
    if simple is None:
        return None
    if simple.words in ([], [":"]):
        return simple._replace(words=["true"])
    return None if simple.words[0] in _SHELL_WORDS else simple


def _parsed(text: str) -> Simple | None:
    """A line of words and redirections; None if there is anything else in it."""
    if "\n" in text:
        return None
    words: list[str] = []
    actions: list[tuple[Any, ...]] = []
    files: list[str] = []
    position = 0
    while position < len(text):
        redirection = _NEXT.match(text, position)
        found = redirection or _PLAIN.match(text, position)
        if found is None:
            return None
        position = _BLANKS.match(text, found.end()).end()  # type: ignore[union-attr]
        if redirection and found["copy"]:
            actions.append((os.POSIX_SPAWN_DUP2, int(found["of"]), int(found["to"] or 1)))
            continue
        word = found["bare"] or found["quoted"]
        if not word or (not words and found["quoted"]):
            return None
        if not redirection:
            words.append(word)
            continue
        handle, flags = _OPENING[found["operator"]]
        actions.append((os.POSIX_SPAWN_OPEN, int(found["handle"] or handle), word, flags, 0o666))
        files.append(word)
    return Simple(words, tuple(actions), tuple(files))


def can_open(names: Sequence[str]) -> bool:
    """Whether to open these files is over at once: a pipe waits for its other end, and a shell has
    devices of its own."""
    for name in names:
        if name == os.devnull:
            continue
        try:
            if name.startswith("/dev/") or not stat.S_ISREG(os.stat(name).st_mode):
                return False
        except OSError:
            continue  # it is made, or the shell says what is wrong
    return True


class Programs:
    """Where programs are, by the search path; each is looked for once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.folders = environment.get("PATH", os.defpath).split(os.pathsep)
        self._found: dict[str, str | None] = {}

    def find(self, name: str) -> str | None:
        """The path of a program, or None."""
        if "/" in name:
            return name
        if name not in self._found:
            self._found[name] = next(
                (
                    path
                    for folder in self.folders
                    if os.access(path := os.path.join(folder or ".", name), os.X_OK)
                    and not os.path.isdir(path)
                ),
                None,
            )
        return self._found[name]
