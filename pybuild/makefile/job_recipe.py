"""Recipes of makefiles for the engine: digests of what they say, and scripts of what they do."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from pybuild.content import digest_of
from pybuild.graph import Job, Script, ShellPart
from pybuild.makefile.automatic import automatic_scope
from pybuild.makefile.command import (
    POSIX_SHELL_FLAGS,
    SHELL_FLAGS,
    argv_of,
    one_shell_text,
    with_shell,
)
from pybuild.makefile.environment import child_environment
from pybuild.makefile.errors import MakeError
from pybuild.makefile.evaluate import Reader
from pybuild.makefile.node import Node
from pybuild.makefile.ports import Mute
from pybuild.makefile.recipes import Line, expanded_lines
from pybuild.makefile.rules import Recipe
from pybuild.makefile.scopes import scope_of
from pybuild.makefile.variables import Export, Frame, Scope
from pybuild.names import normalise
from pybuild.typed import NamedTuple

_REFERENCE = re.compile(r"\$[({]([A-Za-z_.][\w.-]*)[:)}]")
_MOST_TOLD = 200  # characters of a value


class Telling(NamedTuple):
    """What is told of recipes: nothing (`silent`), or also lines with an `@` (`echoes`); `ignore`:
    all lines may fail."""

    silent: bool = False
    echoes: bool = False
    ignore: bool = False


class MakeRecipe:
    """The recipe of one job: of one node, or of all `::` rules of a target, one after the other."""

    __slots__ = ("_errors", "_expander", "_values", "database", "nodes", "reader", "telling")

    def __init__(
        self,
        reader: Reader,
        telling: Telling,
        nodes: Sequence[Node],
        errors: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._expander = reader.expander
        self.database = reader.database
        self.reader = reader
        self.telling = telling
        self.nodes = nodes
        self._errors = errors
        self._values = b""

    # -- digests ---------------------------------------------------------------------------

    @property
    def text_digest(self) -> bytes:
        """Of the lines as they are written."""
        texts = [line for node in self.nodes for line in _recipe(node).lines]
        return _digest(texts)

    @property
    def values_digest(self) -> bytes:
        """Of the lines as they are expanded, `$?` as all prerequisites, and of what makefiles
        export. Found out once, before anything runs."""
        self._look()
        return self._values

    def _look(self) -> None:
        if not self._values:
            with self._looking():
                self._values = _digest([text for each in self.nodes for text in self._texts(each)])

    @property
    def values_key(self) -> bytes:
        return _digest([f"{name}={value}" for name, value in self.values().items()])

    def values(self) -> Mapping[str, str]:
        """The variables that the recipe names or finds in its environment, as far as they are no
        job's own."""
        found: dict[str, str] = {}
        for node in self.nodes:
            recipe, scope = _recipe(node), self._scope(node)
            named = _REFERENCE.findall("\n".join(recipe.lines))
            with self._looking(), self._expander.inside(scope, recipe.place):
                for name in (*named, *self._exported(scope), "SHELL", ".SHELLFLAGS"):
                    if self._expander.find(name) is not None:
                        found[name] = self._told(name)
        return found

    def _told(self, name: str) -> str:
        try:
            return self._expander.value(name)[:_MOST_TOLD]
        except MakeError as error:
            return error.message

    def _texts(self, node: Node) -> list[str]:
        scope = self._automatic(node, None)
        try:
            lines = self._lines(node, scope)
            with self._expander.inside(scope, _recipe(node).place):
                shell = [self._expander.value("SHELL"), self._expander.shell_flags()]
                exported = [
                    f"{each}={self._expander.value(each)}"
                    for each in self._exported(self._scope(node))
                ]
        except MakeError as error:
            return [error.message]
        return [*(each.text for each in lines), *shell, *exported]

    def _exported(self, scope: Scope) -> list[str]:
        """The names of what makefiles say that recipes are to find in their environment."""
        names: dict[str, None] = {}
        for each in scope.chain():
            for name, variable in each.variables.items():
                is_own = self._expander.export_all and variable.place is not None
                if variable.export == Export.YES or is_own:
                    names[name] = None
        return [name for name in names if name not in ("MAKEFLAGS", "MFLAGS")]

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """What is expanded meanwhile says nothing, writes no files and defines nothing."""
        expander = self._expander
        before = expander.services, expander.read
        expander.services = expander.services._replace(console=Mute())
        expander.read, expander.only_looks = None, True
        try:
            yield
        finally:
            expander.services, expander.read = before
            expander.only_looks = False

    # -- scripts ---------------------------------------------------------------------------

    def expand(self, job: Job, changed: Sequence[str], outputs: Sequence[str]) -> Script:  # noqa: ARG002
        """The lines of a job as parts of a script. Raises BuildError."""
        self._look()  # before an `$(eval)` in the recipe changes what it sees
        parts: list[ShellPart] = []
        echoes: list[str] = []
        environment: dict[str, str] = {}
        with self._errors():
            for node in self.nodes:
                scope = self._automatic(node, frozenset(changed))
                self._add_parts(node, scope, job, parts, echoes)
                with self._expander.inside(scope, _recipe(node).place):
                    environment = child_environment(scope, self._expander)
        given = os.environ
        return Script(
            tuple(parts),
            "\n".join(echoes),
            silent=not echoes,
            environment=tuple(
                [(name, value) for name, value in environment.items() if given.get(name) != value]
            ),
            unset=tuple([name for name in given if name not in environment]),
        )

    def expand_attribute(self, job: Job, text: str) -> str:  # noqa: ARG002
        return text

    def _add_parts(
        self, node: Node, scope: Frame, job: Job, parts: list[ShellPart], echoes: list[str]
    ) -> None:
        expander, one_shell = self._expander, self.database.one_shell
        lines = self._lines(node, scope)
        with expander.inside(scope, _recipe(node).place):
            shell = expander.value("SHELL") or "/bin/sh"
            flags = expander.shell_flags()
            ifs = expander.value("IFS") if scope.find("IFS") else None
        for line in lines:
            text = one_shell_text(line.text, shell) if one_shell else line.text
            if not text.strip():
                continue
            is_silent = line.silent or job.traits.silent or self.telling.silent
            if self.telling.echoes or not is_silent:
                echoes.append(text)
            if argv_of(text, shell, flags, one_shell=one_shell, ifs=ifs) is None:
                continue
            is_ignored = line.ignore or job.traits.ignore_errors or self.telling.ignore
            if is_ignored and flags == POSIX_SHELL_FLAGS:
                *words, last = with_shell(text, shell, SHELL_FLAGS, one_shell)
            else:
                *words, last = with_shell(text, shell, flags, one_shell)
            parts.append(ShellPart(last, tuple(words), is_ignored, line.always))

    def _lines(self, node: Node, scope: Frame) -> list[Line]:
        recipe = _recipe(node)
        self.reader.running = recipe
        try:
            return expanded_lines(recipe, scope, self._expander, self.database.one_shell)
        finally:
            self.reader.running = None

    def _scope(self, node: Node) -> Scope:
        return scope_of(node, self._expander, self.database)

    def _automatic(self, node: Node, changed: frozenset[str] | None) -> Frame:
        """The scope with the automatic variables; None: all prerequisites have changed."""
        for each in node.dependencies or ():
            inner = each.node
            each.has_changed = changed is None or inner.is_phony or normalise(inner.name) in changed
        return automatic_scope(node, self._scope(node), self.database)


def _recipe(node: Node) -> Recipe:
    assert node.recipe is not None
    return node.recipe


def _digest(texts: Sequence[str]) -> bytes:
    return digest_of("\0".join(texts).encode("utf-8", "surrogateescape"))
