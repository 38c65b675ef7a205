"""How a line of a recipe becomes a command."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pybuild.makefile.command import argv_of, inner_of, one_shell_text, prepared, split_prefix
from tests.gnumake import gnu_make

SIMPLE = [
    ("prog", ("prog",)),
    ("  prog a \t b ", ("prog", "a", "b")),
    (r"prog a\ b", ("prog", "a b")),
    ("prog 'a b' c", ("prog", "a b", "c")),
    ("prog 'a*;$b'", ("prog", "a*;$b")),
    (r"prog \; \\ \n a\'b", ("prog", ";", "\\", "n", "a'b")),
    (r"prog 'a\'", ("prog", "a\\")),
    ("prog ''", ("prog", "")),
    ("prog a=b =", ("prog", "a=b", "=")),
    (r"a\=b prog", ("a=b", "prog")),
    ("'x=y' b", ("x=y", "b")),
    (r".\/prog x", ("./prog", "x")),
    ("prog a\\\nb", ("prog", "ab")),
    ("prog a \\\n\tb", ("prog", "a", "b")),
    ("prog 'a\\\nb'", ("prog", "a\\\nb")),
    ("cd\\\n/tmp", ("cd/tmp",)),
    ("prog a\x0bb \r c", ("prog", "a\x0bb", "\r", "c")),
    ("prog % @ , . - + / _ é", ("prog", "%", "@", ",", ".", "-", "+", "/", "_", "é")),
    ("prog a\\", ("prog", "a")),
    ("echo pwd", ("echo", "pwd")),
    ("cdx", ("cdx",)),
    ("./cd", ("./cd",)),
]


@pytest.mark.parametrize(("line", "words"), SIMPLE)
def test_a_simple_line_is_started_directly(line: str, words: tuple[str, ...]) -> None:
    assert argv_of(line) == words


INNER = [
    "cd d && ./prog a",
    "  cd ./d/.. &&./prog 'a b' \"c  d\"",
    "(cd d; ./prog a)",
    "( cd d && ./prog a )",
    './prog "A=x y" B="1"2 \'z\' a\\ b',
    "cd d&&./prog",
    "cd d && ./prog \\\na",
]
MORE_THAN_INNER = [
    "cd d && cd .. && ./prog",
    "cd d || ./prog",
    "cd d && ./prog $$",
    'cd d && ./prog "`a`"',
    './prog "a\\b"',
    "cd d && A=b ./prog",
    "cd d && ./prog > x",
    "cd d && ./prog ; ./prog",
    "cd d && ./prog *",
    "(cd d && ./prog",
    "cd - && ./prog",
    "cd 'd' && ./prog",
    "cd d",
    "cd d &&",
    "./prog a; ./prog b",
    "cd d && ./prog a\n./prog b",
    "./prog a\n./prog b",
    "cdd && ./prog",
    "cd d d && ./prog",
    "cd && ./prog",
    "cd d; cd d && ./prog",
    "(cd d) && ./prog",
    "(cd d) && (./prog)",
]


@pytest.mark.parametrize("line", INNER)
def test_what_a_shell_would_start_and_where(line: str, tmp_path: Path) -> None:
    script = '#!/bin/sh\npwd\nfor each; do echo "<$each>"; done\n'
    (tmp_path / "d").mkdir()
    for place in (tmp_path, tmp_path / "d"):
        (place / "prog").write_text(script)
        (place / "prog").chmod(0o755)
    inner = inner_of(("/bin/sh", "-c", line))
    assert inner is not None
    by_shell = subprocess.check_output(["/bin/sh", "-c", line], cwd=tmp_path)
    by_itself = subprocess.check_output(inner.argv, cwd=tmp_path / inner.folder)
    assert by_itself == by_shell


@pytest.mark.parametrize("line", MORE_THAN_INNER)
def test_what_only_a_shell_can_do(line: str) -> None:
    assert inner_of(("/bin/sh", "-c", line)) is None


def test_other_shells_do_what_they_like() -> None:
    assert inner_of(("/bin/bash", "-c", "cd d && ./prog")) is None
    assert inner_of(("/bin/sh", "-ec", "cd d && ./prog")) is None
    assert inner_of(("./prog", "-c", "cd d && ./prog")) is None


@pytest.mark.parametrize("character", [*"#;\"*?[]&|<>(){}$`^~!'"])
def test_these_characters_take_a_shell(character: str) -> None:
    line = f"prog a{character}b"
    assert argv_of(line) == ("/bin/sh", "-c", line)


@pytest.mark.parametrize(
    "word",
    """. alias bg break case cd command continue eval exec exit export fc fg for getopts hash if
    jobs login logout read readonly return set shift test times trap type ulimit umask unalias unset
    wait while""".split(),
)
def test_words_of_the_shell_take_it(word: str) -> None:
    for line in (word, f"{word} x", f"'{word}' x", f"\\{word} x"):
        assert argv_of(line) == ("/bin/sh", "-c", line)


@pytest.mark.parametrize("line", ["a=b prog", "d/x=y b", ": x", ": ", "x\\\ny=z b"])
def test_assignments_and_the_like_take_a_shell(line: str) -> None:
    assert argv_of(line) == ("/bin/sh", "-c", line)


@pytest.mark.parametrize("line", ["", "  ", "\t", ":", "\\\n"])
def test_there_may_be_nothing_to_run(line: str) -> None:
    assert argv_of(line) is None


def test_another_shell_gets_every_line() -> None:
    assert argv_of("prog x", "/bin/bash") == ("/bin/bash", "-c", "prog x")
    assert argv_of("prog x", "/bin/sh -x") == ("/bin/sh", "-x", "-c", "prog x")
    assert argv_of("prog x", "/usr/bin/env bash") == ("/usr/bin/env", "bash", "-c", "prog x")
    assert argv_of("prog 'a b' \\t", "bash") == ("bash", "-c", "prog 'a b' \\t")
    assert argv_of("prog", '"/bin/bash"') == ('"/bin/bash"', "-c", "prog")
    assert argv_of("prog", "") == ("-c", "prog")
    assert argv_of("  ", "/bin/bash") is None
    assert argv_of(":", "/bin/bash") is None
    assert argv_of(":", "/usr/bin/perl") == ("/usr/bin/perl", "-c", ":")


def test_other_flags_take_a_shell() -> None:
    assert argv_of("prog x", shell_flags="-ec") == ("prog", "x")
    assert argv_of("cd x", shell_flags="-ec") == ("/bin/sh", "-ec", "cd x")
    assert argv_of("prog x", shell_flags="-e -c") == ("/bin/sh", "-e", "-c", "prog x")
    assert argv_of("prog x", shell_flags=" -c ") == ("/bin/sh", "-c", "prog x")
    assert argv_of("prog x", shell_flags="") == ("/bin/sh", "prog x")
    assert argv_of("prog x", shell_flags="-o 'a b' -c")[1:] == ("-o", "a b", "-c", "prog x")  # type: ignore[index]
    assert argv_of("prog 'a", "/bin/bash", '"-c"') == (
        "/bin/sh",
        "-c",
        r"""/bin/bash "-c" prog\ \'a""",
    )


