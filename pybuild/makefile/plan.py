"""What has to be known of a whole makefile before its rules are written as rules of a Pipefile."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from pybuild.makefile.automatic import automatic_scope
from pybuild.makefile.expand import Expander
from pybuild.makefile.expressions import Names, Untold, quoted
from pybuild.makefile.node import Node
from pybuild.makefile.references import is_pure, names_in
from pybuild.makefile.rules import Database, PatternRule, Recipe
from pybuild.makefile.scopes import scope_of
from pybuild.makefile.scripts import Recipes, Script, Setting
from pybuild.makefile.variables import Export, Frame, Origin, Variable
from pybuild.makefile.wanted import Wanted

_TASKS = frozenset(
    "all check clean dist distclean doc docs format help install lint run test uninstall".split()
)


class Plan:
    """How each rule will be written. `scripts` are the recipes of pattern rules by their ids.
    `apart` are the targets for which rules are written one by one, as they were evaluated, `tasks`
    those that no makefile calls `.PHONY` and that are no files all the same."""

    def __init__(
        self,
        database: Database,
        expander: Expander,
        wanted: Wanted,
        names: Names,
        recipes: Recipes,
    ) -> None:
        self.database = database
        self.expander = expander
        self.wanted = wanted
        self.names = names
        self.recipes = recipes
        self.scripts: dict[int, Script] = {}
        self._made: dict[int, list[Node]] = {}
        for node in wanted.nodes():
            rule = wanted.pattern_rule(node)
            if rule is not None:
                self._made.setdefault(id(rule), []).append(node)
        self._env = self._exported()
        self.tasks = {node.target.name for node in wanted.nodes() if self._is_task(node)}
        self.apart = self._find_apart()

    def _find_apart(self) -> set[str]:
        """The targets for which rules are written one by one."""
        apart = {node.target.name for node in self.wanted.nodes() if self._stands_apart(node)}
        for rule in self.database.patterns:
            if rule.recipe is not None and not self._can_be_pattern(rule):
                apart |= {node.target.name for node in self.made_by(rule)}
        return apart

    def _stands_apart(self, node: Node) -> bool:
        target = node.target
        if len(target.entries) > 1 or any(entry.later for entry in target.entries):
            return True
        dependencies = node.dependencies or ()
        if any(each.is_hidden or each.node.name != each.node.target.name for each in dependencies):
            return True
        if node.recipe is None:
            return False
        if self.wanted.is_removed(node) and node.is_by_pattern:
            return True
        scope = scope_of(node, self.expander, self.database)
        if scope is self.expander.variables:
            return False
        return any(self._differs(name, node) for name in self.recipe_names(node.recipe))

    def recipe_names(self, recipe: Recipe) -> set[str]:
        """The variables that a recipe mentions, also through others."""
        found: set[str] = set()
        todo = {name for line in recipe.lines for name in names_in(line)}
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                variable = self.expander.variables.find(name)
                todo |= names_in(variable.value) if variable is not None else set()
        return found

    def _differs(self, name: str, node: Node) -> bool:
        """Whether a variable has another value for a node than for others."""
        expander = self.expander
        common = expander.scope
        try:
            own = scope_of(node, expander, self.database)
            expander.scope = automatic_scope(node, own, self.database)
            value = expander.expand(f"$({name})")
            expander.scope = automatic_scope(node, expander.variables, self.database)
            return value != expander.expand(f"$({name})")
        finally:
            expander.scope = common

    def made_by(self, rule: PatternRule) -> list[Node]:
        """All that a pattern rule makes."""
        return self._made.get(id(rule), [])

    def _can_be_pattern(self, rule: PatternRule) -> bool:
        if rule.later is not None or "%" in rule.targets or rule.targets[0][:1] == "(":
            return False
        nodes = self.made_by(rule)
        if not nodes and rule.recipe is not None and rule.recipe.is_builtin:
            return True
        try:
            self.scripts[id(rule)] = self._pattern_script(rule, nodes)
        except Untold:
            return False
        return True

    def _pattern_script(self, rule: PatternRule, nodes: Sequence[Node]) -> Script:
        scope = self.automatic(nodes[0]) if nodes else self._stand_in(rule)
        setting = Setting(
            rule.targets[0],
            scope,
            is_one=False,
            without_inputs=not rule.prerequisites,
            has_folders="/" not in rule.targets[0] and any("/" in node.name for node in nodes),
        )
        assert rule.recipe is not None
        return self.recipes.script((rule.recipe.lines, setting))

    def _stand_in(self, rule: PatternRule) -> Frame:
        """Automatic variables of a target that nobody wants yet."""
        scope = Frame(self.expander.variables)
        for name, value in (("@", rule.targets[0]), ("*", "%"), ("<", "file"), ("^", "file")):
            scope.texts[name] = value.replace("%", "name")
        return scope

    def automatic(self, node: Node) -> Frame:
        """The automatic variables of a node, within those that it sees."""
        own = scope_of(node, self.expander, self.database)
        return automatic_scope(node, own, self.database)

    def is_always_new(self, name: str) -> bool:
        """Whether what needs the target is made each time: it is no file, and has no recipe."""
        nodes = self.wanted.of(name)
        if not nodes or nodes[0].recipe is not None or name in self.apart:
            return False
        node = nodes[0]
        if not node.is_phony and (node.dependencies or os.path.lexists(name)):
            return False
        return any(
            each.node is node and not each.order_only
            for other in self.wanted.nodes()
            if other.recipe is not None and not self._is_phony(other)
            for each in other.dependencies or ()
        )

    def _is_phony(self, node: Node) -> bool:
        return node.is_phony or node.target.name in self.tasks

    def _is_task(self, node: Node) -> bool:
        """Whether a target that no makefile calls `.PHONY` is no file for all one can see: none
        has its name, and the recipe does not write it."""
        name = node.target.name
        recipe = node.recipe
        if node.is_phony or os.path.lexists(name) or recipe is None:
            return False
        if "/" in name or "." in name:
            return False
        if self.recipe_names(recipe) & {"@", "@D", "@F"} or not "".join(recipe.lines).strip():
            return False
        scope = self.automatic(node)
        text = "\n".join(self.recipes.sample(line, scope) for line in recipe.lines)
        quoted_name = re.escape(name)
        if re.search(rf"(?:>|-o|\b(?:touch|mkdir|tee)\b.*)\s*{quoted_name}(?![\w.-])", text):
            return False
        return name in _TASKS or name not in re.split(r"[\s;|&()<>'\"=/]+", text)

    def attributes(self, nodes: Sequence[Node]) -> list[str]:
        """What is said of rules elsewhere in a makefile."""
        database = self.database
        found = list(self._env)
        if database.all_silent or any(node.target.is_silent for node in nodes):
            found.append("@silent")
        if database.all_ignored or any(node.target.is_ignored for node in nodes):
            found.append("@ignore_errors")
        if database.not_parallel:
            found.append('@pool("make", 1)')
        if nodes and all(self.wanted.is_removed(node) for node in nodes):
            found.append("@temp")
        always = any(node.target.is_double and not node.dependencies for node in nodes)
        if always and not any(node.is_phony for node in nodes):
            found.append("@always")
        return found

    def _exported(self) -> list[str]:
        given = []
        for name, variable in self.expander.variables.variables.items():
            if variable.origin is Origin.DEFAULT or not self._is_exported(variable):
                continue
            if name in self.names.final:
                identifier = self.names.identifier(name)
                value = f'" ".join({identifier})' if name in self.names.lists else identifier
                given.append(f"{name}={value}")
            elif name in self.names.left_in_place and is_pure(variable.value, self.expander):
                given.append(f"{name}={quoted(self.expander.value(name))}")
        return [f"@env({', '.join(given)})"] if given else []

    def _is_exported(self, variable: Variable) -> bool:
        if re.fullmatch(r"[A-Za-z_]\w*", variable.name) is None:
            return False
        if variable.export is Export.DEFAULT:
            return self.database.export_all or variable.name in self.expander.environment
        return variable.export is Export.YES
