"""Text of a makefile to logical lines, and where parts of a line end.

Knows references (`$(...)`) only as far as to step over them.
"""

from __future__ import annotations

from pybuild.makefile.patterns import split_words
from pybuild.regex import regex
from pybuild.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from re import Match

_JOINT = regex(r"[ \t]*(\\+)\n[ \t]*(?:\\\n[ \t]*)*")
_JOINT_POSIX = regex(r"(\\+)\n[ \t]*")
_BLANKS = " \t\n\r\v\f"
_WITHIN = " \t"


class Lines:
    """The logical lines of a text. `number` is where the one that was given last begins, from 1;
    after the last line it is one more than there are."""

    __slots__ = ("_at", "_lines", "number")

    def __init__(self, text: str) -> None:
        if text.startswith("\ufeff"):
            text = text[1:]
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        self._lines = text.split("\n")
        if not self._lines[-1]:
            self._lines.pop()
        self._at = 0
        self.number = 0

    def next(self) -> str | None:
        """The next logical line, with backslashes and newlines inside still as they are, or None
        at the end."""
        at = self._at
        lines = self._lines
        self.number = at + 1
        if at >= len(lines):
            return None
        line = lines[at]
        at += 1
        if line[-1:] == "\\" and is_continued(line):
            parts = [line]
            while at < len(lines):
                parts.append(lines[at])
                at += 1
                if not is_continued(parts[-1]):
                    break
            else:
                parts.append("")
            line = "\n".join(parts)
        self._at = at
        return line


