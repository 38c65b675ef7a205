"""Makefiles in an editor: what they define, and what is wrong with them.

A makefile is read by the front end that builds read it by, in a process of its own (`asking`): what
it says is known only by expanding it, which may never end. No command is started: what `$(shell)`
would give is marked as not known, and nothing is complained of that may come from that. `$(file)`
writes nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from lsprotocol import types

from pybuild.lsp.analysis import inside
from pybuild.lsp.buffers import Buffer, uri_of
from pybuild.lsp.diagnostics import SOURCE
from pybuild.lsp.positions import Lines
from pybuild.makefile import builtin
from pybuild.makefile.errors import MakeError, Place
from pybuild.makefile.evaluate import Reader
from pybuild.makefile.expand import Expander
from pybuild.makefile.looks import Looks
from pybuild.makefile.ports import Mute, Services
from pybuild.makefile.rules import Database
from pybuild.makefile.variables import ORIGIN_WORDS, Origin, Scope
from pybuild.typed import NamedTuple

_LONGEST = 300  # characters of a value
_MOST_SHOWN = 10
_MOST_TARGETS = 5000
_OF_READING = ("MAKEFILE_LIST", ".DEFAULT_GOAL")  # set wherever reading is, by nobody
_REFERENCE = re.compile(r"\$[({]([^\s(){}:$,]+)|\$([@%<?^+*])")
_OPEN_REFERENCE = re.compile(r"\$[({]([^\s(){}:$,]*)$")
_WORD = re.compile(r"[^\s:=|$(){}&;,]+")
_NOT_KNOWN = "\x1anot-known\x1a"  # in a text: what a command would have printed
# Mistakes of form: they are mistakes whatever commands print.
_OF_FORM = (
    "missing ",
    "extraneous ",
    "unterminated ",
    "recipe commences ",
    "only one ",
    "mixed implicit",
    "invalid syntax",
    "empty variable name",
    "multiple target patterns",
)
_AUTOMATIC = {
    "@": "the target",
    "%": "the member of an archive that is the target",
    "<": "the first prerequisite",
    "?": "the prerequisites that are newer than the target",
    "^": "all prerequisites, each once",
    "+": "all prerequisites",
    "*": "what `%` matched",
}


class Where(NamedTuple):
    """A line (from 1) of a file."""

    file: str
    line: int


class VariableFacts(NamedTuple):
    """A variable: as written, expanded (None: only a build can tell), where and whence."""

    text: str
    value: str | None
    origin: str
    where: Where | None


class TargetFacts(NamedTuple):
    """A target, or a pattern: its prerequisites and its recipe as written."""

    prerequisites: tuple[str, ...]
    recipe: str
    is_phony: bool
    where: Where | None


class Makefile(NamedTuple):
    """What a makefile, with those it includes, comes to; `mistake` is where and what, if reading
    ended there."""

    variables: Mapping[str, VariableFacts]
    targets: Mapping[str, TargetFacts]
    mistake: tuple[Where | None, str] | None


class _NoShell:
    """Starts nothing. `was_asked` tells whether a makefile wanted something started."""

    def __init__(self) -> None:
        self.was_asked = False

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> tuple[bytes, int]:
        """A mark was printed, and all went well."""
        del argv, environment
        self.was_asked = True
        return _NOT_KNOWN.encode(), 0


class _BufferReader(Reader):
    """Reads the texts of open files in place of the disk."""

    texts: Mapping[str, str]

    def _load(self, name: str, search: bool) -> tuple[str, bytes | None, str]:
        text = self.texts.get(os.path.normpath(name))
        if text is not None:
            return name, text.encode("utf-8", "surrogateescape"), ""
        return super()._load(name, search)


def read_makefile(path: str, texts: Mapping[str, str]) -> Makefile:
    """Reads the makefile of an absolute path; `texts` are those of open files, by their names in
    its folder."""
    folder, name = os.path.split(path)
    with inside(folder):
        shell, database, scope = _NoShell(), Database(), Scope()
        expander = Expander(scope, Services(Mute(), shell, Looks()))
        expander.writes_files = False
        builtin.install(database, scope)
        for each, value in os.environ.items():
            scope.define(each, value, Origin.ENVIRONMENT)
        reader = _BufferReader(database, expander)
        reader.texts = texts
        mistake = None
        try:
            reader.read_file(name)
            reader.finish()
        except MakeError as error:
            if not shell.was_asked or _is_certain(error, reader):
                mistake = _where(error.place), error.message
        except RecursionError:
            mistake = None, "this expands itself without end"
        return Makefile(_variables(expander, scope), _targets(database), mistake)


def _is_certain(error: MakeError, reader: _BufferReader) -> bool:
    """Whether a mistake is one whatever commands print: one of form, in a line that expands
    nothing."""
    if error.place is None or not error.message.startswith(_OF_FORM):
        return False
    text = reader.texts.get(os.path.normpath(error.place.file), "")
    return "$" not in Lines(text).line(error.place.line - 1)


def _where(place: Place | None) -> Where | None:
    return Where(place.file, place.line) if place else None


def _variables(expander: Expander, scope: Scope) -> dict[str, VariableFacts]:
    found = {}
    for name, variable in scope.variables.items():
        if variable.origin in (Origin.AUTOMATIC, Origin.ENVIRONMENT) or name.startswith("-*-"):
            continue
        if name in _OF_READING:
            continue
        value: str | None = None
        if variable.place is not None or variable.origin == Origin.DEFAULT:
            try:
                value = expander.value(name)
            except (MakeError, RecursionError):
                value = None
            if value is not None and _NOT_KNOWN in value:
                value = None
        origin = ORIGIN_WORDS[variable.origin]
        found[name] = VariableFacts(
            variable.value[:_LONGEST].replace(_NOT_KNOWN, "..."),
            value and value[:_LONGEST],
            origin,
            _where(variable.place),
        )
    return found


def _targets(database: Database) -> dict[str, TargetFacts]:
    found: dict[str, TargetFacts] = {}
    for name, target in list(database.targets.items())[:_MOST_TARGETS]:
        if not target.is_target or name.startswith(".") or _NOT_KNOWN in name:
            continue
        entries = target.entries
        recipe = next((each.recipe for each in entries if each.recipe), None)
        place = next((each.place for each in entries if each.place), None)
        found[name] = TargetFacts(
            tuple(one.name for each in entries for one in each.prerequisites),
            "\n".join(recipe.lines) if recipe else "",
            target.is_phony,
            _where(recipe.place if recipe and not place else place),
        )
    for pattern in database.patterns:
        if pattern.place is not None:
            facts = TargetFacts(
                tuple(each.name for each in pattern.prerequisites),
                "\n".join(pattern.recipe.lines) if pattern.recipe else "",
                False,
                _where(pattern.place),
            )
            found.update(dict.fromkeys(pattern.targets, facts))
    return found


# -- answers -------------------------------------------------------------------------------------


def diagnostics(made: Makefile, buffer: Buffer) -> list[types.Diagnostic]:
    """The mistake that reading ended at, if it is in this file."""
    if made.mistake is None:
        return []
    where, message = made.mistake
    number = 0
    if where is not None:
        if os.path.basename(where.file) != os.path.basename(buffer.path):
            message = f"{where.file}:{where.line}: {message}"
        else:
            number = where.line - 1
    return [
        types.Diagnostic(
            _line_range(buffer.lines, number),
            message,
            types.DiagnosticSeverity.Error,
            source=SOURCE,
        )
    ]


def _line_range(lines: Lines, number: int) -> types.Range:
    row = lines.line(number)
    start = lines.line_start(number)
    return lines.range(start + len(row) - len(row.lstrip()), start + len(row))


def symbols(made: Makefile, buffer: Buffer) -> list[types.DocumentSymbol]:
    """Variables and targets that are defined in this file, in its order."""
    found = []
    for name, kind, where in _defined(made):
        if os.path.basename(where.file) == os.path.basename(buffer.path):
            place = _line_range(buffer.lines, where.line - 1)
            found.append(types.DocumentSymbol(name, kind, place, place))
    return sorted(found, key=lambda each: each.range.start.line)


def _defined(made: Makefile) -> Iterator[tuple[str, types.SymbolKind, Where]]:
    for name, variable in made.variables.items():
        if variable.where is not None:
            yield name, types.SymbolKind.Variable, variable.where
    for name, target in made.targets.items():
        if target.where is not None:
            yield name, types.SymbolKind.Function, target.where


def hover(made: Makefile, buffer: Buffer, position: types.Position) -> types.Hover | None:
    """The value of a variable, or how a target is made."""
    name, is_variable, (start, end) = _named(buffer, position)
    told = ""
    if is_variable and name in _AUTOMATIC:
        told = f"`${name}`: {_AUTOMATIC[name]}"
    elif is_variable and name in made.variables:
        told = _variable_told(name, made.variables[name])
    elif name in made.targets:
        told = _target_told(name, made.targets[name])
    if not told:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, told)
    return types.Hover(content, buffer.lines.range(start, end))


def _variable_told(name: str, facts: VariableFacts) -> str:
    lines = [f"```make\n{name} = {facts.text}\n```"]
    if facts.value is None:
        lines.append("its value is known in a build only: it asks for a command, or for a target")
    elif facts.value != facts.text:
        lines.append(f"now `{facts.value}`" if facts.value else "now empty")
    place = f" ({facts.where.file}:{facts.where.line})" if facts.where else ""
    return "\n\n".join([*lines, f"{facts.origin}{place}"])


def _target_told(name: str, facts: TargetFacts) -> str:
    kind = "a task" if facts.is_phony else "a target"
    lines = [f"`{name}`: {kind}"]
    if facts.prerequisites:
        shown = ", ".join(f"`{each}`" for each in facts.prerequisites[:_MOST_SHOWN])
        lines.append(f"from {shown}" + (", ..." if len(facts.prerequisites) > _MOST_SHOWN else ""))
    if facts.recipe:
        lines.append(f"```make\n{facts.recipe[:_LONGEST]}\n```")
    return "\n\n".join(lines)


def definition(made: Makefile, buffer: Buffer, position: types.Position) -> list[types.Location]:
    """Where a variable or a target is defined."""
    name, is_variable, _ = _named(buffer, position)
    facts = made.variables.get(name) if is_variable else made.targets.get(name)
    if facts is None or facts.where is None:
        return []
    path = os.path.normpath(os.path.join(os.path.dirname(buffer.path), facts.where.file))
    start = types.Position(facts.where.line - 1, 0)
    return [types.Location(uri_of(path), types.Range(start, start))]


def complete(
    made: Makefile, buffer: Buffer, position: types.Position
) -> list[types.CompletionItem]:
    """Variables in a reference, targets elsewhere."""
    offset = buffer.lines.offset(position)
    before = buffer.lines.text[buffer.lines.line_start(position.line) : offset]
    if _OPEN_REFERENCE.search(before):
        kind = types.CompletionItemKind.Variable
        return [
            types.CompletionItem(name, kind=kind, detail=facts.text or None)
            for name, facts in made.variables.items()
        ]
    kind = types.CompletionItemKind.Function
    return [types.CompletionItem(name, kind=kind) for name in made.targets if "%" not in name]


def _named(buffer: Buffer, position: types.Position) -> tuple[str, bool, tuple[int, int]]:
    """The name at a position, whether it is that of a variable, and where it stands."""
    lines = buffer.lines
    row, start = lines.line(position.line), lines.line_start(position.line)
    column = lines.offset(position) - start
    for found in _REFERENCE.finditer(row):
        if found.start() <= column <= found.end():
            group = 1 if found[1] else 2
            return found[group], True, (start + found.start(group), start + found.end(group))
    for found in _WORD.finditer(row):
        if found.start() <= column <= found.end():
            is_assigned = not row.startswith("\t") and re.match(
                r"\s*(?:[:?+!]|:::?)?=", row[found.end() :]
            )
            return found[0], bool(is_assigned), (start + found.start(), start + found.end())
    return "", False, (start, start)
