"""Digests of Python code and of the values that it reaches.

Code counts by its syntax tree: comments, layout and doc strings do not count. From there every
global name is followed: functions of the project with their defaults and closures, classes,
constants, modules of the project (attribute by attribute, unless the module itself is passed on).
What belongs to an installed package counts by its name.
"""

from __future__ import annotations

import _ast
import copyreg
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)

import xxhash

from pybuild.content import digest_of
from pybuild.pipefile.builtins import LoadTime
from pybuild.typed import Any, NamedTuple

ONLY_TREE = 0x400  # ast.PyCF_ONLY_AST, without importing ast

_FUNCTIONS = (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.Lambda)
_COMPREHENSIONS = _ast.ListComp | _ast.SetComp | _ast.DictComp | _ast.GeneratorExp
_DOCUMENTED = (_ast.Module, _ast.FunctionDef, _ast.AsyncFunctionDef, _ast.ClassDef)
_PLAIN = frozenset((type(None), bool, int, float, complex, str, bytes, type(Ellipsis)))
_CARRIERS = frozenset((int, float, complex, str, bytes, list, tuple, set, frozenset, dict))
_AS_BYTES = ("utf-8", "backslashreplace")
_NOT_OF_A_CLASS = frozenset(
    ("__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__", "__static_attributes__")
)
_SKIPPED_FIELDS = frozenset(("ctx", "kind", "type_comment"))


_Child = tuple[str, Any, frozenset[str] | None]  # how it is called, what it is, what is asked of it


class _Local(NamedTuple):
    """A value by itself, and what it refers to."""

    digest: bytes
    children: list[_Child]


