"""`--compdb`: how each C and C++ file is compiled, as a compilation database for editors and tools.

The format is that of https://clang.llvm.org/docs/JSONCompilationDatabase.html; the commands are
those of the recipes, without what only a shell understands.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence

from pybuild.cli.listing import dry_wish, look_at_includes
from pybuild.cli.opening import open_project
from pybuild.cli.options import Arguments
from pybuild.dryrun import everything, judge
from pybuild.engine.events import Complaint, Event, Judged
from pybuild.engine.ports import Report
from pybuild.graph import Job, ShellPart
from pybuild.project import Project
from pybuild.regex import regex
from pybuild.report.diagnostics import render
from pybuild.source import BuildError, Diagnostic
from pybuild.typed import NamedTuple

OK, ERROR = 0, 2
_FIELDS = ("directory", "command", "file", "output")

_COMPILER = regex(
    r"(?:.+-)?(?:cc|gcc|c\+\+|g\+\+|clang|clang\+\+|icc|icpc|icx|icpx|nvcc|emcc|em\+\+|mpicc|mpicxx"
    r"|mpic\+\+|c89|c99|tcc)(?:-\d[\d.]*)?(?:\.exe)?"
)
_LAUNCHERS = frozenset("ccache distcc sccache icecc gomacc".split())
# What may stand before a command and is no part of it.
_BEFORE = frozenset("! { if then elif else while until do time exec command env".split())
_SOURCE = regex(r".*\.(?:c|cc|cp|cxx|cpp|c\+\+|C|CPP|m|mm|M|cu|S|sx)")
# Options of compilers whose value is the next word.
_TAKES_WORD = frozenset(
    """
    -o -x -I -D -U -L -l -T -u -z -MF -MT -MQ -include -imacros -isystem -iquote -idirafter
    -iprefix -iwithprefix -isysroot -arch -target --param -Xlinker -Xassembler -Xpreprocessor
    -Xclang -framework --sysroot -aux-info
    """.split()
)
_NO_COMPILATION = frozenset(("-E", "-M", "-MM", "--version", "-###"))

# A word, an operator or a comment of a script; what is in quotes or brackets belongs to its word.
_TOKEN = regex(
    r"""(?P<comment>\#[^\n]*)
      | (?P<redirection>\d*(?:<<<|<>|>\||[<>]&|>>|<<-?|[<>](?!\())|&>>?)
      | (?P<operator>&&|\|\||;;|[;&|()\n])
      | (?P<word>(?:\\.|'[^']*'|"(?:[^"\\`$]|\\.|\$(?!\()|\$\([^)]*\)|`[^`]*`)*"
                 |\$\([^)]*\)|\$\{[^}]*\}|`[^`]*`|[<>]\([^)]*\)|[^\s\\'"`;&|()<>])+)
      | (?P<blank>\s)
      | (?P<wrong>.)""",
    0x50,  # re.VERBOSE | re.DOTALL
)
_LINE_END = regex(r"\\\n")
_HERE = regex(r"<<-?[ \t]*(['\"\\]?)(\w+)['\"]?")


class Entry(NamedTuple):
    """One compilation: where it runs, as what command, of which file to which output."""

    directory: str
    command: str
    file: str
    output: str


def compdb(arguments: Arguments) -> int:
    """Prints the compilations that the goals need, or all of them. Returns 0, or 2 if something
    cannot be planned, of which it says why. Raises BuildError and UsageError."""
    from json import dumps

    project = open_project(arguments)
    look_at_includes(project)
    jobs, complaints = _jobs(project, arguments)
    found: dict[Entry, None] = {}
    for job in jobs:
        try:
            found.update(dict.fromkeys(_compilations(job)))
        except BuildError as error:
            complaints += error.diagnostics
    data = [dict(zip(_FIELDS, entry, strict=True)) for entry in found]
    print(dumps(data, indent=2, ensure_ascii=False))
    sys.stdout.flush()
    for each in complaints:
        print(render(each), file=sys.stderr)
    return ERROR if any(each.severity == "error" for each in complaints) else OK


class _Planned(Report):
    """A report that keeps the jobs that were looked at, and what is wrong with the others."""

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        self.complaints: list[Diagnostic] = []

    def handle(self, event: Event) -> None:
        """Notes a job or a complaint."""
        if isinstance(event, Judged):
            self.jobs[event.job.number] = event.job
        elif isinstance(event, Complaint):
            self.complaints.append(event.diagnostic)


def _jobs(project: Project, arguments: Arguments) -> tuple[list[Job], list[Diagnostic]]:
    """The jobs that are needed, in the order of the build file, and what is wrong with others.
    Raises BuildError."""
    if arguments.goals:
        goals, _, complaints = project.goals(arguments.goals)
        if complaints:
            raise BuildError(*complaints)
    else:
        project.loaded.world.tell_guest()
        goals = everything(project)
    planned = _Planned()
    try:
        judge(project, goals, dry_wish(arguments), planned)
    except BuildError as error:
        planned.complaints += error.diagnostics
    return [planned.jobs[number] for number in sorted(planned.jobs)], planned.complaints


def _compilations(job: Job) -> Iterator[Entry]:
    """The compilations in the shell text of a job's recipe. Raises BuildError."""
    if job.recipe is None:
        return
    output = job.outputs[0] if job.outputs else job.name
    for part in job.recipe.expand(job, job.inputs, job.outputs).parts:
        if isinstance(part, ShellPart):
            yield from compilations(part.text, os.getcwd(), output)


