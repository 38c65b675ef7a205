"""Python of a Pipefile read without being run: what is written out has its value, all else none.

Written out are literals, names that have a value, f-strings, sums, lists, tuples, sets, dicts,
indexes, conditions, comprehensions over such, and calls of `glob`, `env` and `Path`, which look and
do nothing. What is anything else raises `NotRun`.
"""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

from pybuild.pipefile.builtins import LoadTime
from pybuild.pipefile.evaluation import Code, NotRun
from pybuild.pipefile.fingerprint import Fingerprints
from pybuild.pipefile.syntax import PythonBlock, PythonText
from pybuild.pipefile.usercode import (
    compile_expression,
    compile_python,
    names_set_by,
    own_nodes,
)
from pybuild.typed import Any

_LOOKING = ("glob", "env")  # builtins that run nothing
_TAKE = "__take__"  # the arguments of an attribute come as a call of it
_TEXT_METHODS = frozenset(
    "split rsplit splitlines join strip lstrip rstrip replace lower upper title removeprefix "
    "removesuffix startswith endswith".split()
)
_MOST_ITEMS = 100_000  # of a comprehension, and characters or items of a sum
_MOST_CHARACTERS = 10_000_000  # that `replace` or `join` may come to
_MOST_KEPT = 20_000
_REACHING = ("globals(", "exec(", "import *", "vars(", "locals(")  # who knows what names they set
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Literal:
    """An `Evaluator` that runs nothing. What it has parsed it keeps, by text: in an editor the same
    lines come again after each keystroke."""

    def __init__(self) -> None:
        self._trees: dict[str, ast.expr] = {}
        self._blocks: dict[tuple[str, ...], NotRun] = {}

    def builtins(self, load_time: LoadTime) -> dict[str, Any]:
        return {
            name: _Looking(call) if name in _LOOKING else _declined
            for name, call in load_time.names().items()
        }

    def staying(self) -> AbstractContextManager[None]:
        return nullcontext()

    def expression(
        self, expression: PythonText, before: str = "", after: str = "", help: str = ""
    ) -> Code:
        text = before + expression.text + after
        tree = self._trees.get(text)
        if tree is None:
            compile_expression(expression, before, after, help)  # raises for a syntax error
            if len(self._trees) > _MOST_KEPT:
                self._trees.clear()
            tree = self._trees[text] = ast.parse(text.strip(), mode="eval").body
        return lambda namespace: self._value(tree, namespace)

    def _value(self, tree: ast.expr, namespace: Mapping[str, Any]) -> Any:
        try:
            return _Written(namespace).value(tree)
        except NotRun as unknown:
            raise NotRun(unknown.names | _named_arguments(tree)) from None
        except RecursionError:
            raise NotRun from None

    def block(self, node: PythonBlock, prints: Fingerprints) -> Code:
        del prints  # nothing is called, so nothing is to be digested
        key = tuple([text for _, text in node.block.rows])
        unknown = self._blocks.get(key)
        if unknown is None:
            unknown = _what_it_sets(node)
            if len(self._blocks) > _MOST_KEPT:
                self._blocks.clear()
            self._blocks[key] = unknown
        return lambda _: _refuse(unknown)


def _what_it_sets(node: PythonBlock) -> NotRun:
    source = node.span.source
    _, tree = compile_python(source, node.block.lines, source.name)
    own = [each for statement in tree.body for each in own_nodes(statement)]
    reaching = any(word in line for _, line in node.block.rows for word in _REACHING)
    return NotRun(names_set_by(own) | _annotated(tree), names_any=reaching)


def _annotated(tree: Any) -> set[str]:
    return {
        each.target.id
        for each in ast.walk(tree)
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }


def _named_arguments(tree: ast.expr) -> frozenset[str]:
    """The names that `@params(name=...)` would have given a value."""
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == _TAKE:
        return frozenset(each.arg for each in tree.keywords if each.arg)
    return frozenset()


def _refuse(unknown: NotRun) -> None:
    raise unknown


def _declined(*arguments: object, **named: object) -> Any:
    """Stands for builtins that start something or read a file."""
    del arguments, named
    raise NotRun


