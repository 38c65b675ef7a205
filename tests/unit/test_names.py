"""Names, patterns, and whether two patterns can meet."""

from __future__ import annotations

import posixpath
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybuild.names import (
    Affixes,
    Capture,
    Pattern,
    Piece,
    Wild,
    folder_of,
    glob_pieces,
    normalise,
    overlaps,
    split_extension,
    starting_with,
)


def pattern(text: str) -> Pattern:
    """A pattern of a glob; `<x>` and `<x:regex>` stand for captures."""
    pieces: list[Piece] = []
    while text:
        before, opening, rest = text.partition("<")
        pieces += glob_pieces(before)
        if not opening:
            break
        inside, _, text = rest.partition(">")
        name, colon, regex = inside.partition(":")
        pieces.append(Capture(name, regex if colon else None))
    return Pattern(pieces)


@pytest.mark.parametrize(
    ("text", "unambiguous"),
    [
        ("in/<n>/*.x", True),
        ("<n>", True),
        ("*/a-<n>.x", True),
        ("in/<n>*.x", False),
        ("in/<n>_<m>.x", False),
        ("<n>/<n>-?.x", False),
        ("**/<n>.x", False),
        ("<n:[0-9/]+>/*.x", False),
    ],
)
def test_whether_a_name_can_match_in_one_way_only(text: str, unambiguous: bool) -> None:
    assert pattern(text).is_unambiguous is unambiguous


# -- normalise ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("a", "a"),
        ("a/b", "a/b"),
        ("./a", "a"),
        ("././a", "a"),
        ("a/./b", "a/b"),
        ("a//b", "a/b"),
        ("a///b", "a/b"),
        (".//a", "a"),
        ("a/../b", "b"),
        ("a/b/../c", "a/c"),
        ("a/b/../../c", "c"),
        ("a/../../b", "../b"),
        ("../a", "../a"),
        ("../../a", "../../a"),
        ("..", ".."),
        ("./..", ".."),
        ("a/..", "./"),
        ("a/./..", "./"),
        ("a/b/", "a/b/"),
        ("a//", "a/"),
        ("a/.", "a/"),
        ("a/./", "a/"),
        ("../", "../"),
        (".", "./"),
        ("./", "./"),
        ("./.", "./"),
        (".//", "./"),
        ("a/../", "./"),
        ("", ""),
        ("/", "/"),
        ("//", "/"),
        ("/.", "/"),
        ("/./", "/"),
        ("/a", "/a"),
        ("//a", "/a"),
        ("/a//b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/..", "/"),
        ("/a/../", "/"),
        ("/..", "/"),
        ("/../a", "/a"),
        ("...", "..."),
        (".../a", ".../a"),
        ("a./b", "a./b"),
        ("a../b", "a../b"),
        (".a/b", ".a/b"),
        ("..a", "..a"),
        ("a b/./c d", "a b/c d"),
    ],
)
def test_normalise(name: str, normal: str) -> None:
    assert normalise(name) == normal


_path_like = st.lists(
    st.sampled_from(["a", "bc", ".", "..", "", "...", ".x", "y."]), min_size=1, max_size=7
).map("/".join)


@given(_path_like)
def test_normalise_twice_is_normalise_once(name: str) -> None:
    once = normalise(name)
    assert normalise(once) == once


@given(_path_like)
def test_normalise_means_the_same_file(name: str) -> None:
    """The standard library's answer, but for the slash at the end that marks a folder."""
    if not name:
        return
    expected = posixpath.normpath(name)
    if expected.startswith("//"):
        expected = expected[1:]
    assert posixpath.normpath(normalise(name)) == expected


@given(_path_like)
def test_normalise_keeps_the_slash_of_a_folder(name: str) -> None:
    if name.endswith("/"):
        assert normalise(name).endswith("/")


@pytest.mark.parametrize(
    ("name", "folder"), [("a", ""), ("a/b", "a"), ("a/b/c", "a/b"), ("/a", ""), ("a/", "a")]
)
def test_folder_of(name: str, folder: str) -> None:
    assert folder_of(name) == folder


@pytest.mark.parametrize(
    ("filename", "parts"),
    [
        ("a.txt", ("a", ".txt")),
        ("a.tar.gz", ("a.tar", ".gz")),
        ("a", ("a", "")),
        (".bashrc", (".bashrc", "")),
        (".bashrc.bak", (".bashrc", ".bak")),
        ("..a", ("..a", "")),
        ("a.", ("a", ".")),
        ("a b.c d", ("a b", ".c d")),
        ("", ("", "")),
        ("...", ("...", "")),
    ],
)
def test_split_extension(filename: str, parts: tuple[str, str]) -> None:
    assert split_extension(filename) == parts


