"""Complaints and failures as editors read them: Vim's `%f:%l:%c: %t%*[^:]: %m`, and a regular
expression that means the same, as problem matchers have it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from .conftest import Place

ERRORFORMAT = "%f:%l:%c: %t%*[^:]: %m"
EXPRESSION = re.compile(
    r"(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<kind>\w)[^:]*: (?P<message>.+)"
)

Found = tuple[str, int, int, str]  # file, line, column, `e` or `w`

MISTAKEN = """\
x = [
all: <nope> b
    cp <inputs> <outptu>
a b
@unheard_of
c: "never closed
"""
FAILING = """\
.PHONY: all bad ignored again "with blank"
all: bad ignored again "with blank"
bad:
    exit 3
@ignore_errors
ignored:
    exit 4
@retries(1, 0)
again:
    exit 5
"with blank":
    exit 6
"""
WARNED = 'all:\n    true\n@desc("a")\n@desc("b")\nout/<b>: <b>.src\n    cp <input> <output>\n'


def places_of(text: str) -> list[Found]:
    """What the regular expression finds in the lines of an output."""
    found = map(EXPRESSION.fullmatch, text.splitlines())
    return [
        (each["file"], int(each["line"]), int(each["column"]), each["kind"])
        for each in found
        if each
    ]


def places_in_vim(text: str, place: Place) -> list[Found]:
    """What the real Vim finds."""
    if shutil.which("vim") is None:
        pytest.skip("vim is not installed")
    place.write("output.txt", text)
    script = (
        f"let &errorformat = '{ERRORFORMAT}'",
        "cgetfile output.txt",
        "let found = filter(getqflist(), 'v:val.valid')",
        "call map(found, '[bufname(v:val.bufnr), v:val.lnum, v:val.col, v:val.type]')",
        "call writefile([json_encode(found)], 'found.json')",
        "qall!",
    )
    command = ["vim", "-es", "-u", "NONE", "-N"]
    for each in script:
        command += ["-c", each]
    subprocess.run(command, cwd=place.folder, timeout=60, stdin=subprocess.DEVNULL)
    read = json.loads((place.folder / "found.json").read_text())
    return [(name, line, column, kind) for name, line, column, kind in read]


def check(text: str, place: Place) -> list[Found]:
    """The places in an output, by both; every line that speaks of an error is among them."""
    found = places_of(text)
    heads = re.findall(r"(?m)^\S.*: (?:error|warning): ", text)
    assert len(found) == len(heads)
    assert places_in_vim(text, place) == found
    return found


def test_mistakes(place: Place) -> None:
    place.put(Pipefile=MISTAKEN)
    found = check(place.run("--lint", status=2).stdout, place)
    assert {(line, kind) for _, line, _, kind in found} >= {(1, "e"), (4, "e"), (6, "e")}
    assert {name for name, *_ in found} == {"Pipefile"}
    assert check(place.run(status=2).stderr, place)


def test_mistakes_in_an_included_file(place: Place) -> None:
    place.put(Pipefile="include rules/a.pipe\n")
    place.write("rules/a.pipe", "\n  stray\nall: <nope>\n    true\n")
    found = check(place.run(status=2).stderr, place)
    assert ("rules/a.pipe", 2, 1, "e") in found


def test_jobs_that_fail_point_to_their_rules(place: Place) -> None:
    place.put(Pipefile=FAILING)
    done = place.run("-k", "-j1", status=2)
    found = sorted(check(done.stderr, place))
    assert found == [
        ("Pipefile", 3, 1, "e"),
        ("Pipefile", 6, 1, "w"),
        ("Pipefile", 9, 1, "e"),
        ("Pipefile", 9, 1, "w"),
        ("Pipefile", 11, 1, "e"),
    ]
    assert "Pipefile:3:1: error: `bad` failed: exit status 3\n" in done.stderr
    assert "Pipefile:11:1: error: `with blank` failed: exit status 6\n" in done.stderr


def test_mistakes_that_are_told_as_warnings(place: Place) -> None:
    place.put(Pipefile=WARNED)
    done = place.run("--lint", status=2)
    assert check(done.stdout, place)
