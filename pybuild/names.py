"""Target names and the patterns that match them: pure string work.

A *pattern* is a sequence of pieces: literal text, a wildcard (`*`, `?`, `[...]`, `**`) or a capture
with a name. Matching gives the text of each capture. No file is looked at here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from pybuild.typed import Generic, TypeVar

# Any text, but no part of a path behind a slash starts with a dot.
_VISIBLE = r"[^/]*(?:/(?!\.)[^/]*)*"
_WILDCARD = re.compile(r"[*?\[\\]")  # a text with none of these stands for itself


def normalise(name: str) -> str:
    """`./a//b/../c` becomes `a/c`; a slash at the end (a folder) stays; "" stays empty."""
    if "//" not in name and "./" not in name and not name.endswith(("/.", "/..")):
        return name if name != "." else "./"
    root = "/" if name.startswith("/") else ""
    parts: list[str] = []
    for part in name.split("/"):
        if part in ("", "."):
            continue
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".." or not root:
            parts.append(part)
    if not parts:
        return root or "./"
    folder = "/" if name.endswith(("/", "/.")) else ""
    return root + "/".join(parts) + folder


def folder_of(name: str) -> str:
    """The folder part without its slash: "" for a name in the project's own folder."""
    return name.rpartition("/")[0]


def split_extension(filename: str) -> tuple[str, str]:
    """`a.tar.gz` becomes (`a.tar`, `.gz`); `.bashrc` has no extension."""
    base, dot, ext = filename.rpartition(".")
    if not dot or not base.strip("."):
        return filename, ""
    return base, "." + ext


class Pattern:
    """A name with wildcards and captures.

    `pieces` is a sequence of `str` (literal), `Wild` or `Capture`. `prefix` and `suffix` are the
    literal ends, `folder` the literal folder that every match is in or below, `fields` the capture
    names in order. A wildcard or plain capture at the start of a path part does not match a dot.
    """

    __slots__ = (
        "_again",
        "_is_gap",
        "_regex",
        "deep",
        "fields",
        "folder",
        "pieces",
        "prefix",
        "suffix",
    )

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = tuple(pieces)
        first = self.pieces[0] if self.pieces else ""
        last = self.pieces[-1] if self.pieces else ""
        self.prefix = first if isinstance(first, str) else ""
        self.suffix = last if isinstance(last, str) else ""
        self.folder = folder_of(self.prefix) if "/" in self.prefix else ""
        if self.prefix.startswith("/") and not self.folder:
            self.folder = "/"
        self.fields = tuple(
            dict.fromkeys(piece.name for piece in self.pieces if isinstance(piece, Capture))
        )
        self.deep = _is_deep(self.pieces)
        self._is_gap = _is_one_gap(self.pieces)
        self._regex: re.Pattern[str] | None = None
        self._again: list[tuple[str, re.Pattern[str]]] = []

    def __str__(self) -> str:
        return "".join(str(piece) for piece in self.pieces)

    @property
    def is_literal(self) -> bool:
        """Whether it matches exactly one name."""
        return all(isinstance(piece, str) for piece in self.pieces)

    @property
    def is_unambiguous(self) -> bool:
        """Whether a name can match in one way only: no part of a path has two gaps, and no gap goes
        beyond its part. False where that takes more to tell."""
        gaps = 0
        for piece in self.pieces:
            if isinstance(piece, str):
                gaps = 0 if "/" in piece else gaps
            elif piece.crosses or gaps:
                return False
            else:
                gaps = 1
        return True

    @property
    def regex(self) -> re.Pattern[str]:
        """The pattern as a compiled regular expression with one group a capture."""
        if self._regex is None:
            self._regex = re.compile(self._expression(), re.DOTALL)
        return self._regex

    def _expression(self) -> str:
        out: list[str] = []
        seen: set[str] = set()
        at_start = True
        for piece in self.pieces:
            if isinstance(piece, str):
                out.append(re.escape(piece))
                at_start = piece.endswith("/") if piece else at_start
                continue
            guard = r"(?!\.)" if at_start and piece.hides_dots else ""
            if isinstance(piece, Wild):
                out.append(guard + piece.expression)
            elif piece.name in seen:
                out.append(f"(?P={piece.name})")
                if piece.regex is not None:
                    self._again.append((piece.name, re.compile(piece.expression, re.DOTALL)))
            else:
                seen.add(piece.name)
                out.append(f"{guard}(?P<{piece.name}>{piece.expression})")
            at_start = isinstance(piece, AnyFolders)
        return "".join(out)

    def match(self, name: str) -> tuple[str, ...] | None:
        """The texts of the captures, in the order of `fields`, or None."""
        if not (name.startswith(self.prefix) and name.endswith(self.suffix)):
            return None
        if self._is_gap:
            return self._match_gap(name)
        found = self.regex.fullmatch(name)
        if found is None or any(not regex.fullmatch(found[name]) for name, regex in self._again):
            return None
        return tuple(found[each] for each in self.fields)

    def _match_gap(self, name: str) -> tuple[str, ...] | None:
        """The same without a regular expression, for a pattern with one gap in a part of a path;
        the name starts and ends as it has to."""
        start, end = len(self.prefix), len(name) - len(self.suffix)
        least = 1 if self.fields else 0
        if end - start < least or name.find("/", start, end) >= 0:
            return None
        if name.startswith(".", start) and (not start or name[start - 1] == "/"):
            return None
        return (name[start:end],) if self.fields else ()


