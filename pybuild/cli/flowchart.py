"""`--flowchart FILE`: what makes what, coloured by what a build would do about it.

A dry judgement gives the states (`States`). A walk from the goals to what they need gives the jobs
(`Survey`). Then jobs are drawn as they are, or those of each rule put together.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pybuild.cli.listing import (
    dry_wish,
    header_of,
    look_at_includes,
    may_feed,
    open_rules,
    word_of,
    written,
)
from pybuild.cli.opening import open_project
from pybuild.cli.options import Arguments, UsageError
from pybuild.dryrun import judge
from pybuild.engine.events import Complaint, Event, Judged, Message, Started, Summary, Unknown
from pybuild.engine.ports import Report
from pybuild.engine.staleness import Stale
from pybuild.graph import Job
from pybuild.pipefile.instantiate import Instantiation
from pybuild.pipefile.rules import COLLATE, LITERAL, PATTERN, STATIC, TUPLE, Rule
from pybuild.pipefile.search import match
from pybuild.pipefile.template import Template
from pybuild.project import Project
from pybuild.report.flowchart import Chart, Edge, FlowchartError, Node, render
from pybuild.report.reasons import sentence
from pybuild.source import BuildError, Diagnostic
from pybuild.typed import NamedTuple, TypeVar

OK, ERROR = 0, 2
_MOST_NAMES = 20
_FORMATS = {
    ".svg": "svg",
    ".html": "html",
    ".dot": "dot",
    ".png": "png",
    ".pdf": "pdf",
    ".mermaid": "mermaid",
    ".mmd": "mermaid",
}
# What may be said of a job, and how; of a rule the first that is true of one of its jobs.
_STATES = {
    "failed": "cannot be made",
    "forced": "forced",
    "target": "would run",
    "stale": "would run",
    "unknown": "not known yet",
    "up-to-date": "up to date",
}
_TO_DO = frozenset(("failed", "forced", "target", "stale"))
_K = TypeVar("_K")


def flowchart(arguments: Arguments) -> int:
    """Draws the chart. Returns 0, or 2 if something in it cannot be made. Raises BuildError and
    UsageError if there is nothing that could be drawn or written."""
    path = arguments.flowchart
    format = _format_of(path)
    project = open_project(arguments)
    look_at_includes(project)
    if not arguments.goals:
        project.loaded.world.tell_guest()
    goals, targets = _goals(project, arguments.goals)
    states = States()
    try:
        judge(project, goals, dry_wish(arguments), states)
    except BuildError as error:
        states.complain(*error.diagnostics)
    survey = Survey(project.loaded.world, states, targets, everything=not arguments.goals)
    states.aim(targets)
    title = f"{project.path}: {' '.join(arguments.goals)}" if arguments.goals else project.path
    if arguments.flowchart_jobs:
        chart, what = Chart(title, *_job_chart(survey)), "job"
    else:
        chart, what = Chart(title, *_RuleChart(survey).drawn()), "rule"
    try:
        _write(path, render(chart, format))
    except FlowchartError as error:
        raise BuildError(Diagnostic("PB409", error.message, help=error.help)) from None
    if path != "-":
        print(f"pybuild: wrote {path}: {_size_of(chart, what)}")
    return ERROR if states.mistakes else OK


def _format_of(path: str) -> str:
    """The format that a file's name asks for. Raises UsageError."""
    if path == "-":
        return "dot"
    extension = os.path.splitext(path)[1].lower()
    if extension not in _FORMATS:
        raise UsageError(
            f"`--flowchart={path}`: the name ends in {', '.join(_FORMATS)}, or it is `-`"
        )
    return _FORMATS[extension]


def _write(path: str, data: bytes) -> None:
    """Writes the chart to a file or, for `-`, to stdout. Raises BuildError."""
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    try:
        with open(path, "wb") as handle:
            handle.write(data)
    except OSError as error:
        raise BuildError(
            Diagnostic("PB409", f"cannot write the chart to `{path}`: {error.strerror}")
        ) from None


