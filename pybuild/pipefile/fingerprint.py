"""Digests of Python code and of the values that it reaches.

Code counts by its syntax tree: comments, layout and doc strings do not count. From there every
global name is followed: functions of the project with their defaults and closures, classes,
constants, modules of the project (attribute by attribute, unless the module itself is passed on).
What belongs to an installed package counts by its name.
"""

from __future__ import annotations

import _ast
import os
import sys
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import xxhash

ONLY_TREE = 0x400  # ast.PyCF_ONLY_AST, without importing ast

_FUNCTIONS = (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.Lambda)
_DOCUMENTED = (_ast.Module, _ast.FunctionDef, _ast.AsyncFunctionDef, _ast.ClassDef)
_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))
_SKIPPED_FIELDS = frozenset(("ctx", "kind", "type_comment"))


class Fingerprints:
    """Digests for one loading of a project, whose folder is `root`. Remembers what it has seen."""

    def __init__(self, root: str) -> None:
        self.root = os.path.join(os.path.realpath(root), "")
        self._trees: dict[str, list[_ast.Module]] = {}
        self._nodes: dict[str, dict[int, list[_ast.AST]]] = {}
        self._known: dict[int, bytes] = {}
        self._alive: list[object] = []  # what `_known` names by id must not go away
        self._open: set[int] = set()

    def register(self, filename: str, tree: _ast.Module) -> None:
        """A block of Python in a build file; its line numbers are those of the file."""
        self._trees.setdefault(filename, []).append(tree)
        self._nodes.pop(filename, None)

    def of_code(self, tree: _ast.AST, namespace: Mapping[str, Any]) -> bytes:
        """The digest of a block and of all that it reaches through `namespace`."""
        total = xxhash.xxh3_128(_dump(tree))
        self._follow(tree, namespace, total)
        return total.digest()

    def _follow(self, tree: _ast.AST, namespace: Mapping[str, Any], total: Any) -> None:
        for name, attributes in sorted(free_names(tree).items()):
            if name in namespace:
                total.update(name.encode())
                total.update(self.of_value(namespace[name], attributes))

    def of_value(self, value: Any, attributes: frozenset[str] | None = None) -> bytes:
        """The digest of a value; of a module only `attributes`, if they are given."""
        if isinstance(value, _PLAIN):
            return _digest(f"{type(value).__name__} {value!r}")
        if isinstance(value, ModuleType):
            return self._of_module(value, attributes)
        key = id(value)
        known = self._known.get(key)
        if known is not None:
            return known
        if key in self._open:
            return _digest("itself")
        self._open.add(key)
        found = self._of_object(value)
        self._open.discard(key)
        self._known[key] = found
        self._alive.append(value)
        return found

    def _of_object(self, value: Any) -> bytes:
        if isinstance(value, FunctionType):
            return self._of_function(value)
        if isinstance(value, MethodType):
            return self._joined("method", value.__func__, value.__self__)
        if isinstance(value, type):
            return self._of_class(value)
        if isinstance(value, BuiltinFunctionType):
            return _digest(f"builtin {value.__module__}.{value.__qualname__}")
        if isinstance(value, list | tuple):
            return self._joined(type(value).__name__, *value)
        if isinstance(value, set | frozenset):
            return _digest(b"set" + b"".join(sorted(map(self.of_value, value))))
        if isinstance(value, Mapping):
            pairs = sorted(self.of_value(key) + self.of_value(each) for key, each in value.items())
            return _digest(b"map" + b"".join(pairs))
        wrapped = getattr(value, "__wrapped__", None)
        if wrapped is not None:
            return self._joined("wrapped", wrapped)
        if type(value).__name__ == "partial":
            return self._joined("partial", value.func, value.args, value.keywords)
        if isinstance(value, CodeType):
            return _digest(value.co_code)
        return self._of_instance(value)

    def _joined(self, kind: str, *values: Any) -> bytes:
        return _digest(kind.encode() + b"".join(map(self.of_value, values)))

    def _of_instance(self, value: Any) -> bytes:
        kind = self.of_value(type(value))
        state = getattr(value, "__dict__", None)
        if state:
            return _digest(kind + self.of_value(dict(state)))
        text = repr(value)
        if " at 0x" not in text:
            return _digest(kind + text.encode())
        try:
            import pickle

            return _digest(kind + pickle.dumps(value, 5))
        except Exception:
            return kind  # an object without any readable state counts by its class

    def _of_function(self, function: FunctionType) -> bytes:
        code = function.__code__
        if not self._is_ours(code.co_filename):
            return _digest(f"function {function.__module__}.{function.__qualname__}")
        total = xxhash.xxh3_128(b"function")
        for node in self._nodes_at(code.co_filename, code.co_firstlineno, code.co_name):
            total.update(_dump(node))
            self._follow(node, function.__globals__, total)
        total.update(self.of_value(function.__defaults__))
        total.update(self.of_value(function.__kwdefaults__))
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
            total.update(name.encode())
            try:
                total.update(self.of_value(cell.cell_contents))
            except ValueError:
                total.update(b"empty")
        return total.digest()

    def _of_class(self, kind: type) -> bytes:
        module = sys.modules.get(kind.__module__)
        filename = getattr(module, "__file__", None) or ""
        ours = kind.__module__ == "__pipefile__" or self._is_ours(filename)
        if not ours:
            return _digest(f"class {kind.__module__}.{kind.__qualname__}")
        total = xxhash.xxh3_128(f"class {kind.__qualname__}".encode())
        for base in kind.__bases__:
            total.update(self.of_value(base))
        for name, value in sorted(vars(kind).items()):
            if name in ("__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__"):
                continue
            total.update(name.encode())
            inner = value
            if isinstance(value, staticmethod | classmethod):
                inner = value.__func__
            elif isinstance(value, property):
                inner = (value.fget, value.fset, value.fdel)
            total.update(self.of_value(inner))
        return total.digest()

    def _of_module(self, module: ModuleType, attributes: frozenset[str] | None) -> bytes:
        filename = getattr(module, "__file__", None) or ""
        if not self._is_ours(filename):
            return _digest(f"module {module.__name__}")
        if attributes is None:
            key = id(module)
            if key not in self._known:
                self._known[key] = b"itself"
                total = xxhash.xxh3_128(module.__name__.encode())
                for tree in self._trees_of(filename):
                    total.update(_dump(tree))
                    self._follow(tree, vars(module), total)
                self._known[key] = total.digest()
            return self._known[key]
        total = xxhash.xxh3_128(module.__name__.encode())
        for name in sorted(attributes):
            total.update(name.encode())
            if hasattr(module, name):
                total.update(self.of_value(getattr(module, name)))
        return total.digest()

    # -- where code stands -----------------------------------------------------------------

    def _is_ours(self, filename: str) -> bool:
        if filename in self._trees:
            return True
        if not filename or filename.startswith("<") or "site-packages" in filename:
            return False
        return os.path.realpath(filename).startswith(self.root)

    def _trees_of(self, filename: str) -> list[_ast.Module]:
        if filename not in self._trees:
            try:
                with open(filename, "rb") as handle:
                    tree = compile(handle.read(), filename, "exec", ONLY_TREE)
                self._trees[filename] = [tree] if isinstance(tree, _ast.Module) else []
            except (OSError, SyntaxError, ValueError):
                self._trees[filename] = []
        return self._trees[filename]

    def _nodes_at(self, filename: str, line: int, name: str) -> list[_ast.AST]:
        if filename not in self._nodes:
            index: dict[int, list[_ast.AST]] = {}
            for tree in self._trees_of(filename):
                for node in _walk(tree):
                    if isinstance(node, _FUNCTIONS):
                        index.setdefault(_first_line(node), []).append(node)
            self._nodes[filename] = index
        found = self._nodes[filename].get(line, [])
        return [each for each in found if getattr(each, "name", "<lambda>") == name]


