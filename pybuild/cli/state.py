"""`--adopt`, `--forget`, `--stale` and `--history`: what is recorded, looked at and set right.

All of them wait for a build that runs, and run no recipe.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pybuild.cli.listing import dry_wish, open_rules
from pybuild.cli.opening import open_with_errors, wish_of
from pybuild.cli.options import Arguments, UsageError
from pybuild.dryrun import Silent, settle_splits
from pybuild.engine.events import Complaint, Event, Finished, Message, Summary
from pybuild.engine.key import STATE_FOLDER
from pybuild.engine.ports import Report
from pybuild.engine.staleness import Judge, Reason, Rules, cut
from pybuild.engine.traces import NOT_RUN, Trace
from pybuild.graph import Job, told_name
from pybuild.names import normalise
from pybuild.pipefile.rules import Rule
from pybuild.pipefile.upstream import target_reach
from pybuild.project import Project
from pybuild.report.brief import counted
from pybuild.report.diagnostics import one_line
from pybuild.report.plain import PlainReport, Tone, duration
from pybuild.report.reasons import sentence, short_digest
from pybuild.source import BuildError, Diagnostic
from pybuild.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pybuild.leftovers import Leftovers

OK, ERROR = 0, 2
UNCHANGED, CHANGED, MISSING, UNKNOWN = "unchanged", "changed", "missing", "unknown"


def state(arguments: Arguments, words: Sequence[str]) -> int:
    """Does what one of the options says; returns the exit status. Raises UsageError, BuildError,
    and what signals make of a build."""
    asked = {
        "--adopt": (arguments.adopt, _adopt),
        "--forget": (arguments.forgotten, _forget),
        "--stale": (arguments.stale, _stale),
        "--history": (arguments.history, _history),
    }
    wanted = [name for name, (is_wanted, _) in asked.items() if is_wanted]
    if arguments.remove and wanted != ["--stale"]:
        raise UsageError("`--remove` goes with `--stale`")
    if len(wanted) > 1:
        raise UsageError(f"{' and '.join(f'`{name}`' for name in wanted)}: one at a time")
    command = " ".join(["pybuild", *words])
    return asked[wanted[0]][1](arguments, command)


@contextmanager
def _opened(arguments: Arguments, command: str) -> Iterator[Project]:
    """The project, locked and without a mistake in its Pipefile. Raises BuildError."""
    report = PlainReport(Tone())
    project = open_with_errors(arguments)
    try:
        complaint = project.journal.complaint
        if complaint:
            report.handle(Message(complaint))
        project.lock_and_reread(command, report)
        project.refuse_errors(after_includes=False)
        project.refuse_unmade_includes()
        project.refuse_errors()
        yield project
    finally:
        project.close()


def _say(line: str) -> None:
    print(one_line(line))


# -- adopting ------------------------------------------------------------------------------


class _Adoption(Report):
    """Counts the jobs that are adopted, and tells of those that are not."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.adopted = 0
        self.left = 0
        self._plain = PlainReport(Tone(quiet=True))

    def handle(self, event: Event) -> None:
        if isinstance(event, Finished) and (event.ignored or not event.error):
            self._ended(event.job, event.error)
        elif isinstance(event, Finished | Complaint | Message | Summary):
            self._plain.handle(event)

    def _ended(self, job: Job, error: str) -> None:
        if error:
            self.left += 1
            if not self.quiet:
                _say(f"{job.name}: left: {error}")
        elif job.outputs or job.patterns:
            self.adopted += 1


def _adopt(arguments: Arguments, command: str) -> int:
    if arguments.dry_run or arguments.question:
        raise UsageError("`--adopt` runs nothing: it goes with neither `-n` nor `-q`")
    report = _Adoption(arguments.quiet)
    wish = wish_of(arguments)._replace(adopt=True, touch=False, minimal=False)
    with _opened(arguments, command) as project:
        project.check_forced(wish.forced)
        jobs, sources, complaints = project.goals(arguments.goals)
        if complaints:
            raise BuildError(*complaints)
        for name in sources:
            report.handle(Message(f"nothing to be done for `{name}`: no rule makes it"))
        goals = [*project.include_makers(), *jobs]
        summary = project.build(list(dict.fromkeys(goals)), wish, report) if jobs else None
    if not arguments.quiet:
        because = "because a target is missing"
        print(f"pybuild: {report.adopted} adopted, {report.left} left {because}")
    return ERROR if summary is not None and summary.failures else OK


# -- forgetting ----------------------------------------------------------------------------