class _File:
    """A module of the project that is known only as a file."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Fingerprints:
    """Digests for one loading of a project, whose folder is `root`. Remembers what it has seen.

    A value's digest is made of the *local* digests of all values that can be reached from it, in
    the order in which they are found, each with what its neighbours look like from it. So values
    may refer to each other in circles, and nothing recurses.
    """

    def __init__(self, root: str) -> None:
        self.root = os.path.join(os.path.realpath(root), "")
        self._trees: dict[str, list[_ast.Module]] = {}
        self._nodes: dict[str, dict[int, list[Any]]] = {}
        self._locals: dict[tuple[int, frozenset[str] | None], _Local] = {}
        self._known: dict[tuple[int, frozenset[str] | None], bytes] = {}
        self._alive: list[object] = []  # what is known by its id must not go away
        self._files: dict[str, _File] = {}

    def register(self, filename: str, tree: _ast.Module) -> None:
        """A block of Python in a build file; its line numbers are those of the file."""
        self._trees.setdefault(filename, []).append(tree)
        self._nodes.pop(filename, None)

    def of_code(self, tree: _ast.AST, namespace: Mapping[str, Any]) -> bytes:
        """The digest of a block and of all that it reaches through `namespace`."""
        total = xxhash.xxh3_128(_dump(tree))
        for name, value, attributes in self._reached(tree, namespace):
            total.update(name.encode() + self.of_value(value, attributes))
        return total.digest()

    def of_value(self, value: Any, attributes: frozenset[str] | None = None) -> bytes:
        """The digest of a value; of a module only `attributes`, if they are given."""
        if type(value) in _PLAIN:
            return _digest(f"{type(value).__name__} {value!r}")
        key = (id(value), attributes)
        known = self._known.get(key)
        if known is not None:
            return known
        total = xxhash.xxh3_128()
        seen = {key}
        todo = [self._local(value, attributes)]
        for local in todo:
            total.update(local.digest)
            for name, child, wanted in local.children:
                if type(child) in _PLAIN:
                    total.update(f"{name} {type(child).__name__} {child!r}".encode(*_AS_BYTES))
                    continue
                neighbour = self._local(child, wanted)
                total.update(name.encode() + neighbour.digest)
                child_key = (id(child), wanted)
                if child_key not in seen:
                    seen.add(child_key)
                    todo.append(neighbour)
        self._known[key] = total.digest()
        return self._known[key]

    def _local(self, value: Any, attributes: frozenset[str] | None) -> _Local:
        key = (id(value), attributes)
        found = self._locals.get(key)
        if found is None:
            # Set before its children are looked at: a sorted set asks for digests of its members.
            self._locals[key] = _Local(b"itself", [])
            self._alive.append(value)
            found = self._locals[key] = self._look(value, attributes)
        return found

    def _look(self, value: Any, attributes: frozenset[str] | None) -> _Local:
        """What a value is by itself, and what it refers to."""
        kind = type(value)
        if isinstance(value, ModuleType):
            return self._look_at_module(value, attributes)
        if isinstance(value, _File):
            return self._look_at_file(value)
        if isinstance(value, FunctionType):
            return self._look_at_function(value)
        if isinstance(value, type):
            return self._look_at_class(value)
        if isinstance(value, MethodType):
            if isinstance(value.__self__, LoadTime):
                # What a builtin has looked at so far is no part of the code that calls it.
                return _Local(_digest(f"builtin {value.__name__}"), [])
            return _Local(b"method", _children(value.__func__, value.__self__))
        if isinstance(value, BuiltinFunctionType):
            owner = value.__self__
            own = [] if owner is None or isinstance(owner, ModuleType) else _children(owner)
            return _Local(_digest(f"builtin {value.__module__}.{value.__qualname__}"), own)
        if isinstance(value, CodeType):
            return _Local(_digest(value.co_code), _children(value.co_consts, value.co_names))
        if kind in (list, tuple):
            return _Local(_digest(f"{kind.__name__} {len(value)}"), _children(*value))
        if kind in (set, frozenset):
            members = b"".join(sorted(map(self.of_value, value)))
            return _Local(_digest(b"set" + members), [])
        if isinstance(value, Mapping):
            return self._look_at_mapping(value)
        return self._look_at_instance(value)

    def _look_at_mapping(self, value: Mapping[Any, Any]) -> _Local:
        keys = sorted(value, key=self.of_value)
        children = _children(*(part for key in keys for part in (key, value[key])))
        if type(value) is not dict:
            children += _children(type(value))
        return _Local(b"mapping", children)

    def _look_at_instance(self, value: Any) -> _Local:
        """An object by its class and state: its attributes, or else what copying it would take."""
        kind = type(value)
        wrapped = getattr(value, "__wrapped__", None)
        if wrapped is not None:
            return _Local(b"wrapped", _children(kind, wrapped))
        state = dict(getattr(value, "__dict__", None) or {})
        for base in kind.__mro__:
            slots = base.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if hasattr(value, name) and name not in ("__dict__", "__weakref__"):
                    state[name] = getattr(value, name)
        plain = next((base for base in kind.__mro__ if base in _CARRIERS), None)
        parts: list[Any] = [kind, state]
        if plain is not None:
            parts.append(plain(value))
        elif not state:
            parts.append(_reduced(value))
        return _Local(b"instance", _children(*parts))

    def _look_at_function(self, function: FunctionType) -> _Local:
        code = function.__code__
        children: list[_Child] = []
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
            try:
                children.append((name, cell.cell_contents, None))
            except ValueError:
                children.append((name, "empty", None))
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            children += _children(wrapped)
        if not self._is_ours(code.co_filename):
            named = f"function {function.__module__}.{function.__qualname__}"
            return _Local(_digest(named), children)
        total = xxhash.xxh3_128(b"function")
        for node in map(_undecorated, self._nodes_of(code)):
            total.update(_dump(node))
            children += self._reached(node, function.__globals__)
        children += _children(function.__defaults__, function.__kwdefaults__)
        return _Local(total.digest(), children)

    def _look_at_class(self, kind: type) -> _Local:
        module = sys.modules.get(kind.__module__)
        filename = getattr(module, "__file__", None) or ""
        if kind.__module__ != "__pipefile__" and not self._is_ours(filename):
            return _Local(_digest(f"class {kind.__module__}.{kind.__qualname__}"), [])
        children = _children(*kind.__bases__)
        for name, value in sorted(vars(kind).items()):
            if name in _NOT_OF_A_CLASS or isinstance(value, MemberDescriptorType):
                continue
            inner: Any = value
            if isinstance(value, staticmethod | classmethod):
                inner = value.__func__
            elif isinstance(value, property):
                inner = (value.fget, value.fset, value.fdel)
            children.append((name, inner, None))
        return _Local(_digest(f"class {kind.__qualname__}"), children)

    def _look_at_module(self, module: ModuleType, attributes: frozenset[str] | None) -> _Local:
        filename = getattr(module, "__file__", None) or ""
        if not self._is_ours(filename):
            return _Local(_digest(f"module {module.__name__}"), [])
        if attributes is None:
            children = self._as_file(filename)
        else:
            children = [
                (name, getattr(module, name), None)
                for name in sorted(attributes)
                if hasattr(module, name)
            ]
        return _Local(_digest(module.__name__), children)

    def _as_file(self, filename: str) -> list[_Child]:
        """A module as the file that it is."""
        name = os.path.realpath(filename)
        return [("file", self._files.setdefault(name, _File(name)), None)]

    def _look_at_file(self, file: _File) -> _Local:
        total = xxhash.xxh3_128(b"file")
        children: list[_Child] = []
        for tree in self._trees_of(file.name):
            total.update(_dump(tree))
            children += self._imported(tree, os.path.dirname(file.name))
        return _Local(total.digest(), children)

    def _reached(self, tree: _ast.AST, namespace: Mapping[str, Any]) -> list[_Child]:
        """What a piece of code takes from outside: global names, and modules that it imports."""
        found: list[_Child] = [
            (name, namespace[name], attributes)
            for name, attributes in sorted(free_names(tree).items())
            if name in namespace
        ]
        return found + self._imported(tree, "")

    def _imported(self, tree: _ast.AST, folder: str) -> list[_Child]:
        """The project's files that the imports in a piece of code lead to."""
        found: list[_Child] = []
        for node in _walk(tree):
            for name in _imports_of(node):
                for place in dict.fromkeys((folder, *sys.path)):
                    base = os.path.join(place, *name.split("."))
                    for filename in (base + ".py", os.path.join(base, "__init__.py")):
                        if self._is_ours(filename) and os.path.isfile(filename):
                            found += self._as_file(filename)
        return found

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

    def _nodes_of(self, code: CodeType) -> list[Any]:
        """The function that a code object was compiled from. Of several lambdas in one line it is
        the one that holds the places of all instructions."""
        filename = code.co_filename
        if filename not in self._nodes:
            index: dict[int, list[Any]] = {}
            for tree in self._trees_of(filename):
                for node in _walk(tree):
                    if isinstance(node, _FUNCTIONS):
                        index.setdefault(_first_line(node), []).append(node)
            self._nodes[filename] = index
        found = self._nodes[filename].get(code.co_firstlineno, [])
        found = [each for each in found if getattr(each, "name", "<lambda>") == code.co_name]
        if len(found) < 2:
            return found
        places = [
            (line, column)
            for line, _, column, end in code.co_positions()
            if line is not None and column is not None and end is not None and end > column
        ]
        within = [
            each
            for each in found
            if all(
                (each.lineno, each.col_offset) <= place <= (each.end_lineno, each.end_col_offset)
                for place in places
            )
        ]
        return within or found