def _first_line(node: Any) -> int:
    decorators = getattr(node, "decorator_list", ())
    return int(min([node.lineno, *(each.lineno for each in decorators)]))


def free_names(tree: _ast.AST) -> dict[str, frozenset[str] | None]:
    """The names that a block or function takes from outside, with the attributes asked of them
    (None if the value itself is used). A block's own names are among them: a name that it sets
    might be read before."""
    found: dict[str, set[str] | None] = {}
    stack: list[tuple[_ast.AST, frozenset[str]]] = [(tree, frozenset())]
    while stack:
        node, bound = stack.pop()
        if isinstance(node, _ast.Attribute) and isinstance(node.value, _ast.Name):
            name = node.value.id
            if name not in bound and found.get(name, ()) is not None:
                attributes = found.setdefault(name, set())
                assert attributes is not None
                attributes.add(node.attr)
            continue
        if isinstance(node, _ast.Name):
            if node.id not in bound and isinstance(node.ctx, _ast.Load):
                found[node.id] = None
            continue
        if isinstance(node, _FUNCTIONS):
            bound = bound | _locals_of(node)
        stack.extend((child, bound) for child in _children(node))
    return {
        name: None if attributes is None else frozenset(attributes)
        for name, attributes in found.items()
    }


def _locals_of(function: Any) -> frozenset[str]:
    """Parameters and names set in a function's own body."""
    arguments = function.args
    names = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names.update(each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None)
    outer: set[str] = set()
    stack = list(function.body) if isinstance(function.body, list) else [function.body]
    while stack:
        node = stack.pop()
        if isinstance(node, _ast.Name) and isinstance(node.ctx, _ast.Store):
            names.add(node.id)
        elif isinstance(node, _ast.Global | _ast.Nonlocal):
            outer.update(node.names)
        elif isinstance(node, _ast.FunctionDef | _ast.AsyncFunctionDef | _ast.ClassDef):
            names.add(node.name)
            continue
        elif isinstance(node, _ast.Lambda):
            continue
        stack.extend(_children(node))
    return frozenset(names - outer)


