"""Which commands need no shell, and that it makes no difference."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.graph import ShellPart
from pybuild.runners.command import Programs, can_open, simple_command
from pybuild.runners.process import Way, encoded, spawn

SIMPLE = [
    "cp a b",
    "cp 'a b' c",
    ":",
    ": > out",
    "> out",
    "cat < in > out",
    "cat <in >out",
    "cat in >> out",
    "echo 1 > out",
    "echo 1> out",
    "echo one 2> err",
    "cat in no-file > out 2>&1",
    "cat in no-file 2>&1 > out",
    "cat in no-file > out 2> err",
    "echo x >&2",
    "cat < no-file",
    "echo x > no-folder/out",
    "echo x > 'a file'",
    "cat in > /dev/null",
    "false > out",
    "> out cat in",
    "cat > out < in > other",
]
SHELL = [
    "a; b",
    "a && b",
    "a | b",
    "a &",
    "echo $x",
    "echo *",
    "echo ~",
    "echo {a,b}",
    'echo "a"',
    "echo ''",
    "'echo' a",
    "echo a>out",
    "echo a2> out",
    "cat << x",
    "cat <<< x",
    "cat <(x)",
    "cat <> x",
    "echo >| x",
    "echo >& x",
    "echo &> x",
    "echo >&- ",
    "echo 3> x",
    "cat <&0",
    "cd x",
    "exit 3",
    ". ./x",
    "a\nb",
    "echo # x",
    "(a)",
    "! a",
    "echo > ''",
    ": x",
]


@pytest.mark.parametrize("text", SIMPLE)
def test_needs_no_shell(text: str) -> None:
    assert simple_command(ShellPart(text)) is not None


@pytest.mark.parametrize("text", SHELL)
def test_needs_a_shell(text: str) -> None:
    assert simple_command(ShellPart(text)) is None


def test_another_shell_is_asked() -> None:
    assert simple_command(ShellPart("cp a b", ("zsh", "-c"))) is None


def test_what_may_wait_is_left_to_the_shell(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not can_open([str(tmp_path / "pipe")])
    assert not can_open(["/dev/tty"])
    assert can_open(["/dev/null", str(tmp_path / "new")])


def _folder(base: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in base.iterdir()}


def _outcome(folder: Path, text: str, direct: bool) -> tuple[int, dict[str, bytes], bytes]:
    """The exit status of a command, the files that are there afterwards, and what it printed."""
    folder.mkdir()
    (folder / "in").write_text("line\n")
    (folder / "out").write_text("old\n")
    words = ["bash", "-euo", "pipefail", "-c", text]
    if not direct:
        done = subprocess.run(
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.returncode, _folder(folder), done.stdout
    simple = simple_command(ShellPart(text))
    assert simple is not None
    programs = Programs(os.environ)
    program, bash = programs.find(simple.words[0]), programs.find("bash")
    assert program is not None and bash is not None
    reading, writing = os.pipe()
    null = os.open(os.devnull, os.O_RDONLY)
    before = Path.cwd()
    os.chdir(folder)
    try:
        process = spawn(
            [Way(program, simple.words, simple.actions), Way(bash, words)],
            encoded(os.environ),
            tuple((os.POSIX_SPAWN_DUP2, *each) for each in ((null, 0), (writing, 1), (writing, 2))),
        )
    finally:
        os.chdir(before)
        os.close(writing)
        os.close(null)
    with os.fdopen(reading, "rb") as pipe:
        printed = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert status != -signal.SIGKILL
    return status, _folder(folder), printed


@pytest.mark.parametrize("text", SIMPLE)
def test_it_makes_no_difference(tmp_path: Path, text: str) -> None:
    assert _outcome(tmp_path / "direct", text, True) == _outcome(tmp_path / "shell", text, False)


WORDS = st.sampled_from(
    "in out no-file 'in' 1 2 -n a=b > >> < 2> 1> 2>> 2>&1 >&2 1>&2 >out <in".split()
)


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=6), st.lists(st.sampled_from([" ", "", "  "]), min_size=6))
def test_any_words_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], blanks: list[str]
) -> None:
    text = "cat " + "".join(word + blank for word, blank in zip(words, blanks, strict=False))
    if simple_command(ShellPart(text)) is None:
        return
    base = tmp_path_factory.mktemp("any")
    assert _outcome(base / "direct", text, True) == _outcome(base / "shell", text, False)