def _forget(arguments: Arguments, command: str) -> int:
    with _opened(arguments, command) as project:
        settle_splits(project, dry_wish(arguments), Silent())
        names = [*arguments.forgotten, *arguments.goals]
        jobs = dict.fromkeys(job for name in names for job in _jobs_behind(project, name))
        known = [job for job in jobs if project.journal.trace(job) is not None]
        for job in known:
            project.forget(job)
    if not arguments.quiet:
        print(f"pybuild: {counted(len(known), 'job')} forgotten")
    return OK


def _jobs_behind(project: Project, name: str) -> Sequence[str]:
    """The jobs of a rule, or the one of a target. Raises BuildError for any other name."""
    world = project.loaded.world
    rule = project.loaded.pipeline.named.get(name)
    if rule is not None and rule.recipe is not None:
        return [*(job.name for job in world.jobs_of[rule.index]), *_later_jobs(project, rule)]
    goals, _, complaints = project.goals([name])
    if complaints:
        raise BuildError(*complaints)
    if goals and goals[0].recipe is not None:
        return [goals[0].name]
    maker = project.journal.maker(normalise(name)) if goals else None
    if maker is not None:
        return [maker]
    what = f"`{name}` has no recipe" if goals else f"no rule makes `{name}`"
    raise BuildError(Diagnostic("PB305", f"{what}: nothing is recorded of it"))


def _later_jobs(project: Project, rule: Rule) -> list[str]:
    """The recorded jobs of a rule that are not known yet, because a split has to run first."""
    world = project.loaded.world
    if rule.index not in open_rules(world):
        return []
    reaches = target_reach(rule)
    return [
        name
        for name in project.journal.jobs()
        if name not in world.graph.producer
        and any(reach.match(name) is not None for reach in reaches)
    ]


# -- leftovers -----------------------------------------------------------------------------


def _stale(arguments: Arguments, command: str) -> int:
    if arguments.goals:
        raise UsageError("`--stale` looks at all records: it takes no goals")
    failed = 0
    with _opened(arguments, command) as project:
        settle_splits(project, dry_wish(arguments), Silent())
        found = project.leftovers()
        if arguments.remove and not arguments.dry_run:
            removed, failed = _remove(project, found)
            counts = [f"{removed} removed"]
        else:
            for name in found.unchanged:
                _say(name)
            counts = [counted(len(found.unchanged), "leftover")]
    counts += _tell_kept(found)
    if failed:
        counts.append(f"{failed} cannot be removed")
    if not arguments.quiet:
        print(f"pybuild: {', '.join(counts)}")
    return ERROR if failed else OK


def _remove(project: Project, found: Leftovers) -> tuple[int, int]:
    """Removes leftovers; how many, and how many could not be."""
    removed = failed = 0
    for name, error in project.remove_leftovers(found):
        if error is None:
            removed += 1
            _say(f"removed {name}")
        else:
            failed += 1
            sys.stdout.flush()
            line = f"pybuild: cannot remove `{name}`: {error.strerror}"
            print(one_line(line), file=sys.stderr)
    return removed, failed


def _tell_kept(found: Leftovers) -> list[str]:
    """Tells of files that are left alone; returns how many they are."""
    for name in found.edited:
        _say(f"edited since, kept: {name}")
    for name in found.read_only:
        _say(f"read-only, kept: {name}")
    counts = []
    if found.edited:
        counts.append(f"{len(found.edited)} edited since and kept")
    if found.read_only:
        counts.append(f"{len(found.read_only)} read-only and kept")
    if found.kept:
        counts.append(f"{len(found.kept)} kept for rules that may make them another time")
    return counts


# -- history -------------------------------------------------------------------------------


def _history(arguments: Arguments, command: str) -> int:
    names = [*arguments.history, *arguments.goals]
    if len(names) > 1:
        raise UsageError("`--history` takes one target")
    if arguments.format not in ("text", "json"):
        raise UsageError(f"`--format={arguments.format}`: it is `text` or `json`")
    with _opened(arguments, command) as project:
        settle_splits(project, dry_wish(arguments), Silent())
        data = _history_of(project, names[0])
    if arguments.format == "json":
        from json import dumps

        print(dumps(data, indent=2))
    else:
        for line in _history_lines(data):
            _say(line)
    return OK


def _job_of(project: Project, name: str) -> str:
    """The job that makes a target, or made it. Raises BuildError, UsageError."""
    try:
        jobs = _jobs_behind(project, name)
    except BuildError:
        maker = project.journal.maker(normalise(name))
        if maker is None:
            raise
        return maker
    if len(jobs) != 1:
        raise UsageError(f"`{name}` is a rule with {counted(len(jobs), 'job')}: name a target")
    return jobs[0]


