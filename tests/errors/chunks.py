"""The chunked cases: Pipefiles with the complaints that are due, written where they are due.

A file holds many cases:

    == unknown name in a recipe
    out.txt: in.txt
        cp <inptu> <output>
           ^ PB201 <inptu> is not known ... here
           help: did you mean `input`
    -- file in.txt
    text

A line of blanks and a `^` stands for a complaint about the line above it, at just that column;
`~~~~` for one anywhere in that stretch. Behind the code (`PB104|PB205` where either will do) stand
parts of the message, with ` ... ` between them. `help:`, `note:` and `note at FILE:LINE:COLUMN:`
lines below belong to it. All these lines are taken out before the text is used, so lines are
counted without them. After the text:

    -- file NAME        further lines are the file's text (complaints may stand in it as well)
    -- folder NAME
    -- link NAME -> TARGET
    -- args WORDS       the command line (none: the default goal)
    -- complaint PB310 message      a complaint without a place; help and notes below it
    -- at FILE:LINE PB207 message    one in a text that is no file, in any column
    -- says TEXT        somewhere in the output
    -- not TEXT         nowhere in the output
    -- status N         2 if not given
    -- made NAMES       what exists afterwards and did not before; nothing if not given
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

_MARK = re.compile(
    r"(?P<lead>[ \t]*)(?P<mark>\^+|~+) (?P<code>PB\d{3}(?:\|PB\d{3})*)(?: (?P<message>.*))?"
)
_MORE = re.compile(r"[ \t]*(?P<kind>help|note)(?: at (?P<place>\S+))?:(?: (?P<text>.*))?")
_HEAD = re.compile(
    r"(?:(?P<file>.+?):(?P<line>\d+):(?P<column>\d+)|pybuild): "
    r"(?P<severity>error|warning): (?P<message>.*) \[(?P<code>PB\d{3})\]"
)
_NOTE = re.compile(r"  note: (?P<text>.*?)(?: at (?P<place>[^ ]+:\d+:\d+))?")
_EXCERPT = re.compile(r"  (?P<number> *\d*) \| (?P<text>.*)")


@dataclass(slots=True)
class Wanted:
    """A complaint that is due: its place ("" for none), code, parts of message, help and notes."""

    file: str
    line: int
    first: int
    last: int
    code: str
    message: list[str]
    help: list[str] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def fits(self, said: Said) -> bool:
        """Whether this is the complaint, by place and code."""
        return (
            said.code in self.code.split("|")
            and (said.file, said.line) == (self.file, self.line)
            and self.first <= said.column <= self.last
        )

    def __str__(self) -> str:
        if not self.file:
            return self.code
        columns = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.file}:{self.line}:{columns} {self.code}"


@dataclass(slots=True)
class Said:
    """A complaint as it was printed."""

    file: str
    line: int
    column: int
    code: str
    message: str
    help: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)
    excerpt: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column} " if self.file else ""
        return f"{place}{self.code} {self.message}"


@dataclass(slots=True)
class Case:
    """One project and what is due there."""

    title: str
    files: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    status: int = 2
    made: set[str] = field(default_factory=set)
    ran: bool = False  # whether `made` is given: something may have run


def read_cases(path: Path) -> list[Case]:
    """The cases of a file. Raises ValueError if it is not written as it should be."""
    cases: list[Case] = []
    reader: _Reader | None = None
    for line in path.read_text("utf-8").split("\n"):
        if line.startswith("== "):
            if reader is not None:
                cases.append(reader.end())
            reader = _Reader(Case(line[3:].strip()))
        elif reader is not None:
            reader.take(line)
        elif line and not line.startswith("#"):
            raise ValueError(f"{path.name}: {line!r} stands before the first case")
    if reader is not None:
        cases.append(reader.end())
    return cases


class _Reader:
    def __init__(self, case: Case) -> None:
        self.case = case
        self.name = "Pipefile"
        self.named = False
        self.rows: list[str] = []
        self.last: Wanted | None = None

    def take(self, line: str) -> None:
        if line.startswith("-- "):
            self.end_file()
            verb, _, rest = line[3:].partition(" ")
            self.directive(verb, rest.strip())
            return
        more = _MORE.fullmatch(line)
        if self.last is not None and more is not None:
            if more["kind"] == "help":
                self.last.help.append(more["text"] or "")
            else:
                self.last.notes.append((more["text"] or "", more["place"] or ""))
            return
        self.last = None
        mark = _MARK.fullmatch(line)
        if mark is None:
            self.rows.append(line)
            return
        first = len(mark["lead"]) + 1
        last = first + len(mark["mark"]) - 1 if mark["mark"][0] == "~" else first
        self.want(
            Wanted(self.name, len(self.rows), first, last, mark["code"], _parts(mark["message"]))
        )

    def want(self, wanted: Wanted) -> None:
        self.last = wanted
        self.case.wanted.append(wanted)

    def directive(self, verb: str, rest: str) -> None:
        case = self.case
        self.last = None
        if verb == "file":
            self.name, self.named = rest, True
        elif verb == "folder":
            case.folders.append(rest)
        elif verb == "link":
            name, _, target = rest.partition(" -> ")
            case.links[name] = target
        elif verb == "args":
            case.words = shlex.split(rest)
        elif verb == "complaint":
            code, _, message = rest.partition(" ")
            self.want(Wanted("", 0, 0, 0, code, _parts(message)))
        elif verb == "at":
            place, code, *message = rest.split(" ", 2)
            name, _, line = place.rpartition(":")
            self.want(Wanted(name, int(line), 1, 1000, code, _parts("".join(message))))
        elif verb == "says":
            case.says.append(rest)
        elif verb == "not":
            case.silent.append(rest)
        elif verb == "status":
            case.status = int(rest)
        elif verb == "made":
            case.made, case.ran = set(shlex.split(rest)), True
        else:
            raise ValueError(f"{case.title}: there is no `-- {verb}`")

    def end_file(self) -> None:
        while self.rows and not self.rows[-1]:
            self.rows.pop()
        if self.rows or self.named:
            self.case.files[self.name] = "".join(f"{row}\n" for row in self.rows)
        self.name, self.named, self.rows = "Pipefile", False, []

    def end(self) -> Case:
        self.end_file()
        return self.case


def _parts(text: str | None) -> list[str]:
    return [each for each in (text or "").split(" ... ") if each]


def read_said(text: str) -> list[Said]:
    """The complaints in what was printed; warnings are left out."""
    found: list[Said] = []
    last: Said | None = None
    in_note = False
    for line in text.split("\n"):
        head = _HEAD.fullmatch(line)
        if head is not None:
            last = Said(
                head["file"] or "",
                int(head["line"] or 0),
                int(head["column"] or 0),
                head["code"],
                head["message"],
            )
            in_note = False
            if head["severity"] == "error":
                found.append(last)
        elif last is None:
            continue
        elif line.startswith("  help: "):
            last.help = line[8:]
        elif (note := _NOTE.fullmatch(line)) is not None:
            last.notes.append((note["text"], note["place"] or ""))
            in_note = True
        elif _EXCERPT.fullmatch(line):
            if not in_note:
                last.excerpt.append(line)
        else:
            last = None
    return found


def pointed_at(said: Said) -> tuple[int, str, str]:
    """From the excerpt below a complaint: number of the line shown, the line, and the rest of it
    from where the first caret points."""
    shown, carets = (_EXCERPT.fullmatch(line) for line in said.excerpt)
    assert shown is not None and carets is not None
    at = carets["text"].index("^")
    return int(shown["number"]), shown["text"], shown["text"][at:]
