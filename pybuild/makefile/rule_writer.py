"""Rules of a makefile as rules of a Pipefile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pybuild.makefile.errors import Place
from pybuild.makefile.expressions import Untold
from pybuild.makefile.headers import Headers, header, header_word
from pybuild.makefile.node import Node
from pybuild.makefile.plan import Plan
from pybuild.makefile.rules import PatternRule
from pybuild.makefile.scripts import Script, Setting
from pybuild.makefile.statements import Ruled
from pybuild.makefile.wanted import SPECIAL_TARGETS
from pybuild.typed import NamedTuple


class Left(NamedTuple):
    """What is no part of the Pipefile but a comment: where it stands, and why."""

    place: Place | None
    why: str


class Page:
    """What has been written: lines, and what was left out."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.left: list[Left] = []

    def comment(self, raw: str) -> None:
        """Text of the makefile, as a comment."""
        self.lines += [f"# make: {line}".rstrip() for line in raw.split("\n")]

    def leave(self, place: Place | None, why: str) -> None:
        """Says that something is missing."""
        self.left.append(Left(place, why))
        self.lines.append(f"# not migrated{f' ({place})' if place else ''}: {why}")

    def rule(self, script: Script, head: str, attributes: Iterable[str]) -> None:
        """A rule with its recipe."""
        self.lines += [*attributes, *script.attributes, head]
        self.lines += [f"    {line}" if line else "" for line in script.lines]
        self.lines.append("")