# -- matching -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "texts"),
    [
        # literal
        ("a.c", "a.c", ()),
        ("a.c", "axc", None),
        ("a.c", "a.cc", None),
        # wildcards inside one part
        ("*.c", "a.c", ()),
        ("*.c", "a.cc", None),
        ("*.c", "x/a.c", None),
        ("src/*.c", "src/a.c", ()),
        ("src/*.c", "src/x/a.c", None),
        ("a*", "a", ()),
        ("a?c", "abc", ()),
        ("a?c", "ac", None),
        ("a?c", "a/c", None),
        ("a*c*e", "abcde", ()),
        ("[ab].c", "a.c", ()),
        ("[ab].c", "c.c", None),
        ("[a-c]x", "bx", ()),
        ("[a-c]x", "dx", None),
        ("[!a]x", "bx", ()),
        ("[!a]x", "ax", None),
        ("[^a]x", "bx", ()),
        ("[^a]x", "ax", None),
        ("x[!a]y", "x/y", None),
        ("[]x]a", "]a", ()),
        ("[]x]a", "xa", ()),
        ("[!]x]a", "ba", ()),
        ("[!]x]a", "]a", None),
        ("[!]x]a", "xa", None),
        ("[a\\]", "a\\]", None),
        ("a[b", "a[b", ()),
        ("a[]b", "a[]b", ()),
        ("*", "a\nb", ()),
        ("*.c", "straße c.c", ()),
        # dots at the start of a part
        ("*", ".hidden", None),
        ("?hidden", ".hidden", None),
        ("[.]hidden", ".hidden", None),
        (".*", ".hidden", ()),
        ("a/*", "a/.hidden", None),
        ("a/.*", "a/.hidden", ()),
        ("a*", "a.hidden", ()),
        ("*.c", ".c", None),
        # any depth
        ("**", "a", ()),
        ("**", "a/b/c", ()),
        ("**", ".git", None),
        ("**", ".git/config", None),
        ("a/**", "a/.git/config", None),
        ("a/**", "a/b/.hidden", None),
        ("a/**", "a/b/.git/config", None),
        ("a/**", "a/b/c.d", ()),
        ("a/**/b", "a/b", ()),
        ("a/**/b", "a/x/b", ()),
        ("a/**/b", "a/x/y/b", ()),
        ("a/**/b", "a/xb", None),
        ("a/**/b", "ab", None),
        ("a/**/b", "a/.x/b", None),
        ("**/b", "b", ()),
        ("**/b", "x/y/b", ()),
        ("**/b", "xb", None),
        ("**/*.c", "x/.hidden.c", None),
        ("**/*.c", "x/a.c", ()),
        ("a/**.c", "a/b/c.c", ()),
        # captures
        ("<x>.c", "a.c", ("a",)),
        ("<x>.c", ".c", None),
        ("<x>.c", "d/a.c", None),
        ("<x>.c", ".a.c", None),
        ("a<x>", "a.b", (".b",)),
        ("<x>/<y>.c", "d/a.c", ("d", "a")),
        ("<x>_<y>", "a_b", ("a", "b")),
        ("<x>_<y>", "_b", None),
        ("<y>-<x>", "1-2", ("1", "2")),
        ("<x> <y>.txt", "a b.txt", ("a", "b")),
        # the same capture twice has to match the same text
        ("<x>/<x>.c", "a/a.c", ("a",)),
        ("<x>/<x>.c", "a/b.c", None),
        ("<x><x>", "abab", ("ab",)),
        ("<x><x>", "aba", None),
        ("<x>-<y>-<x>", "1-2-1", ("1", "2")),
        # with a regular expression
        ("<m:[12]>.c", "1.c", ("1",)),
        ("<m:[12]>.c", "3.c", None),
        ("<m:a|b>.c", "b.c", ("b",)),
        ("x<m:a|b>y", "xay", ("a",)),
        ("x<m:a|b>y", "xa", None),
        ("<m:(a)(b)?>.c", "ab.c", ("ab",)),
        ("<x><m:[0-9]+>", "a12", ("a1", "2")),
        ("<m:[12]>-<m:[12]>", "1-1", ("1",)),
        ("<m:[12]>-<m:[12]>", "1-2", None),
        ("<m:.*>.c", ".a.c", (".a",)),
        ("<r:**>.c", "a/b.c", ("a/b",)),
        ("x/<r:**>", "x/a/b", ("a/b",)),
        ("x/<r:**>", "x/", None),
        ("<r:**>", ".git/config", None),
    ],
)
def test_match(text: str, name: str, texts: tuple[str, ...] | None) -> None:
    assert pattern(text).match(name) == texts