def _size_of(chart: Chart, what: str) -> str:
    sources = sum(node.kind == "source" for node in chart.nodes)
    return f"{_counted(len(chart.nodes) - sources, what)}, {_counted(sources, 'source')}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _goals(project: Project, names: Sequence[str]) -> tuple[list[Job], list[Job]]:
    """The jobs to be judged, and those of them that are the targets: without goals all that the
    Pipefile makes, with the default goal as the target. Raises BuildError and UsageError."""
    world, rules = project.loaded.world, project.loaded.pipeline.rules
    if names or not rules:
        jobs, sources, complaints = project.goals(names)
        if complaints:
            raise BuildError(*complaints)
        if not jobs:
            raise UsageError(f"no rule makes `{sources[0]}`: there is nothing to draw")
        return jobs, jobs
    goals: list[Job] = []
    targets: list[Job] = []
    for rule in rules:
        if rule.flavour == PATTERN or not rule.settings.active:
            continue
        try:
            goals.append(world.whole_rule(rule))
        except BuildError:
            continue  # it matches nothing: whoever needs its files will say so
        if rule is project.loaded.pipeline.default:
            targets.append(goals[-1])
    return goals, targets


# -- states --------------------------------------------------------------------------------


class States(Report):
    """A report that keeps what a dry run says of each job, by its number, and prints complaints.

    `why` has the reasons of those that would run, as sentences.
    """

    def __init__(self) -> None:
        self.of: dict[int, str] = {}
        self.why: dict[int, list[str]] = {}
        self.mistakes = 0

    def handle(self, event: Event) -> None:
        """Notes the state that an event tells of."""
        if isinstance(event, Judged):
            self._judged(event)
        elif isinstance(event, Started):
            # One that was up to date runs after all if others need its temporary files.
            if self.of.get(event.job.number) != "forced":
                self.of[event.job.number] = "stale"
        elif isinstance(event, Unknown):
            self.of[event.job.number] = "unknown"
        elif isinstance(event, Summary):
            self.of.update((failure.job.number, "failed") for failure in event.failures)
        elif isinstance(event, Complaint):
            self.complain(event.diagnostic)
        elif isinstance(event, Message):
            print(f"pybuild: {event.text}", file=sys.stderr)

    def complain(self, *diagnostics: Diagnostic) -> None:
        """Prints diagnostics and counts the mistakes among them."""
        from pybuild.report.diagnostics import render as text_of

        for each in diagnostics:
            self.mistakes += each.severity == "error"
            print(text_of(each), file=sys.stderr)

    def aim(self, targets: Iterable[Job]) -> None:
        """Marks the jobs that are to be made, if there is something to do for them."""
        for job in targets:
            if self.of.get(job.number) == "stale":
                self.of[job.number] = "target"

    def _judged(self, event: Judged) -> None:
        number = event.job.number
        if not isinstance(event.verdict, Stale):
            self.of[number] = "up-to-date"
            return
        reasons = event.verdict.reasons
        self.of[number] = "forced" if any(each.kind == "forced" for each in reasons) else "stale"
        self.why[number] = [sentence(each) for each in reasons]


# -- what needs what -----------------------------------------------------------------------


class Key(NamedTuple):
    """A box of a chart of rules: the rule with this number, or a name that has no recipe."""

    rule: int
    name: str = ""


