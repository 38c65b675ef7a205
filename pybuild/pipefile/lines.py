"""A text cut into logical lines, comments and indented blocks. Never fails.

Only as much is understood as is needed to see where a line ends: backslashes, brackets, strings and
comments. Everything else is for the grammar.
"""

from __future__ import annotations

from collections.abc import Iterator

from pybuild.regex import regex
from pybuild.typed import NamedTuple

_ASSIGNMENT = regex(r"[A-Za-z_]\w*[ \t]*[?+]?=(?!=)")
# As in the grammar: quotes and brackets inside a placeholder are its own affair.
_PLACEHOLDER = regex(r"""<[A-Za-z_]\w*(?::[^<>\n]*|(?:"[^"\n]*"|'[^'\n]*'|[^<>"':\n])*)>""")


class Line(NamedTuple):
    """A logical line: characters `start` to `end` without the comment behind it. `is_open` says
    that a bracket or string in it is never closed."""

    start: int
    end: int
    comment: tuple[int, int] | None = None
    is_open: bool = False


class Comment(NamedTuple):
    """A line that holds nothing but a comment."""

    start: int
    end: int


class Block(NamedTuple):
    """Indented lines below a logical line, from the first character of the first line (its
    indentation included) to the end of the last that is not blank."""

    start: int
    end: int


Part = Line | Comment | Block


def cut(text: str, start: int = 0) -> Iterator[Part]:
    """The parts of a text from the start of a line on, in order; blank lines are left out."""
    position = start
    size = len(text)
    while position < size:
        end = _line_end(text, position)
        stripped = text[position:end].strip()
        if not stripped:
            position = end + 1
        elif text[position] in " \t":
            block_end = _block_end(text, position)
            yield Block(position, block_end)
            position = _line_end(text, block_end) + 1
        elif stripped[0] == "#":
            at = text.index("#", position)  # behind a blank that is no indentation
            yield Comment(at, at + len(stripped))
            position = end + 1
        else:
            line = _logical_line(text, position)
            yield line
            position = _line_end(text, line.comment[1] if line.comment else line.end) + 1


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _block_end(text: str, position: int) -> int:
    """The end of the last line that is indented; comments at the margin may stand between."""
    last = position
    while position < len(text):
        end = _line_end(text, position)
        line = text[position:end]
        if line.strip():
            if line[0] in " \t":
                last = position + len(line.rstrip())
            elif line[0] != "#":
                break
        position = end + 1
    return last


def _logical_line(text: str, start: int) -> Line:
    end = _line_end(text, start)
    line = text[start:end]
    if not any(char in line for char in "#([{\"'") and not line.rstrip().endswith("\\"):
        return Line(start, start + len(line.rstrip()))
    is_python = line[0] == "@" or _ASSIGNMENT.match(line) is not None
    found = _scan(text, start, is_python)
    if found is None:
        # A bracket or string that is never closed: only this line is lost.
        return Line(start, start + len(line.rstrip()), is_open=True)
    return found


def _scan(text: str, start: int, is_python: bool) -> Line | None:
    """The logical line, by its strings and brackets: all of them in Python, in a header only
    double quotes and round brackets."""
    depth = 0
    position = start
    size = len(text)
    while position < size:
        char = text[position]
        if char == "\\":
            position += 3 if text.startswith("\r\n", position + 1) else 2
            continue
        if char == "<" and not is_python:
            placeholder = _PLACEHOLDER.match(text, position)
            position = placeholder.end() if placeholder else position + 1
            continue
        if char == '"' or (char == "'" and is_python):
            after = _string_end(text, position)
            if after is None:
                return None
            position = after
            continue
        if char == "#":
            end = _line_end(text, position)
            if depth == 0:
                stop = start + len(text[start:position].rstrip())
                return Line(start, stop, (position, start + len(text[start:end].rstrip())))
            position = end
            continue
        if char == "\n" and depth == 0:
            break
        if char == "(" or (is_python and char in "[{"):
            depth += 1
        elif char == ")" or (is_python and char in "]}"):
            depth = max(0, depth - 1)
        position += 1
    if depth:
        return None
    return Line(start, start + len(text[start : min(position, size)].rstrip()))


def _string_end(text: str, position: int) -> int | None:
    """Where a Python string or quoted word that starts here ends, or None if it never does."""
    quote = text[position]
    triple = quote * 3
    if text.startswith(triple, position):
        end = text.find(triple, position + 3)
        return None if end < 0 else end + 3
    position += 1
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 2
            continue
        if char == quote:
            return position + 1
        if char == "\n":
            return None
        position += 1
    return None
