"""Where a placeholder stands in a shell script, and how a value is quoted there.

A scan of the text that knows quotes, comments, `$(...)` and here-documents well enough to tell what
quoting is in force at each placeholder. Written after the shell grammar of POSIX.1-2017, chapter 2.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from functools import lru_cache

from pybuild.regex import regex
from pybuild.typed import NamedTuple

PLAIN, DOUBLE, SINGLE, HERE, LITERAL_HERE = "plain", "double", "single", "here", "literal here"
COMMENT, LINE, DOLLAR = "comment", "line", "dollar"  # what a scan finds besides placeholders
_ARITHMETIC, _BACKQUOTE, _ANSI = "arithmetic", "backquote", "ansi"
# The quoting that holds where a scan is inside of these.
_QUOTING = {_ARITHMETIC: PLAIN, _BACKQUOTE: PLAIN, _ANSI: SINGLE}

_MOST_KEPT = 4096  # scripts that were looked through: editors and watched projects come again

_OPENING = regex(r"<[A-Za-z_]\w*")
_HERE = regex(r"<<-?[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([A-Za-z_]\w*))")
_SAFE = regex(r"[A-Za-z0-9_@%+=:,./^-]+")
_MARK = regex(r"""[\\\n<'"`$()#]""")  # all that a scan may have to act upon


class Spot(NamedTuple):
    """A `<name...` in a script: characters `start` to `end`, and the quoting in force there.
    `closed` is False if no `>` makes it a placeholder in form."""

    start: int
    end: int
    context: str
    closed: bool = True


def quote(text: str, context: str = PLAIN) -> str:
    """A text as one word of a script, for the quoting in force where it is put."""
    if context == PLAIN:
        if text and _SAFE.fullmatch(text):
            return text
        return "'" + text.replace("'", "'\"'\"'") + "'"
    if context == DOUBLE:
        return re.sub(r'([$`"\\])', r"\\\1", text)
    if context == SINGLE:
        return text.replace("'", "'\"'\"'")
    if context == HERE:
        return re.sub(r"([$`\\])", r"\\\1", text)
    return text


@lru_cache(_MOST_KEPT)
def spots(text: str) -> tuple[Spot, ...]:
    """The places in a script where `<` is followed by a letter and no backslash precedes it."""
    return tuple(
        [Spot(start, *_around(text, start, context)) for start, context in _openings(text)]
    )


def _around(text: str, start: int, context: str) -> tuple[int, str, bool]:
    end, closed = _close(text, start)
    return end, context, closed


@lru_cache(_MOST_KEPT)
def significant(text: str) -> str:
    """The script without lines that hold only a comment, blanks at line ends and empty lines."""
    return "\n".join(
        row.text.rstrip() if row.has_loose_end else row.text
        for row in _rows(text)
        if not (row.starts_plainly and (row.is_comment or not row.text.strip()))
    )


def trimmed(text: str) -> str:
    """The script without blanks at the ends of lines, where they mean nothing."""
    return "\n".join(
        row.text.rstrip(" \t") if row.has_loose_end else row.text for row in _rows(text)
    )


class _Row(NamedTuple):
    """A line of a script: whether it is no part of a text in quotes or a here-document that was
    opened above it, whether it holds only a comment, and whether blanks at its end mean nothing."""

    text: str
    starts_plainly: bool
    is_comment: bool
    has_loose_end: bool


def _rows(text: str) -> Iterator[_Row]:
    marks = list(_scan(text))
    comments = {start for start, mark in marks if mark == COMMENT}
    starts = {0, *(start for start, mark in marks if mark == LINE)}
    position = 0
    for line in text.split("\n"):
        after = position + len(line) + 1
        indent = len(line) - len(line.lstrip())
        ends_plainly = after in starts or after > len(text)
        yield _Row(
            line,
            position in starts,
            position + indent in comments and not line.startswith("#!"),
            ends_plainly and not line.rstrip().endswith("\\"),
        )
        position = after


def dollars(text: str) -> Iterator[int]:
    """The places in a script where a `$` means something to the shell; here-documents are left
    out."""
    return (at for at, mark in _scan(text) if mark == DOLLAR)


def line_starts(text: str) -> Iterator[int]:
    """Where the lines of a script start that are not inside of quotes, brackets or
    here-documents."""
    yield 0
    yield from (at for at, mark in _scan(text) if mark == LINE)


def _openings(text: str) -> Iterator[tuple[int, str]]:
    return ((at, mark) for at, mark in _scan(text) if mark not in (COMMENT, LINE, DOLLAR))


def _close(text: str, start: int) -> tuple[int, bool]:
    """The end of the placeholder that starts here, if it has the form of one."""
    position = _OPENING.match(text, start).end()  # type: ignore[union-attr]
    depth = 0
    quote_char = ""
    while position < len(text):
        char = text[position]
        if char == "\n":
            break
        if quote_char:
            quote_char = "" if char == quote_char else quote_char
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char in "\"'" and depth:
            quote_char = char
        elif char == ">" and depth <= 0:
            return position + 1, True
        elif not depth and not (char.isalnum() or char in "_.-:"):
            break
        position += 1
    return position, False


def _scan(text: str) -> Iterator[tuple[int, str]]:
    """Each `<name` with its context, and where a comment, a line or an expansion starts."""
    stack = [PLAIN]  # `$(` inside double quotes starts plain text anew
    pending: list[tuple[str, bool]] = []
    position = 0
    size = len(text)
    while (mark := _MARK.search(text, position)) is not None:
        position = mark.start()
        char = text[position]
        context = stack[-1]
        if char == "\\" and context != SINGLE:
            position += 2
            continue
        if char == "\n" and context == PLAIN:
            position += 1
            if pending:
                position = yield from _here_documents(text, position, pending)
                pending = []
            if len(stack) == 1:
                yield position, LINE
            continue
        if char == "<" and _OPENING.match(text, position):
            if not position or text[position - 1] != "\\":
                yield position, _QUOTING.get(context, context)
            position += 1
            continue
        if char == "$" and context not in (SINGLE, _ANSI):
            yield position, DOLLAR
        if context in (SINGLE, _ANSI):
            if char == "'":
                stack.pop()
        elif char == "`":
            if context == _BACKQUOTE:
                stack.pop()
            else:
                stack.append(_BACKQUOTE)
        elif char == '"':
            if context == DOUBLE:
                stack.pop()
            else:
                stack.append(DOUBLE)
        elif text.startswith("$((", position):
            stack += [_ARITHMETIC, _ARITHMETIC]
            position += 2
        elif text.startswith("$(", position):
            stack.append(PLAIN)
            position += 1
        elif context == _ARITHMETIC:
            if char == "(":
                stack.append(_ARITHMETIC)
            elif char == ")":
                stack.pop()
        elif context in (PLAIN, _BACKQUOTE):
            if text.startswith("((", position):
                stack += [_ARITHMETIC, _ARITHMETIC]
                position += 1
            elif text.startswith("$'", position):
                stack.append(_ANSI)
                position += 1
            elif char == "'":
                stack.append(SINGLE)
            elif char == "(":
                stack.append(PLAIN)
            elif char == ")" and len(stack) > 1:
                stack.pop()
            elif char == "#" and (position == 0 or text[position - 1] in " \t\n;(&|"):
                yield position, COMMENT
                end = text.find("\n", position)
                position = size if end < 0 else end
                continue
            elif text.startswith("<<", position) and not text.startswith("<<<", position):
                found = _HERE.match(text, position)
                if found:
                    word = found[1] or found[2] or found[3]
                    literal = found[3] is None or "\\" in found[0]
                    pending.append((word, literal))
                    position = found.end()
                    continue
            elif text.startswith("<<<", position):
                position += 3
                continue
        position += 1


def _here_documents(
    text: str, position: int, pending: list[tuple[str, bool]]
) -> Generator[tuple[int, str], None, int]:
    """The bodies of here-documents that start at a line; returns where they end."""
    for word, literal in pending:
        while position < len(text):
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            line = text[position:end]
            if line.lstrip("\t") == word:
                position = end + 1
                break
            for found in _OPENING.finditer(text, position, end):
                if text[found.start() - 1] != "\\":
                    yield found.start(), LITERAL_HERE if literal else HERE
            position = end + 1
    return min(position, len(text))
