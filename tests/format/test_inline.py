"""The Python of a Pipefile goes through a formatter as one text, and comes back piece by piece or
not at all."""

from __future__ import annotations

import pytest

from pybuild.pipefile.inline import Snippet, Tidy, tidied

STATEMENT = Snippet(("x=1",), 0)
BLOCK = Snippet(("y=2", "", "z=3"), 1)
DEEP = Snippet(("def f():", "  return '''", "", "at the margin'''"), 2)
WRONG = Snippet(("1 +",), 0)
TWO = Snippet(("x = 1; y = 2",), 0)


def spaced(text: str) -> str:
    return text.replace("=", " = ")


def test_each_snippet_comes_back() -> None:
    seen: list[str] = []

    def tidy(text: str) -> str:
        seen.append(text)
        return spaced(text)

    assert tidied([STATEMENT, BLOCK, DEEP, STATEMENT], tidy) == {
        STATEMENT: ("x = 1",),
        BLOCK: ("y = 2", "", "z = 3"),
        DEEP: DEEP.lines,
    }
    assert len(seen) == 1  # one text for all
    compile(seen[0], "", "exec")


def test_what_is_no_python_or_no_single_statement_is_not_shown() -> None:
    seen: list[str] = []

    def tidy(text: str) -> str:
        seen.append(text)
        return text

    assert tidied([WRONG, TWO, BLOCK], tidy) == {BLOCK: BLOCK.lines}
    assert "1 +" not in seen[0] and "; " not in seen[0]
    assert tidied([WRONG], tidy) == {}
    assert len(seen) == 1


def test_blank_lines_around_a_snippet_are_the_formatter_s() -> None:
    def tidy(text: str) -> str:
        return text.replace("# --", "\n\n\n# --").replace("if _:\n", "if _:\n\n")

    assert tidied([BLOCK, STATEMENT], tidy) == {BLOCK: BLOCK.lines, STATEMENT: STATEMENT.lines}


@pytest.mark.parametrize(
    "tidy",
    [
        lambda text: None,
        lambda text: "",
        lambda text: text.replace("# --", "#--"),
        lambda text: text + text,
        lambda text: "\n".join(reversed(text.split("\n"))),
    ],
)
def test_a_formatter_that_gives_back_something_else_is_not_believed(tidy: Tidy) -> None:
    assert tidied([STATEMENT, BLOCK], tidy) == {}


def test_a_snippet_that_lost_its_wrapping_stays() -> None:
    made = tidied([STATEMENT, BLOCK], lambda text: text.replace("    y", "y"))
    assert made == {STATEMENT: STATEMENT.lines}
    made = tidied([STATEMENT, BLOCK], lambda text: text.replace("if _:", "if 1:"))
    assert made == {STATEMENT: STATEMENT.lines}
