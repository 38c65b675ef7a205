"""Answers about the Python in a Pipefile, by jedi (https://jedi.readthedocs.io), which reads code
and does not run it. Without jedi there are none."""

from __future__ import annotations

import logging
import string
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeVar

from lsprotocol import types

from pybuild.lsp.buffers import uri_of
from pybuild.lsp.embedded import Module, is_python, module_of
from pybuild.lsp.positions import Lines
from pybuild.lsp.projects import Here
from pybuild.typed import Any

log = logging.getLogger(__name__)

MOST_ITEMS = 200
_KINDS = {
    "module": types.CompletionItemKind.Module,
    "class": types.CompletionItemKind.Class,
    "function": types.CompletionItemKind.Function,
    "instance": types.CompletionItemKind.Variable,
    "statement": types.CompletionItemKind.Variable,
    "param": types.CompletionItemKind.Variable,
    "property": types.CompletionItemKind.Property,
    "keyword": types.CompletionItemKind.Keyword,
    "path": types.CompletionItemKind.File,
}

_OF_NAMES = string.ascii_letters + string.digits + "_"

T = TypeVar("T")
_one_at_a_time = threading.Lock()  # jedi keeps what it has read in tables of its own


class PythonPlace:
    """A place in the Python of a sheet."""

    def __init__(self, here: Here, module: Module, line: int, column: int) -> None:
        self.here = here
        self.module = module
        self.line = line + module.shift  # in the module, from 0
        self.column = column

    @property
    def is_in_name(self) -> bool:
        """Whether it is within a name, and not at its end."""
        row = self.module.text.split("\n")[self.line]
        return row[self.column : self.column + 1] in _OF_NAMES and self.column < len(row)

    @property
    def called(self) -> str:
        """The name behind which the call stands that is being written here; "" for no name."""
        rows = self.module.text.split("\n")
        before = "\n".join([*rows[: self.line], rows[self.line][: self.column]])
        depth = 0
        for at in range(len(before) - 1, -1, -1):
            depth += (before[at] in ")]}") - (before[at] in "([{")
            if depth < 0:
                return before[len(before[:at].rstrip(_OF_NAMES)) : at]
        return ""

    def complete(self) -> list[types.CompletionItem]:
        """What may stand here."""
        found = self._asked(lambda script: script.complete(*self._jedis()))
        return [
            types.CompletionItem(
                label=each.name,
                kind=_KINDS.get(each.type, types.CompletionItemKind.Text),
                sort_text=f"{1 + each.name.startswith('_')}{each.name}",
            )
            for each in found[:MOST_ITEMS]
        ]

    def hover(self) -> types.Hover | None:
        """The signature of what stands here, and what its author says of it."""
        texts = []
        for each in self._asked(lambda script: script.help(*self._jedis()))[:3]:
            told = each.docstring().strip()
            if told:
                texts.append(f"```text\n{told}\n```")
        for each in self._asked(lambda script: script.infer(*self._jedis()))[:3]:
            if not texts:
                texts.append(f"```python\n{each.description}\n```")
        if not texts:
            return None
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, "\n\n".join(texts)))

    def definition(self) -> list[types.Location]:
        """Where what stands here is defined: in the sheet, or in a file of Python."""
        found = self._asked(lambda script: script.goto(*self._jedis(), follow_imports=True))
        return [place for each in found if (place := self._location(each)) is not None]

    def signatures(self) -> types.SignatureHelp | None:
        """The parameters of the call that is being written here."""
        found = self._asked(lambda script: script.get_signatures(*self._jedis()))
        if not found:
            return None
        told = []
        for each in found:
            parameters = [types.ParameterInformation(one.to_string()) for one in each.params]
            told.append(types.SignatureInformation(each.to_string(), parameters=parameters))
        return types.SignatureHelp(told, 0, found[0].index)

    def _jedis(self) -> tuple[int, int]:
        """The place as jedi counts: lines from 1."""
        return self.line + 1, self.column

    def _asked(self, question: Callable[[Any], list[T]]) -> list[T]:
        """What jedi says. It fails now and then on code that is half written."""
        if find_spec("jedi") is None:
            return []
        import jedi

        with _one_at_a_time:
            place = self.here.project.place
            try:
                project = jedi.Project(place.folder, smart_sys_path=False)
                script = jedi.Script(
                    self.module.text, path=place.path(self.here.sheet.name), project=project
                )
                return question(script)
            except Exception:
                # On half-written code jedi fails in ways that it does not name.
                log.debug("jedi failed", exc_info=True)
                return []

    def _location(self, name: Any) -> types.Location | None:
        if name.line is None or name.module_path is None:
            return None
        path = str(name.module_path)
        sheet = self.here.sheet
        end = name.column + len(name.name)
        if path == self.here.project.place.path(sheet.name):
            line = name.line - 1 - self.module.shift
            if line < 0:
                return None  # one of the names that pybuild has put there
            start = sheet.lines.line_start(line)
            where = sheet.lines.range(start + name.column, start + end)
            return types.Location(self.here.uri(sheet), where)
        return location(path, name.line - 1, name.column, end, sheet.encoding)


def location(path: str, line: int, start: int, end: int, encoding: str) -> types.Location | None:
    """The characters from `start` to `end` of a line of a file on disk; None if there is no such
    text."""
    try:
        with open(path, encoding="utf-8") as handle:
            lines = Lines(handle.read(), encoding)
    except (OSError, UnicodeDecodeError):
        return None
    first = lines.line_start(line)
    return types.Location(uri_of(path), lines.range(first + start, first + end))


def python_at(here: Here, offset: int) -> PythonPlace | None:
    """The place if it is in Python."""
    sheet = here.sheet
    line = sheet.lines.line_of(offset)
    module = module_at(here)
    if not is_python(sheet, module, line):
        return None
    return PythonPlace(here, module, line, offset - sheet.lines.line_start(line))


def module_at(here: Here) -> Module:
    """The Python of a file of a project."""
    loaded = here.analysis.loaded
    values = loaded.pipeline.variables if loaded else {}
    return module_of(here.sheet, here.analysis.names, values)
