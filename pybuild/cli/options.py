"""The command line: make's options with make's meaning, and pybuild's own, in one table.

Words may stand in any order, short options join (`-kj4`), an optional argument is attached (`-j4`,
`-Otarget`) or, where it is a number, the next word; long names may be shortened while they are
unique; `NAME=value` is a variable, `--` ends the options. `--help` and the reference are written
from the table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pybuild.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pybuild.pipefile.program import Program

FLAG, VALUE, NUMBER, TEXT_OR_NONE = "flag", "value", "number", "text or none"

_ASSIGNMENT = re.compile(r"([A-Za-z_][\w.-]*)\s*(?:\?|\+|:{0,3})=(.*)", re.DOTALL)


class UsageError(Exception):
    """The command line is wrong; the message says how."""


class Option(NamedTuple):
    """One option: its names, what it takes, what it sets in `Arguments`, and its help.

    `constant` is what the option sets when it has no value. A list field is appended to. `choices`
    are values that a shell may offer.
    """

    names: tuple[str, ...]
    field: str
    help: str
    takes: str = FLAG
    metavar: str = ""
    constant: Any = True
    group: str = "make"
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """All names with what they take, as `--help` shows them."""
        shown = []
        for name in self.names:
            if self.takes == FLAG:
                shown.append(name)
            elif name.startswith("--"):
                shown.append(
                    f"{name}[={self.metavar}]" if self.optional else f"{name}={self.metavar}"
                )
            else:
                shown.append(
                    f"{name}[{self.metavar}]" if self.optional else f"{name} {self.metavar}"
                )
        return ", ".join(shown)

    @property
    def optional(self) -> bool:
        return self.takes in (NUMBER, TEXT_OR_NONE)


class Arguments:
    """What the command line says. `program` is a pipeline written in Python, to be read instead of
    a Pipefile; `called` the name that pybuild was started by. `checksum_level` is "" if it is the
    usual one. `format` is how something is printed, None for the command that formats files."""

    def __init__(self) -> None:
        self.program: Program | None = None
        self.called: str = ""
        self.goals: list[str] = []
        self.variables: dict[str, str] = {}
        self.always_make: bool = False
        self.folders: list[str] = []
        self.debug: bool = False
        self.environment_overrides: bool = False
        self.eval: list[str] = []
        self.files: list[str] = []
        self.help: bool = False
        self.ignore_errors: bool = False
        self.include: list[str] = []
        self.jobs: str = ""
        self.keep_going: bool = False
        self.load: str = ""
        self.dry_run: bool = False
        self.old: list[str] = []
        self.output_sync: str = ""
        self.print_data_base: bool = False
        self.question: bool = False
        self.ignored: bool = False
        self.quiet: bool = False
        self.touch: bool = False
        self.version: bool = False
        self.print_directory: bool = False
        self.new: list[str] = []
        self.trace: bool = False
        self.shuffle: str = ""
        self.forced: list[str] = []
        self.adopt: bool = False
        self.forgotten: list[str] = []
        self.stale: bool = False
        self.remove: bool = False
        self.history: list[str] = []
        self.rebuild: str = "maximal"
        self.checksum_level: str = ""
        self.explain: bool = False
        self.list_rules: bool = False
        self.lint: bool = False
        self.lsp: bool = False
        self.format: str | None = "text"
        self.check: bool = False
        self.compdb: bool = False
        self.completion: str = ""
        self.diff: bool = False
        self.flowchart: str = ""
        self.flowchart_jobs: bool = False
        self.migrate: bool = False
        self.write: str = ""
        self.profile: str = ""
        self.resources: list[str] = []
        self.stats: bool = False
        self.verbose: bool = False
        self.watch: str = ""
        self.poll: str = ""


OPTIONS: tuple[Option, ...] = (
    Option(("-b", "-m"), "ignored", "ignored, for make's sake"),
    Option(("-B", "--always-make"), "always_make", "run every job that is wanted"),
    Option(("-C", "--directory"), "folders", "go to FOLDER first", VALUE, "FOLDER"),
    Option(("-d", "--debug"), "debug", "say of every job why it runs or does not"),
    Option(
        ("-e", "--environment-overrides"),
        "environment_overrides",
        "the environment wins over assignments",
    ),
    Option(("-E", "--eval"), "eval", "read TEXT before the Pipefile", VALUE, "TEXT"),
    Option(("-f", "--file", "--makefile"), "files", "read FILE instead of Pipefile", VALUE, "FILE"),
    Option(("-h", "--help"), "help", "print this and end"),
    Option(("-i", "--ignore-errors"), "ignore_errors", "go on as if failed recipes had succeeded"),
    Option(
        ("-I", "--include-dir"), "include", "look in FOLDER for included files", VALUE, "FOLDER"
    ),
    Option(
        ("-j", "--jobs"),
        "jobs",
        "run N jobs at once (default: one for each CPU; -j alone: no limit)",
        NUMBER,
        "N",
        "-1",
        aliases=("--multiprocess",),
    ),
    Option(("-k", "--keep-going"), "keep_going", "after a failure make what does not depend on it"),
    Option(
        ("-l", "--load-average", "--max-load"),
        "load",
        "start no further job while the load is above N",
        NUMBER,
        "N",
        "0",
    ),
    Option(
        ("-n", "--just-print", "--dry-run", "--recon"),
        "dry_run",
        "say what would run, and run nothing",
        aliases=("--just_print",),
    ),
    Option(
        ("-o", "--old-file", "--assume-old"),
        "old",
        "take FILE as very old: neither make it nor anything because of it",
        VALUE,
        "FILE",
    ),
    Option(
        ("-O", "--output-sync"),
        "output_sync",
        "print a job's output when it ends (`target`) or as it comes (`none`)",
        TEXT_OR_NONE,
        "TYPE",
        "target",
        choices=("none", "line", "target", "recurse"),
    ),
    Option(("-p", "--print-data-base"), "print_data_base", "print variables and rules"),
    Option(("-q", "--question"), "question", "run nothing; exit 1 if something would have to run"),
    Option(("-r", "--no-builtin-rules"), "ignored", "there are none in a Pipefile: ignored"),
    Option(("-R", "--no-builtin-variables"), "ignored", "there are none in a Pipefile: ignored"),
    Option(("-s", "--silent", "--quiet"), "quiet", "do not echo recipes, say only what fails"),
    Option(("--no-silent",), "quiet", "take `-s` back", constant=False),
    Option(("-S", "--no-keep-going", "--stop"), "keep_going", "take `-k` back", constant=False),
    Option(
        ("-t", "--touch"),
        "touch",
        "touch targets and record them as done instead of running recipes",
        aliases=("--touch_files_only",),
    ),
    Option(("-v", "--version"), "version", "print the version and end"),
    Option(("-w", "--print-directory"), "print_directory", "say which folder is entered and left"),
    Option(("--no-print-directory",), "print_directory", "take `-w` back", constant=False),
    Option(
        ("-W", "--what-if", "--new-file", "--assume-new"),
        "new",
        "take FILE as just changed",
        VALUE,
        "FILE",
    ),
    Option(("--trace",), "trace", "say why each job runs, and echo all recipes"),
    Option(
        ("--shuffle",),
        "shuffle",
        "start ready jobs in another order: `random`, `reverse` or a number",
        TEXT_OR_NONE,
        "HOW",
        "random",
        choices=("random", "reverse", "identity", "none"),
    ),
    Option(
        ("--warn-undefined-variables",),
        "ignored",
        "an unknown name is always an error in a Pipefile: ignored",
    ),
    Option(
        ("--force",),
        "forced",
        "run the jobs of this rule, or the job of this target, whatever their state",
        VALUE,
        "RULE_OR_TARGET",
        group="pybuild",
        aliases=("--forced_tasks",),
    ),
    Option(
        ("-M", "--minimal"),
        "rebuild",
        "short for `--rebuild=minimal`",
        constant="minimal",
        group="pybuild",
        aliases=("--minimal_rebuild_mode",),
    ),
    Option(
        ("--rebuild",),
        "rebuild",
        "`maximal`: look at all that is upstream; `minimal`: take an up-to-date target as it is",
        VALUE,
        "MODE",
        group="pybuild",
        choices=("maximal", "minimal"),
    ),
    Option(
        ("--checksum-level",),
        "checksum_level",
        "what counts: 0 time, 1 history, 2 recipe, 3 params, 4 content",
        VALUE,
        "LEVEL",
        group="pybuild",
        aliases=("--checksum_level",),
        choices=("time", "history", "recipe", "params", "content"),
    ),
    Option(
        ("--explain",),
        "explain",
        "for each job that runs each reason; for goals that do not, why not",
        group="pybuild",
    ),
    Option(
        ("--adopt",),
        "adopt",
        "record the targets that are there as made, run nothing and touch nothing",
        group="pybuild",
    ),
    Option(
        ("--forget",),
        "forgotten",
        "drop the records of these rules and targets, so that their jobs run next time",
        VALUE,
        "RULE_OR_TARGET",
        group="pybuild",
    ),
    Option(
        ("--stale",),
        "stale",
        "list the files that an earlier build made and that no rule makes now",
        group="pybuild",
    ),
    Option(
        ("--remove",), "remove", "with --stale: remove these files, with records", group="pybuild"
    ),
    Option(
        ("--history",),
        "history",
        "when and with what TARGET was made, and what has changed since",
        VALUE,
        "TARGET",
        group="pybuild",
    ),
    Option(
        ("--list",), "list_rules", "print rules, descriptions and numbers of jobs", group="pybuild"
    ),
    Option(
        ("--lint",),
        "lint",
        "print all that is wrong with the Pipefile, and what can hardly be meant "
        "(docs/diagnostics.md)",
        group="pybuild",
    ),
    Option(
        ("--lsp",),
        "lsp",
        "serve an editor, by the Language Server Protocol over standard input and output",
        group="pybuild",
    ),
    Option(
        ("--format",),
        "format",
        "format the Pipefiles and folders that are named (default: this folder); with a value "
        "something else: how --lint, --list, --history and builds print, as `text` or `json`; "
        "--lint as `sarif`, too",
        TEXT_OR_NONE,
        "PRINTED",
        None,
        group="pybuild",
        choices=("text", "json", "sarif"),
    ),
    Option(
        ("--check",),
        "check",
        "with --format: write nothing; exit 1 if a file would change",
        group="pybuild",
    ),
    Option(
        ("--diff",),
        "diff",
        "with --format: print what would change, write nothing",
        group="pybuild",
    ),
    Option(
        ("--flowchart",),
        "flowchart",
        "draw the rules to FILE: .svg .html .dot .png .pdf .mermaid",
        VALUE,
        "FILE",
        group="pybuild",
    ),
    Option(("--flowchart-jobs",), "flowchart_jobs", "draw jobs instead of rules", group="pybuild"),
    Option(
        ("--migrate",),
        "migrate",
        "print a Pipefile for the makefile here, or for the one that is named",
        group="pybuild",
    ),
    Option(
        ("--write",),
        "write",
        "with --migrate: write to FILE, which must not be there yet",
        VALUE,
        "FILE",
        group="pybuild",
    ),
    Option(
        ("--profile",),
        "profile",
        "write when each phase and each job ran to FILE, for ui.perfetto.dev or chrome://tracing",
        VALUE,
        "FILE",
        group="pybuild",
    ),
    Option(("--stats",), "stats", "print how long each phase took", group="pybuild"),
    Option(
        ("--resources",),
        "resources",
        "how much there is of a resource, for `@resources`: `gpu=2`, `mem=16G`",
        VALUE,
        "NAME=AMOUNT",
        group="pybuild",
    ),
    Option(
        ("-T", "--target_tasks"),
        "goals",
        "Ruffus's way to name a goal",
        VALUE,
        "GOAL",
        group="pybuild",
    ),
    Option(("--verbose",), "verbose", "say why each job runs", NUMBER, "N", True, group="pybuild"),
    Option(
        ("--watch",),
        "watch",
        "build, then wait for changes and build again; with `queue` what runs is never stopped",
        TEXT_OR_NONE,
        "HOW",
        "cancel",
        group="pybuild",
        choices=("cancel", "queue"),
    ),
    Option(
        ("--poll",),
        "poll",
        "with --watch: look at the files every SECONDS (1) instead of being told of changes",
        NUMBER,
        "SECONDS",
        "1",
        group="pybuild",
    ),
    Option(
        ("--compdb",),
        "compdb",
        "print how C and C++ files are compiled, as a `compile_commands.json`",
        group="pybuild",
    ),
    Option(
        ("--completion",),
        "completion",
        "print the script that completes command lines in SHELL: bash, zsh or fish",
        VALUE,
        "SHELL",
        group="pybuild",
        choices=("bash", "zsh", "fish"),
    ),
    Option(("--use_threads",), "ignored", "Ruffus's: ignored", group="pybuild"),
    Option(
        ("--checksum_file_name",),
        "ignored",
        "Ruffus's: ignored, records are kept in `.pybuild`",
        VALUE,
        "FILE",
        group="pybuild",
    ),
)

_BY_NAME = {name: option for option in OPTIONS for name in (*option.names, *option.aliases)}


def parse(words: Sequence[str]) -> Arguments:
    """Reads a command line. Raises UsageError."""
    found = Arguments()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            for each in rest:
                _operand(found, each)
            break
        if word.startswith("--"):
            _long(found, word, rest)
        elif word.startswith("-") and len(word) > 1:
            _short(found, word[1:], rest)
        else:
            _operand(found, word)
    return found


def _operand(found: Arguments, word: str) -> None:
    fit = _ASSIGNMENT.match(word)
    if fit:
        found.variables[fit[1]] = fit[2]
    else:
        found.goals.append(word)


def _long(found: Arguments, word: str, rest: list[str]) -> None:
    name, equals, value = word.partition("=")
    option = _BY_NAME.get(name) or _shortened(name)
    if option.takes == FLAG:
        if equals and name != "--debug":
            raise UsageError(f"option `{name}` takes no value")
        _set(found, option, option.constant)
    elif equals:
        if not value and option.takes == VALUE and option.metavar != "TEXT":
            raise UsageError(f"option `{name}` needs a value")
        _set(found, option, value)
    elif option.takes == VALUE:
        _set(found, option, _next(rest, name))
    else:
        _set(found, option, _number_next(option, rest))


def option_of(name: str) -> Option | None:
    """The option of this name or of one that is shortened to it; None if there is no such."""
    try:
        return _BY_NAME.get(name) or _shortened(name)
    except UsageError:
        return None


def _shortened(name: str) -> Option:
    fits = sorted(known for known in _BY_NAME if known.startswith(name))
    # A name of Ruffus's does not stand in the way of a shortened one of ours.
    fits = [known for known in fits if "_" not in known] or fits
    options = {id(_BY_NAME[known]) for known in fits}
    if len(options) == 1:
        return _BY_NAME[fits[0]]
    if fits:
        raise UsageError(f"option `{name}` is ambiguous: {', '.join(fits)}")
    from pybuild.source import did_you_mean

    help = did_you_mean(name, list(_BY_NAME))
    raise UsageError(f"there is no option `{name}`" + (f": {help}" if help else ""))


def _short(found: Arguments, letters: str, rest: list[str]) -> None:
    while letters:
        option = _BY_NAME.get(f"-{letters[0]}")
        if option is None:
            raise UsageError(f"there is no option `-{letters[0]}`")
        name, letters = f"-{letters[0]}", letters[1:]
        if option.takes == FLAG:
            _set(found, option, option.constant)
        elif option.takes == VALUE:
            _set(found, option, letters or _next(rest, name))
            return
        elif option.takes == NUMBER:
            digits = re.match(r"\d+(\.\d+)?", letters)
            if digits:
                _set(found, option, digits[0])
                letters = letters[digits.end() :]
            else:
                _set(found, option, option.constant if letters else _number_next(option, rest))
        else:
            _set(found, option, letters or option.constant)
            return


def _next(rest: list[str], name: str) -> str:
    if not rest:
        raise UsageError(f"option `{name}` needs a value")
    return rest.pop(0)


def _number_next(option: Option, rest: list[str]) -> Any:
    """A number may stand in the next word; else the option has no value."""
    if option.takes == NUMBER and rest and re.fullmatch(r"\d+(\.\d+)?", rest[0]):
        return rest.pop(0)
    return option.constant


def _set(found: Arguments, option: Option, value: Any) -> None:
    old = getattr(found, option.field)
    if isinstance(old, list):
        old.append(value)
    else:
        setattr(found, option.field, value)


def help_text() -> str:
    """What `--help` prints."""
    lines = [
        "usage: pybuild [option ...] [NAME=value ...] [goal ...]",
        "",
        "Makes goals (files, rules, tasks; by default the first rule of the Pipefile) and all that",
        "they need, and runs only what is out of date.",
    ]
    for group, title in (("make", "as in make"), ("pybuild", "pybuild's own")):
        lines += ["", f"{title}:"]
        for option in OPTIONS:
            if option.group == group:
                lines += _help_lines(option)
    lines += [
        "",
        "exit status: 0 all is made, 2 an error; 1 with -q something would have to run, or with",
        "--format --check a file would change",
    ]
    return "\n".join(lines)


def _help_lines(option: Option) -> list[str]:
    import textwrap

    head = f"  {option.usage}"
    body = textwrap.wrap(option.help, 66)
    if len(head) <= 26:
        return [f"{head:<28}{body[0]}", *(" " * 28 + line for line in body[1:])]
    return [head, *(" " * 28 + line for line in body)]