class _Looking:
    """A builtin that only looks."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.call(*arguments, **named)


class _Bounded:
    """A method of a text, refused where what it gives could be as large as memory."""

    def __init__(self, text: str, method: Callable[..., Any]) -> None:
        self.text = text
        self.method = method

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        most = 1
        for each in arguments:
            items = each if isinstance(each, list | tuple | set) else [each]
            most += sum([len(item) + 1 for item in items if isinstance(item, str)])
        if (len(self.text) + 1) * most > _MOST_CHARACTERS:
            raise NotRun
        return self.method(*arguments, **named)


class _Written:
    """The values of what is written out. Raises NotRun for all else, and what Python would."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self.namespace = namespace

    def value(self, node: ast.expr) -> Any:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise NotRun
        return method(node)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        if node.id not in self.namespace:
            if hasattr(builtins, node.id):
                raise NotRun
            eval(node.id, {**self.namespace})  # only a name: Python says that there is none
        return self.namespace[node.id]

    def _joinedstr(self, node: ast.JoinedStr) -> str:
        return "".join([str(self.value(each)) for each in node.values])

    def _formattedvalue(self, node: ast.FormattedValue) -> str:
        value = self._plain(node.value)
        if node.conversion == ord("r"):
            value = repr(value)
        if node.format_spec is None:
            return str(value)
        if not isinstance(node.format_spec, ast.JoinedStr) or len(node.format_spec.values) != 1:
            raise NotRun
        written = node.format_spec.values[0]
        if not isinstance(written, ast.Constant) or len(str(written.value)) > 4:
            raise NotRun  # a long one may ask for a text as wide as memory
        return format(value, str(written.value))

    def _plain(self, node: ast.expr) -> Any:
        """A value that is data: functions have no text or sum that could be shown."""
        value = self.value(node)
        if callable(value):
            raise NotRun
        return value

    def _list(self, node: ast.List) -> list[Any]:
        return list(self._items(node.elts))

    def _tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self._items(node.elts))

    def _set(self, node: ast.Set) -> set[Any]:
        return set(self._items(node.elts))

    def _dict(self, node: ast.Dict) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                found |= self._plain(value)
            else:
                found[self.value(key)] = self.value(value)
        return found

    def _items(self, nodes: list[ast.expr]) -> Iterator[Any]:
        for each in nodes:
            if isinstance(each, ast.Starred):
                yield from self._plain(each.value)
            else:
                yield self.value(each)

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self._plain(node.left), self._plain(node.right)
        if isinstance(node.op, ast.Add):
            return _bounded(left + right)
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Div) and hasattr(left, "__fspath__"):
            return left / right
        raise NotRun  # a product or a power may be as large as memory

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        value = self._plain(node.operand)
        if isinstance(node.op, ast.Not):
            return not value
        return -value if isinstance(node.op, ast.USub) else +value

    def _boolop(self, node: ast.BoolOp) -> Any:
        value: Any = None
        for each in node.values:
            value = self.value(each)
            if bool(value) == isinstance(node.op, ast.Or):
                return value
        return value

    def _ifexp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def _compare(self, node: ast.Compare) -> Any:
        left = self._plain(node.left)
        for sign, each in zip(node.ops, node.comparators, strict=True):
            right = self._plain(each)
            if not _COMPARISONS[type(sign)](left, right):
                return False
            left = right
        return True

    def _subscript(self, node: ast.Subscript) -> Any:
        return self._plain(node.value)[self.value(node.slice)]

    def _slice(self, node: ast.Slice) -> slice:
        return slice(*[each and self.value(each) for each in (node.lower, node.upper, node.step)])

    def _listcomp(self, node: ast.ListComp) -> list[Any]:
        return list(self._comprehended(node.elt, node.generators))

    def _generatorexp(self, node: ast.GeneratorExp) -> list[Any]:
        return list(self._comprehended(node.elt, node.generators))

    def _comprehended(self, result: ast.expr, loops: list[ast.comprehension]) -> Iterator[Any]:
        if len(loops) != 1 or not isinstance(loops[0].target, ast.Name):
            raise NotRun
        loop = loops[0]
        for count, item in enumerate(self._plain(loop.iter)):
            if count > _MOST_ITEMS:
                raise NotRun
            inner = _Written({**self.namespace, loops[0].target.id: item})
            if all(inner.value(test) for test in loop.ifs):
                yield inner.value(result)

    def _call(self, node: ast.Call) -> Any:
        function = self._function(node.func)
        arguments = list(self._items(node.args))
        named = {each.arg: self.value(each.value) for each in node.keywords if each.arg}
        if len(named) < len(node.keywords):
            raise NotRun
        return function(*arguments, **named)

    def _function(self, node: ast.expr) -> Callable[..., Any]:
        """A function that does nothing but give a value. Raises NotRun for any other."""
        if isinstance(node, ast.Attribute) and node.attr in _TEXT_METHODS:
            text = self.value(node.value)
            if type(text) is str:
                return _Bounded(text, getattr(text, node.attr))
        if isinstance(node, ast.Name):
            found = self.namespace.get(node.id)
            if isinstance(found, _Looking) or node.id == _TAKE:
                return found  # type: ignore[return-value]
            if node.id == "Path" and isinstance(found, type):
                return found
        raise NotRun


def _bounded(value: Any) -> Any:
    if hasattr(value, "__len__") and len(value) > _MOST_ITEMS:
        raise NotRun
    return value