def _history_of(project: Project, target: str) -> dict[str, Any]:
    """What is recorded of the job that makes a target, and what has changed since, as plain data.
    Raises BuildError, UsageError."""
    from pybuild.runners.logs import Logs

    name = _job_of(project, target)
    world, journal = project.loaded.world, project.journal
    job = world.graph.producer.get(name) or world.search.find(name)
    trace = journal.trace(name)
    data: dict[str, Any] = {
        "target": target,
        "job": name,
        "rule": job.traits.rule if job else None,
        "started": None,
        "seconds": None,
        "ran": False,
        "interrupted": journal.started(name) is not None,
        "recipe": UNKNOWN,
        "values": UNKNOWN,
        "changed_values": [],
        "targets": [],
        "prerequisites": [],
        "log": Logs(f"{STATE_FOLDER}/logs").find(name) or None,
        "older": [],
    }
    if trace is None:
        return data
    judge = Judge(world.graph, project.files, journal, Rules())
    data |= _run_data(trace.started_ns, trace.seconds)
    if job is not None and job.recipe is not None:
        data |= _changes(project, judge, job, trace)
    data["targets"] = _file_data(judge, trace.outputs, trace.output_digests)
    data["prerequisites"] = [
        *_file_data(judge, trace.inputs, trace.input_digests),
        *_file_data(judge, trace.discovered, trace.discovered_digests, discovered=True),
    ]
    runs = journal.runs(name)
    data["older"] = [_run_data(*run) for run in runs if run[0] != trace.started_ns]
    return data


def _run_data(started_ns: int, seconds: float) -> dict[str, Any]:
    from datetime import datetime

    started = datetime.fromtimestamp(started_ns // 10**9).astimezone().isoformat()
    ran = seconds != NOT_RUN
    return {"started": started, "seconds": seconds if ran else None, "ran": ran}


def _changes(project: Project, judge: Judge, job: Job, trace: Trace) -> dict[str, Any]:
    """Whether recipe and values are as they were recorded, as far as it can be told."""
    recipe = job.recipe
    assert recipe is not None
    try:
        project.grow.close(job)
    except BuildError:
        pass  # what it needs is not there; the recipe is known all the same
    changed: list[Reason] = []
    try:
        if recipe.values_digest != trace.values:
            changed = judge.changed_values(job, trace)
        values = CHANGED if changed else UNCHANGED
    except BuildError:
        values = UNKNOWN
    return {
        "recipe": UNCHANGED if recipe.text_digest == trace.text else CHANGED,
        "values": values,
        "changed_values": [sentence(reason) for reason in changed],
    }


def _file_data(
    judge: Judge, names: Sequence[str], digests: bytes, *, discovered: bool = False
) -> list[dict[str, Any]]:
    """Recorded files, each with the digest then and now and with what became of it."""
    found = []
    for name, recorded in zip(names, cut(digests), strict=True):
        now = ""
        try:
            if judge.is_same(name, recorded):
                state, now = UNCHANGED, recorded.hex()
            elif judge.status(name) is None:
                state = MISSING
            else:
                state, now = CHANGED, judge.digest(name).hex()
        except BuildError:
            state = UNKNOWN
        found.append(
            {
                "name": name,
                "discovered": discovered,
                "digest": recorded.hex(),
                "state": state,
                "now": now or None,
            }
        )
    return found


def _history_lines(data: dict[str, Any]) -> Iterator[str]:
    name = data["job"]
    if data["started"] is None:
        yield f"{name}: there is no record that it ever finished"
    else:
        yield f"{name}: {_run_text(data)}"
    if data["interrupted"]:
        yield "  it was started since then and did not end well"
    if data["started"] is not None:
        if data["rule"] is None:
            yield "  no rule makes it now"
        else:
            yield f"  recipe: {data['recipe']}"
            yield f"  values: {'; '.join(data['changed_values']) or data['values']}"
    for kind in ("target", "prerequisite"):
        for file in data[f"{kind}s"]:
            yield f"  {'discovered' if file['discovered'] else kind} {_file_text(file)}"
    if data["log"]:
        yield f"  log: {data['log']}"
    for run in data["older"]:
        yield f"  before: {_run_text(run)}"


def _run_text(run: dict[str, Any]) -> str:
    if not run["ran"]:
        return f"taken as made at {run['started']}, without a run"
    return f"started at {run['started']}, took {duration(run['seconds'])}"


def _file_text(file: dict[str, Any]) -> str:
    now = f", now {short_digest(file['now'])}" if file["state"] == CHANGED else ""
    return f"{told_name(file['name'])} ({short_digest(file['digest'])}): {file['state']}{now}"
