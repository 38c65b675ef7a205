"""How a line of a recipe becomes a command: by itself where it is simple, else by the shell.

A line is simple if the shell is the usual one and would do no more with it than take it apart at
blanks, quotes and backslashes. Such a line is started directly: it is faster, and it is seen, in
messages about programs that are not there.
"""

from __future__ import annotations

from pybuild.makefile.ports import Inner
from pybuild.regex import regex
from pybuild.typed import NamedTuple

SHELL = "/bin/sh"
SHELL_FLAGS = "-c"
POSIX_SHELL_FLAGS = "-ec"

_SPECIAL = frozenset("#;\"*?[]&|<>(){}$`^~!'\\\n=")
_NOT_IN_WORDS = _SPECIAL - frozenset("'\\\n=")
_IN_DOUBLE_QUOTES = frozenset("$`\\")
_NEWLINE_IN_QUOTES = regex(r"(?<!\\)\n")
_SHELL_WORDS = frozenset(
    """
    . : alias bg break case cd command continue eval exec exit export fc fg for getopts hash if jobs
    login logout read readonly return set shift test times trap type ulimit umask unalias unset wait
    while
    """.split()
)
_POSIX_SHELLS = frozenset(("ash", "bash", "dash", "ksh", "rksh", "sh", "zsh"))
_USUAL_IFS = frozenset(" \t\n")
_INNER_PREFIX = regex(r"((?:\A|(?<!\\)(?:\\\\)*\n))[ \t@+-]+")
_CONTINUATION = regex(r"[ \t]*\\\n[ \t]*")
_TO_ESCAPE = regex(r"([^A-Za-z0-9_@%+=:,./\n-])")
_IN_FOLDERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+/-")
_OPENING = regex(r"\$([({])")
_BRACKETS = {"(": regex(r"[()]"), "{": regex(r"[{}]")}


class Prefixed(NamedTuple):
    """A line of a recipe without the characters at its start: `@` (silent), `-` (ignore what it
    exits with), `+` (run it in any case)."""

    silent: bool
    ignore: bool
    always: bool
    rest: str


def split_prefix(line: str) -> Prefixed:
    """Takes `@`, `-`, `+` and blanks off the start of a line."""
    rest = line.lstrip(" \t@+-")
    if len(rest) == len(line):
        return Prefixed(False, False, False, line)
    prefix = line[: len(line) - len(rest)]
    return Prefixed("@" in prefix, "-" in prefix, "+" in prefix, rest)


def prepared(line: str, prefix: str = "\t") -> str:
    """A line as it is to be expanded: of a line that is continued, the recipe prefix goes, once;
    within a reference a backslash and newline are a blank, as elsewhere in a makefile."""
    if "\n" not in line:
        return line
    line = line.replace("\\\n" + prefix, "\\\n")
    pieces = []
    position = 0
    while found := _OPENING.search(line, position):
        end = _closing(line, found.end(), found[1])
        pieces.append(line[position : found.end()])
        pieces.append(_CONTINUATION.sub(" ", line[found.end() : end]))
        position = end
    pieces.append(line[position:])
    return "".join(pieces)


def _closing(line: str, position: int, opening: str) -> int:
    """Where the bracket closes that was opened before a position; the end if it does not."""
    depth = 1
    for found in _BRACKETS[opening].finditer(line, position):
        depth += 1 if found[0] == opening else -1
        if not depth:
            return found.start()
    return len(line)


def is_posix_shell(shell: str) -> bool:
    """Whether a shell, by its name, is one to which `@` and the like at a line's start mean
    nothing."""
    return shell.rpartition("/")[2] in _POSIX_SHELLS


def one_shell_text(text: str, shell: str) -> str:
    """What one shell is given for a whole recipe (`.ONESHELL`): a POSIX shell gets its lines
    without `@`, `-`, `+` and blanks at their start. Echoed is the same."""
    if "\n" not in text or not is_posix_shell(shell):
        return text
    return _INNER_PREFIX.sub(r"\1", text)


