"""The Python of a Pipefile as one Python text, for a formatter to work on at once, and back.

Each piece stands below a comment that marks it. Blocks are indented below `if _:` as deep as in the
Pipefile, so that a line is as long there as here; what is a statement of its own has no wrapping.
"""

from __future__ import annotations

import _ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from warnings import catch_warnings, simplefilter

from pybuild.pipefile.fingerprint import ONLY_TREE
from pybuild.typed import NamedTuple

Tidy = Callable[[str], str | None]
"""Takes a Python text and returns it formatted, or None if it cannot."""

INDENT = "    "
_HEAD = "if _:"
_NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


class Snippet(NamedTuple):
    """Lines of Python without their common indentation; `depth` is how often they are indented in
    the Pipefile. At depth 0 they are one statement, which stays one."""

    lines: tuple[str, ...]
    depth: int


def tidied(snippets: Iterable[Snippet], tidy: Tidy) -> Mapping[Snippet, tuple[str, ...]]:
    """The lines of the snippets as `tidy` would have them; without those that are no Python, and
    empty if `tidy` cannot do it or gives back something else."""
    fit = [each for each in dict.fromkeys(snippets) if _is_python(each)]
    if not fit:
        return {}
    marks = [f"# -- part {number} of {len(fit)} of a Pipefile --" for number in range(len(fit))]
    rows = [row for mark, each in zip(marks, fit, strict=True) for row in (mark, *_wrapped(each))]
    found = tidy("\n".join(rows) + "\n")
    if found is None:
        return {}
    pieces = _cut(found.split("\n"), marks)
    if pieces is None:
        return {}
    bare = [_unwrapped(rows, each.depth) for rows, each in zip(pieces, fit, strict=True)]
    return {each: lines for each, lines in zip(fit, bare, strict=True) if lines}


def _is_python(snippet: Snippet) -> bool:
    text = "\n".join(_wrapped(snippet))
    try:
        with catch_warnings():
            simplefilter("ignore")  # of `"\\d"` a build tells
            tree = compile(text, "", "exec", ONLY_TREE, dont_inherit=True)
    except _NO_PYTHON:
        return False
    assert isinstance(tree, _ast.Module)
    return len(tree.body) == 1


def _wrapped(snippet: Snippet) -> list[str]:
    heads = [INDENT * level + _HEAD for level in range(snippet.depth)]
    indent = INDENT * snippet.depth
    return heads + [indent + row if row else "" for row in snippet.lines]


def _cut(rows: Sequence[str], marks: Sequence[str]) -> list[list[str]] | None:
    """The rows behind each mark; None if a mark is not there just once, in its order."""
    known = frozenset(marks)
    starts = [number for number, row in enumerate(rows) if row in known]
    if [rows[number] for number in starts] != list(marks):
        return None
    ends = [*starts[1:], len(rows)]
    return [list(rows[start + 1 : end]) for start, end in zip(starts, ends, strict=True)]


def _unwrapped(rows: list[str], depth: int) -> tuple[str, ...]:
    """The rows below the heads that were put around them; none if something is odd about them."""
    while rows and not rows[-1]:
        rows.pop()
    heads, rows = rows[:depth], rows[depth:]
    indent = INDENT * depth
    if [row.strip() for row in heads] != [_HEAD] * depth:
        return ()
    while rows and not rows[0]:
        rows.pop(0)
    if any(row.strip() and not row.startswith(indent) for row in rows):
        return ()
    return tuple(row[depth * len(INDENT) :] if row.strip() else "" for row in rows)
