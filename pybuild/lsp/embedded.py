"""The Python in a Pipefile as a Python module, for a server of Python to answer about.

The module has the lines of the Pipefile below some of its own: what is no Python is blank, a rule
is a function whose parameters are the names that its jobs have, and `python:` is an `if`. So a
place differs by a number of lines only. Where a name may be of several types it is `Any`: what is
told of types has to be true of each job.
"""

from __future__ import annotations

import ast
import builtins
import textwrap
from collections.abc import Iterable, Iterator
from functools import lru_cache

from pybuild.lsp.names import RULE, Names, Sheet, scope_of
from pybuild.pipefile import syntax
from pybuild.pipefile.recipe import PYTHON_LINE
from pybuild.pipefile.rules import VALUE
from pybuild.pipefile.template import FILE_PARTS
from pybuild.pipefile.usercode import names_set_by, own_nodes
from pybuild.typed import Any, NamedTuple

_IMPORTS = ("from pathlib import Path", "from typing import Any")
_BUILTINS = {
    "glob": '(pattern: str) -> list[str]: "The files that match, made or to be made."',
    "env": '(name: str, default: str = "") -> str: "A variable of the environment."',
    "sh": '(command: str) -> str: "What a command prints; run when the file is read."',
    "read": '(path: str) -> str: "The text of a file."',
    "config": '(path: str) -> Any: "The data of a TOML, JSON or YAML file."',
    "run": '(command: str, *files: Any) -> str: "What a command prints, files behind it."',
}
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
_SPLIT = "split"


class Module(NamedTuple):
    """A sheet as a Python module; `shift` is how many lines it has before those of the sheet, and
    `has_blocks` says whether there is more Python in the sheet than expressions."""

    text: str
    shift: int
    has_blocks: bool


def module_of(sheet: Sheet, names: Names, values: dict[str, Any]) -> Module:
    """The Python of a sheet. `values` are those of variables that are known."""
    head = [*_IMPORTS, *_given(names), *_from_elsewhere(sheet, names, values)]
    rows = [""] * len(sheet.lines)
    has_blocks = False
    for number, statement in enumerate(sheet.tree.statements):
        if isinstance(statement, syntax.Assignment):
            _copy(sheet, rows, statement.span.start, statement.expression.span.end)
            first = sheet.lines.line_of(statement.span.start)
            rows[first] = rows[first].replace("?=", " =", 1)
        elif isinstance(statement, syntax.PythonBlock):
            rows[sheet.lines.line_of(statement.span.start)] = "if True:"
            _copy_block(sheet, rows, statement.block.lines)
            has_blocks = True
        elif isinstance(statement, syntax.Rule):
            has_blocks |= _rule(sheet, rows, statement, number, names)
    return Module("\n".join([*head, *rows]) + "\n", len(head), has_blocks)


def is_python(sheet: Sheet, module: Module, line: int) -> bool:
    """Whether a line of a sheet is Python in its module as it stands."""
    row = module.text.split("\n")[line + module.shift]
    return bool(row.strip()) and row == sheet.lines.line(line)


def _given(names: Names) -> Iterator[str]:
    """What recipes have without anybody defining it: builtins, and the files of rules."""
    for name, signature in _BUILTINS.items():
        if name not in names.python:
            yield f"def {name}{signature}"
    for name, places in names.rules.items():
        if not name.isidentifier() or hasattr(builtins, name) or names.kind_of(name) != RULE:
            continue
        rules = [sheet.statement_at(one.start) for sheet, one in places]
        if any(isinstance(each, syntax.Rule) and each.kind == VALUE for each in rules):
            yield f"{name}: Any = ..."
        else:
            yield f"{name}: list[Path] = []"


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


def _rule(sheet: Sheet, rows: list[str], rule: syntax.Rule, number: int, names: Names) -> bool:
    """A rule with Python in its recipe, as a function; whether it is one."""
    if not isinstance(rule.block, syntax.Block):
        return False
    inner = 0  # how deep the Python of this recipe stands, while there is one
    is_open = False
    code: list[list[str]] = []
    for offset, text in rule.block.lines:
        line = sheet.lines.line_of(offset)
        depth = len(text) - len(text.lstrip())
        if PYTHON_LINE.match(text):
            whole = sheet.lines.line(line)
            rows[line] = whole[: len(whole) - len(whole.lstrip())] + "if True:"
            inner, is_open = depth, True
            code.append([])
        elif is_open and text.strip() and depth > inner:
            rows[line] = sheet.lines.line(line)
            code[-1].append(rows[line])
        elif text.strip():
            is_open = False
    if code:
        known = _parameters(rule, names)
        for name in sorted({each for part in code for each in _set_by("\n".join(part))}):
            # To a function a name that it sets is its own, and parameters keep their types.
            if name in known or names.kind_of(name):
                known[name] = "Any"
        told = ", ".join(f"{name}: {kind}" for name, kind in known.items())
        rows[sheet.lines.line_of(rule.span.start)] = _HEADER.format(number, told)
    return bool(code)


def _parameters(rule: syntax.Rule, names: Names) -> dict[str, str]:
    """The names that the jobs of a rule have, with their types."""
    scope = scope_of(rule, names)
    # Rules that take files together have lists of what captures matched.
    one_each = scope.captures if rule.kind in ("", _SPLIT) else frozenset[str]()
    words = [word for segment in rule.segments for word in segment]
    aliased = {word.alias: word for word in (*words, *rule.order_only)}
    return {
        **_OF_JOBS,
        **{name: "str" if name in one_each else "Any" for name in sorted(scope.captures)},
        **{
            name: "Path" if _is_one_file(aliased.get(name), one_each) else "Any"
            for name in sorted(scope.named_files)
        },
        **dict.fromkeys(sorted(scope.params), "Any"),
    }


def _is_one_file(word: syntax.Word | None, one_each: frozenset[str]) -> bool:
    """Whether a named file is one whatever variables and rules stand for."""
    return word is not None and all(
        not any(char in piece.text for char in "*?[")
        if isinstance(piece, syntax.Text)
        else piece.reference.name in one_each
        for piece in word.pieces
    )


@lru_cache(1024)  # blocks are asked about with each keystroke, and few of them have changed
def _set_by(code: str) -> frozenset[str]:
    """The names that Python sets, but for those that it declares global."""
    try:
        tree = ast.parse(textwrap.dedent(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    nodes = [node for statement in tree.body for node in own_nodes(statement)]
    told = {name for each in nodes if isinstance(each, ast.Global) for name in each.names}
    return frozenset(names_set_by(nodes) - told)
