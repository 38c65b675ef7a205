"""The texts that are open in the editor, as they are there, saved or not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote, urlsplit

from lsprotocol import types

from pybuild.lsp.positions import UTF16, Lines


class Buffer:
    """One open text. `version` is the client's number of its state."""

    __slots__ = ("_encoding", "language", "lines", "path", "uri", "version")

    def __init__(
        self, uri: str, text: str, version: int, language: str, encoding: str = UTF16
    ) -> None:
        self.uri = uri
        self.path = path_of(uri)
        self.version = version
        self.language = language
        self._encoding = encoding
        self.lines = Lines(text, encoding)

    @property
    def text(self) -> str:
        """The text with the line ends that builds see."""
        return self.lines.text.removeprefix("\ufeff").replace("\r\n", "\n")

    def change(self, changes: Iterable[types.TextDocumentContentChangeEvent], version: int) -> None:
        """Applies what the editor has told, one change after the other."""
        for each in changes:
            if isinstance(each, types.TextDocumentContentChangePartial):
                old = self.lines
                start, end = old.offset(each.range.start), old.offset(each.range.end)
                text = old.text[:start] + each.text + old.text[max(start, end) :]
            else:
                text = each.text
            self.lines = Lines(text, self._encoding)
        self.version = version


class Buffers:
    """All open texts, by their address."""

    def __init__(self) -> None:
        self.encoding = UTF16
        self._open: dict[str, Buffer] = {}

    def open(self, item: types.TextDocumentItem) -> Buffer:
        """A text that is open from now on."""
        buffer = Buffer(item.uri, item.text, item.version, item.language_id, self.encoding)
        self._open[item.uri] = buffer
        return buffer

    def close(self, uri: str) -> None:
        """A text that is not open any more; no error if it was not."""
        self._open.pop(uri, None)

    def get(self, uri: str) -> Buffer | None:
        """An open text."""
        return self._open.get(uri)

    def uri_for(self, path: str) -> str:
        """The address of a path, as the editor writes it if it is open."""
        return next((each.uri for each in self if each.path == path), uri_of(path))

    def __iter__(self) -> Iterator[Buffer]:
        return iter(tuple(self._open.values()))

    def below(self, folder: str) -> dict[str, str]:
        """The texts of open files in a folder and below it, by their names from there."""
        base = folder.rstrip("/") + "/"
        return {each.path[len(base) :]: each.text for each in self if each.path.startswith(base)}


def path_of(uri: str) -> str:
    """The absolute path that a `file:` address stands for; "" for any other."""
    parts = urlsplit(uri)
    return os.path.normpath(unquote(parts.path)) if parts.scheme == "file" and parts.path else ""


def uri_of(path: str) -> str:
    """The address of an absolute path."""
    return "file://" + quote(path)
