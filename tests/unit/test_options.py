"""The command line: make's options with make's meaning."""

from __future__ import annotations

from typing import Any

import pytest

from pybuild.cli.options import OPTIONS, Arguments, UsageError, help_text, parse
from pybuild.graph import Job, Traits
from pybuild.project import _order
from pybuild.source import Source, Span

HERE = Span(Source("Pipefile", "a:\n"), 0, 1)


def said(line: list[str]) -> dict[str, Any]:
    """What a command line sets: the fields that are not as they are without any."""
    plain, found = vars(Arguments()), vars(parse(line))
    return {name: value for name, value in found.items() if value != plain[name]}


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("", {}),
        ("all", {"goals": ["all"]}),
        ("a b", {"goals": ["a", "b"]}),
        ("-", {"goals": ["-"]}),
        # numbers that may be absent
        ("-j4", {"jobs": "4"}),
        ("-j 4", {"jobs": "4"}),
        ("-j", {"jobs": "-1"}),
        ("-j goal", {"jobs": "-1", "goals": ["goal"]}),
        ("-j 4goal", {"jobs": "-1", "goals": ["4goal"]}),
        ("-kj4", {"keep_going": True, "jobs": "4"}),
        ("-kj 4", {"keep_going": True, "jobs": "4"}),
        ("-jk", {"jobs": "-1", "keep_going": True}),
        ("-j4k", {"jobs": "4", "keep_going": True}),
        ("-j4 -j2", {"jobs": "2"}),
        ("--jobs=3", {"jobs": "3"}),
        ("--jobs 3", {"jobs": "3"}),
        ("--jobs", {"jobs": "-1"}),
        ("--jobs all", {"jobs": "-1", "goals": ["all"]}),
        ("--multiprocess 3", {"jobs": "3"}),
        ("-l2.5", {"load": "2.5"}),
        ("-l 2.5", {"load": "2.5"}),
        ("-l", {"load": "0"}),
        # values
        ("-f x", {"files": ["x"]}),
        ("-fx", {"files": ["x"]}),
        ("-sf x", {"quiet": True, "files": ["x"]}),
        ("-sfx", {"quiet": True, "files": ["x"]}),
        ("-f a -f b", {"files": ["a", "b"]}),
        ("--file=x", {"files": ["x"]}),
        ("--file x", {"files": ["x"]}),
        ("--makefile=a=b", {"files": ["a=b"]}),
        ("-f -", {"files": ["-"]}),
        ("-f -k", {"files": ["-k"]}),
        ("-C a -C b", {"folders": ["a", "b"]}),
        ("-W x -o y", {"new": ["x"], "old": ["y"]}),
        ("-I a -Ib", {"include": ["a", "b"]}),
        ("-T x", {"goals": ["x"]}),
        ("--checksum_level 2", {"checksum_level": "2"}),
        ("--forced_tasks x", {"forced": ["x"]}),
        # texts that may be absent
        ("-O", {"output_sync": "target"}),
        ("-Onone", {"output_sync": "none"}),
        ("-O none", {"output_sync": "target", "goals": ["none"]}),
        ("--output-sync=line", {"output_sync": "line"}),
        ("--output-sync none", {"output_sync": "target", "goals": ["none"]}),
        ("--shuffle", {"shuffle": "random"}),
        ("--shuffle=7", {"shuffle": "7"}),
        ("--verbose", {"verbose": True}),
        ("--verbose 3 a", {"verbose": "3", "goals": ["a"]}),
        ("--verbose a", {"verbose": True, "goals": ["a"]}),
        ("--verbose=3", {"verbose": "3"}),
        ("--use_threads --checksum_file_name x.sqlite a", {"goals": ["a"], "ignored": "x.sqlite"}),
        ("--checksum 0", {"checksum_level": "0"}),
        ("--forced x", {"forced": ["x"]}),
        # the later one wins
        ("-k -S", {}),
        ("-S -k", {"keep_going": True}),
        ("-kS", {}),
        ("-w --no-print-directory", {}),
        ("-s --no-silent", {}),
        # shortened
        ("--just", {"dry_run": True}),
        ("--jo=3", {"jobs": "3"}),
        ("--dry", {"dry_run": True}),
        ("--recon", {"dry_run": True}),
        ("--what x", {"new": ["x"]}),
        ("--keep", {"keep_going": True}),
        ("--exp", {"explain": True}),
        ("--flowchart=x.svg", {"flowchart": "x.svg"}),
        ("--flowchart-j", {"flowchart_jobs": True}),
        ("--debug", {"debug": True}),
        ("--debug=b", {"debug": True}),
        # variables, anywhere
        ("A=b", {"variables": {"A": "b"}}),
        (
            "all A=b -k C=d",
            {"goals": ["all"], "keep_going": True, "variables": {"A": "b", "C": "d"}},
        ),
        ("A=b=c", {"variables": {"A": "b=c"}}),
        ("A=", {"variables": {"A": ""}}),
        ("A=1 A=2", {"variables": {"A": "2"}}),
        ("A:=b", {"variables": {"A": "b"}}),
        ("a/b=c", {"goals": ["a/b=c"]}),
        ("=c", {"goals": ["=c"]}),
        # the end of options
        ("-- -k", {"goals": ["-k"]}),
        ("-k -- -j A=b --", {"keep_going": True, "goals": ["-j", "--"], "variables": {"A": "b"}}),
        # joined
        ("-nks", {"dry_run": True, "keep_going": True, "quiet": True}),
        ("-ikB", {"ignore_errors": True, "keep_going": True, "always_make": True}),
        ("-M", {"rebuild": "minimal"}),
        ("-rR", {"ignored": True}),
        ("-bm", {"ignored": True}),
    ],
)
def test_parse(line: str, fields: dict[str, Any]) -> None:
    assert said(line.split()) == fields


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["A=b c"], {"variables": {"A": "b c"}}),
        (["a b"], {"goals": ["a b"]}),
        (["-f", "a b"], {"files": ["a b"]}),
        (["A=one\ntwo"], {"variables": {"A": "one\ntwo"}}),
        ([""], {"goals": [""]}),
    ],
)
def test_blanks_in_words(line: list[str], words: dict[str, Any]) -> None:
    assert said(line) == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--jbos=3", ["--jbos", "did you mean", "--jobs"]),
        ("--kep-going", ["--kep-going", "--keep-going"]),
        ("--qqqq", ["there is no option `--qqqq`"]),
        ("-x", ["there is no option `-x`"]),
        ("-kx", ["`-x`"]),
        ("-f", ["`-f`", "value"]),
        ("--file", ["`--file`", "value"]),
        ("-sf", ["`-f`", "value"]),
        ("--no", ["ambiguous", "--no-silent", "--no-print-directory"]),
        ("--ver", ["ambiguous", "--version", "--verbose"]),
        ("--keep-going=1", ["`--keep-going`", "no value"]),
        ("--=1", ["--"]),
    ],
)
def test_what_is_wrong_is_said(line: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        parse(line.split())
    for word in words:
        assert word in str(raised.value)


def test_a_suggestion_is_only_made_for_what_is_near() -> None:
    with pytest.raises(UsageError) as raised:
        parse(["--qqqq"])
    assert "did you mean" not in str(raised.value)


def test_no_two_options_have_the_same_name() -> None:
    names = [name for option in OPTIONS for name in (*option.names, *option.aliases)]
    assert len(names) == len(set(names))


def test_every_option_sets_a_field_that_is_there() -> None:
    fields = vars(Arguments())
    assert {option.field for option in OPTIONS} <= set(fields)


def test_help_names_every_option() -> None:
    text = help_text()
    for option in OPTIONS:
        for name in option.names:
            assert name in text
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize("letters", "b m B C d e E f h i I j k l n o O p q r R s S t v w W".split())
def test_the_letters_of_make_are_known(letters: str) -> None:
    assert any(f"-{letters}" in option.names for option in OPTIONS)


def test_a_random_order_is_a_new_one_each_time_and_a_number_gives_the_same() -> None:
    jobs = [Job(str(number), (), Traits("rule"), HERE) for number in range(20)]

    def drawn(how: str) -> list[float]:
        order = _order(how)
        assert order is not None
        return [order(job) for job in jobs]

    assert drawn("random") != drawn("random")
    assert drawn("7") == drawn("7") != drawn("8")
