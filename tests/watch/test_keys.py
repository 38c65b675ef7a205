"""The keys of a terminal: what they do, and that the terminal is left as it was."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Iterator

import pexpect
import pytest

from .conftest import COPY, Box, wait_for

PROMPT = "what now> "
LOCAL_MODES = 3


class Shell:
    """An interactive shell with job control in a project."""

    def __init__(self, box: Box) -> None:
        self.child = pexpect.spawn(
            "bash",
            ["--norc", "--noediting", "-i"],
            cwd=str(box.folder),
            env={**os.environ, "PS1": PROMPT, "TERM": "dumb"},
            encoding="utf-8",
            timeout=30,
        )
        self.child.expect_exact(PROMPT)
        self.before = self.modes()

    def modes(self) -> list[object]:
        return termios.tcgetattr(self.child.child_fd)

    def is_taken(self) -> bool:
        """Whether keys are read one by one, and unseen."""
        return not self.modes()[LOCAL_MODES] & (termios.ICANON | termios.ECHO)

    def watch(self, *words: str) -> None:
        self.run(f"{sys.executable} -m pybuild --watch {' '.join(words)}")
        self.sees("keys: Enter builds")

    def run(self, line: str) -> None:
        self.child.sendline(line)
        self.child.expect_exact("\r\n")

    def sees(self, text: str) -> None:
        self.child.expect_exact(text)

    def press(self, key: str) -> None:
        self.child.send(key)

    def is_back(self) -> None:
        """The shell has the terminal again, as it was."""
        self.child.expect_exact(PROMPT)
        assert self.modes() == self.before

    def status(self) -> int:
        self.run("echo =$?=")
        self.child.expect(r"=(\d+)=")
        status = int(self.child.match[1])
        self.child.expect_exact(PROMPT)
        return status


@pytest.fixture
def shell(box: Box) -> Iterator[Shell]:
    box.put("Pipefile", COPY)
    box.put("src/a.c", "a")
    found = Shell(box)
    yield found
    found.child.close(force=True)


def pid_of(box: Box) -> int:
    """The process of the watch in a project."""
    for each in os.listdir("/proc"):
        try:
            with open(f"/proc/{each}/cmdline", "rb") as handle:
                if (
                    os.readlink(f"/proc/{each}/cwd") == str(box.folder)
                    and b"--watch" in handle.read()
                ):
                    return int(each)
        except OSError:
            pass
    raise AssertionError("it does not run")


def test_q_ends_it(shell: Shell) -> None:
    shell.watch()
    shell.sees("watching 2 files")
    assert shell.is_taken()
    shell.press("q")
    shell.is_back()
    assert shell.status() == 0


def test_q_ends_what_runs(box: Box, shell: Shell) -> None:
    box.put("Pipefile", "all:\n    touch begun; sleep 1000\n")
    shell.watch()
    wait_for((box.folder / "begun").exists)
    shell.press("q")
    shell.is_back()
    assert shell.status() == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_it_and_the_terminal_is_as_it_was(
    box: Box, shell: Shell, signum: int
) -> None:
    shell.run("ulimit -c 0")
    shell.sees(PROMPT)
    shell.watch()
    shell.sees("watching 2 files")
    os.kill(pid_of(box), signum)
    shell.is_back()
    assert shell.status() == 128 + signum


def test_control_c(shell: Shell) -> None:
    shell.watch()
    shell.sees("watching 2 files")
    shell.press("\x03")
    shell.is_back()
    assert shell.status() == 130


def test_suspended_and_brought_back(box: Box, shell: Shell) -> None:
    shell.watch()
    shell.sees("watching 2 files")
    shell.press("\x1a")
    shell.sees("Stopped")
    shell.is_back()
    box.put("src/a.c", "while it is suspended")
    shell.run("fg")
    shell.sees("changed: src/a.c")
    shell.sees("watching 2 files")
    assert shell.is_taken()
    shell.press("\x1a")
    shell.sees("Stopped")
    shell.is_back()
    shell.run("bg")
    shell.is_back()
    box.put("src/a.c", "in the background")
    shell.sees("changed: src/a.c")
    shell.sees("watching 2 files")
    assert shell.modes() == shell.before
    shell.run("fg")
    wait_for(shell.is_taken)
    shell.press("q")
    shell.is_back()


def test_enter_builds_what_failed_once_more(box: Box, shell: Shell) -> None:
    box.put("Pipefile", "all: x\nx: y\n    test -e ../good; cp y x\n")
    box.put("y", "y")
    shell.watch()
    shell.sees("1 failed")
    shell.sees("watching")
    box.put("../good", "")
    shell.press("\r")
    shell.sees("1 ran")
    shell.sees("watching")
    shell.press("\r")
    shell.sees("`all` up to date")
    shell.sees("watching")


def test_p_pauses(box: Box, shell: Shell) -> None:
    box.put("src/b.c", "b")
    shell.watch()
    shell.sees("watching 4 files")
    shell.press("p")
    shell.sees("paused")
    box.put("src/a.c", "one")
    box.put("src/b.c", "two")
    shell.press("w")
    shell.sees("out/b.o")  # a whole build, had one begun, would stand before this
    assert box.text("out/a.o") == "a"
    shell.press("p")
    shell.sees("changed: src/a.c, src/b.c")
    shell.sees("2 ran")


def test_enter_builds_while_it_is_paused(box: Box, shell: Shell) -> None:
    shell.watch()
    shell.sees("watching 2 files")
    shell.press("p")
    shell.sees("paused")
    box.put("src/a.c", "one")
    shell.press("\r")
    shell.sees("1 ran")
    assert box.text("out/a.o") == "one"


def test_w_says_why(box: Box, shell: Shell) -> None:
    shell.watch()
    shell.sees("watching 2 files")
    shell.press("w")
    shell.sees("`out/a.o` ran: `out/a.o` is not there")
    box.put("src/a.c", "other")
    shell.sees("watching 2 files")
    shell.press("w")
    shell.sees("`out/a.o` ran: prerequisite `src/a.c` changed")


def test_l_shows_the_log_of_the_last_failure(box: Box, shell: Shell) -> None:
    box.put("Pipefile", "all: x\nx: y\n    cat y; seq 100; grep good y > x\n")
    box.put("y", "good")
    shell.watch()
    shell.sees("watching")
    shell.press("l")
    shell.sees("no job has failed")
    box.put("y", "bad news")
    shell.sees("1 failed")
    shell.sees("watching")
    shell.press("l")
    shell.sees("the log of `x`")
    shell.sees("bad news1\r\n2\r\n3\r\n")
    shell.sees("\r\n100\r\n")


def test_another_key_tells_of_the_keys(shell: Shell) -> None:
    shell.watch()
    shell.sees("watching 2 files")
    shell.press("x")
    shell.sees("keys: Enter builds")


def test_without_a_terminal_there_are_no_keys(shell: Shell) -> None:
    shell.run(f"{sys.executable} -m pybuild --watch </dev/null")
    shell.sees("pybuild: 1 ran")
    shell.sees("watching 2 files")
    assert shell.modes()[LOCAL_MODES] & termios.ICANON
    shell.press("\x03")
    shell.is_back()