def _children(node: _ast.AST) -> Iterator[_ast.AST]:
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, _ast.AST):
            yield value
        elif isinstance(value, list):
            yield from (each for each in value if isinstance(each, _ast.AST))


def _walk(tree: _ast.AST) -> Iterator[_ast.AST]:
    stack: list[_ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(_children(node))


def _dump(tree: _ast.AST) -> bytes:
    """The tree as text, without places, layout and doc strings."""
    out: list[str] = []
    stack: list[Any] = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, _ast.AST):
            out.append(f"({type(item).__name__}")
            stack.append(_CLOSE)
            for field in reversed(item._fields):
                if field not in _SKIPPED_FIELDS:
                    value = getattr(item, field, None)
                    if field == "body" and isinstance(item, _DOCUMENTED):
                        value = _without_doc(value)
                    stack.append(value)
        elif isinstance(item, list):
            out.append("[")
            stack.append(_END)
            stack.extend(reversed(item))
        elif item is _CLOSE:
            out.append(")")
        elif item is _END:
            out.append("]")
        else:
            out.append(f"{type(item).__name__}:{item!r}")
    return ",".join(out).encode("utf-8", "backslashreplace")


class _Mark:
    __slots__ = ()


_CLOSE = _Mark()
_END = _Mark()


def _without_doc(body: Any) -> Any:
    first = body[0] if body else None
    if isinstance(first, _ast.Expr) and isinstance(first.value, _ast.Constant):
        return body[1:] if isinstance(first.value.value, str) else body
    return body


def _digest(data: str | bytes) -> bytes:
    if isinstance(data, str):
        data = data.encode("utf-8", "backslashreplace")
    return xxhash.xxh3_128_digest(data)
