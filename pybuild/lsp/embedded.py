"""The Python in a Pipefile as a Python module, for a server of Python to answer about.

The module has the lines of the Pipefile below some of its own (`HEAD`): what is no Python is blank,
a rule is a function whose parameters are the names that its jobs have, and `python:` is an `if`. So
a place differs by a number of lines only.
"""

from __future__ import annotations

from collections.abc import Iterable

from pybuild.lsp.names import Names, Scope, Sheet, scope_of
from pybuild.pipefile import syntax
from pybuild.pipefile.recipe import PYTHON_LINE
from pybuild.pipefile.template import FILE_PARTS
from pybuild.typed import Any, NamedTuple

HEAD = """\
from pathlib import Path
from typing import Any
def glob(pattern: str) -> list[str]: "The files that match, those that rules make among them."
def env(name: str, default: str = "") -> str: "A variable of the environment."
def sh(command: str) -> str: "What a command prints; run when the file is read."
def read(path: str) -> str: "The text of a file."
def config(path: str) -> Any: "The data of a TOML, JSON or YAML file."
def run(command: str, *files: Any) -> str: "Runs a command with files behind it; what it prints."
"""
_OF_JOBS = {
    "input": "Path",
    "inputs": "list[Path]",
    "output": "Path",
    "outputs": "list[Path]",
    "order_only": "list[Path]",
    "changed": "list[Path]",
    "stem": "str",
    "rule": "str",
    **dict.fromkeys(FILE_PARTS, "str"),
    "subdir": "list[str]",
    "subpath": "list[str]",
}
_HEADER = "def rule_{}({}):"


class Module(NamedTuple):
    """A sheet as a Python module; `shift` is how many lines it has before those of the sheet."""

    text: str
    shift: int


def module_of(sheet: Sheet, names: Names, values: dict[str, Any]) -> Module:
    """The Python of a sheet. `values` are those of variables that are known."""
    head = HEAD.splitlines() + list(_from_elsewhere(sheet, names, values))
    rows = [""] * len(sheet.lines)
    for number, statement in enumerate(sheet.tree.statements):
        if isinstance(statement, syntax.Assignment):
            _copy(sheet, rows, statement.span.start, statement.expression.span.end)
            first = sheet.lines.line_of(statement.span.start)
            rows[first] = rows[first].replace("?=", " =", 1)
        elif isinstance(statement, syntax.PythonBlock):
            rows[sheet.lines.line_of(statement.span.start)] = "if True:"
            _copy_block(sheet, rows, statement.block.lines)
        elif isinstance(statement, syntax.Rule):
            _rule(sheet, rows, statement, number, scope_of(statement, names))
    return Module("\n".join([*head, *rows]) + "\n", len(head))


def is_python(sheet: Sheet, module: Module, line: int) -> bool:
    """Whether a line of a sheet is Python in its module as it stands."""
    row = module.text.split("\n")[line + module.shift]
    return bool(row.strip()) and row == sheet.lines.line(line)


def _from_elsewhere(sheet: Sheet, names: Names, values: dict[str, Any]) -> Iterable[str]:
    """What other files of the project define."""
    own = {each.name for each in sheet.definitions}
    for name in (*names.variables, *names.python):
        if name in own or not name.isidentifier():
            continue
        value = values.get(name)
        written = repr(value) if isinstance(value, str | int | float | list | tuple) else "..."
        yield f"{name}: Any = {written}" if written == "..." else f"{name} = {written}"


def _copy(sheet: Sheet, rows: list[str], start: int, end: int) -> None:
    """The lines from one character to another, as they are."""
    first, last = sheet.lines.line_of(start), sheet.lines.line_of(end)
    for number in range(first, last + 1):
        rows[number] = sheet.lines.line(number)


def _copy_block(sheet: Sheet, rows: list[str], block: Iterable[tuple[int, str]]) -> None:
    for offset, text in block:
        number = sheet.lines.line_of(offset)
        if text.strip():
            rows[number] = sheet.lines.line(number)


def _rule(sheet: Sheet, rows: list[str], rule: syntax.Rule, number: int, scope: Scope) -> None:
    if not isinstance(rule.block, syntax.Block):
        return
    inner = 0  # how deep the Python of this recipe stands, while there is one
    is_open = False
    inner_lines = 0
    for offset, text in rule.block.lines:
        line = sheet.lines.line_of(offset)
        depth = len(text) - len(text.lstrip())
        if PYTHON_LINE.match(text):
            whole = sheet.lines.line(line)
            rows[line] = whole[: len(whole) - len(whole.lstrip())] + "if True:"
            inner, is_open = depth, True
            inner_lines += 1
        elif is_open and text.strip() and depth > inner:
            rows[line] = sheet.lines.line(line)
        elif text.strip():
            is_open = False
    parameters = {
        **_OF_JOBS,
        **dict.fromkeys(sorted(scope.captures), "str"),
        **dict.fromkeys(sorted(scope.named_files), "Path"),
        **dict.fromkeys(sorted(scope.params), "Any"),
    }
    told = ", ".join(f"{name}: {kind}" for name, kind in parameters.items())
    if inner_lines:
        rows[sheet.lines.line_of(rule.span.start)] = _HEADER.format(number, told)
