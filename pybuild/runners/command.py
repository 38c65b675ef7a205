"""How a shell part becomes a process: directly where its text needs no shell."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from pybuild.graph import ShellPart

# Words with nothing in them that a shell would treat, bare or between single quotes.
_PLAIN = re.compile(r"(?:[A-Za-z0-9_@%+:,./^-][A-Za-z0-9_@%+=:,./^-]*|'[^'\n]*')(?:[ \t]+|$)")
_WORD = re.compile(r"'([^'\n]*)'|([^ \t']+)")
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


def direct_words(part: ShellPart) -> list[str] | None:
    """The words of a command that needs no shell, or None."""
    text = part.text.strip()
    if part.shell not in _KNOWN_SHELLS or "\n" in text:
        return None
    position = 0
    while position < len(text):
        found = _PLAIN.match(text, position)
        if found is None:
            return None
        position = found.end()
    words = [quoted or bare for quoted, bare in _WORD.findall(text)]
    if not words or text[0] == "'" or words[0] in _SHELL_WORDS:
        return None
    # `findall` cannot tell an empty quoted word; such a command goes through the shell.
    return None if "" in words or "''" in text else words


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
