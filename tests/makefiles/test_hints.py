"""What a person at a terminal is shown of an error, below what make says; pipes get no more than
that."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from .sides import Side

_ERRORS = {
    "blanks-for-tab": (
        "a:\n        echo x\n",
        """\
Makefile:2: *** missing separator (did you mean TAB instead of 8 spaces?).  Stop.
  2 |         echo x
    | ^^^^^^^^
  help: a line of a recipe begins with a tab, this one with 8 blanks
""",
    ),
    "two-blanks": (
        "a:\n  echo x\n",
        """\
Makefile:2: *** missing separator.  Stop.
  2 |   echo x
    | ^^
  help: a line of a recipe begins with a tab, this one with 2 blanks
""",
    ),
    "no-colon": (
        "foo bar\n",
        """\
Makefile:1: *** missing separator.  Stop.
  1 | foo bar
    | ^^^^^^^
  help: a rule has a `:` after its targets, a variable a `=` after its name
""",
    ),
    "word-mistyped": (
        "all:\nendfi\n",
        """\
Makefile:2: *** missing separator.  Stop.
  2 | endfi
    | ^^^^^
  help: did you mean `endif` or `endef` or `undefine`?
""",
    ),
    "conflict": (
        "all:\n<<<<<<< HEAD\n",
        """\
Makefile:2: *** missing separator.  Stop.
  2 | <<<<<<< HEAD
    | ^^^^^^^^^^^^
  help: a conflict of a merge was left in the file
""",
    ),
    "condition-without-blank": (
        "ifeq(a,b)\nendif\n",
        """\
Makefile:1: *** missing separator (ifeq/ifneq must be followed by whitespace).  Stop.
  1 | ifeq(a,b)
    | ^^^^
  help: a blank belongs between `ifeq` and `(`
""",
    ),
    "condition-without-comma": (
        "ifeq (a b)\nendif\n",
        """\
Makefile:1: *** invalid syntax in conditional.  Stop.
  1 | ifeq (a b)
    |      ^^^^^
  help: a comma belongs between the two sides: `ifeq (A,B)`
""",
    ),
    "condition-not-closed": (
        "a:\nifeq (1, 2\nendif\n",
        """\
Makefile:2: *** invalid syntax in conditional.  Stop.
  2 | ifeq (1, 2
    |      ^^^^^
  help: `)` is missing at the end
""",
    ),
    "condition-of-words": (
        "ifdef a b\nendif\n",
        """\
Makefile:1: *** invalid syntax in conditional.  Stop.
  1 | ifdef a b
    |       ^^^
  help: `ifdef` takes the name of one variable
""",
    ),
    "no-endif": (
        "ifdef A\nendif\ndefine D\nifdef X\nendef\n  ifdef B\nall:\n\tifdef C\n",
        """\
Makefile:9: *** missing 'endif'.  Stop.
  6 |   ifdef B
    |   ^^^^^^^
  help: there is no `endif` for this one
""",
    ),
    "extraneous-endif": (
        "all:\nendif\n",
        """\
Makefile:2: *** extraneous 'endif'.  Stop.
  2 | endif
    | ^^^^^
  help: no conditional is open here
""",
    ),
    "no-endef": (
        "all:\ndefine X\nfoo\n",
        """\
Makefile:2: *** missing 'endef', unterminated 'define'.  Stop.
  2 | define X
    | ^^^^^^^^
  help: it goes on up to a line with `endef`, and there is none
""",
    ),
    "call-not-closed": (
        "a: $(foreach x,$(y)\n",
        """\
Makefile:1: *** unterminated call to function 'foreach': missing ')'.  Stop.
  1 | a: $(foreach x,$(y)
    |    ^^^^^^^^^^^^^^^^
  help: `)` is missing for this one
""",
    ),
    "call-not-closed-in-recipe": (
        "a:\n\techo $(call f,x\n",
        """\
Makefile:2: *** unterminated call to function 'call': missing ')'.  Stop.
  2 | \techo $(call f,x
    | \t     ^^^^^^^^^^
  help: `)` is missing for this one
""",
    ),
    "too-few-arguments": (
        "X := $(subst a,b)\n",
        """\
Makefile:1: *** insufficient number of arguments (2) to function 'subst'.  Stop.
  1 | X := $(subst a,b)
    |      ^^^^^^^^^^^^
""",
    ),
    "reference-not-closed": (
        "X = $(y) ${z\nall:; echo $(X)\n",
        """\
Makefile:1: *** unterminated variable reference.  Stop.
  1 | X = $(y) ${z
    |          ^^^
  help: `}` is missing for this one; `$$` is a plain dollar
""",
    ),
    "recursive-variable": (
        "X = $(X) y\nall: $(X)\n",
        """\
Makefile:1: *** Recursive variable 'X' references itself (eventually).  Stop.
  1 | X = $(X) y
    |     ^^^^
  help: `X :=` takes the value it has here, `+=` adds to it
""",
    ),
    "recipe-without-rule": (
        "X = 1\n\techo\n",
        """\
Makefile:2: *** recipe commences before first target.  Stop.
  2 | \techo
    | ^
  help: the tab makes this a line of a recipe, and no rule is before it
""",
    ),
    "colon-in-name": (
        "a: c:/x.o b\n",
        """\
Makefile:1: *** target pattern contains no '%'.  Stop.
  1 | a: c:/x.o b
    |     ^
  help: a second colon makes it a static pattern rule; within a name a colon is written `\\:`
""",
    ),
    "name-mistyped": (
        "all: out \\\n main.o\nout mani.o:;\n",
        """\
make: *** No rule to make target 'main.o', needed by 'all'.  Stop.
  help: did you mean `mani.o`?
""",
    ),
    "name-of-file-mistyped": (
        "out:;\nall: out Makefil\n.DEFAULT_GOAL = all\n",
        """\
make: *** No rule to make target 'Makefil', needed by 'all'.  Stop.
  needed at Makefile:2:10
  2 | all: out Makefil
    |          ^^^^^^^
  help: did you mean `Makefile`?
""",
    ),
    "said-by-the-makefile": (
        "all:\n$(error no)\n",
        """\
Makefile:2: *** no.  Stop.
  2 | $(error no)
    | ^^^^^^^^^^^
""",
    ),
}


@pytest.mark.parametrize("error", list(_ERRORS))
def test_at_a_terminal(error: str, tmp_path: Path, pybuild: Side) -> None:
    makefile, shown = _ERRORS[error]
    (tmp_path / "Makefile").write_text(makefile)
    reading, writing = pty.openpty()
    with subprocess.Popen(
        [pybuild.bin / "make"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=writing
    ) as process:
        os.close(writing)
        told = b""
        while piece := _read(reading):
            told += piece
    os.close(reading)
    assert told.decode().replace("\r\n", "\n") == shown
    assert process.returncode == 2


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # nobody has the other end any more
        return b""


def test_a_pipe_gets_what_make_says(tmp_path: Path, pybuild: Side) -> None:
    for makefile, shown in _ERRORS.values():
        (tmp_path / "Makefile").write_text(makefile)
        ran = subprocess.run([pybuild.bin / "make"], cwd=tmp_path, capture_output=True, text=True)
        assert ran.stderr == shown.partition("\n")[0] + "\n"
