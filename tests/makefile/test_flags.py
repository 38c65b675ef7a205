"""Options: from words and texts, and back to the text of `MAKEFLAGS`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pybuild.makefile.errors import MakeError
from pybuild.makefile.flags import (
    Given,
    UsageError,
    definition,
    given_texts,
    makeflags_text,
    makeflags_words,
    mflags_text,
    parse_makefile_flags,
    parse_makeflags,
    parse_words,
    usage,
    version,
)
from tests.gnumake import gnu_make

TEXTS = [
    ("-B", "B"),
    ("-b -m", ""),
    ("-kinsBe", "Beikns"),
    ("-t -w -S -s -R -q -L -i -e -B --trace", "BeiLqrRsStw --trace"),
    ("-R", "rR"),
    ("-k -S", "S"),
    ("-S -k", "k"),
    ("-w --no-print-directory", " --no-print-directory"),
    ("--no-print-directory -w", "w"),
    ("-s --no-silent", " --no-silent"),
    ("--no-silent -s", "s"),
    ("-j", " -j"),
    ("-j4 -j1", " -j1"),
    ("-j 1", " -j1"),
    ("-j-1", ""),
    ("-l2.5", " -l2.5"),
    ("-l1e1", " -l10"),
    ("-l2 -l", ""),
    ("-lx", " -l0"),
    ("-O", " -Otarget"),
    ("-Oline", " -Oline"),
    ("-I/tmp -I .", " -I/tmp -I."),
    ("-I a_b", " -Ia\\ b"),
    ("--debug", " --debug=basic"),
    ("-d --debug=n", " --debug=n"),
    ("-E x:=a_$$b", " --eval=x:=a\\ $$$$b"),
    ("--shuffle=7", " --shuffle=7"),
    ("--shuffle=none", ""),
    ("--shuffle=reverse", " --shuffle=reverse"),
    ("-C . -W x -o y", ""),
    ("-k A=b", "k -- A=b"),
    ("A=b B:=c D=e", " -- D=e B:=c A=b"),
    ("A=b B=1 A=c", " -- B=1 A=c"),
    ("A=$x_\\_y", " -- A=$$x\\ \\\\\\ y"),
    ("A=a\\", " -- A=a\\\\"),
    (
        "--silent --no-silent -R -L -I/x --warn-undefined-variables --shuffle=3 -Oline -l3 -E x=1"
        " -k A=b --no-print-directory",
        "kLrR -I/x -l3 -Oline --no-print-directory --warn-undefined-variables --no-silent"
        " --shuffle=3 --eval=x=1 -- A=b",
    ),
]


def _text_of(words: str) -> str:
    parsed = parse_words([each.replace("_", " ") for each in words.split()])
    given: dict[str, Given] = {}
    for each in parsed.assignments:
        given[each.name] = Given(each.name, each.operator != ":=", each.value)
    return makeflags_text(parsed.flags, given.values(), reading=True)


@pytest.mark.parametrize(("words", "text"), TEXTS)
def test_the_text_of_makeflags(words: str, text: str) -> None:
    assert _text_of(words) == text


@pytest.mark.skipif(not gnu_make(), reason="there is no GNU make 4.4.1")
@pytest.mark.parametrize(("words", "text"), TEXTS)
def test_make_has_the_same_text(words: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("$(info [$(MAKEFLAGS)])\nall: ;@:\n")
    made = subprocess.run(
        [gnu_make(), *[each.replace("_", " ") for each in words.split()]],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"[{text}]" in made.stdout


BAD = [
    ("-Z", ["/x/make: invalid option -- 'Z'"]),
    ("-Z -kY", ["/x/make: invalid option -- 'Z'", "/x/make: invalid option -- 'Y'"]),
    ("--zz=3", ["/x/make: unrecognized option '--zz=3'"]),
    ("-C", ["/x/make: option requires an argument -- 'C'"]),
    ("--directory", ["/x/make: option '--directory' requires an argument"]),
    ("--keep-going=3", ["/x/make: option '--keep-going' doesn't allow an argument"]),
    ("--old=", ["make: the '-o' option requires a non-empty string argument"]),
    ("--debug=", ["make: the '--debug' option requires a non-empty string argument"]),
    ("-j0", ["make: the '-j' option requires a positive integer argument"]),
    ("-jk", ["make: the '-j' option requires a positive integer argument"]),
    (
        "-j0 -Oz -x",
        [
            "make: the '-j' option requires a positive integer argument",
            "/x/make: invalid option -- 'x'",
        ],
    ),
    (
        "--job",
        [
            "/x/make: option '--job' is ambiguous; possibilities: '--jobs' '--jobserver-auth'"
            " '--jobserver-fds' '--jobserver-style'"
        ],
    ),
]


@pytest.mark.parametrize(("words", "messages"), BAD)
def test_options_that_there_are_not(words: str, messages: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_words(words.split(), "make", called="/x/make")
    assert caught.value.messages == messages


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-Olin", "unknown output-sync type 'lin'"),
        ("--debug=b,xyz", "unknown debug level specification 'xyz'"),
        ("--shuffle=1x", "invalid shuffle mode: Invalid value: '1x'"),
    ],
)
def test_values_that_options_cannot_have(words: str, message: str) -> None:
    with pytest.raises(MakeError) as caught:
        parse_words(words.split())
    assert caught.value.message == message


def test_words_in_any_order() -> None:
    parsed = parse_words(["a", "-kj", "3", "A=b", "-f", "x", "b", "-sfy", "--", "-n", "C=d"])
    assert parsed.goals == ["a", "b", "-n"]
    assert [each.text for each in parsed.assignments] == ["A=b", "C=d"]
    assert parsed.flags.files == ["x", "y"]
    assert parsed.flags.jobs == 3
    assert parsed.flags.jobs_from_command
    assert not parsed.flags.just_print


def test_an_optional_argument_in_a_word_of_its_own_is_a_number() -> None:
    parsed = parse_words(["-j", "4x", "-l", ".5", "-O", "line"])
    assert parsed.flags.jobs == 0
    assert parsed.flags.load == 0.5
    assert parsed.flags.output_sync == "target"
    assert parsed.goals == ["4x", "line"]


def test_long_names_can_be_short() -> None:
    flags = parse_words(["--just", "--quie", "--sto", "--f=x", "--max=3", "--ev=y:=1"]).flags
    assert (flags.just_print, flags.silent, flags.keep_going) == (True, True, False)
    assert (flags.files, flags.load, flags.evals) == (["x"], 3.0, ["y:=1"])


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("A=b", ("A", "=", "b")),
        ("A := b c", ("A", ":=", "b c")),
        ("A::=b", ("A", "::=", "b")),
        ("A:::=b", ("A", ":::=", "b")),
        ("A+=b=c", ("A", "+=", "b=c")),
        ("A?=", ("A", "?=", "")),
        ("A!=echo", ("A", "!=", "echo")),
        ("a.b-c=x", ("a.b-c", "=", "x")),
        ("$(X)=y", ("$(X)", "=", "y")),
        ("=x", ("", "=", "x")),
        (":=x", ("", ":=", "x")),
    ],
)
def test_assignments(word: str, parts: tuple[str, str, str]) -> None:
    assert definition(word) == (*parts, word)


@pytest.mark.parametrize("word", ["a", "a:b=c", "A#=b", "a b=c", "a:b"])
def test_goals(word: str) -> None:
    assert definition(word) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  ", []),
        ("k", ["-k"]),
        (" kj4 ", ["-kj4"]),
        ("k -j4 -- A=b\\ c", ["-k", "-j4", "--", "A=b c"]),
        ("A=b", ["A=b"]),
        ("--keep-going", ["--keep-going"]),
        ("-I a\\ b", ["-I", "a b"]),
    ],
)
def test_the_words_of_makeflags(text: str, words: list[str]) -> None:
    assert makeflags_words(text) == words


def test_makeflags_of_the_environment() -> None:
    parsed = parse_makeflags("ki -j4 --jobserver-auth=fifo:/x -- A=b\\ c D=$$x")
    flags = parsed.flags
    assert (flags.keep_going, flags.ignore_errors, flags.jobs) == (True, True, 4)
    assert not flags.jobs_from_command
    assert flags.jobserver_auth == "fifo:/x"
    assert [each.value for each in parsed.assignments] == ["b c", "$$x"]
    with pytest.raises(UsageError) as caught:
        parse_makeflags("xk")
    assert caught.value.messages == [": invalid option -- 'x'"]


def test_makeflags_of_a_makefile() -> None:
    flags = parse_words(["-f", "x", "-E", "A=1"]).flags
    parsed = parse_makefile_flags(" kx --foo goal -h -C / -f y -E B=1 -j0 -- C=d", flags)
    assert makeflags_text(parsed.flags) == "k --eval=A=1"
    assert (flags.files, flags.folders, flags.help) == (["x"], [], False)
    assert (parsed.goals, [each.text for each in parsed.assignments]) == ([], ["C=d"])
    assert parsed.complaints == ["make: the '-j' option requires a positive integer argument"]
    with pytest.raises(MakeError, match="unknown output-sync type 'z'"):
        parse_makefile_flags("-Oz", flags)


def test_flags_are_added_to() -> None:
    first = parse_makeflags("B").flags
    second = parse_words(["-k"], flags=first.copy()).flags
    assert makeflags_text(second) == "Bk"
    assert makeflags_text(first) == "B"


def test_a_text_is_read_as_it_was_written() -> None:
    given = [Given("A", True, "b  c\\ \\"), Given("B", False, "$x\t#")]
    flags = parse_words(["-kj3", "-I", "a b", "-Ex=1 2", "--trace"]).flags
    text = makeflags_text(flags, given)
    again = parse_makeflags(text)
    assert makeflags_text(again.flags) == makeflags_text(
        parse_words(["-kj3", "-I", "a b", "-Ex=1 2", "--trace"]).flags
    )
    assert [each.text for each in again.assignments] == ["B:=$$x\t#", "A=b  c\\ \\"]
    assert given_texts(given) == text.partition(" -- ")[2]


def test_mflags_has_options_only() -> None:
    flags = parse_words(["-k", "-j2", "-E", "x=1", "A=b"]).flags
    assert mflags_text(flags) == "-k -j2"
    assert mflags_text(parse_words(["-j2"]).flags) == "-j2"
    assert mflags_text(parse_words([]).flags) == ""


def test_what_children_get_of_slots_and_locks() -> None:
    flags = parse_words(["-j2", "--trace"]).flags
    flags.jobserver_auth = "fifo:/x"
    flags.sync_mutex = "fnm:/y"
    assert makeflags_text(flags) == (" -j2 --jobserver-auth=fifo:/x --trace --sync-mutex=fnm:/y")
    assert makeflags_text(flags, reading=True) == " -j2 --trace"


def test_levels_of_debugging() -> None:
    assert parse_words(["--debug=v,jobs"]).flags.debug_levels() == {"basic", "verbose", "jobs"}
    assert parse_words(["-d", "--debug=n"]).flags.debug_levels() == set()
    assert parse_words(["--trace"]).flags.debug_levels() == {"print", "why"}
    assert "implicit" in parse_words(["-d"]).flags.debug_levels()


def test_usage_and_version() -> None:
    text = usage("make")
    assert text.startswith("Usage: make [options] [target] ...\nOptions:\n")
    assert "  -O[TYPE], --output-sync[=TYPE]\n" in text
    assert version("1.0").startswith("GNU Make 4.4.1\npybuild 1.0")
