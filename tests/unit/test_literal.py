"""Python that is read and not run: what is written out has its value, all else none."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from pybuild.pipefile.builtins import LoadTime
from pybuild.pipefile.evaluation import NotRun
from pybuild.pipefile.fingerprint import Fingerprints
from pybuild.pipefile.literal import Literal
from pybuild.pipefile.parse import parse
from pybuild.pipefile.syntax import Assignment, PythonBlock, PythonText
from pybuild.source import BuildError, Source, Span


def load_time() -> LoadTime:
    files = ["a.c", "b.c"]
    return LoadTime({"HOME": "/home/me"}, lambda _: files, lambda _: files, nullcontext)


def value(text: str, **names: Any) -> Any:
    tree, _ = parse(Source("Pipefile", f"x = {text}\n"))
    (statement,) = tree.statements
    assert isinstance(statement, Assignment)
    literal = Literal()
    namespace = {**literal.builtins(load_time()), "Path": Path, **names}
    return literal.expression(statement.expression)(namespace)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ('"a" + "b"', "ab"),
        ("[1, *more, 'x']", [1, 2, 3, "x"]),
        ("{'a': 1, **{'b': 2}}['b']", 2),
        ('f"{cc!r}-{12:03d}"', "'gcc'-012"),
        ("more[-1]", 3),
        ("cc[1:]", "cc"),
        ("'yes' if cc == 'gcc' else 'no'", "yes"),
        ("[f'{each}.o' for each in more if each > 2]", ["3.o"]),
        ('", ".join(str_each for str_each in ["a", "b"])', "a, b"),
        ('"a b".split()', ["a", "b"]),
        ("not more or cc", "gcc"),
        ("-1 - 2", -3),
        ('glob("*.c")', ["a.c", "b.c"]),
        ('env("HOME", "")', "/home/me"),
        ('Path("a") / "b"', Path("a/b")),
        ("1 < 2 < 3", True),
    ],
)
def test_what_is_written_out_has_its_value(text: str, expected: object) -> None:
    assert value(text, cc="gcc", more=[2, 3]) == expected


@pytest.mark.parametrize(
    "text",
    [
        'sh("ls")',
        'read("/etc/passwd")',
        'config("x.toml")',
        'run("ls")',
        "print(1)",
        "(lambda: 1)()",
        '"x" * 10**9',
        "10 ** 10 ** 10",
        'f"{1:999999999d}"',
        '__import__("os").getcwd()',
        '"".__class__.__mro__',
        '"{0.__class__}".format(1)',
        "[x for x in range(10)]",
        '(y := "a")',
        'f"{glob}"',
        'Path("x").read_text()',
        "[a for a in [1] for b in [2]]",
        f"{'x' * 9000!r}.replace('x', {'y' * 9000!r})",
        f"{'x' * 9000!r}.join([{'y' * 9000!r}, 'z'])",
    ],
)
def test_all_else_has_none(text: str) -> None:
    with pytest.raises(NotRun):
        value(text)


def test_what_python_would_refuse_is_refused() -> None:
    with pytest.raises(TypeError):
        value('"a" + 1')
    with pytest.raises(NameError) as missing:
        value("[gcc]")
    assert missing.value.name == "gcc"
    with pytest.raises(BuildError) as error:
        value('"a" b')
    assert error.value.diagnostics[0].code == "PB110"


def test_the_arguments_of_an_attribute_name_what_they_would_have_set() -> None:
    source = Source("Pipefile", "x=f(), y=2")
    text = PythonText(Span(source, 0, len(source.text)), source.text)
    code = Literal().expression(text, "__take__(", "\n)")
    with pytest.raises(NotRun) as unknown:
        code({"__take__": lambda **named: named})
    assert unknown.value.names == {"x", "y"}


def test_a_block_is_known_by_the_names_that_it_sets() -> None:
    text = "python:\n    import json as j\n    a = b = 1\n    n: int = 2\n    def f(x):\n        y = 1\n"
    tree, _ = parse(Source("Pipefile", text))
    (block,) = tree.statements
    assert isinstance(block, PythonBlock)
    with pytest.raises(NotRun) as unknown:
        Literal().block(block, Fingerprints("."))({})
    assert unknown.value.names == {"j", "a", "b", "n", "f"}
    assert not unknown.value.names_any


def test_a_block_that_may_set_anything_says_so() -> None:
    tree, _ = parse(Source("Pipefile", "python:\n    from os.path import *\n"))
    (block,) = tree.statements
    assert isinstance(block, PythonBlock)
    with pytest.raises(NotRun) as unknown:
        Literal().block(block, Fingerprints("."))({})
    assert unknown.value.names_any
