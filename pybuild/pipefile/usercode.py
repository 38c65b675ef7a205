"""Python that a user wrote: how it is compiled and called, and where its mistakes are told.

Whatever user code raises, and whatever is wrong with its form, becomes a complaint at a place of
the build file.
"""

from __future__ import annotations

import _ast
import builtins
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import CodeType, TracebackType

from pybuild.pipefile.fingerprint import ONLY_TREE
from pybuild.pipefile.syntax import PythonText
from pybuild.pipefile.watch import noted
from pybuild.source import BuildError, Diagnostic, Edit, Fix, Note, Source, Span, did_you_mean
from pybuild.typed import Any

# As Python calls the files of this package: the launcher comes by `bin/../lib`.
_OURS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
_MOST_LINES = 10
_MOST_KEPT = 256  # blocks that were compiled: editors and watched projects come again
_QUOTES = "a text stands in quotes"
# What has a scope of its own. Comprehensions count as if they had none: `:=` sets a name outside.
_SCOPES = (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.ClassDef, _ast.Lambda)
_NAMING = (
    _ast.FunctionDef,
    _ast.AsyncFunctionDef,
    _ast.ClassDef,
    _ast.ExceptHandler,
    _ast.MatchAs,
    _ast.MatchStar,
)
# What compiling raises: besides mistakes of form, null characters, and texts that are nested
# deeper than Python can follow.
_NO_CODE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)

NOTED = noted()

Row = tuple[int, str]  # a line of Python and the offset in its source where it starts


class UserCode:
    """Around a call of user code: an exception becomes a BuildError with `code`.

    Its place is the line of the build file that the exception came from; with `what` (what was
    tried, before the exception's own words) it is `span`, and that line is told in a note.
    """

    __slots__ = ("code", "span", "what")

    def __init__(self, span: Span, code: str, what: str = "") -> None:
        self.span = span
        self.code = code
        self.what = what

    def __enter__(self) -> None:
        NOTED.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        NOTED.__exit__()
        if error is None or isinstance(error, BuildError | KeyboardInterrupt):
            return
        raise BuildError(self._complaint(error)) from error

    def _complaint(self, error: BaseException) -> Diagnostic:
        first, *others = _told(error).splitlines()
        notes = [Note(line) for line in others[:_MOST_LINES]]
        line, elsewhere = _lines_of(error, self.span.source)
        place = self.span
        if line and self.what:
            notes.append(Note("raised", self.span.source.line_span(line)))
        elif line:
            place = _common(self.span.source.line_span(line), self.span)
        if elsewhere:
            notes.append(Note(f"raised in {elsewhere}"))
        return Diagnostic(
            self.code,
            self.what + first,
            place,
            tuple(notes),
            _help(error, self.span),
            fixes=_quoting(error, self.span),
        )


