"""Pages of the documentation as things to do: files to write, commands to run, output to compare.

What a fenced block is for is told by its language, and by an HTML comment right above it, which a
reader does not see:

- ```` ```pipefile ```` is written as the `Pipefile` of the scratch folder
- `<!-- file: NAME -->` above a block of any language writes it as that file
- ```` ```console ````: each line behind `$ ` is run by bash in the scratch folder (lines behind
  `> ` go on with it); the lines that follow are what it prints, stderr included
- `<!-- any order -->` above a `console` block: lines are compared whatever their order
- `<!-- run: COMMANDS -->` anywhere: run, and has to succeed
- `<!-- not run: REASON -->` above a block: neither run nor written
- `<!-- one folder -->` at the top of a page: one scratch folder for all of it; otherwise each
  heading starts with an empty one

In what is printed, `...` stands for any text, alone in its line for any lines; times of day and how
long a build took may differ.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "docs/tutorial.md",
    "docs/reference.md",
    "docs/diagnostics.md",
    "docs/python.md",
    "docs/makefiles.md",
    "docs/coming-from-pypipegraph.md",
    "docs/coming-from-ruffus.md",
)

_FENCE = re.compile(r"```+\s*(\w*)\s*$")
_HEADING = re.compile(r"#+ (.+)")
_COMMENT = re.compile(r"<!-- (file|run|not run|any order|one folder)(?:: (.*?))? -->", re.DOTALL)
_SPENT = re.compile(r"\bin (?:\d+ h )?(?:\d+ min )?\d+(?:\.\d+)? (?:s|min)$")
# Shortly after midnight what was an hour ago has a date.
_CLOCK = re.compile(r"(?:\b\d{4}-\d\d-\d\d )?\b\d\d:\d\d:\d\d\.\d{3}\b")
_LONGEST = 120  # seconds


@dataclass
class Step:
    """A block: `kind` is `file`, `console`, `run`, `not run` or `unknown`; `line` counts from 1."""

    kind: str
    line: int
    text: str
    name: str = ""
    any_order: bool = False


@dataclass
class Section:
    """The steps of one scratch folder."""

    title: str
    line: int
    steps: list[Step] = field(default_factory=list)


def sections(text: str) -> list[Section]:
    """The sections of a page that have something to do."""
    one_folder = "<!-- one folder -->" in text
    found = [Section("start", 1)]
    lines = text.split("\n")
    marks: dict[str, str] = {}
    index = 0
    while index < len(lines):
        line = lines[index]
        fence = _FENCE.match(line)
        if fence:
            end = next(i for i in range(index + 1, len(lines)) if lines[i].startswith("```"))
            body = "\n".join(lines[index + 1 : end])
            found[-1].steps.append(_step(fence[1], index + 1, body, marks))
            marks = {}
            index = end + 1
            continue
        heading = _HEADING.match(line)
        if heading and not one_folder:
            found.append(Section(heading[1], index + 1))
        if line.startswith("<!--"):
            end = next(i for i in range(index, len(lines)) if "-->" in lines[i])
            comment = _COMMENT.match("\n".join(lines[index : end + 1]))
            if comment and comment[1] == "run":
                found[-1].steps.append(Step("run", index + 1, comment[2]))
            elif comment:
                marks[comment[1]] = comment[2] or ""
            index = end
        elif line.strip():
            marks = {}
        index += 1
    return [each for each in found if each.steps]


def _step(language: str, line: int, body: str, marks: dict[str, str]) -> Step:
    if "not run" in marks:
        return Step("not run", line, body, marks["not run"])
    if "file" in marks:
        return Step("file", line, body, marks["file"])
    if language == "pipefile":
        return Step("file", line, body, "Pipefile")
    if language == "console":
        return Step("console", line, body, any_order="any order" in marks)
    return Step("unknown", line, body, language)


def commands(step: Step) -> Iterator[tuple[int, str, list[str]]]:
    """Each command of a console block: its line in the block, its text, what it prints."""
    lines = step.text.split("\n")
    index = 0
    while index < len(lines):
        start = index
        if not lines[index].startswith("$ "):
            raise AssertionError(f"line {step.line + index + 1}: output before any `$ command`")
        command = [lines[index][2:]]
        index += 1
        while index < len(lines) and lines[index].startswith("> "):
            command.append(lines[index][2:])
            index += 1
        printed = []
        while index < len(lines) and not lines[index].startswith("$ "):
            printed.append(lines[index])
            index += 1
        yield start, "\n".join(command), printed


class Scratch:
    """A folder in which the steps of a section are done, with `pybuild` first on the path."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        programs.mkdir(parents=True, exist_ok=True)
        own = programs / "pybuild"
        if not own.exists():
            _write_program(own)
        dropped = ("MAKE", "PYBUILD", "PYTHON")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
        self.environment |= {
            "PATH": os.pathsep.join(
                [str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
        }

    def write(self, step: Step) -> None:
        path = self.folder / step.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text + "\n", encoding="utf-8")
        if step.text.startswith("#!"):
            path.chmod(0o755)

    def run(self, command: str) -> tuple[int, list[str]]:
        """The exit status and the lines that a command prints."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST,
            check=False,
        )
        text = done.stdout.decode("utf-8", "replace")
        return done.returncode, [line.rstrip() for line in text.split("\n")][:-1]

    def do(self, section: Section) -> list[str]:
        """Does all steps; returns what is not as the page says."""
        wrong = []
        for step in section.steps:
            if step.kind == "file":
                self.write(step)
            elif step.kind == "run":
                status, printed = self.run(step.text)
                if status:
                    wrong.append(f"line {step.line}: `{step.text}`: status {status}: {printed}")
            elif step.kind == "console":
                for offset, command, expected in commands(step):
                    _, printed = self.run(command)
                    if not agrees(expected, printed, step.any_order):
                        shown = "\n".join(difflib.ndiff(expected, printed))
                        wrong.append(f"line {step.line + offset + 1}: $ {command}\n{shown}")
            elif step.kind == "unknown":
                wrong.append(f"line {step.line}: a block `{step.name}` of which nothing is said")
        return wrong


def _write_program(path: Path) -> None:
    """A `pybuild` that is the package of this checkout, run by the running interpreter."""
    path.write_text(
        f"#!{sys.executable} -P\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from pybuild.cli.main import main\nmain()\n",
        encoding="utf-8",
    )
    path.chmod(0o755)


def agrees(expected: list[str], printed: list[str], any_order: bool = False) -> bool:
    """Whether a command has printed what the page says."""
    expected = [_timeless(line.rstrip()) for line in expected]
    printed = [_timeless(line) for line in printed]
    while expected and not expected[-1]:
        expected.pop()
    while printed and not printed[-1]:
        printed.pop()
    if any_order:
        expected, printed = sorted(expected), sorted(printed)
    return _agrees(expected, printed)


def _timeless(line: str) -> str:
    return _CLOCK.sub("CLOCK", _SPENT.sub("in TIME", line))


def _agrees(expected: list[str], printed: list[str]) -> bool:
    if not expected:
        return not printed
    if expected[0].strip() == "...":
        return any(_agrees(expected[1:], printed[i:]) for i in range(len(printed) + 1))
    if not printed:
        return False
    parts = [re.escape(part) for part in expected[0].split("...")]
    return bool(re.fullmatch(".*".join(parts), printed[0])) and _agrees(expected[1:], printed[1:])