def _undecorated(node: Any) -> Any:
    """A function without its decorators: what they made of it is looked at where it is used."""
    if not getattr(node, "decorator_list", ()):
        return node
    bare = {name: getattr(node, name) for name in node._fields if name != "decorator_list"}
    return type(node)(**bare, decorator_list=[])


def _first_line(node: Any) -> int:
    decorators = getattr(node, "decorator_list", ())
    return int(min([node.lineno, *(each.lineno for each in decorators)]))


def free_names(tree: _ast.AST) -> dict[str, frozenset[str] | None]:
    """The names that a block or function takes from outside, with the attributes asked of them
    (None if the value itself is used). A block's own names are among them: a name that it sets
    might be read before."""
    found: dict[str, set[str] | None] = {}

    def used(name: str, bound: frozenset[str]) -> None:
        if name not in bound:
            found[name] = None

    stack: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
    while stack:
        node, bound = stack.pop()
        if isinstance(node, _ast.Attribute) and isinstance(node.value, _ast.Name):
            name = node.value.id
            if name not in bound and found.get(name, ()) is not None:
                attributes = found.setdefault(name, set())
                assert attributes is not None
                attributes.add(node.attr)
        elif isinstance(node, _ast.Name):
            if isinstance(node.ctx, _ast.Load):
                used(node.id, bound)
        elif isinstance(node, _FUNCTIONS):
            inner = bound | _locals_of(node)
            body = node.body if isinstance(node.body, list) else [node.body]
            stack.extend((child, inner) for child in body)
            # Defaults, decorators and annotations belong to the scope outside.
            rest = [child for child in _nodes_in(node) if child not in body]
            stack.extend((child, bound) for child in rest)
        elif isinstance(node, _COMPREHENSIONS):
            inner = bound | _names_set([each.target for each in node.generators])
            stack.append((node.generators[0].iter, bound))
            stack.extend((child, inner) for child in _nodes_in(node))
        else:
            if isinstance(node, _ast.AugAssign) and isinstance(node.target, _ast.Name):
                used(node.target.id, bound)
            stack.extend((child, bound) for child in _nodes_in(node))
    return {
        name: None if attributes is None else frozenset(attributes)
        for name, attributes in found.items()
    }