class Wild:
    """A wildcard: `*`, `?`, `[...]` or `**` (crosses `/`)."""

    __slots__ = ("crosses", "expression", "hides_dots", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.crosses = text == "**"
        self.hides_dots = True
        if text == "**":
            self.expression = _VISIBLE
        elif text == "*":
            self.expression = "[^/]*"
        elif text == "?":
            self.expression = "[^/]"
        else:
            self.expression = _class_expression(text[1:-1])

    def __str__(self) -> str:
        return self.text


class AnyFolders(Wild):
    """`**/`: any number of folders, none included."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("**")
        self.expression = r"(?:[^/.][^/]*/)*"
        self.hides_dots = False
        self.text = "**/"


class Anything(Wild):
    """Any text at all: stands for what is not known."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("**")
        self.expression = ".*"
        self.hides_dots = False


def _is_one_gap(pieces: Sequence[Piece]) -> bool:
    """Whether there is one `*`, or one capture without a regular expression of its own, between
    two texts, each of which may be missing."""
    gaps = [piece for piece in pieces if not isinstance(piece, str)]
    if len(gaps) != 1 or gaps[0].expression not in ("[^/]*", "[^/]+"):
        return False
    return len(pieces) == 1 + isinstance(pieces[0], str) + isinstance(pieces[-1], str)


def _is_deep(pieces: Sequence[Piece]) -> bool:
    """Whether matches may lie in more than one folder."""
    varies = False
    for piece in pieces:
        if isinstance(piece, str):
            if varies and "/" in piece:
                return True
        elif piece.crosses:
            return True
        else:
            varies = True
    return False


def _class_expression(inner: str) -> str:
    """The inside of `[...]` as a regular expression; `!` or `^` first means any other character."""
    negated = inner[0] in "!^"
    chars = inner[1:] if negated else inner
    escaped = "".join("\\" + char if char in "\\[]&|~^" else char for char in chars)
    escaped = escaped.replace("--", "\\--")  # two together mean something else to come
    try:
        re.compile(f"[{escaped}]")
    except re.error:
        return "(?!)"  # a range that runs backwards has no characters
    return f"(?!/)[{'^' if negated else ''}{escaped}]"


class Capture:
    """A named part: one or more characters other than `/`, or what its regular expression says."""

    __slots__ = ("crosses", "expression", "hides_dots", "name", "regex")

    def __init__(self, name: str, regex: str | None = None) -> None:
        self.name = name
        self.regex = regex
        self.crosses = regex is not None
        self.hides_dots = regex is None or regex == "**"
        self.expression = (
            "[^/]+" if regex is None else f"(?=.){_VISIBLE}" if regex == "**" else f"(?:{regex})"
        )

    def __str__(self) -> str:
        return f"<{self.name}>" if self.regex is None else f"<{self.name}:{self.regex}>"


Piece = str | Wild | Capture


Item = TypeVar("Item")


class Affixes(Generic[Item]):
    """Items that each concern the names with a certain start and end: those of one name are found
    without trying all. There is a table for each pair of lengths, and few such pairs."""

    __slots__ = ("_count", "_tables")

    def __init__(self) -> None:
        self._count = 0
        self._tables: dict[tuple[int, int], dict[tuple[str, str], list[tuple[int, Item]]]] = {}

    def add(self, start: str, end: str, item: Item) -> None:
        """Adds an item for the names that start and end so."""
        table = self._tables.setdefault((len(start), len(end)), {})
        table.setdefault((start, end), []).append((self._count, item))
        self._count += 1

    def concerns(self, name: str) -> bool:
        """Whether some item concerns a name."""
        size = len(name)
        for (start, end), table in self._tables.items():
            if start <= size >= end and (name[:start], name[size - end :]) in table:
                return True
        return False

    def find(self, name: str) -> list[Item]:
        """The items that concern a name, in the order in which they were added."""
        found: list[tuple[int, Item]] = []
        size = len(name)
        for (start, end), table in self._tables.items():
            if start <= size >= end:
                found += table.get((name[:start], name[size - end :]), ())
        if len(found) < 2:
            return [found[0][1]] if found else []
        found.sort(key=_number)
        return [item for _, item in found]


def _number(entry: tuple[int, object]) -> int:
    return entry[0]


def starting_with(names: Sequence[str], prefix: str) -> Iterator[str]:
    """Those of some sorted names that start so."""
    for index in range(bisect_left(names, prefix), len(names)):
        if not names[index].startswith(prefix):
            return
        yield names[index]


def glob_pieces(text: str) -> list[Piece]:
    """Text with wildcards as pieces; `\\*`, `\\?`, `\\[`, `\\%` are the character itself."""
    if _WILDCARD.search(text) is None:
        return [text] if text else []
    pieces: list[Piece] = []
    literal: list[str] = []
    i = 0
    while i < len(text):
        char = text[i]
        step = 1
        wild = ""
        if char == "\\" and text[i + 1 : i + 2] in ("*", "?", "[", "%"):
            literal.append(text[i + 1])
            i += 2
            continue
        if char == "*":
            step = 2 if text.startswith("**", i) else 1
            wild = text[i : i + step]
        elif char == "?":
            wild = "?"
        elif char == "[":
            first = i + 2 if text[i + 1 : i + 2] in ("!", "^") else i + 1
            close = text.find("]", first + 1)
            if close > 0 and "/" not in text[i:close]:
                step = close + 1 - i
                wild = text[i : close + 1]
        if not wild:
            literal.append(char)
            i += 1
            continue
        if literal:
            pieces.append("".join(literal))
            literal = []
        if wild == "**" and text.startswith("/", i + 2):
            step = 3  # `**/` also stands for no folder at all
            pieces.append(AnyFolders())
        else:
            pieces.append(Wild(wild))
        i += step
    if literal:
        pieces.append("".join(literal))
    return pieces


def glob_text(pattern: Pattern) -> str:
    """The text that `glob_pieces` makes the same pattern of; captures become `*` or `**`."""
    out: list[str] = []
    for piece in pattern.pieces:
        if isinstance(piece, str):
            out += ["\\" + char if char in "*?[%" else char for char in piece]
        elif isinstance(piece, Capture):
            out.append("**" if piece.crosses else "*")
        else:
            out.append(str(piece))
    return "".join(out)


def may_meet(one: Pattern, other: Pattern) -> bool:
    """Whether the literal starts and ends of two patterns do not rule each other out."""
    return (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)) and (
        one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)
    )


