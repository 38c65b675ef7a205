"""The options of make: read from words and from the text of `MAKEFLAGS`, and written as that text.

Options have one meaning wherever they come from: the environment, a makefile, the command line.
Later ones are added to what earlier ones said.
"""

from __future__ import annotations

import os

from pybuild.makefile.errors import MakeError
from pybuild.makefile.lines import plain_assignment
from pybuild.regex import regex
from pybuild.typed import Iterable, NamedTuple, Sequence

VERSION = "4.4.1"  # of GNU make, whose options these are

_FLAG, _TEXT, _OPTIONAL = range(3)  # what an option takes: nothing, a text, perhaps one

# Name in `Flags`, letter, long name, what it takes. The order is that in which long names that
# begin alike are told.
_TABLE = (
    ("", "b", "", _FLAG),
    ("always_make", "B", "always-make", _FLAG),
    ("debug_all", "d", "", _FLAG),
    ("environment_overrides", "e", "environment-overrides", _FLAG),
    ("evals", "E", "eval", _TEXT),
    ("help", "h", "help", _FLAG),
    ("ignore_errors", "i", "ignore-errors", _FLAG),
    ("keep_going", "k", "keep-going", _FLAG),
    ("check_symlinks", "L", "check-symlink-times", _FLAG),
    ("", "m", "", _FLAG),
    ("just_print", "n", "just-print", _FLAG),
    ("print_data_base", "p", "print-data-base", _FLAG),
    ("question", "q", "question", _FLAG),
    ("no_builtin_rules", "r", "no-builtin-rules", _FLAG),
    ("no_builtin_variables", "R", "no-builtin-variables", _FLAG),
    ("silent", "s", "silent", _FLAG),
    ("not_keep_going", "S", "no-keep-going", _FLAG),
    ("touch", "t", "touch", _FLAG),
    ("version", "v", "version", _FLAG),
    ("print_directory", "w", "print-directory", _FLAG),
    ("folders", "C", "directory", _TEXT),
    ("files", "f", "file", _TEXT),
    ("include_folders", "I", "include-dir", _TEXT),
    ("jobs", "j", "jobs", _OPTIONAL),
    ("load", "l", "load-average", _OPTIONAL),
    ("old_files", "o", "old-file", _TEXT),
    ("output_sync", "O", "output-sync", _OPTIONAL),
    ("new_files", "W", "what-if", _TEXT),
    ("debug", "", "debug", _OPTIONAL),
    ("jobserver_auth", "", "jobserver-auth", _TEXT),
    ("jobserver_auth", "", "jobserver-fds", _TEXT),
    ("trace", "", "trace", _FLAG),
    ("not_print_directory", "", "no-print-directory", _FLAG),
    ("warn_undefined", "", "warn-undefined-variables", _FLAG),
    ("sync_mutex", "", "sync-mutex", _TEXT),
    ("not_silent", "", "no-silent", _FLAG),
    ("jobserver_style", "", "jobserver-style", _TEXT),
    ("shuffle", "", "shuffle", _OPTIONAL),
    ("temp_stdin", "", "temp-stdin", _TEXT),
    ("silent", "s", "quiet", _FLAG),
    ("not_keep_going", "S", "stop", _FLAG),
    ("new_files", "W", "new-file", _TEXT),
    ("new_files", "W", "assume-new", _TEXT),
    ("old_files", "o", "assume-old", _TEXT),
    ("load", "l", "max-load", _OPTIONAL),
    ("just_print", "n", "dry-run", _FLAG),
    ("just_print", "n", "recon", _FLAG),
    ("files", "f", "makefile", _TEXT),
)
_BY_LETTER = {letter: (name, letter, long, kind) for name, letter, long, kind in reversed(_TABLE)}
_BY_LONG_NAME = {row[2]: row for row in _TABLE if row[2]}
_OPPOSITES = {
    "not_keep_going": "keep_going",
    "not_silent": "silent",
    "not_print_directory": "print_directory",
}
_LETTERS = (
    ("B", "always_make"),
    ("d", "debug_all"),
    ("e", "environment_overrides"),
    ("i", "ignore_errors"),
    ("k", "keep_going"),
    ("L", "check_symlinks"),
    ("n", "just_print"),
    ("p", "print_data_base"),
    ("q", "question"),
    ("r", "no_builtin_rules"),
    ("R", "no_builtin_variables"),
    ("s", "silent"),
    ("S", "keep_going"),
    ("t", "touch"),
    ("w", "print_directory"),
)
_TOO_LATE = ("folders", "files", "evals", "help", "version")
_SYNC_MODES = ("none", "line", "target", "recurse")
_ALL_LEVELS = frozenset(
    ("basic", "verbose", "implicit", "jobs", "makefiles", "print", "why"),
)
_LEVELS = {
    "a": _ALL_LEVELS,
    "b": {"basic"},
    "i": {"basic", "implicit"},
    "j": {"jobs"},
    "m": {"basic", "makefiles"},
    "p": {"print"},
    "v": {"basic", "verbose"},
    "w": {"why"},
}
_DEFINITION = regex(
    r"(?s)[ \t]*(?P<name>(?:\$\([^)]*\)|\$\{[^}]*\}|[^ \t:#=+?!]|[+?!](?!=))*)[ \t]*"
    r"(?P<operator>:::=|::=|:=|\+=|\?=|!=|=)[ \t]*(?P<value>.*)\Z"
)
_ESCAPED = regex(r"(?s)\\(.)")
_ESCAPED_WORD = regex(r"(?:\\[\s\S]|[^\s\\]|\\\Z)+")
_FLOAT = regex(r"[ \t]*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_SEED = regex(r"[+-]?\d+\Z")
_TAKEN_BY = {"jobs": "", "load": "."}  # options take a next word of digits and of these
_BEFORE_BLANK = regex(r"(\\*)([ \t])")


class UsageError(Exception):
    """Options that make does not have. `messages` are lines for standard error, `shows_usage` says
    whether `usage` follows; the exit status is 2."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = list(messages)


class Assignment(NamedTuple):
    """`NAME op VALUE` on the command line; nothing of it is expanded. `text` is the whole word."""

    name: str
    operator: str
    value: str
    text: str


class Given(NamedTuple):
    """A variable of the command line as it is handed on: its value, unexpanded if it is
    recursive."""

    name: str
    recursive: bool
    value: str


class Flags:
    """All options. `keep_going`, `silent` and `print_directory` are None if neither they nor their
    opposites were given; `jobs` is None if not given and 0 for any number; `load` is None for no
    limit. `jobs_from_command`: `-j` is of the command line, not of `MAKEFLAGS`."""

    __slots__ = (
        "always_make",
        "check_symlinks",
        "debug",
        "debug_all",
        "environment_overrides",
        "evals",
        "files",
        "folders",
        "help",
        "ignore_errors",
        "include_folders",
        "jobs",
        "jobs_from_command",
        "jobserver_auth",
        "jobserver_style",
        "just_print",
        "keep_going",
        "load",
        "new_files",
        "no_builtin_rules",
        "no_builtin_variables",
        "old_files",
        "output_sync",
        "print_data_base",
        "print_directory",
        "question",
        "shuffle",
        "silent",
        "sync_mutex",
        "temp_stdin",
        "touch",
        "trace",
        "version",
        "warn_undefined",
    )

    def __init__(self) -> None:
        self.always_make = False
        self.check_symlinks = False
        self.debug: list[str] = []
        self.debug_all = False
        self.environment_overrides = False
        self.evals: list[str] = []
        self.files: list[str] = []
        self.folders: list[str] = []
        self.help = False
        self.ignore_errors = False
        self.include_folders: list[str] = []
        self.jobs: int | None = None
        self.jobs_from_command = False
        self.jobserver_auth = ""
        self.jobserver_style = ""
        self.just_print = False
        self.keep_going: bool | None = None
        self.load: float | None = None
        self.new_files: list[str] = []
        self.no_builtin_rules = False
        self.no_builtin_variables = False
        self.old_files: list[str] = []
        self.output_sync = ""
        self.print_data_base = False
        self.print_directory: bool | None = None
        self.question = False
        self.shuffle = ""
        self.silent: bool | None = None
        self.sync_mutex = ""
        self.temp_stdin = ""
        self.touch = False
        self.trace = False
        self.version = False
        self.warn_undefined = False

    def copy(self) -> Flags:
        """Flags of their own that say the same."""
        made = Flags.__new__(Flags)
        for name in Flags.__slots__:
            value = getattr(self, name)
            setattr(made, name, list(value) if isinstance(value, list) else value)
        return made

    def debug_levels(self) -> frozenset[str]:
        """What is told of the work: `basic`, `verbose`, `implicit`, `jobs`, `makefiles`, `print`,
        `why`. `print` and `why` are those of `--trace` too."""
        levels = set(_ALL_LEVELS) if self.debug_all else set()
        for text in self.debug:
            for item in _levels_of(text):
                if item == "n":
                    levels.clear()
                else:
                    levels |= _LEVELS[item]
        if self.trace:
            levels |= {"print", "why"}
        return frozenset(levels)


class Parsed(NamedTuple):
    """What words say. `flags` are those that were given, with what the words add. `complaints` are
    lines for standard error about words that do not stop make."""

    flags: Flags
    goals: list[str]
    assignments: list[Assignment]
    complaints: list[str]


# -- reading -------------------------------------------------------------------------------


def parse_words(
    words: Sequence[str],
    program: str = "make",
    *,
    called: str | None = None,
    flags: Flags | None = None,
    from_command: bool = True,
) -> Parsed:
    """Reads the words of a command line (without the name of the program). `program` is how make
    names itself in messages, `called` the name that it was started by; `flags` are those to add to.
    Raises UsageError, or MakeError for a value that an option cannot have."""
    reader = _Reader(flags or Flags(), program, program if called is None else called, from_command)
    reader.read(words)
    if reader.messages:
        raise UsageError(reader.messages)
    reader.check()
    return Parsed(reader.flags, reader.goals, reader.assignments, [])


def parse_makeflags(text: str, program: str = "make", *, flags: Flags | None = None) -> Parsed:
    """Reads the text of `MAKEFLAGS` or `GNUMAKEFLAGS`. Raises as `parse_words`."""
    words = makeflags_words(text)
    return parse_words(words, program, called="", flags=flags, from_command=False)


def parse_makefile_flags(text: str, flags: Flags, program: str = "make") -> Parsed:
    """Reads what a makefile has set `MAKEFLAGS` to. Options that make does not have, goals, and
    options that come too late for a makefile (`-C`, `-f`, `-E`, `-h`, `-v`) are passed over. Raises
    MakeError for a value that an option cannot have."""
    reader = _Reader(flags, program, "", False)
    late = [(name, getattr(flags, name)) for name in _TOO_LATE]
    kept = [list(value) if isinstance(value, list) else value for _, value in late]
    reader.read(makeflags_words(text))
    reader.check()
    for (name, _), value in zip(late, kept, strict=True):
        setattr(flags, name, value)
    return Parsed(flags, [], reader.assignments, reader.complaints)


def makeflags_words(text: str) -> list[str]:
    """The words of `MAKEFLAGS`: a backslash makes a blank part of a word; a first word without
    dash and equals sign is letters."""
    if "\\" in text:
        words = [_ESCAPED.sub(r"\1", each) for each in _ESCAPED_WORD.findall(text)]
    else:
        words = text.split()
    if words and not words[0].startswith("-") and "=" not in words[0]:
        words[0] = "-" + words[0]
    return words


def definition(word: str) -> Assignment | None:
    """A word of the command line as an assignment, None if it is a goal."""
    if "=" not in word:
        return None
    plain = plain_assignment(word)
    if plain is not None:
        return Assignment(*plain, word)
    found = _DEFINITION.match(word)
    if found is None:
        return None
    return Assignment(found["name"], found["operator"], found["value"], word)


class _Reader:
    """Reads words one by one."""

    def __init__(self, flags: Flags, program: str, called: str, from_command: bool) -> None:
        self.flags = flags
        self.program = program
        self.called = called
        self.from_command = from_command
        self.goals: list[str] = []
        self.assignments: list[Assignment] = []
        self.messages: list[str] = []
        self.complaints: list[str] = []  # those messages that are about values

    def read(self, words: Sequence[str]) -> None:
        rest = list(reversed(words))
        while rest:
            word = rest.pop()
            if word == "--":
                while rest:
                    self._plain(rest.pop())
            elif word.startswith("--"):
                self._long(word, rest)
            elif word.startswith("-") and word != "-":
                self._short(word, rest)
            elif word != "-":
                self._plain(word)

    def _plain(self, word: str) -> None:
        if not word:
            return
        found = definition(word)
        if found is None:
            self.goals.append(word)
        else:
            self.assignments.append(found)

    def _long(self, word: str, rest: list[str]) -> None:
        name, equals, value = word[2:].partition("=")
        row = self._long_row(name, word)
        if row is None:
            return
        if row[3] == _FLAG and equals:
            self._complain(f"option '--{row[2]}' doesn't allow an argument")
        elif equals:
            self._set(row, value)
        elif row[3] == _TEXT and not rest:
            self._complain(f"option '--{row[2]}' requires an argument")
        else:
            self._set(row, rest.pop() if row[3] == _TEXT else self._next_number(row, rest))

    def _long_row(self, name: str, word: str) -> tuple[str, str, str, int] | None:
        exact = _BY_LONG_NAME.get(name)
        if exact is not None:
            return exact
        found = [row for row in _TABLE if row[2] and row[2].startswith(name)] if name else []
        if not found:
            self._complain(f"unrecognized option '{word}'")
        elif len({(row[0], row[1]) for row in found}) > 1:
            names = " ".join([f"'--{row[2]}'" for row in found])
            given = word.partition("=")[0] if "=" in word else word
            self._complain(f"option '{given}' is ambiguous; possibilities: {names}")
        else:
            return found[0]
        return None

    def _short(self, word: str, rest: list[str]) -> None:
        position = 1
        while position < len(word):
            letter = word[position]
            position += 1
            row = _BY_LETTER.get(letter)
            if row is None:
                self._complain(f"invalid option -- '{letter}'")
            elif row[3] == _FLAG:
                self._set(row, None)
            elif position < len(word):
                self._set(row, word[position:])
                return
            elif row[3] == _OPTIONAL:
                self._set(row, self._next_number(row, rest))
            elif rest:
                self._set(row, rest.pop())
            else:
                self._complain(f"option requires an argument -- '{letter}'")

    @staticmethod
    def _next_number(row: tuple[str, str, str, int], rest: list[str]) -> str | None:
        """The next word, if the option takes it for its number."""
        besides = _TAKEN_BY.get(row[0])
        if besides is None or not rest:
            return None
        digits = rest[-1].replace(besides, "")
        return rest.pop() if digits.isdecimal() or not digits else None

    def _complain(self, message: str) -> None:
        self.messages.append(f"{self.called}: {message}")

    def _complain_of_value(self, message: str) -> None:
        self.messages.append(message)
        self.complaints.append(message)

    def _set(self, row: tuple[str, str, str, int], value: str | None) -> None:
        name, letter, long, kind = row
        flags = self.flags
        if not name:
            return
        if kind == _FLAG:
            setattr(flags, _OPPOSITES.get(name, name), name not in _OPPOSITES)
            if name == "no_builtin_variables":
                flags.no_builtin_rules = True
        elif name == "jobs":
            self._set_jobs(value)
        elif name == "load":
            self._set_load(value)
        elif value == "":
            which = f"-{letter}" if letter else f"--{long}"
            self._complain_of_value(
                f"{self.program}: the '{which}' option requires a non-empty string argument"
            )
        elif name == "debug":
            flags.debug.append("basic" if value is None else value)
        elif name == "output_sync":
            flags.output_sync = "target" if value is None else value
        elif name == "shuffle":
            flags.shuffle = "random" if value is None else value
        elif isinstance(getattr(flags, name), list):
            getattr(flags, name).append(value)
        else:
            setattr(flags, name, value)

    def _set_jobs(self, value: str | None) -> None:
        digits = (value or "").lstrip(" \t")
        is_number = digits.removeprefix(digits[:1] if digits[:1] in ("+", "-") else "").isdecimal()
        number = int(digits) if is_number else 0
        if value is not None and not number:
            self._complain_of_value(
                f"{self.program}: the '-j' option requires a positive integer argument"
            )
            return
        self.flags.jobs = number if number >= 0 else None
        self.flags.jobs_from_command = self.from_command

    def _set_load(self, value: str | None) -> None:
        if value is None:
            self.flags.load = None
            return
        found = _FLOAT.match(value)
        number = float(found[0]) if found else 0.0
        self.flags.load = number if number >= 0 else None

    def check(self) -> None:
        """Looks at the values that only some words can be."""
        flags = self.flags
        if flags.output_sync and flags.output_sync not in _SYNC_MODES:
            raise MakeError(f"unknown output-sync type '{flags.output_sync}'")
        for text in flags.debug:
            if "n" in _levels_of(text):
                flags.debug_all = False
        flags.shuffle = _shuffle_mode(flags.shuffle)


def _levels_of(text: str) -> list[str]:
    """The letters that the words of `--debug=WORDS` begin with. Raises MakeError."""
    found = []
    position = 0
    while position < len(text):
        if text[position] != "n" and text[position] not in _LEVELS:
            raise MakeError(f"unknown debug level specification '{text[position:]}'")
        found.append(text[position])
        while position < len(text) and text[position] not in ", ":
            position += 1
        position += 1
    return found


def _shuffle_mode(mode: str) -> str:
    """How `--shuffle` is passed on: a number, `reverse`, `identity`, or "" for none. Raises
    MakeError."""
    if mode in ("", "none"):
        return ""
    if mode in ("reverse", "identity"):
        return mode
    if mode == "random":
        return str(int.from_bytes(os.urandom(4), "little") >> 1)
    if not _SEED.match(mode):
        raise MakeError(f"invalid shuffle mode: Invalid value: '{mode}'")
    return str(int(mode) % (1 << 32))


# -- writing -------------------------------------------------------------------------------


def makeflags_text(flags: Flags, given: Iterable[Given] = (), *, reading: bool = False) -> str:
    """The value of `MAKEFLAGS`. `given` are the variables of the command line in the order in which
    they were first defined; `reading`: as makefiles see it, without what children get of slots and
    locks."""
    pieces = [_letters(flags), *_options(flags, reading)]
    pieces += [f"--eval={_quoted(each.replace('$', '$$'), last=True)}" for each in flags.evals]
    words = [
        f"{each.name}{'=' if each.recursive else ':='}" + _all_quoted(each.value.replace("$", "$$"))
        for each in given
    ]
    if words:
        pieces += ["--", *reversed(words)]
    return " ".join(pieces)


def mflags_text(flags: Flags, *, reading: bool = False) -> str:
    """The value of `MFLAGS`: options only, the letters with a dash."""
    letters = _letters(flags)
    return " ".join([f"-{letters}"] * bool(letters) + _options(flags, reading))


def given_texts(given: Iterable[Given]) -> str:
    """The value of `MAKEOVERRIDES`: what `makeflags_text` has behind its ` -- `."""
    return makeflags_text(Flags(), given).removeprefix(" -- ")


def _letters(flags: Flags) -> str:
    found = []
    for letter, name in _LETTERS:
        value = getattr(flags, name)
        if (value is False and name == "keep_going") if letter == "S" else value:
            found.append(letter)
    return "".join(found)


def _options(flags: Flags, reading: bool) -> list[str]:
    found = [f"-I{_quoted(each)}" for each in flags.include_folders]
    if flags.jobs is not None:
        found.append(f"-j{flags.jobs or ''}")
    if flags.load is not None:
        found.append(f"-l{flags.load:g}")
    if flags.output_sync:
        found.append(f"-O{flags.output_sync}")
    found += [f"--debug={_quoted(each)}" for each in flags.debug]
    if flags.jobserver_auth and not reading:
        found.append(f"--jobserver-auth={_quoted(flags.jobserver_auth)}")
    if flags.trace:
        found.append("--trace")
    if flags.print_directory is False:
        found.append("--no-print-directory")
    if flags.warn_undefined:
        found.append("--warn-undefined-variables")
    if flags.sync_mutex and not reading:
        found.append(f"--sync-mutex={_quoted(flags.sync_mutex)}")
    if flags.silent is False:
        found.append("--no-silent")
    if flags.shuffle:
        found.append(f"--shuffle={flags.shuffle}")
    return found


def _quoted(text: str, last: bool = False) -> str:
    """A text as one word: blanks get a backslash, and backslashes before them are doubled; `last`:
    those at the end too."""
    if " " in text or "\t" in text:
        text = _BEFORE_BLANK.sub(r"\1\1\\\2", text)
    backslashes = len(text) - len(text.rstrip("\\")) if last else 0
    return text + "\\" * backslashes


def _all_quoted(text: str) -> str:
    """The value of a variable as one word: a backslash before each blank and each backslash."""
    return "".join([f"\\{each}" if each in "\\ \t" else each for each in text])


# -- texts ---------------------------------------------------------------------------------

_HELP = (
    ("-b, -m", "Accepted, without effect."),
    ("-B, --always-make", "Make every target, whether it needs it or not."),
    ("-C DIRECTORY, --directory=DIRECTORY", "Work in DIRECTORY."),
    ("-d", "Tell everything about the work."),
    ("--debug[=FLAGS]", "Tell what FLAGS name about the work."),
    ("-e, --environment-overrides", "Variables of the environment win over those of makefiles."),
    ("-E STRING, --eval=STRING", "Read STRING as a line of a makefile, before all makefiles."),
    ("-f FILE, --file=FILE, --makefile=FILE", "Take FILE for the makefile."),
    ("-h, --help", "Show these lines and end."),
    ("-i, --ignore-errors", "Go on after commands that fail."),
    ("-I DIRECTORY, --include-dir=DIRECTORY", "Look in DIRECTORY for makefiles to include."),
    ("-j [N], --jobs[=N]", "Run up to N jobs at a time; without N, any number."),
    ("--jobserver-style=STYLE", "How job slots are shared with other makes: fifo or pipe."),
    ("-k, --keep-going", "After a failure, make what does not depend on it."),
    (
        "-l [N], --load-average[=N], --max-load[=N]",
        "Start no second job while the load is N or more.",
    ),
    ("-L, --check-symlink-times", "A symbolic link is as new as the newer of it and its target."),
    ("-n, --just-print, --dry-run, --recon", "Show the commands, run none."),
    ("-o FILE, --old-file=FILE, --assume-old=FILE", "Take FILE for very old; do not make it."),
    ("-O[TYPE], --output-sync[=TYPE]", "Keep the output of each job together, as TYPE says."),
    ("-p, --print-data-base", "Show all rules and variables."),
    ("-q, --question", "Run nothing; the exit status tells whether all is up to date."),
    ("-r, --no-builtin-rules", "Do without the built-in rules."),
    ("-R, --no-builtin-variables", "Do without the built-in variables (and rules)."),
    (
        "--shuffle[={SEED|random|reverse|none}]",
        "Take goals and prerequisites in another order.",
    ),
    ("-s, --silent, --quiet", "Do not show commands."),
    ("--no-silent", "Show commands, in spite of an earlier -s."),
    ("-S, --no-keep-going, --stop", "End at the first failure, in spite of an earlier -k."),
    ("-t, --touch", "Give targets a new time instead of making them."),
    ("--trace", "Tell why each target is made, and show its commands."),
    ("-v, --version", "Show the version and end."),
    ("-w, --print-directory", "Tell the directory that is entered and left."),
    ("--no-print-directory", "Do not tell it, in spite of -w, -C or a make above."),
    ("-W FILE, --what-if=FILE, --new-file=FILE, --assume-new=FILE", "Take FILE for just changed."),
    ("--warn-undefined-variables", "Warn where a variable is used that has no value."),
)
_HELP_COLUMN = 30


def usage(program: str = "make") -> str:
    """What `--help` shows, and what follows a message about options."""
    lines = [f"Usage: {program} [options] [target] ...", "Options:"]
    for options, meaning in _HELP:
        start = f"  {options}"
        if len(start) + 2 > _HELP_COLUMN:
            lines += [start, " " * _HELP_COLUMN + meaning]
        else:
            lines.append(start.ljust(_HELP_COLUMN) + meaning)
    return "\n".join(lines) + "\n"


def version(own: str) -> str:
    """What `--version` shows; `own` is the version of pybuild."""
    return (
        f"GNU Make {VERSION}\n"
        f"pybuild {own}, which reads makefiles as that program does and is no part of it.\n"
    )
