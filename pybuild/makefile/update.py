"""The walk: brings goals up to date, as make does it.

Depth first, from left to right. A target is looked at when the walk gets there, and then its rule
is searched for; its recipe is started when all that it needs is there and a slot is free. Where
several recipes may run at once, the walk goes on past what waits, and comes back in the same order.

A target's look is a generator: it asks for another target to be looked at, or (None) to be resumed
when those that run are done. So depth costs no stack.
"""

from __future__ import annotations

from heapq import heappop, heappush

from pybuild.makefile.debugging import Debug
from pybuild.makefile.errors import MakeError
from pybuild.makefile.execution import Executor, Failed
from pybuild.makefile.expand import Expander
from pybuild.makefile.node import MISSING, NEW, UNKNOWN, Dependency, Node, State, Status
from pybuild.makefile.nodes import Nodes
from pybuild.makefile.rules import Database, Prerequisite
from pybuild.makefile.search import Search
from pybuild.makefile.times import Times
from pybuild.typed import (
    Any,
    Callable,
    Collection,
    Generator,
    Iterator,
    NamedTuple,
    Sequence,
)

Look = Generator[Node | None, None, None]


class Manner(NamedTuple):
    """What the options say of a walk. `slots`: 1 means that a recipe is over before the walk goes
    on. `always`: all is made. `shuffle` puts prerequisites and goals in another order."""

    keep_going: bool = False
    always: bool = False
    dry: bool = False
    question: bool = False
    old: Collection[str] = ()
    new: Collection[str] = ()
    slots: int = 1
    shuffle: Callable[[Sequence[Any]], list[Any]] | None = None


