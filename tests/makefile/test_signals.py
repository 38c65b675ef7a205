"""A signal during a make: what is half made goes, nothing runs on, and make dies by the signal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

WAIT = 60.0
START = "import sys; sys.argv[0] = 'make'; from pybuild.cli.main import main; main()"


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A folder with a named pipe `ready`, into which a recipe writes when it is time."""
    os.mkfifo(tmp_path / "ready")
    (tmp_path / "tmp").mkdir()
    return tmp_path


def _listen() -> None:
    """Whoever runs the tests in the background has signals ignored, and a child inherits that."""
    for each in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)


def interrupted(
    room: Path, makefile: str, signum: int, *words: str, alone: bool = False
) -> tuple[int, list[str]]:
    """The status and the lines of a make whose group (or it `alone`) gets a signal. `>ready` is
    when; `$(HOLD)` is a program that runs until it is ended."""
    (room / "Makefile").write_text(textwrap.dedent(makefile))
    hold = "exec tail -f /dev/null"  # it says nothing when it is ended, however early
    made = subprocess.Popen(
        [sys.executable, "-P", "-c", START, *words, f"HOLD={hold}"],
        cwd=room,
        env={**os.environ, "TMPDIR": str(room / "tmp"), "LC_ALL": "C", "MAKEFLAGS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=_listen,
    )
    try:
        (room / "ready").read_text()
        (os.kill if alone else os.killpg)(made.pid, signum)
        output = made.communicate(timeout=WAIT)[0]
    finally:
        try:
            os.killpg(made.pid, signal.SIGKILL)
        except ProcessLookupError:
            left = False
        else:
            left = True
        made.wait()
    assert not left
    assert os.listdir(room / "tmp") == []
    return made.returncode, [
        re.sub(r"Makefile:\d+", "Makefile:N", each) for each in output.splitlines()
    ]


HALF = """
    x:
    \t@echo half > x
    \t@echo > ready; $(HOLD)
"""


@pytest.mark.parametrize("options", [(), ("-k",), ("-s",), ("-j2",)])
def test_a_half_made_target_goes(room: Path, options: tuple[str, ...]) -> None:
    assert interrupted(room, HALF, signal.SIGINT, *options) == (
        -signal.SIGINT,
        ["make: *** Deleting file 'x'", "make: *** [Makefile:N: x] Interrupt"],
    )
    assert not (room / "x").exists()


def test_kill_goes_to_make_alone(room: Path) -> None:
    assert interrupted(room, HALF, signal.SIGTERM, alone=True) == (
        -signal.SIGTERM,
        ["make: *** Deleting file 'x'", "make: *** [Makefile:N: x] Terminated"],
    )


@pytest.mark.parametrize(
    ("signum", "status", "told"),
    [(signal.SIGHUP, -signal.SIGHUP, "Hangup"), (signal.SIGQUIT, 1, "Quit")],
)
def test_other_signals(room: Path, signum: int, status: int, told: str) -> None:
    found, lines = interrupted(room, "x: ; @echo > ready; $(HOLD)\n", signum)
    assert found == status
    assert lines[0].startswith(f"make: *** [Makefile:N: x] {told}")


@pytest.mark.parametrize("special", ["PRECIOUS", "PHONY"])
def test_what_stays(room: Path, special: str) -> None:
    status, lines = interrupted(room, f".{special}: x\n{textwrap.dedent(HALF)}", signal.SIGINT)
    assert (status, lines) == (-signal.SIGINT, ["make: *** [Makefile:N: x] Interrupt"])
    assert (room / "x").exists()


def test_an_old_target_stays(room: Path) -> None:
    (room / "x").write_text("old")
    makefile = ".PHONY: y\nx: y ; @echo > ready; $(HOLD)\n"
    assert interrupted(room, makefile, signal.SIGINT)[1] == ["make: *** [Makefile:N: x] Interrupt"]
    assert (room / "x").read_text() == "old"


def test_files_in_between_go(room: Path) -> None:
    (room / "f.a").write_text("a")
    makefile = """
        all: f.c
        %.b: %.a ; @cp $< $@
        %.c: %.b
        \t@echo half > $@
        \t@echo > ready; $(HOLD)
    """
    assert interrupted(room, makefile, signal.SIGINT)[1] == [
        "make: *** Deleting file 'f.c'",
        "make: *** [Makefile:N: f.c] Interrupt",
        "make: *** Deleting intermediate file 'f.b'",
    ]
    assert sorted(os.listdir(room)) == ["Makefile", "f.a", "ready", "tmp"]


def test_all_files_of_a_recipe_go(room: Path) -> None:
    makefile = "x y &: ; @echo half > x; echo half > y; echo > ready; $(HOLD)\n"
    assert interrupted(room, makefile, signal.SIGINT)[1] == [
        "make: *** Deleting file 'x'",
        "make: *** [x] Deleting file 'y'",
        "make: *** [Makefile:N: x] Interrupt",
    ]


def test_no_more_lines_are_started(room: Path) -> None:
    makefile = """
        all: x y
        x:
        \t-@trap 'exit 0' INT; echo > ready; while :; do :; done
        \t@echo more
        y: ; @echo y
    """
    assert interrupted(room, makefile, signal.SIGINT) == (-signal.SIGINT, [])


def test_makes_below_tidy_up(room: Path) -> None:
    (room / "d").mkdir()
    (room / "d" / "Makefile").write_text("x: ; @echo half > x; echo > ../ready; $(HOLD)\n")
    start = f'{sys.executable} -P -c "{START}"'
    makefile = f"all: ; +@$(START) -C d --no-print-directory\nSTART = {start}\n"
    status, lines = interrupted(room, makefile, signal.SIGINT)
    assert status == -signal.SIGINT
    assert lines == [
        "make[1]: *** Deleting file 'x'",
        "make[1]: *** [Makefile:N: x] Interrupt",
        "make: *** [Makefile:N: all] Interrupt",
    ]
    assert not (room / "d" / "x").exists()


def test_makes_below_tidy_up_when_all_are_killed(room: Path) -> None:
    # Each gets the signal twice: as one of the group, and from the make above.
    (room / "d").mkdir()
    (room / "d" / "Makefile").write_text("x: ; @echo half > x; echo > ../ready; $(HOLD)\n")
    program = room / "below"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -c "{START}" "$@"\n')
    program.chmod(0o755)
    makefile = f"all: ; +@{program} -C d --no-print-directory\n"
    status, lines = interrupted(room, makefile, signal.SIGTERM)
    assert status == -signal.SIGTERM
    assert lines == [
        "make[1]: *** Deleting file 'x'",
        "make[1]: *** [Makefile:N: x] Terminated",
        "make: *** [Makefile:N: all] Terminated",
    ]
    assert not (room / "d" / "x").exists()


def test_several_targets_go_the_last_one_first(room: Path) -> None:
    os.mkfifo(room / "go")
    makefile = """
        all: a b
        a: ; @echo half > a; echo > go; $(HOLD)
        b: ; @echo half > b; read x < go; echo > ready; $(HOLD)
    """
    status, lines = interrupted(room, makefile, signal.SIGTERM, "-j2", alone=True)
    assert status == -signal.SIGTERM
    assert lines[:2] == ["make: *** Deleting file 'b'", "make: *** Deleting file 'a'"]
    assert sorted(lines[2:]) == [
        "make: *** [Makefile:N: a] Terminated",
        "make: *** [Makefile:N: b] Terminated",
    ]


def test_a_shell_function_is_not_waited_for(room: Path) -> None:
    makefile = "x: ; @echo $(shell echo > ready; $(HOLD))\n"
    assert interrupted(room, makefile, signal.SIGTERM, alone=True) == (-signal.SIGTERM, [])


def test_a_shell_function_beside_a_recipe_is_not_waited_for(room: Path) -> None:
    os.mkfifo(room / "go")
    makefile = """
        all: a b
        a: ; @echo half > a; echo > go; $(HOLD)
        b: ; @echo $(shell read x < go; echo > ready; $(HOLD))
    """
    status, lines = interrupted(room, makefile, signal.SIGTERM, "-j2", alone=True)
    assert (status, lines) == (
        -signal.SIGTERM,
        ["make: *** Deleting file 'a'", "make: *** [Makefile:N: a] Terminated"],
    )
