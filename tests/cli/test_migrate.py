"""`--migrate` as a command: where the Pipefile goes, what is said, exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = "out: in\n\tcp $< $@\n"
PIPEFILE = "out: in\n    cp <input> <output>\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pybuild", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_prints_the_pipefile(folder: Path) -> None:
    done = run(folder, "--migrate")
    assert (done.returncode, done.stdout, done.stderr) == (0, PIPEFILE, "")


def test_another_makefile(folder: Path) -> None:
    (folder / "other.mk").write_text("x: ; touch $@\n")
    for words in (("other.mk",), ("-f", "other.mk")):
        assert run(folder, "--migrate", *words).stdout == "x:\n    touch <output>\n"


def test_writes_a_file_that_is_not_there(folder: Path) -> None:
    done = run(folder, "--migrate", "--write=Pipefile")
    assert (done.returncode, done.stdout) == (0, "")
    assert (folder / "Pipefile").read_text() == PIPEFILE
    again = run(folder, "--migrate", "--write=Pipefile")
    assert again.returncode == 2
    assert again.stderr == "pybuild: --write: Pipefile: File exists\n"


def test_in_another_folder(folder: Path) -> None:
    (folder / "sub").mkdir()
    assert run(folder / "sub", "-C", "..", "--migrate").stdout == PIPEFILE


def test_what_is_left_out(folder: Path) -> None:
    (folder / "Makefile").write_text(f"{MAKEFILE}lib(m.o): m.o\n\tar r $@ $<\n")
    done = run(folder, "--migrate")
    assert done.returncode == 1
    assert done.stderr == "pybuild: Makefile:3: not migrated: members of archives\n"
    assert "# not migrated (Makefile:3): members of archives\n" in done.stdout
    assert "# make: lib(m.o): m.o\n" in done.stdout


def test_what_the_makefile_says_is_not_in_the_pipefile(folder: Path) -> None:
    (folder / "Makefile").write_text(f"$(info hello)\n{MAKEFILE}")
    done = run(folder, "--migrate")
    assert done.stderr == "hello\n"
    assert done.stdout == f"# make: $(info hello)\n{PIPEFILE}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("out in\n", "Makefile:1: *** missing separator.  Stop.\n"),
        ("x = 1\n", "pybuild: *** No targets.  Stop.\n"),
    ],
)
def test_wrong_makefiles(folder: Path, text: str, message: str) -> None:
    (folder / "Makefile").write_text(text)
    done = run(folder, "--migrate")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_without_a_makefile(tmp_path: Path) -> None:
    done = run(tmp_path, "--migrate")
    assert (done.returncode, done.stderr) == (2, "pybuild: --migrate: there is no makefile\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--write=x",), "--write goes with --migrate"),
        (("--migrate", "a", "b"), "--migrate takes one makefile"),
    ],
)
def test_wrong_words(folder: Path, words: tuple[str, ...], message: str) -> None:
    done = run(folder, *words)
    assert (done.returncode, done.stderr) == (2, f"pybuild: {message}\n")


def test_comments_and_variables_stay(folder: Path) -> None:
    (folder / "Makefile").write_text(
        """\
# what is compiled
SRC := a.c b.c
OBJ = $(SRC:.c=.o)

# all of it
prog: $(OBJ)
\tcc -o $@ $^

%.o: %.c
\t@cc -c $< -o $@
"""
    )
    done = run(folder, "--migrate")
    assert done.stdout.endswith(
        """\
# what is compiled
SRC = ["a.c", "b.c"]
OBJ = make_patsubst("%.c", "%.o", SRC)

# all of it
prog: <OBJ>
    cc -o <output> <inputs>

%.o: %.c
    @cc -c <input> -o <output>
"""
    )


def test_depfiles(folder: Path) -> None:
    (folder / "Makefile").write_text(
        """\
FLAGS = -MMD
a.o: a.c
\tcc $(FLAGS) -c $< -o $@
out/%.o: %.c
\tcc -MD -MF out/$*.deps -c $< -o $@
-include a.d $(wildcard out/*.deps)
"""
    )
    text = run(folder, "--migrate").stdout
    assert '@depfile("a.d")\na.o: a.c\n' in text
    assert '@depfile("out/<stem>.deps")\nout/%.o: %.c\n' in text