def _told(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # an exception of a user's own may be wrong itself
        text = ""
    name = type(error).__name__
    told = f"{name}: {text}" if text else name
    return f"the Python code ended pybuild: {told}" if isinstance(error, SystemExit) else told


def _lines_of(error: BaseException, source: Source) -> tuple[int, str]:
    """The last line of `source` that an exception went through (0 if none), and the last line of
    another file that is not pybuild's ("" if none)."""
    line, elsewhere = 0, ""
    trace = error.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if filename == source.name:
            line = trace.tb_lineno or line
        elif not filename.startswith((_OURS, "<")):
            elsewhere = f"{filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return line, elsewhere


def _common(line: Span, span: Span) -> Span:
    """The part of a line that belongs to `span`, if any of it does; else the line."""
    start, end = max(line.start, span.start), min(line.end, span.end)
    return Span(line.source, start, end) if start < end else line


def _help(error: BaseException, span: Span) -> str:
    if not isinstance(error, NameError) or not error.name:
        return ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    known = [] if trace is None else [*trace.tb_frame.f_locals, *trace.tb_frame.f_globals]
    known = [name for name in (*known, *dir(builtins)) if not name.startswith("__")]
    near = did_you_mean(error.name, known)
    if span.source.text[span.start : span.end] != error.name:
        return near or _QUOTES
    return "; ".join(each for each in (f'{_QUOTES}: `"{error.name}"`', near) if each)


def _quoting(error: BaseException, span: Span) -> tuple[Fix, ...]:
    """To put quotes around an expression that is one name without a meaning."""
    name = error.name if isinstance(error, NameError) else None
    if not name or span.source.text[span.start : span.end] != name:
        return ()
    return (Fix("put it in quotes", (Edit(span, f'"{name}"'),)),)


# -- from text to code -------------------------------------------------------------------------


def compile_expression(
    expression: PythonText, before: str = "", after: str = "", help: str = ""
) -> CodeType:
    """The code of an expression, with line numbers of its file; `before` and `after` are put
    around it. Raises BuildError for a syntax error, at its place."""
    span = expression.span
    first = span.place[0]
    text = "\n" * (first - 1) + before + expression.text + after
    try:
        return compile(text, span.source.name, "eval", dont_inherit=True)
    except _NO_CODE as error:
        rows = _rows(expression)
        place = _syntax_span(error, span.source, rows, first, len(before))
        message = _syntax_message(error)
        raise BuildError(Diagnostic("PB110", message, place, help=help or _QUOTES)) from None


def compile_arguments(arguments: PythonText) -> CodeType:
    """The code of a call of `__take__` with the arguments of an attribute. Raises BuildError for a
    syntax error, at its place."""
    return compile_expression(arguments, "__take__(", "\n)")


def is_written_as_list(expression: str) -> bool:
    """Whether an assignment shows a list, so that `NAME=value` of the command line gives one."""
    return expression.lstrip().startswith(("[", "(", "glob("))


def argument_texts(arguments: str, count: int) -> list[str]:
    """The arguments of a call as they are written, if they are `count` and each stands in one line;
    else their numbers from 1. What was not written (a program gave it) is empty."""
    tree: Any = compile(f"_({arguments}\n)", "", "eval", ONLY_TREE, dont_inherit=True)
    found = tree.body.args
    rows = f"_({arguments}".encode().split(b"\n")
    if len(found) != count or any(each.lineno != each.end_lineno for each in found):
        return [str(number + 1) for number in range(count)]
    return [rows[each.lineno - 1][each.col_offset : each.end_col_offset].decode() for each in found]


def compile_python(
    source: Source, lines: Sequence[Row], filename: str, *, returns: bool = False
) -> tuple[CodeType, _ast.Module]:
    """Code and tree of a Python block whose lines stand in `source`; lines and columns are the
    file's. If it `returns`, its statements may hold a `return`, as in a function, and `eval` of
    the code gives what is returned. Raises BuildError for a syntax error, at its place."""
    first = source.place(lines[0][0])[0] if lines else 1
    text = "\n" * (first - 1) + "\n".join(text for _, text in lines) + "\n"
    cuts = tuple([source.place(at)[1] - 1 for at, _ in lines])
    try:
        return _compiled(text, first, cuts, filename, returns=returns)
    except _NO_CODE as error:
        place = _syntax_span(error, source, lines, first)
        raise BuildError(Diagnostic("PB110", _syntax_message(error), place)) from None


@lru_cache(_MOST_KEPT)
def _compiled(
    text: str, first: int, cuts: Sequence[int], filename: str, *, returns: bool
) -> tuple[CodeType, _ast.Module]:
    """Code and tree of a text whose lines, from `first` on, stand further to the right in their
    file by `cuts`. Raises what `compile` raises, with the columns of the text."""
    to_code = _function_code if returns and "return" in text else _module_code
    tree = _tree_of(text, filename)
    _indent(tree, {first + i: cut for i, cut in enumerate(cuts)})
    try:
        return to_code(tree, filename), tree
    except _NO_CODE:
        to_code(_tree_of(text, filename), filename)  # raises with the columns of the text
        raise


def _tree_of(text: str, filename: str) -> _ast.Module:
    tree = compile(text, filename, "exec", ONLY_TREE, dont_inherit=True)
    assert isinstance(tree, _ast.Module)
    return tree


def _module_code(tree: _ast.Module, filename: str) -> CodeType:
    return compile(tree, filename, "exec", dont_inherit=True)


def _function_code(tree: _ast.Module, filename: str) -> CodeType:
    """The code of a block, or of a function with its statements if there is a `return` among them.
    The names that it sets are global all the same: what it defines sees them, and a name that it
    sets late may have been read before."""
    own = [node for statement in tree.body for node in own_nodes(statement)]
    if not any(isinstance(node, _ast.Return) for node in own):
        return _module_code(tree, filename)
    for node in own:
        if isinstance(node, _ast.Yield | _ast.YieldFrom | _ast.Await):
            word = "await" if isinstance(node, _ast.Await) else "yield"
            place = (filename, node.lineno, node.col_offset + 1, None)
            raise SyntaxError(f"'{word}' outside function", place)
    first = tree.body[0].lineno
    where = {"lineno": first, "col_offset": 0, "end_lineno": first, "end_col_offset": 0}
    names = sorted(names_set_by(own))
    body = [*([_ast.Global(names, **where)] if names else []), *tree.body]
    arguments = _ast.arguments([], [], None, [], [], None, [])
    function: Any = _ast.FunctionDef("<module>", arguments, body, [], None, None, **where)
    if "type_params" in function._fields:
        function.type_params = []
    module = compile(_ast.Module([function], []), filename, "exec", dont_inherit=True)
    return next(each for each in module.co_consts if isinstance(each, CodeType))


def own_nodes(statement: _ast.AST) -> Iterator[Any]:
    """A statement and all in it that belongs to its own scope: not what is inside a function or
    class that it defines."""
    todo: list[_ast.AST] = [statement]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, _SCOPES):
            continue
        for field in node._fields:
            value = getattr(node, field, None)
            inner = value if isinstance(value, list) else [value]
            todo += [each for each in inner if isinstance(each, _ast.AST)]


