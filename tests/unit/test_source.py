"""Pointing at text: places, lines, excerpts with carets."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybuild.report.diagnostics import as_data, excerpt, render
from pybuild.source import (
    BuildError,
    Diagnostic,
    Note,
    Section,
    Source,
    Span,
    did_you_mean,
    nearest,
    nearest_fixes,
    same_ends,
)

# -- places ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("", 0, (1, 1)),
        ("abc", 0, (1, 1)),
        ("abc", 2, (1, 3)),
        ("abc", 3, (1, 4)),
        ("a\nbc", 1, (1, 2)),
        ("a\nbc", 2, (2, 1)),
        ("a\nbc", 3, (2, 2)),
        ("a\n", 2, (2, 1)),
        ("\n\nx", 2, (3, 1)),
        ("a\r\nb", 3, (2, 1)),
        ("äß\nü", 3, (2, 1)),
        ("a\x0cb\u2028c\nd", 5, (1, 6)),
        ("a\x0cb\u2028c\nd", 6, (2, 1)),
    ],
)
def test_place(text: str, offset: int, place: tuple[int, int]) -> None:
    assert Source("f", text).place(offset) == place


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\nb", ["a", "b"]),
        ("a\nb\n", ["a", "b", ""]),
        ("a\r\nb\r\n", ["a", "b", ""]),
        ("\n\n", ["", "", ""]),
        ("last\nwithout newline", ["last", "without newline"]),
    ],
)
def test_line(text: str, lines: list[str]) -> None:
    source = Source("f", text)
    assert [source.line(number + 1) for number in range(len(lines))] == lines


@given(st.text(alphabet="ab\n\r\t", max_size=30))
def test_each_character_is_where_its_place_says(text: str) -> None:
    source = Source("f", text)
    rows = text.split("\n")
    for offset, char in enumerate(text):
        line, column = source.place(offset)
        assert (rows[line - 1] + "\n")[column - 1] == char


def test_span() -> None:
    span = Span(Source("dir/Pipefile", "a\nbcd\n"), 3, 5)
    assert span.place == (2, 2)
    assert str(span) == "dir/Pipefile:2:2"


def test_a_source_survives_pickling() -> None:
    source = Source("f", "a\nb")
    source.place(2)
    again = pickle.loads(pickle.dumps(source))
    assert (again.name, again.text, again.place(2)) == ("f", "a\nb", (2, 1))


# -- suggestions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "known", "text"),
    [
        ("colate", ["collate", "split"], "did you mean `collate`?"),
        ("xyz", ["collate", "split"], ""),
        ("a", [], ""),
        ("inptus", ["input", "inputs"], "did you mean `inputs` or `input`?"),
    ],
)
def test_did_you_mean(word: str, known: list[str], text: str) -> None:
    assert did_you_mean(word, known) == text


def test_nearest_gives_the_best_first_and_not_too_many() -> None:
    assert nearest("output", ["outputs", "output_", "putout", "outpu"], 2) == ["outputs", "output_"]


def test_an_error_tells_all_its_messages() -> None:
    error = BuildError(Diagnostic("PB1", "one"), Diagnostic("PB2", "two"))
    assert str(error) == "one; two"
    assert [each.code for each in error.diagnostics] == ["PB1", "PB2"]


# -- excerpts -------------------------------------------------------------------------------------


def span_of(text: str, part: str, name: str = "Pipefile") -> Span:
    start = text.index(part)
    return Span(Source(name, text), start, start + len(part))


def carets_point_at(rows: list[str]) -> str:
    """What stands above the carets of an excerpt, tabs being as wide in both rows."""
    shown, below = (row.partition(" | ")[2] for row in rows)
    start = below.index("^")
    assert set(below[start:]) == {"^"}
    assert [char == "\t" for char in below[:start]] == [char == "\t" for char in shown[:start]]
    return shown[start : start + len(below) - start]


@pytest.mark.parametrize(
    ("text", "part", "pointed"),
    [
        ("all: here\n", "here", "here"),
        ("all: here", "here", "here"),
        ("first\nall: here\nlast\n", "here", "here"),
        ("\tcc\there\n", "here", "here"),
        ("a\tb\tc here\r\nnext", "here", "here"),
        ("über: hier\n", "hier", "hier"),
        ("all: from here\nto there\n", "here\nto there", "here"),
        ("x" * 300 + " here " + "y" * 300, "here", "here"),
        ("x" * 300 + " here", "here", "here"),
        ("here " + "y" * 300, "here", "here"),
        ("\t" * 200 + "here", "here", "here"),
    ],
)
def test_carets_stand_below_what_is_meant(text: str, part: str, pointed: str) -> None:
    assert carets_point_at(excerpt(span_of(text, part))) == pointed


def test_a_span_of_nothing_still_has_a_caret() -> None:
    source = Source("f", "abc\n")
    assert excerpt(Span(source, 3, 3)) == ["  1 | abc", "    |    ^"]
    assert excerpt(Span(source, 4, 4)) == ["  2 | ", "    | ^"]


def test_a_long_line_is_cut_and_so_are_its_carets() -> None:
    text = "a" * 100 + "b" * 500
    rows = excerpt(span_of(text, "b" * 500))
    assert all(len(row) < 200 for row in rows)
    assert set(carets_point_at(rows)) == {"b"}


@given(st.text(alphabet="ab \t\r\nüx", max_size=400), st.integers(0, 400), st.integers(0, 400))
def test_every_span_has_an_excerpt(text: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    span = Span(Source("f", text), start, end)
    shown, below = excerpt(span)
    assert "^" in below
    line, column = span.place
    if start < end and text[start] not in "\r\n":
        assert carets_point_at([shown, below])[0] == span.source.line(line)[column - 1]


def test_render_has_place_message_code_excerpt_notes_and_help() -> None:
    text = "app: main.o\nmain.o: app\n"
    found = render(
        Diagnostic(
            "PB301",
            "these need each other",
            span_of(text, "app"),
            (Note("here too", span_of(text, "main.o: app")), Note("a fact")),
            "take one away",
        )
    )
    assert found.split("\n") == [
        "Pipefile:1:1: error: these need each other [PB301]",
        "  1 | app: main.o",
        "    | ^^^",
        "  note: here too at Pipefile:2:1",
        "  2 | main.o: app",
        "    | ^^^^^^^^^^^",
        "  note: a fact",
        "  help: take one away",
    ]


def test_render_without_a_place() -> None:
    found = render(Diagnostic("PB408", "no room", severity="warning"))
    assert found == "pybuild: warning: no room [PB408]"


def test_as_data_counts_from_one() -> None:
    text = "a\nbc def\n"
    (found,) = as_data([Diagnostic("PB1", "m", span_of(text, "def"))])
    place = {key: found[key] for key in ("file", "line", "column", "end_line", "end_column")}
    assert place == {"file": "Pipefile", "line": 2, "column": 4, "end_line": 2, "end_column": 7}


# -- places of Python's trees, and fixes ----------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "column", "offset"),
    [(1, 0, 0), (1, 2, 1), (1, 3, 2), (2, 0, 3), (2, 1, 4), (3, 0, 6), (9, 0, 6)],
)
def test_lines_and_bytes_become_offsets(line: int, column: int, offset: int) -> None:
    assert Source("f", "\u00e4b\nde\n").offset(line, column) == offset


def test_fixes_replace_the_word_alone() -> None:
    source = Source("f", "cp <inptu.basename> x")
    span = Span(source, 3, 19)
    fixes = nearest_fixes("inptu", ["input", "inputs", "output"], span)
    assert [each.title for each in fixes] == ["write `input`", "write `inputs`"]
    ((at, text),) = fixes[0].edits
    assert (source.text[at.start : at.end], text) == ("inptu", "input")


def test_a_word_that_stands_there_twice_or_not_at_all_has_no_fix() -> None:
    source = Source("f", "<inptu(inptu)>")
    assert nearest_fixes("inptu", ["input"], Span(source, 0, 14)) == ()
    assert nearest_fixes("outptu", ["output"], Span(source, 0, 14)) == ()
    assert nearest_fixes("inptu", ["unlike"], Span(source, 0, 6)) == ()


def test_a_section_moves_with_all_that_points_at_it() -> None:
    source = Source("Pipefile", "a\nbc: d\n")
    section = Section(source, 2)
    span = Span(section, 2, 4)
    moved = Source("Pipefile", "a\nnew\n\nbc: d\n")
    section.move(moved, 7)
    assert (span.start, span.end, span.place) == (7, 9, (4, 1))
    assert span.source.text[span.start : span.end] == "bc"
    assert span == Span(section, 7, 9)
    assert span.but(end=8) == Span(section, 7, 8)
    assert span.source.line(4) == "bc: d"


def test_a_span_is_pickled_where_it_stands() -> None:
    section = Section(Source("Pipefile", "a\nbc: d\n"), 2)
    span = pickle.loads(pickle.dumps(Span(section, 2, 4)))
    assert type(span.source) is Source
    assert (span.source.name, span.start, span.end) == ("Pipefile", 2, 4)


@pytest.mark.parametrize(
    ("before", "now", "ends"),
    [
        ("", "", (0, 0)),
        ("abc", "abc", (3, 0)),
        ("abc", "abxc", (2, 1)),
        ("aaa", "aa", (2, 0)),
        ("aa", "aaa", (2, 0)),
        ("abc", "xyz", (0, 0)),
        ("xbc", "ybc", (0, 2)),
        ("one two", "one  two", (4, 3)),
    ],
)
def test_what_two_texts_have_in_common(before: str, now: str, ends: tuple[int, int]) -> None:
    assert same_ends(before, now) == ends