def overlaps(one: Pattern, other: Pattern) -> bool:
    """Whether some name could match both patterns. May say yes too often (regular expressions
    count as anything), never no wrongly. Product of two automata, by dynamic programming.
    """
    if one.is_literal:
        return other.match(str(one)) is not None or str(one) == str(other)
    if other.is_literal:
        return one.match(str(other)) is not None
    if not may_meet(one, other):
        return False
    left, right = _steps(one), _steps(other)
    reach = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        i, j = todo.pop()
        for following in _advance(left, right, i, j):
            if following not in reach:
                reach.add(following)
                todo.append(following)
    return (len(left), len(right)) in reach


_ANY = 0  # any text, `/` included
_PART = 1  # any text without `/`


def _steps(pattern: Pattern) -> list[str | int]:
    """The pattern as single characters and the two kinds of gaps."""
    out: list[str | int] = []
    for piece in pattern.pieces:
        if isinstance(piece, str):
            out.extend(piece)
        else:
            out.append(_ANY if piece.crosses else _PART)
    return out


def _advance(
    left: list[str | int], right: list[str | int], i: int, j: int
) -> list[tuple[int, int]]:
    a = left[i] if i < len(left) else None
    b = right[j] if j < len(right) else None
    out: list[tuple[int, int]] = []
    if isinstance(a, int):
        out.append((i + 1, j))
        if isinstance(b, str) and (a == _ANY or b != "/"):
            out.append((i, j + 1))
    if isinstance(b, int):
        out.append((i, j + 1))
        if isinstance(a, str) and (b == _ANY or a != "/"):
            out.append((i + 1, j))
    if isinstance(a, str) and a == b:
        out.append((i + 1, j + 1))
    return out
