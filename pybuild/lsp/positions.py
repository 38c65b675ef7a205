"""Places in a text as editors count them: by line and by units of an encoding, both from 0.

After the Language Server Protocol 3.17, `Position` and `PositionEncodingKind`.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol import types

UTF8, UTF16, UTF32 = "utf-8", "utf-16", "utf-32"
_LINE_END = re.compile(r"\r\n|\n|\r")


class Lines:
    """A text by its lines. Offsets count characters of the text."""

    __slots__ = ("_encoding", "_starts", "text")

    def __init__(self, text: str, encoding: str = UTF16) -> None:
        self.text = text
        self._encoding = encoding
        self._starts = [0, *(found.end() for found in _LINE_END.finditer(text))]

    def __len__(self) -> int:
        return len(self._starts)

    def line(self, number: int) -> str:
        """A line without its end; "" for one that is not there."""
        if not 0 <= number < len(self._starts):
            return ""
        start = self._starts[number]
        stop = self._starts[number + 1] if number + 1 < len(self._starts) else len(self.text)
        return self.text[start:stop].rstrip("\r\n")

    def line_start(self, number: int) -> int:
        """The offset of the first character of a line, the end of the text beyond the last."""
        return self._starts[number] if number < len(self._starts) else len(self.text)

    def line_of(self, offset: int) -> int:
        """The number of the line that a character stands in."""
        return bisect_right(self._starts, offset) - 1

    def offset(self, position: types.Position) -> int:
        """The character at a position; what is beyond the end of a line is its end."""
        if position.line < 0:
            return 0
        if position.line >= len(self._starts):
            return len(self.text)
        row = self.line(position.line)
        return self._starts[position.line] + self._column(row, position.character)

    def _column(self, row: str, units: int) -> int:
        if row.isascii() or self._encoding == UTF32:
            return max(0, min(units, len(row)))
        count = 0
        for column, char in enumerate(row):
            if count >= units:
                return column
            count += self._width(char)
        return len(row)

    def _width(self, char: str) -> int:
        if self._encoding == UTF8:
            return len(char.encode("utf-8", "surrogatepass"))
        return 2 if ord(char) > 0xFFFF else 1

    def position(self, offset: int) -> types.Position:
        """The position of a character."""
        number = self.line_of(max(0, min(offset, len(self.text))))
        before = self.text[self._starts[number] : offset]
        if before.isascii() or self._encoding == UTF32:
            return types.Position(number, len(before))
        return types.Position(number, sum(map(self._width, before)))

    def range(self, start: int, end: int) -> types.Range:
        """The range of the characters from `start` up to but not including `end`."""
        return types.Range(self.position(start), self.position(end))