def compilations(script: str, directory: str, output: str) -> Iterator[Entry]:
    """The compilations in a script that starts in a folder; `output` is what they make unless they
    say so themselves."""
    for words in _commands(script):
        plain = [_unquoted(word) for word in words]
        if plain[0] == "cd" and len(plain) == 2:
            directory = os.path.normpath(os.path.join(directory, plain[1]))
            continue
        start = _compiler(plain)
        if start is None:
            continue
        operands, made = _operands(plain[start:])
        if _NO_COMPILATION.isdisjoint(plain):
            for file in operands:
                yield Entry(directory, " ".join(words[start:]), file, made or output)


def _compiler(words: Sequence[str]) -> int | None:
    """Where the command starts that compiles: at a compiler, or at what launches one."""
    start = 0
    while start < len(words) and (words[start] in _BEFORE or _is_assignment(words[start])):
        start += 1
    at = start
    while at < len(words) and os.path.basename(words[at]) in _LAUNCHERS:
        at += 1
    is_one = at < len(words) and _COMPILER.fullmatch(os.path.basename(words[at]))
    return start if is_one else None


def _is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def _operands(words: Sequence[str]) -> tuple[list[str], str]:
    """The source files in a compiler's words, and the file that it makes if it is named."""
    files = []
    output = ""
    rest = iter(words)
    for word in rest:
        if word in _TAKES_WORD:
            value = next(rest, "")
            output = value if word == "-o" else output
        elif word.startswith("-o"):
            output = word[2:]
        elif not word.startswith("-") and _SOURCE.fullmatch(word):
            files.append(word)
    return files, output


def _unquoted(word: str) -> str:
    """A word without its quotes; as it is if they are never closed."""
    try:
        return "".join(shlex.split(word))
    except ValueError:
        return word


def _commands(script: str) -> Iterator[list[str]]:
    """The commands of a script as words, still quoted, without redirections and comments, up to
    what is no shell text."""
    words: list[str] = []
    is_target = False  # of a redirection
    for found in _TOKEN.finditer(_LINE_END.sub(" ", _without_here_documents(script))):
        kind = found.lastgroup
        if kind == "wrong":
            return
        if kind == "operator":
            if words:
                yield words
            words, is_target = [], False
        elif kind == "redirection":
            is_target = True
        elif kind == "word":
            if not is_target:
                words.append(found[0])
            is_target = False
    if words:
        yield words


def _without_here_documents(script: str) -> str:
    rows = []
    ends: list[str] = []
    for row in script.split("\n"):
        if ends:
            if row.lstrip("\t") == ends[0]:
                ends.pop(0)
            continue
        rows.append(row)
        if "<<" in row and "<<<" not in row:
            ends += [found[2] for found in _HERE.finditer(row)]
    return "\n".join(rows)