def test_fields_stand_in_order_and_once() -> None:
    assert pattern("<b>/<a>-<b>.<c>").fields == ("b", "a", "c")


@pytest.mark.parametrize(
    "text", ["[!]", "[z-a]x", "[a&&b]x", "[a--b]x", "[[:alpha:]]x", "a[^]b", "[[a]x", "[a||b]x"]
)
def test_an_odd_set_of_characters_neither_fails_nor_warns(text: str) -> None:
    """Whatever a user writes between brackets is no regular expression of Python's."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pattern(text).match("ax")


@pytest.mark.parametrize(
    ("text", "folder", "prefix", "suffix", "deep"),
    [
        ("src/*.c", "src", "src/", ".c", False),
        ("a/b/x*", "a/b", "a/b/x", "", False),
        ("*.c", "", "", ".c", False),
        ("/*", "/", "/", "", False),
        ("/a/*", "/a", "/a/", "", False),
        ("a/*/b", "a", "a/", "/b", True),
        ("**/x", "", "", "x", True),
        ("**/*.c", "", "", ".c", True),
        ("**", "", "", "", True),
        ("<r:**>", "", "", "", True),
        ("*/x", "", "", "/x", True),
        ("a/<r:**>", "a", "a/", "", True),
        ("a.c", "", "a.c", "a.c", False),
    ],
)
def test_ends_of_a_pattern(text: str, folder: str, prefix: str, suffix: str, deep: bool) -> None:
    found = pattern(text)
    assert (found.folder, found.prefix, found.suffix, found.deep) == (folder, prefix, suffix, deep)


# -- globs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("abc", ["abc"]),
        ("", []),
        ("a*b", ["a", "<*>", "b"]),
        ("a\\*b", ["a*b"]),
        ("a\\?b", ["a?b"]),
        ("a\\[b]", ["a[b]"]),
        ("a\\%b", ["a%b"]),
        ("a\\b", ["a\\b"]),
        ("a\\\\b", ["a\\\\b"]),
        ("a\\", ["a\\"]),
        ("\\**", ["*", "<*>"]),
        ("**", ["<**>"]),
        ("**/x", ["<**/>", "x"]),
        ("a**", ["a", "<**>"]),
        ("a[bc]d", ["a", "<[bc]>", "d"]),
        ("a[b", ["a[b"]),
        ("a[b/c]", ["a[b/c]"]),
        ("[]]", ["<[]]>"]),
        ("?*", ["<?>", "<*>"]),
    ],
)
def test_glob_pieces(text: str, pieces: list[str]) -> None:
    found = [each if isinstance(each, str) else f"<{each}>" for each in glob_pieces(text)]
    assert found == pieces


@given(st.text(alphabet="ab*?[]%\\/.", max_size=12))
def test_escaped_text_matches_itself_and_nothing_else(text: str) -> None:
    if "\\" in text:
        return
    escaped = "".join("\\" + char if char in "*?[%" else char for char in text)
    found = Pattern(glob_pieces(escaped))
    assert found.is_literal
    assert found.match(text) == ()
    assert found.match(text + "a") is None


# -- overlaps -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "b"),
        ("a", "a/b"),
        ("*.c", "*.h"),
        ("*.c", "x/*.c"),
        ("a*", "b*"),
        ("a*", "a/b"),
        ("a/*", "b/*"),
        ("a/*.c", "a/*/x.c"),
        ("a/*/*", "a/*"),
        ("<x>.c", "<y>.h"),
        ("<x>/a", "<x>/b"),
        ("<x>", "<x>/<y>"),
        ("a/**", "b/**"),
        ("**.c", "**.h"),
        ("out/<x>.txt", "out/<x>.csv"),
        ("a?c", "abd"),
        ("a-<x>-b", "a-<x>-c"),
        ("<n:[0-9]+>.txt", "<x>.csv"),
        ("in/*/x.c", "in/*/y.c"),
        ("[ab].c", "c.c"),
    ],
)
def test_no_overlap(one: str, other: str) -> None:
    """Clear cases, and the answer does not depend on who asks."""
    left, right = pattern(one), pattern(other)
    assert not overlaps(left, right)
    assert not overlaps(right, left)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "a"),
        ("a.c", "*.c"),
        ("*.c", "a*"),
        ("a*", "*b"),
        ("<x>.c", "src.c"),
        ("<x>_1.c", "a_<y>.c"),
        ("a/**", "a/b/c/d"),
        ("a/**/z", "a/*/z"),
        ("a/**/z", "a/z"),
        ("**/z", "z"),
        ("x/<r:**>/z", "x/a/b/z"),
        ("*", "<x>"),
        ("?", "[ab]"),
        ("a\\*", "a*"),
        ("<x>.sorted.bam", "<x>.bam"),
        ("*a*", "b*b"),
    ],
)
def test_overlap(one: str, other: str) -> None:
    assert overlaps(pattern(one), pattern(other))
    assert overlaps(pattern(other), pattern(one))


@st.composite
def _patterns_of(draw: st.DrawFn, name: str) -> Pattern:
    """A pattern that a name was turned into, slice by slice; most of them match it."""
    pieces: list[Piece] = []
    position = 0
    number = 0
    while position < len(name):
        end = draw(st.integers(position, len(name)))
        inside = name[position:end]
        kind = draw(st.sampled_from(["text", "text", "*", "**", "?", "[]", "<x>", "<r>"]))
        number += 1
        if kind == "text" or not inside:
            pieces.append(name[position : max(end, position + 1)])
            end = max(end, position + 1)
        elif kind == "?":
            pieces.append(Wild("?"))
            end = position + 1
        elif kind == "[]":
            pieces.append(Wild(f"[{name[position]}z]"))
            end = position + 1
        elif kind == "<x>":
            pieces.append(Capture(f"x{number}"))
        elif kind == "<r>":
            pieces.append(Capture(f"r{number}", draw(st.sampled_from(["**", ".*", "[a./]+"]))))
        else:
            pieces.append(Wild(kind))
        position = end
    return Pattern(pieces)


@given(st.data())
def test_what_matches_both_makes_them_overlap(data: st.DataObject) -> None:
    name = data.draw(st.text(alphabet="ab./", min_size=1, max_size=8))
    one, other = data.draw(_patterns_of(name)), data.draw(_patterns_of(name))
    if one.match(name) is not None and other.match(name) is not None:
        assert overlaps(one, other)
        assert overlaps(other, one)


_glob_text = st.lists(
    st.sampled_from(["a", "b", "/", ".", "*", "?", "**", "**/", "[ab]", "ab"]), max_size=6
).map("".join)


@given(_glob_text, _glob_text, st.lists(st.text(alphabet="ab./", max_size=6), max_size=20))
def test_globs_that_meet_overlap(one: str, other: str, names: list[str]) -> None:
    left, right = Pattern(glob_pieces(one)), Pattern(glob_pieces(other))
    for name in names:
        if left.match(name) is not None and right.match(name) is not None:
            assert overlaps(left, right), name


# -- finding without trying all ---------------------------------------------------------------------

_short = st.text(alphabet="ab./", max_size=3)
_name = st.text(alphabet="ab./\n", max_size=7)


@given(
    before=_short,
    gap=st.sampled_from(["*", "<x>"]),
    after=_short,
    names=st.lists(_name, max_size=9),
)
def test_a_single_gap_matches_as_its_regular_expression_does(
    before: str, gap: str, after: str, names: list[str]
) -> None:
    found = pattern(before + gap + after)
    for name in (*names, before + after, before + "ab" + after, before + ".a" + after):
        match = found.regex.fullmatch(name)
        assert found.match(name) == (None if match is None else match.groups())


@given(st.lists(st.tuples(_short, _short), max_size=9), st.text(alphabet="ab./", max_size=5))
def test_affixes_find_in_order_all_that_concerns_a_name(
    affixes: list[tuple[str, str]], name: str
) -> None:
    index: Affixes[int] = Affixes()
    for number, (start, end) in enumerate(affixes):
        index.add(start, end, number)
    expected = [
        number
        for number, (start, end) in enumerate(affixes)
        if name.startswith(start) and name.endswith(end)
    ]
    assert index.find(name) == expected
    assert index.concerns(name) == bool(expected)


@given(st.lists(_name, max_size=20), _short)
def test_starting_with(names: list[str], prefix: str) -> None:
    names.sort()
    assert list(starting_with(names, prefix)) == [n for n in names if n.startswith(prefix)]
