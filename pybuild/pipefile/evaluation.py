"""Who gives the Python of a Pipefile its values: a port of the resolver.

A build runs what the user wrote (`Running`). An editor does not (`literal`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from pybuild.pipefile.builtins import LoadTime
from pybuild.pipefile.fingerprint import Fingerprints
from pybuild.pipefile.syntax import PythonBlock, PythonText
from pybuild.pipefile.usercode import compile_expression, compile_python
from pybuild.source import BuildError
from pybuild.typed import Any, Protocol

Code = Callable[[dict[str, Any]], Any]  # takes a namespace, which a block changes


class NotRun(BuildError):
    """What only running the user's code could tell. Nothing is wrong: there are no complaints.
    `names` would have a value then, or with `names_any` who knows which."""

    def __init__(self, names: Iterable[str] = (), *, names_any: bool = False) -> None:
        super().__init__()
        self.names = frozenset(names)
        self.names_any = names_any


class Evaluator(Protocol):
    """Turns Python of the user's into functions that are called with the file's namespace."""

    def builtins(self, load_time: LoadTime) -> dict[str, Any]:
        """The names that expressions and blocks have without defining them."""

    def staying(self) -> AbstractContextManager[None]:
        """Around what is called: the working folder is the same afterwards."""

    def expression(
        self, expression: PythonText, before: str = "", after: str = "", help: str = ""
    ) -> Code:
        """What gives the value of an expression, with `before` and `after` around it. Raises
        BuildError for a syntax error, at its place; what it gives raises NotRun."""

    def block(self, node: PythonBlock, prints: Fingerprints) -> Code:
        """What runs a `python:` block. Raises as `expression` does."""


class Running:
    """Runs what the user wrote."""

    def builtins(self, load_time: LoadTime) -> dict[str, Any]:
        return load_time.names()

    @contextmanager
    def staying(self) -> Iterator[None]:
        here = os.getcwd()
        try:
            yield
        finally:
            os.chdir(here)

    def expression(
        self, expression: PythonText, before: str = "", after: str = "", help: str = ""
    ) -> Code:
        code = compile_expression(expression, before, after, help)
        return lambda namespace: eval(code, namespace)

    def block(self, node: PythonBlock, prints: Fingerprints) -> Code:
        source = node.span.source
        code, tree = compile_python(source, node.block.lines, source.name)
        prints.register(source.name, tree)
        return lambda namespace: exec(code, namespace)