class RuleWriter:
    """Writes rules to a page: as they stand in the makefile where they can, else one by one."""

    def __init__(self, plan: Plan, page: Page) -> None:
        self.plan = plan
        self.page = page
        self.database = plan.database
        self.wanted = plan.wanted
        self.recipes = plan.recipes
        self.headers = Headers(plan.names)
        self._done: set[str] = set()  # targets that are written out
        self._phony: set[str] = set()  # those for which a line `.PHONY` was written
        self._builtin: set[int] = set()  # ids of rules

    def _special(self, statement: Ruled, raw: str) -> None:
        targets = self.database.targets
        if ".PHONY" in statement.rule.targets:
            names = [each.name for each in statement.rule.prerequisites]
            words = [header_word(name) for name in names if targets[name].is_target]
            if words:
                self.page.lines.append(header([".PHONY"], words))
        elif ".DEFAULT" in statement.rule.targets:
            self.page.comment(raw)
            self.page.leave(statement.place, "`.DEFAULT`, but for the files that are known")
        elif not statement.by_eval:
            self.page.comment(raw)

    def write(self, statement: Ruled, raw: str) -> None:
        """A rule that was read; `raw` is its line."""
        rule = statement.rule
        if any(name in SPECIAL_TARGETS for name in rule.targets):
            self._special(statement, raw)
            return
        name = rule.targets[0]
        if any(each.wait for each in rule.prerequisites):
            self.page.leave(statement.place, "`.WAIT`")
        if rule.pattern is None and ("%" in name or self.wanted.is_suffix_rule(name)):
            self._pattern(statement, raw)
            return
        if any(each.endswith(")") and "(" in each for each in rule.targets):
            self.page.comment(raw)
            self.page.leave(statement.place, "members of archives")
            return
        together = [each for each in rule.targets if each not in self.plan.apart]
        for each in rule.targets:
            if each in self.plan.apart:
                self._write_apart(each)
        if together:
            self._explicit(statement, raw, together)

    def _pattern(self, statement: Ruled, raw: str) -> None:
        rule = statement.rule
        is_suffix = "%" not in rule.targets[0]
        for each in self.database.patterns:
            recipe = each.recipe
            if recipe is None or recipe.place is None or recipe.place != rule.recipe_place:
                continue
            if not is_suffix and each.targets != tuple(rule.targets):
                continue
            script = self.plan.scripts.get(id(each))
            if script is not None:
                head = self._pattern_header(each, None if is_suffix else statement)
                self.page.rule(script, head, self.plan.attributes(self.plan.made_by(each)))
            else:
                self.page.comment(raw)
                made = self.plan.made_by(each)
                for node in made:
                    self._write_apart(node.target.name)
                if not made:
                    self.page.leave(statement.place, "a rule that no file can tell the recipe of")

    def _pattern_header(self, rule: PatternRule, statement: Ruled | None) -> str:
        if statement is not None:
            return header(
                self.headers.target_words(statement),
                self.headers.normal(statement),
                self.headers.order_only(statement),
            )
        return header(
            [header_word(each) for each in rule.targets],
            [header_word(each.name) for each in rule.prerequisites],
        )

    def _explicit(self, statement: Ruled, raw: str, names: list[str]) -> None:
        rule = statement.rule
        owners = [name for name in names if self._owns(name, statement)]
        others = [name for name in names if name not in owners]
        if rule.has_recipe and owners:
            try:
                script = self._explicit_script(statement, owners)
            except Untold as problem:
                self.page.comment(raw)
                self._one_by_one(statement, owners, str(problem))
                return
            nodes = [node for name in owners for node in self.wanted.of(name)]
            self._declare_tasks(name for name in owners if name in self.plan.tasks)
            head = self._header(statement, owners)
            self.page.rule(script, head, self.plan.attributes(nodes))
        if others and (rule.prerequisites or not rule.has_recipe):
            self._without_recipe(statement, others)

    def _one_by_one(self, statement: Ruled, owners: list[str], why: str) -> None:
        if len(owners) == 1:
            for line in statement.rule.lines:
                self.page.comment(f"\t{line}")
            self.page.leave(statement.place, why)
        for name in owners if len(owners) > 1 else ():
            self.plan.apart.add(name)
            self._write_apart(name)

    def _owns(self, name: str, statement: Ruled) -> bool:
        """Whether the target has the recipe of this rule, and not of a later one."""
        rule = statement.rule
        entries = self.database.targets[name].entries
        return rule.has_recipe and any(
            entry.recipe is not None
            and entry.recipe.place == rule.recipe_place
            and entry.recipe.lines == rule.lines
            for entry in entries
        )

    def _header(self, statement: Ruled, names: list[str]) -> str:
        rule = statement.rule
        if names == rule.targets:
            targets = self.headers.target_words(statement)
        else:
            targets = [header_word(name) for name in names]
        return header(
            targets,
            self.headers.normal(statement),
            self.headers.order_only(statement),
            grouped=rule.is_grouped and len(names) > 1,
            pattern=header_word(rule.pattern) if rule.pattern is not None else "",
        )

    def _explicit_script(self, statement: Ruled, owners: list[str]) -> Script:
        rule = statement.rule
        node = self.wanted.of(owners[0])[0]
        is_one = rule.is_grouped or (len(owners) == 1 and rule.pattern is None)
        setting = Setting(
            rule.pattern or owners[0],
            self.plan.automatic(node),
            is_one=is_one,
            without_inputs=not any(not each.order_only for each in node.dependencies or ()),
        )
        return self.recipes.script((rule.lines, setting))

    def _without_recipe(self, statement: Ruled, names: list[str]) -> None:
        """A rule that only names prerequisites, and tasks that are wanted for being always new."""
        always = [name for name in names if self.plan.is_always_new(name)]
        rest = [name for name in names if name not in always]
        if rest:
            self.page.lines.append(self._header(statement, rest))
        for name in always:
            if name not in self._done:
                self._done.add(name)
                self._declare_tasks([name])
                node = self.wanted.of(name)[0]
                self.page.rule(Script(("@:",), ()), self._node_header(name, [node]), [])

    def _declare_tasks(self, names: Iterable[str]) -> None:
        new = [name for name in names if not self.database.targets[name].is_phony]
        new = [name for name in new if name not in self._phony]
        if new:
            self._phony.update(new)
            self.page.lines.append("# no file, as far as its recipe shows")
            self.page.lines.append(header([".PHONY"], [header_word(name) for name in new]))

    def _write_apart(self, name: str) -> None:
        """The rule of one target as it was evaluated."""
        if name in self._done:
            return
        nodes = self.wanted.of(name)
        if not nodes:
            return
        peers = [peer.target.name for node in nodes for peer in node.peers]
        names = list(dict.fromkeys([name, *peers]))
        self._done.update(names)
        parts = [
            (
                node.recipe.lines,
                Setting(
                    name,
                    self.plan.automatic(node),
                    is_one=True,
                    without_inputs=not any(not each.order_only for each in node.dependencies or ()),
                    is_literal=len(nodes) > 1,
                ),
            )
            for node in nodes
            if node.recipe is not None
        ]
        head = self._node_header(name, nodes, names)
        if not parts:
            self.page.lines += [head, ""]
            return
        try:
            script = self.recipes.script(*parts)
        except Untold as problem:
            recipe = next(node.recipe for node in nodes if node.recipe is not None)
            self.page.leave(recipe.place, f"the recipe of `{name}`: {problem}")
            return
        if name in self.plan.tasks:
            self._declare_tasks([name])
        self.page.rule(script, head, self.plan.attributes(nodes))

    def _node_header(self, name: str, nodes: Sequence[Node], names: Sequence[str] = ()) -> str:
        normal: dict[str, None] = {}
        order_only: dict[str, None] = {}
        for node in nodes:
            for each in node.dependencies or ():
                (order_only if each.order_only else normal)[each.node.name] = None
        return header(
            [header_word(each) for each in names or [name]],
            [self.headers.file(each) for each in normal],
            [self.headers.file(each) for each in order_only if each not in normal],
            grouped=len(names) > 1,
        )

    def finish(self) -> None:
        """What no line of a makefile says."""
        for node in list(self.wanted.nodes()):
            name = node.target.name
            if node.is_phony and not node.target.is_target and self.plan.is_always_new(name):
                self.page.lines.append(header([".PHONY"], [header_word(name)]))
                self.page.rule(Script(("@:",), ()), header([header_word(name)], []), [])
            elif node.is_by_pattern or node.recipe is self.database.default_recipe is not None:
                self._write_implicit(node)
        self._check_target_variables()

    def _write_implicit(self, node: Node) -> None:
        name = node.target.name
        if name in self.plan.apart:
            self._write_apart(name)
            return
        rule = self.wanted.pattern_rule(node)
        is_builtin = rule is not None and rule.recipe is not None and rule.recipe.is_builtin
        if rule is None or not is_builtin or id(rule) in self._builtin:
            return
        self._builtin.add(id(rule))
        self.page.lines.append("# built into make")
        script = self.plan.scripts[id(rule)]
        self.page.rule(
            script, self._pattern_header(rule, None), self.plan.attributes(self.plan.made_by(rule))
        )

    def _check_target_variables(self) -> None:
        """Of what several goals need, the variables of the first goal are written."""
        for target in self.database.targets.values():
            if target.scope is None or not target.scope.variables:
                continue
            for node in self.wanted.of(target.name):
                for other in _below(node):
                    if other.recipe is None or node in _chain(other):
                        continue
                    names = self.plan.recipe_names(other.recipe) & set(target.scope.variables)
                    if names:
                        variable = target.scope.variables[min(names)]
                        self.page.leave(
                            variable.place,
                            f"`{min(names)}` of `{target.name}` where that needs `{other.name}`",
                        )
                        break


def _below(node: Node) -> list[Node]:
    """All that a node needs, directly or not."""
    found: dict[int, Node] = {}
    todo = [node]
    while todo:
        for each in todo.pop().dependencies or ():
            if id(each.node) not in found:
                found[id(each.node)] = each.node
                todo.append(each.node)
    return list(found.values())


def _chain(node: Node) -> list[Node]:
    """A node and those that wanted it first."""
    found = [node]
    while (parent := found[-1].parent) is not None:
        found.append(parent)
    return found
