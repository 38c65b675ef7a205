"""Completion: what `--complete` offers, how it is quoted, and the scripts in the real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.cli.complete import quoted, unquoted

from .conftest import Place

PIPEFILE = r"""
cc = "gcc"
cflags ?= "-O2"
python:
    open("ran", "a").close()
all: <compile> "we ird.txt"
@desc("compile it")
compile: build/o/<basename>.o: src/*.c
    cp <input> <output>
"we ird.txt" "dollar$x.txt" "it's" "q:x":
    touch <output>
.PHONY: clean
clean:
    rm -rf build
"""


@pytest.fixture
def built(place: Place) -> Place:
    place.put(Pipefile=PIPEFILE)
    for name in ("src/one.c", "src/two.c", "src/two.h"):
        place.write(name)
    place.run("-s")
    return place


def offered(place: Place, *words: str, shell: str = "bash") -> list[str]:
    """What `--complete` prints: first what kind of thing it is."""
    done = place.run("--complete", shell, *words)
    assert done.stderr == ""
    assert not done.stdout or done.stdout.endswith("\0")
    return done.stdout.split("\0")[:-1]


# -- what is offered ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["c"], ["clean", "compile", "cc=", "cflags="]),
        (["cf"], ["cflags="]),
        (["b"], ["build/"]),
        (["build/"], ["build/o/"]),
        (["build/o/"], ["build/o/one.o", "build/o/two.o"]),
        (["al"], ["all"]),
        (["co", "-j4", "clean"], ["compile"]),
        (["c", "--force"], ["clean", "compile"]),
        (["--force=co"], ["compile"]),
        (["--rebuild=", "x"], ["maximal", "minimal"]),
        (["mi", "--rebuild"], ["minimal"]),
        (["--dry"], ["--dry-run"]),
        (["--flowchart"], ["--flowchart=", "--flowchart-jobs"]),
        (["--c", "--"], []),
    ],
)
def test_names(built: Place, words: list[str], expected: list[str]) -> None:
    kind, *found = offered(built, *words)
    if expected:
        assert (kind, found) == ("names", expected)
    else:
        assert (kind, found) == ("files", [])


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["", "-f"], "files"),
        (["--file=x"], "files"),
        (["x", "--flowchart"], "files"),
        (["", "-C"], "folders"),
        (["", "--format"], "files"),
        (["cc=x"], "files"),
        (["src/"], "files"),
        (["nothing like it"], "files"),
    ],
)
def test_files_and_folders_are_left_to_the_shell(built: Place, words: list[str], kind: str) -> None:
    assert offered(built, *words) == [kind]


def test_descriptions(built: Place) -> None:
    for shell in ("zsh", "fish"):
        assert offered(built, "co", shell=shell) == ["names", "compile\tcompile it"]
        assert offered(built, "--explain", shell=shell)[1].startswith("--explain\tfor each job")


def test_the_folder_and_the_file_of_the_command_line(built: Place) -> None:
    built.put(**{"other.pipe": "x.txt:\n    touch x.txt\n"})
    assert offered(built, "x", "-f", "other.pipe") == ["names", "x.txt"]
    built.write("below/Pipefile", "y.txt:\n    touch y.txt\n")
    assert offered(built, "y", "-C", "below") == ["names", "y.txt"]


def test_bash_replaces_only_what_stands_behind_an_equals_sign_or_colon(built: Place) -> None:
    assert offered(built, "q") == ["names", "q:x"]
    assert offered(built, "q:") == ["names", "x"]
    assert offered(built, "q:", shell="zsh") == ["names", "q:x\t"]


def test_before_the_first_build_the_text_is_read_and_nothing_is_run(place: Place) -> None:
    place.put(Pipefile=PIPEFILE)
    assert offered(place, "c") == ["names", "compile", "clean", "cc=", "cflags="]
    assert offered(place, "we") == ["names", "we\\ ird.txt"]
    assert place.files() == ["Pipefile"]


def test_a_rule_that_was_just_written_is_offered(built: Place) -> None:
    text = PIPEFILE + "cabbage:\n    touch <output>\n"
    built.put(Pipefile=text)
    path = built.folder / "Pipefile"
    kept = (built.folder / ".pybuild" / "names").stat().st_mtime_ns
    os.utime(path, ns=(kept + 10**9, kept + 10**9))
    assert "cabbage" in offered(built, "c")
    assert offered(built, "build/o/") == ["names", "build/o/one.o", "build/o/two.o"]
    assert (built.folder / "ran").exists()
    (built.folder / "ran").unlink()
    offered(built, "c")
    assert not (built.folder / "ran").exists()


def test_mistakes_are_not_told(place: Place) -> None:
    assert offered(place, "a") == ["files"]
    place.put(Pipefile="a b\nc: d\n")
    assert offered(place, "") == ["names", "c"]
    (place.folder / "Pipefile").write_bytes(b"\xff: \0")
    assert offered(place, "") == []
    (place.folder / ".pybuild").mkdir()
    (place.folder / ".pybuild" / "names").write_bytes(b"rubbish")
    place.put(Pipefile="c: d\n")
    assert offered(place, "") == ["names", "c"]
    assert offered(place, "", "-C", "nowhere") == []
    assert place.run("--complete").stdout == ""
    place.put(Makefile="all: $(shell touch ran)\n")
    (place.folder / "Pipefile").unlink()
    assert offered(place, "a") == ["files"]
    assert "ran" not in place.files()


def test_what_is_kept_is_offered_without_parser_and_options(built: Place) -> None:
    """The imports are what takes time."""
    code = (
        "import sys; from pybuild.cli.complete import complete; complete(['bash', 'build/o/']);"
        "print(*sorted(sys.modules), sep='\\0', end='')"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=built.folder, capture_output=True, text=True, check=True)
    assert "build/o/one.o" in done.stdout
    loaded = set(done.stdout.split("\0"))
    assert "pybuild.engine.offers" in loaded
    assert not loaded & {"lark", "pybuild.cli.options", "pybuild.pipefile.parse", "argparse"}


# -- quoting --------------------------------------------------------------------------------------

TEXTS = st.text(st.sampled_from("ab \t\n'\"\\$`&|;<>()*?[]{}!#~^=:,ü-/"), max_size=8)


@settings(deadline=None, derandomize=True, database=None, max_examples=40)
@given(st.lists(TEXTS.filter(bool), min_size=8, max_size=8))
def test_bash_reads_what_is_quoted_as_it_is_meant(texts: list[str]) -> None:
    for quote in ("", "'", '"'):
        # History expansion, which `!` is for, is there only where somebody types.
        words = [quote + quoted(text.replace("!", ""), quote) + quote for text in texts]
        script = f"printf '%s\\0' {' '.join(words)}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        meant = [text.replace("!", "") for text in texts]
        printed = done.stdout.split("\0")[:-1]
        assert printed == [text for text, word in zip(meant, words, strict=True) if word]


@given(TEXTS, st.sampled_from(["", "'", '"']))
def test_what_is_quoted_is_understood_again(text: str, quote: str) -> None:
    text = text.replace("\n", "")
    typed = quote + quoted(text, quote)
    if "'" not in text or quote != "'":
        assert unquoted(typed) == (text, quote)


# -- the shells -----------------------------------------------------------------------------------

START = {
    "bash": (
        ["bash", "--norc", "--noprofile"],
        "bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'",
    ),
    "zsh": (["zsh", "-f"], "autoload -Uz compinit && compinit -u -D"),
}
TYPED = [
    ("we\t", ["we ird.txt"]),
    ('"we\t', ["we ird.txt"]),
    ("'dol\t", ["dollar$x.txt"]),
    ("dol\t", ["dollar$x.txt"]),
    ("it\t", ["it's"]),
    ("q\t", ["q:x"]),
    ("q:\t", ["q:x"]),
    ("--reb\tmi\t", ["--rebuild=minimal"]),
    ("--rebuild mi\t", ["--rebuild", "minimal"]),
    ("bu\to\ton\t", ["build/o/one.o"]),
    ("-f src/tw\th\t", ["-f", "src/two.h"]),
    ("cf\t3 com\t", ["cflags=3", "compile"]),
]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with a `pybuild` that is run by this Python."""
    folder = tmp_path / "programs"
    folder.mkdir()
    path = folder / "pybuild"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -m pybuild "$@"\n')
    path.chmod(0o755)
    return folder


def environment_with(program: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(program), os.environ["PATH"]])
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PATH": path, "PYTHONPATH": root, "TERM": "dumb", **more}


@pytest.fixture(params=list(START))
def shell(
    request: pytest.FixtureRequest, built: Place, program: Path
) -> Iterator[pexpect.spawn[str]]:
    """A shell at a terminal, in which `pybuild` prints its words and completes as ever."""
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    command, setting = START[name]
    child: pexpect.spawn[str] = pexpect.spawn(
        command[0],
        command[1:],
        cwd=str(built.folder),
        env=environment_with(program, PS1="$ "),
        encoding="utf-8",
        timeout=60,
        dimensions=(50, 200),
    )
    function = (
        'pybuild() { if [ "$1" = --complete ]; then command pybuild "$@"; '
        "else printf '<%s>' \"$@\"; echo; fi; }"
    )
    child.sendline(f"{setting}; source <(command pybuild --completion {name}); {function}")
    child.sendline("echo re''ady")
    child.expect("ready\r")
    yield child
    child.close(force=True)


def test_words_typed_in_a_shell(shell: pexpect.spawn[str]) -> None:
    for keys, words in TYPED:
        shell.send(f"pybuild {keys}\r")
        printed = "".join(f"<{word}>" for word in words)
        shell.expect([r"(?<!')(<[^%\r\n]*>)\r"])
        assert shell.match.group(1) == printed


def test_bash_takes_any_name_as_it_is(place: Place) -> None:
    script = (
        'source <("$0" -m pybuild --completion bash);'
        "program() { printf 'names\\0a\\nb\\0*\\0 c  d\\\\e\\0'; };"
        "COMP_LINE='program ' COMP_POINT=8 COMP_WORDS=(program '') COMP_CWORD=1;"
        "_pybuild program; printf '<%s>' \"${COMPREPLY[@]}\""
    )
    place.write("file")
    done = subprocess.run(
        ["bash", "-c", script, sys.executable],
        cwd=place.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "<a\nb><*>< c  d\\e>"


def test_words_in_fish(built: Place, program: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    lines = [
        "we",
        '"we',
        "'dol",
        "q:",
        "--rebuild=mi",
        "--rebuild mi",
        "build/o/on",
        "-f src/tw",
        "c",
    ]
    script = "source (pybuild --completion fish | psub)\n"
    for line in lines:
        script += f"complete -C {quoted_for_fish('pybuild ' + line)}; echo ==\n"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=built.folder,
        env=environment_with(program, HOME=str(built.folder.parent)),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stderr == ""
    found = [part.strip("\n").split("\n") for part in done.stdout.split("==\n")[:-1]]
    assert found == [
        ["we ird.txt"],
        ["we ird.txt"],
        ["dollar$x.txt"],
        ["q:x"],
        ["--rebuild=minimal"],
        ["minimal"],
        ["build/o/one.o"],
        ["src/two.c", "src/two.h"],
        ["cc=\tvariable", "cflags=\tvariable", "clean", "compile\tcompile it"],
    ]


def quoted_for_fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def test_scripts_without_mistakes_of_form(place: Place) -> None:
    for name, check in (("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["--no-execute"])):
        script = place.run("--completion", name).stdout
        if shutil.which(name):
            subprocess.run([name, *check], input=script, text=True, check=True)
    assert "bash, zsh, fish" in place.run("--completion=csh", status=2).stderr
