"""The rules of makefiles as jobs of a graph, made when somebody asks for a file.

The same search as that of the walk tells how a file is made; what is out of date is not judged
here. A target without a recipe is a job without one: a name that stands for what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from pybuild.graph import Header, Job, Traits
from pybuild.makefile.errors import MakeError, Place
from pybuild.makefile.evaluate import Reader
from pybuild.makefile.job_recipe import MakeRecipe, Telling
from pybuild.makefile.looks import time_of
from pybuild.makefile.node import Node
from pybuild.makefile.nodes import Nodes, is_remade
from pybuild.makefile.patterns import match_pattern
from pybuild.makefile.places import Places
from pybuild.makefile.rules import Entry, PatternRule, Target
from pybuild.makefile.search import Search, directories_of
from pybuild.names import normalise
from pybuild.source import Span
from pybuild.typed import NamedTuple

SERIAL = ".NOTPARALLEL"
"""The pool of jobs that may not run beside each other."""

# A recipe may leave its files out or make folders; `-include` reads what a recipe wrote.
_AS_MAKE = Traits("", optional=True, folders=True, told_by_itself=True)


class Needs(NamedTuple):
    """What a job needs, by name: the files that it reads, and those that have to be there."""

    inputs: tuple[str, ...]
    order_only: tuple[str, ...]


class MakeJobs:
    """Jobs of the makefiles that a reader has read. `was_made` tells whether an earlier build made
    a file; None where times of files decide. Jobs are new each time they are asked for: it is for
    those who ask to keep them."""

    def __init__(
        self,
        reader: Reader,
        telling: Telling,
        places: Places,
        was_made: Callable[[str], bool] | None = None,
    ) -> None:
        self.reader = reader
        self.database = reader.database
        self.expander = reader.expander
        self.telling = telling
        self.was_made = was_made
        self.places = places
        directories = directories_of(self.database, self.expander)
        search = Search(self.database, directories, self.expander)
        self.directories = search.directories
        self.nodes = Nodes(self.database, self.expander, search, reader.prerequisites)
        self._traits: dict[tuple[object, ...], Traits] = {}
        self._nodes: dict[Job, list[Node]] = {}
        self._closed: set[int] = set()  # ids of nodes whose parents are settled
        self._own_names = {
            known: name
            for name in self.database.targets
            if (known := normalise(name)) != name and known not in self.database.targets
        }

    # -- what makefiles say ----------------------------------------------------------------

    def included(self) -> list[str]:
        """The makefiles that were read and that rules may make."""
        found = [each.name for each in self.reader.makefiles if each.found]
        return [normalise(name) for name in found if is_remade(self.database, name)]

    def missing(self) -> list[tuple[str, Span, bool]]:
        """The makefiles that are not there: who wants them, and whether they need not be there."""
        return [
            (normalise(each.name), self.places.span(each.place), not each.required)
            for each in self.reader.makefiles
            if not each.found
        ]

    def default(self) -> str:
        """The goal where none is given; "" if there is none. Raises BuildError for several."""
        with self.places.errors():
            names = self.expander.value(".DEFAULT_GOAL").split()
            if len(names) > 1:
                raise MakeError(".DEFAULT_GOAL contains more than one target")
        return normalise(names[0]) if names else ""

    def pools(self) -> Mapping[str, int]:
        """How many jobs of a pool may run at once."""
        return {SERIAL: 1}

    def owns(self, name: str) -> bool:
        """Whether a makefile has a rule with a recipe for this very name."""
        target = self._target(name)
        return target is not None and any(each.recipe is not None for each in target.entries)

    def planned(self) -> Iterator[str]:
        """The files that rules make which name them: globs find them before they are there."""
        for name, target in list(self.database.targets.items()):
            if target.is_target and not target.is_phony and not self._is_special(name):
                (node, *_) = self._found(name)
                if node.recipe is not None or self.owns(name):
                    yield normalise(name)

    def header(self, name: str) -> Header:
        """What makefiles say of a target by its name."""
        return self._header_of_target(self._target(name) or Target(name))

    def headers(self) -> Iterator[Header]:
        """All rules as they are told, built-in ones left out."""
        for name, target in self.database.targets.items():
            if target.is_target and not self._is_special(name):
                yield self._header_of_target(target)
        for rule in self.database.patterns:
            if not rule.is_builtin and rule.recipe is not None:
                yield self._header_of_pattern(rule)

    def _is_special(self, name: str) -> bool:
        """Whether it is no file: `.PHONY` and its like, or a suffix rule."""
        if name[0] != "." or "/" in name:
            return False
        suffixes = self.database.suffixes
        return name[1:].replace("_", "").isupper() or any(
            name == each or (name.startswith(each) and name[len(each) :] in suffixes)
            for each in suffixes
        )

    # -- jobs ------------------------------------------------------------------------------

    def job(self, name: str, *, is_outside: bool = False) -> Job | None:
        """A job that makes a file, None if no rule does. `is_outside`: it is not a makefile that
        asks for it; then built-in rules and `.DEFAULT` make only what makefiles speak of. Raises
        BuildError."""
        with self.places.errors():
            nodes = self._found(self._own_name(name))
            node = nodes[0]
            if not any(each.recipe for each in nodes):
                return self._name_job(nodes) if self._stands_for_others(node) else None
            if is_outside and self._is_by_chance(node):
                return None
            if self._is_source(node):
                return None
            return self._recipe_job(nodes)

    def header_of(self, job: Job) -> Header:
        """The rule of a job, as it is told."""
        node = self._nodes[job][0]
        if node.is_by_pattern and node.rule is not None:
            return self._header_of_pattern(node.rule)
        return self._header_of_target(node.target)

    def needs(self, job: Job) -> Needs:
        """What a job needs. Raises BuildError."""
        inputs: dict[str, None] = {}
        later: dict[str, None] = {}
        with self.places.errors():
            for node in self._makers(job):
                self._add_needs(node, inputs, later)
        for own in (job.name, *job.outputs):
            if own in inputs or own in later:
                self.expander.warn(f"Circular {own} <- {own} dependency dropped.")
                inputs.pop(own, None)
                later.pop(own, None)
        return Needs(tuple(inputs), tuple([each for each in later if each not in inputs]))

    def behind(self, name: str) -> Needs:
        """What a makefile says that a file needs which others make. Raises BuildError."""
        target = self._target(name)
        if target is None or not target.is_target:
            return Needs((), ())
        inputs: dict[str, None] = {}
        later: dict[str, None] = {}
        with self.places.errors():
            for node in self.nodes.nodes_of(target.name):
                node.searched = True  # somebody else has its recipe
                self._add_needs(node, inputs, later)
        return Needs(tuple(inputs), tuple(later))

    # -- nodes -----------------------------------------------------------------------------

    def _own_name(self, name: str) -> str:
        return self._own_names.get(name, name)

    def _target(self, name: str) -> Target | None:
        return self.database.targets.get(self._own_name(name))

    def _found(self, name: str) -> list[Node]:
        nodes = self.nodes.nodes_of(name)
        for node in nodes:
            self.nodes.find_rule(node)
        return nodes

    def _is_there(self, node: Node) -> bool:
        return self.directories.folders.exists(node.target.name)

    def _stands_for_others(self, node: Node) -> bool:
        """Whether a name without a recipe is more than a file that is there."""
        if node.is_phony:
            return True
        needs_any = any(each.prerequisites or each.later for each in node.target.entries)
        return node.target.is_target and (needs_any or not self._is_there(node))

    def _is_by_chance(self, node: Node) -> bool:
        """Whether only a built-in rule, or `.DEFAULT`, makes what no makefile speaks of."""
        assert node.recipe is not None
        is_default = node.recipe is self.database.default_recipe
        return (is_default or node.recipe.is_builtin) and not node.target.is_explicit

    def _is_source(self, node: Node) -> bool:
        """Whether a file that a rule for any file could make is there without it: by `.DEFAULT`
        nothing is made that is there; and what a built-in rule would make is a file of the user's
        as long as no build has made it and it is newer than what it would be made of."""
        recipe = node.recipe
        assert recipe is not None
        was_made = self.was_made
        if not self._is_there(node) or (was_made and was_made(normalise(node.target.name))):
            return False
        if recipe is self.database.default_recipe and not node.target.is_target:
            return True
        return recipe.is_builtin and self._is_newest(node)

    def _is_newest(self, node: Node) -> bool:
        """Whether a file is newer than all that it is made of, perhaps by way of files in between
        that are not there, and which no rule makes. Where times decide that need not be asked
        unless there are such files: they would be missed."""
        time = time_of(node.target.name)
        todo = [node]
        for each in todo:
            self.nodes.find_dependencies(each)
            for inner in (dependency.node for dependency in each.dependencies or ()):
                is_made = any(maker.recipe for maker in self._found(inner.target.name))
                if is_made and inner.is_intermediate and not self._is_there(inner):
                    if inner not in todo:
                        todo.append(inner)
                    continue
                is_done_before = inner is not node and (is_made or inner.is_phony)
                if is_done_before or time_of(self._resolved(inner)) > time:
                    return False
        return self.was_made is not None or len(todo) > 1

    def _makers(self, job: Job) -> list[Node]:
        """The nodes whose prerequisites are those of a job."""
        nodes = self._nodes[job]
        return [each for node in nodes for each in (node, *node.peers)]

    def _add_needs(self, node: Node, inputs: dict[str, None], later: dict[str, None]) -> None:
        """Adds what a node needs. Names without a recipe hand on what they need: a file that is
        only said to depend on another counts as changed when that one does."""
        todo = [node]
        seen = {id(node)}
        for each in todo:
            self.nodes.find_dependencies(each)
            self._closed.add(id(each))
            for dependency in each.dependencies or ():
                inner = dependency.node
                if inner.parent is None and id(inner) not in self._closed:
                    inner.parent = each
                wanted = later if dependency.order_only else inputs
                wanted[self._resolved(inner)] = None
                if dependency.order_only or id(inner) in seen:
                    continue
                seen.add(id(inner))
                if inner.target.is_target and not (inner.is_phony or inner.recipe):
                    todo.append(inner)

    def _resolved(self, node: Node) -> str:
        """The name of the file that a prerequisite is: where no rule makes it, one that directory
        search finds elsewhere."""
        name = node.target.name
        nodes = self._found(name)
        if not (node.found or node.is_phony or any(each.recipe for each in nodes)):
            found = self.directories.find(name)
            if found is not None and found != name:
                node.found = node.name = found
        return normalise(node.name)

    # -- making jobs -----------------------------------------------------------------------

    def _name_job(self, nodes: list[Node]) -> Job:
        """A job for a name without a recipe. Where there is no such file it counts as made each
        time, as what is phony does."""
        node = nodes[0]
        name = normalise(node.target.name)
        is_file = not node.is_phony and self._is_there(node)
        traits = self._shared(name, name, _AS_MAKE._replace(rule=name, phony=not is_file))
        job = Job(name, (name,) if is_file else (), traits, self._place_of(node))
        self._nodes[job] = nodes
        return job

    def _recipe_job(self, nodes: list[Node]) -> Job:
        node = nodes[0]
        if node.entry.group:
            node = self._found(self._first_of_group(node.target.name, node.entry))[0]
            nodes = [node]
        elif node.rule is not None and node.peers:
            node = self._first_of_pattern(node, node.rule)
            nodes = [node]
        name = normalise(node.target.name)
        made = [name]
        for peer in node.peers:
            if not peer.is_phony and (node.entry.group or not self.owns(peer.target.name)):
                made.append(normalise(peer.target.name))
        outputs = () if node.is_phony else tuple(sorted(dict.fromkeys(made)))
        makers = [each for each in nodes if each.recipe is not None]
        recipe = MakeRecipe(self.reader, self.telling, makers, self.places.errors)
        traits = self._traits_of(nodes)
        job = Job(outputs[0] if outputs else name, outputs, traits, self._place_of(node), recipe)
        self._nodes[job] = nodes
        return job

    def _first_of_group(self, name: str, entry: Entry) -> str:
        """One name for all targets of a `&:` rule: its recipe is expanded for the first."""
        names = {name, *entry.group}
        return next(each for each in self.database.targets if each in names)

    def _first_of_pattern(self, node: Node, rule: PatternRule) -> Node:
        """The same for all that one run of a pattern rule makes: its recipe is expanded for the
        first target, whichever is asked for, unless another rule makes that one."""
        for peer in node.peers:
            if match_pattern(rule.targets[0], peer.target.name) is not None:
                first = self._found(peer.target.name)[0]
                return first if first.rule is rule else node
        return node

    def _traits_of(self, nodes: list[Node]) -> Traits:
        node, database = nodes[0], self.database
        target = node.target
        rule = node.rule
        label = " ".join(rule.targets) if rule is not None else normalise(target.name)
        is_always = target.is_double and any(
            not each.entry.prerequisites and not each.entry.later for each in nodes
        )
        traits = _AS_MAKE._replace(
            rule=label,
            phony=target.is_phony,
            temporary=node.is_intermediate and not target.is_phony and self.nodes.may_go(node),
            precious=target.is_precious or self._matches(database.precious_patterns, target.name),
            always="::" if is_always else "",
            silent=target.is_silent or database.all_silent,
            ignore_errors=target.is_ignored or database.all_ignored,
            pool=SERIAL if database.not_parallel else "",
        )
        return self._shared(label, id(rule) if rule is not None else target.name, traits)

    def _shared(self, label: str, rule: object, traits: Traits) -> Traits:
        of = traits
        key = (of.phony, of.temporary, of.precious, of.always, of.silent, of.ignore_errors)
        return self._traits.setdefault((label, rule, *key), traits)

    @staticmethod
    def _matches(patterns: Iterable[str], name: str) -> bool:
        return any(match_pattern(each, name) is not None for each in patterns)

    # -- places ----------------------------------------------------------------------------

    def _place_of(self, node: Node) -> Span:
        if node.recipe is not None and node.recipe.place is not None:
            place: Place | None = node.recipe.place
            if node.rule is not None:
                place = node.rule.place or place
            elif node.entry.place is not None:
                place = node.entry.place
            return self.places.span(place)
        return self.places.span(node.entry.place)

    # -- telling ---------------------------------------------------------------------------

    def _header_of_target(self, target: Target) -> Header:
        nodes = self.nodes.nodes_of(target.name)
        entries = target.entries
        told = [each for entry in entries for each in entry.prerequisites]
        later = [text for entry in entries for each in entry.later for text in each.text.split()]
        group = entries[0].group if entries else ()
        return Header(
            normalise(target.name),
            tuple(dict.fromkeys(map(normalise, (target.name, *group)))),
            (*(each.name for each in told if not each.order_only), *later),
            tuple([each.name for each in told if each.order_only]),
            False,
            any(entry.recipe for entry in entries),
            Traits(normalise(target.name), phony=target.is_phony),
            self._place_of(nodes[0]),
        )

    def _header_of_pattern(self, rule: PatternRule) -> Header:
        told = rule.prerequisites
        later = tuple(rule.later.text.split()) if rule.later is not None else ()
        return Header(
            " ".join(rule.targets),
            rule.targets,
            (*(each.name for each in told if not each.order_only), *later),
            tuple([each.name for each in told if each.order_only]),
            True,
            True,
            Traits(" ".join(rule.targets)),
            self.places.span(rule.place),
        )