def argv_of(
    line: str,
    shell: str = SHELL,
    shell_flags: str = SHELL_FLAGS,
    *,
    one_shell: bool = False,
    ifs: str | None = None,
) -> tuple[str, ...] | None:
    """The words of the command that an expanded line without prefix characters is; None if there
    is nothing to run. `shell`, `shell_flags` and `ifs` are the values of `SHELL`, `.SHELLFLAGS` and
    `IFS`. With `one_shell` the line is a whole recipe, as `one_shell_text` gave it."""
    is_usual = shell == SHELL and shell_flags in (SHELL_FLAGS, POSIX_SHELL_FLAGS)
    if is_usual and _SPECIAL.isdisjoint(line):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words:
            return None
        if words[0] not in _SHELL_WORDS and not ifs:
            return tuple(words)
    elif not line.strip(" \t\n"):
        return None
    if line == ":" and is_posix_shell(shell) and shell_flags in (SHELL_FLAGS, POSIX_SHELL_FLAGS):
        return None
    if is_usual and (not ifs or _USUAL_IFS.issuperset(ifs)):
        simple = _simple_words(line, one_shell)
        if simple is not None:
            return simple or None
    return with_shell(line, shell, shell_flags, one_shell)


def inner_of(argv: tuple[str, ...]) -> Inner | None:
    """What a shell does with `cd FOLDER && COMMAND` or with a command of simple words, if nothing
    else is asked of it, by the words that start it (`argv_of`)."""
    if argv[:-1] != (SHELL, SHELL_FLAGS):
        return None
    line = argv[-1].strip(" \t")
    if "\n" in line.replace("\\\n", ""):
        return None
    if line[:1] == "(" and line[-1:] == ")":
        line = line[1:-1]
        if line[-1:] == "\\":
            return None
    folder = ""
    for separator in ("&&", ";"):
        head, found, rest = line.partition(separator)
        goes = head.replace("\t", " ").split(" ")
        goes = [word for word in goes if word]
        if found and goes[:1] == ["cd"]:
            if len(goes) != 2 or goes[1][0] == "-" or not _IN_FOLDERS.issuperset(goes[1]):
                return None
            folder, line = goes[1], rest
            break
    words = _simple_words(line, False, doubles=True)
    return Inner(folder, words) if words else None


def _simple_words(line: str, one_shell: bool, doubles: bool = False) -> tuple[str, ...] | None:
    """The words of a simple command, or None if it takes a shell. With `doubles` double quotes
    around plain text are simple, too."""
    words: list[str] = []
    word: list[str] | None = None
    at = 0
    while at < len(line):
        char = line[at]
        at += 1
        if char in " \t\n":
            if char == "\n" and one_shell:
                return None
            if word is not None:
                words.append("".join(word))
                word = None
            continue
        if char == "\\":
            char = line[at : at + 1]
            at += 1
            if char == "\n":
                continue  # a blank between words, nothing within one
        elif char == "'" or (char == '"' and doubles):
            end = line.find(char, at)
            quoted = line[at:end]
            if end < 0 or not _stays_as_it_is(quoted, char, one_shell):
                return None
            char, at = quoted, end + 1
        elif char in _NOT_IN_WORDS or (char == "=" and not words):
            return None  # an assignment, if it is no character for shells
        word = [] if word is None else word
        word.append(char)
    if word is not None:
        words.append("".join(word))
    return None if words and words[0] in _SHELL_WORDS else tuple(words)


def _stays_as_it_is(quoted: str, quote: str, one_shell: bool) -> bool:
    """Whether a shell takes a text between quotes as it is written."""
    if quote == '"':
        return _IN_DOUBLE_QUOTES.isdisjoint(quoted)
    return not (one_shell and "\n" in quoted and _NEWLINE_IN_QUOTES.search(quoted))


def with_shell(line: str, shell: str, flags: str, one_shell: bool) -> tuple[str, ...]:
    """The words of a shell that is given the line, which is the last of them."""
    flag_words = _simple_words(flags, False) if flags else ()
    if one_shell:
        return (shell, *(flags.split() if flag_words is None else flag_words), line)
    # A line has no newlines of its own. Those that a function gives to the shell go.
    if "\n" in line:
        line = _NEWLINE_IN_QUOTES.sub("", line)
    shell_words = _simple_words(shell, False)
    if shell_words is None:
        shell_words = (shell,)
    if flag_words is None:
        return (SHELL, SHELL_FLAGS, f"{shell} {flags} {_escaped(line)}")
    return (*shell_words, *flag_words, line)


def _escaped(line: str) -> str:
    """A line as one word for a shell."""
    return _TO_ESCAPE.sub(r"\\\1", line)
