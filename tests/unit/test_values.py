"""Digests of objects that blocks return, and the statements of blocks as functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.graph import ValueFiles
from pybuild.pipefile.usercode import compile_python
from pybuild.runners.values import Values, digest_of_object, looks_of, save
from pybuild.runners.worker import Refused
from pybuild.source import BuildError, Source


def one() -> int:
    return 1


def two() -> int:
    return 2


def _code(value: object) -> bytes:
    return getattr(value, "__name__", "").encode()


@pytest.mark.parametrize(
    ("left", "right", "are_equal"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),  # who goes through it sees the order
        ([1, 2], (1, 2), False),
        (1, 1.0, False),
        (None, None, True),
        (None, False, False),
        ({"x", "y", 1}, {1, "y", "x"}, True),
        ({"x"}, frozenset({"x"}), False),
        ([{frozenset({1, 2})}], [{frozenset({2, 1})}], True),
        (set(), set(), True),
        (one, one, True),
        (one, two, False),
        ({"f": lambda: 1}, {"f": lambda: 2}, True),  # what counts of code is up to its digest
        (Path("a"), Path("b"), False),
    ],
)
def test_digests_of_objects(left: object, right: object, are_equal: bool) -> None:
    assert (digest_of_object(left, _code) == digest_of_object(right, _code)) is are_equal


def test_an_object_that_refers_to_itself() -> None:
    ring: list[object] = [1]
    ring.append(ring)
    assert digest_of_object(ring) != digest_of_object([1, [1]])


def test_what_cannot_be_pickled_goes_by_its_sources(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("a")
    digest = str(tmp_path / "digest")
    values = Values({}, None, lambda _: None)

    def kept(recipe: bytes) -> str:
        values.keep(ValueFiles(digest, "", recipe, (str(source),)), (each for each in "x"))
        return Path(digest).read_text()

    first = kept(b"1")
    assert kept(b"1") == first
    assert kept(b"2") != first
    source.write_text("b")
    assert kept(b"1") != first


def test_an_object_is_made_or_read_once(tmp_path: Path) -> None:
    made: list[object] = []

    def make(making: object) -> list[object]:
        made.append(making)
        return []

    values = Values({}, None, make)
    values.learn({"d": (1, (True, b""), {}, {}, (), ("d", "", b"", ()))})
    assert values.get("d") is values.get("d")
    assert len(made) == 1
    digest, kept = str(tmp_path / "digest"), str(tmp_path / "kept")
    values.keep(ValueFiles(digest, kept, b"", ()), {"a": [1]})
    assert values.get(digest) == {"a": [1]}
    other = Values({}, None, make)
    other.learn({digest: (1, (True, b""), {}, {}, (), (digest, kept, b"", ()))})
    assert other.get(digest) == {"a": [1]}
    assert len(made) == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["digest", "kept"]


def _returned(text: str, scope: dict[str, object] | None = None) -> object:
    source = Source("Pipefile", text)
    rows, offset = [], 0
    for row in text.split("\n"):
        rows.append((offset, row))
        offset += len(row) + 1
    code, _ = compile_python(source, rows, "Pipefile", returns=True)
    return eval(code, {} if scope is None else scope)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("return 1", 1),
        ("x = 1", None),
        ("if True:\n    return 1\nreturn 2", 1),
        ("def f():\n    return 1\nf()", None),
        ("x = 1\ndef f():\n    return x\nreturn f()", 1),
        ("x: int = 1\ndef f():\n    return x\nreturn f()", 1),
        ("import os.path as p, sys\nreturn [p.sep, (lambda: sys.maxsize)() > 1]", ["/", True]),
        (
            "match {'a': 1, 'b': [2, 3]}:\n    case {'b': [h, *t], **r}:\n        return h, t, r",
            (2, [3], {"a": 1}),
        ),
        ("try:\n    1 / 0\nexcept ArithmeticError as e:\n    return str(e)", "division by zero"),
        ("return [y := 2, y, [i for i in range(2)]]", [2, 2, [0, 1]]),
        ("class C:\n    def m(self):\n        return k\nk = 3\nreturn C().m()", 3),
        ("for n in 1, 2:\n    pass\nreturn n", 2),
        ("with open('/dev/null') as f:\n    return f.read()", ""),
        ("return", None),
    ],
)
def test_statements_with_a_return(text: str, expected: object) -> None:
    assert _returned(text) == expected


def test_names_from_outside_can_be_set() -> None:
    scope: dict[str, object] = {"x": 1}
    assert _returned("x = x + 1\nreturn x", scope) == 2


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a = 1\nyield a\nreturn a", (2, 1), "'yield' outside function"),
        ("return 1\nx = await f()", (2, 5), "'await' outside function"),
        ("if 1:\n  return 1\nfrom os import *", (3, 16), "import * only allowed at module level"),
        ("return )", (1, 8), "unmatched ')'"),
        ("class C:\n    return 1", (2, 5), "'return' outside function"),
    ],
)
def test_mistakes_have_their_place(text: str, place: tuple[int, int], said: str) -> None:
    with pytest.raises(BuildError) as caught:
        _returned(text)
    (mistake,) = caught.value.diagnostics
    assert said in mistake.message
    assert mistake.span is not None
    assert mistake.span.place == place


class Figure:
    def savefig(self, name: str) -> None:
        Path(name).write_text("figure")


class Axes:
    figure = Figure()


class Chart:
    def save(self, name: str) -> None:
        Path(name).write_text("chart")


@pytest.mark.parametrize("drawn", [Figure(), Axes(), Chart()])
def test_a_figure_goes_to_the_first_output_that_is_left(tmp_path: Path, drawn: object) -> None:
    names = [str(tmp_path / name) for name in ("table", "plot", "other")]
    Path(names[2]).write_text("old")
    before = looks_of(names)
    Path(names[0]).write_text("table")
    save(drawn, names, before)
    texts = [Path(name).read_text() for name in names]
    assert texts == ["table", "chart" if isinstance(drawn, Chart) else "figure", "old"]


def test_what_is_no_figure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="returned an object of type dict: only a figure"):
        save({}, ["a"], [None])
    with pytest.raises(Refused, match="no output that is known before"):
        save(Figure(), [], [])
    name = str(tmp_path / "a")
    before = looks_of([name])
    Path(name).write_text("")
    with pytest.raises(Refused, match="wrote all outputs itself"):
        save(Figure(), [name], before)
