"""Rules meet files and become jobs.

Files flow: each file, on disk or planned, is offered once to the rules whose driver could take it;
a match makes a job, or joins one, and the job's targets are new planned files that flow on. What a
job needs besides its driver is filled in when somebody wants the job (`close`).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pybuild.graph import Graph, Header, Job, Traits
from pybuild.names import Pattern, Wild, folder_of, normalise, overlaps
from pybuild.pipefile.binding import GUEST, LATE, NAME, RULE, Binding, JobLookup, whole_files
from pybuild.pipefile.drivers import Driver, Drivers, Match, sources
from pybuild.pipefile.fingerprint import Fingerprints
from pybuild.pipefile.guest import Guest, rule_of
from pybuild.pipefile.recipe import PipeRecipe
from pybuild.pipefile.rings import first_ring
from pybuild.pipefile.rules import COLLATE, LITERAL, PATTERN, STATIC, Pipeline, Rule
from pybuild.pipefile.search import Search, fill, match
from pybuild.pipefile.template import (
    Hole,
    Lookup,
    Template,
    WholeFile,
    as_names,
    evaluate,
)
from pybuild.pipefile.tuples import PRODUCT, Member, Members
from pybuild.pipefile.universe import Universe
from pybuild.pipefile.upstream import Upstream, target_reach
from pybuild.regex import regex
from pybuild.source import (
    BuildError,
    Diagnostic,
    Edit,
    Fix,
    Note,
    Span,
    did_you_mean,
    joined,
    nearest_fixes,
)
from pybuild.typed import Any

Wanted = dict[str, Span]  # names that a job needs, each with the place that asks for it
_MAKE_VARIABLE = regex(r"\$[({]([A-Za-z_]\w*)[)}]")


class Instantiation:
    """The jobs of a pipeline, growing, with those of the makefiles that are its `guest`. Is the
    engine's `Grow`."""

    def __init__(
        self,
        pipeline: Pipeline,
        universe: Universe,
        prints: Fingerprints,
        guest: Guest | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.universe = universe
        self.prints = prints
        self.guest = guest
        self.graph = Graph()
        self.graph.pools = pipeline.pools
        self.diagnostics: list[Diagnostic] = []
        self.jobs_of: dict[int, list[Job]] = {rule.index: [] for rule in pipeline.rules}
        self.search = Search(self)
        self._rules = [rule for rule in pipeline.rules if rule.settings.active]
        self.made_of: dict[int, tuple[str, ...]] = {}
        self._upstream = Upstream(self._rules)
        self._aliases: dict[tuple[str, str], Job] = {}
        self._groups: dict[int, dict[tuple[str, ...], Job]] = {}
        self._offered: set[str] = set()  # sources: a job might yet make one of them
        self._taken: dict[int, set[str]] = {}  # by rules to which a file may come twice
        self._matched: set[int] = set()
        self._bits: dict[int, int] = {}
        self._lineages: dict[int, int] = {}  # each kept once: they are large numbers
        self._drivers = Drivers()
        self._followers: dict[str, list[tuple[Rule, int]]] = {}
        self._called: list[tuple[Rule, Hole, int]] = []
        self._named: list[tuple[Rule, str, int]] = []  # plain names that have yet to drive a rule
        self._members: dict[int, Members] = {}  # of rules that take tuples of files
        self._queue: deque[str] = deque()
        self._extra: dict[str, list[Binding]] = {}
        self._told: set[tuple[str, Span | None, tuple[Note, ...]]] = set()
        # The jobs of each rule that have yet to say what they make, by number.
        self._unresolved_of: dict[int, dict[int, Job]] = {}
        self._joins: dict[int, dict[tuple[str, ...], list[str]] | None] = {}
        self._guest_rules: dict[tuple[object, ...], Rule] = {}
        self._guest_is_all = not self._rules  # there is no rule but those of makefiles
        self._no_guest: set[str] = set()  # names that no makefile makes
        self._globs: dict[str, list[str]] = {}

    # -- the flow --------------------------------------------------------------------------

    def flow(self) -> None:
        """Lets all files flow through all rules. What is wrong is in `diagnostics`."""
        for rule in sorted(self._rules, key=lambda rule: rule.flavour in (LITERAL, STATIC)):
            self._guarded(self._open, rule)  # those that make files at once, after those that wait
        if self.guest is not None:
            self._guarded(self._take_in, self.guest)
        names = sources(self._drivers, self.universe, self._look)
        self._drain()
        held = []
        for name in names:
            if self.universe.made(name):
                held.append(name)
            elif not self.universe.is_planned(name):
                self._offer_source(name, self._drivers.matches(name))
        for name in held:
            matches = [] if self.universe.is_planned(name) else self._drivers.matches(name)
            if matches and not self.universe.is_leftover(name):
                self._offer_source(name, matches)
        if not self._upstream.has_splits:
            self._offered.clear()  # nothing more will be made of what is now a source
        self._call_drivers()
        for rule in self._rules:
            for each in rule.settings.depends:
                if hasattr(each.thing, "__fspath__"):
                    self._guarded(self._refuse_made, os.fspath(each.thing), each.place)

    def _refuse_made(self, name: str, place: Span) -> None:
        """A file that `@depends` names was looked at before any rule could make it."""
        if self._has_recipe(normalise(name)):
            raise BuildError(
                Diagnostic(
                    "PB215",
                    f"`@depends`: a rule makes `{name}`",
                    place,
                    help="put it among the prerequisites",
                )
            )

    def _look(self, look: Callable[[Driver], None], driver: Driver) -> None:
        """Looks for the files on disk that could drive a rule."""
        try:
            look(driver)
        except BuildError as error:
            self._keep(error.at(driver.rule.span))

    def _guarded(self, deed: Callable[..., None], *arguments: Any) -> None:
        """Keeps what is wrong; a mistake at one place is told once, however many files meet it."""
        try:
            deed(*arguments)
        except BuildError as error:
            self._keep(error)

    def _keep(self, error: BuildError) -> None:
        for each in error.diagnostics:
            mistake = (each.code, each.span, each.notes)
            if mistake not in self._told:
                self._told.add(mistake)
                self.diagnostics.append(each)

    def _open(self, rule: Rule) -> None:
        """A rule enters: its jobs that need no driver, or its place in the index."""
        if rule.flavour == LITERAL:
            self._literal(rule)
        elif rule.flavour == STATIC:
            self._static(rule)
        elif rule.flavour == PATTERN:
            self.search.add(rule)
        elif not rule.drivers:
            raise BuildError(
                Diagnostic(
                    "PB205",
                    "targets with placeholders need a prerequisite that fills them in",
                    rule.span,
                )
            )
        else:
            self._bits[rule.index] = 1 << len(self._bits)
            if rule.way is not None:
                self._members[rule.index] = Members(rule.way)
            elif len(rule.drivers) > 1 or rule.drivers[0].call is not None:
                self._taken[rule.index] = set()
            for driver, place in zip(rule.drivers, rule.places, strict=True):
                self._index(rule, driver, place)

    def _index(self, rule: Rule, driver: Template, place: int) -> None:
        if driver.rule:
            self._followers.setdefault(driver.rule, []).append((rule, place))
            return
        if driver.call is not None:
            self._called.append((rule, driver.call, place))
            return
        if any(isinstance(piece, Hole) for piece in driver.pieces):
            raise BuildError(
                Diagnostic(
                    "PB205",
                    f"`{driver}`: the first prerequisite can't ask for what it is to tell",
                    driver.span,
                    help="it takes text, wildcards, variables and captures",
                )
            )
        self._drivers.add(Driver(rule, driver.reach(), place))
        if driver.literal is not None and (rule.for_each or not rule.settings.optional):
            self._named.append((rule, driver.literal, place))
            self._taken.setdefault(rule.index, set())

    def _offer_source(self, name: str, matches: Iterable[Match]) -> None:
        self._offered.add(name)
        self._offer(name, matches)
        self._drain()

    def _drain(self) -> None:
        """Offers what is queued, and what comes of it, to the rules."""
        while self._queue:
            name = self._queue.popleft()
            if name not in self._offered:
                self._offer(name, self._drivers.matches(name))

    def _offer(self, name: str, matches: Iterable[Match]) -> None:
        for rule, captured, place in matches:
            self._take(rule, name, captured, place)

    def _take(self, rule: Rule, name: str, captured: tuple[str, ...], place: int) -> None:
        """A file drives a rule, once, unless it came out of that rule."""
        lineage = self._lineage(name)
        bit = self._bits[rule.index]
        if lineage & bit:
            return
        members = self._members.get(rule.index)
        if members is not None:
            for some in members.add(place, Member(name, captured)):
                self._guarded(self._match_tuple, rule, some, bit)
            return
        taken = self._taken.get(rule.index)
        if taken is not None:
            if name in taken:
                return
            taken.add(name)
        self._matched.add(rule.index)
        lineage |= bit
        lineage = self._lineages.setdefault(lineage, lineage)
        binding = Binding(self, rule, (name,), captured, "", lineage)
        if rule.drivers[0].alias:
            binding.call(rule.drivers[0].alias, WholeFile(name))
        self._guarded(self._match, rule, binding)

    def _match_tuple(self, rule: Rule, members: Sequence[Member], lineage: int) -> None:
        """Files that are taken together make a job."""
        self._matched.add(rule.index)
        for each in members:
            lineage |= self._lineage(each.name)
        lineage = self._lineages.setdefault(lineage, lineage)
        names = tuple([each.name for each in members])
        binding = Binding(self, rule, names, members[0].captured, "", lineage)
        binding.each = [each.captured for each in members]
        self._name_places(rule, binding)
        self._match(rule, binding)

    def _name_places(self, rule: Rule, binding: Binding) -> None:
        """The names that drivers have (`a=left/*.txt`) are those of their files in the tuple."""
        for driver, place in zip(rule.drivers, rule.places, strict=True):
            if driver.alias and rule.way and rule.way.kind == PRODUCT:
                binding.call(driver.alias, WholeFile(binding.members[place]))
            elif driver.alias:
                binding.call(driver.alias, whole_files(binding.members))

    def _lineage(self, name: str) -> int:
        """The rules that a file came out of, as bits."""
        job = self.graph.producer.get(name)
        if job is None or not (name in job.outputs or name in self.made_of.get(job.number, ())):
            return 0
        return job.binding.lineage  # type: ignore[no-any-return]

    def _match(self, rule: Rule, binding: Binding) -> None:
        targets = self._targets(rule, binding)
        if rule.recipe is None and not rule.splits:
            for target in targets:
                self._extra.setdefault(str(target), []).append(binding)
        elif rule.flavour == COLLATE:
            self._collate(rule, binding, targets)
        else:
            self._add(rule, binding, targets)

    def _collate(self, rule: Rule, binding: Binding, targets: Sequence[str | Pattern]) -> None:
        """A match joins the job with the same targets, or is the first of one."""
        groups = self._groups.setdefault(rule.index, {})
        key = tuple(map(str, targets))
        job = groups.get(key)
        if job is None:
            job = self._add(rule, binding, targets)
            groups[job.outputs if job.outputs == key else key] = job
        else:
            job.binding.join(binding.members[0], binding.captured, binding.lineage)

    def _targets(self, rule: Rule, binding: Binding) -> list[str | Pattern]:
        """The names of a job's targets; globs of a split as patterns."""
        lookup = binding.early_lookup()
        found: list[str | Pattern] = []
        for template in rule.targets:
            if template.has_wildcards:
                target: str | Pattern = Pattern(_joined(template.fill(lookup)))
            else:
                target = _name(template.text(lookup), template.span)
            if template.alias:
                binding.call(
                    template.alias, WholeFile(target) if isinstance(target, str) else str(target)
                )
            found.append(target)
        return found

    def _literal(self, rule: Rule) -> None:
        """A rule with plain targets: one job for each, or one for all."""
        binding = Binding(self, rule)
        targets = self._targets(rule, binding)
        if rule.recipe is None:
            for target in targets:
                self._extra.setdefault(str(target), []).append(binding)
            return
        targets = list(dict.fromkeys(targets))
        if rule.splits or rule.grouped or len(targets) == 1:
            self._add(rule, binding, targets)
            return
        for target in targets:
            own = Binding(self, rule)
            own.aliases = binding.aliases
            self._add(rule, own, [target])

    def _static(self, rule: Rule) -> None:
        for template in rule.targets:
            target = template.literal
            fit = match(rule.patterns[0], target) if target else None
            if target is None or fit is None:
                raise BuildError(
                    Diagnostic(
                        "PB223",
                        f"`{template}` does not match `{rule.patterns[0]}`",
                        template.span,
                        help="each target of a static pattern rule has to match its pattern",
                    )
                )
            self.add_pattern_job(
                rule,
                [target],
                [fill(text, *fit) for text in rule.sources],
                [fill(text, *fit) for text in rule.later],
                fit[0],
            )

    def add_pattern_job(
        self, rule: Rule, targets: list[str], sources: list[str], later: list[str], stem: str
    ) -> Job:
        """A job of a rule with `%`, whose names are known."""
        binding = Binding(self, rule, stem=stem)
        binding.sources, binding.later = sources, later
        return self._add(rule, binding, list(targets), quiet=rule.flavour == PATTERN)

    def _add(
        self,
        rule: Rule,
        binding: Binding,
        targets: Sequence[str | Pattern],
        quiet: bool = False,
    ) -> Job:
        """A new job; its outputs flow on, unless they are made on demand (`quiet`)."""
        names = [each for each in targets if isinstance(each, str)]
        patterns: tuple[Pattern, ...] = ()
        if len(names) < len(targets):
            patterns = tuple(each for each in targets if isinstance(each, Pattern))
        if rule.splits:
            patterns += tuple(Pattern([name]) for name in names)
            names = []
        outputs = () if rule.traits.phony else tuple(dict.fromkeys(names))
        name = names[0] if names else str(patterns[0])
        if rule.value:
            name = f"value {rule.name}"
        recipe = PipeRecipe(rule.recipe, binding) if rule.recipe else None
        job = Job(name, outputs, rule.traits, rule.span, recipe, patterns, binding)
        for each in dict.fromkeys((*names, name)):
            self._refuse_second(job, each)
        binding.job = job
        self.jobs_of[rule.index].append(job)
        self.graph.add(job)
        if rule.value:
            self.graph.producer[name] = job  # so that no file has this name too
        if patterns:
            self._unresolved_of.setdefault(rule.index, {})[job.number] = job
            self.graph.producer[name] = job
            self.universe.own(self.universe.outputs_of(name))
        if not quiet:
            self._announce(job, outputs)
        return job

    def _announce(self, job: Job, outputs: Iterable[str]) -> None:
        binding = job.binding
        for output in outputs:
            self.universe.plan(output)
            self._queue.append(output)
            for follower, place in self._followers.get(binding.rule.name, ()):
                self._take(follower, output, (), place)

    def _refuse_second(self, job: Job, name: str) -> None:
        """Raises BuildError if another job makes the file."""
        other = self.graph.producer.get(name)
        if other is None and job.binding.task != GUEST and self.guest_owns(name):
            other = self.guest_job(name)
        if other is None or other is job:  # a split may be known by the name of its only file
            return
        if other.binding.rule is job.binding.rule and job.binding.members:
            one, two = (_told_members(each.binding.members) for each in (other, job))
            help = (
                "`collate` makes one job of all matches with the same targets; or use a further "
                "capture in the target"
            )
            fixes: tuple[Fix, ...] = ()
            if job.binding.rule.way is not None:
                help = "let the target name what differs in each file that goes into it"
            elif job.origin is not None:
                place = job.origin.but(end=job.origin.start)
                fixes = (Fix("make one job of them by `collate`", (Edit(place, "collate "),)),)
            raise BuildError(
                Diagnostic(
                    "PB302",
                    f"`{one}` and `{two}` both make `{name}`",
                    job.origin,
                    help=help,
                    fixes=fixes,
                )
            )
        raise BuildError(
            Diagnostic(
                "PB303",
                f"two rules make `{name}`",
                job.origin,
                (Note("the other one", other.origin),),
                "take the target out of one of them",
            )
        )

    def _call_drivers(self) -> None:
        """Drivers that are calls of functions: they may look at what is planned by now. And names
        that are no file yet: what is needed and can't be made is an error of the job."""
        for rule, hole, place in self._called:
            self._guarded(self._call_driver, rule, hole, place)
        waiting = []
        for each in self._named:
            rule, name, place = each
            if any(self._unresolved_of.get(split.index) for split in self._upstream.of(rule)):
                waiting.append(each)
            elif name not in self._taken[rule.index]:
                self._take(rule, name, (), place)
                self._drain()
        self._named = waiting

    def _call_driver(self, rule: Rule, hole: Hole, place: int) -> None:
        value = evaluate(hole.reference, self.pipeline.namespace.__getitem__, hole.span)
        for name in as_names(value, hole.span):
            self._take(rule, normalise(name), (), place)
        self._drain()

    # -- closing ---------------------------------------------------------------------------

    def close(self, job: Job) -> list[Job]:
        """Fills in a job's inputs, or returns the splits that have to be done first, with the jobs
        that make what it is known to need already: nobody waits for a split without need."""
        binding = job.binding
        if binding.closed:
            return []
        if binding.task == GUEST:
            return self._close_guest(job, binding)
        waits = [each for each in self._unresolved(job) if each is not job]
        if not waits:
            self._fill(job, binding)
            binding.closed = True
            return []
        known = {each.number: each for each in waits}
        known |= {each.number: each for each in self._known_makers(job) if each is not job}
        return list(known.values())

    def _known_makers(self, job: Job) -> Iterator[Job]:
        """The jobs that an open job needs whatever its splits will bring."""
        binding = job.binding
        rules = [binding.rule]
        if binding.task == RULE:
            yield from self.jobs_of[binding.rule.index]
            return
        if binding.task == NAME:
            rules = [each.rule for each in self._extra[job.name]]
        for rule in rules:
            drivers = () if rule.for_each else rule.drivers
            for template in (*drivers, *rule.prerequisites, *rule.order_only):
                above = self.pipeline.named.get(template.rule)
                if above is not None:
                    yield from self.jobs_of[above.index]
                elif template.literal:
                    maker = self.graph.producer.get(template.literal)
                    if maker is not None:
                        yield maker

    def _unresolved(self, job: Job) -> list[Job]:
        if not self._upstream.has_splits:
            return []
        binding = job.binding
        rules = [binding.rule]
        if binding.task == NAME:
            rules = [each.rule for each in self._extra[job.name]]
        splits = {split.index: split for rule in rules for split in self._upstream.of(rule)}
        if binding.task in (RULE, LATE) and binding.rule.splits:
            splits[binding.rule.index] = binding.rule
        return [
            each
            for split in splits.values()
            for each in self._unresolved_of.get(split.index, {}).values()
        ]

    def resolve(self, job: Job, outputs: Iterable[str]) -> None:
        """A split is done, and these are its files: they flow on."""
        if self._unresolved_of[job.binding.rule.index].pop(job.number, None) is None:
            return
        names = tuple(sorted(outputs))
        for name in names:
            self._refuse_second(job, name)
            self.graph.producer[name] = job
        self.made_of[job.number] = names
        self._announce(job, names)
        self._drain()
        self._globs.clear()
        self._joins.clear()
        self._call_drivers()
        if self.diagnostics:
            found, self.diagnostics = self.diagnostics, []
            raise BuildError(*found)

    def strangers(self, job: Job) -> list[str]:
        """Files on disk that match the globs of a split; looked up anew."""
        found: dict[str, None] = {}
        for pattern in job.patterns:
            self.universe.look_again(pattern)
            found.update(dict.fromkeys(self.universe.on_disk(pattern)))
        return sorted(found)

    def claimable(self, job: Job) -> list[str]:
        """Those of them that the split may have made: no other job makes them, and no rule names
        them as a prerequisite."""
        taken = {*job.inputs, *job.order_only, *self.named_files()}
        return [
            name
            for name in self.strangers(job)
            if name not in taken and self.graph.producer.get(name) in (None, job)
        ]

    def named_files(self) -> set[str]:
        """The names of files that rules have among their prerequisites as they are written, and of
        included Pipefiles."""
        found = set(self.pipeline.included)
        for rule in self.pipeline.rules:
            for template in (*rule.drivers, *rule.prerequisites, *rule.order_only):
                if template.literal:
                    found.add(template.literal)
            found.update(text for text in (*rule.sources, *rule.later) if "%" not in text)
        return found

    def outputs_of(self, rule: Rule) -> list[str]:
        """All outputs of a rule, as far as known; of several jobs sorted."""
        jobs = self.jobs_of[rule.index]
        found: list[str] = []
        for job in jobs:
            found += self.made_of.get(job.number, job.outputs)
        if len(jobs) == 1 and not jobs[0].patterns:
            return found
        return sorted(found)

    def _fill(self, job: Job, binding: Binding) -> None:
        """Works out a job's inputs; with each name goes the place that asks for it."""
        rule = binding.rule
        driver = rule.drivers[0] if rule.drivers else None
        members = binding.driving_inputs if rule.way else sorted(binding.driving_inputs)
        inputs: Wanted = dict.fromkeys(members, driver.span if driver else job.origin)
        later: Wanted = {}
        if driver is not None and driver.alias and not rule.way:
            files = whole_files(sorted(binding.members))
            binding.call(driver.alias, files[0] if len(files) == 1 else files)
        if rule.flavour in (PATTERN, STATIC) and not binding.task:
            inputs.update(_placed(binding.sources, rule.prerequisites))
            later.update(_placed(binding.later, rule.order_only))
        elif binding.task == RULE:
            inputs.update(dict.fromkeys(self._files_of(rule), job.origin))
        elif binding.task == LATE:
            inputs[job.name] = job.origin
        elif not binding.task:
            self._add_all(job, binding, inputs, later)
        if binding.task in ("", NAME):
            self._add_extra(job, inputs, later)
        self._refuse_itself(job, inputs, later)
        inputs, later = self._flattened(job, inputs), self._flattened(job, later)
        if rule.value and not binding.task:
            self._refuse_temporary(rule, {**inputs, **later})
        names = tuple(inputs)
        job.inputs = binding.members if names == binding.members else names  # kept once
        job.order_only = tuple([each for each in later if each not in inputs]) if later else ()
        self._check_sources(job, inputs, later)

    def _add_extra(self, job: Job, inputs: Wanted, later: Wanted) -> None:
        """What rules without a recipe say that a job needs, in either language."""
        for name in job.outputs or (job.name,):
            for extra in self._extra.get(name, ()):
                inputs.update(dict.fromkeys(extra.driving_inputs, extra.rule.span))
                self._add_all(job, extra, inputs, later)
            if self.guest is not None and job.binding.task != GUEST:
                needs = self.guest.behind(name)
                inputs.update(dict.fromkeys(needs.inputs, job.origin))
                later.update(dict.fromkeys(needs.order_only, job.origin))

    def _refuse_temporary(self, rule: Rule, inputs: Wanted) -> None:
        """A value that is not kept may have to be made again when its inputs are gone."""
        for name, place in inputs.items():
            maker = self.graph.producer.get(name)
            if maker is not None and maker.traits.temporary and not rule.settings.cached:
                raise BuildError(
                    Diagnostic(
                        "PB215",
                        f"`{name}` is a `@temp` file, and the value `{rule.name}` may be made "
                        "again when it is gone",
                        place,
                        help=f"put `@cached` above `{rule.name}`",
                    )
                )

    def _add_all(self, job: Job, binding: Binding, inputs: Wanted, later: Wanted) -> None:
        """The prerequisites of a rule besides its driver, for one job."""
        rule = binding.rule
        failed: list[BuildError] = []
        for templates, names in ((rule.prerequisites, inputs), (rule.order_only, later)):
            for template in templates:
                try:
                    self._add_names(job, binding, template, inputs, names)
                except BuildError as error:
                    failed.append(error)
        for name in rule.settings.follows:
            try:
                later.update(dict.fromkeys(self._files_behind(name), job.origin))
            except BuildError as error:
                failed.append(error)
        if failed:
            raise joined(failed)

    def _refuse_itself(self, job: Job, inputs: Wanted, later: Wanted) -> None:
        for name in self._made_by(job):
            place = inputs.get(name) or later.get(name)
            if place is not None:
                raise _needs_itself([name, name], place)

    def _made_by(self, job: Job) -> Sequence[str]:
        """The names that a job makes, or the one that it stands for."""
        return job.outputs or (() if job.binding.task in (LATE, RULE) else (job.name,))

    def _add_names(
        self, job: Job, binding: Binding, template: Template, inputs: Wanted, names: Wanted
    ) -> None:
        found = self._names_of(job, binding, template, inputs)
        names.update(dict.fromkeys(found, template.span))
        if template.alias:
            files = [WholeFile(name) for name in found]
            many = len(files) != 1 or template.has_wildcards or template.rule
            old = binding.aliases.get(template.alias)
            if isinstance(old, list) and old != files:
                files = old + files
            elif isinstance(old, WholeFile) and old != files[0]:
                files = [old, *files]
                many = True
            binding.call(template.alias, files if many else files[0])

    def _names_of(
        self, job: Job, binding: Binding, template: Template, inputs: Wanted
    ) -> list[str]:
        """The files that a prerequisite stands for in one job. Raises BuildError."""
        if template.literal is not None:
            return [template.literal]
        if template.rule:
            return self._files_behind(template.rule)
        lookup = JobLookup(binding, tuple(inputs), job.outputs, job, ())
        if template.call is not None:
            value = evaluate(template.call.reference, lookup, template.call.span)
            return [normalise(name) for name in as_names(value, template.span)]
        found: list[list[str]] = []
        for one in binding.member_lookups(lookup):
            if not template.has_wildcards:
                found.append([_name(template.text(one), template.span)])
            else:
                found.append(self._filled(template, one))
        names = list(dict.fromkeys(name for part in found for name in part))
        names = [name for name in names if name not in job.outputs]
        if not names and template.has_wildcards and not self._may_be_empty(template, binding.rule):
            raise BuildError(
                Diagnostic(
                    "PB304",
                    f"nothing matches `{template}`",
                    template.span,
                    (Note(f"wanted for `{job.name}`"),),
                    self._near(template) or "`@optional` above the rule says that this is no error",
                )
            )
        return names

    def _may_be_empty(self, template: Template, rule: Rule) -> bool:
        if rule.settings.optional:
            return True
        reach = template.reach()
        return any(
            overlaps(reach, each)
            for split in self._upstream.of(rule)
            for each in target_reach(split)
        ) or any(
            overlaps(reach, each)
            for other in self.pipeline.rules
            if other.settings.optional or not other.settings.active or self._upstream.of(other)
            for each in target_reach(other)
        )

    def _near(self, template: Template) -> str:
        """Why nothing matches a pattern, or what was perhaps meant."""
        pattern = template.reach()
        left = [each for each in self.universe.on_disk(pattern) if self.universe.is_leftover(each)]
        if left:
            return (
                "an earlier build made what would match, and no rule makes it now: "
                f"`pybuild -t {left[0]}` makes a file your own"
            )
        folder = pattern.folder
        files, folders = self.universe.listing(folder)
        if not files and not folders and folder:
            return self._why_empty(folder)
        base = folder.rstrip("/") + "/" if folder else ""
        files = [each for each in files if not self.universe.is_leftover(base + each)]
        return did_you_mean(str(template).rpartition("/")[2], files, base)

    def _why_empty(self, folder: str) -> str:
        unreadable = f"the folder `{folder}` cannot be read: check its permissions"
        try:
            status = self.universe.status(folder)
        except BuildError:
            return unreadable
        if status is None:
            return f"there is no folder `{folder}`"
        if not status.is_folder:
            return f"`{folder}` is no folder"
        return "" if os.access(folder, os.R_OK | os.X_OK) else unreadable

    def _glob(self, pattern: Pattern) -> list[str]:
        key = str(pattern)
        if key not in self._globs:
            self._globs[key] = self.universe.matches(pattern)
        return self._globs[key]

    def _filled(self, template: Template, lookup: Lookup) -> list[str]:
        """What a glob matches when its captures are filled in. Where each name can match in one way
        only, all its matches are found once and sorted by their captures."""
        pattern = template.reach()
        if id(template) not in self._joins:
            self._joins[id(template)] = self._join(pattern) if pattern.is_unambiguous else None
        table = self._joins[id(template)]
        texts = tuple(str(lookup(field)) for field in pattern.fields)
        if table is None or any("/" in text for text in texts):
            return self._glob(Pattern(_joined(template.fill(lookup))))
        return table.get(texts, [])

    def _join(self, pattern: Pattern) -> dict[tuple[str, ...], list[str]]:
        """All names that match, by the texts of the captures."""
        table: dict[tuple[str, ...], list[str]] = {}
        for name in self.universe.matches(pattern):
            captured = pattern.match(name)
            if captured is not None:
                table.setdefault(captured, []).append(name)
        return table

    def _files_behind(self, name: str) -> list[str]:
        """The files of a rule, or the name of a task. Raises BuildError if the rule matched
        nothing and has to."""
        rule = self.pipeline.named.get(name)
        return [name] if rule is None else self._files_of(rule)

    def value_job(self, rule: Rule) -> Job:
        """The job of a `value`. Raises BuildError if it has none."""
        if not rule.settings.active:
            message = f"the value `{rule.name}` is taken, and is not active"
            raise BuildError(Diagnostic("PB215", message, rule.span))
        return self.jobs_of[rule.index][0]

    def _files_of(self, rule: Rule) -> list[str]:
        self.check_matched(rule)
        if rule.value:
            return [job.outputs[0] for job in self.jobs_of[rule.index]]
        if rule.recipe is None and rule.flavour == LITERAL:
            return [target.literal or "" for target in rule.targets]
        if rule.traits.phony:
            return [job.name for job in self.jobs_of[rule.index]]
        return self.outputs_of(rule)

    def check_matched(self, rule: Rule) -> None:
        """Raises BuildError if a rule that is wanted has no jobs and no excuse."""
        seen: set[int] = set()
        while True:
            if not self._lacks_jobs(rule):
                return
            seen.add(rule.index)
            driver = self._lacking_driver(rule)
            if self._is_excused(rule, set()):
                return
            if not driver.rule:
                break
            above = self.pipeline.named.get(driver.rule)
            if above is None:
                return
            if above.index in seen:
                return  # rules that need each other are told of by `cycle`
            if not self._lacks_jobs(above):
                break
            rule = above
        few = self._too_few(rule)
        raise BuildError(
            Diagnostic(
                "PB304",
                few or f"nothing matches `{driver}`",
                driver.span,
                (Note(f"so the rule `{rule.label}` has no jobs"),),
                ("" if few else self._near(driver))
                or "`@optional` above the rule says that this is no error",
            )
        )

    def _is_excused(self, rule: Rule, seen: set[int]) -> bool:
        """Whether a rule may be without jobs: because it says so, because splits may bring some, or
        because what would drive it is made by a rule of which this is true."""
        if not rule.settings.active:
            return True
        if rule.index in self._matched or not rule.drivers:
            return False
        if rule.settings.optional or self._upstream.of(rule):
            return True
        seen.add(rule.index)
        driver = self._lacking_driver(rule)
        return any(
            self._is_excused(other, seen)
            for other in self._makers_of(driver)
            if other.index not in seen
        )

    def _makers_of(self, template: Template) -> Iterator[Rule]:
        """The rules whose files a prerequisite may stand for, active or not."""
        if template.rule:
            named = self.pipeline.named.get(template.rule)
            if named is not None:
                yield named
        elif template.call is None:
            reach = template.reach()
            for rule in self.pipeline.rules:
                if any(overlaps(reach, each) for each in target_reach(rule)):
                    yield rule

    def _lacking_driver(self, rule: Rule) -> Template:
        """The driver that has no match; the first where it is not for want of one."""
        members = self._members.get(rule.index)
        if members is not None and rule.way and rule.way.kind == PRODUCT:
            sizes = members.sizes()
            for driver, place in zip(rule.drivers, rule.places, strict=True):
                if not sizes[place]:
                    return driver
        return rule.drivers[0]

    def _too_few(self, rule: Rule) -> str:
        """What is wrong where each driver has matches and they make no tuple; else ""."""
        members, way = self._members.get(rule.index), rule.way
        if members is None or way is None or not all(members.sizes()):
            return ""
        if way.kind == PRODUCT:
            names = " and ".join(f"`<{name}>`" for name in sorted(way.shared))
            return f"no files go together: {names} would have to be the same in them"
        found = members.sizes()[0]
        return f"`{way}` takes {way.size} files, and there {_are(found)}"

    def _lacks_jobs(self, rule: Rule) -> bool:
        if rule.index in self._matched or not rule.drivers or not rule.settings.active:
            return False
        return not rule.settings.optional and not self._upstream.of(rule)

    def _flattened(self, job: Job, names: Wanted) -> Wanted:
        """Names without a recipe replaced by what stands behind them. Raises BuildError if a
        job stands behind a name that it needs itself."""
        if self._extra.keys().isdisjoint(names):
            return names
        found: Wanted = {}
        todo = deque(names.items())
        above: dict[str, str] = {}  # from a name to the one that it stands behind
        opened: set[str] = set()
        own = frozenset(self._made_by(job))
        while todo:
            name, place = todo.popleft()
            if name in own:
                raise _needs_itself(_way_down(name, above), job.origin)
            if name not in self._extra or name in opened or self._has_recipe(name):
                found[name] = place
                continue
            opened.add(name)
            behind: Wanted = {}
            task = self.goal_job(name)
            for binding in self._extra[name]:
                behind.update(dict.fromkeys(binding.driving_inputs, binding.rule.span))
                self._add_all(task, binding, behind, {})
            if self._is_file(name):
                found[name] = place
            for each in behind:
                above.setdefault(each, name)
            todo.extendleft(reversed(behind.items()))
        return found

    def _has_recipe(self, name: str) -> bool:
        return name in self.graph.producer or self.search.find(name) is not None

    def _is_file(self, name: str) -> bool:
        """Whether a name without a recipe is a file as well."""
        return name not in self.pipeline.phony and self.exists(name)

    # -- sources ---------------------------------------------------------------------------

    def exists(self, name: str) -> bool:
        """Whether a file is there, or a rule without `%` makes it."""
        if name in self.graph.producer or self.guest_owns(name):
            return True
        if self.universe.was_listed(name) and not self.universe.made(name):
            return True
        return self.universe.status(name) is not None and not self.universe.is_leftover(name)

    def _check_sources(self, job: Job, inputs: Wanted, later: Wanted) -> None:
        """Every input has to be there or be made by a rule."""
        wrong: list[Diagnostic] = []
        for name in (*job.inputs, *job.order_only):
            if name in self.graph.producer or self.search.find(name) is not None:
                continue
            if self.universe.was_listed(name) and not self.universe.made(name):
                continue
            complaint = self._source_complaint(job, name, inputs.get(name) or later[name])
            if complaint is not None:
                wrong.append(complaint)
        if wrong:
            raise BuildError(*wrong)

    def _source_complaint(self, job: Job, name: str, span: Span) -> Diagnostic | None:
        try:
            status = self.universe.status(name)
        except BuildError as error:
            return error.at(span).diagnostics[0]
        if status is None:
            return Diagnostic(
                "PB305",
                f"no rule makes `{name}`, and there is no such file",
                span,
                (Note(f"needed by `{job.name}`"),),
                self._help_for(name, job),
                fixes=nearest_fixes(name, self._meant(name, job), span),
            )
        if self.universe.is_leftover(name):
            return Diagnostic(
                "PB306",
                f"`{name}` was made by an earlier build, and no rule makes it now",
                span,
                (Note(f"needed by `{job.name}`"),),
                f"`pybuild -t {name}` makes it a file of your own; or delete it",
            )
        is_wrong = status.is_folder and not name.endswith("/") and name in job.inputs
        if is_wrong and job.binding.task != GUEST:
            return Diagnostic(
                "PB307",
                f"`{name}` is a folder where a file is due",
                span,
                (Note(f"needed by `{job.name}`"),),
                f"name its files (`{name}/*`), or write `{name}/` for all that is in it",
            )
        return None

    def _help_for(self, name: str, job: Job) -> str:
        """What the name of a file that is not there was perhaps to be."""
        variable = _MAKE_VARIABLE.search(name)
        if variable is not None:
            return f"a variable is written `<{variable[1]}>`"
        return did_you_mean(name, self._meant(name, job))

    def _meant(self, name: str, job: Job) -> list[str]:
        """The names in a file's folder that a job could have meant."""
        return [each for each in self._known_names(name) if each not in job.outputs]

    def _known_names(self, name: str) -> list[str]:
        folder = folder_of(name)
        base = folder + "/" if folder else ""
        near = [base + each for each in self.universe.listing(folder)[0]]
        known = self.graph.producer
        return near + (list(known) if len(known) < 2000 else [])

    # -- makefiles -------------------------------------------------------------------------

    def _take_in(self, guest: Guest) -> None:
        """What makefiles make is planned, as far as their rules name it."""
        if not self._guest_is_all:
            for name in guest.planned():
                self.universe.plan(name)
                self._queue.append(name)
        if self.pipeline.default is None and guest.default():
            self.pipeline.default = self._guest_rule(guest.header(guest.default()))

    def guest_owns(self, name: str) -> bool:
        """Whether a makefile has a rule with a recipe for this very name."""
        return self.guest is not None and self.guest.owns(name)

    def guest_job(self, name: str) -> Job | None:
        """The job of a makefile that makes a file, made now if need be; None if none does."""
        return self._guest_job(name, is_outside=not self._guest_is_all)

    def _guest_job(self, name: str, *, is_outside: bool) -> Job | None:
        if self.guest is None or (is_outside and name in self._no_guest):
            return None
        known = self.graph.producer.get(name)
        if known is not None:
            return known
        job = self.guest.job(name, is_outside=is_outside)
        if job is None:
            self._no_guest.add(name)
            return None
        rule = self._guest_rule(self.guest.header_of(job))
        job.binding = Binding(self, rule, task=GUEST)
        job.binding.job = job
        for each in dict.fromkeys((*job.outputs, job.name)):
            self._refuse_second(job, each)
        self.jobs_of[rule.index].append(job)
        self.graph.add(job)
        return job

    def _guest_rule(self, header: Header) -> Rule:
        key = (header.label, header.targets, header.prerequisites, header.is_pattern)
        rule = self._guest_rules.get(key)
        if rule is None:
            rule = self._guest_rules[key] = rule_of(header, len(self.pipeline.rules))
            self.pipeline.rules.append(rule)
            self.jobs_of[rule.index] = []
        return rule

    def tell_guest(self) -> None:
        """All rules of makefiles are among those of the pipeline from now on, not only those of
        which there are jobs."""
        for header in self.guest.headers() if self.guest is not None else ():
            self._guest_rule(header)

    def _close_guest(self, job: Job, binding: Binding) -> list[Job]:
        """The same for a job of a makefile, whose needs are jobs by that, too."""
        assert self.guest is not None
        needs = self.guest.needs(job)
        inputs: Wanted = dict.fromkeys(needs.inputs, job.origin)
        later: Wanted = dict.fromkeys(needs.order_only, job.origin)
        waits: list[Job] = []
        for name in (*inputs, *later):
            if self.graph.producer.get(name) or self._guest_job(name, is_outside=False):
                continue
            is_late = not self.exists(name) and self._late_maker(name) is not None
            if is_late and self.search.find(name) is None:
                waits += [job for some in self._unresolved_of.values() for job in some.values()]
        if waits:
            return list(dict.fromkeys(waits))
        self._add_extra(job, inputs, later)
        self._refuse_itself(job, inputs, later)
        if self._extra:
            inputs, later = self._flattened(job, inputs), self._flattened(job, later)
        job.inputs = tuple(inputs)
        job.order_only = tuple([each for each in later if each not in inputs])
        self._check_sources(job, inputs, later)
        binding.closed = True
        return []

    # -- goals -----------------------------------------------------------------------------

    def goal(self, name: str) -> Job | None:
        """The job for a word of the command line: a rule, a task, a file; None if it is a file
        that no rule makes. Raises BuildError if it is nothing at all."""
        rule = self.pipeline.named.get(name)
        if rule is not None:
            return self.whole_rule(rule)
        name = normalise(name)
        job = self.graph.producer.get(name) or self.search.find(name)
        if job is not None:
            return job
        if name in self._extra:
            return self.goal_job(name)
        late = self._late_maker(name)
        if late is not None:
            return self._task(name, late, LATE)
        if self.exists(name):
            return None
        known = [*self.pipeline.named, *self.graph.producer, *self._extra]
        known += self.universe.listing(folder_of(name))[0]
        leftover = self.universe.is_leftover(name)
        raise BuildError(
            Diagnostic(
                "PB306" if leftover else "PB305",
                f"no rule makes `{name}`",
                help="it was made by an earlier build" if leftover else did_you_mean(name, known),
            )
        )

    def default_goal(self) -> Job | None:
        """All jobs of the first rule."""
        rule = self.pipeline.default
        return None if rule is None else self.whole_rule(rule)

    def complaints(self) -> list[Diagnostic]:
        """All that keeps the default goal from being made, as far as it can be told now."""
        found: list[Diagnostic] = []
        try:
            goal = self.default_goal()
        except BuildError as error:
            return list(error.diagnostics)
        todo = [] if goal is None else [goal]
        seen = {job.number for job in todo}
        for job in todo:
            names: Iterable[str | None]
            above: list[Job] = []
            try:
                above += self.close(job)
                names = (*job.inputs, *job.order_only)
            except BuildError as error:
                found += error.diagnostics
                rule: Rule = job.binding.rule
                names = [each.literal for each in (*rule.prerequisites, *rule.order_only)]
            above += [self.graph.producer[name] for name in names if name in self.graph.producer]
            todo += [each for each in dict.fromkeys(above) if each.number not in seen]
            seen.update(each.number for each in above)
        return found

    def _late_maker(self, name: str) -> Rule | None:
        """A split, or a rule behind one, that might make a file once the split has run."""
        one = Pattern([name])
        for rule in self._rules:
            is_late = rule.splits or (self._upstream.of(rule) and rule.flavour != LITERAL)
            if is_late and any(overlaps(one, reach) for reach in target_reach(rule)):
                return rule
        return None

    def whole_rule(self, rule: Rule) -> Job:
        """A job that stands for all jobs of a rule. Raises BuildError if it has none."""
        jobs = self.jobs_of[rule.index]
        if rule.is_guest and rule.flavour == LITERAL:
            return self.goal(rule.label) or self._task(rule.label, rule, RULE)
        if len(jobs) == 1 and rule.flavour in (LITERAL, STATIC):
            return jobs[0]
        self.check_matched(rule)
        if rule.recipe is None and rule.flavour == LITERAL and len(rule.targets) == 1:
            name = rule.targets[0].literal or ""
            return self.graph.producer.get(name) or self.search.find(name) or self.goal_job(name)
        return self._task(rule.name or rule.label, rule, RULE)

    def goal_job(self, name: str) -> Job:
        """A task for a name that only rules without a recipe speak of."""
        return self._task(name, self._extra[name][0].rule, NAME)

    def _task(self, name: str, rule: Rule, task: str) -> Job:
        found = self._aliases.get((task, name))
        if found is None:
            binding = Binding(self, rule, task=task)
            found = Job(name, (), Traits(name, phony=True), rule.span, binding=binding)
            binding.job = found
            self.graph.add(found)
            self._aliases[task, name] = found
        return found

    def cycle(self) -> Diagnostic | None:
        """Names without recipes that need each other: they have no jobs that could wait. And rules
        that name each other so that none of their jobs can be known before the others are."""
        names = first_ring(self._extra, self._named_by)
        if names:
            return _ring_complaint(names, self._extra[names[0]][0].rule.span)
        values = first_ring([each for each in self._rules if each.value], self._values_before)
        if values:
            return _ring_complaint([f"<{rule.name}>" for rule in values], values[0].span)
        rules = first_ring(self._rules, self._unknown_before)
        return _ring_complaint([rule.name for rule in rules], rules[0].span) if rules else None

    def _unknown_before(self, rule: Rule) -> Iterator[Rule]:
        """The rules that a rule names and whose jobs have to be known before its own are; for a
        split those too that may wait for it."""
        named = self.pipeline.named
        above = [named.get(each.rule) for each in rule.drivers]
        if rule.splits:
            others = [each.rule for each in (*rule.prerequisites, *rule.order_only)]
            found = [named.get(name) for name in (*others, *rule.settings.follows)]
            above += [each for each in found if each is rule or (each and each.drivers)]
        return (each for each in above if each is not None and each.settings.active)

    def _values_before(self, rule: Rule) -> Iterator[Rule]:
        """The values that a value takes."""
        named = self.pipeline.named
        for each in (*rule.prerequisites, *rule.order_only):
            if each.rule in self.pipeline.values and each.rule in named:
                yield named[each.rule]

    def _named_by(self, name: str) -> Iterator[str]:
        for binding in self._extra[name]:
            for template in binding.rule.prerequisites:
                literal = template.literal
                if literal in self._extra and not self._has_recipe(literal):
                    yield literal


def _told_members(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _are(count: int) -> str:
    return "is only one" if count == 1 else f"are only {count}"


def _name(text: str, span: Span) -> str:
    """A file name as it is known in all tables. Raises BuildError for an empty one."""
    if not text:
        raise BuildError(Diagnostic("PB211", "an empty text is no file name", span))
    return normalise(text)


def _placed(names: Sequence[str], templates: Sequence[Template]) -> Wanted:
    """Names, each with the place of the word that it was made of."""
    return {name: template.span for name, template in zip(names, templates, strict=False)}


def _way_down(name: str, above: Mapping[str, str]) -> list[str]:
    """From a name up through those that it stands behind, and back to it."""
    way = [name]
    while way[-1] in above:
        way.append(above[way[-1]])
    return [name, *reversed(way)]


def _needs_itself(ring: Sequence[str], place: Span) -> BuildError:
    return BuildError(_ring_complaint(ring, place))


def _ring_complaint(ring: Sequence[str], place: Span) -> Diagnostic:
    path = " <- ".join(f"`{each}`" for each in ring)
    is_short = len(ring) == 2
    return Diagnostic(
        "PB301",
        f"`{ring[0]}` needs itself" if is_short else f"these need each other: {path}",
        place,
        help="take it out of its own prerequisites"
        if is_short
        else "take one of these prerequisites away",
    )


def _joined(pieces: Sequence[str | Wild]) -> list[str | Wild]:
    """Neighbouring texts as one."""
    out: list[str | Wild] = []
    for piece in pieces:
        if isinstance(piece, str) and out and isinstance(out[-1], str):
            out[-1] += piece
        elif piece != "":
            out.append(piece)
    return out
