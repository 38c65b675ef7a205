"""The nodes of targets: how the rule of each is found, and what it needs.

What a walk and a graph have in common. Nothing is searched for before somebody asks for it.
"""

from __future__ import annotations

from pybuild.makefile.automatic import automatic_scope
from pybuild.makefile.expand import Expander
from pybuild.makefile.node import NEW, OLD, Dependency, Node, State
from pybuild.makefile.patterns import match_pattern
from pybuild.makefile.rules import Database, Entry, Later, Prerequisite, Target
from pybuild.makefile.scopes import scope_of
from pybuild.makefile.search import Found, Search
from pybuild.typed import Any, Callable, Collection, Iterable, Sequence


class Nodes:
    """All nodes by the names of their targets. `prerequisites` gives the names in a text that was
    expanded a second time; files that are `old` or `new` count as such; `shuffle` puts
    prerequisites in another order."""

    def __init__(
        self,
        database: Database,
        expander: Expander,
        search: Search,
        prerequisites: Callable[[str], list[Prerequisite]],
        *,
        old: Collection[str] = (),
        new: Collection[str] = (),
        shuffle: Callable[[Sequence[Any]], list[Any]] | None = None,
    ) -> None:
        self.database = database
        self.expander = expander
        self.search = search
        self.prerequisites = prerequisites
        self.old = old
        self.new = new
        self.shuffle = shuffle
        self.nodes: dict[str, list[Node]] = {}

    def nodes_of(self, name: str) -> list[Node]:
        """The nodes of a name: one for each `::` rule, else one."""
        nodes = self.nodes.get(name)
        if nodes is None:
            target = self.database.targets.get(name) or Target(name)
            nodes = [Node(target, entry) for entry in target.entries or [Entry()]]
            self.nodes[name] = nodes
            for node in nodes:
                if self.database.all_secondary and not target.is_not_intermediate:
                    node.is_intermediate = True
                if name in self.new:
                    node.time = node.before = NEW
                if name in self.old:
                    node.time = node.before = OLD
                    node.state = State.DONE
                if node.entry.group:
                    self._join_group(node)
        return nodes

    def _join_group(self, node: Node) -> None:
        """The others that its recipe makes; of `::` those of the same rule."""
        others = [name for name in node.entry.group if name != node.target.name]
        node.peers = [
            other
            for name in others
            for other in self.nodes_of(name)
            if not other.target.is_double or other.entry.recipe is node.entry.recipe
        ]

    def find_rule(self, node: Node) -> None:
        """Looks for a pattern rule, once, if the node has no recipe of its own."""
        if node.searched:
            return
        node.searched = True
        if node.recipe is not None or node.is_phony:
            return
        if self.database.second_expansion:
            self.search.scope = scope_of(node, self.expander, self.database)
        found = self.search.find(node.target)
        if found is not None:
            self._take(node, found)
        elif not node.target.is_target and self.database.default_recipe is not None:
            node.recipe = self.database.default_recipe

    def _take(self, node: Node, found: Found) -> None:
        """A pattern rule is the node's now; files on the way to it are intermediate."""
        node.searched = True
        node.recipe = found.recipe
        node.stem = found.stem
        node.is_by_pattern = True
        node.rule = found.rule
        own = []
        for each in found.prerequisites:
            nodes = self.nodes_of(each.name)
            inner = found.made.get(each.name)
            if inner is not None and nodes[0].recipe is None and not nodes[0].searched:
                if not each.is_named:
                    nodes[0].is_intermediate |= self._is_removable(nodes[0])
                self._take(nodes[0], inner)
            elif found.are_final:
                nodes[0].searched = nodes[0].searched or not nodes[0].target.is_target
            own.append(each)
        node.dependencies = None
        node.pattern_prerequisites = own
        node.is_grouped = found.rule.is_grouped
        node.peers = [self.nodes_of(peer.name)[0] for peer in reversed(found.peers)]

    def _is_removable(self, node: Node) -> bool:
        """Whether a file that only a chain of pattern rules mentions counts as intermediate."""
        target, database = node.target, self.database
        if target.is_explicit or target.is_not_intermediate or database.none_intermediate:
            return False
        return not _is_among(node.name, database.not_intermediate_patterns)

    def find_dependencies(self, node: Node) -> None:
        """Makes nodes of its prerequisites, once, when its rule is known."""
        if node.dependencies is not None:
            return
        told = [*node.pattern_prerequisites, *node.entry.prerequisites]
        node.dependencies = self._dependencies(told)
        place = 0
        for later in node.entry.later:
            place += self._expand_later(node, later, place)
        extra = self._dependencies(map(Prerequisite, self._extra_prerequisites(node)))
        for each in extra:
            each.is_hidden = True
        node.dependencies += extra
        node.order = node.dependencies
        if self.shuffle is not None and not self.database.not_parallel:
            node.order = self.shuffle(node.dependencies)

    def _extra_prerequisites(self, node: Node) -> Iterable[str]:
        """What `.EXTRA_PREREQS` adds: of the target itself, or for all."""
        scope = self.expander.variables
        if node.target.scope is not None and ".EXTRA_PREREQS" in node.target.scope.variables:
            scope = scope_of(node, self.expander, self.database)
        elif not node.target.is_target or ".EXTRA_PREREQS" not in scope.variables:
            return ()
        before, self.expander.scope = self.expander.scope, scope
        try:
            names = self.expander.value(".EXTRA_PREREQS").split()
        finally:
            self.expander.scope = before
        return [name for name in names if name != node.target.name]

    def _dependencies(self, told: Iterable[Prerequisite]) -> list[Dependency]:
        nodes, made = self.nodes, []
        for name, order_only, wait, is_explicit, _ in told:
            found = nodes.get(name) or self.nodes_of(name)
            made.append(Dependency(found[0], order_only, wait, is_explicit))
        return made

    def _expand_later(self, node: Node, later: Later, offset: int) -> int:
        """Expands prerequisites a second time; returns how many there are."""
        assert node.dependencies is not None
        scope = scope_of(node, self.expander, self.database)
        before = self.expander.scope, self.expander.place
        if later.stem is not None:
            node.stem = later.stem
        self.expander.scope = automatic_scope(node, scope, self.database)
        # As make does: what is wrong in it is said of the recipe.
        self.expander.place = node.recipe.place if node.recipe is not None else later.place
        try:
            text = self.expander.expand(later.text)
        finally:
            self.expander.scope, self.expander.place = before
        found = self._dependencies(self.prerequisites(text))
        at = len(node.pattern_prerequisites) + later.position + offset
        node.dependencies[at:at] = found
        return len(found)

    def may_go(self, node: Node) -> bool:
        """Whether the makefiles let an intermediate file be removed when nobody needs it."""
        target, database = node.target, self.database
        if target.is_precious or target.is_secondary or database.all_secondary:
            return False
        return not _is_among(node.name, database.precious_patterns)


def _is_among(name: str, patterns: Iterable[str]) -> bool:
    return any(match_pattern(pattern, name) is not None for pattern in patterns)


def is_remade(database: Database, name: str) -> bool:
    """Whether a makefile is made anew if rules say so, before anything else is made."""
    target = database.targets.get(name)
    if target is None:
        return True
    return not target.is_phony and not any(
        target.is_double and not entry.prerequisites and not entry.later for entry in target.entries
    )
