"""Runs pybuild on projects in temporary folders, and reads what their recipes noted of themselves.

Recipes write notes outside the project, into the folder that `PROPERTY_LOG` names, one file for
each process, so that nothing interleaves:

    begin RULE WORD...      a job starts; the words are all that its output
    out NAME                each of its targets (for a split: its patterns)
    CHECKSUM SIZE NAME      each of its inputs, with a checksum
    end                     it ended well
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pybuild.cli.main import run

LOG_VARIABLE = "PROPERTY_LOG"
STATE = ".pybuild"


@dataclass(frozen=True)
class Note:
    """One run of one job, by its own account."""

    rule: str
    words: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]  # "CHECKSUM SIZE NAME"
    ended: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.rule, self.outputs[0] if self.outputs else ""

    @property
    def facts(self) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """All that may make the job run again."""
        return self.words, self.outputs, self.inputs

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(line.split(" ", 2)[2] for line in self.inputs)


@dataclass(frozen=True)
class Ran:
    """What one call of pybuild did."""

    status: int
    text: str
    notes: tuple[Note, ...]

    def __str__(self) -> str:
        jobs = ", ".join(f"{note.rule}:{note.key[1]}" for note in self.notes)
        return f"status {self.status}; jobs: {jobs or 'none'}\n{self.text}"


def read_notes(folder: Path) -> tuple[Note, ...]:
    """All notes in a log folder."""
    found: list[Note] = []
    for path in sorted(folder.iterdir()):
        found.extend(_notes(path.read_text()))
    return tuple(found)


def _notes(text: str) -> Iterator[Note]:
    for block in text.split("begin ")[1:]:
        head, *lines = block.splitlines()
        rule, _, words = head.partition(" ")
        outputs = tuple(line[4:] for line in lines if line.startswith("out "))
        inputs = tuple(
            line for line in lines if line[:1].isdigit() and not line.endswith(" /dev/null")
        )
        yield Note(rule, words, outputs, inputs, "end" in lines)


@contextlib.contextmanager
def _inside(folder: Path, variables: Mapping[str, str]) -> Iterator[None]:
    home = Path.cwd()
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(home)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def build(folder: Path, *words: str) -> Ran:
    """Runs pybuild inside this process."""
    log = folder.parent / f"{folder.name}.log"
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir()
    text = io.StringIO()
    with (
        _inside(folder, {LOG_VARIABLE: str(log)}),
        contextlib.redirect_stdout(text),
        contextlib.redirect_stderr(text),
    ):
        status = run(list(words))
    return Ran(status, text.getvalue(), read_notes(log))


def build_process(folder: Path, *words: str) -> Ran:
    """Runs pybuild as users do."""
    log = folder.parent / f"{folder.name}.log"
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "pybuild", *words],
        cwd=folder,
        env={**os.environ, LOG_VARIABLE: str(log)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(errors="replace"), read_notes(log))


def tree(folder: Path) -> dict[str, bytes]:
    """All files of a project with their bytes, but for pybuild's own."""
    found: dict[str, bytes] = {}
    for here, folders, names in os.walk(folder):
        if STATE in folders:
            folders.remove(STATE)
        for name in names:
            path = Path(here, name)
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def write_tree(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def newest(folder: Path) -> int:
    """The latest time of a file of a project, in ns."""
    times = [0]
    for here, folders, names in os.walk(folder):
        if STATE in folders:
            folders.remove(STATE)
        times += [os.stat(os.path.join(here, name)).st_mtime_ns for name in names]
    return max(times)


def make_newer(path: Path, than: int) -> None:
    """Gives a file the time of now, once the file system's clock has passed another time."""
    os.utime(path)
    while path.stat().st_mtime_ns <= than:
        os.utime(path)
