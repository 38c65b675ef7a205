"""A run of make that had nothing to do is told again, as long as it would find nothing to do."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

MAKEFILE = """\
NOTED := $(shell echo run >> log; cat value)
all: a
a: b
\tcp b a
"""


class Project:
    """A makefile in a folder of its own, and a home."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "project"
        self.home = place / "home"
        self.folder.mkdir()
        self.home.mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        self.write("Makefile", MAKEFILE)
        self.write("b", "")
        self.write("value", "1\n")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def make(self, *words: str, **variables: str) -> str:
        """What a run says, both streams."""
        done = subprocess.run(
            [sys.executable, "-m", "pybuild", "--make", *words],
            cwd=self.folder,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout

    def kept(self) -> list[Path]:
        """The files of runs that are kept."""
        return sorted((self.home / ".cache" / "pybuild" / "make").glob("*"))

    def settle(self) -> None:
        """Waits until the times of what was written are old enough to prove something."""
        newest = max(path.stat().st_ctime_ns for path in [self.folder, *self.folder.iterdir()])
        while time.time_ns() < newest + 100_000_000:
            time.sleep(0.01)

    def mark(self) -> None:
        """Puts another text into what is kept, so that it can be seen whether it is told."""
        (path,) = self.kept()
        key, folders, here, _, *rest = marshal.loads(path.read_bytes())
        path.write_bytes(marshal.dumps((key, folders, here, ["", "kept\n"], *rest)))

    def runs(self) -> int:
        """How often the command of the makefile has run."""
        return (self.folder / "log").read_text().count("run")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project in which nothing is to be done, and that is kept."""
    made = Project(tmp_path)
    made.make()
    made.settle()
    assert "Nothing to be done" in made.make()
    made.mark()
    yield made


def test_it_is_told_again(project: Project) -> None:
    assert project.make() == "kept\n"
    assert project.make() == "kept\n"
    assert project.runs() == 4


def test_a_command_runs_once_whatever_it_says(project: Project) -> None:
    project.write("value", "2\n")
    before = project.runs()
    assert "Nothing to be done" in project.make()
    assert project.runs() == before + 1


def test_nothing_runs_by_a_makefile_that_is_another_now(project: Project) -> None:
    project.write("Makefile", "all: ; @echo other\n")
    before = project.runs()
    assert project.make() == "other\n"
    assert project.runs() == before


@pytest.mark.parametrize(
    ("words", "variables"),
    [(("all",), {}), (("-k",), {}), (("X=1",), {}), ((), {"X": "1"}), ((), {"MAKEFLAGS": "k"})],
)
def test_other_words_and_variables_are_another_run(
    project: Project, words: tuple[str, ...], variables: dict[str, str]
) -> None:
    assert "Nothing to be done" in project.make(*words, **variables)


def test_what_is_kept_may_be_broken(project: Project) -> None:
    (path,) = project.kept()
    for broken in (b"", b"\0", path.read_bytes()[:-1], marshal.dumps(1), marshal.dumps((1, 2))):
        path.write_bytes(broken)
        assert "Nothing to be done" in project.make()


def test_there_may_be_no_room(project: Project) -> None:
    for path in project.kept():
        path.unlink()
    (project.home / ".cache" / "pybuild" / "make").rmdir()
    (project.home / ".cache" / "pybuild" / "make").write_text("")
    assert "Nothing to be done" in project.make()
    assert "Nothing to be done" in project.make(HOME="")
    assert "Nothing to be done" in project.make(HOME="/dev/null")


def test_a_run_that_does_something_is_not_kept(project: Project) -> None:
    (project.folder / "b").touch()
    assert "cp b a" in project.make("X=1")
    assert len(project.kept()) == 1


def test_no_more_are_kept_than_there_is_room_for(project: Project) -> None:
    (path,) = project.kept()
    for number in range(200):
        path.with_name(f"old{number}").touch()
        os.utime(path.with_name(f"old{number}"), (number, number))
    assert "Nothing to be done" in project.make("X=1")
    assert len(project.kept()) == 102
    assert project.make() == "kept\n"


def test_nothing_is_kept_or_told_where_others_may_write(project: Project) -> None:
    project.home.chmod(0o777)
    assert "Nothing to be done" in project.make()
    project.make("X=1")
    assert len(project.kept()) == 1


def test_the_environment_is_not_kept(project: Project) -> None:
    project.make(TOKEN="hushhush")
    assert len(project.kept()) == 2
    assert not any(b"hushhush" in path.read_bytes() for path in project.kept())
