"""Physical lines to logical ones, and where parts of a line end."""

from __future__ import annotations

import pytest

from pybuild.makefile.lines import (
    Lines,
    assignment,
    cut,
    joined,
    recipe_line,
    without_comment,
    without_nuls,
    words,
)


def logical(text: str) -> list[tuple[int, str]]:
    lines = Lines(text)
    found = []
    while (line := lines.next()) is not None:
        found.append((lines.number, line))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a\nb\n", [(1, "a"), (2, "b")]),
        ("a\nb", [(1, "a"), (2, "b")]),
        ("a\n\nb\n", [(1, "a"), (2, ""), (3, "b")]),
        ("a \\\n b\nc\n", [(1, "a \\\n b"), (3, "c")]),
        ("a\\\\\nb\n", [(1, "a\\\\"), (2, "b")]),
        ("a\\\\\\\nb\n", [(1, "a\\\\\\\nb")]),
        ("a\\", [(1, "a\\\n")]),
        ("a\r\nb\\\r\nc\r\n", [(1, "a"), (2, "b\\\nc")]),
        ("\ufeffa\n", [(1, "a")]),
    ],
)
def test_logical_lines(text: str, expected: list[tuple[int, str]]) -> None:
    assert logical(text) == expected


def test_after_the_last_line_the_number_is_one_more() -> None:
    lines = Lines("a\nb\n")
    while lines.next() is not None:
        pass
    assert lines.number == 3


@pytest.mark.parametrize(
    ("raw", "posix", "expected"),
    [
        ("a \\\n   b", False, "a b"),
        ("a  \t\\\n\tb \\\nc", False, "a b c"),
        ("a \\\n \\\n  \\\nb", False, "a b"),
        ("\\\n b", False, " b"),
        (" a\\\n", False, " a "),
        ("a\\\n\\\n", False, "a "),
        ("a \\\n b \\\\\\\n c", False, "a b \\ c"),
        ("a \\\\\\\n  b", False, "a \\ b"),
        ("a \\\n   b   \\\nc", True, "a  b    c"),
    ],
)
def test_joined(raw: str, posix: bool, expected: str) -> None:
    assert joined(raw, posix) == expected


def test_continued_recipe_lines_lose_one_prefix() -> None:
    assert recipe_line("a \\\n\t\tb\\\n c", "\t") == "a \\\n\tb\\\n c"
    assert recipe_line("a \\\n>b", ">") == "a \\\nb"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a # b", "a "),
        ("a \\# b # c", "a # b "),
        ("a \\\\# b", "a \\"),
        ("$(subst #,x,a#b) # z", "$(subst #,x,a#b) "),
        ("${a#b}#c", "${a#b}"),
        ("a $# b", "a $# b"),
        ("$(a # b", "$(a # b"),
    ],
)
def test_without_comment(text: str, expected: str) -> None:
    assert without_comment(text) == expected


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("a: b", ":", ("a", ":", " b")),
        ("a\\:b: c", ":", ("a:b", ":", " c")),
        ("a\\\\: c", ":", ("a\\", ":", " c")),
        ("a b", ":", ("a b", "", "")),
        ("$(a;b); c # d", ";#$", ("$(a;b)", ";", " c # d")),
        ("a # b ; c", ";#$", ("a ", "#", " b ; c")),
        ("a\\; b", ";#$", ("a; b", "", "")),
    ],
)
def test_cut(text: str, stops: str, expected: tuple[str, str, str]) -> None:
    assert cut(text, stops) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" a  b\t", ["a", "b"]),
        ("b\\ c d", ["b c", "d"]),
        ("f\\\\ g", ["f\\", "g"]),
        ("g\\\\\\ h", ["g\\ h"]),
        ("a\\b i\\%j", ["a\\b", "i\\%j"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = b", ("a", "=", "b")),
        ("a=b: c", ("a", "=", "b: c")),
        ("a := b ", ("a", ":=", "b ")),
        ("a::=b", ("a", "::=", "b")),
        ("a :::= b", ("a", ":::=", "b")),
        ("a::::=b", None),
        ("a+=b", ("a", "+=", "b")),
        ("a+b += c", ("a+b", "+=", "c")),
        ("a? = b", ("a?", "=", "b")),
        ("a??=b", ("a?", "?=", "b")),
        ("a ? = b", None),
        ("a != b", ("a", "!=", "b")),
        ("$(x y)z = b", ("$(x y)z", "=", "b")),
        ("$(a=b): c", None),
        ("a b = c", None),
        ("a: b = c", None),
        ("a:b=c", None),
        ("= b", ("", "=", "b")),
        ("a ; b = c", None),
    ],
)
def test_assignment(text: str, expected: tuple[str, str, str] | None) -> None:
    assert assignment(text) == expected


def test_a_nul_hides_the_rest_of_its_line() -> None:
    assert without_nuls("A = 1\0foo\nb\n") == ("A = 1b\n", [])
    assert without_nuls("A = 1\0\n\0\nB=\0 foo\\\nb\n") == ("A = 1\nB=b\n", [1])
