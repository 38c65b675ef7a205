"""What comes of a project's rules: jobs, files and complaints about them. Data that can be pickled;
it is worked out in a process of its own (`asking`), and nothing of the user's is run there either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pybuild.dryrun import as_dry, judge
from pybuild.engine.events import Event, Judged
from pybuild.engine.ports import Report
from pybuild.engine.staleness import Stale
from pybuild.graph import Job, Script, ScriptPart, ShellPart
from pybuild.lint.check import check
from pybuild.lint.plan import was_planned
from pybuild.lsp.analysis import Place, Reader, Unread, inside
from pybuild.pipefile.syntax import PythonBlock
from pybuild.project import Opening, Project, Wish
from pybuild.report.reasons import sentence
from pybuild.source import BuildError, Diagnostic, Span
from pybuild.typed import Any, NamedTuple

_MOST_SHOWN = 20  # jobs of a rule, and files of a job, that are told
_MOST_FILES = 50_000
_CERTAIN = ("PB302", "PB303")  # two jobs for one file: true whatever else there is

RuleKey = tuple[str, str]  # name of the file, and the rule's header as it is written


class JobFacts(NamedTuple):
    """One job as it is shown: its outputs, its inputs and what its captures took."""

    name: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    captures: Mapping[str, str]


class RuleFacts(NamedTuple):
    """A rule: the number of its jobs, and the first of them."""

    total: int
    jobs: tuple[JobFacts, ...]


class Plan(NamedTuple):
    """All of a project. `is_partial` says that there may be more, which only running the user's
    code could tell; `made` are the files that rules make, `goals` what else can be asked for.
    Where mistakes end the reading before there are jobs, `has_jobs` is false, and of rules and
    files nothing is known."""

    diagnostics: tuple[Diagnostic, ...]
    rules: Mapping[RuleKey, RuleFacts]
    made: tuple[str, ...]
    goals: tuple[str, ...]
    is_partial: bool
    has_jobs: bool


class Told(NamedTuple):
    """One job in full: its rule, its files, its recipe with all filled in, whether it would run and
    why, and how long it took last time (seconds; None: there is no record)."""

    rule: str
    job: JobFacts
    recipe: str
    reasons: tuple[str, ...] | None
    seconds: float | None
    is_partial: bool


def plan_of(place: Place, texts: Mapping[str, str], reader: Reader) -> Plan:
    """The plan of a project."""
    with inside(place.folder):
        project = _opened(place, texts, reader)
        pipeline = project.loaded.pipeline
        partial = pipeline.is_partial or bool(pipeline.makefiles)
        found = check(project, Wish(dry=True))
        if partial:
            found = [each for each in found if not each.code.startswith("PB3")]
            found += _certain(project.diagnostics, pipeline.unclear)
        world = project.loaded.world
        goals = (*pipeline.named, *pipeline.phony)
        has_jobs = was_planned(project)
        planned = pipeline.rules if has_jobs else ()
        rules = {key_of(rule.span): _facts(world.jobs_of[rule.index]) for rule in planned}
        made = tuple([name for job in world.graph.jobs for name in job.outputs][:_MOST_FILES])
        return Plan(tuple(found), rules, made, goals, partial, has_jobs)


def _certain(found: Iterable[Diagnostic], unclear: Sequence[Span]) -> list[Diagnostic]:
    """The complaints of two jobs for one file that hold whatever a run would tell: rules that are
    not clear may be without effect."""
    return [
        each
        for each in found
        if each.code in _CERTAIN
        and not any(place in unclear for place in (each.span, *(note.span for note in each.notes)))
    ]


def told(place: Place, texts: Mapping[str, str], reader: Reader, name: str) -> Told | None:
    """What is to be said of the job for a target; None if there is none."""
    with inside(place.folder):
        project = _opened(place, texts, reader)
        try:
            job = project.loaded.world.goal(name)
            if job is None:
                return None
            project.grow.close(job)
        except BuildError:
            return None
        pipeline = project.loaded.pipeline
        partial = pipeline.is_partial or bool(pipeline.makefiles) or bool(project.errors)
        knows_all = not partial and not _takes_what_is_not_run(project)
        reasons = _reasons(project, job) if knows_all else None
        return Told(
            job.traits.rule,
            _job_facts(job),
            _recipe(job),
            reasons,
            project.journal.seconds(job.name),
            partial,
        )


def _opened(place: Place, texts: Mapping[str, str], reader: Reader) -> Project:
    """The project with unsaved texts; nothing of the user's is run. Raises BuildError."""
    project = Project(
        Opening(
            place.root,
            texts=texts,
            evaluator=reader.evaluator,
            parse=reader.kept(place).parser.parse,
            makefiles=Unread(reader.is_makefile),
        )
    )
    project.open()
    return project


def _takes_what_is_not_run(project: Project) -> bool:
    """Whether recipes call code of the Pipefile, or commands count for them: without these their
    digests are not those of a build."""
    return any(
        isinstance(each, PythonBlock) for tree in project.loaded.trees for each in tree.statements
    ) or any(
        isinstance(each.thing, str)
        for rule in project.loaded.pipeline.rules
        for each in rule.settings.depends
    )


def key_of(header: Span) -> RuleKey:
    """What stands for a rule, wherever its header is moved to."""
    return header.source.name, header.source.text[header.start : header.end]


def _facts(jobs: list[Job]) -> RuleFacts:
    return RuleFacts(len(jobs), tuple([_job_facts(job) for job in jobs[:_MOST_SHOWN]]))


def _job_facts(job: Job) -> JobFacts:
    binding = job.binding
    captures = {}
    for name in binding.rule.captures if binding is not None else ():
        if binding.captured or binding.each:
            captures[name] = _shown(binding.capture(name))
    inputs = job.inputs or (tuple(binding.members) if binding is not None else ())
    return JobFacts(job.name, job.outputs[:_MOST_SHOWN], tuple(inputs[:_MOST_SHOWN]), captures)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _recipe(job: Job) -> str:
    """The recipe as it would be run; what cannot be filled in here is said."""
    if job.recipe is None:
        return ""
    try:
        script: Script = job.recipe.expand(job, (), job.outputs)
    except BuildError as error:
        return f"# {error.diagnostics[0].message}" if error.diagnostics else ""
    parts = [each.text for each in script.parts if isinstance(each, ShellPart | ScriptPart)]
    return "\n".join(parts) if len(parts) == len(script.parts) else script.echo


class _Verdicts(Report):
    """Keeps what the judge says of one job."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reasons: tuple[str, ...] | None = None

    def handle(self, event: Event) -> None:
        if isinstance(event, Judged) and event.job.name == self.name:
            verdict = event.verdict
            stale = verdict.reasons if isinstance(verdict, Stale) else ()
            self.reasons = tuple(map(sentence, stale))


def _reasons(project: Project, job: Job) -> tuple[str, ...] | None:
    """Why a job would run; empty if it would not, None if that cannot be said."""
    verdicts = _Verdicts(job.name)
    try:
        judge(project, [job], as_dry(Wish()), verdicts)
    except BuildError:
        return None
    return verdicts.reasons
