"""`--flowchart FILE`: what makes what, coloured by what a build would do about it.

A dry judgement gives the states; then the chart is found by walking from the goals to what they
need: first job by job, then, if rules are to be drawn, with the jobs of each rule put together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pybuild.cli.listing import (
    dry_wish,
    judge,
    kind_of,
    look_at_includes,
    may_feed,
    open_rules,
    target_words,
    word_of,
    written,
)
from pybuild.cli.opening import open_project
from pybuild.cli.options import Arguments, UsageError
from pybuild.engine.events import Complaint, Event, Judged, Message, Started, Summary, Unknown
from pybuild.engine.staleness import Stale
from pybuild.graph import Job
from pybuild.pipefile.instantiate import Instantiation
from pybuild.pipefile.resolve import LITERAL, PATTERN, STATIC, Rule
from pybuild.pipefile.template import Template
from pybuild.project import Project
from pybuild.report.flowchart import Chart, Edge, FlowchartError, Node, render
from pybuild.report.reasons import sentence
from pybuild.source import BuildError, Diagnostic

OK, ERROR = 0, 2
_FORMATS = {
    ".svg": "svg",
    ".html": "html",
    ".dot": "dot",
    ".png": "png",
    ".pdf": "pdf",
    ".mermaid": "mermaid",
    ".mmd": "mermaid",
}
_MOST_NAMES = 20

# The states that jobs can be in, the one that counts for a whole rule first.
_RANKS = ("failed", "forced", "target", "stale", "unknown", "up-to-date")
_WORDS = {
    "failed": "cannot be made",
    "forced": "forced",
    "target": "would run",
    "stale": "would run",
    "unknown": "not known yet",
    "up-to-date": "up to date",
}


def flowchart(arguments: Arguments) -> int:
    """Draws the chart. Returns 0, or 2 if something in it cannot be made. Raises BuildError and
    UsageError if there is nothing that could be drawn or written."""
    path = arguments.flowchart
    format = _format_of(path)
    project = open_project(arguments)
    look_at_includes(project)
    goals, targets = _goals(project, arguments.goals)
    states = States()
    try:
        judge(project, goals, dry_wish(arguments), states)
    except BuildError as error:
        states.complain(*error.diagnostics)
    survey = Survey(project, states, goals, targets)
    draw = _chart_of_jobs if arguments.flowchart_jobs else _chart_of_rules
    title = f"{project.path}: {' '.join(arguments.goals)}" if arguments.goals else project.path
    chart = draw(survey, title)
    try:
        data = render(chart, format)
    except FlowchartError as error:
        raise BuildError(Diagnostic("PB409", error.message, help=error.help)) from None
    _write(path, data)
    if path != "-":
        print(f"pybuild: wrote {path}: {_size_of(chart)}")
    return ERROR if states.complaints else OK


def _format_of(path: str) -> str:
    """The format that a file's name asks for. Raises UsageError."""
    if path == "-":
        return "dot"
    extension = os.path.splitext(path)[1].lower()
    if extension not in _FORMATS:
        raise UsageError(
            f"`--flowchart={path}`: the name ends in one of {' '.join(_FORMATS)}, or it is `-`"
        )
    return _FORMATS[extension]


def _write(path: str, data: bytes) -> None:
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


def _size_of(chart: Chart) -> str:
    sources = sum(node.kind == "source" for node in chart.nodes)
    jobs = sum(node.kind == "job" for node in chart.nodes)
    parts = [(len(chart.nodes) - sources, "job" if jobs else "rule"), (sources, "source")]
    return ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in parts)


def _goals(project: Project, names: Sequence[str]) -> tuple[list[Job], list[Job]]:
    """The jobs whose needs are drawn, and those of them that are the targets: without goals all
    that the Pipefile makes, with the default goal as the target. Raises BuildError, UsageError."""
    world, rules = project.loaded.world, project.loaded.pipeline.rules
    if names or not rules:
        jobs, sources = project.goals(names)
        if not jobs:
            raise UsageError(f"no rule makes `{sources[0]}`: there is nothing to draw")
        return jobs, jobs
    goals: list[Job] = []
    for rule in rules:
        if rule.flavour != PATTERN and rule.settings.active:
            try:
                goals.append(world.whole_rule(rule))
            except BuildError:
                continue  # it matches nothing; who needs its files will say so
    default = project.loaded.pipeline.default
    return goals, [job for job in goals if job.binding.rule is default]


# -- states --------------------------------------------------------------------------------


class States:
    """A report that keeps what a dry run says of each job, and prints its complaints."""

    def __init__(self) -> None:
        self.of: dict[int, str] = {}
        self.why: dict[int, list[str]] = {}
        self.complaints = 0

    def handle(self, event: Event) -> None:
        """Notes the state that an event tells of."""
        if isinstance(event, Judged):
            self._judged(event)
        elif isinstance(event, Started):
            self.of.setdefault(event.job.number, "stale")
            if self.of[event.job.number] == "up-to-date":
                self.of[event.job.number] = "stale"  # its temporary files are needed again
        elif isinstance(event, Unknown):
            self.of[event.job.number] = "unknown"
        elif isinstance(event, Summary):
            for failure in event.failures:
                self.of[failure.job.number] = "failed"
        elif isinstance(event, Complaint):
            self.complain(event.diagnostic)
        elif isinstance(event, Message):
            print(f"pybuild: {event.text}", file=sys.stderr)

    def complain(self, *diagnostics: Diagnostic) -> None:
        """Prints diagnostics and counts the mistakes among them."""
        from pybuild.report.diagnostics import render as text_of

        for each in diagnostics:
            self.complaints += each.severity == "error"
            print(text_of(each), file=sys.stderr)

    def _judged(self, event: Judged) -> None:
        number = event.job.number
        if not isinstance(event.verdict, Stale):
            self.of[number] = "up-to-date"
            return
        reasons = event.verdict.reasons
        self.of[number] = "forced" if any(each.kind == "forced" for each in reasons) else "stale"
        self.why[number] = [sentence(each) for each in reasons]


# -- what needs what -----------------------------------------------------------------------


class Survey:
    """All that some goals need, job by job.

    `jobs` are in the order of finding. `makers` maps a job's number to the jobs it needs and
    whether it only waits for them; `sources` maps it to the files it needs that nothing makes.
    Names without a recipe, which the engine looks through, are jobs here. `rules` are those that
    are drawn though they may have no job yet, `feeders` maps them to rules whose files they may
    need; `open` are the numbers of rules that may get more jobs.
    """

    def __init__(
        self, project: Project, states: States, goals: Sequence[Job], targets: Sequence[Job]
    ) -> None:
        self.world: Instantiation = project.loaded.world
        self.states = states
        self.open = open_rules(self.world)
        self.targets = frozenset(job.number for job in targets)
        self.jobs: list[Job] = []
        self.makers: dict[int, dict[int, bool]] = {}
        self.sources: dict[int, dict[str, bool]] = {}
        self.rules: dict[int, Rule] = {}
        self.feeders: dict[int, dict[int, bool]] = {}
        self.early_sources: dict[int, dict[str, bool]] = {}
        self._names = _names_without_recipe(self.world)
        self._found: set[int] = set()
        for job in goals:
            self._find(job)
        if not goals or not self.targets:
            for rule in self.world.pipeline.rules:
                self._find_rule(rule)
        for job in self.jobs:  # grows while it is walked
            self._walk(job)
        self._settle_names()

    def job(self, number: int) -> Job:
        """The job with this number."""
        return self.world.graph.jobs[number]
