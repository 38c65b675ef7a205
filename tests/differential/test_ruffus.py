"""The same pipeline under Ruffus and under pybuild gives the same jobs and the same files."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from .ruffus_cases import CASES, Case

pytest.importorskip("ruffus")

JOBS = '''#!{python}
"""What all jobs of both sides do: `job(inputs, outputs)`, or `jobs.py OUTPUT... [-- INPUT...]`."""

import json
import os
import sys


def names(value):
    """The names in a nested value, in their order, relative to the project."""
    if isinstance(value, (list, tuple)):
        return [name for each in value for name in names(each)]
    return [os.path.relpath(value)]


def lines(name):
    """What has flowed into a file. What is no file is a value, and stands for itself."""
    if not os.path.exists(name):
        return {{name}}
    with open(name) as file:
        return set(file.read().splitlines())


def job(inputs, outputs):
    """Writes into each output which files it has come from, and a line into the log."""
    inputs, outputs = names(inputs), names(outputs)
    known = set().union(*map(lines, inputs))
    for name in outputs:
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "w") as file:
            file.write("\\n".join(sorted(known | {{name}})))
    with open("jobs.log", "a") as log:
        log.write(json.dumps([outputs, inputs]) + "\\n")


if __name__ == "__main__":
    words = sys.argv[1:]
    bar = words.index("--") if "--" in words else len(words)
    job(words[bar + 1 :], words[:bar])
'''

SCRIPT = """from ruffus import *
from ruffus.combinatorics import *
from jobs import job
{body}
pipeline_run({targets}, verbose=0)
"""

PIPEFILE = """{body}
python:
    from jobs import job
"""

OWN = (".pybuild", ".ruffus_history.sqlite", "__pycache__", "jobs.log", "jobs.py")
OWN_TEXTS = ("Pipefile", "pipeline.py")


class Job(NamedTuple):
    """A line of the log; outputs are sorted, inputs are where their order is not defined."""

    outputs: tuple[str, ...]
    inputs: tuple[str, ...]


class Side:
    """A folder with the sources of a case, and the command that builds it."""

    def __init__(self, folder: Path, case: Case, command: list[str]) -> None:
        self.folder = folder
        self.case = case
        self.command = command
        folder.mkdir()
        self.write(case.files)
        program = folder / "jobs.py"
        program.write_text(JOBS.format(python=sys.executable))
        program.chmod(0o755)

    def write(self, names: str, text: str = "") -> None:
        """Writes source files, each with its name and a text."""
        for name in shlex.split(names):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{name}{text}\n")

    def build(self) -> list[Job]:
        """Runs the pipeline; returns its jobs as they ended."""
        log = self.folder / "jobs.log"
        log.write_text("")
        done = subprocess.run(
            self.command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout
        return [self._job(*json.loads(line)) for line in log.read_text().splitlines()]

    def _job(self, outputs: list[str], inputs: list[str]) -> Job:
        given = inputs if self.case.in_order else sorted(set(inputs))
        return Job(tuple(sorted(outputs)), tuple(given))

    def tree(self) -> dict[str, str]:
        """All files with their texts, and all folders, but for what the tools keep."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder)
            if name.parts[0] not in (*OWN, *OWN_TEXTS):
                found[str(name)] = path.read_text() if path.is_file() else "a folder"
        return found


@pytest.fixture
def sides(case: Case, tmp_path: Path) -> tuple[Side, Side]:
    """The two sides of a case: Ruffus, pybuild."""
    ruffus = Side(tmp_path / "ruffus", case, [sys.executable, "pipeline.py"])
    script = SCRIPT.format(body=case.ruffus, targets=case.targets or "[]")
    (ruffus.folder / "pipeline.py").write_text(script)
    own = [sys.executable, "-m", "pybuild", "-s", *case.goals.split()]
    pybuild = Side(tmp_path / "pybuild", case, own)
    (pybuild.folder / "Pipefile").write_text(PIPEFILE.format(body=case.pipefile))
    return ruffus, pybuild


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_same_jobs_and_files(case: Case, sides: tuple[Side, Side]) -> None:
    """In a first build, and in a second one after the sources `changed` have."""
    theirs, ours = (side.build() for side in sides)
    assert theirs, "a case without jobs shows nothing"
    assert sorted(ours) == sorted(theirs)
    for first, second in case.order:
        for jobs in (theirs, ours):
            made = [name for each in jobs for name in each.outputs]
            assert made.index(first) < made.index(second)
    assert sides[1].tree() == sides[0].tree()
    for side in sides:
        side.write(case.changed, " changed")
    theirs, ours = (side.build() for side in sides)
    assert sorted(ours) == sorted(theirs)
    assert bool(theirs) is bool(case.changed)
    assert sides[1].tree() == sides[0].tree()


def test_each_case_has_its_own_name() -> None:
    assert len({case.id for case in CASES}) == len(CASES) >= 25
