"""Parts of file names, and the values of placeholders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybuild.names import Capture, Wild, normalise
from pybuild.pipefile.parse import parse_placeholder
from pybuild.pipefile.syntax import Reference
from pybuild.pipefile.template import (
    FILE_PARTS,
    RESERVED,
    FileName,
    Hole,
    Template,
    WholeFile,
    as_names,
    as_python,
    as_text,
    evaluate,
    file_part,
)
from pybuild.source import BuildError, Source, Span

_SPAN = Span(Source("Pipefile", "<here>"), 0, 6)


@pytest.mark.parametrize(
    ("name", "path", "basename", "ext", "filename", "subdir", "subpath"),
    [
        (
            "/a/b/c/sample1.bam",
            "/a/b/c",
            "sample1",
            ".bam",
            "sample1.bam",
            ["c", "b", "a", "/"],
            ["/a/b/c", "/a/b", "/a", "/"],
        ),
        ("/x.c", "/", "x", ".c", "x.c", ["/"], ["/"]),
        ("a/b/x.c", "a/b", "x", ".c", "x.c", ["b", "a"], ["a/b", "a"]),
        ("a/x", "a", "x", "", "x", ["a"], ["a"]),
        ("x.c", ".", "x", ".c", "x.c", [], []),
        ("x", ".", "x", "", "x", [], []),
        (".bashrc", ".", ".bashrc", "", ".bashrc", [], []),
        ("home/.bashrc", "home", ".bashrc", "", ".bashrc", ["home"], ["home"]),
        ("a.tar.gz", ".", "a.tar", ".gz", "a.tar.gz", [], []),
        ("a.b/c", "a.b", "c", "", "c", ["a.b"], ["a.b"]),
        ("my data/x y.txt", "my data", "x y", ".txt", "x y.txt", ["my data"], ["my data"]),
        ("../a/x.c", "../a", "x", ".c", "x.c", ["a", ".."], ["../a", ".."]),
        ("a/b/", "a", "b", "", "b", ["a"], ["a"]),
    ],
)
def test_file_part(
    name: str,
    path: str,
    basename: str,
    ext: str,
    filename: str,
    subdir: list[str],
    subpath: list[str],
) -> None:
    found = {part: file_part(name, part) for part in FILE_PARTS}
    assert found == {
        "path": path,
        "basename": basename,
        "ext": ext,
        "filename": filename,
        "subdir": subdir,
        "subpath": subpath,
    }


@given(st.lists(st.text(alphabet="ab. ", min_size=1), min_size=1, max_size=4), st.booleans())
def test_the_parts_make_up_the_name(words: list[str], absolute: bool) -> None:
    name = ("/" if absolute else "") + "/".join(words)
    path, filename = file_part(name, "path"), file_part(name, "filename")
    assert filename == file_part(name, "basename") + file_part(name, "ext")
    assert str(Path(path, filename)) == str(Path(name))
    subdir, subpath = file_part(name, "subdir"), file_part(name, "subpath")
    assert len(subdir) == len(subpath)
    if subpath:
        assert subpath[0] == path


def test_parts_of_files_are_quoted_like_files() -> None:
    for part in ("path", "basename", "ext", "filename"):
        assert isinstance(file_part("a b/c d.e", part), FileName)
    for part in ("subdir", "subpath"):
        assert all(isinstance(each, FileName) for each in file_part("a b/c d.e", part))


# -- evaluate -------------------------------------------------------------------------------------


def value_of(text: str, **names: Any) -> Any:
    found = parse_placeholder(text, _SPAN)
    assert found is not None
    return evaluate(found.reference, names.__getitem__, _SPAN)


def fail(*arguments: object) -> None:
    raise ValueError("no such sample")


_FILES = [WholeFile("a/x.bam"), WholeFile("b/y.bai")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<n>", 3),
        ("<files>", _FILES),
        ("<files[0]>", "a/x.bam"),
        ("<files[-1]>", "b/y.bai"),
        ("<files[1].ext>", ".bai"),
        ("<files.basename>", "x"),
        ("<file.path>", "a"),
        ("<file.filename.ext>", ".bam"),
        ("<file.subdir[0]>", "a"),
        ("<double('a')>", "aa"),
        ("<double(n)>", 6),
        ("<double(file.basename)>", "xx"),
        ("<double(double(n))>", 12),
        ("<kind(file)>", "PosixPath"),
        ("<kind(file.basename)>", "str"),
        ("<kind(files[0])>", "PosixPath"),
        ("<kind(n)>", "int"),
        ("<kind('a')>", "str"),
        ("<first(files)>", Path("a/x.bam")),
        ("<table['a']>", None),
    ],
)
def test_evaluate(text: str, value: object) -> None:
    if parse_placeholder(text, _SPAN) is None:
        assert value is None
        return
    found = value_of(
        text,
        n=3,
        files=_FILES,
        file=_FILES[0],
        double=lambda x: x + x,
        kind=lambda x: type(x).__name__,
        first=lambda x: x[0],
    )
    assert found == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<files[2]>", ["`files[2]`", "2 of them"]),
        ("<files[-3]>", ["`files[-3]`"]),
        ("<none[0]>", ["`none[0]`", "0 of them"]),
        ("<one[1]>", ["`one[1]`", "one"]),
        ("<file.size>", ["`file.size`", "`basename`"]),
        ("<n[0]>", ["`n[0]`"]),
        ("<n.real.foo>", ["`n.real.foo`"]),
        ("<n()>", ["`n` is no function"]),
        ("<fail(n)>", ["`fail(n)` failed", "ValueError", "no such sample"]),
        ("<fail(1, 2)>", ["`fail(1, 2)` failed"]),
        ("<none.path>", ["`none.path`"]),
    ],
)
def test_evaluate_complains_at_the_place(text: str, words: list[str]) -> None:
    names = {"files": _FILES, "file": _FILES[0], "none": [], "one": ["a"], "n": 3, "fail": fail}
    with pytest.raises(BuildError) as raised:
        value_of(text, **names)
    (found,) = raised.value.diagnostics
    assert found.span == _SPAN
    for word in words:
        assert word in f"{found.message} {found.help}"


def test_a_complaint_of_a_function_is_passed_on_as_it_is() -> None:
    def complain() -> None:
        as_text([], _SPAN)

    with pytest.raises(BuildError) as raised:
        value_of("<complain()>", complain=complain)
    assert raised.value.diagnostics[0].code == "PB211"


# -- as_names, as_text, as_python -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (None, []),
        ("a b", ["a b"]),
        (Path("a/b"), ["a/b"]),
        (3, ["3"]),
        ([], []),
        (["a", Path("b"), ["c"]], ["a", "b", "c"]),
        (("a", None, "b"), ["a", "b"]),
        ({"b", "a"}, ["a", "b"]),
        (frozenset("ba"), ["a", "b"]),
        ({Path("b"), "a"}, ["a", "b"]),
        ((each for each in "ab"), ["a", "b"]),
        (range(2), ["0", "1"]),
        ({"a": 1}.keys(), ["a"]),
    ],
)
def test_as_names(value: object, names: list[str]) -> None:
    assert as_names(value, _SPAN) == names


@pytest.mark.parametrize("value", [{"a": 1}, object(), len, b"ab"])
def test_as_names_refuses_what_is_no_name(value: object) -> None:
    with pytest.raises(BuildError) as raised:
        as_names(value, _SPAN)
    assert raised.value.diagnostics[0].span == _SPAN
    assert "no file name" in raised.value.diagnostics[0].message


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (3, "3"), (2.5, "2.5"), (Path("a"), "a")])
def test_as_text(value: object, text: str) -> None:
    assert as_text(value, _SPAN) == text


@pytest.mark.parametrize("value", [["a"], ("a",), {"a"}, {"a": 1}, []])
def test_a_list_cannot_stand_inside_a_word(value: object) -> None:
    with pytest.raises(BuildError) as raised:
        as_text(value, _SPAN)
    assert raised.value.diagnostics[0].span == _SPAN


def test_as_python_gives_paths_for_files_and_texts_for_their_parts() -> None:
    assert as_python(WholeFile("a/b")) == Path("a/b")
    assert type(as_python(FileName("b"))) is str
    assert as_python([WholeFile("a"), WholeFile("b")]) == [Path("a"), Path("b")]
    assert as_python(3) == 3
    assert as_python("x") == "x"


# -- templates ------------------------------------------------------------------------------------


def hole(text: str) -> Hole:
    return Hole(Reference(text), _SPAN)


def test_a_template_is_filled_in() -> None:
    template = Template(_SPAN, ["out/", Capture("s"), "-", hole("n"), "/", Wild("*")])
    found = template.fill({"s": "a b", "n": 3}.__getitem__)
    assert "".join(map(str, found)) == "out/a b-3/*"
    assert template.names == {"s", "n"}
    assert template.has_wildcards
    assert template.has_holes
    assert template.literal is None


def test_a_template_refuses_a_list_inside_a_word() -> None:
    with pytest.raises(BuildError):
        Template(_SPAN, ["a", hole("n")]).fill({"n": ["x"]}.__getitem__)


def test_the_reach_of_a_template_has_all_that_it_can_become() -> None:
    template = Template(_SPAN, ["out/", hole("path"), "/", Capture("s"), ".txt"])
    for path in ("a", "a/b", "."):
        name = "".join(map(str, template.fill({"path": path, "s": "x"}.__getitem__)))
        assert template.reach().match(normalise(name)) is not None, name


def test_a_hidden_folder_is_within_reach() -> None:
    template = Template(_SPAN, [hole("path"), "/x.txt"])
    assert template.reach().match(".cache/x.txt") is not None


def test_a_literal_template() -> None:
    assert Template(_SPAN, ["a", "b"]).literal == "ab"
    assert Template(_SPAN, (), rule="compile").literal is None
    assert str(Template(_SPAN, (), rule="compile")) == "<compile>"


def test_the_names_of_the_language_are_reserved() -> None:
    assert set("input inputs output outputs order_only changed stem rule".split()) <= RESERVED
    assert set("path basename ext filename subdir subpath".split()) <= RESERVED