def test_other_separators_take_a_shell() -> None:
    assert argv_of("prog x", ifs="xyz") == ("/bin/sh", "-c", "prog x")
    assert argv_of("prog x", ifs=" \t\n") == ("prog", "x")
    assert argv_of("prog x", ifs="") == ("prog", "x")


def test_newlines_from_a_function_are_no_ends_of_commands() -> None:
    assert argv_of("echo a\necho b") == ("echo", "a", "echo", "b")
    assert argv_of("echo a;\necho b") == ("/bin/sh", "-c", "echo a;echo b")


def test_one_shell_for_a_recipe() -> None:
    text = one_shell_text("prog x\n@prog y\n -+z\n\ta \\\n\t-b\n  \n@ - cd", "/bin/sh")
    assert text == "prog x\nprog y\nz\na \\\n\t-b\n\ncd"
    assert argv_of(text, one_shell=True) == ("/bin/sh", "-c", text)
    assert argv_of("prog x", one_shell=True) == ("prog", "x")
    assert argv_of("prog 'a\nb'", one_shell=True) == ("/bin/sh", "-c", "prog 'a\nb'")
    assert argv_of(" \n \n", one_shell=True) is None


def test_another_interpreter_gets_its_lines_as_they_are() -> None:
    text = 'print "a";\n@f = (1);\n  -g'
    assert one_shell_text(text, "/usr/bin/perl") == text
    flags = "-w -e"
    assert argv_of(text, "/usr/bin/perl", flags, one_shell=True) == (
        "/usr/bin/perl",
        "-w",
        "-e",
        text,
    )
    assert argv_of("x", "/bin/bash -x", "-c", one_shell=True) == ("/bin/bash -x", "-c", "x")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("cmd", (False, False, False, "cmd")),
        ("@cmd", (True, False, False, "cmd")),
        ("-@ + cmd -x", (True, True, True, "cmd -x")),
        ("  \t-cmd", (False, True, False, "cmd")),
        ("@", (True, False, False, "")),
        ("@\\\n-cmd", (True, False, False, "\\\n-cmd")),
    ],
)
def test_prefix_characters(line: str, wanted: tuple[bool, bool, bool, str]) -> None:
    assert split_prefix(line) == wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("a \\\n\t\tb", "a \\\n\tb"),
        ("a \\\n    b", "a \\\n    b"),
        ("x '$(subst a,  \\\n\t  b,xa)' \\\n\tc", "x '$(subst a, b,xa)' \\\nc"),
        ("x $${y\\\n\t z} \\\n\tc", "x $${y z} \\\nc"),
        ("x $(a $(b \\\n c)\\\n d) \\\n e", "x $(a $(b c) d) \\\n e"),
        ("x $(a \\\n b", "x $(a b"),
    ],
)
def test_what_is_continued_before_it_is_expanded(line: str, wanted: str) -> None:
    assert prepared(line) == wanted


def test_another_recipe_prefix() -> None:
    assert prepared("a \\\n>>b \\\n\tc", ">") == "a \\\n>b \\\n\tc"


@pytest.mark.skipif(not gnu_make(), reason="there is no GNU make 4.4.1")
def test_make_starts_the_same_commands(tmp_path: Path) -> None:
    """A program that is not there is named by make if it was to be started directly, else by the
    shell."""
    lines = [line.replace("$", "$$") for line, words in SIMPLE if words[0] == "prog"]
    lines += [f"prog a{each}b" for each in "#*?[]~!^{}"] + ['prog "a"', "x=1 prog"]
    targets = "".join([f"t{n}:\n\t-{line}\n" for n, line in enumerate(lines)])
    names = " ".join([f"t{n}" for n in range(len(lines))])
    (tmp_path / "Makefile").write_text(f"all: {names}\n{targets}")
    told = subprocess.run(
        [gnu_make(), "-s"], cwd=tmp_path, capture_output=True, text=True, check=False
    ).stderr
    direct = [each for each in told.splitlines() if each == "make: prog: No such file or directory"]
    expected = [line for line in lines if (argv_of(line.replace("$$", "$")) or ("",))[0] == "prog"]
    assert len(direct) == len(expected)