def names_set_by(nodes: Sequence[Any]) -> set[str]:
    """The names that nodes of one scope set, but for those with an annotation: they cannot be
    global."""
    names: set[str] = set()
    annotated: set[str] = set()
    for node in nodes:
        if isinstance(node, _ast.Name) and not isinstance(node.ctx, _ast.Load):
            names.add(node.id)
        elif isinstance(node, _ast.Import | _ast.ImportFrom):
            bound = [each.asname or each.name.partition(".")[0] for each in node.names]
            names.update(name for name in bound if name != "*")
        elif isinstance(node, _NAMING) and node.name:
            names.add(node.name)
        elif isinstance(node, _ast.MatchMapping) and node.rest:
            names.add(node.rest)
        elif isinstance(node, _ast.AnnAssign) and isinstance(node.target, _ast.Name):
            annotated.add(node.target.id)
    return names - annotated


def _indent(tree: _ast.AST, cuts: Mapping[int, int]) -> None:
    """Moves all nodes to the right by what was cut off their lines."""
    if not any(cuts.values()):
        return
    todo: list[Any] = [tree]
    for node in todo:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, _ast.AST):
                todo.append(value)
            elif isinstance(value, list):
                todo += [each for each in value if isinstance(each, _ast.AST)]
        if hasattr(node, "lineno"):
            node.col_offset += cuts.get(node.lineno, 0)
            node.end_col_offset += cuts.get(node.end_lineno, 0)


def _rows(expression: PythonText) -> list[Row]:
    rows = []
    offset = expression.span.start
    for text in expression.text.split("\n"):
        rows.append((offset, text))
        offset += len(text) + 1
    return rows


def _syntax_message(error: BaseException) -> str:
    if isinstance(error, RecursionError | MemoryError):
        return "Python: this is nested too deeply"
    return f"Python: {getattr(error, 'msg', None) or error}"


def _syntax_span(
    error: BaseException, source: Source, rows: Sequence[Row], first: int, before: int = 0
) -> Span:
    """The place of a syntax error. `rows` start in line `first`; `before` characters that are not
    in the source stand before the first of them."""
    number = getattr(error, "lineno", None) or first
    index = min(max(0, number - first), len(rows) - 1) if rows else 0
    offset, row = rows[index] if rows else (0, "")
    ours = before if index == 0 else 0
    column = max(0, (getattr(error, "offset", None) or 1) - 1 - ours)
    start = offset + min(column, max(0, len(row) - 1))
    stop = offset + len(row)
    end_column = (getattr(error, "end_offset", None) or 0) - 1 - ours
    if getattr(error, "end_lineno", None) == number and end_column > column:
        stop = min(stop, offset + end_column)
    return Span(source, start, max(stop, min(start + 1, len(source.text))))
