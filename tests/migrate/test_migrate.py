"""A migrated makefile makes what the makefile makes.

Each case (format: `tests/makefiles/cases.py`) is done twice, in folders of their own: by GNU make,
and by pybuild with the Pipefile that `pybuild --migrate` has written, where `make` in a command is
pybuild. Afterwards both folders hold the same files, and pybuild finds something to do for a goal
only if make does. A case whose name ends in `-left` has something that is not migrated.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gnumake import gnu_make
from tests.makefiles.cases import Case, Command, read

CASES = [case for path in sorted(Path(__file__).parent.glob("*.cases")) for case in read(path)]
LIMIT = 60.0


def script(folder: Path, name: str, command: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    (folder / name).chmod(0o755)


class Side:
    """A folder in which commands run, with a `make` of its own."""

    def __init__(self, folder: Path, bin: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.environment = {
            "PATH": f"{bin}:/usr/bin:/bin",
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def files(self) -> dict[str, str]:
        found = {}
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if name != ".pybuild"]
            for name in folders:
                found[os.path.relpath(os.path.join(folder, name), self.folder) + "/"] = ""
            for name in names:
                path = Path(folder, name)
                data = path.read_bytes()
                text = data.decode() if b"\0" not in data else "(binary)"
                found[str(path.relative_to(self.folder))] = text
        found.pop("Pipefile", None)
        return found


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Side, Side]:
    make = gnu_make()
    if not make:
        pytest.skip("there is no GNU make to compare with")
    pybuild = f"{sys.executable} -m pybuild"
    script(tmp_path / "theirs", "make", make)
    script(tmp_path / "ours", "make", f"{pybuild} -s -j1")
    for name in ("theirs", "ours"):
        script(tmp_path / name, "pybuild", pybuild)
    return (
        Side(tmp_path / "a", tmp_path / "theirs"),
        Side(tmp_path / "b", tmp_path / "ours"),
    )


def migrate(side: Side, expected: int) -> str:
    done = side.run("pybuild --migrate --write=Pipefile")
    assert done.returncode == expected, done.stderr
    assert not done.stdout
    return (side.folder / "Pipefile").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_makes_the_same(case: Case, sides: tuple[Side, Side]) -> None:
    theirs, ours = sides
    commands = [step for step in case.steps if isinstance(step, Command)] or [Command("make")]
    for side in sides:
        for step in case.steps:
            if not isinstance(step, Command):
                step.take(side.folder)
    text = migrate(ours, 1 if case.id.endswith("-left") else 0)
    for command in commands:
        for side in sides:
            ran = side.run(command.line)
            assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}\n{text}"
    assert ours.files() == theirs.files(), text
    for line in {command.line for command in commands if re.match(r"make\b", command.line)}:
        again = line.replace("make", "make -q", 1)
        ran = ours.run(again)
        assert ran.returncode == theirs.run(again).returncode, f"{line}: {ran.stdout}{text}"
