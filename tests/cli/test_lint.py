"""`--lint`: finds everything at once, in the form that was asked for, and runs nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from .conftest import Place

GOOD = """
all: out/a
out/<b>: <b>.src
    mkdir -p out && cp <input> <output>
"""


def found(text: str) -> list[tuple[int, str]]:
    """Line and code of each diagnostic in a text."""
    return [
        (int(line), code)
        for line, code in re.findall(r"(?m)^Pipefile:(\d+):\d+: error: .* \[(PB\d+)\]$", text)
    ]


def data(place: Place, status: int, *words: str) -> list[dict[str, Any]]:
    """What `--format=json` prints."""
    done = place.run("--lint", "--format=json", *words, status=status)
    assert not done.stderr
    read = json.loads(done.stdout)
    assert isinstance(read, list)
    return read


def test_a_pipefile_without_mistakes(place: Place) -> None:
    place.put(Pipefile=GOOD, **{"a.src": ""})
    done = place.run("--lint")
    assert (done.stdout, done.stderr) == ("pybuild: no errors\n", "")
    assert data(place, 0) == []


def test_all_mistakes_of_text_and_names_are_found(place: Place) -> None:
    place.put(
        Pipefile="""x = (
a: b c
    cp <nope> <output>
@unheard_of
h: i
d: e: f: g
b: c
    cat <n> <z>
"""
    )
    done = place.run("--lint", status=2)
    assert found(done.stdout) == [
        (1, "PB110"),
        (3, "PB201"),
        (4, "PB220"),
        (6, "PB103"),
        (8, "PB201"),
        (8, "PB201"),
    ]
    assert "\npybuild: 6 errors\n" in done.stdout
    assert not done.stderr


def test_one_error_is_not_called_errors(place: Place) -> None:
    place.put(Pipefile="a:\n    cp <nope> <output>\n")
    assert "\npybuild: 1 error\n" in place.run("--lint", status=2).stdout


def test_it_is_said_when_files_could_not_be_looked_at(place: Place) -> None:
    note = "what the rules match was not looked at"
    place.put(Pipefile="a:\n    cp <nope> <output>\nb: b/<x>: src/<x>\n    cp <input> <output>\n")
    done = place.run("--lint", status=2)
    assert note in done.stdout
    assert found(done.stdout) == [(2, "PB201")]
    place.put(Pipefile="a:\n    touch <output>\nb: b/<x>: src/<x>\n    cp <input> <output>\n")
    done = place.run("--lint", status=2)
    assert note not in done.stdout
    assert found(done.stdout) == [(3, "PB304")]


def test_what_only_files_tell_is_found_at_once_and_in_order(place: Place) -> None:
    place.put(
        Pipefile="""ring: back
    cp <input> <output>
back: ring
    cp <input> <output>
include nowhere.pipe
one: one/<x>: one/<x>.in
    cp <input> <output>
two: two.in
    cp <input> <output>
three: three.in/*.c
    cp <inputs> <output>
four: four/<basename>: *.four
    cp <input> <output>
good: there
    cp <input> <output>
""",
        there="",
    )
    done = place.run("--lint", status=2)
    assert found(done.stdout) == [
        (1, "PB301"),
        (5, "PB209"),
        (6, "PB304"),
        (8, "PB305"),
        (10, "PB304"),
        (12, "PB304"),
    ]
    assert "\npybuild: 6 errors\n" in done.stdout


def test_two_files_of_one_target_hide_no_other_mistake(place: Place) -> None:
    place.put(
        Pipefile="""one: out/<subdir[0]>.o: */*.c
    cp <input> <output>
two: two/<s>: <s>.missing
    cp <input> <output>
"""
    )
    place.write("d/1.c")
    place.write("d/2.c")
    assert found(place.run("--lint", status=2).stdout) == [(1, "PB302"), (3, "PB304")]


def test_a_rule_all_of_whose_matches_are_mistaken_does_match(place: Place) -> None:
    place.put(Pipefile="one: out/<subdir[3]>: src/*.c\n    cp <input> <output>\n")
    place.write("src/a.c")
    assert found(place.run("--lint", status=2).stdout) == [(1, "PB211")]


def test_a_rule_that_others_want_and_that_matches_nothing_is_reported_once(place: Place) -> None:
    place.put(
        Pipefile="""all: <one> <one>
more: <one>
    cat <inputs> > <output>
one: one/<x>: <x>.in
    cp <input> <output>
"""
    )
    assert found(place.run("--lint", status=2).stdout) == [(4, "PB304")]


@pytest.mark.parametrize(
    "excuse", ["@optional\n", "@active_if(False)\n"], ids=["optional", "inactive"]
)
def test_a_rule_that_may_match_nothing(place: Place, excuse: str) -> None:
    place.put(Pipefile=f"{excuse}one: one/<x>: <x>.in\n    cp <input> <output>\n")
    place.run("--lint")


def test_an_include_that_a_rule_makes_or_that_is_optional_is_no_mistake(place: Place) -> None:
    place.put(
        Pipefile="""include made.pipe
-include whatever.pipe
made.pipe:
    echo > <output>
"""
    )
    place.run("--lint")
    assert place.files() == ["Pipefile"]


def test_mistakes_in_included_files_are_found_there(place: Place) -> None:
    place.put(
        Pipefile="a: missing.a\n    cp <input> <output>\ninclude rules/more.pipe\n",
    )
    place.write("rules/more.pipe", "b: missing.b\n    cp <input> <output>\n")
    places = [(each["file"], each["line"], each["code"]) for each in data(place, 2)]
    assert places == [("Pipefile", 1, "PB305"), ("rules/more.pipe", 1, "PB305")]


def test_behind_a_split_files_are_looked_at_once_it_has_run(place: Place) -> None:
    place.put(
        Pipefile="""
split parts: parts/*.txt: whole
    touch parts/a.txt parts/b.txt
each: each/<basename>: parts/*.txt <basename>.conf
    cat <inputs> > <output>
""",
        whole="",
        **{"a.conf": ""},
    )
    place.run("--lint")
    place.run("parts")
    done = place.run("--lint", status=2)
    assert "no rule makes `b.conf`" in done.stdout
    assert "no rule makes `a.conf`" not in done.stdout


def test_nothing_is_run_recorded_or_locked(place: Place) -> None:
    place.put(
        Pipefile="""
split parts: parts/*.txt: whole
    +touch ran parts/a.txt
all: <parts>
    +touch ran all
""",
        whole="",
    )
    place.run("--lint")
    assert place.files() == ["Pipefile", "whole"]
    assert place.state() == []


def place_of(column: int, end: int) -> dict[str, Any]:
    """A stretch of the second line of the Pipefile, as data."""
    return {"file": "Pipefile", "line": 2, "column": column, "end_line": 2, "end_column": end}


def test_data_says_where_and_what(place: Place) -> None:
    place.put(Pipefile="compile: out/<s>.o: src/<s>.c\n    cp <inptu> <output>\n")
    assert data(place, 2) == [
        {
            "code": "PB201",
            "severity": "error",
            "message": "`<inptu>` is not known here",
            "help": "did you mean `input` or `inputs`?",
            "page": "docs/diagnostics.md#pb201",
            "file": "Pipefile",
            "line": 2,
            "column": 8,
            "end_line": 2,
            "end_column": 15,
            "notes": [],
            "tags": [],
            "fixes": [
                {"title": title, "edits": [{**place_of(column, end), "text": text}]}
                for title, column, end, text in (
                    ("write `input`", 9, 14, "input"),
                    ("write `inputs`", 9, 14, "inputs"),
                    ("keep it as text", 8, 8, "\\"),
                )
            ],
        }
    ]


def test_no_pipefile_at_all_is_data_too(place: Place) -> None:
    assert [each["code"] for each in data(place, 2)] == ["PB310"]
    assert "pybuild: 1 error\n" in place.run("--lint", status=2).stdout


def test_a_format_that_is_not_known(place: Place) -> None:
    place.put(Pipefile=GOOD, **{"a.src": ""})
    done = place.run("--lint", "--format=xml", status=2)
    assert not done.stdout
    assert "`--format=xml`" in done.stderr
    assert "`json`" in done.stderr


def test_the_other_pipefile(place: Place) -> None:
    place.put(**{"other.pipe": "a: b\n    cp <input> <output>\n"})
    assert [each["file"] for each in data(place, 2, "-f", "other.pipe")] == ["other.pipe"]


def test_rules_that_drive_each_other_are_told_once(place: Place) -> None:
    place.put(
        Pipefile="one: <basename>.b: <two>\n    touch <output>\n"
        "two: <basename>.a: <one>\n    touch <output>\n"
    )
    done = place.run("--lint", status=2)
    assert found(done.stdout) == [(1, "PB301")]
    assert "`one` <- `two` <- `one`" in done.stdout


def test_a_plan_ends_where_a_split_that_others_wait_for_cannot_be_made(place: Place) -> None:
    place.put(
        Pipefile="""all: <join>
split cut: cut/*.txt: all.txt
    split -l 2 --additional-suffix=.txt <input> cut/
split pages: pages/<basename>-*.txt: <cut>
    split -l 1 --additional-suffix=.txt <input> pages/<basename>-
collate join: joined/<line>.txt: pages/<page>-<line>.txt
    cat <inputs> > <output>
"""
    )
    assert found(place.run("--lint", status=2).stdout) == [(2, "PB305")]


def test_warnings_do_not_count_as_mistakes(place: Place) -> None:
    place.put(Pipefile="unused = 1\na:\n    touch <output>\n")
    done = place.run("--lint")
    assert done.stdout.startswith(
        "Pipefile:1:1: warning: nothing uses the variable `unused` [PB601]"
    )
    assert done.stdout.endswith("pybuild: 1 warning\n")
    assert [(each["code"], each["tags"]) for each in data(place, 0)] == [("PB601", ["unused"])]
    assert "unused" not in place.run("-n").stdout
