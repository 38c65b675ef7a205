"""The format of the case files, and what a case is.

A file `CHAPTER.cases` holds cases one after the other. What stands before the first is a remark.

    == name-of-the-case
    all: a                      the makefile, up to the next line that starts with `-- ` or `$ `
    <tab>cp a all               (if there is none, no Makefile is written)
    -- file NAME[@AGE]          a file with the text that follows
    -- files a b@10 d/          empty files and folders; a file that is there only gets its time
    $ make all                  a command line, given to `sh`

Steps are taken in the order in which they stand, in a folder of their own. AGE is in seconds before
a fixed moment in the past (0 if it is left out; a negative age is later): no test has to wait for
the clock, and what a recipe writes is always newer than what a case began with. A case without a
command line runs `make`. No outputs are stored: what GNU make does is what is expected.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

MOMENT = 1_600_000_000
"""The time of files of age 0, in seconds since 1970."""

HERE = Path(__file__).parent


class Write(NamedTuple):
    """A step: write a file and set its time."""

    name: str
    text: str
    age: int

    def take(self, folder: Path) -> None:
        """Write the file in `folder`."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text)
        os.utime(path, (MOMENT - self.age,) * 2)


class Age(NamedTuple):
    """A step: set the time of a file, which is made empty if it is not there; or make a folder."""

    name: str
    age: int

    def take(self, folder: Path) -> None:
        """Set the time of the file in `folder`."""
        path = folder / self.name
        if self.name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        elif not path.exists():
            Write(self.name, "", self.age).take(folder)
        os.utime(path, (MOMENT - self.age,) * 2)


class Command(NamedTuple):
    """A step: run a line of shell."""

    line: str


class Case(NamedTuple):
    """A case: `id` is `chapter/name`."""

    id: str
    steps: tuple[Write | Age | Command, ...]


def read(path: Path) -> list[Case]:
    """The cases of one file.

    Raises ValueError if two cases have one name or a line says `-- ` and something unknown.
    """
    parts = ("\n" + path.read_text()).split("\n== ")[1:]
    cases = [_case(path.stem, part) for part in parts]
    if len({case.id for case in cases}) < len(cases):
        raise ValueError(f"{path.name}: two cases of one name")
    return cases


def all_cases() -> list[Case]:
    """The cases of all files, by the names of the files."""
    return [case for path in sorted(HERE.glob("*.cases")) for case in read(path)]


def as_text(case: Case) -> str:
    """`case` in the format of the case files."""
    lines = ["== " + case.id.rpartition("/")[2]]
    for step in case.steps:
        if isinstance(step, Write):
            lines += [] if step.name == "Makefile" else [f"-- file {step.name}@{step.age}"]
            lines.append(step.text.rstrip("\n"))
        elif isinstance(step, Age):
            lines.append(f"-- files {step.name}@{step.age}")
        else:
            lines.append(f"$ {step.line}")
    return "\n".join(lines)


def _case(chapter: str, part: str) -> Case:
    """The case that `part` (from its name to the next case) tells."""
    name, *lines = part.split("\n")
    steps: list[Write | Age | Command] = []
    target = "Makefile"
    text: list[str] = []
    for line in [*lines, "$ "]:
        if not line.startswith(("$ ", "-- ")):
            text.append(line)
            continue
        body = "\n".join(text).rstrip("\n")
        if target and (body or target != "Makefile"):
            steps.append(_written(target, body + "\n" if body else ""))
        target, text = "", []
        word, _, rest = line.partition(" ")
        if word == "$":
            steps += [Command(rest)] if rest else []
        elif rest.startswith("file "):
            target = rest.removeprefix("file ")
        elif rest.startswith("files "):
            steps += [Age(*_aged(word)) for word in rest.removeprefix("files ").split()]
        else:
            raise ValueError(f"{chapter}/{name}: {line}")
    if not any(isinstance(step, Command) for step in steps):
        steps.append(Command("make"))
    return Case(f"{chapter}/{name}", tuple(steps))


def _written(target: str, text: str) -> Write:
    name, age = _aged(target)
    return Write(name, text, age)


def _aged(word: str) -> tuple[str, int]:
    """`NAME@AGE` or `NAME`, taken apart."""
    name, _, age = word.partition("@")
    return name, int(age or 0)
