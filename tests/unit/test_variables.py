"""Tracebacks with the values of variables."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pybuild.runners.variables import traceback_with_variables


class Odd:
    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __repr__(self) -> str:
        raise self.error("why")


class OddError(Exception):
    def __str__(self) -> str:
        raise ValueError


def told(call: Callable[..., object], *values: object) -> list[str]:
    with pytest.raises(Exception) as caught:
        call(*values)
    return traceback_with_variables(caught.value).splitlines()


def fail(value: object) -> None:
    raise LookupError("two\nlines")


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: 1, "value = 1"),
        (lambda: "a\nb", "value = 'a\\nb'"),
        (lambda: "x" * 10_000, "value = 'xxx"),
        (lambda: {"a": [1, {2}]}, "value = {'a': [1, {2}]}"),
        (lambda: list(range(1000)), "value = [0, 1, 2, 3,"),
        (lambda: Odd(ValueError), "value = <Odd instance at 0x"),
        (lambda: Odd(KeyboardInterrupt), "value = <Odd: to tell it raises KeyboardInterrupt>"),
        (lambda: Odd(RecursionError), "value = <Odd instance at 0x"),
        (lambda: [Odd(SystemExit)], "value = <list: to tell it raises SystemExit>"),
    ],
)
def test_each_variable_is_a_line(make: Callable[[], object], line: str) -> None:
    lines = told(fail, make())
    (found,) = (each for each in lines if each.startswith("      value = "))
    assert found.strip().startswith(line)
    assert all(len(each) <= 300 for each in lines)
    assert lines[-1] == "LookupError: two\\nlines"


def test_what_is_told_of_frames() -> None:
    def outer(text: str) -> object:
        import math

        half = len(text) // 2
        return json.loads(text[:half]), math

    lines = told(lambda: outer("[1, 2]"))
    assert "      half = 3" in lines
    assert "      text = '[1, 2]'" in lines
    assert not any("math =" in each for each in lines)  # a module
    assert not any("decoder.py" in each for each in lines)  # Python's own
    assert any(each.endswith("in outer") for each in lines)


def test_a_block_tells_what_it_names() -> None:
    scope = {"used": 1, "other": 2, "function": fail}
    code = compile("found = used + 1\nfunction(found)", "no file", "exec")
    lines = told(lambda: eval(code, scope))
    at = lines.index('  File "no file", line 2, in <module>')
    assert sorted(lines[at + 1 : at + 3]) == ["      found = 2", "      used = 1"]
    assert lines[at + 3].startswith("  File ")
    assert not any("other" in each for each in lines)


def test_what_it_was_raised_from_stands_before_it() -> None:
    def outer() -> None:
        try:
            fail(1)
        except LookupError as error:
            raise OddError from error

    lines = told(outer)
    assert lines.index("LookupError: two\\nlines") < len(lines) - 1
    assert lines[-1] == "OddError: <OddError: to tell it raises ValueError>"


def test_endless_recursion_is_cut() -> None:
    def deeper(level: int) -> int:
        return deeper(level + 1)

    lines = told(lambda: deeper(0))
    assert len(lines) < 200
    assert any(each.endswith("more frames ...") for each in lines)