def is_continued(line: str) -> bool:
    """Whether a physical line ends in an odd number of backslashes."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def without_nuls(text: str) -> tuple[str, list[int]]:
    """The text as make sees it, and the lines that it warns of. A NUL hides the rest of its line
    with its newline; only one at the beginning of a line is warned of, with the number of the line
    before."""
    seen = []
    warned = []
    for number, line in enumerate(text.split("\n")):
        before, nul, _ = line.partition("\0")
        if not nul:
            seen.append(line + "\n")
        elif before:
            seen.append(before)
        else:
            warned.append(number)
            seen.append("\n")
    return "".join(seen)[:-1], warned


def joined(raw: str, posix: bool = False) -> str:
    """A logical line as one: each backslash and newline with the blanks around it is one space,
    and of further backslashes there half are left. With `posix` the blanks before stay."""
    if "\n" not in raw:
        return raw
    parts = raw.split("\n")
    last = parts.pop()
    if not posix and all(part[-1:] == "\\" != part[-2:-1] for part in parts):
        # Most are like this, and need no regular expression, which takes 5 ms to import.
        texts = [part[:-1].strip(_WITHIN) for part in parts]
        begin = parts[0][:-1].rstrip(_WITHIN)
        return " ".join([begin, *filter(None, texts[1:]), last.lstrip(_WITHIN)])

    def join(match: Match[str]) -> str:
        count = len(match[1])
        if count == 1:
            return " "
        before = match[0][: match[0].index("\\")]
        return before + "\\" * (count // 2) + " "

    return (_JOINT_POSIX if posix else _JOINT).sub(join, raw)


def recipe_line(raw: str, prefix: str) -> str:
    """A line of a recipe as it is kept: continued lines lose one prefix character each."""
    return raw.replace("\n" + prefix, "\n") if "\n" in raw else raw


def after_reference(text: str, at: int) -> int:
    """Where a reference that begins with the dollar at `at` ends; the length of the text if it
    never does."""
    at += 1
    opening = text[at : at + 1]
    if opening == "(":
        closing = ")"
    elif opening == "{":
        closing = "}"
    else:
        return min(at + 1, len(text))
    depth = 1
    at += 1
    length = len(text)
    while at < length:
        char = text[at]
        if char == closing:
            depth -= 1
            if not depth:
                return at + 1
        elif char == opening:
            depth += 1
        at += 1
    return length


def cut(text: str, stops: str) -> tuple[str, str, str]:
    """The text before the first of the characters in `stops` that has no backslash before it, that
    character, and what comes after; ("text", "", "") if there is none. Backslashes before such
    characters are halved. With `$` among the stops references are stepped over."""
    at = _first(text, stops, 0)
    if at < 0:
        return text, "", ""
    before: list[str] = []
    begin = 0
    while at >= 0:
        char = text[at]
        if char == "$":
            at = _first(text, stops, after_reference(text, at))
            continue
        end = at
        while end > begin and text[end - 1] == "\\":
            end -= 1
        count = at - end
        before.append(text[begin:end])
        if count:
            before.append("\\" * (count // 2))
        if not count % 2:
            return "".join(before), char, text[at + 1 :]
        before.append(char)
        begin = at + 1
        at = _first(text, stops, begin)
    before.append(text[begin:])
    return "".join(before), "", ""


def _first(text: str, stops: str, start: int) -> int:
    """Where the first of some characters stands, -1 if none does."""
    found = -1
    for stop in stops:
        at = text.find(stop, start) if found < 0 else text.find(stop, start, found)
        if at >= 0:
            found = at
    return found


def first_word(text: str) -> str:
    """What the text begins with, up to a blank or a comment."""
    words = text.split(None, 1)
    return words[0].partition("#")[0] if words and not text[0].isspace() else ""


def without_comment(text: str) -> str:
    """A line up to its comment."""
    return cut(text, "#$")[0] if "#" in text else text


def words(text: str) -> list[str]:
    """The names in a list of them. A backslash before a blank makes it part of the name."""
    if "\\" not in text:
        return split_words(text)
    found: list[str] = []
    word: list[str] = []
    at = 0
    length = len(text)
    while at < length:
        char = text[at]
        if char in _BLANKS:
            if word:
                found.append("".join(word))
                word = []
            at += 1
        elif char == "\\":
            end = at
            while end < length and text[end] == "\\":
                end += 1
            count = end - at
            at = end
            if end < length and text[end] in _BLANKS:
                word.append("\\" * (count // 2))
                if count % 2:
                    word.append(text[end])
                    at += 1
            else:
                word.append("\\" * count)
        else:
            word.append(char)
            at += 1
    if word:
        found.append("".join(word))
    return found


_OPERATORS = ("=", ":=", "+=", "?=", "!=", "::=", ":::=")
_NOT_PLAIN = frozenset(" \t\n\r\v\f:#=$+?!")


def assignment(text: str) -> tuple[str, str, str] | None:
    """(name, operator, value) of a text that is an assignment, else None. The name is not
    expanded; the value has no blanks before it. Blanks before the name have been taken off."""
    plain = plain_assignment(text)
    if plain is not None or "=" not in text:
        return plain
    at = 0
    length = len(text)
    while at < length:
        char = text[at]
        if char == "$":
            at = after_reference(text, at)
            continue
        if char in " \t":
            end = at
            while at < length and text[at] in " \t":
                at += 1
            operator = _operator(text, at)
            after = text[at + len(operator) :]
            return (text[:end], operator, after.lstrip()) if operator else None
        if char in "=+?!:":
            operator = _operator(text, at)
            if operator:
                return text[:at], operator, text[at + len(operator) :].lstrip()
            if char == ":":
                return None
        elif char == "#":
            return None
        at += 1
    return None


def plain_assignment(text: str) -> tuple[str, str, str] | None:
    """The same of one whose name has nothing in it that needs a second look, which most have; else
    None."""
    equals = text.find("=")
    if equals < 0:
        return None
    begin = equals - 1 if text[equals - 1 : equals] in ("+", "?", "!") else equals
    if begin == equals:
        while begin > equals - 3 and text[begin - 1 : begin] == ":":
            begin -= 1
    name = text[:begin].rstrip(_WITHIN)
    if name and _NOT_PLAIN.isdisjoint(name):
        return name, text[begin : equals + 1], text[equals + 1 :].lstrip(_WITHIN)
    return None


def _operator(text: str, at: int) -> str:
    """The operator of an assignment that begins there, "" if none does."""
    return next((each for each in _OPERATORS if text.startswith(each, at)), "")