class Survey:
    """All that some targets need, or `everything`, job by job; names that have no recipe are jobs
    here too.

    `makers` maps a job's number to the numbers of the jobs that it needs, `sources` to the files
    that it needs and nothing makes; their values tell whether it only waits for them. `waits` are
    the splits behind which a job's needs are hidden. Of such jobs, and of rules without jobs, the
    headers alone tell what they may need: that is in `early_makers` and `early_sources`, and the
    rules themselves are in `rules`. `open` are the numbers of rules that may get more jobs.
    """

    def __init__(
        self, world: Instantiation, states: States, targets: Iterable[Job], *, everything: bool
    ) -> None:
        self.world = world
        self.states = states
        self.open = open_rules(world)
        self.jobs: list[Job] = []
        self.makers: dict[int, dict[int, bool]] = {}
        self.sources: dict[int, dict[str, bool]] = {}
        self.waits: dict[int, Sequence[Job]] = {}
        self.rules: dict[int, Rule] = {}
        self.early_makers: dict[Key, dict[Key, bool]] = {}
        self.early_sources: dict[Key, dict[tuple[Rule, str], bool]] = {}
        self.bare = _bare_names(world)
        for job in targets:
            self._find(job)
        if everything:
            self._find_everything()
        for job in self.jobs:  # grows on the way
            self._walk(job)
        self._settle_all()

    def key_of(self, job: Job) -> Key:
        """The box that a job belongs to in a chart of rules."""
        binding = job.binding
        return Key(binding.rule.index, job.name if binding.task == "name" else "")

    def _makers_among_rules(self) -> Iterator[Rule]:
        """The rules that make something."""
        for rule in self.world.pipeline.rules:
            if rule.recipe is not None and rule.settings.active:
                yield rule

    # -- jobs ------------------------------------------------------------------------------

    def _find_everything(self) -> None:
        for rule in self._makers_among_rules():
            if rule.flavour != PATTERN:
                self._find_rule(rule)
        for name in self.bare:
            if (task := self._task(name)) is not None:
                self._find(task)

    def _find(self, job: Job) -> None:
        if job.number not in self.makers:
            self.makers[job.number] = {}
            self.sources[job.number] = {}
            self.jobs.append(job)

    def _walk(self, job: Job) -> None:
        """Finds what one job needs."""
        try:
            waits = self.world.close(job)
        except BuildError:
            self.states.of[job.number] = "failed"
            self._guess(job)
            return
        if waits:
            self.waits[job.number] = waits
            for split in waits:
                self._find(split)
            self._guess(job)
            return
        behind = self._need_tasks(job)
        for names, later in ((job.inputs, False), (job.order_only, True)):
            for name in names:
                if name not in behind:
                    self._need(job, name, later)

    def _need(self, job: Job, name: str, later: bool) -> None:
        maker = self.world.graph.producer.get(name)
        if maker is None:
            _note(self.sources[job.number], name, later)
        elif maker is not job:
            self._find(maker)
            _note(self.makers[job.number], maker.number, later)

    def _need_tasks(self, job: Job) -> frozenset[str]:
        """Puts names without a recipe between a job and what is behind them; returns that."""
        behind: set[str] = set()
        for name, later in self._names_in_headers(job):
            task = self._task(name)
            if task is None or task is job:
                continue
            self._find(task)
            _note(self.makers[job.number], task.number, later)
            try:
                self.world.close(task)
            except BuildError:
                continue
            behind.update(task.inputs)
        return frozenset(behind)

    def rules_of(self, job: Job) -> list[Rule]:
        """The rules whose headers say what a job needs."""
        task = job.binding.task
        if task not in ("", "name", "guest"):
            return []
        rules = {job.binding.rule.index: job.binding.rule}
        for name in job.outputs or (job.name,):
            rules |= {rule.index: rule for rule in self.bare.get(name, ())}
        return list(rules.values())

    def _names_in_headers(self, job: Job) -> Iterator[tuple[str, bool]]:
        """The names that stand in the headers of a job's rules, those of its `%` filled in."""
        yield from ((name, False) for name in job.binding.sources)
        yield from ((name, True) for name in job.binding.later)
        for rule in self.rules_of(job):
            for template, later in templates_of(rule):
                yield from ((name, later) for name in self._literals(template))
            yield from ((name, True) for name in rule.settings.follows)

    def _literals(self, template: Template) -> list[str]:
        """The plain names that a word stands for, without any look at files."""
        rule = self.world.pipeline.named.get(template.rule)
        templates = [template] if rule is None else rule.targets if rule.recipe is None else []
        return [name for each in templates if (name := each.literal) is not None]

    def _task(self, name: str) -> Job | None:
        """The job that stands for a name without a recipe."""
        if name not in self.bare or self._maker(name) is not None:
            return None
        return self.world.goal_job(name)

    def _maker(self, name: str) -> Job | None:
        return self.world.graph.producer.get(name) or self.world.search.find(name)

    def _settle_all(self) -> None:
        """Gives every job a state. One without a recipe has that of what it stands for."""
        states = self.states.of
        for job in self.jobs:
            if job.recipe is not None:
                states.setdefault(job.number, "unknown")
        for job in self.jobs:
            path = [job.number]
            seen = set(path)
            while path:
                bare = (each for each in self.makers[path[-1]] if each not in states)
                number = next((each for each in bare if each not in seen), None)
                if number is None:
                    number = path.pop()
                    states.setdefault(number, self._combined(number))
                else:
                    path.append(number)
                    seen.add(number)

    def _combined(self, number: int) -> str:
        """The state of a job whose makers have theirs."""
        found = {self.states.of.get(each, "unknown") for each in self.makers[number]}
        if found & _TO_DO:
            return "stale"
        return "unknown" if "unknown" in found or number in self.waits else "up-to-date"

    # -- headers ---------------------------------------------------------------------------

    def _find_rule(self, rule: Rule) -> None:
        """A rule is part of the chart, with all the jobs that it has so far."""
        self.rules[rule.index] = rule
        for job in self.world.jobs_of[rule.index]:
            self._find(job)
        if rule.index in self.open or not self.world.jobs_of[rule.index]:
            self._look_at(Key(rule.index), [rule])

    def _guess(self, job: Job) -> None:
        """What a job may need, as far as headers tell."""
        if job.binding.task in ("", "name"):
            self._look_at(self.key_of(job), self.rules_of(job), job)
        else:
            self._find_rule(job.binding.rule)

    def _look_at(self, key: Key, rules: Iterable[Rule], job: Job | None = None) -> None:
        """What the headers of rules tell of the needs of a box whose jobs cannot tell."""
        if key in self.early_makers:
            return
        self.early_makers[key] = {}
        self.early_sources[key] = {}
        if job is not None:
            for name, later in self._names_in_headers(job):
                self._may_need_name(key, job.binding.rule, name, later)
        for rule in rules:
            for template, later in templates_of(rule):
                for name in self._literals(template):
                    self._may_need_name(key, rule, name, later)
                if template.literal is None:
                    self._may_need(key, rule, template, later)

    def _may_need_name(self, key: Key, rule: Rule, name: str, later: bool) -> None:
        job = self._maker(name) or self._task(name)
        named = self.world.pipeline.named.get(name)
        if job is not None:
            self._find(job)
            _note(self.early_makers[key], self.key_of(job), later)
        elif named is not None:
            self._find_rule(named)
            _note(self.early_makers[key], Key(named.index), later)
        elif self.world.exists(name):
            _note(self.early_sources[key], (rule, name), later)

    def _may_need(self, key: Key, rule: Rule, template: Template, later: bool) -> None:
        for maker in self._makers_among_rules():
            if maker is not rule and may_feed(maker, template):
                self._find_rule(maker)
                _note(self.early_makers[key], Key(maker.index), later)
        if template.rule or template.call or not _is_closed(template):
            return
        for name in self.world.universe.sources(template.reach()):
            if name not in self.world.graph.producer:
                _note(self.early_sources[key], (rule, name), later)