class Walk:
    """One run. `prerequisites` gives the names in a text that was expanded a second time.
    `is_remaking`: the goals are the makefiles themselves, which are made before anything else."""

    def __init__(
        self,
        database: Database,
        expander: Expander,
        search: Search,
        times: Times,
        executor: Executor,
        manner: Manner,
        prerequisites: Callable[[str], list[Prerequisite]],
        debug: Debug,
    ) -> None:
        self.database = database
        self.expander = expander
        self.search = search
        self.times = times
        self.executor = executor
        self.manner = manner
        self.debug = debug
        self.is_remaking = False
        self.known = Nodes(
            database,
            expander,
            search,
            prerequisites,
            old=manner.old,
            new=manner.new,
            shuffle=manner.shuffle,
        )
        self.nodes_of = self.known.nodes_of
        self._goals: set[int] = set()  # ids of the nodes of goals
        self._active: set[int] = set()  # of those for which lines were started
        self._earlier: set[int] = set()  # of those looked at in an earlier update, for debugging
        self._stack: list[Node] = []
        self._order: dict[int, int] = {}  # when a node was left waiting first, by its id
        self._position = 0
        self._ready: list[tuple[int, Node]] = []  # in this round, behind the position
        self._ready_next: list[tuple[int, Node]] = []
        executor.finished = self._finished

    # -- goals -----------------------------------------------------------------------------

    def update(self, goals: Sequence[str]) -> int:
        """Brings goals up to date: walks them in their order, then waits for what runs. Raises
        MakeError for what ends make at once."""
        status = Status.SUCCESS
        self._active.clear()
        if self.debug.is_verbose and not self.is_remaking:
            self._earlier = {id(each) for nodes in self.known.nodes.values() for each in nodes}
        if self.manner.shuffle is not None and not self.database.not_parallel:
            goals = self.manner.shuffle(goals)
        todo = [self._goal_nodes(goal) for goal in goals]
        try:
            while todo:
                waiting = []
                self._begin_round()
                for nodes in todo:
                    if not self._advance(nodes):
                        waiting.append(nodes)
                        continue
                    of_goal = max(node.status for node in nodes)
                    if self._ends_all(nodes):
                        return of_goal
                    status = status or of_goal  # what went otherwise than well first
                todo = waiting
                while self._ready:
                    self._resume()
                if todo and not self._ready_next:  # nothing can go on before something ends
                    self.executor.wait()
        except Failed:
            self._stack.clear()
            return Status.FAILED
        return status

    def _goal_nodes(self, goal: str) -> list[Node]:
        self.database.enter(goal).is_explicit = True
        nodes = self.nodes_of(goal)
        self._goals.update(map(id, nodes))
        return nodes

    def _ends_all(self, nodes: Sequence[Node]) -> bool:
        """Whether a goal has failed so that no other is looked at."""
        if self.manner.keep_going:
            return False
        return any(node.status == Status.FAILED and not node.dont_care for node in nodes)

    def _advance(self, nodes: Sequence[Node]) -> bool:
        """Walks a goal as far as can be now; its rules one after the other. Returns whether it is
        done."""
        while self._ready and _goal_of(self._ready[0][1]) in nodes:
            self._resume()
        for node in nodes:
            self._complain_late(node)
            before = self.executor.started
            self._prune(node)
            self._enter(node)
            self._run_stack()
            self._credit(node, before)
            if node.state != State.DONE:
                return False
            if node.status and not self.manner.keep_going:
                break
        for each in nodes[1:]:
            self._prune(each)
        if all(node.status == Status.SUCCESS and id(node) not in self._active for node in nodes):
            self._say_nothing_done(nodes[-1] if nodes[0].target.is_double else nodes[0])
        self._active.difference_update(map(id, nodes))  # it may be a goal once more
        return True

    def _credit(self, node: Node, started: int) -> None:
        """Notes the goal for which more lines were started than there had been."""
        if self.executor.started > started:
            self._active.add(id(_goal_of(node)))

    def _say_nothing_done(self, node: Node) -> None:
        if self.is_remaking or self.executor.is_silent or self.manner.question:
            return
        if node.is_phony or node.recipe is None:
            self.executor.say(f"Nothing to be done for '{node.name}'.")
        else:
            self.executor.say(f"'{node.name}' is up to date.")

    def _begin_round(self) -> None:
        """What waited and can go on now goes on in the order in which it was left."""
        for each in self._ready_next:
            heappush(self._ready, each)
        self._ready_next.clear()
        self._position = 0

    def _resume(self) -> None:
        """Goes on with the first of what has waited."""
        self._position, node = heappop(self._ready)
        if node.state != State.PARKED:
            return  # the recipe of another has made it, or does so now
        node.state = State.UPDATING
        self._stack.append(node)
        started = self.executor.started
        self._run_stack()
        self._credit(node, started)

    def removable(self) -> list[str]:
        """Intermediate files that this run has made and that nobody wants to keep."""
        return [
            node.name
            for nodes in self.known.nodes.values()
            for node in nodes
            if node.is_intermediate
            and node.has_run
            and node.time != MISSING
            and id(node) not in self._goals
            and self.known.may_go(node)
        ]

    # -- the walk itself -------------------------------------------------------------------

    def _enter(self, node: Node) -> None:
        if node.state == State.NEW:
            node.state = State.UPDATING
            node.frame = self._look(node)
            self._stack.append(node)

    def _run_stack(self) -> None:
        while self._stack:
            node = self._stack[-1]
            assert node.frame is not None
            try:
                wanted = next(node.frame)
            except StopIteration:
                node.frame = None
                self._stack.pop()
                continue
            if wanted is None:
                self._stack.pop()
                self._park(node)
            else:
                self._enter(wanted)

    def _park(self, node: Node) -> None:
        """It goes on when those that run before it are done."""
        node.state = State.PARKED
        running = self._running_before(node)
        node.waits_for = len(running)
        for each in running:
            each.waiters.append(node)
        self._order.setdefault(id(node), len(self._order) + 1)
        if not running:
            self._make_ready(node)

    def _running_before(self, node: Node) -> list[Node]:
        """The nodes that run of those that it needs; of an intermediate one, those behind it. What
        makes it along with another is among them."""
        found = {id(peer): peer for peer in node.peers if peer.state == State.RUNNING}
        todo = [node, *node.peers]
        seen = set(map(id, todo))
        for each in todo:
            for dependency in each.dependencies or ():
                for inner in self._rules_of(dependency.node):
                    if _is_running(inner):
                        found[id(inner)] = inner
                    elif inner.state == State.NEW and id(inner) not in seen:
                        seen.add(id(inner))
                        todo.append(inner)
        found.pop(id(node), None)
        return list(found.values())

    def _make_ready(self, node: Node) -> None:
        number = self._order[id(node)]
        heappush(self._ready if number > self._position else self._ready_next, (number, node))

    def _done(self, node: Node) -> None:
        node.state = State.DONE
        for waiter in node.waiters:
            waiter.waits_for -= 1
            if not waiter.waits_for:
                self._make_ready(waiter)
        node.waiters = []

    # -- looking at one target -------------------------------------------------------------

    def _look(self, node: Node) -> Look:
        """All of a target's update, up to the start of its recipe."""
        debug = self.debug
        depth = debug.depth(node) if debug.levels else 0
        debug.verbose(depth, f"Considering target file '{node.name}'.")
        for each in self._rules_of(node):
            # What one rule of `::` does to the file is nothing to the others.
            self._first_time(each)
        own_time = self._first_time(node)
        if own_time == MISSING:
            debug.basic(depth + 1, f"File '{node.name}' does not exist.")
        self._find_rule(node)
        # What the others of a recipe need is brought up to date, too; how old they are themselves
        # counts only if they were written as a group.
        group = [node, *node.peers]
        for each in group:
            self.known.find_dependencies(each)
        oldest = min(map(self._first_time, group)) if node.entry.group else own_time
        while True:
            status, running, newer = yield from self._look_at(group, oldest)
            must_make = oldest == MISSING or newer or self.manner.always
            if must_make and not (status and not self.manner.keep_going):
                inner, still = yield from self._make_intermediates(group)
                status, running = max(status, inner), running or still
            if not running or (status and not self.manner.keep_going):
                break
            debug.verbose(depth, f"The prerequisites of '{node.name}' are being made.")
            yield None
        debug.verbose(depth, f"Finished prerequisites of target file '{node.target.name}'.")
        if status:
            node.status = status
            debug.verbose(depth, f"Giving up on target file '{node.name}'.")
            self._give_up(node)
            return
        self._decide(node, group, own_time, oldest, oldest == MISSING or newer)

    def _first_time(self, node: Node) -> int:
        time = self.times.time(node)
        if node.before == UNKNOWN:
            node.before = time
        return time

    def _look_at(
        self, group: Sequence[Node], own_time: int
    ) -> Generator[Node | None, None, tuple[int, bool, bool]]:
        """Looks at the prerequisites: whether one failed, one still runs, one is newer."""
        status = Status.SUCCESS
        running = must_make = False
        tells = self.debug.is_verbose
        for node in group:
            for each in list(node.order):
                if running and (each.wait or self._is_serial(node)):
                    return status, running, must_make
                found = each.node
                if found.state == State.DONE and not found.target.is_double:
                    # All objects of a project may have the same hundred headers: no calls here.
                    if tells:
                        self._prune(found, node)
                    time = self.times.time(found) if found.time == UNKNOWN else found.time
                    if (time == MISSING or time > own_time) and not each.order_only:
                        must_make = True
                    if found.status:
                        status = max(status, found.status)
                        if not self.manner.keep_going:
                            return status, running, must_make
                    continue
                for inner in self._rules_of(found):
                    if inner.state == State.UPDATING:
                        self._drop(node, each, group[0])
                        break
                    self._adopt(inner, group[0])
                    self._prune(inner, node)
                    newer = yield from self._check(inner, own_time)
                    status = max(status, _status_of(inner))
                    must_make = must_make or (newer and not each.order_only)
                    running = running or _is_running(inner)
                    if _is_running(inner) or (status and not self.manner.keep_going):
                        break
                running = running or self._runs_behind(found)
                if status and not self.manner.keep_going:
                    return status, running, must_make
        return status, running, must_make

    def _adopt(self, node: Node, parent: Node) -> None:
        if node.parent is None and node.state == State.NEW:
            node.parent = parent
            node.dont_care = parent.dont_care

    def _is_serial(self, node: Node) -> bool:
        return node.target.is_serial or self.database.not_parallel

    def _rules_of(self, node: Node) -> list[Node]:
        return self.nodes_of(node.target.name) if node.target.is_double else [node]

    def _runs_behind(self, node: Node) -> bool:
        """Whether something runs that an intermediate file, not made itself, is made of."""
        if node.state != State.NEW:
            return False
        return bool(self._running_before(node))

    def _check(self, node: Node, own_time: int) -> Generator[Node | None, None, bool]:
        """Whether a prerequisite asks for its target to be made. One that is intermediate is not
        made for that: what it would be made of is looked at instead, and so on."""
        newer = False
        seen: set[int] = set()
        path: list[tuple[Node, Iterator[Dependency], bool]] = []  # of intermediate ones
        next_one: tuple[Node, bool] | None = (node, True)
        while True:
            if next_one is not None and id(next_one[0]) not in seen:
                each, counts = next_one
                seen.add(id(each))
                behind = self._behind_intermediate(each, own_time)
                if behind is not None:
                    each.state = State.UPDATING  # what leads back to it is told of
                    path.append((each, iter(behind), counts))
                else:
                    if each.state == State.NEW and not self._is_passed_by(each):
                        yield each
                    newer = newer or (counts and self._is_newer(each, own_time))
            if not path:
                return newer
            owner, rest, counts = path[-1]
            dependency = next(rest, None)
            if dependency is None:
                owner.state = State.NEW
                path.pop()
                next_one = None
            else:
                next_one = self._step(owner, dependency, counts)

    def _step(self, owner: Node, dependency: Dependency, counts: bool) -> tuple[Node, bool] | None:
        """Goes from an intermediate file to what it is made of, unless that leads back."""
        if dependency.node.state == State.UPDATING:
            self._drop(owner, dependency, owner)
            return None
        self._adopt(dependency.node, owner)
        self._prune(dependency.node, owner)
        return dependency.node, counts and not dependency.order_only

    def _is_passed_by(self, node: Node) -> bool:
        return node.state == State.NEW and node.is_intermediate and not node.is_phony

    def _is_newer(self, node: Node, own_time: int) -> bool:
        time = self.times.time(node)
        return time == MISSING or time > own_time

    def _behind_intermediate(self, node: Node, own_time: int) -> list[Dependency] | None:
        """What an intermediate file would be made of; None if it is there and newer itself, or if
        it is none that is passed by."""
        if not self._is_passed_by(node):
            return None
        self._find_rule(node)
        self.known.find_dependencies(node)
        time = self._first_time(node)
        if time != MISSING and time > own_time:
            return None
        return list(node.order)

    def _make_intermediates(
        self, group: Sequence[Node]
    ) -> Generator[Node | None, None, tuple[int, bool]]:
        status = Status.SUCCESS
        running = False
        for node in group:
            for each in node.order:
                if each.node.is_intermediate and each.node.state == State.NEW:
                    yield each.node
                elif each.node.is_intermediate:
                    self._prune(each.node, node)
                status = max(status, _status_of(each.node))
                running = running or _is_running(each.node)
                if status and not self.manner.keep_going:
                    return status, running
        return status, running

    def _drop(self, node: Node, dependency: Dependency, leader: Node) -> None:
        """A prerequisite that leads back here is left out. `leader` is the one of a group that is
        looked at. Where it is the first of another, make takes what is left of these for the
        leader's own."""
        self.executor.warn(f"Circular {leader.name} <- {dependency.node.name} dependency dropped.")
        if node is not leader and node.dependencies and node.dependencies[0] is dependency:
            leader.dependencies = leader.order = node.dependencies[1:]
            return
        for found in (node.dependencies or [], node.order):
            if dependency in found:
                found.remove(dependency)

    def _prune(self, node: Node, parent: Node | None = None) -> None:
        """Says of what has been looked at for something else that it is not looked at again."""
        debug = self.debug
        if not debug.is_verbose or node.state == State.NEW:
            return
        depth = debug.base if parent is None else debug.depth(parent) + 1
        if id(node) in self._earlier:
            self._earlier.remove(id(node))
            debug.verbose(depth, f"Considering target file '{node.name}'.")
            debug.verbose(depth, f"File '{node.name}' was considered already.")
        else:
            debug.verbose(depth, f"Pruning file '{node.name}'.")

    def _explain_prerequisite(self, node: Node, each: Dependency, depth: int) -> None:
        """Says of a prerequisite of a file that is there how old it is."""
        name, target, debug = each.node.name, node.target.name, self.debug
        if each.order_only:
            debug.verbose(depth, f"Prerequisite '{name}' is order-only for target '{target}'.")
        elif each.node.before == MISSING and not each.node.has_run:
            debug.basic(depth, f"Prerequisite '{name}' of target '{target}' does not exist.")
        elif each.has_changed:
            debug.basic(depth, f"Prerequisite '{name}' is newer than target '{target}'.")
        else:
            debug.verbose(depth, f"Prerequisite '{name}' is older than target '{target}'.")

    # -- deciding --------------------------------------------------------------------------

    def _decide(
        self, node: Node, group: Sequence[Node], own_time: int, oldest: int, must_make: bool
    ) -> None:
        always = self.manner.always
        debug = self.debug
        depth = debug.depth(node) if debug.levels else 0
        if must_make or always or debug.levels or node.target.is_double:
            self._note_changes(group, oldest, depth)
        if node.target.is_double and not node.dependencies:
            debug.basic(depth, f"Target '{node.name}' is double-colon and has no prerequisites.")
            must_make = True
        elif (
            own_time != MISSING
            and node.target.is_target
            and node.recipe is None
            and not always
            and not self._have_been_made(group)
        ):
            debug.verbose(
                depth, f"No recipe for '{node.name}' and no prerequisites actually changed."
            )
            must_make = False
        elif not must_make and node.recipe is not None and always:
            debug.verbose(depth, f"Making '{node.target.name}' due to always-make flag.")
            must_make = True
        elsewhere = node.found
        if not must_make:
            using = f"; using VPATH name '{elsewhere}'" if elsewhere else ""
            debug.verbose(depth, f"No need to remake target '{node.target.name}'{using}.")
            self._done(node)
            return
        debug.basic(depth, f"Must remake target '{node.target.name}'.")
        if elsewhere and not self.times.is_kept(node):
            debug.basic(0, f"  Ignoring VPATH name '{elsewhere}'.")
            node.name = node.target.name
            node.found = ""
        self._remake(node)
        if node.state == State.RUNNING:
            debug.verbose(depth, f"Recipe of '{node.name}' is being run.")

    def _note_changes(self, group: Sequence[Node], oldest: int, depth: int) -> None:
        """Which prerequisites are newer, or have been made: for `$?`, and for who asks why."""
        for owner in group:
            for each in owner.dependencies or ():
                time = self.times.time(each.node)
                each.has_changed = (
                    _has_been_made(each.node, time) or MISSING in (oldest, time) or time > oldest
                )
                if self.debug.levels and oldest != MISSING:
                    self._explain_prerequisite(owner, each, depth + 1)
                each.has_changed |= self.manner.always

    def _have_been_made(self, group: Sequence[Node]) -> bool:
        """Whether this run has made one of the prerequisites that count."""
        return any(
            not each.order_only and _has_been_made(each.node, self.times.time(each.node))
            for owner in group
            for each in owner.dependencies or ()
        )

    def _remake(self, node: Node) -> None:
        if node.recipe is not None:
            node.state = State.RUNNING
            for peer in node.peers:
                if peer.state in (State.NEW, State.PARKED):
                    peer.state = State.RUNNING
                    self._first_time(peer)
            self.executor.start(node, self._is_linear)
        elif node.is_phony or node.target.is_target:
            if node.time == MISSING and not node.is_phony:
                node.time = NEW  # nothing made it, and still it counts as made
            self._finished(node)
        else:
            node.status = Status.FAILED
            self._complain(node)
            self._explain_end(node)
            self._done(node)

    @property
    def _is_linear(self) -> bool:
        """Whether a recipe is over before the walk goes on."""
        return self.manner.slots == 1 or self.database.not_parallel

    def _complain(self, node: Node) -> None:
        """No rule makes it."""
        if node.dont_care:
            return
        not_found = node.take_not_found()
        if not_found:
            self.executor.console.err(not_found)
        wanted_by = f", needed by '{node.parent.name}'" if node.parent else ""
        message = f"No rule to make target '{node.name}'{wanted_by}"
        if not self.manner.keep_going:
            raise MakeError(message)
        self.executor.complain(f"*** {message}.")

    def _complain_late(self, goal: Node) -> None:
        """Says of a goal what it lacks, if it failed as a makefile and nobody wanted to hear it."""
        if goal.state != State.DONE or goal.status != Status.FAILED or self.is_remaking:
            return
        node: Node | None = goal
        while node is not None and node.dont_care:
            node.dont_care = False
            failed = [each.node for each in node.dependencies or () if each.node.status]
            if not failed and node.recipe is None:
                self._complain(node)
            node = failed[0] if failed else None

    def _give_up(self, node: Node) -> None:
        """A prerequisite could not be made. That is told of a goal, unless it has been looked at as
        a prerequisite of another."""
        if (
            node.parent is None
            and self.manner.keep_going
            and not (self.manner.dry or self.manner.question or self.is_remaking)
        ):
            self.executor.warn(f"Target '{node.name}' not remade because of errors.")
        self._done(node)

    def _finished(self, node: Node) -> None:
        """A recipe is over, or there was none to run."""
        self._explain_end(node)
        made = [node]
        for peer in node.peers:
            if peer.state == State.UPDATING:
                peer.time = UNKNOWN  # the walk is above it, and goes on with it
            elif peer.state != State.DONE:
                made.append(peer)
        for each in made:
            each.status = node.status
            each.has_run = node.has_run
            if node.has_run and not each.is_phony:
                each.time = NEW if self.executor.only_pretends(node.recipe) else UNKNOWN
        if node.has_run:
            self.search.folders.refresh()
            self._look_for_peers(node)
        for each in made:
            if each.state != State.DONE:
                each.frame = None if each is not node else each.frame
                self._done(each)

    def _explain_end(self, node: Node) -> None:
        is_later = not self._is_linear and node.has_run
        if is_later or not self.debug.is_basic:
            return
        depth = self.debug.depth(node)
        if node.status == Status.QUESTION:
            self.debug.basic(depth, f"Target file '{node.name}' needs to be remade under -q.")
        elif node.status != Status.FAILED:
            self.debug.basic(depth, f"Successfully remade target file '{node.name}'.")
        elif self.manner.keep_going or node.dont_care:
            self.debug.basic(depth, f"Failed to remake target file '{node.name}'.")

    def _look_for_peers(self, node: Node) -> None:
        """A pattern rule says that it makes several files: it has to."""
        if node.entry.group or node.is_grouped:
            return
        if self.executor.only_pretends(node.recipe):
            return
        for peer in node.peers:
            if peer.is_phony or self.times.time(peer) != MISSING:
                continue
            if node.before < self.times.time(node) < NEW:
                self.executor.warn_at(
                    node.failed_at or (node.recipe.place if node.recipe else None),
                    f"warning: pattern recipe did not update peer target '{peer.name}'.",
                )

    def _find_rule(self, node: Node) -> None:
        if self.debug.is_implicit:
            self.debug.searched = self.debug.depth(node) + 1
        self.known.find_rule(node)


def _status_of(node: Node) -> int:
    return node.status if node.state == State.DONE else Status.SUCCESS


def _goal_of(node: Node) -> Node:
    """The goal for which it was looked at first."""
    while node.parent is not None:
        node = node.parent
    return node


def _is_running(node: Node) -> bool:
    return node.state in (State.PARKED, State.RUNNING)


def _has_been_made(node: Node, time: int) -> bool:
    if node.is_phony and node.recipe is not None:
        return True
    return node.before not in (UNKNOWN, time)