def _locals_of(function: Any) -> frozenset[str]:
    """Parameters and names set in a function's own body."""
    arguments = function.args
    names = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names.update(each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None)
    body = function.body if isinstance(function.body, list) else [function.body]
    return frozenset(names) | _names_set(body)


def _names_set(nodes: Iterable[Any]) -> frozenset[str]:
    """The names that statements set in their own scope."""
    names: set[str] = set()
    outer: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, _ast.Name) and isinstance(node.ctx, _ast.Store):
            names.add(node.id)
        elif isinstance(node, _ast.Global | _ast.Nonlocal):
            outer.update(node.names)
        elif isinstance(node, _ast.FunctionDef | _ast.AsyncFunctionDef | _ast.ClassDef):
            names.add(node.name)
            continue
        elif isinstance(node, _ast.Lambda | _COMPREHENSIONS):
            continue
        stack.extend(_nodes_in(node))
    return frozenset(names - outer)


def _imports_of(node: _ast.AST) -> list[str]:
    """The modules that a statement may import."""
    if isinstance(node, _ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, _ast.ImportFrom):
        base = node.module or ""
        inner = [f"{base}.{alias.name}".strip(".") for alias in node.names]
        return [*([base] if base else []), *inner]
    return []


def _reduced(value: Any) -> Any:
    """What it would take to copy an object, iterators read; its text if it cannot be copied."""
    try:
        known = copyreg.dispatch_table.get(type(value))
        parts = value.__reduce_ex__(2) if known is None else known(value)
    except Exception:
        text = repr(value)
        return "" if " at 0x" in text else text
    if isinstance(parts, str):
        return parts
    return [part if index < 3 or part is None else list(part) for index, part in enumerate(parts)]


def _children(*values: Any) -> list[_Child]:
    return [(str(number), value, None) for number, value in enumerate(values)]


def _nodes_in(node: _ast.AST) -> Iterator[_ast.AST]:
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
        stack.extend(_nodes_in(node))


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
    return digest_of(data)