def _bare_names(world: Instantiation) -> dict[str, list[Rule]]:
    """The rules that speak of a name and have no recipe, by that name."""
    found: dict[str, list[Rule]] = {}
    for rule in world.pipeline.rules:
        if rule.recipe is None and rule.flavour == LITERAL and rule.settings.active:
            for template in rule.targets:
                found.setdefault(template.literal or "", []).append(rule)
    return found


def templates_of(rule: Rule) -> Iterator[tuple[Template, bool]]:
    """The words behind the colon, and whether they only set an order; none of a rule with `%`,
    whose jobs have their names filled in."""
    if rule.flavour not in (PATTERN, STATIC):
        yield from ((each, rule.for_each) for each in rule.drivers)
        yield from ((each, False) for each in rule.prerequisites)
        yield from ((each, True) for each in rule.order_only)


def _is_closed(template: Template) -> bool:
    """Whether the files on disk that a word can stand for are known without a job."""
    return not any(hasattr(piece, "reference") for piece in template.pieces)


def _note(table: dict[_K, bool], key: _K, later: bool) -> None:
    """Notes a need; one that is more than an order wins."""
    table[key] = table.get(key, True) and later


# -- boxes and arrows ----------------------------------------------------------------------


def _job_chart(survey: Survey) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """A box for each job and each file that nothing makes."""
    sources: dict[str, Node] = {}
    edges: dict[tuple[str, str], bool] = {}
    for job in survey.jobs:
        own = f"job {job.number}"
        for name, later in survey.sources[job.number].items():
            sources[name] = Node(f"source {name}", name, "", "source", "source")
            _note(edges, (sources[name].id, own), later)
        for number, later in survey.makers[job.number].items():
            _note(edges, (f"job {number}", own), later)
        for split in survey.waits.get(job.number, ()):
            _note(edges, (f"job {split.number}", own), False)
    nodes = (*sources.values(), *(_job_node(survey, job) for job in survey.jobs))
    return nodes, tuple(Edge(*ends, later) for ends, later in edges.items())


def _job_node(survey: Survey, job: Job) -> Node:
    rule = job.traits.rule
    return Node(
        f"job {job.number}",
        job.name,
        rule if rule != job.name else "",
        "phony" if job.traits.phony else "job",
        survey.states.of[job.number],
        "\n".join(survey.states.why.get(job.number, ())),
    )


class _RuleChart:
    """A box for each rule and each word that stands for files which nothing makes."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.jobs: dict[Key, list[Job]] = {Key(index): [] for index in survey.rules}
        self.files: dict[str, dict[str, None]] = {}
        self.edges: dict[tuple[str, str], bool] = {}

    def drawn(self) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
        """The boxes, sources first and rules as in the Pipefile, and the arrows between them."""
        survey = self.survey
        for job in survey.jobs:
            key = survey.key_of(job)
            self.jobs.setdefault(key, []).append(job)
            for number, later in survey.makers[job.number].items():
                self._join(survey.key_of(survey.world.graph.jobs[number]), key, later)
            for name, later in survey.sources[job.number].items():
                self._feed(survey.rules_of(job), name, key, later)
        for key, makers in survey.early_makers.items():
            for maker, later in makers.items():
                self._join(maker, key, later)
        for key, sources in survey.early_sources.items():
            for (rule, name), later in sources.items():
                self._feed([rule], name, key, later)
        nodes = [_source_node(label, list(names)) for label, names in self.files.items()]
        nodes += [self._node(key) for key in sorted(self.jobs)]
        return tuple(nodes), tuple(Edge(*ends, later) for ends, later in self.edges.items())

    def _join(self, maker: Key, user: Key, later: bool) -> None:
        if maker != user:
            _note(self.edges, (_id_of(maker), _id_of(user)), later)

    def _feed(self, rules: Sequence[Rule], name: str, user: Key, later: bool) -> None:
        label = next((text for rule in rules if (text := _word_for(rule, name))), name)
        self.files.setdefault(label, {})[name] = None
        _note(self.edges, (f"source {label}", _id_of(user)), later)

    def _node(self, key: Key) -> Node:
        rule = self.survey.world.pipeline.rules[key.rule]
        jobs = [job for job in self.jobs[key] if job.recipe is not None]
        states = Counter(self.survey.states.of[job.number] for job in jobs)
        told = [f"{states[each]} {words}" for each, words in _STATES.items() if states[each]]
        about = [rule.settings.description, header_of(rule), ", ".join(told)]
        return Node(
            _id_of(key),
            key.name or rule.label,
            "" if key.name or rule.recipe is None else self._count(key, len(jobs)),
            _kind_of(rule),
            self._state(key),
            "\n".join(filter(None, about)),
        )

    def _state(self, key: Key) -> str:
        """What is true of a whole rule."""
        survey = self.survey
        found = {survey.states.of[job.number] for job in self.jobs[key]}
        if key.rule in survey.open and not key.name:
            found.add("unknown")
        elif not found:
            try:
                survey.world.check_matched(survey.world.pipeline.rules[key.rule])
            except BuildError:
                found.add("failed")
        return next((state for state in _STATES if state in found), "up-to-date")

    def _count(self, key: Key, drawn: int) -> str:
        """How many jobs: `3 jobs`, `3+ jobs` or `? jobs` behind a split, `2 of 3 jobs`."""
        if key.rule in self.survey.open:
            return f"{drawn}+ jobs" if drawn else "? jobs"
        every = len(self.survey.world.jobs_of[key.rule])
        return _counted(every, "job") if drawn == every else f"{drawn} of {every} jobs"


def _id_of(key: Key) -> str:
    return f"name {key.name}" if key.name else f"rule {key.rule}"


def _kind_of(rule: Rule) -> str:
    if rule.recipe is None or rule.traits.phony:
        return "phony"
    return "split" if rule.splits else "collate" if rule.flavour in (COLLATE, TUPLE) else "rule"


def _source_node(label: str, names: list[str]) -> Node:
    more = [f"and {len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    one = names == [label]
    return Node(
        f"source {label}",
        label,
        "" if one else _counted(len(names), "file"),
        "source",
        "source",
        "" if one else "\n".join([*names[:_MOST_NAMES], *more]),
    )


def _word_for(rule: Rule, name: str) -> str:
    """The word among the prerequisites of a rule that stands for a file, or nothing."""
    for text in (*rule.sources, *rule.later):
        if text == name or match(text, name) is not None:
            return text
    words = [template for template, _ in templates_of(rule)]
    plain = [each for each in words if each.literal == name]
    if plain:
        several = sum(each.span == plain[0].span for each in words) > 1
        return written(plain[0]) if several else name
    # The words that could be anything come last.
    for each in sorted(words, key=lambda each: not _is_closed(each)):
        if each.call is None and not each.rule and each.reach().match(name) is not None:
            return word_of(each)
    return next((word_of(each) for each in words if each.call is not None), "")
